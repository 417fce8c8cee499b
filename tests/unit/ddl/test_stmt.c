#include "unit.h"

#include "ddl/types.h"

#include <string.h>

static void renders_each_part(void **state)
{
    struct fixture *f = *state;
    struct fault fault = FAULT_INIT;
    const struct ident *outer, *inner;
    struct stmt *s = stmt_new(f->arena, SQL_RISINGWAVE);

    ASSERT_OK(
        ident_parse(f->arena, SV("my s"), SQL_RISINGWAVE, IDENT_SCHEMA, &outer, &fault),
        &fault);
    ASSERT_OK(
        ident_parse(f->arena, SV("t`1"), SQL_RISINGWAVE, IDENT_TABLE, &inner, &fault),
        &fault);
    stmt_text(s, "SELECT ");
    stmt_int(s, -9223372036854775807 - 1);
    stmt_text(s, " FROM ");
    stmt_qualified(s, outer, inner);
    stmt_text(s, " WHERE a = ");
    stmt_str(s, SV("it's \\ \"x\""));
    assert_string_equal(rendered(s, f->arena),
                        "SELECT -9223372036854775808 FROM \"my s\".\"t`1\" WHERE a = "
                        "'it''s \\ \"x\"'");
    assert_int_equal(stmt_dialect(s), SQL_RISINGWAVE);
    ASSERT_OK(stmt_check(s, &fault), &fault);
}

static void escapes_for_starrocks(void **state)
{
    struct fixture *f = *state;
    struct stmt *s = stmt_new(f->arena, SQL_STARROCKS);

    stmt_str(s, SV("it's \\ \"x\"\n\r\x1a\t"));
    assert_string_equal(rendered(s, f->arena), "'it\\'s \\\\ \\\"x\\\"\\n\\r\\Z\t'");
}

static void hides_secrets(void **state)
{
    struct fixture *f = *state;
    struct fault fault = FAULT_INIT;
    static const enum sql_dialect dialects[] = {SQL_RISINGWAVE, SQL_STARROCKS};
    static const char *const revealed[] = {"p='s3cr''et\\'", "p='s3cr\\'et\\\\'"};

    for (size_t i = 0; i < COUNT_OF(dialects); i++) {
        struct stmt *s = stmt_new(f->arena, dialects[i]);
        stmt_text(s, "p=");
        stmt_secret(s, f->password);
        ASSERT_OK(stmt_check(s, &fault), &fault);
        assert_string_equal(rendered(s, f->arena), revealed[i]);
        assert_string_equal(stmt_redacted(s, f->arena), "p='***'");
    }
    struct stmt *s = stmt_new(f->arena, SQL_RISINGWAVE);
    stmt_secret(s, NULL);
    assert_string_equal(rendered(s, f->arena), "''");
}

static void finds_broken_values(void **state)
{
    struct fixture *f = *state;
    const struct sv broken[] = {SV("a\0b"), SV("a\xc3"), SV("\xed\xa0\x80")};

    for (size_t i = 0; i < COUNT_OF(broken); i++) {
        struct fault fault = FAULT_INIT;
        struct stmt *s = stmt_new(f->arena, SQL_STARROCKS);
        stmt_str(s, broken[i]);
        assert_false(stmt_check(s, &fault));
        assert_int_equal(fault.class, FAULT_REFUSED);

        AUTO(secret_freep) struct secret *secret = secret_new(broken[i]);
        s = stmt_new(f->arena, SQL_RISINGWAVE);
        stmt_secret(s, secret);
        assert_false(stmt_check(s, &fault));
        ASSERT_CONTAINS(fault.text, "a password holds");
    }
}

static void hides_rows(void **state)
{
    struct fixture *f = *state;
    struct stmt *s = stmt_new(f->arena, SQL_STARROCKS);

    stmt_text(s, "k IN (");
    stmt_private_begin(s, 2);
    stmt_int(s, 7);
    stmt_text(s, ", ");
    stmt_str(s, SV("Jane Doe"));
    stmt_private_end(s);
    stmt_text(s, ") AND ");
    stmt_private_begin(s, 1);
    stmt_str(s, SV("never closed"));
    assert_string_equal(rendered(s, f->arena), "k IN (7, 'Jane Doe') AND 'never closed'");
    assert_string_equal(stmt_redacted(s, f->arena), "k IN (2 rows) AND 1 row");
}

static void has_a_ceiling(void **state)
{
    struct fixture *f = *state;
    struct fault fault = FAULT_INIT;
    size_t n = STMT_BYTES_MAX - 2;
    char *text = arena_alloc(f->arena, n + 1);

    memset(text, 'x', n + 1);
    struct stmt *s = stmt_new(f->arena, SQL_STARROCKS);
    stmt_str(s, (struct sv){text, n});
    ASSERT_OK(stmt_check(s, &fault), &fault);
    s = stmt_new(f->arena, SQL_STARROCKS);
    stmt_str(s, (struct sv){text, n + 1});
    assert_false(stmt_check(s, &fault));
    ASSERT_CONTAINS(fault.text, "longer than");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(renders_each_part),   TEST(escapes_for_starrocks), TEST(hides_secrets),
        TEST(finds_broken_values), TEST(has_a_ceiling),         TEST(hides_rows),
    };

    return cmocka_run_group_tests_name("stmt", tests, NULL, NULL);
}

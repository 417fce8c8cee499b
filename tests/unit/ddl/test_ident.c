#include "lexer.h"
#include "unit.h"

#include "base/clock.h"

#include <string.h>

static bool parses(struct arena *arena, struct sv name, enum sql_dialect dialect,
                   enum ident_kind kind, struct fault *fault)
{
    const struct ident *ident = NULL;
    bool ok = ident_parse(arena, name, dialect, kind, &ident, fault);

    assert_int_equal(ok, ident != NULL);
    if (ok) {
        assert_true(sv_eq(ident_name(ident), name));
        assert_int_equal(ident_dialect(ident), dialect);
    }
    return ok;
}

static void takes_what_servers_take(void **state)
{
    struct fixture *f = *state;
    static const char *const columns[] = {
        "id",          "Id",   "order",  "a b", " lead",   "qu'ote", "a.b",
        "a;b",         "dol$", "1digit", "列",  "hy-phen", "UPPER",  "XMIN",
        "back\\slash", "%s",   "#",      "--",  "/*x/",    "_id"};
    struct fault fault = FAULT_INIT;

    for (size_t i = 0; i < COUNT_OF(columns); i++) {
        bool starred = strchr(columns[i], '*') != NULL;
        assert_true(
            parses(f->arena, sv_from(columns[i]), SQL_RISINGWAVE, IDENT_COLUMN, &fault));
        assert_int_equal(
            parses(f->arena, sv_from(columns[i]), SQL_STARROCKS, IDENT_COLUMN, &fault),
            !starred);
    }
    assert_true(
        parses(f->arena, SV("表格-é.x y\"z"), SQL_STARROCKS, IDENT_TABLE, &fault));
    assert_true(parses(f->arena, SV("a=b,c"), SQL_STARROCKS, IDENT_TABLE, &fault));
    assert_true(parses(f->arena, SV("ods"), SQL_STARROCKS, IDENT_DATABASE, &fault));
    assert_true(parses(f->arena, SV("_1-x@y"), SQL_STARROCKS, IDENT_DATABASE, &fault));
    assert_true(parses(f->arena, SV("_rw_x"), SQL_RISINGWAVE, IDENT_TABLE, &fault));
}

static void refuses_with_the_rule(void **state)
{
    struct fixture *f = *state;
    const struct {
        struct sv name;
        enum sql_dialect dialect;
        enum ident_kind kind;
        const char *rule;
    } cases[] = {
        {SV("a\"b"), SQL_RISINGWAVE, IDENT_COLUMN, "double quote"},
        {SV("_rw_timestamp"), SQL_RISINGWAVE, IDENT_COLUMN, "reserves"},
        {SV("_row_id"), SQL_RISINGWAVE, IDENT_COLUMN, "reserves"},
        {SV("xmin"), SQL_RISINGWAVE, IDENT_COLUMN, "reserves"},
        {SV("ctid"), SQL_RISINGWAVE, IDENT_COLUMN, "reserves"},
        {SV("a`b"), SQL_STARROCKS, IDENT_TABLE, "back-quotes"},
        {SV("a`b"), SQL_STARROCKS, IDENT_COLUMN, "back-quotes"},
        {SV("a=b"), SQL_STARROCKS, IDENT_COLUMN, "= < > ! *"},
        {SV("a<b"), SQL_STARROCKS, IDENT_COLUMN, "= < > ! *"},
        {SV("a>b"), SQL_STARROCKS, IDENT_COLUMN, "= < > ! *"},
        {SV("a!b"), SQL_STARROCKS, IDENT_COLUMN, "= < > ! *"},
        {SV("a*b"), SQL_STARROCKS, IDENT_COLUMN, "= < > ! *"},
        {SV("a,b"), SQL_STARROCKS, IDENT_COLUMN, "commas"},
        {SV("a\tb"), SQL_STARROCKS, IDENT_COLUMN, "control"},
        {SV("a\x1f"), SQL_STARROCKS, IDENT_COLUMN, "control"},
        {SV("a\x7f"), SQL_STARROCKS, IDENT_COLUMN, "control"},
        {SV("__OP"), SQL_STARROCKS, IDENT_COLUMN, "reserves"},
        {SV("__row"), SQL_STARROCKS, IDENT_COLUMN, "reserves"},
        {SV("___count___"), SQL_STARROCKS, IDENT_COLUMN, "reserves"},
        {SV("__starrocks_shadow_a"), SQL_STARROCKS, IDENT_COLUMN, "reserves"},
        {SV("a\nb"), SQL_STARROCKS, IDENT_TABLE, "control"},
        {SV("1ods"), SQL_STARROCKS, IDENT_DATABASE, "start with a letter"},
        {SV("表"), SQL_STARROCKS, IDENT_DATABASE, "start with a letter"},
        {SV("a.b"), SQL_STARROCKS, IDENT_DATABASE, "start with a letter"},
        {SV("_"), SQL_STARROCKS, IDENT_DATABASE, "start with a letter"},
        {SV("_-a"), SQL_STARROCKS, IDENT_DATABASE, "start with a letter"},
        {SV("a`b"), SQL_MYSQL, IDENT_TABLE, "back-quote"},
        {SV(""), SQL_MYSQL, IDENT_TABLE, "empty"},
        {SV("a\0b"), SQL_RISINGWAVE, IDENT_COLUMN, "NUL"},
        {SV("a\xff"), SQL_RISINGWAVE, IDENT_COLUMN, "UTF-8"},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct fault fault = FAULT_INIT;
        assert_false(
            parses(f->arena, cases[i].name, cases[i].dialect, cases[i].kind, &fault));
        assert_int_equal(fault.class, FAULT_REFUSED);
        assert_string_equal(fault.reason, "UnsupportedName");
        ASSERT_CONTAINS(fault.text, cases[i].rule);
        ASSERT_CONTAINS(fault.text, "rename it");
    }
}

static void minds_the_length(void **state)
{
    struct fixture *f = *state;
    struct fault fault = FAULT_INIT;
    char name[2048];

    memset(name, 'x', sizeof(name));
    assert_true(parses(f->arena, (struct sv){name, 64}, SQL_MYSQL, IDENT_TABLE, &fault));
    assert_false(parses(f->arena, (struct sv){name, 65}, SQL_MYSQL, IDENT_TABLE, &fault));
    assert_true(
        parses(f->arena, (struct sv){name, 1024}, SQL_STARROCKS, IDENT_TABLE, &fault));
    assert_false(
        parses(f->arena, (struct sv){name, 1025}, SQL_STARROCKS, IDENT_TABLE, &fault));
    assert_true(
        parses(f->arena, (struct sv){name, 256}, SQL_STARROCKS, IDENT_DATABASE, &fault));
    assert_false(
        parses(f->arena, (struct sv){name, 257}, SQL_STARROCKS, IDENT_DATABASE, &fault));
    ASSERT_CONTAINS(fault.text, "xxx..."); /* the name is cut in the message */
}

/* Bytes that tempt a lexer, and characters of each UTF-8 length. */
static struct sv random_text(struct rng *rng, struct arena *arena)
{
    static const char *const pieces[] = {
        "'",  "\"",  "`",    "\\", "\n", "\r", "\t", "\x1a", "%", "_", ";",  "-",
        "--", "/*",  "*/",   "#",  "$",  "é",  "表", "😀",    "a", "Z", "0",  " ",
        "''", "\\'", "\x01", "''", "E'", ".",  ",",  "=",    "(", ")", "::", "\x7f"};
    AUTO(buf_deinit) struct buf text = {0};

    buf_init(&text, 4096);
    for (uint64_t n = rng_below(rng, 12); n > 0; n--) {
        buf_addz(&text, pieces[rng_below(rng, COUNT_OF(pieces))]);
    }
    return arena_sv(arena, buf_sv(&text));
}

/* Whatever is accepted must be one token, with the same content, to the server's lexer.
 */
static void lexes_to_one_token(void **state)
{
    struct fixture *f = *state;
    static const enum sql_dialect dialects[] = {SQL_RISINGWAVE, SQL_STARROCKS, SQL_MYSQL};
    struct rng rng;
    size_t accepted = 0;

    rng_init(&rng, 42);
    for (unsigned round = 0; round < 20000; round++) {
        AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);
        enum sql_dialect dialect = dialects[round % 3];
        struct sv text = random_text(&rng, arena);
        struct stmt *s = stmt_new(arena, dialect);
        struct fault fault = FAULT_INIT;
        const struct ident *ident;
        bool as_name = rng_below(&rng, 2) == 0;

        (void)f;
        if (!as_name) {
            stmt_str(s, text);
        } else if (ident_parse(arena, text, dialect, IDENT_COLUMN, &ident, &fault)) {
            stmt_ident(s, ident);
        } else {
            continue;
        }
        accepted++;
        ASSERT_OK(stmt_check(s, &fault), &fault);
        struct sv rest = sv_from(rendered(s, arena));
        struct token token = lexer_next(dialect, &rest, arena);
        if (token.kind != (as_name ? TOKEN_IDENT : TOKEN_STRING) || rest.n != 0 ||
            !sv_eq(token.text, text)) {
            fail_msg("'%.*s' became %s", SV_ARGS(text), rendered(s, arena));
        }
    }
    assert_true(accepted > 12000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(takes_what_servers_take),
        TEST(refuses_with_the_rule),
        TEST(minds_the_length),
        TEST(lexes_to_one_token),
    };

    return cmocka_run_group_tests_name("ident", tests, NULL, NULL);
}

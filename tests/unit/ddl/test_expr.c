/* What the expression language takes, what it becomes and of which type it is. */
#include "unit.h"

#include "ddl/expr.h"

#include <string.h>

static const struct {
    const char *name;
    enum rw_type type;
} table[] = {
    {"id", RW_INTEGER},     {"small", RW_SMALLINT},   {"big", RW_BIGINT},
    {"price", RW_DECIMAL},  {"f", RW_REAL},           {"d", RW_DOUBLE},
    {"name", RW_VARCHAR},   {"Odd Name", RW_VARCHAR}, {"列", RW_VARCHAR},
    {"day", RW_DATE},       {"t", RW_TIME},           {"moment", RW_TIMESTAMP},
    {"tz", RW_TIMESTAMPTZ}, {"ok", RW_BOOLEAN},       {"doc", RW_JSONB},
    {"raw", RW_BYTEA},      {"tags", RW_UNSET},       {"lower", RW_VARCHAR},
};

static bool parse(struct arena *arena, const char *text, const struct expr **out_expr,
                  struct fault *fault)
{
    struct expr_column *columns =
        arena_alloc_array(arena, COUNT_OF(table), sizeof(struct expr_column));

    for (size_t i = 0; i < COUNT_OF(table); i++) {
        columns[i] = (struct expr_column){table[i].name, table[i].type, NULL};
        ASSERT_OK(table[i].type == RW_UNSET ||
                      ident_parse(arena, sv_from(table[i].name), SQL_RISINGWAVE,
                                  IDENT_COLUMN, &columns[i].ident, fault),
                  fault);
    }
    return expr_parse(text, columns, COUNT_OF(table), arena, out_expr, fault);
}

struct row {
    const char *text, *written;
    enum rw_type type;
};

static void check(struct arena *arena, const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct expr *expr = NULL;
        struct fault fault = FAULT_INIT;
        if (!parse(arena, rows[i].text, &expr, &fault)) {
            fail_msg("%s: %s", rows[i].text, fault.text);
        }
        assert_string_equal(expr_text(expr, arena), rows[i].written);
        assert_int_equal(expr_type(expr), rows[i].type);
    }
}

static void takes_columns_and_literals(void **state)
{
    static const struct row rows[] = {
        {"id", "\"id\"", RW_INTEGER},
        {"ID", "\"id\"", RW_INTEGER},
        {"\"odd name\"", "\"Odd Name\"", RW_VARCHAR},
        {" 列 ", "\"列\"", RW_VARCHAR},
        {"lower", "\"lower\"", RW_VARCHAR}, /* no parenthesis: the column */
        {"lower(lower)", "lower(\"lower\")", RW_VARCHAR},
        {"0", "0", RW_INTEGER},
        {"2147483647", "2147483647", RW_INTEGER},
        {"2147483648", "2147483648", RW_BIGINT},
        {"9223372036854775807", "9223372036854775807", RW_BIGINT},
        {"9223372036854775808", "'9223372036854775808'::DECIMAL", RW_DECIMAL},
        {"1.50", "'1.50'::DECIMAL", RW_DECIMAL},
        {"-5", "(-5)", RW_INTEGER},
        {"- -5", "(-(-5))", RW_INTEGER},
        {"'it''s'", "'it''s'::VARCHAR", RW_VARCHAR},
        {"''", "''::VARCHAR", RW_VARCHAR},
        {"'a;--\\ $$ /* */ \"'", "'a;--\\ $$ /* */ \"'::VARCHAR", RW_VARCHAR},
        {"true", "TRUE", RW_BOOLEAN},
        {"FALSE", "FALSE", RW_BOOLEAN},
        {"NULL", "NULL", RW_UNSET},
        {"NULL::date", "NULL::DATE", RW_DATE},
        {"((((id))))", "\"id\"", RW_INTEGER},
    };

    check(((struct fixture *)*state)->arena, rows, COUNT_OF(rows));
}

static void knows_precedence(void **state)
{
    static const struct row rows[] = {
        {"id + id * 2 - 1", "((\"id\" + (\"id\" * 2)) - 1)", RW_INTEGER},
        {"(id + id) * 2", "((\"id\" + \"id\") * 2)", RW_INTEGER},
        {"-id * 2", "((-\"id\") * 2)", RW_INTEGER},
        {"-id::bigint", "(-\"id\"::BIGINT)", RW_BIGINT},
        {"id - id - id", "((\"id\" - \"id\") - \"id\")", RW_INTEGER},
        {"id / 2 % 3", "((\"id\" / 2) % 3)", RW_INTEGER},
        {"ok or ok and not ok", "(\"ok\" OR (\"ok\" AND (NOT \"ok\")))", RW_BOOLEAN},
        {"not id = 1", "(NOT (\"id\" = 1))", RW_BOOLEAN},
        {"not not ok", "(NOT (NOT \"ok\"))", RW_BOOLEAN},
        {"id + 1 > 2 and name is null", "(((\"id\" + 1) > 2) AND (\"name\" IS NULL))",
         RW_BOOLEAN},
        {"name is not null or ok", "((\"name\" IS NOT NULL) OR \"ok\")", RW_BOOLEAN},
        {"id <> 1", "(\"id\" <> 1)", RW_BOOLEAN},
        {"id <= 1", "(\"id\" <= 1)", RW_BOOLEAN},
        {"id >= 1", "(\"id\" >= 1)", RW_BOOLEAN},
        {"id < 1", "(\"id\" < 1)", RW_BOOLEAN},
    };

    check(((struct fixture *)*state)->arena, rows, COUNT_OF(rows));
}

/* The casts that RisingWave would make, or might not make, are written out. */
static void writes_casts_out(void **state)
{
    static const struct row rows[] = {
        {"small + big", "(\"small\" + \"big\")", RW_BIGINT},
        {"id + price", "(\"id\"::DECIMAL + \"price\")", RW_DECIMAL},
        {"f + id", "(\"f\"::DOUBLE + \"id\"::DOUBLE)", RW_DOUBLE},
        {"f * f", "(\"f\" * \"f\")", RW_REAL},
        {"price = d", "(\"price\"::DOUBLE = \"d\")", RW_BOOLEAN},
        {"day > moment", "(\"day\"::TIMESTAMP > \"moment\")", RW_BOOLEAN},
        {"day > '2024-01-31'", "(\"day\" > '2024-01-31'::DATE)", RW_BOOLEAN},
        {"'7' = id", "('7'::INTEGER = \"id\")", RW_BOOLEAN},
        {"name = 'x'", "(\"name\" = 'x')", RW_BOOLEAN},
        {"'a' = 'b'", "('a'::VARCHAR = 'b')", RW_BOOLEAN},
        {"name || 1 || ok", "((\"name\" || 1::VARCHAR) || \"ok\"::VARCHAR)", RW_VARCHAR},
        {"'a' || 'b'", "('a'::VARCHAR || 'b'::VARCHAR)", RW_VARCHAR},
        {"coalesce(small, price)", "coalesce(\"small\"::DECIMAL, \"price\")", RW_DECIMAL},
        {"coalesce(name, 'x', NULL)", "coalesce(\"name\", 'x', NULL)", RW_VARCHAR},
        {"coalesce('a', 'x')", "coalesce('a'::VARCHAR, 'x')", RW_VARCHAR},
        {"nullif(small, big)", "nullif(\"small\"::BIGINT, \"big\")", RW_BIGINT},
        {"nullif(name, '')", "nullif(\"name\", '')", RW_VARCHAR},
    };

    check(((struct fixture *)*state)->arena, rows, COUNT_OF(rows));
}

static void takes_casts(void **state)
{
    static const struct row rows[] = {
        {"CAST(id AS varchar)", "\"id\"::VARCHAR", RW_VARCHAR},
        {"id::int4", "\"id\"", RW_INTEGER},
        {"id::double precision", "\"id\"::DOUBLE", RW_DOUBLE},
        {"small::int::boolean", "\"small\"::INTEGER::BOOLEAN", RW_BOOLEAN},
        {"ok::int::smallint", "\"ok\"::INTEGER::SMALLINT", RW_SMALLINT},
        {"moment::date", "\"moment\"::DATE", RW_DATE},
        {"moment::time", "\"moment\"::TIME", RW_TIME},
        {"t::text", "\"t\"::VARCHAR", RW_VARCHAR},
        {"name::jsonb", "\"name\"::JSONB", RW_JSONB},
        {"doc::numeric", "\"doc\"::DECIMAL", RW_DECIMAL},
        {"'2024-02-29'::date", "'2024-02-29'::DATE", RW_DATE},
        {"'2024-01-31 23:59:59.5'::timestamp", "'2024-01-31 23:59:59.5'::TIMESTAMP",
         RW_TIMESTAMP},
        {"'23:59:59'::time", "'23:59:59'::TIME", RW_TIME},
        {"'-32768'::smallint", "'-32768'::SMALLINT", RW_SMALLINT},
        {"'1.5'::double", "'1.5'::DOUBLE", RW_DOUBLE},
        {"'{\"a\": [1]}'::jsonb", "'{\"a\": [1]}'::JSONB", RW_JSONB},
        {"'True'::bool", "'True'::BOOLEAN", RW_BOOLEAN},
        {"tz AT TIME ZONE 'UTC'", "(\"tz\" AT TIME ZONE 'UTC')", RW_TIMESTAMP},
        {"(moment at time zone 'Europe/Berlin') at time zone 'UTC'",
         "((\"moment\" AT TIME ZONE 'Europe/Berlin') AT TIME ZONE 'UTC')", RW_TIMESTAMP},
    };

    check(((struct fixture *)*state)->arena, rows, COUNT_OF(rows));
}

static void takes_case(void **state)
{
    static const struct row rows[] = {
        {"CASE WHEN id = 1 THEN 'open' WHEN ok THEN NULL ELSE name END",
         "(CASE WHEN (\"id\" = 1) THEN 'open' WHEN \"ok\" THEN NULL ELSE \"name\" END)",
         RW_VARCHAR},
        {"case when ok then 'a' else 'b' end", "(CASE WHEN \"ok\" THEN 'a' ELSE 'b' END)",
         RW_VARCHAR},
        {"case when ok then 1 else price end",
         "(CASE WHEN \"ok\" THEN 1::DECIMAL ELSE \"price\" END)", RW_DECIMAL},
        {"case when ok then day else '2024-01-31' end",
         "(CASE WHEN \"ok\" THEN \"day\" ELSE '2024-01-31'::DATE END)", RW_DATE},
        {"case when ok then 1 end", "(CASE WHEN \"ok\" THEN 1 END)", RW_INTEGER},
    };

    check(((struct fixture *)*state)->arena, rows, COUNT_OF(rows));
}

static void takes_documents_apart(void **state)
{
    static const struct row rows[] = {
        {"doc ->> 'a'", "(\"doc\" ->> 'a')", RW_VARCHAR},
        {"doc->'a'->0->>'b''c'", "(((\"doc\" -> 'a') -> 0) ->> 'b''c')", RW_VARCHAR},
        {"(doc ->> 'n')::int + 1", "((\"doc\" ->> 'n')::INTEGER + 1)", RW_INTEGER},
        {"doc ->> 'n'::text", "(\"doc\" ->> 'n')", RW_VARCHAR},
    };

    check(((struct fixture *)*state)->arena, rows, COUNT_OF(rows));
}

/* One row a function, in the order of expr.def; the test below sees that none is
 * missing. */
static const struct row calls[] = {
    {"abs(small)", "abs(\"small\")", RW_SMALLINT},
    {"btrim(name, 'x')", "btrim(\"name\", 'x'::VARCHAR)", RW_VARCHAR},
    {"ceil(f)", "ceil(\"f\"::DOUBLE)", RW_DOUBLE},
    {"char_length(name)", "char_length(\"name\")", RW_INTEGER},
    {"coalesce(tz, tz)", "coalesce(\"tz\", \"tz\")", RW_TIMESTAMPTZ},
    {"concat(name, ok, 'x')", "concat(\"name\", \"ok\", 'x'::VARCHAR)", RW_VARCHAR},
    {"concat_ws('-', day, doc)", "concat_ws('-'::VARCHAR, \"day\", \"doc\")", RW_VARCHAR},
    {"convert_from(raw, 'UTF8')", "convert_from(\"raw\", 'UTF8')", RW_VARCHAR},
    {"convert_to(name, 'UTF8')", "convert_to(\"name\", 'UTF8')", RW_BYTEA},
    {"date_part('isodow', day)", "date_part('isodow', \"day\"::TIMESTAMP)", RW_DOUBLE},
    {"date_trunc('month', moment)", "date_trunc('month', \"moment\")", RW_TIMESTAMP},
    {"decode(name, 'base64')", "decode(\"name\", 'base64')", RW_BYTEA},
    {"encode(raw, 'hex')", "encode(\"raw\", 'hex')", RW_VARCHAR},
    {"floor(id)", "floor(\"id\"::DECIMAL)", RW_DECIMAL},
    {"greatest(day, moment)", "greatest(\"day\"::TIMESTAMP, \"moment\")", RW_TIMESTAMP},
    {"initcap(name)", "initcap(\"name\")", RW_VARCHAR},
    {"least('a', name)", "least('a'::VARCHAR, \"name\")", RW_VARCHAR},
    {"left(name, small)", "left(\"name\", \"small\")", RW_VARCHAR},
    {"length(raw)", "length(\"raw\")", RW_INTEGER},
    {"lower('X')", "lower('X'::VARCHAR)", RW_VARCHAR},
    {"lpad(id::varchar, 8, '0')", "lpad(\"id\"::VARCHAR, 8, '0'::VARCHAR)", RW_VARCHAR},
    {"ltrim(name)", "ltrim(\"name\")", RW_VARCHAR},
    {"md5(name)", "md5(\"name\")", RW_VARCHAR},
    {"mod(id, price)", "mod(\"id\"::DECIMAL, \"price\")", RW_DECIMAL},
    {"nullif(id, 0)", "nullif(\"id\", 0)", RW_INTEGER},
    {"octet_length(name)", "octet_length(\"name\")", RW_INTEGER},
    {"power(price, 2)", "power(\"price\", 2::DECIMAL)", RW_DECIMAL},
    {"replace(name, 'a', '')", "replace(\"name\", 'a'::VARCHAR, ''::VARCHAR)",
     RW_VARCHAR},
    {"reverse(name)", "reverse(\"name\")", RW_VARCHAR},
    {"right(name, 3)", "right(\"name\", 3)", RW_VARCHAR},
    {"round(price, 2)", "round(\"price\", 2)", RW_DECIMAL},
    {"rpad(name, 3)", "rpad(\"name\", 3)", RW_VARCHAR},
    {"rtrim(name, 'x')", "rtrim(\"name\", 'x'::VARCHAR)", RW_VARCHAR},
    {"sha1(raw)", "sha1(\"raw\")", RW_BYTEA},
    {"sha256(raw)", "sha256(\"raw\")", RW_BYTEA},
    {"sha512(raw)", "sha512(\"raw\")", RW_BYTEA},
    {"split_part(name, '-', 2)", "split_part(\"name\", '-'::VARCHAR, 2)", RW_VARCHAR},
    {"sqrt(big)", "sqrt(\"big\"::DOUBLE)", RW_DOUBLE},
    {"starts_with(name, 'a')", "starts_with(\"name\", 'a'::VARCHAR)", RW_BOOLEAN},
    {"strpos(name, 'a')", "strpos(\"name\", 'a'::VARCHAR)", RW_INTEGER},
    {"substr(name, 1, 3)", "substr(\"name\", 1, 3)", RW_VARCHAR},
    {"to_char(day, 'YYYY-MM-DD HH24:MI:SS.US')",
     "to_char(\"day\"::TIMESTAMP, 'YYYY-MM-DD HH24:MI:SS.US')", RW_VARCHAR},
    {"trunc(d)", "trunc(\"d\")", RW_DOUBLE},
    {"upper(name)", "upper(\"name\")", RW_VARCHAR},
};

static void takes_every_function(void **state)
{
    static const struct row aliases[] = {
        {"ceiling(d)", "ceil(\"d\")", RW_DOUBLE},
        {"character_length(name)", "char_length(\"name\")", RW_INTEGER},
        {"POW(id, 2)", "power(\"id\"::DOUBLE, 2::DOUBLE)", RW_DOUBLE},
        {"SubString(name, 2)", "substr(\"name\", 2)", RW_VARCHAR},
        {"trim(name)", "btrim(\"name\")", RW_VARCHAR},
        {"round(id)", "round(\"id\"::DECIMAL)", RW_DECIMAL},
        {"round(d)", "round(\"d\")", RW_DOUBLE},
        {"sqrt(price)", "sqrt(\"price\")", RW_DECIMAL},
    };
    struct arena *arena = ((struct fixture *)*state)->arena;
    struct sv names = sv_from(expr_functions(arena));

    check(arena, calls, COUNT_OF(calls));
    check(arena, aliases, COUNT_OF(aliases));
    for (size_t i = 0; i < COUNT_OF(calls); i++) {
        struct sv name = sv_trim(sv_cut(&names, ','));
        assert_true(sv_starts(sv_from(calls[i].text), name));
    }
    assert_int_equal(names.n, 0);
}

static void knows_what_is_read(void **state)
{
    struct arena *arena = ((struct fixture *)*state)->arena;
    const struct expr *expr = NULL;
    struct fault fault = FAULT_INIT;

    ASSERT_OK(
        parse(arena, "CASE WHEN small > 0 THEN coalesce(name, 'id') END", &expr, &fault),
        &fault);
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        bool read =
            strcmp(table[i].name, "small") == 0 || strcmp(table[i].name, "name") == 0;
        assert_int_equal(expr_uses(expr, i), read);
    }
}

/* What the type table delivers can be cast further. */
static void builds_what_the_sink_delivers(void **state)
{
    static const struct {
        const char *name;
        enum sink_expr how;
        const char *written;
        enum rw_type type;
    } rows[] = {
        {"id", SINK_PASS, "\"c\"", RW_INTEGER},
        {"price", SINK_CAST_BIGINT, "\"c\"::BIGINT", RW_BIGINT},
        {"t", SINK_CAST_VARCHAR, "\"c\"::VARCHAR", RW_VARCHAR},
        {"name", SINK_CAST_JSONB, "\"c\"::JSONB", RW_JSONB},
        {"tz", SINK_AT_UTC, "(\"c\" AT TIME ZONE 'UTC')", RW_TIMESTAMP},
        {"raw", SINK_HEX, "encode(\"c\", 'hex')", RW_VARCHAR},
    };
    struct arena *arena = ((struct fixture *)*state)->arena;
    struct fault fault = FAULT_INIT;
    const struct ident *ident = NULL;

    ASSERT_OK(ident_parse(arena, SV("c"), SQL_RISINGWAVE, IDENT_COLUMN, &ident, &fault),
              &fault);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        enum rw_type type = RW_UNSET;
        for (size_t k = 0; k < COUNT_OF(table); k++) {
            type = strcmp(table[k].name, rows[i].name) == 0 ? table[k].type : type;
        }
        const struct expr_column column = {"c", type, ident};
        const struct expr *expr = expr_delivered(&column, 0, rows[i].how, arena);
        assert_string_equal(expr_text(expr, arena), rows[i].written);
        assert_int_equal(expr_type(expr), rows[i].type);
        assert_true(expr_uses(expr, 0));
    }
    const struct expr_column column = {"c", RW_TIMESTAMPTZ, ident};
    const struct expr *moment = expr_delivered(&column, 0, SINK_AT_UTC, arena);
    assert_string_equal(expr_text(expr_cast(moment, RW_VARCHAR, arena), arena),
                        "(\"c\" AT TIME ZONE 'UTC')::VARCHAR");
    assert_ptr_equal(expr_cast(moment, RW_TIMESTAMP, arena), moment);
}

/* RisingWave 3.0.3 cast.rs, without what asks the session. */
static void knows_the_casts(void **state)
{
    static const char rows[RW_TYPE_MAX][RW_TYPE_MAX + 1] = {
        /*                  -bsiBdrDvDTtzyj */
        [RW_BOOLEAN] = "-x-x----x------",   [RW_SMALLINT] = "--xxxxxxx------",
        [RW_INTEGER] = "-xxxxxxxx------",   [RW_BIGINT] = "--xxxxxxx------",
        [RW_DECIMAL] = "--xxxxxxx------",   [RW_REAL] = "--xxxxxxx------",
        [RW_DOUBLE] = "--xxxxxxx------",    [RW_VARCHAR] = "-xxxxxxxxxxx--x",
        [RW_DATE] = "--------xx-x---",      [RW_TIME] = "--------x-x----",
        [RW_TIMESTAMP] = "--------xxxx---", [RW_TIMESTAMPTZ] = "------------x--",
        [RW_BYTEA] = "-------------x-",     [RW_JSONB] = "-xxxxxxxx-----x",
    };

    (void)state;
    for (enum rw_type from = RW_BOOLEAN; from < RW_TYPE_MAX; from++) {
        for (enum rw_type to = RW_BOOLEAN; to < RW_TYPE_MAX; to++) {
            if (expr_can_cast(from, to) != (rows[from][to] == 'x')) {
                fail_msg("%s to %s", rw_type_name(from), rw_type_name(to));
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(takes_columns_and_literals),
        TEST(knows_precedence),
        TEST(writes_casts_out),
        TEST(takes_casts),
        TEST(takes_case),
        TEST(takes_documents_apart),
        TEST(takes_every_function),
        TEST(knows_what_is_read),
        TEST(knows_the_casts),
        TEST(builds_what_the_sink_delivers),
    };

    return cmocka_run_group_tests_name("expr", tests, NULL, NULL);
}

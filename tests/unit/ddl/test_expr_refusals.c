/* What the expression language refuses, where, and with which advice. */
#include "unit.h"

#include "ddl/expr.h"

#include <string.h>

static const struct {
    const char *name;
    enum rw_type type;
} table[] = {
    {"id", RW_INTEGER},     {"price", RW_DECIMAL}, {"d", RW_DOUBLE},
    {"name", RW_VARCHAR},   {"day", RW_DATE},      {"moment", RW_TIMESTAMP},
    {"tz", RW_TIMESTAMPTZ}, {"ok", RW_BOOLEAN},    {"doc", RW_JSONB},
    {"raw", RW_BYTEA},      {"tags", RW_UNSET},    {"big", RW_BIGINT},
};

static bool parse(struct arena *arena, const char *text, struct fault *fault)
{
    struct expr_column columns[COUNT_OF(table)];
    const struct expr *expr = NULL;

    for (size_t i = 0; i < COUNT_OF(table); i++) {
        columns[i] = (struct expr_column){table[i].name, table[i].type, NULL};
        ASSERT_OK(table[i].type == RW_UNSET ||
                      ident_parse(arena, sv_from(table[i].name), SQL_RISINGWAVE,
                                  IDENT_COLUMN, &columns[i].ident, fault),
                  fault);
    }
    return expr_parse(text, columns, COUNT_OF(table), arena, &expr, fault);
}

struct row {
    const char *text, *says;
};

static void check(struct arena *arena, const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct fault fault = FAULT_INIT;
        if (parse(arena, rows[i].text, &fault)) {
            fail_msg("%s was taken", rows[i].text);
        }
        assert_string_equal(fault.reason, "InvalidOverride");
        assert_int_equal(fault.class, FAULT_REFUSED);
        if (strstr(fault.text, rows[i].says) == NULL) {
            fail_msg("%s: %s", rows[i].text, fault.text);
        }
    }
}

static void refuses_what_would_reach_further(void **state)
{
    static const struct row rows[] = {
        {"id; DROP TABLE x", "at byte 3, ';': an expression is one value"},
        {"(SELECT password FROM users)", "at byte 2, 'SELECT': a value must stand"},
        {"EXISTS (SELECT 1)", "there is no such function"},
        {"id FROM other", "at byte 4, 'FROM': the expression should have ended"},
        {"id AS \"x\"", "at byte 4, 'AS': the expression should have ended"},
        {"id, name", "at byte 3, ',': the expression should have ended"},
        {"other.id", "at byte 6, '.': schemas and tables cannot be named"},
        {"\"other\".\"id\"", "the table has no such column"},
        {"\"id\".\"id\"", "at byte 5, '.': schemas and tables cannot be named"},
        {"pg_catalog.version()", "cannot be named"},
        {"*", "at byte 1, '*': a value must stand here"},
        {"count(*)", "'count': there is no such function here; there are abs, btrim"},
        {"sum(id)", "no such function"},
        {"sum(id) OVER ()", "no such function"},
        {"lower(*)", "at byte 7, '*'"},
        {"id -- x", "at byte 4, '--': comments cannot stand"},
        {"id--1", "at byte 3, '--': comments"},
        {"id /* x */", "at byte 4, '/*': comments"},
        {"$1", "there are no parameters"},
        {"$$x$$", "no dollar quotes"},
        {"$tag$x$tag$", "no dollar quotes"},
        {"a$1", "no parameters"},
        {"?", "no word of an expression"},
        {":x", "no word of an expression"},
        {"@x", "no word of an expression"},
        {"id @> 1", "no word of an expression"},
        {"E'\\047'", "has no letter in front"},
        {"U&'\\0061'", "no word of an expression"},
        {"X'00'", "has no letter in front"},
        {"B'1'", "has no letter in front"},
        {"name'x'", "has no letter in front"},
        {"'a' 'b'", "should have ended here"},
        {"'a", "at byte 1, ''a': the closing quote is missing"},
        {"'a''", "the closing quote is missing"},
        {"\"id", "the closing double quote is missing"},
        {"\"i\"\"d\"", "cannot write a name that holds a double quote"},
        {"`id`", "write a name in double quotes"},
        {"id \\ 1", "no word of an expression"},
        {"id != 1", "write <> for 'not equal'"},
        {"id & 1", "no word of an expression"},
        {"id | 1", "no word of an expression"},
        {"id ^ 2", "no word of an expression"},
        {"~id", "no word of an expression"},
        {"#1", "no word of an expression"},
        {"[1]", "no arrays and structs"},
        {"{1}", "no arrays and structs"},
        {"ARRAY[id]", "no arrays and structs"},
        {"now()", "no such function"},
        {"current_timestamp", "the table has no such column"},
        {"current_user", "the table has no such column"},
        {"random()", "no such function"},
        {"current_setting('timezone')", "no such function"},
        {"set_config('a', 'b', false)", "no such function"},
        {"pg_sleep(1)", "no such function"},
        {"INTERVAL '1' day", "the table has no such column"},
        {"id::regclass", "a type must stand here: boolean, smallint"},
        {"id::varchar(10)", "take no length and no precision"},
        {"price::decimal(10,2)", "take no length and no precision"},
        {"id::interval", "a type must stand here"},
        {"id::\"int\"", "a type must stand here"},
        {"id::int[]", "no arrays and structs"},
        {"id COLLATE \"C\"", "should have ended here"},
        {"ROW(id)", "no such function"},
        {"id IN (1, 2)", "should have ended here"},
        {"name LIKE 'a%'", "should have ended here"},
    };

    check(((struct fixture *)*state)->arena, rows, COUNT_OF(rows));
}

static void refuses_what_is_no_expression(void **state)
{
    static const struct row rows[] = {
        {"", "at the end: a value must stand here"},
        {"   ", "at the end: a value must stand here"},
        {"id +", "at the end: a value must stand here"},
        {"+ id", "at byte 1, '+': a value must stand here"},
        {"(id", "at the end: ) must stand here"},
        {"id)", "at byte 3, ')': the expression should have ended"},
        {"lower(name", "at the end: , must stand here"},
        {"lower(name name)", "at byte 12, 'name': , must stand here"},
        {"lower(,)", "at byte 7, ',': a value"},
        {"id id", "should have ended here"},
        {"id = 1 = 2", "at byte 8, '=': comparisons cannot be chained"},
        {"id = 1 is null", "comparisons cannot be chained"},
        {"id is not", "at the end: NULL must stand here"},
        {"id is 1", "NULL must stand here"},
        {"NULL is null", "a literal is NULL or not"},
        {"CASE END", "at byte 6, 'END': WHEN must stand here"},
        {"CASE id WHEN 1 THEN 2 END", "WHEN must stand here"},
        {"CASE WHEN ok THEN 1", "at the end: END must stand here"},
        {"CASE WHEN ok 1 END", "THEN must stand here"},
        {"CAST(id, varchar)", "AS must stand here"},
        {"CAST(id AS varchar", ") must stand here"},
        {"end", "a column of this name is written in double quotes"},
        {"tz AT TIME 'UTC'", "ZONE must stand here"},
        {"tz AT TIME ZONE name", "a time zone in quotes must stand here"},
        {"doc -> name", "a key in quotes or a place"},
        {"doc -> -1", "a key in quotes or a place"},
        {"doc -> 1.5", "a key in quotes or a place"},
        {"doc -> 2147483648", "a key in quotes or a place"},
        {"1e5", "a number is digits with at most one point"},
        {"1.", "digits must follow the point"},
        {".5", "a number begins with a digit"},
        {"1.2.3", "a number is digits"},
        {"1x", "a number is digits"},
        {"12345678901234567890123456789", "RisingWave keeps 28 digits"},
        {"missing", "at byte 1, 'missing': the table has no such column; it has id, "
                    "price, d, name"},
        {"tags", "RisingWave has no type for this column"},
        {"\"lower\"(name)", "no such column"},
    };

    check(((struct fixture *)*state)->arena, rows, COUNT_OF(rows));
}

static void refuses_types_that_do_not_fit(void **state)
{
    static const struct row rows[] = {
        {"name + 1", "at byte 6: '+' needs numbers, not VARCHAR"},
        {"'1' + 1", "needs numbers, not a text literal"},
        {"id * NULL", "needs numbers, not NULL"},
        {"day - day", "needs numbers, not DATE"},
        {"d % 2", "'%' needs whole or decimal numbers, not DOUBLE"},
        {"-name", "'-' needs a number, not VARCHAR"},
        {"-'1'", "'-' needs a number, not a text literal"},
        {"NOT id", "NOT needs a BOOLEAN, not INTEGER"},
        {"id AND ok", "AND needs a BOOLEAN, not INTEGER"},
        {"ok OR 'true'", "OR needs a BOOLEAN, not a text literal"},
        {"CASE WHEN id THEN 1 END", "WHEN needs a BOOLEAN, not INTEGER"},
        {"CASE WHEN NULL THEN 1 END", "WHEN needs a BOOLEAN, not NULL"},
        {"CASE WHEN ok THEN NULL END", "NULL alone has no type"},
        {"CASE WHEN ok THEN 1 ELSE name END",
         "INTEGER and VARCHAR cannot stand together"},
        {"coalesce(NULL, NULL)", "NULL alone has no type"},
        {"coalesce(id, name)", "INTEGER and VARCHAR cannot stand together"},
        {"id = NULL", "write IS NULL"},
        {"NULL = 'x'", "write IS NULL"},
        {"id = name", "INTEGER and VARCHAR cannot stand together"},
        {"id = 'x'", "the literal 'x' cannot be cast to INTEGER: write a whole number"},
        {"day = '2024-02-30'", "cannot be cast to DATE: write it as 2024-01-31"},
        {"tz = moment", "cannot stand together"},
        {"doc = doc", "values of type JSONB cannot be compared"},
        {"raw = raw", "values of type BYTEA cannot be compared"},
        {"name || NULL", "'||' with NULL"},
        {"name || tz", "depends on the session's time zone"},
        {"name || raw", "use encode(..., 'hex')"},
        {"doc || doc", "merges documents"},
        {"name -> 'a'", "'->' needs JSONB on its left, not VARCHAR"},
        {"'{}' ->> 'a'", "needs JSONB on its left, not a text literal"},
        {"tz::varchar", "depends on the session's time zone: write AT TIME ZONE 'UTC'"},
        {"tz::date", "depends on the session's time zone"},
        {"moment::timestamptz", "depends on the session's time zone"},
        {"name::timestamptz", "depends on the session's time zone"},
        {"'2024-01-01 00:00:00'::timestamptz", "cast it to TIMESTAMP and write AT TIME"},
        {"name::bytea", "use convert_to(..., 'UTF8')"},
        {"'\\x00'::bytea", "write decode('...', 'hex')"},
        {"raw::varchar", "use encode(..., 'hex')"},
        {"big::boolean", "only INT can be cast to it"},
        {"ok::bigint", "it can be cast to INT only"},
        {"day::int", "there is no such cast"},
        {"id::date", "there is no such cast"},
        {"day AT TIME ZONE 'UTC'", "needs a TIMESTAMP or a TIMESTAMPTZ, not DATE"},
        {"'x' AT TIME ZONE 'UTC'", "not a text literal"},
    };

    check(((struct fixture *)*state)->arena, rows, COUNT_OF(rows));
}

static void refuses_literals_that_would_be_null(void **state)
{
    static const struct row rows[] = {
        {"'32768'::smallint", "it is out of range"},
        {"'2147483648'::int", "it is out of range"},
        {"'9223372036854775808'::bigint", "write a whole number in its range"},
        {"' 1'::int", "write a whole number"},
        {"''::int", "write a whole number"},
        {"'1.'::decimal", "digits with at most one point"},
        {"'.1'::decimal", "digits with at most one point"},
        {"'1e5'::double", "digits with at most one point"},
        {"'NaN'::double", "digits with at most one point"},
        {"'yes'::boolean", "write true or false"},
        {"'2024-13-01'::date", "write it as 2024-01-31"},
        {"'2024-00-01'::date", "write it as 2024-01-31"},
        {"'2023-02-29'::date", "write it as 2024-01-31"},
        {"'1900-02-29'::date", "write it as 2024-01-31"},
        {"'2024-04-31'::date", "write it as 2024-01-31"},
        {"'0000-01-01'::date", "write it as 2024-01-31"},
        {"'24-01-01'::date", "write it as 2024-01-31"},
        {"'2024-01-01 '::date", "write it as 2024-01-31"},
        {"'24:00:00'::time", "write it as 23:59:59.5"},
        {"'23:60:00'::time", "write it as 23:59:59.5"},
        {"'23:59:60'::time", "write it as 23:59:59.5"},
        {"'23:59'::time", "write it as 23:59:59.5"},
        {"'23:59:59.'::time", "write it as 23:59:59.5"},
        {"'23:59:59.1234567'::time", "write it as 23:59:59.5"},
        {"'2024-01-31'::timestamp", "write it as 2024-01-31 23:59:59.5"},
        {"'2024-01-31T10:00:00'::timestamp", "write it as 2024-01-31 23:59:59.5"},
        {"'{'::jsonb", "it is not a JSON document"},
        {"tz AT TIME ZONE 'Mars/Olympus'", "is no time zone RisingWave knows"},
        {"tz AT TIME ZONE '+02:00'", "is no time zone RisingWave knows"},
        {"tz AT TIME ZONE 'Europe/'", "is no time zone RisingWave knows"},
        {"tz AT TIME ZONE 'Europe/x''y'", "is no time zone RisingWave knows"},
        {"tz AT TIME ZONE ''", "is no time zone RisingWave knows"},
    };

    check(((struct fixture *)*state)->arena, rows, COUNT_OF(rows));
}

static void refuses_arguments_that_do_not_fit(void **state)
{
    static const struct row rows[] = {
        {"lower()", "lower() takes 1 argument, not 0"},
        {"lower(name, name)", "lower() takes 1 argument, not 2"},
        {"left(name)", "left() takes 2 arguments, not 1"},
        {"round()", "round() takes 1 argument or more, not 0"},
        {"round(price, 1, 2)", "round() takes 1 argument or more, not 3"},
        {"concat()", "concat() takes 1 argument or more, not 0"},
        {"concat_ws('-')", "concat_ws() takes 2 arguments or more, not 1"},
        {"greatest(id)", "greatest() takes 2 arguments or more, not 1"},
        {"lower(id)", "argument 1 of lower() needs a VARCHAR, not INTEGER"},
        {"lower(NULL)", "needs a value that has a type, not NULL"},
        {"left(name, '1')", "argument 2 of left() needs an INTEGER, not a text literal"},
        {"left(name, big)", "argument 2 of left() needs an INTEGER, not BIGINT"},
        {"length(id)", "argument 1 of length() needs a VARCHAR or BYTEA, not INTEGER"},
        {"sha256(name)", "argument 1 of sha256() needs a BYTEA, not VARCHAR"},
        {"concat(name, tz)", "needs what prints the same everywhere"},
        {"concat(raw)", "needs what prints the same everywhere"},
        {"abs(name)", "argument 1 of abs() needs a number, not VARCHAR"},
        {"mod(d, 2)", "argument 1 of mod() needs a whole or decimal number, not DOUBLE"},
        {"greatest(doc, doc)", "needs a type that can be compared, not JSONB"},
        {"nullif(id, NULL)", "needs a value that has a type"},
        {"nullif(id, name)", "cannot stand together"},
        {"round(d, 2)", "round() to a number of digits needs a DECIMAL, not DOUBLE"},
        {"round(id, 2.5)", "argument 2 of round() needs an INTEGER"},
        {"date_trunc('day', tz)", "needs a TIMESTAMP or DATE, not TIMESTAMPTZ"},
        {"date_trunc('fortnight', day)",
         "argument 1 of date_trunc() must be a literal out of 'second', 'minute'"},
        {"date_trunc('days', day)", "must be a literal out of"},
        {"date_trunc(name, day)", "must be a literal out of"},
        {"date_part('julian', day)", "must be a literal out of 'year'"},
        {"to_char(day, 'YYYY%')", "must be a literal made of 'YYYY'"},
        {"to_char(day, '')", "must be a literal made of"},
        {"to_char(day, name)", "must be a literal made of"},
        {"encode(raw, 'escape')", "must be a literal out of 'hex', 'base64'"},
        {"convert_to(name, 'LATIN1')", "must be a literal out of 'UTF8'"},
    };

    check(((struct fixture *)*state)->arena, rows, COUNT_OF(rows));
}

static const char *repeated(struct arena *arena, const char *before, const char *part,
                            size_t count, const char *after)
{
    AUTO(buf_deinit) struct buf text = {0};

    buf_init(&text, 1 << 20);
    buf_addz(&text, before);
    for (size_t i = 0; i < count; i++) {
        buf_addz(&text, part);
    }
    buf_addz(&text, after);
    return buf_take(&text, arena);
}

static void holds_its_limits(void **state)
{
    struct arena *arena = ((struct fixture *)*state)->arena;
    struct fault fault = FAULT_INIT;
    static const struct {
        const char *before, *part, *after;
    } deep[] = {{"", "(", "id"},        {"", "-", " id"},
                {"", "- ", "id"},       {"", "NOT ", "ok"},
                {"", "lower(", "name"}, {"id", " + id", ""},
                {"ok", " AND ok", ""},  {"id", "::bigint::int", ""},
                {"doc", "->'a'", ""},   {"", "CASE WHEN ok THEN ", "1"}};

    ASSERT_OK(parse(arena, repeated(arena, "'", "x", EXPR_BYTES_MAX - 2, "'"), &fault),
              &fault);
    assert_false(
        parse(arena, repeated(arena, "'", "x", EXPR_BYTES_MAX - 1, "'"), &fault));
    ASSERT_CONTAINS(fault.text, "longer than 1024 bytes");
    for (size_t i = 0; i < COUNT_OF(deep); i++) {
        const char *text =
            repeated(arena, deep[i].before, deep[i].part, 70, deep[i].after);
        assert_false(parse(arena, text, &fault));
        assert_string_equal(fault.reason, "InvalidOverride");
    }
    ASSERT_OK(
        parse(arena, repeated(arena, "id", " + id", EXPR_DEPTH_MAX - 1, ""), &fault),
        &fault);
    assert_false(
        parse(arena, repeated(arena, "id", " + id", EXPR_DEPTH_MAX, ""), &fault));
    ASSERT_CONTAINS(fault.text, "more than 32 levels deep");
    assert_false(parse(arena, repeated(arena, "", "(", 65, "id"), &fault));
    ASSERT_CONTAINS(fault.text, "nested too deep");
    assert_false(parse(arena, "'\xff'", &fault));
    ASSERT_CONTAINS(fault.text, "not valid UTF-8");
}

static void leaves_the_result_alone(void **state)
{
    struct arena *arena = ((struct fixture *)*state)->arena;
    struct fault fault = FAULT_INIT;
    const struct expr *expr = NULL;

    assert_false(expr_parse("1 +", NULL, 0, arena, &expr, &fault));
    assert_null(expr);
    ASSERT_OK(expr_parse("1 + 1", NULL, 0, arena, &expr, &fault), &fault);
    assert_non_null(expr);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(refuses_what_would_reach_further),
        TEST(refuses_what_is_no_expression),
        TEST(refuses_types_that_do_not_fit),
        TEST(refuses_literals_that_would_be_null),
        TEST(refuses_arguments_that_do_not_fit),
        TEST(holds_its_limits),
        TEST(leaves_the_result_alone),
    };

    return cmocka_run_group_tests_name("expr_refusals", tests, NULL, NULL);
}

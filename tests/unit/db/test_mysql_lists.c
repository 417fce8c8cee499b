#include "db/mysql_rows.h"
#include "unit.h"

static void databases_without_mysqls_own(void **state)
{
    struct rows rows = RECORDED(*state, 1, "SCHEMA_NAME", "shop", "information_schema",
                                "Zoo", "mysql", "PERFORMANCE_SCHEMA", "sys", "sysops");
    struct strlist names = {0};

    mysql_rows_databases(&rows, *state, &names);
    assert_int_equal(names.n, 3);
    assert_string_equal(names.v[0], "Zoo");
    assert_string_equal(names.v[1], "shop");
    assert_string_equal(names.v[2], "sysops");
}

static void tables_with_their_keys(void **state)
{
    struct rows tables = RECORDED(
        *state, 4, "TABLE_SCHEMA", "TABLE_NAME", "TABLE_TYPE", "TABLE_ROWS",       /**/
        "shop", "orders", "BASE TABLE", "12", "shop", "Orders", "BASE TABLE", "7", /**/
        "shop", "v", "VIEW", NULL, "shop", "lines", "BASE TABLE", "0");
    /* Any order; the collation of a server that ignores case sorts otherwise. */
    struct rows keys =
        RECORDED(*state, 3, "TABLE_NAME", "SEQ_IN_INDEX", "COLUMN_NAME", /**/
                 "orders", "2", "line", "lines", "10", "j", "orders", "1", "id", "lines",
                 "9", "i", "gone", "1", "x", "Orders", "1", NULL);
    struct mysql_tables list = {0};

    mysql_rows_list_keys(&tables, &keys, *state, &list);
    assert_int_equal(list.tables.n, 4);
    const struct mysql_table *t = list.tables.v;
    assert_string_equal(t[0].name, "Orders");
    assert_int_equal(t[0].primary_key.n, 0);
    assert_int_equal(t[0].row_estimate, 7);
    assert_string_equal(t[1].name, "lines");
    assert_int_equal(t[1].primary_key.n, 2);
    assert_string_equal(t[1].primary_key.v[0], "i");
    assert_string_equal(t[1].primary_key.v[1], "j");
    assert_string_equal(t[2].name, "orders");
    assert_string_equal(t[2].primary_key.v[0], "id");
    assert_string_equal(t[2].primary_key.v[1], "line");
    assert_string_equal(t[3].type, "VIEW");
    assert_int_equal(t[3].row_estimate, -1);
}

static void no_tables_no_keys(void **state)
{
    struct rows none = {0};
    struct mysql_tables list = {0};

    mysql_rows_list_keys(&none, &none, *state, &list);
    assert_int_equal(list.tables.n, 0);
}

/* As many as a server of many tables has: sorted and indexed, it takes no time. */
static void many_tables(void **state)
{
    struct rows tables;
    struct rows keys;
    struct fault f = FAULT_INIT;
    struct mysql_tables list = {0};
    const size_t count = 50000;

    rows_init(&tables, *state);
    rows_init(&keys, *state);
    assert_ok(rows_add_column(&tables, SV("TABLE_NAME"), &f), f);
    assert_ok(rows_add_column(&keys, SV("TABLE_NAME"), &f), f);
    assert_ok(rows_add_column(&keys, SV("COLUMN_NAME"), &f), f);
    for (size_t i = 0; i < count; i++) {
        struct sv name = sv_from(arena_printf(*state, "t%zu", count - i));
        assert_ok(rows_add(&tables, name, &f), f);
        assert_ok(rows_add(&keys, name, &f), f);
        assert_ok(rows_add(&keys, SV("id"), &f), f);
    }
    mysql_rows_list_keys(&tables, &keys, *state, &list);
    assert_int_equal(list.tables.n, count);
    for (VEC_EACH(struct mysql_table, table, &list.tables)) {
        assert_int_equal(table->primary_key.n, 1);
    }
}

static void troublesome_columns(void **state)
{
    struct rows rows = RECORDED(*state, 3, "TABLE_NAME", "COLUMN_NAME", "DATA_TYPE", "t",
                                "u", "uuid", "t 2", "ip", "inet6");
    struct strlist columns = {0};

    mysql_rows_column_names(&rows, *state, &columns);
    assert_int_equal(columns.n, 2);
    assert_string_equal(columns.v[0], "t.u (uuid)");
    assert_string_equal(columns.v[1], "t 2.ip (inet6)");
}

static void a_position_is_lost_with_its_file(void **state)
{
    static const struct {
        const char *file;
        int64_t pos;
        bool lost;
    } rows[] = {{"bin.000003", 4, false},  {"bin.000003", 120, false},
                {"bin.000003", -1, false}, {"bin.000004", 900, false},
                {"bin.000002", 120, true}, /* purged */
                {"bin.000003", 121, true}, /* another file of that name */
                {"bin.0000031", 4, true},  {"BIN.000003", 4, true}};
    struct rows logs = RECORDED(*state, 2, "Log_name", "File_size", "bin.000003", "120",
                                "bin.000004", "900");
    struct rows none = {0};
    struct binlog_answer answer = {0};

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct binlog_position at = {.file = rows[i].file, .pos = rows[i].pos};

        mysql_rows_binlogs(&logs, &at, *state, &answer);
        assert_int_equal(answer.lost, rows[i].lost);
        assert_string_equal(answer.oldest, "bin.000003");
        mysql_rows_binlogs(&none, &at, *state,
                           &answer); /* who says nothing is believed */
        assert_false(answer.lost);
        assert_null(answer.oldest);
    }
}

int main(void)
{
#define ROWS_TEST(f) cmocka_unit_test_setup_teardown(f, arena_setup, arena_teardown)
    const struct CMUnitTest tests[] = {
        ROWS_TEST(databases_without_mysqls_own),
        ROWS_TEST(tables_with_their_keys),
        ROWS_TEST(no_tables_no_keys),
        ROWS_TEST(many_tables),
        ROWS_TEST(troublesome_columns),
        ROWS_TEST(a_position_is_lost_with_its_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

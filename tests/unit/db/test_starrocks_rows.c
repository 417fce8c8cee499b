#include "db/starrocks_rows.h"
#include "unit.h"

#define MARK "tablesync:v1 uid=7b6c hash=0a1b2c3d4e5f"

static void backends_that_live(void **state)
{
    struct rows rows =
        RECORDED(*state, 3, "BackendId", "Alive", "SystemDecommissioned", "10001", "true",
                 "false", "10002", "false", "false", "10003", "true", "false");
    struct rows none = RECORDED(*state, 2, "BackendId", "Alive");

    assert_int_equal(starrocks_rows_alive(&rows), 2);
    assert_int_equal(starrocks_rows_alive(&none), 0);
}

static void databases_compare_with_case(void **state)
{
    struct rows rows = RECORDED(*state, 1, "Database", "information_schema", "ods", NULL);

    assert_true(starrocks_rows_database(&rows, "ods"));
    assert_false(starrocks_rows_database(&rows, "ODS"));
    assert_false(starrocks_rows_database(&rows, "od"));
}

static struct sr_catalog two_tables(struct arena *arena)
{
    struct sr_catalog catalog = {0};
    struct rows rows =
        RECORDED(arena, 4, "TABLE_NAME", "TABLE_TYPE", "ENGINE", "TABLE_COMMENT", /**/
                 "orders", "BASE TABLE", "StarRocks", MARK,                       /**/
                 "looks", "VIEW", "MEMORY", "", /**/ NULL, "BASE TABLE", "x", "y");

    starrocks_rows_tables(&rows, arena, &catalog);
    return catalog;
}

static void tables_and_views(void **state)
{
    struct sr_catalog catalog = two_tables(*state);

    assert_int_equal(catalog.tables.n, 2);
    assert_string_equal(catalog.tables.v[0].name, "orders");
    assert_false(catalog.tables.v[0].is_view);
    assert_string_equal(catalog.tables.v[0].comment, MARK);
    assert_null(catalog.tables.v[0].model);
    assert_true(catalog.tables.v[1].is_view);
}

static void columns_go_to_their_tables(void **state)
{
    struct sr_catalog catalog = two_tables(*state);
    struct rows rows = RECORDED(
        *state, 8, "TABLE_NAME", "COLUMN_NAME", "ORDINAL_POSITION", "COLUMN_TYPE",
        "IS_NULLABLE", "COLUMN_KEY", "COLUMN_DEFAULT", "COLUMN_COMMENT",  /**/
        "looks", "x", "1", "int(11)", "YES", "", NULL, "",                /**/
        "orders", "id", "1", "bigint(20)", "NO", "PRI", NULL, "key",      /**/
        "orders", "amount", "2", "decimal(10, 2)", "YES", "", "1.50", "", /**/
        "unheard_of", "a", "1", "int(11)", "YES", "", NULL, "");

    starrocks_rows_columns(&rows, *state, &catalog);
    assert_int_equal(catalog.tables.v[1].columns.n, 1);
    assert_int_equal(catalog.tables.v[0].columns.n, 2);
    const struct sr_column *c = catalog.tables.v[0].columns.v;
    assert_string_equal(c[0].name, "id");
    assert_string_equal(c[0].type, "bigint(20)");
    assert_string_equal(c[0].comment, "key");
    assert_true(c[0].key);
    assert_false(c[0].nullable);
    assert_false(c[1].key);
    assert_true(c[1].nullable);
    assert_string_equal(c[1].type, "decimal(10, 2)");
    assert_null(c[0].default_value);
    assert_string_equal(c[1].default_value, "1.50");
}

static void models_and_keys(void **state)
{
    struct sr_catalog catalog = two_tables(*state);
    struct rows rows =
        RECORDED(*state, 3, "TABLE_NAME", "TABLE_MODEL", "PRIMARY_KEY", "orders",
                 "PRIMARY_KEYS", "`id`, `li ne`", "other", "DUP_KEYS", "");

    starrocks_rows_config(&rows, *state, &catalog);
    assert_string_equal(catalog.tables.v[0].model, "PRIMARY_KEYS");
    assert_int_equal(catalog.tables.v[0].primary_key.n, 2);
    assert_string_equal(catalog.tables.v[0].primary_key.v[1], "li ne");
    assert_null(catalog.tables.v[1].model);
}

static void key_texts(void **state)
{
    const struct {
        const char *text;
        size_t count;
        const char *last;
    } cases[] = {{"`a`", 1, "a"},        {"`a`, `b`", 2, "b"}, {"`a, b`,`c`", 2, "c"},
                 {"", 0, NULL},          {NULL, 0, NULL},      {"`open", 0, NULL},
                 {"`a`, `open", 1, "a"}, {"plain", 0, NULL}};

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct strlist names = {0};
        starrocks_rows_key(cases[i].text, *state, &names);
        assert_int_equal(names.n, cases[i].count);
        if (names.n > 0) {
            assert_string_equal(names.v[names.n - 1], cases[i].last);
        }
    }
}

/* verified 29: without backends the FE answers this alone, in its own type texts. */
static void shown_columns(void **state)
{
    struct sr_table table = {.name = "orders"};
    struct rows rows =
        RECORDED(*state, 9, "Field", "Type", "Collation", "Null", "Key", "Default",
                 "Extra", "Privileges", "Comment", /**/
                 "id", "bigint", "", "NO", "YES", NULL, "", "", "", "amount",
                 "decimal(10,2)", "", "YES", "NO", "1.5", "", "", "money");

    starrocks_rows_show(&rows, *state, &table);
    assert_int_equal(table.columns.n, 2);
    assert_int_equal(table.primary_key.n, 1);
    assert_string_equal(table.primary_key.v[0], "id");
    assert_true(table.columns.v[0].key);
    assert_string_equal(table.columns.v[1].type, "decimal(10,2)");
    assert_string_equal(table.columns.v[1].comment, "money");
    assert_true(table.columns.v[1].nullable);
    assert_null(table.columns.v[0].default_value);
    assert_string_equal(table.columns.v[1].default_value, "1.5");
    assert_null(table.model);
}

struct alter_case {
    const char *first[3], *second[3]; /* JobId, State, Msg of two jobs of one table */
    bool altering;
    const char *failed;
};

static void schema_changes(void **state)
{
    static const struct alter_case cases[] = {
        {{"10", "FINISHED", ""}, {"11", "RUNNING", ""}, true, NULL},
        {{"10", "PENDING", ""}, {"9", "FINISHED", ""}, true, NULL},
        {{"10", "WAITING_TXN", ""}, {"9", "CANCELLED", "no"}, true, NULL},
        {{"10", "FINISHED_REWRITING", ""}, {"9", "FINISHED", ""}, true, NULL},
        /* One job has a row for each of its indexes. */
        {{"10", "FINISHED", ""}, {"10", "RUNNING", ""}, true, NULL},
        {{"10", "FINISHED", ""}, {"9", "CANCELLED", "old"}, false, NULL},
        /* By number, not by text or place: 9 < 10. */
        {{"10", "CANCELLED", "timeout"}, {"9", "FINISHED", ""}, false, "timeout"},
        {{"9", "FINISHED", ""}, {"10", "CANCELLED", "timeout"}, false, "timeout"},
        {{"9", "CANCELLED", ""},
         {"8", "CANCELLED", "x"},
         false,
         "cancelled, no reason given"},
        {{"9", "CANCELLED", "password is hunter22"},
         {"8", "FINISHED", ""},
         false,
         "password is ***"},
        {{"9", "FINISHED", ""}, {"10", "FINISHED", NULL}, false, NULL}};
    AUTO(secret_freep) struct secret *password = secret_new(SV("hunter22"));
    const struct dbconn conn = {.host = "sr", .port = 9030};
    struct peer *peer = peer_new(
        &(struct db_endpoint){.conn = &conn, .user = "ctl", .password = password},
        DB_STARROCKS);

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct alter_case *c = &cases[i];
        struct sr_catalog catalog = two_tables(*state);
        /* Headings in another order than in the manual, as a later version may have it.
         */
        struct rows rows =
            RECORDED(*state, 5, "TableName", "State", "Msg", "Progress", "JobId", /**/
                     "orders", c->first[1], c->first[2], NULL, c->first[0],       /**/
                     "orders", c->second[1], c->second[2], "50%", c->second[0],   /**/
                     "unheard_of", "RUNNING", "", NULL, "99");

        starrocks_rows_alters(&rows, peer, *state, &catalog);
        const struct sr_table *t = &catalog.tables.v[0];
        assert_int_equal(t->altering, c->altering);
        if (c->failed == NULL) {
            assert_null(t->alter_failed);
        } else {
            assert_string_equal(t->alter_failed, c->failed);
        }
        assert_false(catalog.tables.v[1].altering);
        assert_null(catalog.tables.v[1].alter_failed);
    }
    peer_free(peer);
}

static void grants_and_the_role_root(void **state)
{
    static const char *const all =
        "GRANT DELETE, DROP, INSERT, SELECT, ALTER, EXPORT, UPDATE, REFRESH ON ALL "
        "TABLES IN ALL DATABASES TO USER 'mid'@'%'";
    const struct {
        const char *line;
        bool root;
    } cases[] = {
        {"GRANT 'root' TO 'root'@'%'", true},
        {"GRANT 'r_sync', 'root' TO 'u2'@'%'", true},
        {"GRANT 'r_sync' TO 'u2'@'%'", false},
        {"GRANT 'r_sync' TO 'root TO 'root''@'%'", false},
        {"GRANT 'rooted' TO 'root'@'%'", false},
        {"GRANT SELECT ON TABLE d.root TO USER 'root'@'%'", false},
        {"GRANT", false},
        {"", false},
    };
    struct strlist lines = {0};
    bool root = true;

    struct rows two = RECORDED(*state, 3, "UserIdentity", "Catalog", "Grants", /**/
                               "'mid'@'%'", "default_catalog", all,            /**/
                               "'mid'@'%'", "default_catalog", NULL);
    starrocks_rows_grants(&two, *state, &lines, &root);
    assert_int_equal(lines.n, 1);
    assert_string_equal(lines.v[0], all);
    assert_false(root);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct rows one = RECORDED(*state, 3, "UserIdentity", "Catalog", "Grants", "'u'",
                                   NULL, cases[i].line);
        starrocks_rows_grants(&one, *state, &lines, &root);
        if (root != cases[i].root) {
            fail_msg("%s", cases[i].line);
        }
    }
}

static void active_roles(void **state)
{
    struct rows none = RECORDED(*state, 1, "CURRENT_ROLE()", "NONE");
    struct rows other = RECORDED(*state, 1, "CURRENT_ROLE()", "r_root, roots");
    struct rows root = RECORDED(*state, 1, "CURRENT_ROLE()", "r_sync, root");
    struct rows silent = {0};

    assert_false(starrocks_rows_root(&none));
    assert_false(starrocks_rows_root(&other));
    assert_true(starrocks_rows_root(&root));
    assert_false(starrocks_rows_root(&silent));
}

int main(void)
{
#define ROWS_TEST(f) cmocka_unit_test_setup_teardown(f, arena_setup, arena_teardown)
    const struct CMUnitTest tests[] = {
        ROWS_TEST(backends_that_live),
        ROWS_TEST(databases_compare_with_case),
        ROWS_TEST(tables_and_views),
        ROWS_TEST(columns_go_to_their_tables),
        ROWS_TEST(models_and_keys),
        ROWS_TEST(key_texts),
        ROWS_TEST(shown_columns),
        ROWS_TEST(schema_changes),
        ROWS_TEST(grants_and_the_role_root),
        ROWS_TEST(active_roles),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

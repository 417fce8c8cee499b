#include "unit.h"

#include <string.h>

static bool read_text(const char *text, struct fixture *f,
                      struct mysql_server *out_server, struct mysql_table *out_table,
                      struct fault *fault)
{
    AUTO(json_freep) struct json *root = NULL;

    ASSERT_OK(json_parse(sv_from(text), 1 << 20, &root, fault), fault);
    return mysql_schema_read(root, f->arena, out_server, out_table, fault);
}

static void fills_in_what_is_left_out(void **state)
{
    struct fixture *f = *state;
    struct mysql_server server;
    struct mysql_table table;
    struct fault fault = FAULT_INIT;

    ASSERT_OK(
        read_text(
            "{\"table\": {\"database\": \"shop\", \"name\": \"t\", \"columns\": ["
            "{\"name\": \"id\", \"columnType\": \"bigint(20) unsigned\","
            " \"key\": \"PRI\", \"nullable\": false},"
            "{\"name\": \"v\", \"columnType\": \"varchar(5)\", \"charset\": null}]}}",
            f, &server, &table, &fault),
        &fault);
    assert_true(server.log_bin);
    assert_int_equal(server.flavor, MYSQL_ORACLE);
    assert_null(server.server_uuid);
    assert_int_equal(server.binlog_expire_seconds, -1);
    assert_string_equal(table.type, "BASE TABLE");
    assert_int_equal(table.row_estimate, -1);
    assert_int_equal(table.columns.n, 2);
    assert_string_equal(table.columns.v[0].data_type, "bigint");
    assert_int_equal(table.columns.v[0].ordinal, 1);
    assert_false(table.columns.v[0].nullable);
    assert_int_equal(table.columns.v[1].ordinal, 2);
    assert_true(table.columns.v[1].nullable);
    assert_null(table.columns.v[1].charset);
    assert_null(table.columns.v[1].default_value);
    assert_int_equal(table.columns.v[1].char_max_length, -1);
    assert_int_equal(table.primary_key.n, 1);
    assert_string_equal(table.primary_key.v[0], "id");
}

static void writes_what_it_reads(void **state)
{
    struct fixture *f = *state;
    AUTO(json_freep) struct json *first = json_new_object();
    AUTO(json_freep) struct json *second = json_new_object();
    struct mysql_server server;
    struct mysql_table table;
    struct fault fault = FAULT_INIT;

    fixture_column(f, "id", "bigint unsigned", "PRI")->key_max = INT64_MAX;
    struct mysql_column *column = fixture_column(f, "v", "varchar(5)", "");
    column->default_value = "";
    column->comment = "a \"comment\"";
    column->generation_expression = "x";
    f->table.auto_increment = -1;
    f->server.flavor = MYSQL_MARIADB;
    f->server.server_id = UINT32_MAX;
    VEC_PUSH(f->arena, &f->server.grants, "GRANT USAGE ON *.* TO `a`@`b`");
    mysql_schema_write(&f->server, &f->table, first);
    ASSERT_OK(mysql_schema_read(first, f->arena, &server, &table, &fault), &fault);
    mysql_schema_write(&server, &table, second);
    assert_true(json_equal(first, second));
    assert_true(table.columns.v[0].key_max == INT64_MAX); /* over 2^53: not rounded */
    assert_int_equal(table.auto_increment, -1);
    assert_int_equal(server.flavor, MYSQL_MARIADB);
    assert_int_equal(server.server_id, UINT32_MAX);
    assert_string_equal(table.columns.v[1].default_value, "");
    assert_string_equal(server.grants.v[0], "GRANT USAGE ON *.* TO `a`@`b`");
}

static void names_the_path_of_what_is_wrong(void **state)
{
    struct fixture *f = *state;
    static const char *const cases[][2] = {
        {"{}", "\"table\""},
        {"[]", "\"table\""},
        {"{\"table\": {\"name\": \"t\", \"columns\": []}}", "table.database is missing"},
        {"{\"table\": {\"database\": \"d\", \"columns\": []}}", "table.name is missing"},
        {"{\"table\": {\"database\": 5, \"name\": \"t\", \"columns\": []}}",
         "table.database must be a string"},
        {"{\"table\": {\"database\": \"d\", \"name\": \"t\"}}",
         "table.columns must be a list"},
        {"{\"table\": {\"database\": \"d\", \"name\": \"t\", \"columns\": [{}]}}",
         "table.columns[0].name is missing"},
        {"{\"table\": {\"database\": \"d\", \"name\": \"t\", \"columns\": [{\"name\": "
         "\"a\"}]}}",
         "table.columns[0].columnType is missing"},
        {"{\"table\": {\"database\": \"d\", \"name\": \"t\", \"columns\": [{\"name\": "
         "\"a\", "
         "\"columnType\": \"int\"}, {\"name\": \"b\", \"columnType\": \"int\", "
         "\"nullable\": \"yes\"}]}}",
         "table.columns[1].nullable must be true or false"},
        {"{\"table\": {\"database\": \"d\", \"name\": \"t\", \"columns\": [], "
         "\"primaryKey\": [1]}}",
         "table.primaryKey must be a list of strings"},
        {"{\"server\": {\"serverId\": -1}, \"table\": {\"database\": \"d\", \"name\": "
         "\"t\", "
         "\"columns\": []}}",
         "server.serverId must be a number from 0 on"},
        {"{\"server\": {\"flavor\": \"Percona\"}, \"table\": {\"database\": \"d\", "
         "\"name\": "
         "\"t\", \"columns\": []}}",
         "server.flavor must be MySQL or MariaDB"},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct mysql_server server;
        struct mysql_table table;
        struct fault fault = FAULT_INIT;
        ASSERT_REFUSED(read_text(cases[i][0], f, &server, &table, &fault), &fault,
                       "InvalidSchema");
        ASSERT_CONTAINS(fault.text, cases[i][1]);
    }
}

static void guesses_mariadb_from_the_version(void **state)
{
    struct fixture *f = *state;
    struct mysql_server server;
    struct mysql_table table;
    struct fault fault = FAULT_INIT;

    ASSERT_OK(read_text("{\"server\": {\"version\": \"10.11.6-MariaDB-1\"}, \"table\": "
                        "{\"database\": \"d\", \"name\": \"t\", \"columns\": []}}",
                        f, &server, &table, &fault),
              &fault);
    assert_int_equal(server.flavor, MYSQL_MARIADB);
}

static void hashes_what_matters(void **state)
{
    struct fixture *f = *state;
    fixture_column(f, "id", "int(11)", "PRI");
    fixture_column(f, "v", "varchar(5)", "");
    const char *before = mysql_table_hash(&f->table, f->arena);
    struct mysql_column *v = &f->table.columns.v[1];

    assert_int_equal(strlen(before), strlen("sha256:") + 64);
    /* What replication does not see. */
    f->table.row_estimate = 5;
    f->table.auto_increment = 9;
    f->table.comment = "x";
    v->comment = "x";
    v->default_value = "x";
    f->table.columns.v[0].column_type = "int"; /* as MySQL 8.0.19 prints it */
    assert_string_equal(mysql_table_hash(&f->table, f->arena), before);
    /* What it does. */
    f->table.columns.v[0].column_type = "int unsigned";
    assert_string_not_equal(mysql_table_hash(&f->table, f->arena), before);
    f->table.columns.v[0].column_type = "int";
    v->column_type = "varchar(6)";
    assert_string_not_equal(mysql_table_hash(&f->table, f->arena), before);
    v->column_type = "varchar(5)";
    v->charset = "latin1";
    assert_string_not_equal(mysql_table_hash(&f->table, f->arena), before);
    v->charset = "utf8mb4";
    v->extra = "virtual generated";
    assert_string_not_equal(mysql_table_hash(&f->table, f->arena), before);
    v->extra = "";
    VEC_PUSH(f->arena, &f->table.primary_key, "v");
    assert_string_not_equal(mysql_table_hash(&f->table, f->arena), before);
    f->table.primary_key.n--;
    assert_string_equal(mysql_table_hash(&f->table, f->arena), before);
}

static void finds_columns_without_case(void **state)
{
    struct fixture *f = *state;

    fixture_column(f, "Id", "int", "PRI");
    assert_ptr_equal(mysql_table_find(&f->table, "iD"), &f->table.columns.v[0]);
    assert_null(mysql_table_find(&f->table, "idx"));
}

static void demands_a_row_based_binlog(void **state)
{
    struct fixture *f = *state;
    struct fault fault = FAULT_INIT;

    ASSERT_OK(mysql_server_check(&f->server, "shop", &fault), &fault);
    f->server.binlog_row_image = "";
    f->server.binlog_format = "row";
    ASSERT_OK(mysql_server_check(&f->server, "shop", &fault), &fault);
    f->server.binlog_row_image = "MINIMAL";
    ASSERT_REFUSED(mysql_server_check(&f->server, "shop", &fault), &fault,
                   "RowImageNotFull");
    ASSERT_CONTAINS(fault.text, "SET GLOBAL binlog_row_image = 'FULL'");
    f->server.binlog_format = "MIXED";
    ASSERT_REFUSED(mysql_server_check(&f->server, "shop", &fault), &fault,
                   "BinlogNotRow");
    ASSERT_CONTAINS(fault.text, "binlog_format is MIXED");
    ASSERT_CONTAINS(fault.text, "binlog_row_image is MINIMAL");
    f->server.log_bin = false;
    VEC_PUSH(f->arena, &f->server.grants, "GRANT USAGE ON *.* TO `cdc`@`%`");
    ASSERT_REFUSED(mysql_server_check(&f->server, "shop", &fault), &fault, "BinlogOff");
    ASSERT_CONTAINS(fault.text, "log_bin");
    ASSERT_CONTAINS(fault.text, "GRANT SELECT ON `shop`.* TO 'cdc'@'%'");
    assert_int_equal(fault.class, FAULT_REFUSED);
}

/* Grants joined by newlines; what must be in the fault (NULL: all is well). */
static const char *const grant_cases[][3] = {
    {"GRANT ALL PRIVILEGES ON *.* TO 'root'@'localhost' WITH GRANT OPTION", "shop", NULL},
    {"GRANT SELECT, REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO `cdc`@`%`", "shop",
     NULL},
    {"GRANT SELECT, RELOAD, REPLICATION SLAVE, BINLOG MONITOR ON *.* TO `cdc`@`%`",
     "shop", NULL},
    {"GRANT REPLICATION REPLICA, BINLOG MONITOR ON *.* TO `c`@`%`\n"
     "GRANT SELECT ON `shop`.* TO `c`@`%`",
     "shop", NULL},
    {"GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO 'c'@'%' IDENTIFIED BY "
     "PASSWORD "
     "'<secret>'\nGRANT SELECT ON `shop`.`orders` TO 'c'@'%'",
     "shop", NULL},
    {"GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO 'c'@'%'\n"
     "GRANT ALL PRIVILEGES ON `sh%`.* TO 'c'@'%'",
     "shop", NULL},
    {"GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO 'c'@'%'\n"
     "GRANT SELECT ON `my_db`.* TO 'c'@'%'",
     "myXdb", NULL},
    {"GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO 'c'@'%'\n"
     "GRANT SELECT ON `my\\_db`.* TO 'c'@'%'",
     "my_db", NULL},
    {"GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO 'c'@'%'\n"
     "GRANT SELECT ON `my\\_db`.* TO 'c'@'%'",
     "myXdb", "run GRANT SELECT ON `myXdb`.* TO 'cdc'@'%'"},
    {"GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO 'c'@'%'\n"
     "GRANT SELECT ON `my_db`.`t` TO 'c'@'%'",
     "myXdb", "GRANT SELECT ON `myXdb`.*"},
    {"GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO 'c'@'%'\n"
     "GRANT SELECT (a, b), INSERT ON `shop`.`t` TO 'c'@'%'",
     "shop", "GRANT SELECT ON `shop`.*"},
    {"GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO 'c'@'%'\n"
     "GRANT SELECT ON \"sh\"\"op\".* TO 'c'@'%'",
     "sh\"op", NULL},
    {"GRANT SELECT, REPLICATION SLAVE ADMIN, REPLICATION CLIENT ON *.* TO `c`@`%`",
     "shop", "run GRANT REPLICATION SLAVE ON *.* TO 'cdc'@'%'"},
    {"GRANT SELECT, REPLICATION SLAVE ON *.* TO `c`@`%`", "shop",
     "run GRANT REPLICATION CLIENT ON *.* TO 'cdc'@'%'"},
    {"GRANT ALL PRIVILEGES ON `shop`.* TO `c`@`%`", "shop",
     "run GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO 'cdc'@'%'"},
    {"GRANT SELECT, REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO `c`@`%`\n"
     "REVOKE SELECT ON `shop`.* FROM `c`@`%`",
     "shop", "GRANT SELECT ON `shop`.*"},
    {"GRANT SELECT, REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO `c`@`%`\n"
     "REVOKE SELECT ON `mysql`.* FROM `c`@`%`",
     "shop", NULL},
    {"GRANT USAGE ON *.* TO `c`@`%`\nGRANT `reader ON x`@`%`,`r2`@`%` TO `c`@`%`", "shop",
     "rights that come through a role do not count"},
    {"GRANT SELECT ON PROCEDURE `shop`.`p` TO `c`@`%`", "shop",
     "GRANT SELECT ON `shop`.*"},
    /* A connection asks without a database: SELECT is its TableSyncs' question. */
    {"GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO 'c'@'%'\n"
     "GRANT SELECT ON `shop`.* TO 'c'@'%'",
     "", NULL},
    {"GRANT SELECT ON `shop`.* TO 'c'@'%'", "",
     "run GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO 'cdc'@'%'"},
    {"GRANT PROXY ON ''@'' TO 'root'@'localhost'", "sh`op",
     "run GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO 'cdc'@'%'; "
     "GRANT SELECT ON `sh``op`.* TO 'cdc'@'%'"},
};

static void reads_grants(void **state)
{
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(grant_cases); i++) {
        struct sv lines = sv_from(grant_cases[i][0]);
        struct fault fault = FAULT_INIT;
        f->server.grants.n = 0;
        while (lines.n > 0) {
            VEC_PUSH(f->arena, &f->server.grants,
                     (const char *)arena_copy(f->arena, sv_cut(&lines, '\n')));
        }
        if (grant_cases[i][2] == NULL) {
            ASSERT_OK(mysql_server_check(&f->server, grant_cases[i][1], &fault), &fault);
            continue;
        }
        if (mysql_server_check(&f->server, grant_cases[i][1], &fault)) {
            fail_msg("passes: %s", grant_cases[i][0]);
        }
        assert_string_equal(fault.reason, "MissingGrant");
        assert_int_equal(fault.class, FAULT_DENIED);
        ASSERT_CONTAINS(fault.text, grant_cases[i][2]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(fills_in_what_is_left_out),
        TEST(writes_what_it_reads),
        TEST(names_the_path_of_what_is_wrong),
        TEST(guesses_mariadb_from_the_version),
        TEST(hashes_what_matters),
        TEST(finds_columns_without_case),
        TEST(demands_a_row_based_binlog),
        TEST(reads_grants),
    };

    return cmocka_run_group_tests_name("schema", tests, NULL, NULL);
}

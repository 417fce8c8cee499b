#include "db/mysql_rows.h"
#include "unit.h"

#define VARIABLES(arena, ...) RECORDED(arena, 2, "Variable_name", "Value", __VA_ARGS__)

static void server_of_mysql_84(void **state)
{
    struct mysql_server s = {0};
    struct rows rows = VARIABLES(*state, "version", "8.4.2", "server_uuid",
                                 "1eef6886-e592-11e4-a12f-84a6c8c6729e", "server_id",
                                 "4294967295", "log_bin", "ON", "binlog_format", "ROW",
                                 "binlog_row_image", "full", "binlog_expire_logs_seconds",
                                 "2592000", "binlog_expire_logs_auto_purge", "ON",
                                 "gtid_mode", "ON", "lower_case_table_names", "1");

    mysql_rows_server(&rows, *state, &s);
    assert_string_equal(s.version, "8.4.2");
    assert_int_equal(s.flavor, MYSQL_ORACLE);
    assert_string_equal(s.server_uuid, "1eef6886-e592-11e4-a12f-84a6c8c6729e");
    assert_true(s.server_id == 4294967295U);
    assert_true(s.log_bin);
    assert_true(s.gtid);
    assert_string_equal(s.binlog_format, "ROW");
    assert_string_equal(s.binlog_row_image, "FULL");
    assert_int_equal(s.binlog_expire_seconds, 2592000);
    assert_int_equal(s.lower_case_table_names, 1);
}

static void server_of_mysql_56(void **state)
{
    struct mysql_server s = {0};
    struct rows rows =
        VARIABLES(*state, "binlog_format", "STATEMENT", "binlog_row_image", "MINIMAL",
                  "expire_logs_days", "3", "gtid_mode", "OFF", "log_bin", "OFF",
                  "lower_case_table_names", "0", "server_id", "7", "server_uuid", "u-1",
                  "version", "5.6.24-log");

    mysql_rows_server(&rows, *state, &s);
    assert_int_equal(s.flavor, MYSQL_ORACLE);
    assert_false(s.log_bin);
    assert_false(s.gtid);
    assert_string_equal(s.binlog_format, "STATEMENT");
    assert_string_equal(s.binlog_row_image, "MINIMAL");
    assert_int_equal(s.binlog_expire_seconds, 3 * 86400);
}

static void server_of_mariadb(void **state)
{
    struct mysql_server s = {0};
    struct rows rows =
        VARIABLES(*state, "version", "10.11.6-MariaDB-0+deb12u1-log", "log_bin", "ON",
                  "gtid_domain_id", "0", "binlog_format", "MIXED", "expire_logs_days",
                  "0.000000", "server_id", "1");

    mysql_rows_server(&rows, *state, &s);
    assert_int_equal(s.flavor, MYSQL_MARIADB);
    assert_null(s.server_uuid);
    assert_true(s.gtid);
    assert_null(s.binlog_row_image);
    assert_int_equal(s.binlog_expire_seconds, -1); /* not a number this knows */
}

static void a_server_that_says_nothing(void **state)
{
    struct mysql_server s = {0};
    struct rows rows = RECORDED(*state, 2, "Variable_name", "Value");

    mysql_rows_server(&rows, *state, &s);
    assert_string_equal(s.version, "");
    assert_null(s.server_uuid);
    assert_null(s.binlog_format);
    assert_int_equal(s.binlog_expire_seconds, -1);
    assert_false(s.log_bin);
}

static void expiry_in_every_dialect(void **state)
{
    const struct {
        const char *seconds, *days, *purge;
        int64_t expected;
    } cases[] = {
        {"3600", "0", "ON", 3600}, {"3600", "9", NULL, 3600}, {"0", "2", NULL, 172800},
        {"0", "0", NULL, 0},       {"0", NULL, NULL, 0},      {NULL, "0", NULL, 0},
        {NULL, NULL, NULL, -1},    {"3600", "0", "OFF", 0},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct mysql_server s = {0};
        struct rows rows = VARIABLES(
            *state, cases[i].seconds != NULL ? "binlog_expire_logs_seconds" : "x",
            cases[i].seconds, cases[i].days != NULL ? "expire_logs_days" : "x",
            cases[i].days, cases[i].purge != NULL ? "binlog_expire_logs_auto_purge" : "x",
            cases[i].purge);
        mysql_rows_server(&rows, *state, &s);
        if (s.binlog_expire_seconds != cases[i].expected) {
            fail_msg("case %zu: %lld", i, (long long)s.binlog_expire_seconds);
        }
    }
}

static void accounts_are_quoted(void **state)
{
    assert_string_equal(mysql_rows_account("cdc@%", *state), "'cdc'@'%'");
    assert_string_equal(mysql_rows_account("a@b@10.0.0.%", *state), "'a@b'@'10.0.0.%'");
    assert_string_equal(mysql_rows_account("o'k\\@%", *state), "'o''k\\\\'@'%'");
    assert_string_equal(mysql_rows_account("role_only", *state), "'role_only'");
    assert_string_equal(mysql_rows_account("", *state), "''");
}

/* SHOW GRANTS of MySQL 5.6 and MariaDB, SHOW CREATE USER of MySQL 8. */
static void what_a_login_must_show_is_read(void **state)
{
    static const struct {
        const char *line, *expected;
    } cases[] = {
        {"GRANT USAGE ON *.* TO 'cdc'@'%' IDENTIFIED BY PASSWORD '*AB' REQUIRE SSL",
         "SSL"},
        {"GRANT USAGE ON *.* TO `cdc`@`%` IDENTIFIED BY PASSWORD '*AB' REQUIRE X509 WITH "
         "GRANT OPTION",
         "X509"},
        {"CREATE USER `cdc`@`%` IDENTIFIED WITH 'caching_sha2_password' AS '$A$ REQUIRE "
         "SSL' REQUIRE NONE PASSWORD EXPIRE DEFAULT",
         NULL},
        {"CREATE USER `cdc`@`%` IDENTIFIED WITH 'x' REQUIRE SUBJECT '/CN=a' ISSUER "
         "'/CN=b'",
         "SUBJECT"},
        {"GRANT SELECT ON ` REQUIRE SSL`.* TO 'cdc'@'%'", NULL},
        {"GRANT SELECT ON *.* TO 'cdc'@'%'", NULL},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct rows rows = RECORDED(*state, 1, "Grants for cdc@%", cases[i].line);
        const char *require = mysql_rows_require(&rows, *state);

        if (cases[i].expected == NULL) {
            assert_null(require);
        } else {
            assert_string_equal(require, cases[i].expected);
        }
    }
}

static void grants_lose_their_credentials(void **state)
{
    struct rows rows = RECORDED(*state, 1, "Grants for cdc@%",
                                "GRANT SELECT ON *.* TO 'cdc'@'%' IDENTIFIED BY PASSWORD "
                                "'*ABCDEF' WITH GRANT OPTION",
                                "GRANT USAGE ON *.* TO `cdc`@`%` IDENTIFIED VIA "
                                "mysql_native_password USING '*AB' OR "
                                "ed25519 USING 'it''s \\'secret'",
                                "GRANT USAGE ON *.* TO 'cdc'@'%' IDENTIFIED WITH "
                                "'mysql_native_password' AS '*AB' "
                                "REQUIRE SSL",
                                "GRANT SELECT ON `a IDENTIFIED b`.* TO 'cdc'@'%'", NULL);
    struct strlist grants = {0};

    mysql_rows_grants(&rows, *state, &grants);
    assert_int_equal(grants.n, 4);
    assert_string_equal(grants.v[0],
                        "GRANT SELECT ON *.* TO 'cdc'@'%' IDENTIFIED BY PASSWORD "
                        "'***' WITH GRANT OPTION");
    assert_string_equal(
        grants.v[1],
        "GRANT USAGE ON *.* TO `cdc`@`%` IDENTIFIED VIA mysql_native_password "
        "USING '***' OR ed25519 USING '***'");
    assert_string_equal(grants.v[2],
                        "GRANT USAGE ON *.* TO 'cdc'@'%' IDENTIFIED WITH '***' AS "
                        "'***' REQUIRE SSL");
    assert_string_equal(grants.v[3], "GRANT SELECT ON `a IDENTIFIED b`.* TO 'cdc'@'%'");
}

static void names_compare_as_the_server_does(void **state)
{
    struct rows rows =
        RECORDED(*state, 1, "TABLE_NAME", "Orders", "orders", "caf\xc3\xa9");

    assert_int_equal(mysql_rows_named(&rows, "table_name", "orders", 0), 1);
    assert_int_equal(mysql_rows_named(&rows, "table_name", "ORDERS", 0), SIZE_MAX);
    assert_int_equal(mysql_rows_named(&rows, "table_name", "orders", 1), 1);
    assert_int_not_equal(mysql_rows_named(&rows, "table_name", "ORDERS", 1), SIZE_MAX);
    assert_int_equal(mysql_rows_named(&rows, "table_name", "cafe", 1), SIZE_MAX);
}

static void numbers_beyond_63_bits(void **state)
{
    (void)state;
    assert_int_equal(mysql_rows_unsigned("9223372036854775807", 0), INT64_MAX);
    assert_int_equal(mysql_rows_unsigned("9223372036854775808", 0), -1);
    assert_int_equal(mysql_rows_unsigned("18446744073709551615", 0), -1);
    assert_int_equal(mysql_rows_unsigned(NULL, 0), 0);
    assert_int_equal(mysql_rows_unsigned("x", 5), 5);
}

/* MySQL 8.0's manual: headings in upper case, no display widths, DEFAULT_GENERATED. */
#define COLUMNS_8                                                                        \
    "TABLE_SCHEMA", "TABLE_NAME", "COLUMN_NAME", "ORDINAL_POSITION", "COLUMN_DEFAULT",   \
        "IS_NULLABLE", "DATA_TYPE", "CHARACTER_MAXIMUM_LENGTH", "NUMERIC_PRECISION",     \
        "NUMERIC_SCALE", "DATETIME_PRECISION", "CHARACTER_SET_NAME", "COLLATION_NAME",   \
        "COLUMN_TYPE", "COLUMN_KEY", "EXTRA", "COLUMN_COMMENT", "GENERATION_EXPRESSION", \
        "SRS_ID"

static struct mysql_table of(const char *database, const char *name)
{
    return (struct mysql_table){.database = database, .name = name};
}

static void columns_of_mysql_84(void **state)
{
    struct mysql_table t = of("shop", "orders");
    struct rows rows =
        RECORDED(*state, 19, COLUMNS_8,
                 /* out of order, and one of another table that only the collation takes
                    for ours */
                 "shop", "orders", "at", "3", "CURRENT_TIMESTAMP(6)", "YES", "timestamp",
                 NULL, NULL, NULL, "6", NULL, NULL, "timestamp(6)", "",
                 "DEFAULT_GENERATED on update CURRENT_TIMESTAMP(6)", "", "", NULL, "shop",
                 "orders", "my_row_id", "1", NULL, "NO", "bigint", NULL, "20", "0", NULL,
                 NULL, NULL, "bigint unsigned", "PRI", "auto_increment INVISIBLE", "", "",
                 NULL, "shop", "Orders", "other", "1", NULL, "NO", "int", NULL, "10", "0",
                 NULL, NULL, NULL, "int", "PRI", "", "", "", NULL, "shop", "orders",
                 "name", "2", "it's", "YES", "varchar", "20", NULL, NULL, NULL, "utf8mb4",
                 "utf8mb4_0900_ai_ci", "varchar(20)", "MUL", "", "a 'comment'", "", NULL,
                 "shop", "orders", "twice", "4", NULL, "YES", "int", NULL, "10", "0",
                 NULL, NULL, NULL, "int", "", "STORED GENERATED", "", "(`id` * 2)", NULL);

    mysql_rows_columns(&rows, MYSQL_ORACLE, *state, &t);
    assert_int_equal(t.columns.n, 4);
    assert_string_equal(t.columns.v[0].name, "my_row_id");
    assert_string_equal(t.columns.v[0].column_type, "bigint unsigned");
    assert_string_equal(t.columns.v[0].extra, "auto_increment invisible");
    assert_string_equal(t.columns.v[0].key, "PRI");
    assert_false(t.columns.v[0].nullable);
    assert_int_equal(t.columns.v[0].numeric_precision, 20);
    assert_int_equal(t.columns.v[0].char_max_length, -1);
    assert_null(t.columns.v[0].generation_expression);
    assert_string_equal(t.columns.v[1].name, "name");
    assert_string_equal(t.columns.v[1].default_value, "it's");
    assert_string_equal(t.columns.v[1].charset, "utf8mb4");
    assert_string_equal(t.columns.v[1].collation, "utf8mb4_0900_ai_ci");
    assert_string_equal(t.columns.v[1].comment, "a 'comment'");
    assert_int_equal(t.columns.v[1].char_max_length, 20);
    assert_string_equal(t.columns.v[2].default_value, "CURRENT_TIMESTAMP(6)");
    assert_string_equal(t.columns.v[2].extra,
                        "default_generated on update current_timestamp(6)");
    assert_int_equal(t.columns.v[2].datetime_precision, 6);
    assert_null(t.columns.v[2].charset);
    assert_string_equal(t.columns.v[3].generation_expression, "(`id` * 2)");
}

static void a_mysql_column_may_default_to_the_word_null(void **state)
{
    struct mysql_table oracle = of("s", "t");
    struct mysql_table maria = of("s", "t");
    struct rows rows = RECORDED(*state, 4, "TABLE_SCHEMA", "TABLE_NAME", "COLUMN_NAME",
                                "COLUMN_DEFAULT", "s", "t", "c", "NULL");

    mysql_rows_columns(&rows, MYSQL_ORACLE, *state, &oracle);
    mysql_rows_columns(&rows, MYSQL_MARIADB, *state, &maria);
    assert_string_equal(oracle.columns.v[0].default_value, "NULL");
    assert_null(maria.columns.v[0].default_value);
}

static void columns_of_mysql_56_have_no_expression(void **state)
{
    struct mysql_table t = of("s", "t");
    struct rows rows = RECORDED(*state, 5, "TABLE_SCHEMA", "TABLE_NAME", "COLUMN_NAME",
                                "DATA_TYPE", "EXTRA", "s", "t", "c", "BIGINT", "");

    mysql_rows_columns(&rows, MYSQL_ORACLE, *state, &t);
    assert_null(t.columns.v[0].generation_expression);
    assert_string_equal(t.columns.v[0].data_type, "bigint");
}

static void the_key_is_in_key_order(void **state)
{
    struct mysql_table t = of("s", "t");
    struct rows rows = RECORDED(*state, 5, "TABLE_SCHEMA", "TABLE_NAME", "INDEX_NAME",
                                "SEQ_IN_INDEX", "COLUMN_NAME", /**/
                                "s", "t", "PRIMARY", "2", "a", /**/
                                "s", "t", "by_c", "1", "c",    /**/
                                "s", "T", "PRIMARY", "1", "x", /**/
                                "s", "t", "PRIMARY", "1", "b");

    mysql_rows_primary_key(&rows, *state, &t);
    assert_int_equal(t.primary_key.n, 2);
    assert_string_equal(t.primary_key.v[0], "b");
    assert_string_equal(t.primary_key.v[1], "a");
}

static void unique_keys_that_can_be_keys(void **state)
{
    struct mysql_table t = {.database = "s", .name = "t"};
    struct rows rows =
        RECORDED(*state, 7, "TABLE_SCHEMA", "TABLE_NAME", "INDEX_NAME", "SEQ_IN_INDEX",
                 "COLUMN_NAME", "SUB_PART", "NULLABLE",     /**/
                 "s", "t", "zz", "2", "b", NULL, "",        /**/
                 "s", "t", "zz", "1", "a", NULL, "",        /**/
                 "s", "t", "PRIMARY", "1", "id", NULL, "",  /**/
                 "s", "t", "maybe", "1", "n", NULL, "YES",  /**/
                 "s", "t", "begins", "1", "text", "5", "",  /**/
                 "s", "t", "half", "1", "a", NULL, "",      /**/
                 "s", "t", "half", "2", "n", NULL, "YES",   /**/
                 "s", "t", "computed", "1", "a", NULL, "",  /**/
                 "s", "t", "computed", "2", NULL, NULL, "", /**/
                 "s", "T", "other", "1", "x", NULL, "",     /**/
                 "s", "t", "aa", "1", "c", NULL, "");

    mysql_rows_unique_keys(&rows, *state, &t);
    assert_int_equal(t.unique_keys.n, 2);
    assert_string_equal(t.unique_keys.v[0].name, "aa");
    assert_int_equal(t.unique_keys.v[0].columns.n, 1);
    assert_string_equal(t.unique_keys.v[0].columns.v[0], "c");
    assert_string_equal(t.unique_keys.v[1].name, "zz");
    assert_int_equal(t.unique_keys.v[1].columns.n, 2);
    assert_string_equal(t.unique_keys.v[1].columns.v[0], "a");
    assert_string_equal(t.unique_keys.v[1].columns.v[1], "b");
    assert_int_equal(t.primary_key.n, 0);
}

static void tables_of_a_list(void **state)
{
    struct rows tables =
        RECORDED(*state, 3, "TABLE_SCHEMA", "TABLE_NAME", "CREATE_TIME", /**/
                 "s", "_t_old", "2026-11-23 08:00:46", "s", "t", NULL);
    struct rows columns = RECORDED(*state, 5, "TABLE_SCHEMA", "TABLE_NAME", "COLUMN_NAME",
                                   "ORDINAL_POSITION", "COLUMN_TYPE",     /**/
                                   "s", "t", "b", "2", "int(11)",         /**/
                                   "s", "_t_old", "a", "1", "varchar(9)", /**/
                                   "s", "t", "a", "1", "bigint(20)");
    struct mysql_tables list = {0};

    mysql_rows_list(&tables, &columns, MYSQL_ORACLE, *state, &list);
    assert_int_equal(list.tables.n, 2);
    assert_string_equal(list.tables.v[0].name, "_t_old");
    assert_string_equal(list.tables.v[0].created_at, "2026-11-23 08:00:46");
    assert_int_equal(list.tables.v[0].columns.n, 1);
    assert_string_equal(list.tables.v[0].columns.v[0].column_type, "varchar(9)");
    assert_int_equal(list.tables.v[1].columns.n, 2);
    assert_string_equal(list.tables.v[1].columns.v[1].name, "b");
}

static void tables_and_views(void **state)
{
    struct rows rows =
        RECORDED(*state, 8, "TABLE_SCHEMA", "TABLE_NAME", "TABLE_TYPE", "ENGINE",
                 "TABLE_ROWS", "AUTO_INCREMENT", "CREATE_TIME", "TABLE_COMMENT", /**/
                 "shop", "orders", "BASE TABLE", "InnoDB", "42", "18446744073709551615",
                 "2026-11-23 08:00:46", "c", /**/
                 "shop", "looks", "VIEW", NULL, NULL, NULL, NULL, "VIEW");
    struct mysql_table *table = mysql_rows_table(&rows, 0, *state);
    struct mysql_table *view = mysql_rows_table(&rows, 1, *state);

    assert_string_equal(table->name, "orders");
    assert_int_equal(table->row_estimate, 42);
    assert_int_equal(table->auto_increment, -1);
    assert_string_equal(table->created_at, "2026-11-23 08:00:46");
    assert_null(view->created_at);
    assert_string_equal(view->type, "VIEW");
    assert_null(view->engine);
    assert_int_equal(view->row_estimate, -1);
    assert_int_equal(view->auto_increment, 0);
}

static void replicas_of_both_statements(void **state)
{
    struct rows old = RECORDED(*state, 4, "Server_id", "Host", "Port", "Master_id",
                               "5731", "", "3306", "7");
    struct rows new = RECORDED(*state, 5, "Server_Id", "Host", "Port", "Source_Id",
                               "Replica_UUID", "5732", "", "3306", "7", "u");
    struct strlist ids = {0};

    mysql_rows_replicas(&old, *state, &ids);
    mysql_rows_replicas(&new, *state, &ids);
    assert_int_equal(ids.n, 2);
    assert_string_equal(ids.v[0], "5731");
    assert_string_equal(ids.v[1], "5732");
}

int main(void)
{
#define ROWS_TEST(f) cmocka_unit_test_setup_teardown(f, arena_setup, arena_teardown)
    const struct CMUnitTest tests[] = {
        ROWS_TEST(server_of_mysql_84),
        ROWS_TEST(server_of_mysql_56),
        ROWS_TEST(server_of_mariadb),
        ROWS_TEST(a_server_that_says_nothing),
        ROWS_TEST(expiry_in_every_dialect),
        ROWS_TEST(accounts_are_quoted),
        ROWS_TEST(what_a_login_must_show_is_read),
        ROWS_TEST(grants_lose_their_credentials),
        ROWS_TEST(names_compare_as_the_server_does),
        ROWS_TEST(numbers_beyond_63_bits),
        ROWS_TEST(columns_of_mysql_84),
        ROWS_TEST(a_mysql_column_may_default_to_the_word_null),
        ROWS_TEST(columns_of_mysql_56_have_no_expression),
        ROWS_TEST(the_key_is_in_key_order),
        ROWS_TEST(tables_and_views),
        ROWS_TEST(unique_keys_that_can_be_keys),
        ROWS_TEST(tables_of_a_list),
        ROWS_TEST(replicas_of_both_statements),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

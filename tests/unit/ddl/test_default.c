#include "unit.h"

#include "ddl/default.h"

#include <string.h>

#define MYSQL_5 MYSQL_ORACLE, "5.6.24-log"
#define MYSQL_8 MYSQL_ORACLE, "8.0.39"
#define MARIADB MYSQL_MARIADB, "10.11.6-MariaDB"
#define MARIADB_OLD MYSQL_MARIADB, "10.1.48-MariaDB"

struct reading {
    enum mysql_flavor flavor;
    const char *version, *mysql, *value, *extra;
    enum default_kind kind;
    const char *text;
};

static const struct reading readings[] = {
    /* bare text */
    {MYSQL_5, "int(11)", "5", "", DEFAULT_LITERAL, "5"},
    {MYSQL_5, "int(11)", "-5", "", DEFAULT_LITERAL, "-5"},
    {MYSQL_5, "varchar(20)", "it's", "", DEFAULT_LITERAL, "it's"},
    {MYSQL_5, "varchar(20)", "'quoted'", "", DEFAULT_LITERAL, "'quoted'"},
    {MYSQL_5, "varchar(20)", "", "", DEFAULT_LITERAL, ""},
    {MYSQL_5, "varchar(20)", "NULL", "", DEFAULT_LITERAL, "NULL"},
    {MYSQL_5, "varchar(20)", "CURRENT_TIMESTAMP", "", DEFAULT_LITERAL,
     "CURRENT_TIMESTAMP"},
    {MYSQL_5, "varchar(20)", "b'1'", "", DEFAULT_LITERAL, "b'1'"},
    {MYSQL_5, "bit(3)", "b'101'", "", DEFAULT_LITERAL, "101"},
    {MYSQL_5, "bit(1)", "b'1'", "", DEFAULT_LITERAL, "1"},
    {MYSQL_5, "bit(1)", "b'1", "", DEFAULT_LITERAL, "b'1"},
    {MYSQL_5, "datetime", "2024-01-01 10:00:00", "", DEFAULT_LITERAL,
     "2024-01-01 10:00:00"},
    {MYSQL_5, "timestamp", "CURRENT_TIMESTAMP", "on update current_timestamp",
     DEFAULT_NOW, NULL},
    {MYSQL_5, "datetime(3)", "CURRENT_TIMESTAMP(3)", "", DEFAULT_NOW, NULL},
    {MYSQL_5, "int(11)", NULL, "", DEFAULT_NULL, NULL},
    {MARIADB_OLD, "varchar(20)", "it's", "", DEFAULT_LITERAL, "it's"},
    {MARIADB_OLD, "varchar(20)", "'quoted'", "", DEFAULT_LITERAL, "'quoted'"},
    {MYSQL_MARIADB, "5.5.5-10.2.6-MariaDB", "varchar(20)", "'q'", "", DEFAULT_LITERAL,
     "'q'"},
    /* MySQL 8: expressions are marked, and only they */
    {MYSQL_8, "datetime", "CURRENT_TIMESTAMP", "default_generated", DEFAULT_NOW, NULL},
    {MYSQL_8, "timestamp(6)", "CURRENT_TIMESTAMP(6)",
     "default_generated on update current_timestamp(6)", DEFAULT_NOW, NULL},
    {MYSQL_8, "datetime", "now()", "default_generated", DEFAULT_NOW, NULL},
    {MYSQL_8, "varchar(36)", "uuid()", "default_generated", DEFAULT_EXPRESSION, NULL},
    {MYSQL_8, "varchar(36)", "uuid()", "", DEFAULT_LITERAL, "uuid()"},
    {MYSQL_8, "int", "(1 + 1)", "default_generated", DEFAULT_EXPRESSION, NULL},
    {MYSQL_8, "date", "curdate()", "default_generated", DEFAULT_EXPRESSION, NULL},
    {MYSQL_8, "date", "CURRENT_TIMESTAMP", "default_generated", DEFAULT_EXPRESSION, NULL},
    {MYSQL_8, "text", "_utf8mb4\\'abc\\'", "default_generated", DEFAULT_LITERAL, "abc"},
    {MYSQL_8, "text", "_latin1'abc'", "default_generated", DEFAULT_LITERAL, "abc"},
    {MYSQL_8, "text", "_utf8mb4\\'\\'", "default_generated", DEFAULT_LITERAL, ""},
    {MYSQL_8, "text", "_utf8mb4\\'it\\\\\\'s\\'", "default_generated", DEFAULT_EXPRESSION,
     NULL},
    {MYSQL_8, "text", "concat(_utf8mb4\\'a\\',_utf8mb4\\'b\\')", "default_generated",
     DEFAULT_EXPRESSION, NULL},
    {MYSQL_8, "text", "_utf8mb4\\'a\\' + _utf8mb4\\'b\\'", "default_generated",
     DEFAULT_EXPRESSION, NULL},
    {MYSQL_8, "text", "_utf8mb4\\'", "default_generated", DEFAULT_EXPRESSION, NULL},
    {MYSQL_8, "text", "_utf8mb4'", "default_generated", DEFAULT_EXPRESSION, NULL},
    {MYSQL_8, "text", "_utf8mb4\\''", "default_generated", DEFAULT_EXPRESSION, NULL},
    {MYSQL_8, "binary(3)", "0x616200", "", DEFAULT_LITERAL, "0x616200"},
    {MYSQL_8, "bit(3)", "b'101'", "", DEFAULT_LITERAL, "101"},
    {MYSQL_ORACLE, NULL, "int", "5", "", DEFAULT_LITERAL, "5"},
    /* MariaDB prints SQL (executed on 10.11) */
    {MARIADB, "int(11)", "5", "", DEFAULT_LITERAL, "5"},
    {MARIADB, "int(11)", "-5", "", DEFAULT_LITERAL, "-5"},
    {MARIADB, "decimal(10,2)", "1.50", "", DEFAULT_LITERAL, "1.50"},
    {MARIADB, "int(10) unsigned zerofill", "0000000007", "", DEFAULT_LITERAL,
     "0000000007"},
    {MARIADB, "varchar(20)", "'a''b\\\\c\\nd'", "", DEFAULT_LITERAL, "a'b\\c\nd"},
    {MARIADB, "varchar(20)", "'NULL'", "", DEFAULT_LITERAL, "NULL"},
    {MARIADB, "varchar(20)", "NULL", "", DEFAULT_NULL, NULL},
    {MARIADB, "varchar(20)", "''", "", DEFAULT_LITERAL, ""},
    {MARIADB, "varchar(20)", "','", "", DEFAULT_LITERAL, ","},
    {MARIADB, "varchar(20)", "'current_timestamp()'", "", DEFAULT_LITERAL,
     "current_timestamp()"},
    {MARIADB, "enum('a','c''d')", "'c''d'", "", DEFAULT_LITERAL, "c'd"},
    {MARIADB, "date", "'2024-01-01'", "", DEFAULT_LITERAL, "2024-01-01"},
    {MARIADB, "datetime", "current_timestamp()", "", DEFAULT_NOW, NULL},
    {MARIADB, "datetime(3)", "current_timestamp(3)", "on update current_timestamp(3)",
     DEFAULT_NOW, NULL},
    {MARIADB, "datetime", "current_timestamp(x)", "", DEFAULT_EXPRESSION, NULL},
    {MARIADB, "datetime", "current_timestamp(", "", DEFAULT_EXPRESSION, NULL},
    {MARIADB, "varchar(20)", "current_timestamp()", "", DEFAULT_EXPRESSION, NULL},
    {MARIADB, "bit(3)", "b'101'", "", DEFAULT_LITERAL, "101"},
    {MARIADB, "bit(3)", "b'201'", "", DEFAULT_EXPRESSION, NULL},
    {MARIADB, "varchar(10)", "uuid()", "", DEFAULT_EXPRESSION, NULL},
    {MARIADB, "int(11)", "(1 + 1)", "", DEFAULT_EXPRESSION, NULL},
    {MARIADB, "varchar(20)", "concat('x','y')", "", DEFAULT_EXPRESSION, NULL},
    {MARIADB, "varchar(20)", "'x' 'y'", "", DEFAULT_EXPRESSION, NULL},
    {MARIADB, "varchar(20)", "'x','y'", "", DEFAULT_EXPRESSION, NULL},
    {MARIADB, "varchar(20)", "'x", "", DEFAULT_EXPRESSION, NULL},
    {MARIADB, "varchar(20)", "'", "", DEFAULT_EXPRESSION, NULL},
    {MARIADB, "varchar(20)", "x'", "", DEFAULT_EXPRESSION, NULL},
    {MARIADB, "varchar(20)", "", "", DEFAULT_EXPRESSION, NULL},
    {MARIADB, "double", "1e10", "", DEFAULT_EXPRESSION, NULL},
    {MARIADB, "int(11)", "-", "", DEFAULT_EXPRESSION, NULL},
    {MARIADB, "int(11)", "1.2.3", "", DEFAULT_EXPRESSION, NULL},
    {MYSQL_MARIADB, NULL, "varchar(20)", "'x'", "", DEFAULT_LITERAL, "x"},
    {MYSQL_MARIADB, "5.5.5-10.2.7-MariaDB-log", "varchar(20)", "'x'", "", DEFAULT_LITERAL,
     "x"},
    {MYSQL_MARIADB, "11.4.2", "varchar(20)", "'x'", "", DEFAULT_LITERAL, "x"},
};

static void reads_each_servers_spelling(void **state)
{
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(readings); i++) {
        const struct reading *r = &readings[i];
        struct mysql_column column = column_of("c", r->mysql);

        column.default_value = r->value;
        column.extra = r->extra;
        struct column_default value =
            default_read(&column, r->flavor, r->version, f->arena);
        if (value.kind != r->kind || (value.text == NULL) != (r->text == NULL)) {
            fail_msg("%s of %s: kind %d, '%s'", r->value, r->mysql, (int)value.kind,
                     value.text == NULL ? "" : value.text);
        }
        if (r->text != NULL) {
            assert_string_equal(value.text, r->text);
        }
    }
}

static void tells_none_from_null(void **state)
{
    struct fixture *f = *state;
    struct mysql_column column = column_of("c", "int");

    column.nullable = false;
    assert_int_equal(default_read(&column, MYSQL_8, f->arena).kind, DEFAULT_NONE);
    column.nullable = true;
    column.generation_expression = "a + 1";
    assert_int_equal(default_read(&column, MYSQL_8, f->arena).kind, DEFAULT_NONE);
    column.default_value = "5";
    assert_int_equal(default_read(&column, MARIADB, f->arena).kind, DEFAULT_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(reads_each_servers_spelling),
        TEST(tells_none_from_null),
    };

    return cmocka_run_group_tests_name("default", tests, NULL, NULL);
}

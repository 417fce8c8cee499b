#include "unit.h"

#include "ddl/types.h"

#include <string.h>

struct expectation {
    const char *mysql, *value;
    const char *starrocks; /* NULL: no default */
};

/* What FE 4.1 accepted in the transcript, and what it surely reads as MySQL does. */
static const struct expectation expectations[] = {
    {"tinyint(4)", "-128", "-128"},
    {"tinyint(1)", "1", "1"},
    {"smallint(6)", "32767", "32767"},
    {"smallint(6)", "32768", NULL},
    {"smallint(5) unsigned", "65535", "65535"},
    {"int(11)", "0", "0"},
    {"int(11)", "-2147483648", "-2147483648"},
    {"int(11)", "2147483648", NULL},
    {"int(10) unsigned zerofill", "0000000007", "7"},
    {"int(11)", "1.5", NULL},
    {"int(11)", "x", NULL},
    {"int(11)", "", NULL},
    {"bigint(20)", "9223372036854775807", "9223372036854775807"},
    {"bigint(20)", "9223372036854775808", NULL},
    {"bigint(20) unsigned", "18446744073709551615", "18446744073709551615"},
    {"year(4)", "2024", "2024"},
    {"decimal(10,2)", "1.50", "1.50"},
    {"decimal(10,2)", "-0.01", "-0.01"},
    {"decimal(10,2)", "0.00", "0.00"},
    {"decimal(10,2) unsigned zerofill", "00000012.50", "12.50"},
    {"decimal(5,2)", "1234.5", NULL},
    {"decimal(5,2)", "999.99", "999.99"},
    {"decimal(5,2)", "1.234", NULL},
    {"decimal(5,5)", "0.12345", "0.12345"},
    {"decimal(5,0)", "12345", "12345"},
    {"decimal(5,0)", "1e3", NULL},
    {"decimal(5,2)", "1.", NULL},
    {"decimal(5,2)", ".5", NULL},
    {"decimal(5,2)", "--1", NULL},
    {"decimal(38,0)", "1", "1"},
    {"decimal(39,0)", "1", NULL},
    {"bit(1)", "b'0'", "0"},
    {"bit(1)", "b'1'", "1"},
    {"bit(1)", "b'10'", NULL},
    {"bit(3)", "b'101'", NULL},
    {"varchar(3)", "äöü", "äöü"},
    {"varchar(3)", "", ""},
    {"varchar(20)", "it's \"quoted\" \\ `", "it's \"quoted\" \\ `"},
    {"varchar(20)", "NULL", "NULL"},
    {"varchar(20)", "CURRENT_TIMESTAMP", NULL},
    {"varchar(20)", "a\nb", NULL},
    {"varchar(20)", "a\x7f", NULL},
    {"varchar(20)", "\xff", NULL},
    {"char(1)", "y", "y"},
    {"char(1)", "yyyyy", NULL},
    {"enum('a','b')", "b", "b"},
    {"text", "hey", "hey"},
    {"date", "2024-01-01", "2024-01-01"},
    {"date", "2024-02-29", "2024-02-29"},
    {"date", "2023-02-29", NULL},
    {"date", "1900-02-29", NULL},
    {"date", "2000-02-29", "2000-02-29"},
    {"date", "0000-00-00", NULL},
    {"date", "2024-00-01", NULL},
    {"date", "2024-13-01", NULL},
    {"date", "2024-01-00", NULL},
    {"date", "2024-1-1", NULL},
    {"date", "2024-01-01x", NULL},
    {"date", "2024/01/01", NULL},
    {"date", "", NULL},
    {"datetime", "2024-01-01 10:00:00", "2024-01-01 10:00:00"},
    {"datetime(6)", "2024-01-01 23:59:59.000000", "2024-01-01 23:59:59"},
    {"datetime(3)", "2024-01-01 10:00:00.120", NULL},
    {"datetime", "2024-01-01 10:00:00.", NULL},
    {"datetime", "2024-01-01", NULL},
    {"datetime", "2024-01-01 24:00:00", NULL},
    {"datetime", "2024-01-01 10:60:00", NULL},
    {"datetime", "2024-01-01 10:00:60", NULL},
    {"datetime", "2024-01-01T10:00:00", NULL},
    {"datetime", "2024-01-01 10:00", NULL},
    {"datetime", "0000-00-00 00:00:00", NULL},
    {"datetime", "CURRENT_TIMESTAMP", NULL},
    /* what is not delivered as MySQL prints it, and what StarRocks may not take */
    {"timestamp", "2024-01-01 10:00:00", NULL},
    {"timestamp", "CURRENT_TIMESTAMP", NULL},
    {"time", "10:00:00", NULL},
    {"float", "1.1", NULL},
    {"double", "1.5", NULL},
    {"json", "{}", NULL},
    {"binary(3)", "ab", NULL},
    {"varbinary(3)", "", NULL},
};

static const char *default_of(struct fixture *f, const struct mysql_column *column,
                              bool key, enum mysql_flavor flavor)
{
    struct types_options options = {.flavor = flavor};
    struct column_map map;
    struct fault fault = FAULT_INIT;

    ASSERT_OK(types_map(column, key, &options, f->arena, &map, &fault), &fault);
    return map.default_value;
}

static void carries_what_starrocks_takes(void **state)
{
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(expectations); i++) {
        const struct expectation *e = &expectations[i];
        struct mysql_column column = column_of("c", e->mysql);

        column.default_value = e->value;
        const char *seen = default_of(f, &column, false, MYSQL_ORACLE);
        if ((seen == NULL) != (e->starrocks == NULL) ||
            (seen != NULL && strcmp(seen, e->starrocks) != 0)) {
            fail_msg("%s default %s: %s", e->mysql, e->value,
                     seen == NULL ? "none" : seen);
        }
    }
}

static void gives_keys_none(void **state)
{
    struct fixture *f = *state;
    struct mysql_column column = column_of("c", "int(11)");

    column.default_value = "5";
    assert_null(default_of(f, &column, true, MYSQL_ORACLE));
    assert_string_equal(default_of(f, &column, false, MYSQL_ORACLE), "5");
}

static void reads_the_servers_spelling(void **state)
{
    struct fixture *f = *state;
    struct mysql_column column = column_of("c", "varchar(20)");

    column.default_value = "'it''s'";
    assert_string_equal(default_of(f, &column, false, MYSQL_MARIADB), "it's");
    assert_string_equal(default_of(f, &column, false, MYSQL_ORACLE), "'it''s'");
    column.default_value = "uuid()";
    column.extra = "default_generated";
    assert_null(default_of(f, &column, false, MYSQL_MARIADB));
    assert_null(default_of(f, &column, false, MYSQL_ORACLE));
}

static void leaves_long_texts_out(void **state)
{
    struct fixture *f = *state;
    struct mysql_column column = column_of("c", "text");
    char *text = arena_alloc(f->arena, 1026);

    memset(text, 'x', 1024);
    column.default_value = text;
    assert_string_equal(default_of(f, &column, false, MYSQL_ORACLE), text);
    text[1024] = 'x';
    assert_null(default_of(f, &column, false, MYSQL_ORACLE));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(carries_what_starrocks_takes),
        TEST(gives_keys_none),
        TEST(reads_the_servers_spelling),
        TEST(leaves_long_texts_out),
    };

    return cmocka_run_group_tests_name("types_default", tests, NULL, NULL);
}

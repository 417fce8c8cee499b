#include "unit.h"

#include "ddl/types.h"

#include <string.h>

struct expectation {
    const char *mysql, *charset;
    enum rw_type rw;
    enum sink_expr expr;
    const char *starrocks; /* COLUMN_TYPE; NULL: refused */
    enum sink_expr key_expr;
    const char *key;  /* as key; NULL: refused */
    const char *note; /* part of it; NULL: none */
};

#define SAME(type) SINK_PASS, type, SINK_PASS, type, NULL
#define NO_KEY(expr, type, note) expr, type, SINK_PASS, NULL, note

/* "Types accepted end to end" (verified.md), row by row. */
static const struct expectation expectations[] = {
    {"tinyint(4)", NULL, RW_SMALLINT, SAME("smallint(6)")},
    {"tinyint(1)", NULL, RW_SMALLINT, SAME("smallint(6)")},
    {"tinyint", NULL, RW_SMALLINT, SAME("smallint(6)")},
    {"tinyint(3) unsigned", NULL, RW_SMALLINT, SAME("smallint(6)")},
    {"smallint(6)", NULL, RW_SMALLINT, SAME("smallint(6)")},
    {"smallint(5) unsigned zerofill", NULL, RW_INTEGER, SAME("int(11)")},
    {"mediumint(9)", NULL, RW_INTEGER, SAME("int(11)")},
    {"mediumint(8) unsigned", NULL, RW_BIGINT, SAME("bigint(20)")},
    {"int", NULL, RW_INTEGER, SAME("int(11)")},
    {"int unsigned", NULL, RW_BIGINT, SAME("bigint(20)")},
    {"bigint(20)", NULL, RW_BIGINT, SAME("bigint(20)")},
    {"bigint(20) unsigned", NULL, RW_DECIMAL, SINK_PASS, "decimal(20, 0)",
     SINK_CAST_BIGINT, "bigint(20)", NULL},
    {"decimal(10,2)", NULL, RW_DECIMAL, SINK_PASS, "decimal(10, 2)", SINK_CAST_VARCHAR,
     "varchar(13)", NULL},
    {"decimal(28,28)", NULL, RW_DECIMAL, SINK_PASS, "decimal(28, 28)", SINK_CAST_VARCHAR,
     "varchar(31)", NULL},
    {"decimal(29,0)", NULL, RW_DECIMAL, NO_KEY(SINK_PASS, "decimal(29, 0)", "28 digits")},
    {"decimal(38,10)", NULL, RW_DECIMAL,
     NO_KEY(SINK_PASS, "decimal(38, 10)", "28 digits")},
    {"decimal(39,0)", NULL, RW_UNSET, NO_KEY(SINK_PASS, NULL, NULL)},
    {"decimal", NULL, RW_DECIMAL, SINK_PASS, "decimal(10, 0)", SINK_CAST_VARCHAR,
     "varchar(13)", NULL},
    {"float", NULL, RW_REAL, NO_KEY(SINK_PASS, "float", NULL)},
    {"double(10,2)", NULL, RW_DOUBLE, NO_KEY(SINK_PASS, "double", NULL)},
    {"bit(1)", NULL, RW_BOOLEAN, SAME("tinyint(1)")},
    {"bit(8)", NULL, RW_BYTEA, NO_KEY(SINK_HEX, "varchar(2)", "hexadecimal")},
    {"bit(9)", NULL, RW_BYTEA, NO_KEY(SINK_HEX, "varchar(4)", "hexadecimal")},
    {"bit(64)", NULL, RW_BYTEA, NO_KEY(SINK_HEX, "varchar(16)", "hexadecimal")},
    {"char(10)", "utf8mb4", RW_VARCHAR, SAME("varchar(40)")},
    {"char(0)", "utf8mb4", RW_VARCHAR, SAME("varchar(1)")},
    {"varchar(64)", "utf8mb4", RW_VARCHAR, SAME("varchar(256)")},
    {"varchar(64)", "utf8", RW_VARCHAR, SAME("varchar(192)")},
    {"varchar(64)", "utf8mb3", RW_VARCHAR, SAME("varchar(192)")},
    {"varchar(64)", "latin1", RW_VARCHAR, SAME("varchar(192)")},
    {"varchar(64)", "gbk", RW_VARCHAR, SAME("varchar(192)")},
    {"varchar(64)", "gb18030", RW_VARCHAR, SAME("varchar(256)")},
    {"varchar(64)", "utf32", RW_VARCHAR, SAME("varchar(256)")},
    {"varchar(64)", NULL, RW_VARCHAR, SAME("varchar(256)")},
    {"varchar(64)", "klingon", RW_VARCHAR, SAME("varchar(256)")},
    {"varchar(300000)", "utf8mb4", RW_VARCHAR, SINK_PASS, "varchar(1048576)", SINK_PASS,
     "varchar(1048576)", "1048576 bytes stops the sink"},
    {"tinytext", "utf8mb4", RW_VARCHAR, NO_KEY(SINK_PASS, "varchar(255)", NULL)},
    {"tinytext", "latin1", RW_VARCHAR, NO_KEY(SINK_PASS, "varchar(765)", NULL)},
    {"text", "utf8mb3", RW_VARCHAR, NO_KEY(SINK_PASS, "varchar(65535)", NULL)},
    {"text", "latin1", RW_VARCHAR, NO_KEY(SINK_PASS, "varchar(196605)", NULL)},
    {"mediumtext", "utf8mb4", RW_VARCHAR, NO_KEY(SINK_PASS, "varchar(1048576)", "1 MiB")},
    {"longtext", "utf8mb4", RW_VARCHAR, NO_KEY(SINK_PASS, "varchar(1048576)", "1 MiB")},
    {"enum('new','paid','shipped')", "utf8mb4", RW_VARCHAR, SAME("varchar(256)")},
    {"date", NULL, RW_DATE, SAME("date")},
    {"datetime(6)", NULL, RW_TIMESTAMP, SAME("datetime")},
    {"timestamp", NULL, RW_TIMESTAMPTZ, SINK_AT_UTC, "datetime", SINK_AT_UTC, "datetime",
     NULL},
    {"year(4)", NULL, RW_INTEGER, SAME("int(11)")},
    {"time(3)", NULL, RW_TIME, SINK_CAST_VARCHAR, "varchar(17)", SINK_CAST_VARCHAR,
     "varchar(17)", "24 hours"},
    {"json", NULL, RW_JSONB, NO_KEY(SINK_PASS, "json", "reordered")},
    {"binary(16)", NULL, RW_BYTEA, NO_KEY(SINK_HEX, "varchar(32)", "hexadecimal")},
    {"varbinary(8)", NULL, RW_BYTEA, NO_KEY(SINK_HEX, "varchar(16)", "hexadecimal")},
    {"tinyblob", NULL, RW_BYTEA, NO_KEY(SINK_HEX, "varchar(510)", "hexadecimal")},
    {"blob", NULL, RW_BYTEA, NO_KEY(SINK_HEX, "varchar(131070)", "hexadecimal")},
    {"mediumblob", NULL, RW_BYTEA, NO_KEY(SINK_HEX, "varchar(1048576)", "524288 bytes")},
    {"longblob", NULL, RW_BYTEA, NO_KEY(SINK_HEX, "varchar(1048576)", "524288 bytes")},
    {"set('x','y')", "utf8mb4", RW_UNSET, NO_KEY(SINK_PASS, NULL, NULL)},
    {"point", NULL, RW_UNSET, NO_KEY(SINK_PASS, NULL, NULL)},
    {"geometry", NULL, RW_UNSET, NO_KEY(SINK_PASS, NULL, NULL)},
    {"geomcollection", NULL, RW_UNSET, NO_KEY(SINK_PASS, NULL, NULL)},
    {"multipolygon", NULL, RW_UNSET, NO_KEY(SINK_PASS, NULL, NULL)},
    {"uuid", NULL, RW_UNSET, NO_KEY(SINK_PASS, NULL, NULL)},
    {"inet4", NULL, RW_UNSET, NO_KEY(SINK_PASS, NULL, NULL)},
    {"inet6", NULL, RW_UNSET, NO_KEY(SINK_PASS, NULL, NULL)},
    {"vector(4)", NULL, RW_UNSET, NO_KEY(SINK_PASS, NULL, NULL)},
    {"xmltype", NULL, RW_UNSET, NO_KEY(SINK_PASS, NULL, NULL)},
};

static void check_one(struct fixture *f, const struct expectation *e, bool key)
{
    struct mysql_column column = column_of("c", e->mysql);
    struct column_map map;
    struct fault fault = FAULT_INIT;
    const char *starrocks = key ? e->key : e->starrocks;

    column.charset = e->charset;
    bool ok = types_map(&column, key, f->arena, &map, &fault);
    if (ok != (starrocks != NULL)) {
        fail_msg("%s%s: %s", e->mysql, key ? " as key" : "",
                 ok ? "accepted" : fault.text);
    }
    if (!ok) {
        assert_int_equal(fault.class, FAULT_REFUSED);
        assert_string_equal(fault.reason,
                            e->starrocks == NULL ? "UnsupportedType" : "UnsupportedKey");
        ASSERT_CONTAINS(fault.text, "column 'c' of type");
        ASSERT_CONTAINS(fault.text, e->mysql);
        return;
    }
    if (strcmp(sr_type_catalog(&map.sr, f->arena), starrocks) != 0) {
        fail_msg("%s%s: %s", e->mysql, key ? " as key" : "",
                 sr_type_catalog(&map.sr, f->arena));
    }
    assert_int_equal(map.rw, e->rw);
    assert_int_equal(map.expr, key ? e->key_expr : e->expr);
    assert_int_equal(map.key, key);
    assert_true(sr_type_same(&map.sr, sv_from(starrocks)));
    if (!key && e->note == NULL) {
        assert_null(map.note);
    } else if (!key) {
        ASSERT_CONTAINS(map.note, e->note);
    }
}

static void maps_every_type(void **state)
{
    for (size_t i = 0; i < COUNT_OF(expectations); i++) {
        check_one(*state, &expectations[i], false);
        check_one(*state, &expectations[i], true);
    }
}

/* information_schema's own figures win over what the type's text says. */
static void reads_lengths_from_the_schema(void **state)
{
    struct fixture *f = *state;
    struct mysql_column column = column_of("c", "varchar(3)");
    struct column_map map;
    struct fault fault = FAULT_INIT;

    column.char_max_length = 5;
    ASSERT_OK(types_map(&column, false, f->arena, &map, &fault), &fault);
    assert_int_equal(map.sr.length, 20);
    column = column_of("c", "decimal(5,1)");
    column.numeric_precision = 7;
    column.numeric_scale = 3;
    ASSERT_OK(types_map(&column, false, f->arena, &map, &fault), &fault);
    assert_string_equal(sr_type_catalog(&map.sr, f->arena), "decimal(7, 3)");
}

static void measures_enum_labels(void **state)
{
    struct fixture *f = *state;
    char type[256] = "enum('a','";
    struct mysql_column column;
    struct column_map map;
    struct fault fault = FAULT_INIT;

    for (int i = 0; i < 70;
         i++) { /* 70 characters, doubled quotes among them, one wide */
        strcat(type, i == 3 ? "é" : i % 7 == 0 ? "''" : "x");
    }
    strcat(type, "','b')");
    column = column_of("c", type);
    ASSERT_OK(types_map(&column, false, f->arena, &map, &fault), &fault);
    assert_int_equal(map.sr.length, 4 * 70);
}

static void decides_unsigned_keys_by_their_values(void **state)
{
    struct fixture *f = *state;
    struct mysql_column column = column_of("id", "bigint(20) unsigned");
    struct column_map map;
    struct fault fault = FAULT_INIT;

    column.key_max = INT64_MAX;
    ASSERT_OK(types_map(&column, true, f->arena, &map, &fault), &fault);
    assert_int_equal(map.expr, SINK_CAST_BIGINT);
    assert_int_equal(map.sr.kind, SR_BIGINT);
    ASSERT_CONTAINS(map.note, "9223372036854775807");
    column.key_max = -1;
    ASSERT_OK(types_map(&column, true, f->arena, &map, &fault), &fault);
    assert_int_equal(map.expr, SINK_CAST_VARCHAR);
    assert_string_equal(sr_type_catalog(&map.sr, f->arena), "varchar(20)");
    assert_int_equal(map.rw, RW_DECIMAL);
}

static void knows_generated_columns(void **state)
{
    struct fixture *f = *state;
    struct mysql_column column = column_of("total", "int(11)");
    struct column_map map;
    struct fault fault = FAULT_INIT;

    column.generation_expression = "a + b";
    column.extra = "stored generated";
    ASSERT_OK(types_map(&column, false, f->arena, &map, &fault), &fault);
    column.extra = "default_generated on update current_timestamp";
    ASSERT_OK(types_map(&column, false, f->arena, &map, &fault), &fault);
    column.extra = "virtual generated";
    ASSERT_REFUSED(types_map(&column, false, f->arena, &map, &fault), &fault,
                   "UnsupportedType");
    ASSERT_CONTAINS(fault.text, "make it STORED");
}

static void warns_of_zero_dates_where_invited(void **state)
{
    struct fixture *f = *state;
    struct mysql_column column = column_of("d", "datetime");
    struct column_map map;
    struct fault fault = FAULT_INIT;

    column.default_value = "0000-00-00 00:00:00";
    ASSERT_OK(types_map(&column, false, f->arena, &map, &fault), &fault);
    ASSERT_CONTAINS(map.note, "zero dates arrive as NULL");
}

static void compares_types_in_normal_form(void **state)
{
    const struct sr_type boolean = {.kind = SR_BOOLEAN}, bigint = {.kind = SR_BIGINT},
                         integer = {.kind = SR_INT},
                         decimal = {.kind = SR_DECIMAL, .precision = 10, .scale = 2},
                         text = {.kind = SR_VARCHAR, .length = 65533},
                         date = {.kind = SR_DATE};

    (void)state;
    assert_true(sr_type_same(&boolean, SV("BOOLEAN")));
    assert_true(sr_type_same(&boolean, SV("tinyint(1)")));
    assert_false(sr_type_same(&boolean, SV("tinyint(4)")));
    assert_true(sr_type_same(&bigint, SV(" BIGINT ")));
    assert_false(sr_type_same(&bigint, SV("bigint(20) unsigned"))); /* LARGEINT */
    assert_false(sr_type_same(&bigint, SV("largeint")));
    assert_false(sr_type_same(&integer, SV("bigint(20)")));
    assert_true(sr_type_same(&decimal, SV("decimal(10,2)")));
    assert_true(sr_type_same(&decimal, SV("DECIMAL64(10, 2)")));
    assert_false(sr_type_same(&decimal, SV("decimal(10,3)")));
    assert_true(sr_type_same(&text, SV("string")));
    assert_false(sr_type_same(&text, SV("varchar(65535)")));
    assert_false(sr_type_same(&text, SV("char(65533)")));
    assert_false(sr_type_same(&date, SV("datetime")));
    assert_false(sr_type_same(&date, SV("")));

    assert_true(sr_type_holds(&text, SV("varchar(65535)")));
    assert_false(sr_type_holds(&text, SV("varchar(65532)")));
    assert_true(sr_type_holds(&decimal, SV("decimal(12, 4)")));
    assert_false(sr_type_holds(&decimal, SV("decimal(12, 5)")));
    assert_false(sr_type_holds(&decimal, SV("decimal(12, 1)")));
    assert_false(
        sr_type_holds(&integer, SV("bigint(20)"))); /* the sink's check refuses it */
}

static void documents_every_row(void **state)
{
    size_t count = 0;
    const struct type_row *rows = types_rows(&count);

    (void)state;
    assert_in_range(count, 40, 80);
    for (size_t i = 0; i < count; i++) {
        assert_true(rows[i].mysql[0] != '\0' && rows[i].rw[0] != '\0');
        assert_true(rows[i].starrocks[0] != '\0' && rows[i].as_key[0] != '\0');
        if (strcmp(rows[i].rw, "refused") == 0) {
            assert_true(rows[i].note[0] != '\0');
        }
    }
    for (enum rw_type type = RW_UNSET + 1; type < RW_TYPE_MAX; type++) {
        assert_non_null(rw_type_name(type));
        assert_non_null(rw_type_catalog(type));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(maps_every_type),
        TEST(reads_lengths_from_the_schema),
        TEST(measures_enum_labels),
        TEST(decides_unsigned_keys_by_their_values),
        TEST(knows_generated_columns),
        TEST(warns_of_zero_dates_where_invited),
        TEST(compares_types_in_normal_form),
        TEST(documents_every_row),
    };

    return cmocka_run_group_tests_name("types", tests, NULL, NULL);
}

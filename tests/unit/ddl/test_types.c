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

static const struct types_options options = {.flavor = MYSQL_ORACLE};

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
    {"int zerofill", NULL, RW_BIGINT, SAME("bigint(20)")},
    {"int(10) unsigned zerofill", NULL, RW_BIGINT, SAME("bigint(20)")},
    {"mediumint unsigned", NULL, RW_BIGINT, SAME("bigint(20)")},
    {"bigint(20)", NULL, RW_BIGINT, SAME("bigint(20)")},
    {"bigint unsigned", NULL, RW_DECIMAL, SINK_PASS, "decimal(20, 0)", SINK_CAST_BIGINT,
     "bigint(20)", NULL},
    {"bigint(20) unsigned", NULL, RW_DECIMAL, SINK_PASS, "decimal(20, 0)",
     SINK_CAST_BIGINT, "bigint(20)", NULL},
    {"decimal(10,2)", NULL, RW_DECIMAL, SINK_PASS, "decimal(10, 2)", SINK_CAST_VARCHAR,
     "varchar(13)", NULL},
    {"decimal(28,28)", NULL, RW_DECIMAL, SINK_PASS, "decimal(28, 28)", SINK_CAST_VARCHAR,
     "varchar(31)", NULL},
    {"decimal(29,0)", NULL, RW_DECIMAL, NO_KEY(SINK_PASS, "decimal(29, 0)", "28 digits")},
    {"decimal(38,10)", NULL, RW_DECIMAL,
     NO_KEY(SINK_PASS, "decimal(38, 10)", "28 digits")},
    {"decimal(39,0)", NULL, RW_DECIMAL, NO_KEY(SINK_PASS, "decimal(39, 0)", "28 digits")},
    {"decimal(65,30)", NULL, RW_DECIMAL,
     NO_KEY(SINK_PASS, "decimal(65, 30)", "28 digits")},
    {"decimal(38,38)", NULL, RW_DECIMAL,
     NO_KEY(SINK_PASS, "decimal(38, 38)", "28 digits")},
    {"decimal(66,0)", NULL, RW_UNSET, NO_KEY(SINK_PASS, NULL, NULL)},
    {"decimal(5,6)", NULL, RW_UNSET, NO_KEY(SINK_PASS, NULL, NULL)},
    {"decimal(10,2) unsigned zerofill", NULL, RW_DECIMAL, SINK_PASS, "decimal(10, 2)",
     SINK_CAST_VARCHAR, "varchar(13)", NULL},
    {"float(7,3)", NULL, RW_REAL, NO_KEY(SINK_PASS, "float", NULL)},
    {"float unsigned", NULL, RW_REAL, NO_KEY(SINK_PASS, "float", NULL)},
    {"double", NULL, RW_DOUBLE, NO_KEY(SINK_PASS, "double", NULL)},
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
    {"enum('unsigned','int')", "latin1", RW_VARCHAR, SAME("varchar(256)")},
    {"date", NULL, RW_DATE, SAME("date")},
    {"datetime", NULL, RW_TIMESTAMP, SAME("datetime")},
    {"datetime(6)", NULL, RW_TIMESTAMP, SAME("datetime")},
    {"timestamp", NULL, RW_TIMESTAMPTZ, SINK_AT_UTC, "datetime", SINK_AT_UTC, "datetime",
     NULL},
    {"timestamp(6)", NULL, RW_TIMESTAMPTZ, SINK_AT_UTC, "datetime", SINK_AT_UTC,
     "datetime", NULL},
    {"year", NULL, RW_INTEGER, SAME("int(11)")},
    {"year(4)", NULL, RW_INTEGER, SAME("int(11)")},
    {"time(3)", NULL, RW_TIME, SINK_CAST_VARCHAR, "varchar(17)", SINK_CAST_VARCHAR,
     "varchar(17)", "24 hours"},
    {"time", NULL, RW_TIME, SINK_CAST_VARCHAR, "varchar(17)", SINK_CAST_VARCHAR,
     "varchar(17)", "24 hours"},
    {"json", NULL, RW_JSONB, NO_KEY(SINK_PASS, "json", "reordered")},
    {"binary(16)", NULL, RW_BYTEA, NO_KEY(SINK_HEX, "varchar(32)", "hexadecimal")},
    {"varbinary(8)", NULL, RW_BYTEA, NO_KEY(SINK_HEX, "varchar(16)", "hexadecimal")},
    {"tinyblob", NULL, RW_BYTEA, NO_KEY(SINK_HEX, "varchar(510)", "hexadecimal")},
    {"blob", NULL, RW_BYTEA, NO_KEY(SINK_HEX, "varchar(131070)", "hexadecimal")},
    {"mediumblob", NULL, RW_BYTEA, NO_KEY(SINK_HEX, "varchar(1048576)", "524288 bytes")},
    {"longblob", NULL, RW_BYTEA, NO_KEY(SINK_HEX, "varchar(1048576)", "524288 bytes")},
    {"binary(0)", NULL, RW_BYTEA, NO_KEY(SINK_HEX, "varchar(1)", "hexadecimal")},
    {"varbinary(65535)", NULL, RW_BYTEA,
     NO_KEY(SINK_HEX, "varchar(131070)", "hexadecimal")},
    {"set('x','y')", "utf8mb4", RW_UNSET, NO_KEY(SINK_PASS, NULL, NULL)},
    {"point", NULL, RW_UNSET, NO_KEY(SINK_PASS, NULL, NULL)},
    {"linestring", NULL, RW_UNSET, NO_KEY(SINK_PASS, NULL, NULL)},
    {"polygon", NULL, RW_UNSET, NO_KEY(SINK_PASS, NULL, NULL)},
    {"multipoint", NULL, RW_UNSET, NO_KEY(SINK_PASS, NULL, NULL)},
    {"multilinestring", NULL, RW_UNSET, NO_KEY(SINK_PASS, NULL, NULL)},
    {"geometrycollection", NULL, RW_UNSET, NO_KEY(SINK_PASS, NULL, NULL)},
    {"geometry", NULL, RW_UNSET, NO_KEY(SINK_PASS, NULL, NULL)},
    {"geomcollection", NULL, RW_UNSET, NO_KEY(SINK_PASS, NULL, NULL)},
    {"multipolygon", NULL, RW_UNSET, NO_KEY(SINK_PASS, NULL, NULL)},
    {"uuid", NULL, RW_UNSET, NO_KEY(SINK_PASS, NULL, NULL)},
    {"inet4", NULL, RW_UNSET, NO_KEY(SINK_PASS, NULL, NULL)},
    {"inet6", NULL, RW_UNSET, NO_KEY(SINK_PASS, NULL, NULL)},
    {"vector(4)", NULL, RW_UNSET, NO_KEY(SINK_PASS, NULL, NULL)},
    {"xmltype", NULL, RW_UNSET, NO_KEY(SINK_PASS, NULL, NULL)},
    {"integer", NULL, RW_UNSET, NO_KEY(SINK_PASS, NULL, NULL)}, /* never printed so */
};

static void check_one(struct fixture *f, const struct expectation *e, bool key)
{
    struct mysql_column column = column_of("c", e->mysql);
    struct column_map map;
    struct fault fault = FAULT_INIT;
    const char *starrocks = key ? e->key : e->starrocks;

    column.charset = e->charset;
    bool ok = types_map(&column, key, &options, f->arena, &map, &fault);
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
    assert_null(types_sink_refusal(map.delivered, sv_from(starrocks), NULL));
    assert_null(types_sink_refusal(map.delivered, sv_from(starrocks), "2.8.5"));
    assert_null(map.default_value);
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

static const char *const data_types[] = {
#define TYPE(data_type, attribute, mysql, rw, expr, kind, rule, limit, key, starrocks,   \
             note)                                                                       \
    data_type,
#define REFUSED(data_type, mysql, why) data_type,
#include "ddl/types.def"
};

static void expects_something_of_every_row(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(data_types); i++) {
        size_t found = 0;

        for (size_t j = 0; j < COUNT_OF(expectations); j++) {
            size_t n = strcspn(expectations[j].mysql, "( ");
            found += n == strlen(data_types[i]) &&
                     strncmp(expectations[j].mysql, data_types[i], n) == 0;
        }
        if (found == 0) {
            fail_msg("no expectation for %s", data_types[i]);
        }
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
    ASSERT_OK(types_map(&column, false, &options, f->arena, &map, &fault), &fault);
    assert_int_equal(map.sr.length, 20);
    column = column_of("c", "decimal(5,1)");
    column.numeric_precision = 7;
    column.numeric_scale = 3;
    ASSERT_OK(types_map(&column, false, &options, f->arena, &map, &fault), &fault);
    assert_string_equal(sr_type_catalog(&map.sr, f->arena), "decimal(7, 3)");
}

static void decides_unsigned_keys_by_their_values(void **state)
{
    struct fixture *f = *state;
    struct mysql_column column = column_of("id", "bigint(20) unsigned");
    struct column_map map;
    struct fault fault = FAULT_INIT;

    column.key_max = INT64_MAX;
    ASSERT_OK(types_map(&column, true, &options, f->arena, &map, &fault), &fault);
    assert_int_equal(map.expr, SINK_CAST_BIGINT);
    assert_int_equal(map.delivered, RW_BIGINT);
    assert_int_equal(map.sr.kind, SR_BIGINT);
    ASSERT_CONTAINS(map.note, "9223372036854775807");
    column.key_max = -1;
    ASSERT_OK(types_map(&column, true, &options, f->arena, &map, &fault), &fault);
    assert_int_equal(map.expr, SINK_CAST_VARCHAR);
    assert_int_equal(map.delivered, RW_VARCHAR);
    assert_string_equal(sr_type_catalog(&map.sr, f->arena), "varchar(20)");
    assert_int_equal(map.rw, RW_DECIMAL);
}

/* Their values are in the rows of the binary log; those of VIRTUAL ones are not. */
static void knows_generated_and_invisible_columns(void **state)
{
    static const char *const accepted[] = {
        "stored generated", "persistent", "invisible", "stored generated invisible",
        "default_generated on update current_timestamp"};
    static const char *const refused[] = {"virtual generated", "virtual",
                                          "virtual generated invisible",
                                          "VIRTUAL GENERATED"};
    struct fixture *f = *state;
    struct mysql_column column = column_of("total", "int(11)");
    struct column_map map;
    struct fault fault = FAULT_INIT;

    column.generation_expression = "a + b";
    for (size_t i = 0; i < COUNT_OF(accepted); i++) {
        column.extra = accepted[i];
        ASSERT_OK(types_map(&column, false, &options, f->arena, &map, &fault), &fault);
        assert_int_equal(map.rw, RW_INTEGER);
        assert_null(map.note);
    }
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        column.extra = refused[i];
        ASSERT_REFUSED(types_map(&column, false, &options, f->arena, &map, &fault),
                       &fault, "UnsupportedType");
        ASSERT_CONTAINS(fault.text, "make it STORED or drop it");
    }
}

static void documents_every_row(void **state)
{
    size_t count = 0;
    const struct type_row *rows = types_rows(&count);

    (void)state;
    assert_in_range(count, COUNT_OF(data_types) + 4, 80);
    for (size_t i = 0; i < count; i++) {
        assert_true(rows[i].mysql[0] != '\0' && rows[i].rw[0] != '\0');
        assert_true(rows[i].starrocks[0] != '\0' && rows[i].as_key[0] != '\0');
        if (strcmp(rows[i].rw, "refused") == 0) {
            assert_true(rows[i].note[0] != '\0');
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(maps_every_type),
        TEST(expects_something_of_every_row),
        TEST(reads_lengths_from_the_schema),
        TEST(decides_unsigned_keys_by_their_values),
        TEST(knows_generated_and_invisible_columns),
        TEST(documents_every_row),
    };

    return cmocka_run_group_tests_name("types", tests, NULL, NULL);
}

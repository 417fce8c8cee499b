/* What overrides make of a column: its name, its type, its value. */
#include "unit.h"

#include "ddl/expr.h"

#include <string.h>

static bool build(struct fixture *f, struct desired *out_desired, struct fault *fault)
{
    struct desired_input input = fixture_input(f);

    return desired_build(&input, f->arena, out_desired, fault);
}

static void override(struct fixture *f, struct column_override o)
{
    f->sync.overrides.n = 0;
    VEC_PUSH(f->arena, &f->sync.overrides, o);
}

/* The sink's expression for column `i`, `c` standing for the column's name. */
static const char *selected(const struct desired *d, size_t i, struct arena *arena)
{
    static const char *const shapes[SINK_EXPR_MAX] = {[SINK_PASS] = "c",
                                                      [SINK_CAST_BIGINT] = "c::BIGINT",
                                                      [SINK_CAST_VARCHAR] = "c::VARCHAR",
                                                      [SINK_CAST_JSONB] = "c::JSONB",
                                                      [SINK_AT_UTC] = "c AT UTC",
                                                      [SINK_HEX] = "hex(c)"};
    const struct column_map *map = &d->columns.v[i];

    return map->expr == SINK_CUSTOM ? expr_text(map->custom, arena) : shapes[map->expr];
}

struct row {
    const char *mysql, *target_type, *selected, *catalog;
    enum rw_type delivered;
    enum loss_kind loss;
    int64_t limit;
    const char *note; /* NULL: none */
};

static void check(struct fixture *f, const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct desired d;
        struct fault fault = FAULT_INIT;
        const struct row *row = &rows[i];
        f->table.columns.n = 0;
        f->table.primary_key.n = 0;
        fixture_column(f, "id", "int", "PRI");
        fixture_column(f, "v", row->mysql, "");
        override(f,
                 (struct column_override){.name = "v", .target_type = row->target_type});
        if (!build(f, &d, &fault)) {
            fail_msg("%s to %s: %s", row->mysql, row->target_type, fault.text);
        }
        const struct column_map *map = &d.columns.v[1];
        assert_string_equal(selected(&d, 1, f->arena), row->selected);
        assert_string_equal(sr_type_catalog(&map->sr, f->arena), row->catalog);
        assert_int_equal(map->delivered, row->delivered);
        assert_int_equal(map->loss, row->loss);
        assert_int_equal(map->loss_limit, row->limit);
        assert_null(types_sink_refusal(map->delivered, sv_from(row->catalog), "3.0.3"));
        if ((row->note == NULL) != (map->note == NULL) ||
            (row->note != NULL && strstr(map->note, row->note) == NULL)) {
            fail_msg("%s to %s: note %s", row->mysql, row->target_type, map->note);
        }
    }
}

static void delivers_whole_numbers(void **state)
{
    static const struct row rows[] = {
        {"tinyint", "TINYINT", "\"v\"::INTEGER", "tinyint(4)", RW_INTEGER, 0, 0, NULL},
        {"tinyint unsigned", "TINYINT", "\"v\"::INTEGER", "tinyint(4)", RW_INTEGER, 0, 0,
         "a number outside the range of tinyint(4)"},
        {"tinyint(1)", "BOOLEAN", "\"v\"::INTEGER::BOOLEAN", "tinyint(1)", RW_BOOLEAN,
         LOSS_BOOLEAN, 0, "every number but 0 arrives as true"},
        {"int", "BOOLEAN", "\"v\"::BOOLEAN", "tinyint(1)", RW_BOOLEAN, LOSS_BOOLEAN, 0,
         "arrives as true"},
        {"bigint", "BOOLEAN", "\"v\"::INTEGER::BOOLEAN", "tinyint(1)", RW_BOOLEAN,
         LOSS_BOOLEAN, 0, "arrives as true"},
        {"bit(1)", "INT", "\"v\"::INTEGER", "int(11)", RW_INTEGER, 0, 0, NULL},
        {"bit(1)", "BIGINT", "\"v\"::INTEGER", "bigint(20)", RW_INTEGER, 0, 0, NULL},
        {"smallint", "INT", "\"v\"::INTEGER", "int(11)", RW_INTEGER, 0, 0, NULL},
        {"smallint", "SMALLINT", "c", "smallint(6)", RW_SMALLINT, 0, 0, NULL},
        {"smallint", "bigint", "c::BIGINT", "bigint(20)", RW_BIGINT, 0, 0, NULL},
        {"int", "BIGINT", "c", "bigint(20)", RW_INTEGER, 0, 0, NULL},
        {"int", "SMALLINT", "c", "smallint(6)", RW_INTEGER, 0, 0,
         "outside the range of smallint(6)"},
        {"year", "SMALLINT", "c", "smallint(6)", RW_INTEGER, 0, 0, NULL},
        {"mediumint unsigned", "INT", "\"v\"::INTEGER", "int(11)", RW_INTEGER, 0, 0,
         NULL},
        {"int unsigned", "INT", "\"v\"::INTEGER", "int(11)", RW_INTEGER, 0, 0,
         "outside the range of int(11)"},
        {"bigint", "LARGEINT", "c", "bigint(20) unsigned", RW_BIGINT, 0, 0, NULL},
        {"smallint", "LARGEINT", "c::BIGINT", "bigint(20) unsigned", RW_BIGINT, 0, 0,
         NULL},
        {"bigint unsigned", "BIGINT", "c::BIGINT", "bigint(20)", RW_BIGINT, 0, 0,
         "outside the range of bigint(20)"},
        {"decimal(5,0)", "INT", "\"v\"::INTEGER", "int(11)", RW_INTEGER, 0, 0, NULL},
        {"decimal(7,2)", "INT", "\"v\"::INTEGER", "int(11)", RW_INTEGER, 0, 0,
         "fractions are rounded"},
    };

    check(*state, rows, COUNT_OF(rows));
}

static void delivers_other_numbers(void **state)
{
    static const struct row rows[] = {
        {"int", "DECIMAL(12,2)", "\"v\"::DECIMAL", "decimal(12, 2)", RW_DECIMAL, 0, 0,
         NULL},
        {"int", "DECIMAL(9,0)", "\"v\"::DECIMAL", "decimal(9, 0)", RW_DECIMAL, 0, 0,
         "does not fit decimal(9, 0)"},
        {"decimal(10,2)", "DECIMAL(12,2)", "c", "decimal(12, 2)", RW_DECIMAL, 0, 0, NULL},
        {"decimal(10,2)", "DECIMAL(12,1)", "c", "decimal(12, 1)", RW_DECIMAL, 0, 0,
         "does not fit"},
        {"decimal(10,2)", "DECIMAL(9,2)", "c", "decimal(9, 2)", RW_DECIMAL, 0, 0,
         "does not fit"},
        {"double", "DECIMAL(38,9)", "\"v\"::DECIMAL", "decimal(38, 9)", RW_DECIMAL, 0, 0,
         "does not fit"},
        {"float", "DOUBLE", "\"v\"::DOUBLE", "double", RW_DOUBLE, 0, 0, NULL},
        {"double", "FLOAT", "\"v\"::REAL", "float", RW_REAL, 0, 0, "about 7 digits"},
        {"smallint", "FLOAT", "\"v\"::REAL", "float", RW_REAL, 0, 0, NULL},
        {"int", "DOUBLE", "\"v\"::DOUBLE", "double", RW_DOUBLE, 0, 0, NULL},
        {"bigint", "DOUBLE", "\"v\"::DOUBLE", "double", RW_DOUBLE, 0, 0,
         "about 15 digits"},
    };

    check(*state, rows, COUNT_OF(rows));
}

static void delivers_text(void **state)
{
    static const struct row rows[] = {
        {"varchar(10)", "VARCHAR(40)", "c", "varchar(40)", RW_VARCHAR, 0, 0, NULL},
        {"varchar(10)", "VARCHAR(100)", "c", "varchar(100)", RW_VARCHAR, 0, 0, NULL},
        {"varchar(10)", "STRING", "c", "varchar(65533)", RW_VARCHAR, 0, 0, NULL},
        {"varchar(10)", "VARCHAR(39)", "c", "varchar(39)", RW_VARCHAR, LOSS_LENGTH, 39,
         "a value over 39 bytes stops the sink"},
        {"longtext", "VARCHAR(100)", "c", "varchar(100)", RW_VARCHAR, LOSS_LENGTH, 100,
         "a value over 100 bytes"},
        {"int", "VARCHAR(11)", "c::VARCHAR", "varchar(11)", RW_VARCHAR, 0, 0, NULL},
        {"int", "VARCHAR(10)", "c::VARCHAR", "varchar(10)", RW_VARCHAR, LOSS_LENGTH, 10,
         "over 10 bytes"},
        {"bigint unsigned", "VARCHAR(20)", "c::VARCHAR", "varchar(20)", RW_VARCHAR, 0, 0,
         NULL},
        {"decimal(10,2)", "VARCHAR(13)", "c::VARCHAR", "varchar(13)", RW_VARCHAR, 0, 0,
         NULL},
        {"decimal(10,2)", "VARCHAR(12)", "c::VARCHAR", "varchar(12)", RW_VARCHAR,
         LOSS_LENGTH, 12, "over 12 bytes"},
        {"bit(1)", "VARCHAR(5)", "c::VARCHAR", "varchar(5)", RW_VARCHAR, 0, 0, NULL},
        {"binary(4)", "VARCHAR(6)", "hex(c)", "varchar(6)", RW_VARCHAR, LOSS_LENGTH, 3,
         "arrives as hexadecimal text; a value over 6 bytes stops the sink"},
        {"binary(4)", "VARCHAR(80)", "hex(c)", "varchar(80)", RW_VARCHAR, 0, 0,
         "arrives as hexadecimal text"},
        {"json", "VARCHAR(500)", "c::VARCHAR", "varchar(500)", RW_VARCHAR, LOSS_LENGTH,
         500, "keys are reordered and numbers normalised; a value over 500 bytes"},
        {"time", "VARCHAR(8)", "c::VARCHAR", "varchar(8)", RW_VARCHAR, LOSS_LENGTH, 8,
         "values below 0 or from 24 hours on arrive as NULL; a value over 8 bytes"},
        {"time", "VARCHAR(30)", "c::VARCHAR", "varchar(30)", RW_VARCHAR, LOSS_TIME_RANGE,
         0, "values below 0"},
    };

    check(*state, rows, COUNT_OF(rows));
}

static void delivers_moments_and_documents(void **state)
{
    static const struct row rows[] = {
        {"date", "DATETIME", "\"v\"::TIMESTAMP", "datetime", RW_TIMESTAMP, LOSS_ZERO_DATE,
         0, NULL},
        {"datetime", "DATE", "\"v\"::DATE", "date", RW_DATE, LOSS_ZERO_DATE, 0,
         "the time of day is left out"},
        {"timestamp", "DATE", "(\"v\" AT TIME ZONE 'UTC')::DATE", "date", RW_DATE,
         LOSS_ZERO_DATE, 0, "the time of day is left out"},
        {"timestamp", "VARCHAR(26)", "(\"v\" AT TIME ZONE 'UTC')::VARCHAR", "varchar(26)",
         RW_VARCHAR, LOSS_ZERO_DATE, 0, NULL},
        {"datetime(6)", "VARCHAR(26)", "c::VARCHAR", "varchar(26)", RW_VARCHAR,
         LOSS_ZERO_DATE, 0, NULL},
        {"date", "VARCHAR(10)", "c::VARCHAR", "varchar(10)", RW_VARCHAR, LOSS_ZERO_DATE,
         0, NULL},
        {"longtext", "JSON", "c::JSONB", "json", RW_JSONB, 0, 0,
         "text that is no JSON document arrives as NULL"},
        {"json", "JSON", "c", "json", RW_JSONB, 0, 0, "keys are reordered"},
    };

    check(*state, rows, COUNT_OF(rows));
}

static void refuses_pairs_the_sink_refuses(void **state)
{
    struct fixture *f = *state;
    static const char *const rows[][3] = {
        {"varchar(10)", "INT", "a varchar needs a column type with varchar in it"},
        {"varchar(10)", "BOOLEAN", "a varchar needs"},
        {"varchar(10)", "DATE", "a varchar needs"},
        {"bigint unsigned", "LARGEINT", "a decimal needs a column type with decimal"},
        {"int", "JSON", "an integer needs a column type with int in it"},
        {"int", "DATE", "an integer needs"},
        {"double", "INT", "a double precision needs"},
        {"bit(1)", "DOUBLE", "a boolean needs a column type with tinyint"},
        {"date", "INT", "a date needs a column type with date in it"},
        {"blob", "JSON", "a varchar needs"},
        {"blob", "INT", "a varchar needs"},
        {"time", "DATETIME", "TIME is not supported for Starrocks sink"},
        {"json", "INT", "a jsonb needs a column type with json in it"},
        {"timestamp", "BIGINT", "a timestamp needs a column type with datetime"},
    };

    fixture_column(f, "id", "int", "PRI");
    fixture_column(f, "v", "int", "");
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct desired d;
        struct fault fault = FAULT_INIT;
        f->table.columns.v[1] = column_of("v", rows[i][0]);
        override(f, (struct column_override){.name = "V", .target_type = rows[i][1]});
        ASSERT_REFUSED(build(f, &d, &fault), &fault, "InvalidOverride");
        ASSERT_CONTAINS(fault.text, "spec.columns.overrides['v'].targetType: ");
        ASSERT_CONTAINS(fault.text, "Column type don't match");
        ASSERT_CONTAINS(fault.text, rows[i][2]);
    }
}

static void refuses_what_is_no_type(void **state)
{
    struct fixture *f = *state;
    static const char *const bad[] = {"",           "INT UNSIGNED", "VARCHAR",
                                      "VARCHAR(0)", "DECIMAL(5,6)", "INT; DROP TABLE x",
                                      "ARRAY<INT>"};
    struct desired d;

    fixture_column(f, "id", "int", "PRI");
    fixture_column(f, "v", "int", "");
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct fault fault = FAULT_INIT;
        override(f, (struct column_override){.name = "v", .target_type = bad[i]});
        ASSERT_REFUSED(build(f, &d, &fault), &fault, "InvalidOverride");
        ASSERT_CONTAINS(fault.text, "spec.columns.overrides['v'].targetType: ");
    }
}

static void minds_the_version_for_wide_decimals(void **state)
{
    struct fixture *f = *state;
    struct desired_input input;
    struct desired d;
    struct fault fault = FAULT_INIT;

    fixture_column(f, "id", "int", "PRI");
    fixture_column(f, "v", "decimal(10,2)", "");
    override(f, (struct column_override){.name = "v", .target_type = "DECIMAL(50,2)"});
    input = fixture_input(f);
    input.starrocks_version = "3.3.16-abcdef";
    ASSERT_REFUSED(desired_build(&input, f->arena, &d, &fault), &fault,
                   "InvalidOverride");
    ASSERT_CONTAINS(fault.text, "DECIMAL's precision should range from 1 to 38");
    input.starrocks_version = "4.1.0";
    ASSERT_OK(desired_build(&input, f->arena, &d, &fault), &fault);
}

/* Only text is faithful, and text is asked for. */
static void makes_text_of_what_has_no_other_type(void **state)
{
    struct fixture *f = *state;
    struct desired_input input;
    struct desired d;
    struct fault fault = FAULT_INIT;

    fixture_column(f, "id", "int", "PRI");
    fixture_column(f, "v", "decimal(65,30)", "");
    input = fixture_input(f);
    input.starrocks_version = "3.3.16";
    ASSERT_REFUSED(desired_build(&input, f->arena, &d, &fault), &fault,
                   "UnsupportedType");
    override(f, (struct column_override){.name = "v", .target_type = "VARCHAR(80)"});
    input = fixture_input(f);
    input.starrocks_version = "3.3.16";
    ASSERT_OK(desired_build(&input, f->arena, &d, &fault), &fault);
    assert_int_equal(d.columns.v[1].sr.length, 80);
    assert_int_equal(d.columns.v[1].expr, SINK_CAST_VARCHAR);
}

static void keeps_defaults_that_still_fit(void **state)
{
    struct fixture *f = *state;
    struct desired d;
    struct fault fault = FAULT_INIT;

    fixture_column(f, "id", "int", "PRI");
    struct mysql_column *column = fixture_column(f, "v", "varchar(10)", "");
    column->default_value = "abcdef";
    ASSERT_OK(build(f, &d, &fault), &fault);
    assert_string_equal(d.columns.v[1].default_value, "abcdef");
    override(f, (struct column_override){.name = "v", .target_type = "VARCHAR(6)"});
    ASSERT_OK(build(f, &d, &fault), &fault);
    assert_string_equal(d.columns.v[1].default_value, "abcdef");
    override(f, (struct column_override){.name = "v", .target_type = "VARCHAR(5)"});
    ASSERT_OK(build(f, &d, &fault), &fault);
    assert_null(d.columns.v[1].default_value);
    override(f, (struct column_override){.name = "v", .target_type = "JSON"});
    ASSERT_OK(build(f, &d, &fault), &fault);
    assert_null(d.columns.v[1].default_value);
    override(f, (struct column_override){.name = "v", .expression = "lower(v)"});
    ASSERT_OK(build(f, &d, &fault), &fault);
    assert_null(d.columns.v[1].default_value);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(delivers_whole_numbers),
        TEST(delivers_other_numbers),
        TEST(delivers_text),
        TEST(delivers_moments_and_documents),
        TEST(refuses_pairs_the_sink_refuses),
        TEST(refuses_what_is_no_type),
        TEST(minds_the_version_for_wide_decimals),
        TEST(makes_text_of_what_has_no_other_type),
        TEST(keeps_defaults_that_still_fit),
    };

    return cmocka_run_group_tests_name("desired_override", tests, NULL, NULL);
}

/* Values that expressions make, and what overrides may do to key columns. */
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

static void invoices(struct fixture *f)
{
    fixture_column(f, "id", "int", "PRI");
    fixture_column(f, "status", "varchar(10)", "");
    fixture_column(f, "price", "decimal(10,2)", "");
    fixture_column(f, "at", "timestamp", "");
    fixture_column(f, "raw", "binary(4)", "");
    fixture_column(f, "took", "time", "");
    fixture_column(f, "doc", "json", "");
    fixture_column(f, "day", "date", "");
    fixture_column(f, "f", "float", "");
    fixture_column(f, "small", "smallint", "");
}

static void gives_expressions_their_natural_type(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *expression, *catalog;
        enum rw_type delivered;
    } rows[] = {
        {"id = 1", "tinyint(1)", RW_BOOLEAN},
        {"small", "smallint(6)", RW_SMALLINT},
        {"id + 1", "int(11)", RW_INTEGER},
        {"id::bigint", "bigint(20)", RW_BIGINT},
        {"f", "float", RW_REAL},
        {"price::double", "double", RW_DOUBLE},
        {"upper(status)", "varchar(65533)", RW_VARCHAR},
        {"day", "date", RW_DATE},
        {"\"at\" AT TIME ZONE 'Asia/Tokyo'", "datetime", RW_TIMESTAMP},
        {"doc -> 'a'", "json", RW_JSONB},
    };

    invoices(f);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct desired d;
        struct fault fault = FAULT_INIT;
        override(f, (struct column_override){.name = "status",
                                             .expression = rows[i].expression});
        if (!build(f, &d, &fault)) {
            fail_msg("%s: %s", rows[i].expression, fault.text);
        }
        const struct column_map *map = &d.columns.v[1];
        assert_int_equal(map->expr, SINK_CUSTOM);
        assert_null(d.rw_columns.v[1]);
        assert_string_equal(sr_type_catalog(&map->sr, f->arena), rows[i].catalog);
        assert_int_equal(map->delivered, rows[i].delivered);
        assert_int_equal(map->rw, RW_VARCHAR);
    }
}

static void casts_expressions_to_the_asked_type(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *expression, *type, *written, *catalog;
    } rows[] = {
        {"price * 2", "DECIMAL(12,2)", "(\"price\" * 2::DECIMAL)", "decimal(12, 2)"},
        {"id + 1", "BIGINT", "(\"id\" + 1)", "bigint(20)"},
        {"small", "BIGINT", "\"small\"::BIGINT", "bigint(20)"},
        {"small", "TINYINT", "\"small\"::INTEGER", "tinyint(4)"},
        {"id::bigint", "BOOLEAN", "\"id\"::BIGINT::INTEGER::BOOLEAN", "tinyint(1)"},
        {"id", "VARCHAR(20)", "\"id\"::VARCHAR", "varchar(20)"},
        {"status", "JSON", "\"status\"::JSONB", "json"},
        {"doc ->> 'n'", "VARCHAR(100)", "(\"doc\" ->> 'n')", "varchar(100)"},
        {"day", "DATETIME", "\"day\"::TIMESTAMP", "datetime"},
    };

    invoices(f);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct desired d;
        struct fault fault = FAULT_INIT;
        override(f, (struct column_override){.name = "status",
                                             .target_type = rows[i].type,
                                             .expression = rows[i].expression});
        if (!build(f, &d, &fault)) {
            fail_msg("%s: %s", rows[i].expression, fault.text);
        }
        const struct column_map *map = &d.columns.v[1];
        assert_string_equal(expr_text(map->custom, f->arena), rows[i].written);
        assert_string_equal(sr_type_catalog(&map->sr, f->arena), rows[i].catalog);
        assert_int_equal(map->delivered, expr_type(map->custom));
    }
}

static void refuses_values_the_sink_refuses(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *expression, *type, *says;
    } rows[] = {
        {"price * 2", NULL, "'].expression: its value is a DECIMAL"},
        {"price * 2", NULL, "set targetType to DECIMAL(p,s)"},
        {"\"at\"", NULL, "TIMESTAMP WITH TIMEZONE is not supported for Starrocks sink"},
        {"\"at\"", NULL, "end it with AT TIME ZONE 'UTC'"},
        {"raw", NULL, "BYTEA is not supported for Starrocks sink"},
        {"raw", NULL, "end it with encode(..., 'hex')"},
        {"took", NULL, "TIME is not supported for Starrocks sink"},
        {"took", NULL, "end it with ::VARCHAR"},
        {"NULL", NULL, "NULL alone has no type"},
        {"status + 1", NULL, "'].expression: at byte 8: '+' needs numbers"},
        {"missing", NULL, "the table has no such column"},
        {"lower(status)", "INT",
         "'].targetType: VARCHAR cannot be delivered into a "
         "column of type int(11)"},
        {"raw", "VARCHAR(10)", "'].targetType: BYTEA cannot be delivered"},
        {"id", "INTEGER", "'INTEGER' is no type for a StarRocks column"},
    };

    invoices(f);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct desired d;
        struct fault fault = FAULT_INIT;
        override(f, (struct column_override){.name = "status",
                                             .target_type = rows[i].type,
                                             .expression = rows[i].expression});
        ASSERT_REFUSED(build(f, &d, &fault), &fault, "InvalidOverride");
        ASSERT_CONTAINS(fault.text, "spec.columns.overrides['status'");
        ASSERT_CONTAINS(fault.text, rows[i].says);
    }
}

/* From 3.1 on the sink takes an instant, and writes it in the session's zone. */
static void wants_a_zone_from_later_versions_too(void **state)
{
    struct fixture *f = *state;
    struct desired_input input;
    struct desired d;
    struct fault fault = FAULT_INIT;

    invoices(f);
    override(f, (struct column_override){.name = "status", .expression = "\"at\""});
    input = fixture_input(f);
    input.rw_version = "3.1.0";
    ASSERT_REFUSED(desired_build(&input, f->arena, &d, &fault), &fault,
                   "InvalidOverride");
    ASSERT_CONTAINS(fault.text, "in the time zone of the session");
}

static void says_what_expressions_lose(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *name, *expression, *type;
        enum loss_kind loss;
        const char *note; /* NULL: none */
    } rows[] = {
        {"took", "took::varchar", NULL, LOSS_TIME_RANGE, "values below 0"},
        {"status", "took::varchar", NULL, LOSS_NONE,
         "it reads column 'took': values below 0 or from 24 hours on"},
        {"status", "status || status", "VARCHAR(80)", LOSS_NONE,
         NULL}, /* each column is counted once */
        {"status", "status", "VARCHAR(39)", LOSS_NONE, "a value over 39 bytes stops"},
        {"status", "lower(status)", NULL, LOSS_NONE, NULL},
        {"status", "doc ->> 'a'", NULL, LOSS_NONE, "a value over 65533 bytes stops"},
        {"status", "small", "TINYINT", LOSS_NONE, "outside the range of tinyint(4)"},
        {"status", "id", "BOOLEAN", LOSS_NONE, "arrives as true"},
    };

    invoices(f);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct desired d;
        struct fault fault = FAULT_INIT;
        const struct column_map *map = NULL;
        override(f, (struct column_override){.name = rows[i].name,
                                             .target_type = rows[i].type,
                                             .expression = rows[i].expression});
        ASSERT_OK(build(f, &d, &fault), &fault);
        for (size_t k = 0; k < d.columns.n; k++) {
            if (strcmp(d.columns.v[k].source->name, rows[i].name) == 0) {
                map = &d.columns.v[k];
            }
        }
        must(map != NULL);
        assert_int_equal(map->loss, rows[i].loss);
        if ((rows[i].note == NULL) != (map->note == NULL) ||
            (map->note != NULL && strstr(map->note, rows[i].note) == NULL)) {
            fail_msg("%s: %s", rows[i].expression, map->note);
        }
    }
}

static void takes_key_types_that_keep_rows_apart(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *mysql, *type, *catalog;
        enum sink_expr expr;
        enum loss_kind loss;
    } rows[] = {
        {"int", "BIGINT", "bigint(20)", SINK_PASS, 0},
        {"smallint", "BIGINT", "bigint(20)", SINK_CAST_BIGINT, 0},
        {"smallint", "INT", "int(11)", SINK_CUSTOM, 0},
        {"tinyint", "TINYINT", "tinyint(4)", SINK_CUSTOM, 0},
        {"bigint", "LARGEINT", "bigint(20) unsigned", SINK_PASS, 0},
        {"int", "VARCHAR(11)", "varchar(11)", SINK_CAST_VARCHAR, 0},
        {"bigint unsigned", "VARCHAR(20)", "varchar(20)", SINK_CAST_VARCHAR, 0},
        {"bigint unsigned", "LARGEINT", "bigint(20) unsigned", SINK_CAST_BIGINT, 0},
        {"decimal(10,2)", "VARCHAR(40)", "varchar(40)", SINK_CAST_VARCHAR, 0},
        {"varchar(5)", "VARCHAR(64)", "varchar(64)", SINK_PASS, 0},
        {"varchar(5)", "VARCHAR(8)", "varchar(8)", SINK_PASS, LOSS_LENGTH},
        {"date", "DATETIME", "datetime", SINK_CUSTOM, LOSS_ZERO_DATE},
        {"date", "VARCHAR(10)", "varchar(10)", SINK_CAST_VARCHAR, LOSS_ZERO_DATE},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct desired d;
        struct fault fault = FAULT_INIT;
        f->table.columns.n = 0;
        f->table.primary_key.n = 0;
        fixture_column(f, "id", rows[i].mysql, "PRI");
        override(f, (struct column_override){.name = "id", .target_type = rows[i].type});
        if (!build(f, &d, &fault)) {
            fail_msg("%s to %s: %s", rows[i].mysql, rows[i].type, fault.text);
        }
        const struct column_map *map = &d.columns.v[0];
        assert_true(map->key);
        assert_string_equal(sr_type_catalog(&map->sr, f->arena), rows[i].catalog);
        assert_int_equal(map->expr, rows[i].expr);
        assert_int_equal(map->loss, rows[i].loss);
    }
}

static void refuses_key_types_that_merge_rows(void **state)
{
    struct fixture *f = *state;
    static const char *const rows[][3] = {
        {"int", "SMALLINT", "cannot tell apart, and rows would become one"},
        {"int unsigned", "INT", "rows would become one"},
        {"tinyint", "BOOLEAN", "rows would become one"},
        {"datetime", "DATE", "rows would become one"},
        {"int", "DECIMAL(20,0)", "primary key column[id] type not supported: DECIMAL"},
        {"int", "DOUBLE", "primary key column[id] type not supported: DOUBLE"},
        {"int", "FLOAT", "primary key column[id] type not supported: FLOAT"},
        {"varchar(9)", "JSON", "primary key column[id] type not supported: JSON"},
        {"varchar(9)", "INT", "cannot be delivered into a column of type int(11)"},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct desired d;
        struct fault fault = FAULT_INIT;
        f->table.columns.n = 0;
        f->table.primary_key.n = 0;
        fixture_column(f, "id", rows[i][0], "PRI");
        override(f, (struct column_override){.name = "id", .target_type = rows[i][1]});
        ASSERT_REFUSED(build(f, &d, &fault), &fault, "InvalidOverride");
        ASSERT_CONTAINS(fault.text, "spec.columns.overrides['id'].targetType: ");
        ASSERT_CONTAINS(fault.text, rows[i][2]);
    }
}

static void keeps_large_unsigned_keys_out_of_bigint(void **state)
{
    struct fixture *f = *state;
    struct desired d;
    struct fault fault = FAULT_INIT;

    struct mysql_column *id = fixture_column(f, "id", "bigint unsigned", "PRI");
    override(f, (struct column_override){.name = "id", .target_type = "BIGINT"});
    ASSERT_OK(build(f, &d, &fault), &fault);
    assert_int_equal(d.columns.v[0].expr, SINK_CAST_BIGINT);
    id->key_max = -1;
    ASSERT_REFUSED(build(f, &d, &fault), &fault, "InvalidOverride");
    ASSERT_CONTAINS(fault.text, "rows would become one");
}

static void leaves_values_of_keys_alone(void **state)
{
    struct fixture *f = *state;
    struct desired d;
    struct fault fault = FAULT_INIT;
    struct mysql_key key = {.name = "uq"};

    fixture_column(f, "id", "int", "PRI");
    fixture_column(f, "mail", "varchar(10)", "");
    VEC_PUSH(f->arena, &key.columns, "mail");
    VEC_PUSH(f->arena, &f->table.unique_keys, key);
    override(f, (struct column_override){.name = "id", .expression = "id + 1"});
    ASSERT_REFUSED(build(f, &d, &fault), &fault, "InvalidOverride");
    ASSERT_CONTAINS(fault.text, "a key column has the value it has in MySQL");
    VEC_PUSH(f->arena, &f->sync.primary_key, "mail"); /* id is a value now */
    ASSERT_OK(build(f, &d, &fault), &fault);
    assert_int_equal(d.columns.v[1].expr, SINK_CUSTOM);
    assert_int_equal(d.cdc_key_count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(gives_expressions_their_natural_type),
        TEST(casts_expressions_to_the_asked_type),
        TEST(refuses_values_the_sink_refuses),
        TEST(wants_a_zone_from_later_versions_too),
        TEST(says_what_expressions_lose),
        TEST(takes_key_types_that_keep_rows_apart),
        TEST(refuses_key_types_that_merge_rows),
        TEST(keeps_large_unsigned_keys_out_of_bigint),
        TEST(leaves_values_of_keys_alone),
    };

    return cmocka_run_group_tests_name("desired_value", tests, NULL, NULL);
}

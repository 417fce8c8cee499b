#include "unit.h"

#include "ddl/types.h"

#include <string.h>

enum {
    ON_BOOLEAN = 1 << 0,
    ON_TINYINT = 1 << 1,
    ON_SMALLINT = 1 << 2,
    ON_INT = 1 << 3,
    ON_BIGINT = 1 << 4,
    ON_LARGEINT = 1 << 5,
    ON_DECIMAL = 1 << 6,
    ON_FLOAT = 1 << 7,
    ON_DOUBLE = 1 << 8,
    ON_CHAR = 1 << 9,
    ON_VARCHAR = 1 << 10,
    ON_DATE = 1 << 11,
    ON_DATETIME = 1 << 12,
    ON_JSON = 1 << 13,
    ON_VARBINARY = 1 << 14,
    ON_BIT_COUNT = 15
};

/* COLUMN_TYPE as information_schema prints it (the transcript's "good"). */
static const char *const column_types[ON_BIT_COUNT] = {
    "tinyint(1)",          "tinyint(4)",     "smallint(6)", "int(11)", "bigint(20)",
    "bigint(20) unsigned", "decimal(10, 2)", "float",       "double",  "char(10)",
    "varchar(20)",         "date",           "datetime",    "json",    "varbinary(10)"};

/* risingwave.md 4.4, the whole table: what a type passes its check on. */
static const struct {
    enum rw_type type;
    unsigned accepted, accepted_from_3_1;
    const char *why;
} verdicts[] = {
    {RW_BOOLEAN, ON_BOOLEAN | ON_TINYINT, ON_BOOLEAN | ON_TINYINT, "tinyint"},
    {RW_SMALLINT, ON_SMALLINT, ON_SMALLINT, "smallint"},
    {RW_INTEGER, ON_BOOLEAN | ON_TINYINT | ON_SMALLINT | ON_INT | ON_BIGINT | ON_LARGEINT,
     ON_BOOLEAN | ON_TINYINT | ON_SMALLINT | ON_INT | ON_BIGINT | ON_LARGEINT, "int"},
    {RW_BIGINT, ON_BIGINT | ON_LARGEINT, ON_BIGINT | ON_LARGEINT, "bigint"},
    {RW_DECIMAL, ON_DECIMAL, ON_DECIMAL, "decimal"},
    {RW_REAL, ON_FLOAT, ON_FLOAT, "float"},
    {RW_DOUBLE, ON_DOUBLE, ON_DOUBLE, "double"},
    {RW_VARCHAR, ON_VARCHAR, ON_VARCHAR, "varchar"},
    {RW_DATE, ON_DATE | ON_DATETIME, ON_DATE | ON_DATETIME, "date"},
    {RW_TIME, 0, 0,
     "TIME is not supported for Starrocks sink. Please convert to VARCHAR or other "
     "supported types."},
    {RW_TIMESTAMP, ON_DATETIME, ON_DATETIME, "datetime"},
    {RW_TIMESTAMPTZ, 0, ON_DATETIME | ON_VARCHAR | ON_CHAR,
     "TIMESTAMP WITH TIMEZONE is not supported for Starrocks sink as Starrocks doesn't "
     "store time values with timezone information. Please convert to TIMESTAMP first."},
    {RW_BYTEA, 0, 0,
     "BYTEA is not supported for Starrocks sink. Please convert to VARCHAR or other "
     "supported types."},
    {RW_JSONB, ON_JSON, ON_JSON, "json"},
};

static void check_verdict(enum rw_type type, const char *column_type, bool accepted,
                          const char *version, const char *why)
{
    const char *refusal = types_sink_refusal(type, sv_from(column_type), version);

    if ((refusal == NULL) != accepted) {
        fail_msg("%s into %s, RisingWave %s: %s", rw_type_name(type), column_type,
                 version == NULL ? "of today" : version,
                 refusal == NULL ? "accepted" : refusal);
    }
    if (refusal != NULL) {
        ASSERT_CONTAINS(refusal, why);
    }
}

static void mirrors_the_sinks_check(void **state)
{
    static const char *const before[] = {NULL, "3.0.3", "2.8.5", "3.0.3-rc.1"};
    static const char *const from[] = {"3.1.0", "3.1.0-alpha", "3.2.0-alpha", "10.0.0"};

    (void)state;
    assert_int_equal(COUNT_OF(verdicts), RW_TYPE_MAX - 1);
    for (size_t i = 0; i < COUNT_OF(verdicts); i++) {
        for (size_t j = 0; j < ON_BIT_COUNT; j++) {
            for (size_t k = 0; k < COUNT_OF(before); k++) {
                check_verdict(verdicts[i].type, column_types[j],
                              (verdicts[i].accepted & 1U << j) != 0, before[k],
                              verdicts[i].why);
                check_verdict(verdicts[i].type, column_types[j],
                              (verdicts[i].accepted_from_3_1 & 1U << j) != 0, from[k],
                              verdicts[i].why);
            }
        }
    }
}

/* By substring and with case, like the original. */
static void mirrors_its_quirks(void **state)
{
    (void)state;
    assert_null(types_sink_refusal(RW_BOOLEAN, SV("boolean"), NULL));
    assert_null(types_sink_refusal(RW_VARCHAR, SV("array<varchar(20)>"), NULL));
    assert_null(types_sink_refusal(RW_TIMESTAMPTZ, SV("string"), "3.1.0"));
    assert_non_null(types_sink_refusal(RW_VARCHAR, SV("VARCHAR(20)"), NULL));
    assert_non_null(types_sink_refusal(RW_VARCHAR, SV("string"), NULL));
    assert_non_null(types_sink_refusal(RW_INTEGER, SV(""), NULL));
}

struct kept {
    enum rw_type rw;
    const char *column_type;
    enum sink_expr expr; /* 0: no row fits */
    enum rw_type delivered;
};

static const struct kept kept[] = {
    {RW_SMALLINT, "smallint(6)", SINK_PASS, RW_SMALLINT},
    {RW_INTEGER, "int(11)", SINK_PASS, RW_INTEGER},
    {RW_BIGINT, "bigint(20)", SINK_PASS, RW_BIGINT},
    {RW_DECIMAL, "decimal(20, 0)", SINK_PASS, RW_DECIMAL},
    {RW_DECIMAL, "varchar(68)", SINK_CAST_VARCHAR, RW_VARCHAR},
    {RW_REAL, "float", SINK_PASS, RW_REAL},
    {RW_DOUBLE, "double", SINK_PASS, RW_DOUBLE},
    {RW_BOOLEAN, "tinyint(1)", SINK_PASS, RW_BOOLEAN},
    {RW_BYTEA, "varchar(510)", SINK_HEX, RW_VARCHAR},
    {RW_VARCHAR, "varchar(40)", SINK_PASS, RW_VARCHAR},
    {RW_DATE, "date", SINK_PASS, RW_DATE},
    {RW_TIMESTAMP, "datetime", SINK_PASS, RW_TIMESTAMP},
    {RW_TIMESTAMPTZ, "datetime", SINK_AT_UTC, RW_TIMESTAMP},
    {RW_TIME, "varchar(17)", SINK_CAST_VARCHAR, RW_VARCHAR},
    {RW_JSONB, "json", SINK_PASS, RW_JSONB},
    {RW_SMALLINT, "tinyint(1)", 0, 0},
    {RW_SMALLINT, "tinyint(4)", 0, 0},
    {RW_INTEGER, "bigint(20)", 0, 0},
    {RW_BIGINT, "bigint(20) unsigned", 0, 0},
    {RW_VARCHAR, "json", 0, 0},
    {RW_VARCHAR, "char(10)", 0, 0},
    {RW_DATE, "datetime", 0, 0},
    {RW_JSONB, "varchar(1024)", 0, 0},
    {RW_UNSET, "int(11)", 0, 0},
    {RW_VARCHAR, "", 0, 0},
};

static void keeps_what_a_row_of_the_table_made(void **state)
{
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(kept); i++) {
        struct column_map map = {.rw = RW_TYPE_MAX};
        struct sv column_type = sv_from(kept[i].column_type);

        assert_int_equal(types_map_kept(kept[i].rw, column_type, &map),
                         kept[i].expr != 0);
        if (kept[i].expr == 0) {
            assert_int_equal(map.rw, RW_TYPE_MAX);
            continue;
        }
        assert_int_equal(map.rw, kept[i].rw);
        assert_int_equal(map.expr, kept[i].expr);
        assert_int_equal(map.delivered, kept[i].delivered);
        assert_null(map.source);
        assert_false(map.key);
        assert_string_equal(sr_type_catalog(&map.sr, f->arena), kept[i].column_type);
        assert_null(types_sink_refusal(map.delivered, column_type, NULL));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(mirrors_the_sinks_check),
        TEST(mirrors_its_quirks),
        TEST(keeps_what_a_row_of_the_table_made),
    };

    return cmocka_run_group_tests_name("types_sink", tests, NULL, NULL);
}

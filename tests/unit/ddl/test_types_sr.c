#include "unit.h"

#include "ddl/types.h"

#include <string.h>

struct spelling {
    const char *text;
    const char *catalog; /* NULL: refused */
};

static const struct spelling written[] = {
    {"BOOLEAN", "tinyint(1)"},
    {"TINYINT", "tinyint(4)"},
    {"SMALLINT", "smallint(6)"},
    {"INT", "int(11)"},
    {"BIGINT", "bigint(20)"},
    {"LARGEINT", "bigint(20) unsigned"},
    {"FLOAT", "float"},
    {"DOUBLE", "double"},
    {"DECIMAL(10,2)", "decimal(10, 2)"},
    {"DECIMAL(1,0)", "decimal(1, 0)"},
    {"DECIMAL(76,76)", "decimal(76, 76)"},
    {"VARCHAR(64)", "varchar(64)"},
    {"VARCHAR(1)", "varchar(1)"},
    {"VARCHAR(1048576)", "varchar(1048576)"},
    {"STRING", "varchar(65533)"},
    {"DATE", "date"},
    {"DATETIME", "datetime"},
    {"JSON", "json"},
    {"  varChar ( 64 ) ", "varchar(64)"},
    {"Decimal( 10 , 2 )", "decimal(10, 2)"},
    {"\tbigint\n", "bigint(20)"},
    {"", NULL},
    {"VARCHAR", NULL},
    {"VARCHAR()", NULL},
    {"VARCHAR(0)", NULL},
    {"VARCHAR(-1)", NULL},
    {"VARCHAR(1048577)", NULL},
    {"VARCHAR(99999999999999999999)", NULL},
    {"VARCHAR(64,1)", NULL},
    {"VARCHAR(64,)", NULL},
    {"VARCHAR(64", NULL},
    {"VARCHAR)64(", NULL},
    {"VARCHAR(64) NOT NULL", NULL},
    {"VARCHAR(64), x INT", NULL},
    {"VARCHAR(64);DROP TABLE t", NULL},
    {"CHAR(10)", NULL},
    {"TEXT", NULL},
    {"STRING(5)", NULL},
    {"INT(11)", NULL},
    {"INT UNSIGNED", NULL},
    {"BIGINT UNSIGNED", NULL},
    {"TIMESTAMP", NULL},
    {"DATETIME(6)", NULL},
    {"DECIMAL", NULL},
    {"DECIMAL(10)", NULL},
    {"DECIMAL(0,0)", NULL},
    {"DECIMAL(77,0)", NULL},
    {"DECIMAL(10,11)", NULL},
    {"DECIMAL(10,2,1)", NULL},
    {"DECIMAL64(10,2)", NULL},
    {"VARBINARY(10)", NULL},
    {"ARRAY<INT>", NULL},
    {"BITMAP", NULL},
    {"INT'", NULL},
};

static void reads_what_users_write(void **state)
{
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(written); i++) {
        struct sr_type type = {.kind = SR_KIND_MAX};
        struct fault fault = FAULT_INIT;
        bool ok = sr_type_parse(sv_from(written[i].text), &type, &fault);

        if (ok != (written[i].catalog != NULL)) {
            fail_msg("'%s': %s", written[i].text, ok ? "accepted" : fault.text);
        }
        if (ok) {
            assert_string_equal(sr_type_catalog(&type, f->arena), written[i].catalog);
        } else {
            assert_int_equal(type.kind, SR_KIND_MAX);
            assert_int_equal(fault.class, FAULT_REFUSED);
            assert_string_equal(fault.reason, "InvalidOverride");
        }
    }
}

static void says_what_users_may_write(void **state)
{
    struct sr_type type;
    struct fault fault = FAULT_INIT;
    char long_text[300];

    (void)state;
    assert_false(sr_type_parse(SV("CHAR(10)"), &type, &fault));
    assert_string_equal(
        fault.text,
        "'CHAR(10)' is no type for a StarRocks column; it can be BOOLEAN, TINYINT, "
        "SMALLINT, INT, BIGINT, LARGEINT, FLOAT, DOUBLE, DECIMAL(p,s) with p from 1 to "
        "76 (38 before StarRocks 4.0) and s up to p, VARCHAR(n) with n from 1 to 1048576 "
        "bytes, STRING, DATE, DATETIME or JSON");
    memset(long_text, 'x', sizeof(long_text));
    assert_false(sr_type_parse((struct sv){long_text, sizeof(long_text)}, &type, &fault));
    ASSERT_CONTAINS(fault.text, "xxx...' is no type");
}

static const struct spelling shown[] = {
    {"tinyint(1)", "tinyint(1)"},
    {"boolean", "tinyint(1)"}, /* DESC */
    {"tinyint(4)", "tinyint(4)"},
    {"tinyint", "tinyint(4)"},
    {"smallint(6)", "smallint(6)"},
    {"int(11)", "int(11)"},
    {"int", "int(11)"},
    {"bigint(20)", "bigint(20)"},
    {"bigint(20) unsigned", "bigint(20) unsigned"},
    {"bigint unsigned", "bigint(20) unsigned"}, /* DATA_TYPE */
    {"largeint(40)", "bigint(20) unsigned"},    /* SHOW CREATE TABLE */
    {"decimal(10, 2)", "decimal(10, 2)"},
    {"DECIMAL64(10,2)", "decimal(10, 2)"},
    {"decimal(65, 30)", "decimal(65, 30)"},
    {"float", "float"},
    {"double", "double"},
    {"varchar(65533)", "varchar(65533)"},
    {"string", "varchar(65533)"},
    {"date", "date"},
    {"datetime", "datetime"},
    {" JSON ", "json"},
    {"", NULL},
    {"char(10)", NULL},
    {"varbinary(10)", NULL},
    {"varbinary", NULL},
    {"int(11) unsigned", NULL},
    {"largeint unsigned", NULL},
    {"decimal", NULL},
    {"varchar", NULL},
    {"varchar(0)", NULL},
    {"varchar(20", NULL},
    {"array<int(11)>", NULL},
    {"map<int(11),varchar(20)>", NULL},
    {"struct<a int(11)>", NULL},
    {"hll", NULL},
    {"unknown", NULL},
    {"int(11) int(11)", NULL},
};

static void reads_what_the_catalog_shows(void **state)
{
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(shown); i++) {
        struct sr_type type = {.kind = SR_KIND_MAX};
        bool ok = sr_type_of_catalog(sv_from(shown[i].text), &type);

        if (ok != (shown[i].catalog != NULL)) {
            fail_msg("'%s': %s", shown[i].text, ok ? "accepted" : "refused");
        }
        if (ok) {
            assert_string_equal(sr_type_catalog(&type, f->arena), shown[i].catalog);
            assert_true(sr_type_same(&type, sv_from(shown[i].text)));
            assert_true(sr_type_holds(&type, sv_from(shown[i].text)));
            assert_true(sr_type_can_become(&type, &type));
        } else {
            assert_int_equal(type.kind, SR_KIND_MAX);
        }
    }
}

static struct sr_type type_of(const char *column_type)
{
    struct sr_type type;

    assert_true(sr_type_of_catalog(sv_from(column_type), &type));
    return type;
}

static const struct {
    const char *type, *column_type;
    bool same, holds;
} comparisons[] = {
    {"boolean", "BOOLEAN", true, true},
    {"boolean", "tinyint(4)", false, false},
    {"tinyint(4)", "tinyint", true, true},
    {"tinyint(4)", "tinyint(1)", false, false},
    {"tinyint(4)", "smallint(6)", false, false},
    {"bigint(20)", " BIGINT ", true, true},
    {"bigint(20)", "bigint(20) unsigned", false, false},
    {"bigint(20)", "largeint", false, false},
    {"largeint", "bigint(20) unsigned", true, true},
    {"largeint", "bigint(20)", false, false},
    {"int(11)", "bigint(20)", false, false}, /* another type, to be reported */
    {"decimal(10, 2)", "decimal(10,2)", true, true},
    {"decimal(10, 2)", "DECIMAL64(10, 2)", true, true},
    {"decimal(10, 2)", "decimal(10,3)", false, false},
    {"decimal(10, 2)", "decimal(12, 4)", false, true},
    {"decimal(10, 2)", "decimal(12, 5)", false, false},
    {"decimal(10, 2)", "decimal(12, 1)", false, false},
    {"decimal(38, 2)", "decimal(39, 2)", false, true},
    {"varchar(65533)", "string", true, true},
    {"varchar(65533)", "varchar(65535)", false, true},
    {"varchar(65533)", "varchar(65532)", false, false},
    {"varchar(65533)", "char(65533)", false, false},
    {"varchar(20)", "varbinary(20)", false, false},
    {"date", "datetime", false, false},
    {"date", "", false, false},
    {"json", "json", true, true},
    {"float", "double", false, false},
};

static void compares_in_normal_form(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(comparisons); i++) {
        struct sr_type type = type_of(comparisons[i].type);
        struct sv column_type = sv_from(comparisons[i].column_type);

        if (sr_type_same(&type, column_type) != comparisons[i].same ||
            sr_type_holds(&type, column_type) != comparisons[i].holds) {
            fail_msg("%s and %s", comparisons[i].type, comparisons[i].column_type);
        }
    }
}

/* starrocks.md 3.4, every pair of kinds; "+" is MODIFY COLUMN's yes. Lengths and digits
 * of the samples are such that only the kinds decide. */
static const char *const samples[] = {
    "tinyint(1)", "tinyint(4)",     "smallint(6)", "int(11)", "bigint(20)",
    "largeint",   "decimal(10, 2)", "float",       "double",  "varchar(1024)",
    "date",       "datetime",       "json"};

static const char *const matrix[] = {
    /* to     bool tiny small int big large dec float double varchar date datetime json */
    /* bool */ "+............",
    /* tiny */ ".+++++..++...",
    /* small */ "..++++..++...",
    /* int */ "...+++..+++..",
    /* big */ "....++..++...",
    /* large */ ".....+...+...",
    /* dec */ "......+..+...",
    /* float */ ".......+++...",
    /* double */ "........++...",
    /* varchar */ ".++++++++++.+",
    /* date */ "..........++.",
    /* datetime */ "..........++.",
    /* json */ ".........+..+",
};

static void knows_what_modify_column_takes(void **state)
{
    (void)state;
    assert_int_equal(COUNT_OF(samples), SR_KIND_MAX - 1);
    assert_int_equal(COUNT_OF(matrix), SR_KIND_MAX - 1);
    for (size_t i = 0; i < COUNT_OF(samples); i++) {
        assert_int_equal(strlen(matrix[i]), COUNT_OF(samples));
        for (size_t j = 0; j < COUNT_OF(samples); j++) {
            struct sr_type from = type_of(samples[i]), to = type_of(samples[j]);

            if (sr_type_can_become(&from, &to) != (matrix[i][j] == '+')) {
                fail_msg("%s to %s", samples[i], samples[j]);
            }
        }
    }
}

static const struct {
    const char *from, *to;
    bool taken;
} changes[] = {
    /* executed on FE 4.1 ("MODIFY COLUMN" of the transcript) */
    {"varchar(10)", "varchar(20)", true},
    {"varchar(20)", "varchar(1048576)", true},
    {"varchar(1048576)", "varchar(5)", false},
    {"int(11)", "bigint(20)", true},
    {"bigint(20)", "int(11)", false},
    {"decimal(10, 2)", "decimal(12, 2)", true},
    {"decimal(12, 2)", "decimal(12, 4)", false},
    {"decimal(12, 2)", "decimal(20, 4)", true},
    {"decimal(20, 4)", "double", false},
    {"decimal(20, 4)", "varchar(40)", true},
    {"tinyint(4)", "smallint(6)", true},
    {"tinyint(1)", "int(11)", false},
    {"string", "varchar(1048576)", true},
    {"datetime", "date", true},
    {"date", "varchar(30)", false},
    {"json", "varchar(100)", false},
    {"json", "varchar(1023)", false},
    {"json", "varchar(1024)", true},
    /* the contract's examples */
    {"bigint(20)", "decimal(20, 0)", false},
    {"varchar(50)", "varchar(100)", true},
    {"decimal(10, 2)", "decimal(10, 4)", false},
    {"decimal(10, 2)", "decimal(9, 2)", false},
    {"decimal(38, 2)", "decimal(65, 2)", true},
    /* digits, sign, two for zero and overflow, and a point if there is one */
    {"decimal(20, 0)", "varchar(23)", true},
    {"decimal(20, 0)", "varchar(22)", false},
    {"decimal(38, 9)", "varchar(42)", true},
    {"decimal(38, 9)", "varchar(41)", false},
    {"varchar(5)", "json", true},
    {"bigint(20)", "varchar(1)", true},
};

static void knows_its_limits(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(changes); i++) {
        struct sr_type from = type_of(changes[i].from), to = type_of(changes[i].to);

        if (sr_type_can_become(&from, &to) != changes[i].taken) {
            fail_msg("%s to %s", changes[i].from, changes[i].to);
        }
    }
}

static void writes_types_into_statements(void **state)
{
    struct fixture *f = *state;
    struct stmt *s = stmt_new(f->arena, SQL_STARROCKS);

    for (enum sr_kind kind = SR_UNSET + 1; kind < SR_KIND_MAX; kind++) {
        struct sr_type type = {.kind = kind, .length = 80, .precision = 10, .scale = 2};

        types_stmt_sr(s, &type);
        stmt_text(s, ",");
    }
    assert_string_equal(rendered(s, f->arena),
                        "BOOLEAN,TINYINT,SMALLINT,INT,BIGINT,LARGEINT,DECIMAL(10, 2),"
                        "FLOAT,DOUBLE,VARCHAR(80),DATE,DATETIME,JSON,");
    s = stmt_new(f->arena, SQL_RISINGWAVE);
    for (enum rw_type type = RW_UNSET + 1; type < RW_TYPE_MAX; type++) {
        types_stmt_rw(s, type);
        stmt_text(s, ",");
        assert_int_equal(rw_type_of_catalog(sv_from(rw_type_catalog(type))), type);
    }
    assert_string_equal(rendered(s, f->arena),
                        "BOOLEAN,SMALLINT,INTEGER,BIGINT,DECIMAL,REAL,DOUBLE,VARCHAR,"
                        "DATE,TIME,TIMESTAMP,TIMESTAMPTZ,BYTEA,JSONB,");
    assert_int_equal(rw_type_of_catalog(SV("Numeric")), RW_DECIMAL);
    assert_int_equal(rw_type_of_catalog(SV("interval")), RW_UNSET);
    assert_int_equal(rw_type_of_catalog(SV("")), RW_UNSET);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(reads_what_users_write),         TEST(says_what_users_may_write),
        TEST(reads_what_the_catalog_shows),   TEST(compares_in_normal_form),
        TEST(knows_what_modify_column_takes), TEST(knows_its_limits),
        TEST(writes_types_into_statements),
    };

    return cmocka_run_group_tests_name("types_sr", tests, NULL, NULL);
}

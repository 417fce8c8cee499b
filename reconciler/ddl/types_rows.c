/* The type table as `tablesync types` and the README show it. */
#include "ddl/types.h"

#define EXPR_PASS "c"
#define EXPR_CAST_VARCHAR "c::VARCHAR"
#define EXPR_AT_UTC "c AT TIME ZONE 'UTC'"
#define EXPR_HEX "encode(c, 'hex')"

#define AS_KEY_SAME(starrocks) starrocks
#define AS_KEY_BIGINT_UNSIGNED(starrocks)                                                \
    "BIGINT, or VARCHAR(20) when a value is over 2^63-1"
#define AS_KEY_DECIMAL(starrocks) "VARCHAR(p + 3), p <= 28"
#define AS_KEY_NEVER_FLOAT(starrocks) "refused"
#define AS_KEY_NEVER_TEXT(starrocks) "refused"
#define AS_KEY_NEVER_JSON(starrocks) "refused"
#define AS_KEY_NEVER_BYTES(starrocks) "refused"

static const struct type_row table_rows[] = {
#define TYPE(data_type, attribute, mysql, rw, expr, kind, rule, limit, key, starrocks,   \
             note)                                                                       \
    {mysql, #rw, EXPR_##expr, starrocks, AS_KEY_##key(starrocks), note},
#define REFUSED(data_type, mysql, why) {mysql, "refused", "", "refused", "refused", why},
#include "ddl/types.def"
    {"DECIMAL(p,s), p > 38", "DECIMAL", "c", "DECIMAL(p, s), StarRocks 4.0 or later",
     "refused",
     "RisingWave keeps 28 digits; a longer value arrives as NULL; before StarRocks 4.0 "
     "refused, or VARCHAR(p + 3) by unsupported: ToString"},
    {"SERIAL", "as BIGINT UNSIGNED", "", "as BIGINT UNSIGNED", "as BIGINT UNSIGNED", ""},
    {"ZEROFILL", "as UNSIGNED", "", "as UNSIGNED", "as UNSIGNED",
     "the number arrives, not its leading zeros"},
    {"VIRTUAL generated columns", "refused", "", "refused", "refused",
     "not in MySQL's binary log; make it STORED or drop it"},
    {"STORED generated columns", "as their type", "", "as their type", "as their type",
     ""},
    {"INVISIBLE columns", "as their type", "", "as their type", "as their type", ""},
};

const struct type_row *types_rows(size_t *out_count)
{
    *out_count = COUNT_OF(table_rows);
    return table_rows;
}

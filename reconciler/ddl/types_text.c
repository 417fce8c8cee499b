/* How types are written: in statements, in the catalogs, in the documents. */
#include "ddl/types.h"

static const struct {
    const char *sql, *catalog;
} rw_names[RW_TYPE_MAX] = {
#define RW(name, sql, catalog) [RW_##name] = {sql, catalog},
#include "ddl/types.def"
};

const char *rw_type_name(enum rw_type type)
{
    must(type > RW_UNSET && type < RW_TYPE_MAX);
    return rw_names[type].sql;
}

const char *rw_type_catalog(enum rw_type type)
{
    must(type > RW_UNSET && type < RW_TYPE_MAX);
    return rw_names[type].catalog;
}

void types_stmt_rw(struct stmt *s, enum rw_type type)
{
    switch (type) {
#define RW(name, sql, catalog)                                                           \
    case RW_##name:                                                                      \
        stmt_text(s, sql);                                                               \
        break;
#include "ddl/types.def"
    case RW_UNSET:
    case RW_TYPE_MAX:
        must(!"RisingWave type");
    }
}

void types_stmt_sr(struct stmt *s, const struct sr_type *type)
{
    switch (type->kind) {
    case SR_BOOLEAN:
        stmt_text(s, "BOOLEAN");
        break;
    case SR_SMALLINT:
        stmt_text(s, "SMALLINT");
        break;
    case SR_INT:
        stmt_text(s, "INT");
        break;
    case SR_BIGINT:
        stmt_text(s, "BIGINT");
        break;
    case SR_DECIMAL:
        stmt_text(s, "DECIMAL(");
        stmt_int(s, type->precision);
        stmt_text(s, ", ");
        stmt_int(s, type->scale);
        stmt_text(s, ")");
        break;
    case SR_FLOAT:
        stmt_text(s, "FLOAT");
        break;
    case SR_DOUBLE:
        stmt_text(s, "DOUBLE");
        break;
    case SR_VARCHAR:
        stmt_text(s, "VARCHAR(");
        stmt_int(s, type->length);
        stmt_text(s, ")");
        break;
    case SR_DATE:
        stmt_text(s, "DATE");
        break;
    case SR_DATETIME:
        stmt_text(s, "DATETIME");
        break;
    case SR_JSON:
        stmt_text(s, "JSON");
        break;
    case SR_UNSET:
    case SR_KIND_MAX:
        must(!"StarRocks type");
    }
}

/* Display widths are the FE's own (starrocks.md 4.1, verified 32). */
static const char *const catalog_names[SR_KIND_MAX] = {
    [SR_BOOLEAN] = "tinyint(1)", [SR_SMALLINT] = "smallint(6)", [SR_INT] = "int(11)",
    [SR_BIGINT] = "bigint(20)",  [SR_FLOAT] = "float",          [SR_DOUBLE] = "double",
    [SR_DATE] = "date",          [SR_DATETIME] = "datetime",    [SR_JSON] = "json",
};

const char *sr_type_catalog(const struct sr_type *type, struct arena *arena)
{
    must(type->kind > SR_UNSET && type->kind < SR_KIND_MAX);
    if (type->kind == SR_VARCHAR) {
        return arena_printf(arena, "varchar(%lld)", (long long)type->length);
    }
    if (type->kind == SR_DECIMAL) {
        return arena_printf(arena, "decimal(%lld, %lld)", (long long)type->precision,
                            (long long)type->scale);
    }
    return catalog_names[type->kind];
}

/* "name(12, 3)" taken apart; -1 for an argument that is not there. */
struct type_text {
    struct sv name;
    int64_t first, second;
    bool is_unsigned;
};

static struct type_text take_apart(struct sv text)
{
    struct type_text parts = {.first = -1, .second = -1};
    struct sv rest = sv_trim(text);
    size_t open = sv_find(rest, SV("("));

    if (open == SIZE_MAX) {
        parts.name = sv_cut(&rest, ' ');
        parts.is_unsigned = sv_eq_nocase(sv_trim(rest), SV("unsigned"));
        return parts;
    }
    parts.name = sv_trim(sv_sub(rest, 0, open));
    rest = sv_sub(rest, open + 1, rest.n);
    struct sv arguments = sv_cut(&rest, ')');
    parts.is_unsigned = sv_eq_nocase(sv_trim(rest), SV("unsigned"));
    (void)sv_int64(sv_trim(sv_cut(&arguments, ',')), &parts.first);
    (void)sv_int64(sv_trim(arguments), &parts.second);
    return parts;
}

/* Both spellings: information_schema's and that of DESC, which answers without backends.
 */
static bool sr_name_is(enum sr_kind kind, const struct type_text *parts)
{
    switch (kind) {
    case SR_BOOLEAN:
        return sv_eq_nocase(parts->name, SV("boolean")) ||
               (sv_eq_nocase(parts->name, SV("tinyint")) && parts->first == 1);
    case SR_SMALLINT:
        return sv_eq_nocase(parts->name, SV("smallint"));
    case SR_INT:
        return sv_eq_nocase(parts->name, SV("int"));
    case SR_BIGINT: /* "bigint(20) unsigned" is LARGEINT */
        return sv_eq_nocase(parts->name, SV("bigint")) && !parts->is_unsigned;
    case SR_DECIMAL:
        return sv_starts_nocase(parts->name, SV("decimal"));
    case SR_FLOAT:
        return sv_eq_nocase(parts->name, SV("float"));
    case SR_DOUBLE:
        return sv_eq_nocase(parts->name, SV("double"));
    case SR_VARCHAR:
        return sv_eq_nocase(parts->name, SV("varchar"));
    case SR_DATE:
        return sv_eq_nocase(parts->name, SV("date"));
    case SR_DATETIME:
        return sv_eq_nocase(parts->name, SV("datetime"));
    case SR_JSON:
        return sv_eq_nocase(parts->name, SV("json"));
    case SR_UNSET:
    case SR_KIND_MAX:
        break;
    }
    return false;
}

bool sr_type_same(const struct sr_type *type, struct sv column_type)
{
    struct type_text parts = take_apart(column_type);

    if (sv_eq_nocase(parts.name, SV("string"))) { /* STRING is VARCHAR(65533) */
        parts.name = SV("varchar");
        parts.first = 65533;
    }
    if (!sr_name_is(type->kind, &parts)) {
        return false;
    }
    if (type->kind == SR_VARCHAR) {
        return parts.first == type->length;
    }
    if (type->kind == SR_DECIMAL) {
        return parts.first == type->precision && parts.second == type->scale;
    }
    return true;
}

bool sr_type_holds(const struct sr_type *type, struct sv column_type)
{
    struct type_text parts = take_apart(column_type);

    if (sr_type_same(type, column_type)) {
        return true;
    }
    if (!sr_name_is(type->kind, &parts)) {
        return false;
    }
    if (type->kind == SR_VARCHAR) {
        return parts.first >= type->length;
    }
    return type->kind == SR_DECIMAL && parts.second >= type->scale &&
           parts.first - parts.second >= type->precision - type->scale;
}

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
    {"VIRTUAL generated columns", "refused", "", "refused", "refused",
     "not in MySQL's binary log; make it STORED or drop it"},
    {"STORED generated columns", "as their type", "", "as their type", "as their type",
     ""},
};

const struct type_row *types_rows(size_t *out_count)
{
    *out_count = COUNT_OF(table_rows);
    return table_rows;
}

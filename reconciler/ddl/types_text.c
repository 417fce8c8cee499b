/* How types are written: in statements and in the catalogs. */
#include "ddl/types.h"

static const struct {
    const char *sql, *catalog;
} rw_names[RW_TYPE_MAX] = {
#define RW(name, sql, catalog) [RW_##name] = {sql, catalog},
#include "ddl/types.def"
};

/* Display widths are the FE's own (starrocks.md 4.1, verified 32). */
static const struct {
    const char *text;
} sr_catalog_names[SR_KIND_MAX] = {
#define SR(name, sql, catalog) [SR_##name] = {catalog},
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

enum rw_type rw_type_of_catalog(struct sv data_type)
{
    struct sv text = sv_trim(data_type);

    for (enum rw_type type = RW_UNSET + 1; type < RW_TYPE_MAX; type++) {
        if (sv_eq_nocase(text, sv_from(rw_names[type].catalog))) {
            return type;
        }
    }
    return RW_UNSET;
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
#define SR(name, sql, catalog)                                                           \
    case SR_##name:                                                                      \
        stmt_text(s, sql);                                                               \
        break;
#include "ddl/types.def"
    case SR_UNSET:
    case SR_KIND_MAX:
        must(!"StarRocks type");
    }
    if (type->kind == SR_VARCHAR) {
        stmt_text(s, "(");
        stmt_int(s, type->length);
        stmt_text(s, ")");
    }
    if (type->kind == SR_DECIMAL) {
        stmt_text(s, "(");
        stmt_int(s, type->precision);
        stmt_text(s, ", ");
        stmt_int(s, type->scale);
        stmt_text(s, ")");
    }
}

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
    return sr_catalog_names[type->kind].text;
}

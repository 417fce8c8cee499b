/* spec.columns.overrides: what a target column is made of. */
#include "ddl/desired_private.h"

#include <string.h>

#define STRING_BYTES ((int64_t)65533) /* StarRocks' own STRING (starrocks.md 2.2) */
#define TEXT_BYTES_MAX ((int64_t)1048576)

#define INVALID(fault, ...)                                                              \
    fault_set((fault), FAULT_REFUSED, "InvalidOverride", __VA_ARGS__)

static bool wrap(const struct chosen *column, const char *field, struct fault *fault)
{
    return fault_wrap(fault, "spec.columns.overrides['%s'].%s", column->source->name,
                      field);
}

/* What happens in RisingWave, whatever the target's column is. */
static bool lost_on_the_way(const struct column_map *map)
{
    return map->loss == LOSS_TIME_RANGE || map->loss == LOSS_DIGITS ||
           map->loss == LOSS_ZERO_DATE;
}

static const char *joined(struct choice *choice, const char *a, const char *b)
{
    if (a == NULL || b == NULL) {
        return a == NULL ? b : a;
    }
    return arena_printf(choice->arena, "%s; %s", a, b);
}

/* The type of a target column that an expression fills, when nobody says. */
static bool default_type(enum rw_type type, const char *rw_version,
                         struct sr_type *out_type, struct fault *fault)
{
    static const enum sr_kind kinds[RW_TYPE_MAX] = {
        [RW_BOOLEAN] = SR_BOOLEAN,    [RW_SMALLINT] = SR_SMALLINT,
        [RW_INTEGER] = SR_INT,        [RW_BIGINT] = SR_BIGINT,
        [RW_REAL] = SR_FLOAT,         [RW_DOUBLE] = SR_DOUBLE,
        [RW_VARCHAR] = SR_VARCHAR,    [RW_DATE] = SR_DATE,
        [RW_TIMESTAMP] = SR_DATETIME, [RW_JSONB] = SR_JSON};

    if (type == RW_DECIMAL) {
        return INVALID(fault, "its value is a DECIMAL, and RisingWave does not say of "
                              "how many digits: set targetType to DECIMAL(p,s)");
    }
    if (kinds[type] == SR_UNSET) {
        const char *why = types_sink_refusal(type, SV("varchar(1)"), rw_version);
        return INVALID(
            fault, "its value is a %s; RisingWave's sink says '%s': end it with %s",
            rw_type_name(type),
            why == NULL ? "it is written in the time zone of the session" : why,
            type == RW_TIMESTAMPTZ ? "AT TIME ZONE 'UTC'"
            : type == RW_BYTEA     ? "encode(..., 'hex')"
                                   : "::VARCHAR");
    }
    *out_type = (struct sr_type){.kind = kinds[type]};
    if (type == RW_VARCHAR) {
        out_type->length = STRING_BYTES;
    }
    return true;
}

/* Marks what is read; bytes of all text that may come together in the result. */
static int64_t mark_read(struct choice *choice, const struct expr *expr, size_t place,
                         struct column_map *map)
{
    int64_t bytes = 0;

    for (size_t i = 0; i < choice->readable.n; i++) {
        struct chosen *column = &choice->columns.v[i];
        const struct sr_type *sr = &column->map.sr;
        if (!expr_uses(expr, i)) {
            continue;
        }
        column->read = true;
        bytes += sr->kind == SR_VARCHAR ? sr->length
                 : sr->kind == SR_JSON  ? TEXT_BYTES_MAX
                                        : 0;
        if (!lost_on_the_way(&column->map) || column->map.note == NULL) {
            continue;
        }
        if (i == place) {
            map->loss = column->map.loss;
            map->note = joined(choice, map->note, column->map.note);
        } else {
            map->note = joined(choice, map->note,
                               arena_printf(choice->arena, "it reads column '%s': %s",
                                            column->source->name, column->map.note));
        }
    }
    return bytes;
}

static bool parse_target_type(const struct chosen *column, struct sr_type *out_type,
                              struct fault *fault)
{
    return sr_type_parse(sv_from(column->override->target_type), out_type, fault) ||
           wrap(column, "targetType", fault);
}

/* The cast, when there is one to make. */
static const struct expr *cast_to(const struct expr *expr, const struct fitted *fitted,
                                  struct arena *arena)
{
    if (fitted->through_int) {
        expr = expr_cast(expr, RW_INTEGER, arena);
    }
    return expr_cast(expr, fitted->delivered, arena);
}

static bool size_expression(struct choice *choice, const struct chosen *column,
                            struct column_map *map, struct fault *fault)
{
    struct fit fit = {.from = map->delivered,
                      .rw_version = choice->in->rw_version,
                      .starrocks_version = choice->in->starrocks_version};
    struct fitted fitted;

    if (column->override->target_type == NULL) {
        return default_type(map->delivered, choice->in->rw_version, &map->sr, fault) ||
               wrap(column, "expression", fault);
    }
    if (!parse_target_type(column, &map->sr, fault)) {
        return false;
    }
    fit.to = map->sr;
    if (!fit_type(&fit, choice->arena, &fitted, fault)) {
        return wrap(column, "targetType", fault);
    }
    map->custom = cast_to(map->custom, &fitted, choice->arena);
    map->delivered = fitted.delivered;
    /* How long the text may be is known better from what is read. */
    map->note = map->sr.kind == SR_VARCHAR ? NULL : fitted.note;
    return true;
}

static bool apply_expression(struct choice *choice, size_t place,
                             struct column_map *out_map, struct fault *fault)
{
    const struct chosen *column = &choice->columns.v[place];
    struct column_map map = {.source = column->source,
                             .rw = column->typed ? column->map.rw : RW_UNSET,
                             .expr = SINK_CUSTOM};

    if (column->target_key) {
        (void)INVALID(fault, "a key column has the value it has in MySQL, or two rows "
                             "could become one: leave the expression out, or choose "
                             "another key in spec.primaryKey");
        return wrap(column, "expression", fault);
    }
    if (!expr_parse(column->override->expression, choice->readable.v, choice->readable.n,
                    choice->arena, &map.custom, fault)) {
        return wrap(column, "expression", fault);
    }
    const struct expr *expr = map.custom;
    map.delivered = expr_type(expr);
    if (map.delivered == RW_UNSET) {
        (void)INVALID(fault, "NULL alone has no type: write for example NULL::VARCHAR");
        return wrap(column, "expression", fault);
    }
    if (!size_expression(choice, column, &map, fault)) {
        return false;
    }
    int64_t bytes = mark_read(choice, expr, place, &map);
    if (map.sr.kind == SR_VARCHAR && bytes > map.sr.length) {
        map.note =
            joined(choice, map.note,
                   arena_printf(choice->arena, "a value over %lld bytes stops the sink",
                                (long long)map.sr.length));
    }
    *out_map = map;
    return true;
}

/* The column's own value is where the cast begins, unless it cannot stand alone. */
static enum sink_expr start_of(const struct column_map *base, const struct sr_type *to)
{
    if (base->expr == SINK_AT_UTC || base->expr == SINK_HEX ||
        (base->expr == SINK_CAST_BIGINT && to->kind != SR_VARCHAR)) {
        return base->expr;
    }
    return SINK_PASS;
}

static enum sink_expr named_cast(enum rw_type from, enum rw_type to)
{
    if (from == to) {
        return SINK_PASS;
    }
    return to == RW_BIGINT    ? SINK_CAST_BIGINT
           : to == RW_VARCHAR ? SINK_CAST_VARCHAR
           : to == RW_JSONB   ? SINK_CAST_JSONB
                              : SINK_CUSTOM;
}

static void deliver_fitted(struct choice *choice, size_t place, enum sink_expr start,
                           enum rw_type from, const struct fitted *fitted,
                           struct column_map *map)
{
    map->delivered = fitted->delivered;
    map->expr = start;
    if (start == SINK_PASS) {
        map->expr = named_cast(from, fitted->delivered);
    } else if (from != fitted->delivered) {
        map->expr = SINK_CUSTOM;
    }
    if (map->expr == SINK_CUSTOM) {
        map->custom =
            cast_to(expr_delivered(choice->readable.v, place, start, choice->arena),
                    fitted, choice->arena);
    }
}

static void describe_loss(struct choice *choice, const struct column_map *base,
                          const struct fitted *fitted, struct column_map *map)
{
    bool kept = lost_on_the_way(base);
    /* What the key's own type cost is over with that type, and so is a length. */
    const char *old = kept || (!base->key && base->loss == LOSS_NONE) ? base->note : NULL;

    if (base->expr == SINK_HEX && old == NULL) {
        old = "arrives as hexadecimal text";
    }
    map->note = joined(choice, old, fitted->note);
    map->loss = fitted->loss != LOSS_NONE ? fitted->loss : kept ? base->loss : LOSS_NONE;
    map->loss_limit = fitted->loss_limit;
}

static bool has_room(const struct column_map *map, const struct sr_type *to)
{
    return map->default_value != NULL && map->sr.kind == to->kind &&
           (to->kind != SR_VARCHAR ||
            (int64_t)strlen(map->default_value) <= to->length) &&
           to->kind != SR_DECIMAL;
}

static bool refit(struct choice *choice, size_t place, const struct sr_type *to,
                  struct column_map *out_map, struct fault *fault)
{
    const struct chosen *column = &choice->columns.v[place];
    const struct column_map *base = &column->map;
    enum sink_expr start = start_of(base, to);
    struct fit fit = {.from = start == SINK_PASS ? base->rw : base->delivered,
                      .source = column->source,
                      .base = base,
                      .to = *to,
                      .rw_version = choice->in->rw_version,
                      .starrocks_version = choice->in->starrocks_version,
                      .key = column->target_key};
    struct column_map map = *base;
    struct fitted fitted;

    if (!fit_type(&fit, choice->arena, &fitted, fault)) {
        return wrap(column, "targetType", fault);
    }
    map.sr = *to;
    map.default_value = has_room(base, to) ? base->default_value : NULL;
    deliver_fitted(choice, place, start, fit.from, &fitted, &map);
    describe_loss(choice, base, &fitted, &map);
    *out_map = map;
    return true;
}

static bool apply_type(struct choice *choice, size_t place, struct column_map *out_map,
                       struct fault *fault)
{
    const struct chosen *column = &choice->columns.v[place];
    const struct ident *name;
    struct sr_type to;

    if (!parse_target_type(column, &to, fault)) {
        return false;
    }
    /* A cast names the column: what cannot be named is refused here as anywhere. */
    if (!ident_parse(choice->arena, sv_from(column->source->name), SQL_RISINGWAVE,
                     IDENT_COLUMN, &name, fault)) {
        return false;
    }
    if (strcmp(sr_type_catalog(&to, choice->arena),
               sr_type_catalog(&column->map.sr, choice->arena)) == 0) {
        *out_map = column->map;
        return true;
    }
    return refit(choice, place, &to, out_map, fault);
}

bool override_apply(struct choice *choice, size_t place, struct column_map *out_map,
                    struct fault *fault)
{
    const struct chosen *column = &choice->columns.v[place];
    const struct column_override *override = column->override;

    if (override != NULL && override->expression != NULL) {
        return apply_expression(choice, place, out_map, fault);
    }
    if (!column->typed) {
        *fault = column->fault;
        return false;
    }
    if (override != NULL && override->target_type != NULL) {
        return apply_type(choice, place, out_map, fault);
    }
    *out_map = column->map;
    return true;
}

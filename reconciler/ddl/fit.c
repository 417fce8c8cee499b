/*
 * Values on their way into a target column that spec.columns.overrides gave another type:
 * which cast RisingWave's sink then accepts, and what may be lost. Its check looks for a
 * word in COLUMN_TYPE (risingwave.md 4.4), so the type that is delivered is chosen for
 * it.
 */
#include "ddl/desired_private.h"

#include <string.h>

#define DECIMAL_TEXT_EXTRA                                                               \
    ((int64_t)3) /* sign, point, the zero in front of the point                          \
                  */
#define RW_DIGITS ((int64_t)28)
#define DECIMAL_DIGITS_OLD ((int64_t)38) /* StarRocks before 4.0 */
#define BITS_UNKNOWN ((int64_t)1000)

static bool is_integer(enum rw_type type)
{
    return type == RW_SMALLINT || type == RW_INTEGER || type == RW_BIGINT;
}

static bool is_number(enum rw_type type)
{
    return is_integer(type) || type == RW_DECIMAL || type == RW_REAL || type == RW_DOUBLE;
}

static bool is_integer_kind(enum sr_kind kind)
{
    return kind == SR_TINYINT || kind == SR_SMALLINT || kind == SR_INT ||
           kind == SR_BIGINT || kind == SR_LARGEINT;
}

/* The RisingWave type to deliver; RW_UNSET: this never becomes that without an
 * expression that says how. */
static enum rw_type wanted(enum rw_type from, enum sr_kind to)
{
    bool counts = is_integer(from) || from == RW_BOOLEAN;

    switch (to) {
    case SR_BOOLEAN:
        return counts ? RW_BOOLEAN : RW_UNSET;
    case SR_SMALLINT:
        if (from == RW_SMALLINT) {
            return from;
        }
        return counts || from == RW_DECIMAL ? RW_INTEGER : RW_UNSET;
    case SR_TINYINT:
    case SR_INT:
        return counts || from == RW_DECIMAL ? RW_INTEGER : RW_UNSET;
    case SR_BIGINT:
    case SR_LARGEINT:
        if (from == RW_BOOLEAN || from == RW_INTEGER) {
            return RW_INTEGER;
        }
        return is_integer(from) || (from == RW_DECIMAL && to == SR_BIGINT) ? RW_BIGINT
                                                                           : RW_UNSET;
    case SR_DECIMAL:
        return is_number(from) ? RW_DECIMAL : RW_UNSET;
    case SR_FLOAT:
        return is_number(from) ? RW_REAL : RW_UNSET;
    case SR_DOUBLE:
        return is_number(from) ? RW_DOUBLE : RW_UNSET;
    case SR_VARCHAR:
        return from == RW_BYTEA || from == RW_TIMESTAMPTZ ? RW_UNSET : RW_VARCHAR;
    case SR_DATE:
        return from == RW_DATE || from == RW_TIMESTAMP ? RW_DATE : RW_UNSET;
    case SR_DATETIME:
        return from == RW_DATE || from == RW_TIMESTAMP ? RW_TIMESTAMP : RW_UNSET;
    case SR_JSON:
        return from == RW_JSONB || from == RW_VARCHAR ? RW_JSONB : RW_UNSET;
    case SR_UNSET:
    case SR_KIND_MAX:
        break;
    }
    return RW_UNSET;
}

static bool refuse(const struct fit *fit, struct arena *arena, struct fault *fault)
{
    const char *catalog = sr_type_catalog(&fit->to, arena);
    const char *why = types_sink_refusal(fit->from, sv_from(catalog), fit->rw_version);

    if (why == NULL) {
        why = "it would take the column and lose its values";
    }
    return fault_set(fault, FAULT_REFUSED, "InvalidOverride",
                     "%s cannot be delivered into a column of type %s; RisingWave's "
                     "sink, which does not convert, says: Column type don't match (%s): "
                     "choose another targetType, or convert it in an expression",
                     rw_type_name(fit->from), catalog, why);
}

/* Bits of the largest value, the sign included. */
static int64_t integer_bits(const struct mysql_column *source)
{
    static const struct {
        const char *name;
        int64_t bits;
    } types[] = {{"tinyint", 8}, {"smallint", 16}, {"mediumint", 24},
                 {"int", 32},    {"bigint", 64},   {"year", 13}};
    struct sv column_type = sv_from(source->column_type);
    bool is_unsigned = sv_find_nocase(column_type, SV("unsigned")) != SIZE_MAX ||
                       sv_find_nocase(column_type, SV("zerofill")) != SIZE_MAX;

    for (size_t i = 0; i < COUNT_OF(types); i++) {
        if (sv_eq_nocase(sv_from(source->data_type), sv_from(types[i].name))) {
            return types[i].bits + (is_unsigned && i < 5 ? 1 : 0);
        }
    }
    return BITS_UNKNOWN;
}

static bool is_decimal(const struct fit *fit)
{
    return fit->from == RW_DECIMAL && fit->base != NULL &&
           fit->base->sr.kind == SR_DECIMAL;
}

static int64_t bits_of(const struct fit *fit)
{
    static const int64_t by_type[RW_TYPE_MAX] = {
        [RW_BOOLEAN] = 1, [RW_SMALLINT] = 16, [RW_INTEGER] = 32, [RW_BIGINT] = 64};
    /* A BIGINT UNSIGNED key that is delivered as BIGINT was seen to fit. */
    bool fits = fit->base != NULL && fit->key && fit->base->sr.kind == SR_BIGINT;
    int64_t bits = fit->source == NULL ? BITS_UNKNOWN : integer_bits(fit->source);

    if (bits != BITS_UNKNOWN) {
        return fits && bits > 64 ? 64 : bits;
    }
    if (is_decimal(fit)) {
        return (fit->base->sr.precision - fit->base->sr.scale) * 10 / 3 + 2;
    }
    return by_type[fit->from] > 0 ? by_type[fit->from] : BITS_UNKNOWN;
}

static int64_t kind_bits(enum sr_kind kind)
{
    static const int64_t by_kind[SR_KIND_MAX] = {
        [SR_BOOLEAN] = 1, [SR_TINYINT] = 8, [SR_SMALLINT] = 16, [SR_FLOAT] = 24,
        [SR_INT] = 32,    [SR_DOUBLE] = 53, [SR_BIGINT] = 64};

    return by_kind[kind] > 0 ? by_kind[kind] : BITS_UNKNOWN;
}

/* Digits before and behind the point. */
static void digits_of(const struct fit *fit, int64_t *out_whole, int64_t *out_scale)
{
    int64_t bits = bits_of(fit);

    *out_whole = RW_DIGITS;
    *out_scale = RW_DIGITS;
    if (is_decimal(fit)) {
        *out_whole = fit->base->sr.precision - fit->base->sr.scale;
        *out_scale = fit->base->sr.scale;
    } else if (bits != BITS_UNKNOWN) {
        *out_whole = bits * 3 / 10 + 1; /* 64 bits: 20 digits */
        *out_scale = 0;
    }
}

/* Bytes of the longest text that casting to VARCHAR makes; -1: any. */
static int64_t text_bytes(const struct fit *fit)
{
    static const int64_t by_type[RW_TYPE_MAX] = {
        [RW_BOOLEAN] = sizeof("false") - 1,
        [RW_SMALLINT] = sizeof("-32768") - 1,
        [RW_INTEGER] = sizeof("-2147483648") - 1,
        [RW_BIGINT] = sizeof("-9223372036854775808") - 1,
        [RW_DECIMAL] = RW_DIGITS + DECIMAL_TEXT_EXTRA,
        [RW_REAL] = sizeof("-1.7976931348623157e+308") - 1,
        [RW_DOUBLE] = sizeof("-1.7976931348623157e+308") - 1,
        [RW_DATE] = sizeof("2024-01-31") - 1,
        [RW_TIME] = sizeof("23:59:59.999999") - 1,
        [RW_TIMESTAMP] = sizeof("2024-01-31 23:59:59.999999") - 1};
    bool text = fit->base != NULL && fit->base->sr.kind == SR_VARCHAR;

    if (fit->from == RW_DECIMAL && is_decimal(fit) && fit->base->sr.scale > 0) {
        return fit->base->sr.precision + DECIMAL_TEXT_EXTRA;
    }
    if (fit->from == RW_DECIMAL && bits_of(fit) != BITS_UNKNOWN) {
        return bits_of(fit) * 3 / 10 + 1; /* BIGINT UNSIGNED: 20 digits */
    }
    if (text && (fit->from == RW_DECIMAL || fit->from == RW_VARCHAR)) {
        return fit->base->sr.length;
    }
    return by_type[fit->from] > 0 ? by_type[fit->from] : -1;
}

/* MySQL's bytes may be more once they are UTF-8; what surely fits. */
static int64_t mysql_bytes(const struct fit *fit)
{
    static const char *const same[] = {"utf8mb4", "utf8mb3", "utf8", "ascii", "binary"};
    bool text = fit->from == RW_VARCHAR && fit->source->charset != NULL;

    if (fit->base != NULL && fit->base->expr == SINK_HEX) {
        return fit->to.length / 2;
    }
    for (size_t i = 0; text && i < COUNT_OF(same); i++) {
        text = !sv_eq_nocase(sv_from(fit->source->charset), sv_from(same[i]));
    }
    return text ? fit->to.length / 3 : fit->to.length;
}

static void fit_text(const struct fit *fit, struct arena *arena, struct fitted *fitted)
{
    int64_t bytes = text_bytes(fit);

    if (bytes >= 0 && bytes <= fit->to.length) {
        return;
    }
    if (fit->source != NULL) {
        fitted->loss = LOSS_LENGTH;
        fitted->loss_limit = mysql_bytes(fit);
    }
    fitted->note = arena_printf(arena, "a value over %lld bytes stops the sink",
                                (long long)fit->to.length);
}

static void fit_number(const struct fit *fit, struct arena *arena, struct fitted *fitted)
{
    const char *type = sr_type_catalog(&fit->to, arena);
    int64_t whole, scale;

    if (fit->to.kind == SR_DECIMAL) {
        digits_of(fit, &whole, &scale);
        if (whole > fit->to.precision - fit->to.scale || scale > fit->to.scale) {
            fitted->note = arena_printf(
                arena, "a number that does not fit %s is rounded or stops the sink",
                type);
        }
    } else if (fit->to.kind == SR_FLOAT || fit->to.kind == SR_DOUBLE) {
        bool same =
            fit->from == RW_REAL || (fit->from == RW_DOUBLE && fit->to.kind == SR_DOUBLE);
        if (!same && bits_of(fit) > kind_bits(fit->to.kind)) {
            fitted->note =
                arena_printf(arena, "about %d digits of a number survive in %s",
                             fit->to.kind == SR_FLOAT ? 7 : 15, type);
        }
    } else if (bits_of(fit) > kind_bits(fit->to.kind)) {
        fitted->note = arena_printf(
            arena, "a number outside the range of %s arrives as NULL or stops the sink",
            type);
    } else if (fit->from == RW_DECIMAL && (!is_decimal(fit) || fit->base->sr.scale > 0)) {
        fitted->note = "fractions are rounded";
    }
    if (fit->to.kind == SR_BOOLEAN && bits_of(fit) > 1) {
        fitted->loss = fit->source == NULL ? LOSS_NONE : LOSS_BOOLEAN;
        fitted->note = "every number but 0 arrives as true";
    }
}

static bool keeps_keys_apart(const struct fit *fit, struct fault *fault)
{
    static const char unsupported[] =
        "StarRocks says 'primary key column[%s] type not supported: %s'";
    const char *name = fit->source->name;
    enum sr_kind kind = fit->to.kind;

    if (kind == SR_DECIMAL || kind == SR_FLOAT || kind == SR_DOUBLE || kind == SR_JSON) {
        static const char *const names[SR_KIND_MAX] = {[SR_DECIMAL] = "DECIMAL",
                                                       [SR_FLOAT] = "FLOAT",
                                                       [SR_DOUBLE] = "DOUBLE",
                                                       [SR_JSON] = "JSON"};
        return fault_set(fault, FAULT_REFUSED, "InvalidOverride", unsupported, name,
                         names[kind]);
    }
    bool narrow =
        (is_integer_kind(kind) || kind == SR_BOOLEAN) && bits_of(fit) > kind_bits(kind);
    if (narrow || (kind == SR_DATE && fit->from != RW_DATE)) {
        return fault_set(fault, FAULT_REFUSED, "InvalidOverride",
                         "key column '%s' holds values that this type cannot tell "
                         "apart, and rows would become one: leave targetType out, or "
                         "choose a wider type or VARCHAR(n)",
                         name);
    }
    return true;
}

/* An unknown version may be any. */
static bool is_before_4(const char *starrocks_version)
{
    struct sv rest = sv_from(starrocks_version);
    int64_t major;

    return starrocks_version != NULL && sv_int64(sv_cut(&rest, '.'), &major) && major < 4;
}

static bool check_digits(const struct fit *fit, struct fault *fault)
{
    if (fit->to.kind == SR_DECIMAL && fit->to.precision > DECIMAL_DIGITS_OLD &&
        is_before_4(fit->starrocks_version)) {
        return fault_set(fault, FAULT_REFUSED, "InvalidOverride",
                         "StarRocks %s says 'DECIMAL's precision should range from 1 to "
                         "38': DECIMAL(%lld,%lld) needs version 4.0",
                         fit->starrocks_version, (long long)fit->to.precision,
                         (long long)fit->to.scale);
    }
    return true;
}

bool fit_type(const struct fit *fit, struct arena *arena, struct fitted *out_fitted,
              struct fault *fault)
{
    const char *catalog = sr_type_catalog(&fit->to, arena);
    struct fitted fitted = {.delivered = wanted(fit->from, fit->to.kind)};
    bool hex = fit->base != NULL && fit->base->expr == SINK_HEX;

    if (fitted.delivered == RW_UNSET || (hex && fit->to.kind != SR_VARCHAR) ||
        types_sink_refusal(fitted.delivered, sv_from(catalog), fit->rw_version) != NULL) {
        return refuse(fit, arena, fault);
    }
    if (!check_digits(fit, fault) || (fit->key && !keeps_keys_apart(fit, fault))) {
        return false;
    }
    fitted.through_int = fitted.delivered == RW_BOOLEAN && is_integer(fit->from) &&
                         fit->from != RW_INTEGER;
    if (fit->to.kind == SR_VARCHAR) {
        fit_text(fit, arena, &fitted);
    } else if (fit->to.kind == SR_DATE && fit->from == RW_TIMESTAMP) {
        fitted.note = "the time of day is left out";
    } else if (fit->to.kind == SR_JSON && fit->from == RW_VARCHAR) {
        fitted.note = "text that is no JSON document arrives as NULL";
    } else if (fit->to.kind != SR_DATETIME && fit->to.kind != SR_DATE &&
               fit->to.kind != SR_JSON) {
        fit_number(fit, arena, &fitted);
    }
    *out_fitted = fitted;
    return true;
}

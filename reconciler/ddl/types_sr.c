/* StarRocks types: written by users, shown by its catalog, changed by MODIFY COLUMN. */
#include "ddl/types_parts.h"

#define STRING_BYTES ((int64_t)65533)          /* STRING is VARCHAR(65533) */
#define DECIMAL_DIGITS_MAX ((int64_t)76)       /* DECIMAL256, from 4.0; 38 before */
#define JSON_AS_TEXT_BYTES_MIN ((int64_t)1024) /* executed on FE 4.1 (verified 31) */
#define ARGUMENT_DIGITS_MAX ((size_t)9)
#define TEXT_SHOWN_MAX ((size_t)80)

/* "name(12, 3) rest" taken apart; -1 for an argument that is not there. */
struct type_text {
    struct sv name, rest;
    int64_t first, second;
};

static bool read_argument(struct sv text, int64_t *out_value)
{
    text = sv_trim(text);
    return text.n <= ARGUMENT_DIGITS_MAX && sv_int64(text, out_value) && *out_value >= 0;
}

static bool read_arguments(struct sv inside, struct type_text *parts)
{
    size_t comma = sv_find(inside, SV(","));

    if (comma == SIZE_MAX) {
        return read_argument(inside, &parts->first);
    }
    return read_argument(sv_sub(inside, 0, comma), &parts->first) &&
           read_argument(sv_sub(inside, comma + 1, inside.n), &parts->second);
}

static bool take_apart(struct sv text, struct type_text *out_parts)
{
    struct sv whole = sv_trim(text);
    size_t open = sv_find(whole, SV("(")), close = sv_find(whole, SV(")"));
    struct type_text parts = {.rest = whole, .first = -1, .second = -1};

    if (open == SIZE_MAX) {
        parts.name = sv_cut(&parts.rest, ' ');
    } else if (close == SIZE_MAX || close < open ||
               !read_arguments(sv_sub(whole, open + 1, close - open - 1), &parts)) {
        return false;
    } else {
        parts.name = sv_trim(sv_sub(whole, 0, open));
        parts.rest = sv_sub(whole, close + 1, whole.n);
    }
    parts.rest = sv_trim(parts.rest);
    *out_parts = parts;
    return true;
}

static const struct {
    const char *word;
    enum sr_kind kind;
} words[] = {
#define SR(name, sql, catalog) {sql, SR_##name},
#include "ddl/types.def"
    {"STRING", SR_VARCHAR},
    /* the catalog's and DESC's own names of DECIMAL */
    {"DECIMAL32", SR_DECIMAL},
    {"DECIMAL64", SR_DECIMAL},
    {"DECIMAL128", SR_DECIMAL},
    {"DECIMAL256", SR_DECIMAL},
};

static enum sr_kind kind_of(struct sv name)
{
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        if (sv_eq_nocase(name, sv_from(words[i].word))) {
            return words[i].kind;
        }
    }
    return SR_UNSET;
}

/* Fills in length or digits; false: out of range, or arguments where there are none. */
static bool complete(const struct type_text *parts, bool widths, struct sr_type *type)
{
    if (type->kind == SR_VARCHAR) {
        bool is_string = sv_eq_nocase(parts->name, SV("STRING"));

        type->length = is_string ? STRING_BYTES : parts->first;
        return is_string ? parts->first < 0
                         : parts->second < 0 && parts->first >= 1 &&
                               parts->first <= TYPES_VARCHAR_MAX;
    }
    if (type->kind == SR_DECIMAL) {
        type->precision = parts->first;
        type->scale = parts->second;
        return parts->first >= 1 && parts->first <= DECIMAL_DIGITS_MAX &&
               parts->second >= 0 && parts->second <= parts->first;
    }
    return widths ? parts->second < 0 : parts->first < 0;
}

bool sr_type_parse(struct sv text, struct sr_type *out_type, struct fault *fault)
{
    struct type_text parts;
    struct sr_type type = {0};
    struct sv shown = sv_utf8_prefix(text, TEXT_SHOWN_MAX);

    if (take_apart(text, &parts) && parts.rest.n == 0) {
        type.kind = kind_of(parts.name);
    }
    if (type.kind == SR_UNSET ||
        (type.kind == SR_DECIMAL && !sv_eq_nocase(parts.name, SV("DECIMAL"))) ||
        !complete(&parts, false, &type)) {
        return fault_set(
            fault, FAULT_REFUSED, "InvalidOverride",
            "'%.*s%s' is no type for a StarRocks column; it can be BOOLEAN, TINYINT, "
            "SMALLINT, INT, BIGINT, LARGEINT, FLOAT, DOUBLE, DECIMAL(p,s) with p from 1 "
            "to 76 (38 before StarRocks 4.0) and s up to p, VARCHAR(n) with n from 1 to "
            "1048576 bytes, STRING, DATE, DATETIME or JSON",
            SV_ARGS(shown), shown.n < text.n ? "..." : "");
    }
    *out_type = type;
    return true;
}

/* BOOLEAN and LARGEINT have no name of their own in information_schema (verified 32). */
bool sr_type_of_catalog(struct sv column_type, struct sr_type *out_type)
{
    struct type_text parts;
    struct sr_type type = {0};

    if (!take_apart(column_type, &parts)) {
        return false;
    }
    type.kind = kind_of(parts.name);
    if (type.kind == SR_TINYINT && parts.first == 1) {
        type.kind = SR_BOOLEAN;
    }
    if (type.kind == SR_BIGINT && sv_eq_nocase(parts.rest, SV("unsigned"))) {
        type.kind = SR_LARGEINT;
        parts.rest = SV_NULL;
    }
    if (type.kind == SR_UNSET || parts.rest.n > 0 || !complete(&parts, true, &type)) {
        return false;
    }
    *out_type = type;
    return true;
}

static bool same(const struct sr_type *a, const struct sr_type *b)
{
    return a->kind == b->kind && (a->kind != SR_VARCHAR || a->length == b->length) &&
           (a->kind != SR_DECIMAL ||
            (a->precision == b->precision && a->scale == b->scale));
}

/* Digits in front of the point and behind it: neither may become fewer. */
static bool holds_digits(const struct sr_type *wide, const struct sr_type *type)
{
    return wide->scale >= type->scale &&
           wide->precision - wide->scale >= type->precision - type->scale;
}

bool sr_type_same(const struct sr_type *type, struct sv column_type)
{
    struct sr_type seen;

    return sr_type_of_catalog(column_type, &seen) && same(type, &seen);
}

bool sr_type_holds(const struct sr_type *type, struct sv column_type)
{
    struct sr_type seen;

    if (!sr_type_of_catalog(column_type, &seen) || seen.kind != type->kind) {
        return false;
    }
    return same(type, &seen) ||
           (type->kind == SR_VARCHAR && seen.length >= type->length) ||
           (type->kind == SR_DECIMAL && holds_digits(&seen, type));
}

#define TO(kind) (1U << SR_##kind)

/* starrocks.md 3.4; CHAR, which no column of ours is, aside. */
static const uint32_t changes[SR_KIND_MAX] = {
    [SR_TINYINT] =
        TO(SMALLINT) | TO(INT) | TO(BIGINT) | TO(LARGEINT) | TO(DOUBLE) | TO(VARCHAR),
    [SR_SMALLINT] = TO(INT) | TO(BIGINT) | TO(LARGEINT) | TO(DOUBLE) | TO(VARCHAR),
    [SR_INT] = TO(BIGINT) | TO(LARGEINT) | TO(DOUBLE) | TO(DATE) | TO(VARCHAR),
    [SR_BIGINT] = TO(LARGEINT) | TO(DOUBLE) | TO(VARCHAR),
    [SR_LARGEINT] = TO(VARCHAR),
    [SR_DECIMAL] = TO(DECIMAL) | TO(VARCHAR),
    [SR_FLOAT] = TO(DOUBLE) | TO(VARCHAR),
    [SR_DOUBLE] = TO(VARCHAR),
    [SR_VARCHAR] = TO(VARCHAR) | TO(JSON) | TO(TINYINT) | TO(SMALLINT) | TO(INT) |
                   TO(BIGINT) | TO(LARGEINT) | TO(FLOAT) | TO(DOUBLE) | TO(DATE) |
                   TO(DECIMAL),
    [SR_DATE] = TO(DATETIME),
    [SR_DATETIME] = TO(DATE),
    [SR_JSON] = TO(VARCHAR),
};

/* "VARCHAR long enough": the display length of the FE (MysqlCodec.java; the wire lengths
 * of decimal(20,0) and decimal(38,9) in the transcript are 23 and 42). */
static int64_t decimal_text_bytes(const struct sr_type *type)
{
    return type->precision + TYPES_DECIMAL_EXTRA + (type->scale > 0 ? 1 : 0);
}

bool sr_type_can_become(const struct sr_type *from, const struct sr_type *to)
{
    must(from->kind > SR_UNSET && from->kind < SR_KIND_MAX);
    must(to->kind > SR_UNSET && to->kind < SR_KIND_MAX);
    if (same(from, to)) {
        return true;
    }
    if ((changes[from->kind] & (1U << to->kind)) == 0) {
        return false;
    }
    if (to->kind == SR_DECIMAL && from->kind == SR_DECIMAL) {
        return holds_digits(to, from);
    }
    if (to->kind != SR_VARCHAR) {
        return true;
    }
    return (from->kind != SR_VARCHAR || to->length >= from->length) &&
           (from->kind != SR_DECIMAL || to->length >= decimal_text_bytes(from)) &&
           (from->kind != SR_JSON || to->length >= JSON_AS_TEXT_BYTES_MIN);
}

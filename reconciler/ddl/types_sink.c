/* What the sink's SELECT makes of a column, and what the sink itself says about it. */
#include "ddl/types_parts.h"

#define VERSION_PARTS 3
#define VERSION_DIGITS_MAX ((size_t)9)

enum rw_type types_delivered(enum rw_type type, enum sink_expr expr)
{
    switch (expr) {
    case SINK_PASS:
        return type;
    case SINK_CAST_BIGINT:
        return RW_BIGINT;
    case SINK_CAST_VARCHAR:
    case SINK_HEX:
        return RW_VARCHAR;
    case SINK_CAST_JSONB:
        return RW_JSONB;
    case SINK_AT_UTC:
        return RW_TIMESTAMP;
    case SINK_CUSTOM:
    case SINK_EXPR_MAX:
        break;
    }
    return RW_UNSET;
}

/* Takes the digits in front; false: there are none, or too many for a version. */
static bool take_number(struct sv *text, int64_t *out_number)
{
    size_t n = 0;

    while (n < text->n && text->p[n] >= '0' && text->p[n] <= '9') {
        n++;
    }
    if (n > VERSION_DIGITS_MAX || !sv_int64(sv_sub(*text, 0, n), out_number)) {
        return false;
    }
    *text = sv_sub(*text, n, text->n);
    return true;
}

bool types_version_from(const char *version, int64_t major, int64_t minor, int64_t patch)
{
    const int64_t wanted[VERSION_PARTS] = {major, minor, patch};
    struct sv rest = sv_from(version);

    while (rest.n > 0 && (rest.p[0] < '0' || rest.p[0] > '9')) {
        rest = sv_sub(rest, 1, rest.n);
    }
    for (size_t i = 0; i < VERSION_PARTS; i++) {
        int64_t part = 0;

        if (!take_number(&rest, &part) && i == 0) {
            return true;
        }
        if (part != wanted[i]) {
            return part > wanted[i];
        }
        rest = rest.n > 0 && rest.p[0] == '.' ? sv_sub(rest, 1, rest.n) : SV_NULL;
    }
    return true;
}

static const struct {
    const char *word, *other_word, *why;
} checks[RW_TYPE_MAX] = {
#define SINK_CHECK(type, word, other_word, why) [RW_##type] = {word, other_word, why},
#include "ddl/types.def"
};

static bool has_word(struct sv column_type, const char *word)
{
    return word != NULL && sv_contains(column_type, sv_from(word));
}

/* From 3.1 on an instant is written in the session's zone, without saying which. */
static bool takes_timestamptz(struct sv column_type, const char *rw_version)
{
    static const char *const words[] = {"datetime", "varchar", "char", "string"};

    if (!types_version_from(rw_version == NULL ? RW_VERSION_ASSUMED : rw_version, 3, 1,
                            0)) {
        return false;
    }
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        if (has_word(column_type, words[i])) {
            return true;
        }
    }
    return false;
}

const char *types_sink_refusal(enum rw_type type, struct sv column_type,
                               const char *rw_version)
{
    must(type > RW_UNSET && type < RW_TYPE_MAX);
    if (has_word(column_type, checks[type].word) ||
        has_word(column_type, checks[type].other_word) ||
        (type == RW_TIMESTAMPTZ && takes_timestamptz(column_type, rw_version))) {
        return NULL;
    }
    return checks[type].why;
}

/* A column that MySQL no longer has is no key, so what a key needs is not looked for.
 * Only a wide DECIMAL is text without being one (types_size.c). */
static bool kept_expr(enum rw_type rw, enum sr_kind kind, enum sink_expr *out_expr)
{
    size_t count = 0;
    const struct type_def *defs = types_defs(&count);

    for (size_t i = 0; i < count; i++) {
        if (defs[i].rw == rw && defs[i].kind == kind) {
            *out_expr = defs[i].expr;
            return true;
        }
    }
    if (rw == RW_DECIMAL && kind == SR_VARCHAR) {
        *out_expr = SINK_CAST_VARCHAR;
        return true;
    }
    return false;
}

bool types_map_kept(enum rw_type rw, struct sv column_type, struct column_map *out_map)
{
    struct column_map map = {.rw = rw};

    if (!sr_type_of_catalog(column_type, &map.sr) ||
        !kept_expr(rw, map.sr.kind, &map.expr)) {
        return false;
    }
    map.delivered = types_delivered(rw, map.expr);
    *out_map = map;
    return true;
}

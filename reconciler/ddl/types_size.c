/* How large the StarRocks column is, and what of a MySQL value may be lost on the way. */
#include "ddl/labels.h"
#include "ddl/types_parts.h"

#define SR_OLD_DIGITS_MAX ((int64_t)38)        /* before DECIMAL256 of StarRocks 4.0 */
#define DECIMAL_DIGITS_OTHERWISE ((int64_t)10) /* MySQL's DECIMAL is DECIMAL(10,0) */
#define CHARACTER_BYTES_MAX ((int64_t)8)

struct charset {
    const char *name;
    int64_t character_bytes, growth;
};

static const struct charset charsets[] = {
#define CHARSET(name, character_bytes, growth) {name, character_bytes, growth},
#include "ddl/types.def"
};
static const struct charset any_charset = {"", 4, 3};

static const struct charset *charset_of(const struct mysql_column *column)
{
    for (size_t i = 0; i < COUNT_OF(charsets); i++) {
        if (sv_eq_nocase(sv_from(column->charset), sv_from(charsets[i].name))) {
            return &charsets[i];
        }
    }
    return &any_charset;
}

/* Bytes of the StarRocks column, and how many a value of MySQL's may take. */
struct extent {
    int64_t wanted, possible;
};

static struct extent chars_extent(const struct type_job *job, int64_t characters)
{
    int64_t own = charset_of(job->column)->character_bytes;
    int64_t chosen = job->options->bytes_per_character;

    if (chosen <= 0) {
        chosen = own;
    }
    chosen = chosen < CHARACTER_BYTES_MAX ? chosen : CHARACTER_BYTES_MAX;
    return (struct extent){characters * chosen, characters * own};
}

static struct extent text_extent(const struct type_job *job)
{
    const struct type_def *def = job->def;
    int64_t n = types_known(job->column->char_max_length, job->column, 0);
    int64_t growth = charset_of(job->column)->growth;

    switch (def->rule) {
    case RULE_FIXED:
        return (struct extent){def->limit, def->limit};
    case RULE_CHARS: /* a length nobody told is bounded by MySQL's row size */
        return n < 0 ? (struct extent){TYPES_VARCHAR_MAX, TYPES_VARCHAR_MAX}
                     : chars_extent(job, n);
    case RULE_TEXT: /* MySQL's limit counts bytes of its own encoding (starrocks.md 2.5)
                     */
        return (struct extent){growth == 1 ? def->limit : def->limit * 3,
                               def->limit * growth};
    case RULE_ENUM: {
        /* A new, longer label is an everyday ALTER; the length costs nothing in
         * StarRocks, and a label that does not fit would stop the sink: hence a generous
         * minimum. */
        struct extent e =
            chars_extent(job, labels_longest(sv_from(job->column->column_type)));
        e.wanted = e.wanted < def->limit ? def->limit : e.wanted;
        return e;
    }
    case RULE_HEX:
        n = def->limit > 0 ? def->limit : n;
        n = n < 0 ? TYPES_VARCHAR_MAX / 2 : n;
        return (struct extent){2 * n, 2 * n};
    case RULE_HEX_BITS:
        n = types_known(job->column->numeric_precision, job->column, 0);
        return (struct extent){2 * ((n + 7) / 8), 2 * ((n + 7) / 8)};
    case RULE_NONE:
    case RULE_DECIMAL:
        break;
    }
    return (struct extent){0, 0};
}

/* The target is smaller than MySQL's column: a value over the limit stops the sink. */
static void note_length(const struct type_job *job, struct column_map *map)
{
    bool hex = map->expr == SINK_HEX;
    int64_t fits = hex ? map->sr.length / 2 : map->sr.length;

    map->loss = LOSS_LENGTH;
    map->loss_limit = hex ? fits : fits / charset_of(job->column)->growth;
    if (hex || map->note == NULL) {
        map->note =
            arena_printf(job->arena, "%sa value over %lld bytes stops the sink",
                         hex ? "arrives as hexadecimal text; " : "", (long long)fits);
    }
}

static void size_varchar(const struct type_job *job, struct column_map *map)
{
    struct extent e = text_extent(job);

    e.wanted = e.wanted < 1 ? 1 : e.wanted; /* CHAR(0) and BINARY(0) are legal in MySQL */
    map->sr.length = e.wanted < TYPES_VARCHAR_MAX ? e.wanted : TYPES_VARCHAR_MAX;
    map->note = job->def->note[0] == '\0' ? NULL : job->def->note;
    if (e.possible > map->sr.length) {
        note_length(job, map);
    }
}

/* Over 38 digits: DECIMAL256 from StarRocks 4.0 on, before it text or nothing. As a key
 * it is refused all the same (types_key.c). */
static bool size_wide_decimal(const struct type_job *job, int64_t precision,
                              struct column_map *map, struct fault *fault)
{
    if (job->key || types_version_from(job->options->starrocks_version, 4, 0, 0)) {
        return true;
    }
    if (!job->options->to_string) {
        return types_refuse(job,
                            "StarRocks before 4.0 holds 38 digits and RisingWave 28; "
                            "change it to DECIMAL(38, s) or VARCHAR, or set "
                            "columns.unsupported: ToString",
                            fault);
    }
    map->expr = SINK_CAST_VARCHAR;
    map->sr =
        (struct sr_type){.kind = SR_VARCHAR, .length = precision + TYPES_DECIMAL_EXTRA};
    map->note = arena_printf(job->arena, "arrives as text; %s", job->def->note);
    return true;
}

static bool size_decimal(const struct type_job *job, struct column_map *map,
                         struct fault *fault)
{
    int64_t precision = types_known(job->column->numeric_precision, job->column, 0);
    int64_t scale = types_known(job->column->numeric_scale, job->column, 1);

    if (job->def->rule == RULE_FIXED) {
        precision = job->def->limit;
        scale = 0;
    }
    precision = precision < 1 ? DECIMAL_DIGITS_OTHERWISE : precision;
    scale = scale < 0 ? 0 : scale;
    if (precision > job->def->limit || scale > precision) {
        return types_refuse(job,
                            "a DECIMAL has at most 65 digits, and no more of them behind "
                            "the point than in all; change it to VARCHAR",
                            fault);
    }
    map->sr.precision = precision;
    map->sr.scale = scale;
    if (precision > TYPES_RW_DIGITS) {
        map->loss = LOSS_DIGITS;
        map->note = job->def->note;
    }
    return precision <= SR_OLD_DIGITS_MAX ||
           size_wide_decimal(job, precision, map, fault);
}

static enum loss_kind loss_of(enum rw_type type)
{
    if (type == RW_TIME) {
        return LOSS_TIME_RANGE;
    }
    return type == RW_DATE || type == RW_TIMESTAMP || type == RW_TIMESTAMPTZ
               ? LOSS_ZERO_DATE
               : LOSS_NONE;
}

/* Every date column could hold a zero date; worth saying where the table invites one. */
static bool invites_zero_dates(const struct type_job *job)
{
    struct column_default value = default_read(job->column, job->options->flavor,
                                               job->options->mysql_version, job->arena);

    return value.kind == DEFAULT_LITERAL &&
           sv_starts(sv_from(value.text), SV("0000-00-00"));
}

bool types_size(const struct type_job *job, struct column_map *map, struct fault *fault)
{
    map->loss = loss_of(map->rw);
    if (map->sr.kind == SR_VARCHAR) {
        size_varchar(job, map);
        return true;
    }
    if (map->sr.kind == SR_DECIMAL) {
        return size_decimal(job, map, fault);
    }
    if (map->loss != LOSS_ZERO_DATE || invites_zero_dates(job)) {
        map->note = job->def->note[0] == '\0' ? NULL : job->def->note;
    }
    return true;
}

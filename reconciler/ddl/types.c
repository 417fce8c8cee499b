#include "ddl/types_parts.h"

/* A number of the server's, or of a file: bounded before anything is computed from it. */
#define ARGUMENT_MAX ((int64_t)1 << 32)
#define COLUMN_TYPE_SHOWN_MAX ((size_t)80) /* an ENUM can have 65535 labels */

static const struct type_def defs[] = {
#define TYPE(data_type, attribute, mysql, rw, expr, kind, rule, limit, key, starrocks,   \
             note)                                                                       \
    {data_type, note,        limit,    ATTRIBUTE_##attribute, RW_##rw, SINK_##expr,      \
     SR_##kind, RULE_##rule, KEY_##key},
#include "ddl/types.def"
};

static const struct {
    const char *data_type, *why;
} refused[] = {
#define REFUSED(data_type, mysql, why) {data_type, why},
#include "ddl/types.def"
};

const struct type_def *types_defs(size_t *out_count)
{
    *out_count = COUNT_OF(defs);
    return defs;
}

int64_t types_argument(const struct mysql_column *column, size_t index)
{
    struct sv text = sv_from(column->column_type);
    size_t open = sv_find(text, SV("("));
    int64_t value = -1;

    if (open == SIZE_MAX) {
        return -1;
    }
    text = sv_sub(text, open + 1, text.n);
    text = sv_cut(&text, ')');
    for (size_t i = 0; i < index; i++) {
        (void)sv_cut(&text, ',');
    }
    text = sv_trim(sv_cut(&text, ','));
    if (!sv_int64(text, &value) || value < 0) {
        return -1;
    }
    return value < ARGUMENT_MAX ? value : ARGUMENT_MAX;
}

int64_t types_known(int64_t known, const struct mysql_column *column, size_t index)
{
    if (known >= 0) {
        return known < ARGUMENT_MAX ? known : ARGUMENT_MAX;
    }
    return types_argument(column, index);
}

/* MySQL prints ZEROFILL with UNSIGNED; a file written by hand may leave that out. Only
 * integers are asked: no label of an ENUM can be taken for it. */
static bool is_unsigned(const struct mysql_column *column)
{
    struct sv text = sv_from(column->column_type);

    return sv_find_nocase(text, SV("unsigned")) != SIZE_MAX ||
           sv_find_nocase(text, SV("zerofill")) != SIZE_MAX;
}

static bool attribute_matches(enum type_attribute attribute,
                              const struct mysql_column *column)
{
    bool is_one = types_known(column->numeric_precision, column, 0) <= 1;

    switch (attribute) {
    case ATTRIBUTE_ANY:
        return true;
    case ATTRIBUTE_SIGNED:
        return !is_unsigned(column);
    case ATTRIBUTE_UNSIGNED:
        return is_unsigned(column);
    case ATTRIBUTE_ONE:
        return is_one;
    case ATTRIBUTE_MANY:
        return !is_one;
    }
    return false;
}

static const struct type_def *find_def(const struct mysql_column *column)
{
    struct sv data_type = sv_from(column->data_type);

    for (size_t i = 0; i < COUNT_OF(defs); i++) {
        if (sv_eq_nocase(data_type, sv_from(defs[i].data_type)) &&
            attribute_matches(defs[i].attribute, column)) {
            return &defs[i];
        }
    }
    return NULL;
}

const char *types_shown(const struct type_job *job)
{
    struct sv whole = sv_from(job->column->column_type);
    struct sv start = sv_utf8_prefix(whole, COLUMN_TYPE_SHOWN_MAX);

    return arena_printf(job->arena, "%.*s%s", SV_ARGS(start),
                        start.n < whole.n ? "..." : "");
}

bool types_refuse(const struct type_job *job, const char *why, struct fault *fault)
{
    return fault_set(fault, FAULT_REFUSED, "UnsupportedType",
                     "column '%s' of type %s cannot be replicated: %s%s",
                     job->column->name, types_shown(job), why,
                     job->key ? ""
                              : ", or leave it out by columns.exclude or "
                                "columns.unsupported: Skip");
}

/* What RisingWave has no type for never gets as far as a cast. */
static bool refuse_absent(const struct type_job *job, const char *why,
                          struct fault *fault)
{
    if (job->options->to_string && !job->key) {
        why = arena_printf(job->arena,
                           "columns.unsupported: ToString cannot carry it either, as %s",
                           why);
    }
    return types_refuse(job, why, fault);
}

/* NULL: the table has a row for it. */
static const char *find_refusal(const struct mysql_column *column)
{
    if (sv_find_nocase(sv_from(column->extra), SV("virtual")) != SIZE_MAX) {
        return "a VIRTUAL generated column is not in MySQL's binary log; make it STORED "
               "or drop it";
    }
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        if (sv_eq_nocase(sv_from(column->data_type), sv_from(refused[i].data_type))) {
            return refused[i].why;
        }
    }
    return NULL;
}

bool types_map(const struct mysql_column *column, bool key,
               const struct types_options *options, struct arena *arena,
               struct column_map *out_map, struct fault *fault)
{
    struct type_job job = {.column = column,
                           .options = options,
                           .def = find_def(column),
                           .arena = arena,
                           .key = key};
    struct column_map map = {.source = column, .key = key};
    const char *why = find_refusal(column);

    if (why != NULL) {
        return refuse_absent(&job, why, fault);
    }
    if (job.def == NULL) {
        return refuse_absent(&job, "the type is unknown; change it to VARCHAR or drop it",
                             fault);
    }
    map.rw = job.def->rw;
    map.expr = job.def->expr;
    map.sr.kind = job.def->kind;
    if (!types_size(&job, &map, fault) || (key && !types_key(&job, &map, fault))) {
        return false;
    }
    map.delivered = types_delivered(map.rw, map.expr);
    struct column_default value =
        default_read(column, options->flavor, options->mysql_version, arena);
    map.default_value = types_default(&value, &map, arena);
    *out_map = map;
    return true;
}

/* From the chosen columns to the two lists: what the CDC table holds, what is delivered.
 */
#include "ddl/desired_private.h"

#include <string.h>

#define RW_KEY_DIGITS                                                                    \
    ((int64_t)28) /* a longer decimal becomes NULL (risingwave.md 3.3) */

static struct types_options options_of(const struct desired_input *in)
{
    return (struct types_options){.flavor = in->server->flavor,
                                  .mysql_version = in->server->version,
                                  .bytes_per_character = in->sync->bytes_per_character,
                                  .to_string =
                                      in->sync->unsupported == UNSUPPORTED_TO_STRING,
                                  .rw_version = in->rw_version,
                                  .starrocks_version = in->starrocks_version};
}

/* A column that only text is faithful to may still be asked for, as text. */
static bool asks_for_type(const struct chosen *column)
{
    return column->override != NULL && column->override->target_type != NULL &&
           column->override->expression == NULL;
}

/* AUTO_INCREMENT past 2^63-1 says as much as the largest value there is. */
static void map_column(struct choice *choice, struct chosen *column)
{
    struct mysql_column seen = *column->source;

    if (choice->in->table->auto_increment == -1 &&
        sv_find_nocase(sv_from(seen.extra), SV("auto_increment")) != SIZE_MAX) {
        seen.key_max = -1;
    }
    column->fault = (struct fault)FAULT_INIT;
    column->typed = types_map(&seen, column->target_key, &choice->options, choice->arena,
                              &column->map, &column->fault);
    if (!column->typed && asks_for_type(column)) {
        struct types_options options = choice->options;
        struct fault ignored = FAULT_INIT;
        options.to_string = true;
        column->typed = types_map(&seen, column->target_key, &options, choice->arena,
                                  &column->map, &ignored);
    }
    column->map.source = column->source;
}

/* What an expression may read: what a CDC table can hold under this name. */
static void add_readable(struct choice *choice, const struct chosen *column)
{
    struct expr_column readable = {.name = column->source->name};
    struct fault ignored = FAULT_INIT;

    if (column->typed &&
        ident_parse(choice->arena, sv_from(readable.name), SQL_RISINGWAVE, IDENT_COLUMN,
                    &readable.ident, &ignored)) {
        readable.type = column->map.rw;
    }
    VEC_PUSH(choice->arena, &choice->readable, readable);
}

static bool refuse_upstream_key(const struct mysql_column *column, const char *why,
                                struct fault *fault)
{
    return fault_set(fault, FAULT_REFUSED, "UnsupportedKey",
                     "primary key column '%s' of type %.80s cannot be used as a key: %s; "
                     "use a primary key of integer, date or short text columns",
                     column->name, column->column_type, why);
}

/* The upstream key that is not the target's: RisingWave's rules alone (2.7). */
static bool check_upstream_key(const struct chosen *column, struct fault *fault)
{
    const struct column_map *map = &column->map;

    if (!column->typed) {
        *fault = column->fault;
        return false;
    }
    if (map->rw == RW_BYTEA || map->rw == RW_JSONB) {
        return refuse_upstream_key(column->source,
                                   "RisingWave cannot page through such a key", fault);
    }
    if (map->rw == RW_DECIMAL && map->sr.kind == SR_DECIMAL &&
        map->sr.precision > RW_KEY_DIGITS) {
        return refuse_upstream_key(column->source,
                                   "RisingWave keeps 28 digits, and rows with longer "
                                   "keys would be merged into one",
                                   fault);
    }
    return true;
}

static void problem(struct choice *choice, const struct fault *fault)
{
    complaints_add(&choice->problems, fault);
}

/* Whether spec.columns.unsupported: Skip covers this. */
static bool may_skip(const struct choice *choice, const struct chosen *column,
                     const struct fault *fault)
{
    return choice->in->sync->unsupported == UNSUPPORTED_SKIP && !column->target_key &&
           (strcmp(fault->reason, "UnsupportedType") == 0 ||
            strcmp(fault->reason, "UnsupportedName") == 0);
}

static void skip(struct choice *choice, struct chosen *column, const struct fault *fault)
{
    const char *why =
        arena_printf(choice->arena, "%s: %s", column->source->name, fault->text);

    column->dropped = true;
    VEC_PUSH(choice->arena, &choice->d->skipped, why);
    choice_note(choice, "column '%s' is left out (spec.columns.unsupported is Skip): %s",
                column->source->name, fault->text);
}

/* The sink's primary_key option separates names by commas and trims them. */
static bool check_key_name(const char *name, struct fault *fault)
{
    if (sv_trim(sv_from(name)).n != strlen(name)) {
        return fault_set(
            fault, FAULT_REFUSED, "UnsupportedName",
            "key column name '%s' begins or ends with a blank, which RisingWave's "
            "primary_key option drops; rename it, or set targetName for it in "
            "spec.columns.overrides",
            name);
    }
    return true;
}

struct names {
    const struct ident *rw, *alias, *sr;
};

static bool name_column(struct choice *choice, const struct chosen *column, bool reads,
                        struct names *out_names, struct fault *fault)
{
    const struct column_override *override = column->override;
    bool renamed = override != NULL && override->target_name != NULL;
    const char *name = renamed ? override->target_name : column->source->name;
    struct names names = {0};

    if (reads && !ident_parse(choice->arena, sv_from(column->source->name),
                              SQL_RISINGWAVE, IDENT_COLUMN, &names.rw, fault)) {
        return false;
    }
    if (!ident_parse(choice->arena, sv_from(name), SQL_RISINGWAVE, IDENT_COLUMN,
                     &names.alias, fault) ||
        !ident_parse(choice->arena, sv_from(name), SQL_STARROCKS, IDENT_COLUMN, &names.sr,
                     fault)) {
        if (renamed) {
            (void)fault_reason(fault, "InvalidOverride");
            return fault_wrap(fault, "spec.columns.overrides['%s'].targetName",
                              column->source->name);
        }
        struct fault found = *fault;
        return fault_set(fault, found.class, found.reason,
                         "%s, or set targetName for it in spec.columns.overrides",
                         found.text);
    }
    *out_names = names;
    return !column->target_key || check_key_name(name, fault);
}

/* StarRocks compares column names without case. */
static bool check_duplicate(const struct desired *d, const struct ident *name,
                            struct fault *fault)
{
    for (size_t i = 0; i < d->sr_columns.n; i++) {
        if (sv_eq_nocase(ident_name(d->sr_columns.v[i]), ident_name(name))) {
            return fault_set(fault, FAULT_REFUSED, "InvalidColumns",
                             "two columns would be called '%.*s' in the target; "
                             "StarRocks (1060) says 'Duplicate column name '%.*s'': "
                             "choose another targetName in spec.columns.overrides",
                             SV_ARGS(ident_name(name)), SV_ARGS(ident_name(name)));
        }
    }
    return true;
}

static bool deliver(struct choice *choice, size_t place, struct fault *fault)
{
    struct desired *d = choice->d;
    const struct chosen *column = &choice->columns.v[place];
    struct column_map map = {0};
    struct names names = {0};

    if (!override_apply(choice, place, &map, fault) ||
        !name_column(choice, column, map.expr != SINK_CUSTOM, &names, fault) ||
        !check_duplicate(d, names.sr, fault)) {
        return false;
    }
    map.key = column->target_key;
    VEC_PUSH(choice->arena, &d->columns, map);
    VEC_PUSH(choice->arena, &d->rw_columns, names.rw);
    VEC_PUSH(choice->arena, &d->aliases, names.alias);
    VEC_PUSH(choice->arena, &d->sr_columns, names.sr);
    if (map.note != NULL) {
        choice_note(choice, "column '%s': %s", column->source->name, map.note);
    }
    return true;
}

static void add_target(struct choice *choice, size_t place)
{
    struct chosen *column = &choice->columns.v[place];
    struct fault fault = FAULT_INIT;

    if (deliver(choice, place, &fault)) {
        return;
    }
    if (may_skip(choice, column, &fault)) {
        skip(choice, column, &fault);
    } else {
        problem(choice, &fault);
    }
}

static void add_cdc(struct choice *choice, size_t place)
{
    const struct chosen *column = &choice->columns.v[place];
    struct cdc_column cdc = {
        .source = column->source, .type = column->map.rw, .key = column->cdc_key};
    struct fault fault = FAULT_INIT;

    if (column->cdc_key && !column->target_key && !check_upstream_key(column, &fault)) {
        problem(choice, &fault);
    } else if (!column->typed) {
        /* A target key column's fault was told with the target's columns. */
    } else if (!ident_parse(choice->arena, sv_from(column->source->name), SQL_RISINGWAVE,
                            IDENT_COLUMN, &cdc.name, &fault)) {
        if (!column->target_key) {
            problem(choice, &fault);
        }
    } else {
        VEC_PUSH(choice->arena, &choice->d->cdc, cdc);
    }
}

/* A selected column stays in the CDC table under an expression that does not read it: a
 * later change of the expression finds its values. */
static bool cdc_holds(const struct choice *choice, size_t place)
{
    const struct chosen *column = &choice->columns.v[place];

    return column->read || (column->selected && !column->dropped &&
                            choice->readable.v[place].type != RW_UNSET);
}

bool choice_fill(struct choice *choice, struct fault *fault)
{
    struct desired *d = choice->d;

    choice->options = options_of(choice->in);
    for (size_t i = 0; i < choice->columns.n; i++) {
        map_column(choice, &choice->columns.v[i]);
        add_readable(choice, &choice->columns.v[i]);
    }
    for (size_t i = 0; i < choice->target_key.n; i++) {
        add_target(choice, choice->target_key.v[i]);
    }
    d->key_count = d->columns.n;
    for (size_t i = 0; i < choice->columns.n; i++) {
        if (choice->columns.v[i].selected && !choice->columns.v[i].target_key) {
            add_target(choice, i);
        }
    }
    for (size_t i = 0; i < choice->upstream_key.n; i++) {
        add_cdc(choice, choice->upstream_key.v[i]);
    }
    d->cdc_key_count = d->cdc.n;
    for (size_t i = 0; i < choice->columns.n; i++) {
        if (!choice->columns.v[i].cdc_key && cdc_holds(choice, i)) {
            add_cdc(choice, i);
        }
    }
    return complaints_check(&choice->problems, choice->in->table, fault);
}

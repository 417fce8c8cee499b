/* Which columns are selected: spec.columns and spec.primaryKey against the MySQL table.
 */
#include "ddl/desired_private.h"

#include <stdarg.h>
#include <string.h>

#define NAMES_SHOWN_BYTES ((size_t)300)
#define NAME_CHARS_MAX 64 /* MySQL's limit */

#define INVALID(fault, ...)                                                              \
    fault_set((fault), FAULT_REFUSED, "InvalidColumns", __VA_ARGS__)

void choice_note(const struct choice *choice, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    const char *text = arena_vprintf(choice->arena, format, args);
    va_end(args);
    VEC_PUSH(choice->arena, &choice->d->notes, text);
}

size_t choice_find(const struct choice *choice, const char *name)
{
    for (size_t i = 0; i < choice->columns.n; i++) {
        if (sv_eq_nocase(sv_from(choice->columns.v[i].source->name), sv_from(name))) {
            return i;
        }
    }
    return SIZE_MAX;
}

static int lower(char c)
{
    return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

/* How many letters must be changed, added or left out to make `a` of `b`. */
static size_t distance(struct sv a, struct sv b)
{
    size_t row[NAME_CHARS_MAX + 1];

    a = sv_sub(a, 0, NAME_CHARS_MAX);
    b = sv_sub(b, 0, NAME_CHARS_MAX);
    for (size_t k = 0; k <= b.n; k++) {
        row[k] = k;
    }
    for (size_t i = 1; i <= a.n; i++) {
        size_t corner = row[0];
        row[0] = i;
        for (size_t k = 1; k <= b.n; k++) {
            size_t same = corner + (lower(a.p[i - 1]) == lower(b.p[k - 1]) ? 0 : 1);
            size_t shorter = row[k] < row[k - 1] ? row[k] : row[k - 1];
            corner = row[k];
            row[k] = same < shorter + 1 ? same : shorter + 1;
        }
    }
    return row[b.n];
}

const char *choice_known_names(const struct choice *choice, const char *wanted)
{
    AUTO(buf_deinit) struct buf text = {0};
    size_t nearest = 0, best = SIZE_MAX;

    buf_init(&text, NAMES_SHOWN_BYTES);
    for (size_t i = 0; i < choice->columns.n; i++) {
        size_t far =
            distance(sv_from(choice->columns.v[i].source->name), sv_from(wanted));
        nearest = far < best ? i : nearest;
        best = far < best ? far : best;
    }
    buf_addf(&text, "it has %s", choice->columns.v[nearest].source->name);
    for (size_t i = 0; i < choice->columns.n; i++) {
        if (i != nearest) {
            buf_addf(&text, ", %s", choice->columns.v[i].source->name);
        }
    }
    return arena_printf(choice->arena, "%s%s", buf_z(&text),
                        buf_overflowed(&text) ? ", ..." : "");
}

static bool is_kept(const struct choice *choice, const char *name)
{
    for (size_t i = 0; i < choice->in->kept_columns.n; i++) {
        if (sv_eq_nocase(sv_from(choice->in->kept_columns.v[i]), sv_from(name))) {
            return true;
        }
    }
    return false;
}

/* A name the table lacks: at first a mistake, later perhaps a column that was dropped. */
static void missing_name(struct choice *choice, const char *field, const char *name)
{
    const struct mysql_table *table = choice->in->table;
    struct fault problem = FAULT_INIT;

    if (is_kept(choice, name)) {
        return;
    }
    if (!choice->in->first_run) {
        choice_note(choice, "%s names column '%s', which %s.%s does not have", field,
                    name, table->database, table->name);
        return;
    }
    (void)INVALID(&problem, "%s names column '%s', which the table does not have; %s",
                  field, name, choice_known_names(choice, name));
    complaints_add(&choice->problems, &problem);
}

static bool includes_all(const struct strlist *include)
{
    bool all = include->n == 0;

    for (size_t i = 0; i < include->n; i++) {
        all = all || strcmp(include->v[i], "*") == 0;
    }
    return all;
}

static void include_columns(struct choice *choice)
{
    const struct strlist *include = &choice->in->sync->include;
    bool all = includes_all(include);

    for (size_t i = 0; all && i < choice->columns.n; i++) {
        choice->columns.v[i].selected = true;
    }
    for (size_t i = 0; i < include->n; i++) {
        size_t place = choice_find(choice, include->v[i]);
        if (place != SIZE_MAX) {
            choice->columns.v[place].selected = true;
        } else if (strcmp(include->v[i], "*") != 0) {
            missing_name(choice, "spec.columns.include", include->v[i]);
        }
    }
}

/* The target's key columns are part of it in any case; the upstream key only of the CDC
 * table. */
static void exclude_columns(struct choice *choice)
{
    const struct strlist *exclude = &choice->in->sync->exclude;

    for (size_t i = 0; i < choice->target_key.n; i++) {
        choice->columns.v[choice->target_key.v[i]].selected = true;
    }
    for (size_t i = 0; i < exclude->n; i++) {
        size_t place = choice_find(choice, exclude->v[i]);
        struct fault problem = FAULT_INIT;
        if (place == SIZE_MAX) {
            missing_name(choice, "spec.columns.exclude", exclude->v[i]);
            continue;
        }
        if (choice->columns.v[place].target_key) {
            (void)INVALID(&problem,
                          "spec.columns.exclude names '%s', which is part of the "
                          "target's key; StarRocks says 'Key column(%s) doesn't exist.': "
                          "leave it in, or choose another key in spec.primaryKey",
                          exclude->v[i], exclude->v[i]);
            complaints_add(&choice->problems, &problem);
            continue;
        }
        choice->columns.v[place].selected = false;
        choice->columns.v[place].excluded = true;
    }
}

static void bind_override(struct choice *choice, const struct column_override *override)
{
    size_t place = choice_find(choice, override->name);
    struct fault problem = FAULT_INIT;

    if (place == SIZE_MAX) {
        missing_name(choice, "spec.columns.overrides", override->name);
        return;
    }
    struct chosen *column = &choice->columns.v[place];
    if (column->override != NULL) {
        (void)INVALID(&problem, "spec.columns.overrides names column '%s' twice",
                      column->source->name);
    } else if (!column->selected) {
        (void)INVALID(&problem,
                      "spec.columns.overrides names column '%s', which is %s: take it "
                      "out of one of them",
                      column->source->name,
                      column->excluded ? "in spec.columns.exclude too"
                                       : "not in spec.columns.include");
    } else {
        column->override = override;
        return;
    }
    complaints_add(&choice->problems, &problem);
}

bool choice_select(struct choice *choice, struct fault *fault)
{
    const struct mysql_table *table = choice->in->table;
    const struct tablesync *sync = choice->in->sync;

    for (size_t i = 0; i < table->columns.n; i++) {
        struct chosen column = {.source = &table->columns.v[i]};
        VEC_PUSH(choice->arena, &choice->columns, column);
    }
    if (choice->columns.n == 0) {
        return fault_set(fault, FAULT_BUG, NULL, "the schema of %s.%s has no columns",
                         table->database, table->name);
    }
    if (!choice_keys(choice, fault)) {
        return false;
    }
    include_columns(choice);
    exclude_columns(choice);
    for (size_t i = 0; i < sync->overrides.n; i++) {
        bind_override(choice, &sync->overrides.v[i]);
    }
    return complaints_check(&choice->problems, table, fault);
}

/*
 * Changes of the MySQL table since its CDC table was made, and what the policy of
 * spec.schemaChange does about each (the table in contract product.md 2.8).
 *
 * The CDC table is the memory: RisingWave itself follows none of these changes (verified
 * 2, 3). Its columns against MySQL's tell what came, what went and what changed its type.
 */
#include "ddl/expr.h"
#include "ddl/plan_parts.h"

#include <stdarg.h>
#include <string.h>

void plan_changed(struct planner *p, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    VEC_PUSH(p->arena, &p->plan->changes,
             (const char *)arena_vprintf(p->arena, format, args));
    va_end(args);
}

static const char *table_path(const struct planner *p)
{
    return arena_printf(p->arena, "%s.%s", p->d.in.table->database, p->d.in.table->name);
}

bool plan_blocked(const struct planner *p, const char *change, struct fault *fault)
{
    return fault_set(fault, FAULT_REFUSED, "ChangeBlockedByPolicy",
                     "MySQL table %s: %s, and spec.schemaChange.policy is Fail; rows go "
                     "on flowing in the old shape. Undo the change, or set the policy to "
                     "AddOnly, Evolve or Ignore",
                     table_path(p), change);
}

bool plan_unsupported(const struct planner *p, const char *change, const char *way_out,
                      struct fault *fault)
{
    return fault_set(fault, FAULT_REFUSED, "ChangeUnsupported", "MySQL table %s: %s. %s",
                     table_path(p), change, way_out);
}

const struct column_override *plan_override(const struct planner *p, const char *column)
{
    const struct tablesync *sync = p->d.in.sync;

    for (size_t i = 0; i < sync->overrides.n; i++) {
        if (sv_eq_nocase(sv_from(sync->overrides.v[i].name), sv_from(column))) {
            return &sync->overrides.v[i];
        }
    }
    return NULL;
}

void plan_remove_column(struct desired *d, size_t index)
{
    size_t after = d->columns.n - index - 1;

    memmove(&d->columns.v[index], &d->columns.v[index + 1],
            after * sizeof(*d->columns.v));
    memmove(&d->rw_columns.v[index], &d->rw_columns.v[index + 1],
            after * sizeof(*d->rw_columns.v));
    memmove(&d->aliases.v[index], &d->aliases.v[index + 1],
            after * sizeof(*d->aliases.v));
    memmove(&d->sr_columns.v[index], &d->sr_columns.v[index + 1],
            after * sizeof(*d->sr_columns.v));
    d->columns.n--;
    d->rw_columns.n--;
    d->aliases.n--;
    d->sr_columns.n--;
}

/* The lists are edited below; the input's own stay as they are. */
static void copy_columns(struct planner *p)
{
    const struct desired *from = p->wanted;
    struct desired *to = &p->d;

    memset(&to->cdc, 0, sizeof(to->cdc));
    memset(&to->columns, 0, sizeof(to->columns));
    memset(&to->rw_columns, 0, sizeof(to->rw_columns));
    memset(&to->aliases, 0, sizeof(to->aliases));
    memset(&to->sr_columns, 0, sizeof(to->sr_columns));
    for (size_t i = 0; i < from->cdc.n; i++) {
        VEC_PUSH(p->arena, &to->cdc, from->cdc.v[i]);
    }
    for (size_t i = 0; i < from->columns.n; i++) {
        VEC_PUSH(p->arena, &to->columns, from->columns.v[i]);
        VEC_PUSH(p->arena, &to->rw_columns, from->rw_columns.v[i]);
        VEC_PUSH(p->arena, &to->aliases, from->aliases.v[i]);
        VEC_PUSH(p->arena, &to->sr_columns, from->sr_columns.v[i]);
    }
}

/* --- the key --- */

static bool same_key(const struct planner *p)
{
    size_t seen = 0, shared = 0;

    for (size_t i = 0; i < p->table->columns.n; i++) {
        seen += p->table->columns.v[i].primary_key ? 1 : 0;
    }
    for (size_t i = 0; i < p->d.cdc_key_count; i++) {
        const struct rw_column *column =
            plan_rw_column(p->table, ident_name(p->d.cdc.v[i].name));
        shared += column != NULL && column->primary_key ? 1 : 0;
    }
    return seen == shared && shared == p->d.cdc_key_count;
}

static bool refuse_key(const struct planner *p, struct fault *fault)
{
    AUTO(buf_deinit) struct buf change = {0};
    const char *separator = "";

    buf_init(&change, 4096);
    buf_addz(&change, "its primary key is now (");
    for (size_t i = 0; i < p->d.cdc_key_count; i++) {
        buf_addf(&change, "%s%.*s", separator, SV_ARGS(ident_name(p->d.cdc.v[i].name)));
        separator = ", ";
    }
    buf_addz(&change, "), while the CDC table was made with (");
    separator = "";
    for (size_t i = 0; i < p->table->columns.n; i++) {
        if (p->table->columns.v[i].primary_key) {
            buf_addf(&change, "%s%s", separator, p->table->columns.v[i].name);
            separator = ", ";
        }
    }
    buf_addz(&change, ")");
    return plan_unsupported(p, buf_z(&change),
                            "Rows cannot be told apart by another key: undo the change, "
                            "or load everything anew with a new spec.resyncToken and "
                            "spec.resyncMode Recreate",
                            fault);
}

/* --- what is new in MySQL --- */

static bool is_known_kept(const struct planner *p, const char *column)
{
    for (size_t i = 0; i < p->d.in.kept_columns.n; i++) {
        if (sv_eq_nocase(sv_from(p->d.in.kept_columns.v[i]), sv_from(column))) {
            return true;
        }
    }
    return false;
}

/* A column that the CDC table has and MySQL lost since the last look, of the same type
 * as `added`; NULL: none. */
static const struct rw_column *renamed_from(const struct planner *p,
                                            const struct cdc_column *added)
{
    for (size_t i = 0; i < p->table->columns.n; i++) {
        const struct rw_column *column = &p->table->columns.v[i];

        if (mysql_table_find(p->d.in.table, column->name) == NULL &&
            !is_known_kept(p, column->name) &&
            rw_type_of_catalog(sv_from(column->type)) == added->type) {
            return column;
        }
    }
    return NULL;
}

/* Evolve follows a rename when an override says where the new column's values go. */
static bool rename_is_told(const struct planner *p, const char *old_name,
                           const char *new_name)
{
    const struct column_override *now = plan_override(p, new_name);
    const struct column_override *before = plan_override(p, old_name);
    const char *target =
        before != NULL && before->target_name != NULL ? before->target_name : old_name;

    return p->d.in.sync->schema_policy == SCHEMA_EVOLVE && now != NULL &&
           now->target_name != NULL &&
           sv_eq_nocase(sv_from(now->target_name), sv_from(target));
}

static bool is_named(const struct planner *p, const char *column)
{
    const struct strlist *include = &p->d.in.sync->include;

    for (size_t i = 0; i < include->n; i++) {
        if (sv_eq_nocase(sv_from(include->v[i]), sv_from(column))) {
            return true;
        }
    }
    return plan_override(p, column) != NULL;
}

/* Expressions were parsed over all columns of the MySQL table, in its order. */
static bool is_read_by_expression(const struct planner *p,
                                  const struct mysql_column *column)
{
    size_t index = (size_t)(column - p->d.in.table->columns.v);

    for (size_t i = 0; i < p->d.columns.n; i++) {
        if (p->d.columns.v[i].expr == SINK_CUSTOM &&
            expr_uses(p->d.columns.v[i].custom, index)) {
            return true;
        }
    }
    return false;
}

/* Under Ignore a new column is not selected, unless the spec names it. */
static bool leave_out(struct planner *p, size_t *index)
{
    const struct cdc_column column = p->d.cdc.v[*index];

    if (is_named(p, column.source->name) || is_read_by_expression(p, column.source)) {
        return false;
    }
    for (size_t i = p->d.columns.n; i > 0; i--) {
        const struct ident *feeds = p->d.rw_columns.v[i - 1];

        if (feeds != NULL && sv_eq(ident_name(feeds), ident_name(column.name))) {
            plan_remove_column(&p->d, i - 1);
        }
    }
    memmove(&p->d.cdc.v[*index], &p->d.cdc.v[*index + 1],
            (p->d.cdc.n - *index - 1) * sizeof(*p->d.cdc.v));
    p->d.cdc.n--;
    (*index)--;
    VEC_PUSH(p->arena, &p->plan->ignored, column.source->name);
    return true;
}

static bool added(struct planner *p, size_t *index, struct fault *fault)
{
    const struct cdc_column *column = &p->d.cdc.v[*index];
    const char *name = column->source->name;
    const struct rw_column *old = renamed_from(p, column);
    enum schema_policy policy = p->d.in.sync->schema_policy;

    if (policy == SCHEMA_IGNORE && leave_out(p, index)) {
        return true;
    }
    if (policy == SCHEMA_FAIL && !is_named(p, name)) {
        return plan_blocked(p, arena_printf(p->arena, "column '%s' was added", name),
                            fault);
    }
    if (old != NULL && rename_is_told(p, old->name, name)) {
        plan_changed(p, "column '%s' was renamed to '%s'", old->name, name);
        p->rebuild = true;
        return true;
    }
    if (old != NULL && policy != SCHEMA_IGNORE) {
        return plan_unsupported(
            p,
            arena_printf(p->arena,
                         "column '%s' is gone and '%s' is new with the same type, most "
                         "likely a rename, which RisingWave does not follow: '%s' reads "
                         "NULL from then on",
                         old->name, name, old->name),
            arena_printf(p->arena,
                         "To go on under the old name set spec.schemaChange.policy to "
                         "Evolve and add {name: %s, targetName: %s} to "
                         "spec.columns.overrides; to take both as they are now set a new "
                         "spec.resyncToken",
                         name, old->name),
            fault);
    }
    plan_changed(p, "column '%s' was added", name);
    VEC_PUSH(p->arena, &p->adds, *index);
    VEC_PUSH(p->arena, &p->plan->unloaded, name);
    return true;
}

/* --- other types --- */

/* Values of `from` all have a place in `to`. */
static bool widens(enum rw_type from, enum rw_type to)
{
    static const enum rw_type ladder[] = {RW_SMALLINT, RW_INTEGER, RW_BIGINT, RW_DECIMAL};
    size_t low = COUNT_OF(ladder), high = 0;

    if (from == RW_REAL && to == RW_DOUBLE) {
        return true;
    }
    for (size_t i = 0; i < COUNT_OF(ladder); i++) {
        low = ladder[i] == from ? i : low;
        high = ladder[i] == to ? i : high;
    }
    return low < high;
}

static bool retyped(struct planner *p, size_t index, const struct rw_column *seen,
                    struct fault *fault)
{
    const struct cdc_column *column = &p->d.cdc.v[index];
    enum schema_policy policy = p->d.in.sync->schema_policy;
    enum rw_type from = rw_type_of_catalog(sv_from(seen->type));
    const char *change = arena_printf(
        p->arena,
        "column '%s' is now %s, which RisingWave must read as %s; its CDC table has %s, "
        "and other values arrive as NULL",
        column->source->name, column->source->column_type, rw_type_catalog(column->type),
        seen->type);

    if (policy == SCHEMA_FAIL) {
        return plan_blocked(p, change, fault);
    }
    if (policy == SCHEMA_EVOLVE ||
        (policy == SCHEMA_ADD_ONLY && widens(from, column->type))) {
        plan_changed(p, "column '%s' changed its type to %s", column->source->name,
                     column->source->column_type);
        p->rebuild = true;
        return true;
    }
    return plan_unsupported(p, change,
                            "Undo the change, set spec.schemaChange.policy to Evolve, or "
                            "load everything anew with a new spec.resyncToken and "
                            "spec.resyncMode Recreate",
                            fault);
}

static bool compare_columns(struct planner *p, struct fault *fault)
{
    for (size_t i = 0; i < p->d.cdc.n; i++) {
        const struct rw_column *seen =
            plan_rw_column(p->table, ident_name(p->d.cdc.v[i].name));

        if (seen == NULL) {
            if (!added(p, &i, fault)) {
                return false;
            }
        } else if (!sv_eq_nocase(sv_from(seen->type),
                                 sv_from(rw_type_catalog(p->d.cdc.v[i].type)))) {
            if (!retyped(p, i, seen, fault)) {
                return false;
            }
        }
    }
    return true;
}

/* Loading anew under the next version: nothing of the old CDC table counts then. */
static void start_rebuild(struct planner *p)
{
    p->table = NULL;
    p->table_version++;
    memset(&p->mark, 0, sizeof(p->mark));
    memset(&p->adds, 0, sizeof(p->adds));
    memset(&p->plan->unloaded, 0, sizeof(p->plan->unloaded));
}

static bool name_table_ident(struct planner *p, struct fault *fault)
{
    return ident_parse(p->arena,
                       sv_from(name_table_version(p->arena, ident_name(p->d.table_name),
                                                  p->table_version)),
                       SQL_RISINGWAVE, IDENT_TABLE, &p->table_ident, fault);
}

bool plan_changes(struct planner *p, struct fault *fault)
{
    copy_columns(p);
    if (p->table != NULL) {
        if (!same_key(p)) {
            return refuse_key(p, fault);
        }
        if (!compare_columns(p, fault)) {
            return false;
        }
    }
    if (p->rebuild) {
        start_rebuild(p);
    }
    return plan_kept(p, fault) && name_table_ident(p, fault) && plan_widen(p, fault);
}

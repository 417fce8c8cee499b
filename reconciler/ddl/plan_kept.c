/*
 * Columns that the stream has and that are no longer asked for: dropped in MySQL, or left
 * out by the spec. Whatever the target holds of them would turn NULL with the next sink,
 * because a sink writes whole rows: so a dropped column goes on being delivered from the
 * CDC table as long as it is kept, and everything else counts as a loss to be approved.
 */
#include "ddl/plan_parts.h"

#include <string.h>

static bool is_wanted(const struct planner *p, struct sv name)
{
    for (size_t i = 0; i < p->d.cdc.n; i++) {
        if (sv_eq(ident_name(p->d.cdc.v[i].name), name)) {
            return true;
        }
    }
    return false;
}

static bool feeds(const struct desired *d, struct sv target)
{
    for (size_t i = 0; i < d->sr_columns.n; i++) {
        if (sv_eq_nocase(ident_name(d->sr_columns.v[i]), target)) {
            return true;
        }
    }
    return false;
}

/* The target's column that a column of the stream was delivered to; NULL: none, or it is
 * fed by another one now. */
static const struct sr_column *delivered_to(const struct planner *p, const char *name)
{
    const struct column_override *override = plan_override(p, name);
    struct sv target = sv_from(
        override != NULL && override->target_name != NULL ? override->target_name : name);

    return feeds(&p->d, target) ? NULL : plan_sr_column(p->target, target);
}

static bool was_known(const struct planner *p, const char *column)
{
    for (size_t i = 0; i < p->d.in.kept_columns.n; i++) {
        if (sv_eq_nocase(sv_from(p->d.in.kept_columns.v[i]), sv_from(column))) {
            return true;
        }
    }
    return false;
}

static bool keep(struct planner *p, const struct rw_column *column, struct fault *fault)
{
    const struct sr_column *target = delivered_to(p, column->name);
    enum rw_type type = rw_type_of_catalog(sv_from(column->type));
    struct column_map map = {0};
    const struct ident *rw = NULL, *alias = NULL, *sr = NULL;

    VEC_PUSH(p->arena, &p->plan->kept, column->name);
    if (target == NULL) {
        return true;
    }
    if (!types_map_kept(type, sv_from(target->type), &map)) {
        p->retires = true;
        VEC_PUSH(p->arena, &p->plan->notes,
                 (const char *)arena_printf(
                     p->arena,
                     "column '%s' is gone from MySQL and its values were made by an "
                     "expression: it turns NULL in the target",
                     column->name));
        return true;
    }
    if (!ident_parse(p->arena, sv_from(column->name), SQL_RISINGWAVE, IDENT_COLUMN, &rw,
                     fault) ||
        !ident_parse(p->arena, sv_from(target->name), SQL_RISINGWAVE, IDENT_COLUMN,
                     &alias, fault) ||
        !ident_parse(p->arena, sv_from(target->name), SQL_STARROCKS, IDENT_COLUMN, &sr,
                     fault)) {
        return false;
    }
    VEC_PUSH(p->arena, &p->d.cdc, (struct cdc_column){.name = rw, .type = type});
    VEC_PUSH(p->arena, &p->d.columns, map);
    VEC_PUSH(p->arena, &p->d.rw_columns, rw);
    VEC_PUSH(p->arena, &p->d.aliases, alias);
    VEC_PUSH(p->arena, &p->d.sr_columns, sr);
    return true;
}

static void drop(struct planner *p, const struct rw_column *column)
{
    const struct sr_column *target = delivered_to(p, column->name);

    VEC_PUSH(p->arena, &p->cdc_drops, column->name);
    if (target != NULL) {
        VEC_PUSH(p->arena, &p->target_drops, target->name);
    }
}

static bool gone(struct planner *p, const struct rw_column *column, struct fault *fault)
{
    const struct tablesync *sync = p->d.in.sync;

    if (!was_known(p, column->name)) {
        if (sync->schema_policy == SCHEMA_FAIL) {
            return plan_blocked(
                p, arena_printf(p->arena, "column '%s' was dropped", column->name),
                fault);
        }
        plan_changed(p, "column '%s' was dropped", column->name);
    }
    if (sync->schema_policy == SCHEMA_EVOLVE && sync->drop_column == DROP_COLUMN_DROP) {
        drop(p, column);
        return true;
    }
    return keep(p, column, fault);
}

/* A new CDC table has none of the old columns: their values end with the old sink. */
static void lose_kept(struct planner *p, const struct rw_table *old)
{
    for (size_t i = 0; i < old->columns.n; i++) {
        const char *name = old->columns.v[i].name;
        const struct sr_column *target = delivered_to(p, name);

        if (is_wanted(p, sv_from(name)) || target == NULL) {
            continue;
        }
        p->retires =
            p->retires || p->d.in.resync == 0 || p->d.in.resync == RESYNC_IN_PLACE;
        VEC_PUSH(p->arena, &p->plan->notes,
                 (const char *)arena_printf(
                     p->arena,
                     "column '%s' of the target is fed by no MySQL column any more and "
                     "turns NULL when all rows are loaded anew",
                     target->name));
    }
}

bool plan_kept(struct planner *p, struct fault *fault)
{
    if (p->table == NULL) {
        if (p->tables.n > 0) {
            lose_kept(p, p->tables.v[0]);
        }
        return true;
    }
    for (size_t i = 0; i < p->table->columns.n; i++) {
        const struct rw_column *column = &p->table->columns.v[i];

        if (is_wanted(p, sv_from(column->name))) {
            continue;
        }
        if (mysql_table_find(p->d.in.table, column->name) == NULL) {
            if (!gone(p, column, fault)) {
                return false;
            }
        } else if (delivered_to(p, column->name) != NULL) {
            p->retires = true; /* left out by spec.columns from now on */
        }
    }
    return true;
}

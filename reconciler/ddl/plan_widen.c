/*
 * The target's columns against the definition: what is missing is added, what is too
 * narrow is widened as far as StarRocks can (starrocks.md 3.3, 3.4) and the policy
 * allows. What somebody else changed in the target is told, never undone.
 */
#include "ddl/plan_parts.h"

#include <string.h>

#define NEW_COLUMNS_MAX 99

/*
 * A BIGINT UNSIGNED key whose large values were deleted since keeps the text column that
 * it was given.
 */
static void keep_text_key(struct planner *p, size_t index)
{
    struct column_map *map = &p->d.columns.v[index];
    const struct sr_type text = {.kind = SR_VARCHAR, .length = 20};
    const struct sr_column *seen =
        plan_sr_column(p->target, ident_name(p->d.sr_columns.v[index]));

    if (map->expr == SINK_CAST_BIGINT && map->key && seen != NULL &&
        sr_type_same(&text, sv_from(seen->type))) {
        map->expr = SINK_CAST_VARCHAR;
        map->delivered = RW_VARCHAR;
        map->sr = text;
    }
}

static const char *named(const struct planner *p, size_t index, const char *text)
{
    return arena_printf(p->arena, "column '%.*s' %s",
                        SV_ARGS(ident_name(p->d.sr_columns.v[index])), text);
}

/* A key column cannot be added, and one that a sink delivers was dropped by somebody. */
static void missing(struct planner *p, size_t index, bool delivered, struct buf *out)
{
    const struct column_map *map = &p->d.columns.v[index];

    if (map->key || delivered) {
        plan_report(out, "%s",
                    named(p, index,
                          arena_printf(p->arena, "is missing (%s needed)",
                                       sr_type_catalog(&map->sr, p->arena))));
        return;
    }
    VEC_PUSH(p->arena, &p->target_adds, index);
}

/* Evolve's way out of a change that StarRocks cannot follow: another column beside it. */
static bool beside(struct planner *p, size_t index, struct fault *fault)
{
    struct sv name = ident_name(p->d.sr_columns.v[index]);
    const struct sr_column *seen = NULL;
    const char *next = NULL;
    int number = 1;

    do {
        number++;
        next = arena_printf(p->arena, "%.*s__v%d", SV_ARGS(name), number);
        seen = plan_sr_column(p->target, sv_from(next));
    } while (seen != NULL && number < NEW_COLUMNS_MAX &&
             !sr_type_holds(&p->d.columns.v[index].sr, sv_from(seen->type)));
    if (seen == NULL) {
        plan_changed(p, "its values go to the new target column '%s' from now on", next);
        VEC_PUSH(p->arena, &p->target_adds, index);
        VEC_PUSH(p->arena, &p->plan->notes,
                 (const char *)arena_printf(
                     p->arena,
                     "column '%.*s' of the target cannot take the new type: it stays, "
                     "turns NULL as rows are loaded anew, and '%s' holds the values",
                     SV_ARGS(name), next));
    }
    return ident_parse(p->arena, sv_from(next), SQL_RISINGWAVE, IDENT_COLUMN,
                       &p->d.aliases.v[index], fault) &&
           ident_parse(p->arena, sv_from(next), SQL_STARROCKS, IDENT_COLUMN,
                       &p->d.sr_columns.v[index], fault);
}

static bool too_narrow(struct planner *p, size_t index, const struct sr_column *seen,
                       struct buf *out, struct fault *fault)
{
    const struct column_map *map = &p->d.columns.v[index];
    enum schema_policy policy = p->d.in.sync->schema_policy;
    const char *wanted = sr_type_catalog(&map->sr, p->arena);
    struct sr_type from = {0};
    bool can =
        sr_type_of_catalog(sv_from(seen->type), &from) &&
        sr_type_can_become(&from, &map->sr) &&
        types_sink_refusal(map->delivered, sv_from(wanted), p->d.in.rw_version) == NULL;
    const char *change =
        named(p, index, arena_printf(p->arena, "is %s, %s needed", seen->type, wanted));

    if (map->key) { /* StarRocks 4.1 changes no key column (starrocks.md 3.3) */
        plan_report(out, "%s", change);
        return true;
    }
    if (policy == SCHEMA_FAIL && p->d.in.resync == 0) {
        return plan_blocked(p, arena_printf(p->arena, "%s in the target", change), fault);
    }
    if (policy == SCHEMA_IGNORE && can && p->d.in.resync == 0) {
        return true; /* it still delivers; a value too long will show in SinkReady */
    }
    if (can) {
        plan_changed(p, "column '%.*s' needs %s",
                     SV_ARGS(ident_name(p->d.sr_columns.v[index])), wanted);
        VEC_PUSH(p->arena, &p->target_widens, index);
        return true;
    }
    if (policy == SCHEMA_EVOLVE) {
        return beside(p, index, fault);
    }
    return plan_unsupported(
        p,
        arena_printf(p->arena, "%s in the target, which StarRocks cannot change", change),
        "Undo the change, set spec.schemaChange.policy to Evolve to have its values in a "
        "new column, or set a new spec.resyncToken with spec.resyncMode Recreate",
        fault);
}

static bool column(struct planner *p, size_t index, bool delivered, struct buf *out,
                   struct fault *fault)
{
    struct sv name = ident_name(p->d.sr_columns.v[index]);
    const struct sr_column *seen = plan_sr_column(p->target, name);

    if (seen == NULL) {
        missing(p, index, delivered, out);
        return true;
    }
    if (!sv_eq(sv_from(seen->name), name)) {
        plan_report(out, "%s",
                    named(p, index,
                          arena_printf(p->arena,
                                       "is spelled '%s', and RisingWave's sink minds "
                                       "the case",
                                       seen->name)));
        return true;
    }
    if (!p->d.columns.v[index].key && !seen->nullable) {
        plan_report(out, "%s",
                    named(p, index, "is NOT NULL, which a NULL on the way would break"));
    }
    return sr_type_holds(&p->d.columns.v[index].sr, sv_from(seen->type)) ||
           too_narrow(p, index, seen, out, fault);
}

/* Everything that no statement of ours could put right, at once. */
static bool refuse_target(const struct planner *p, bool delivered,
                          const char *differences, struct fault *fault)
{
    return fault_set(fault, FAULT_REFUSED,
                     delivered ? "TargetDrift" : "IncompatibleSchema",
                     "StarRocks table %s %s the MySQL table: %s; alter it, or set a new "
                     "spec.resyncToken with spec.resyncMode Recreate",
                     plan_object(p->arena, p->d.target_database, p->d.target_table),
                     delivered ? "no longer fits" : "does not fit", differences);
}

static bool is_ours(const struct planner *p)
{
    struct mark mark;

    return mark_parse(p->target->comment, &mark) &&
           sv_eq(mark.uid, sv_from(p->d.in.sync->uid));
}

static bool names_target(const struct desired *d, struct sv target)
{
    for (size_t i = 0; i < d->sr_columns.n; i++) {
        if (sv_eq_nocase(ident_name(d->sr_columns.v[i]), target)) {
            return true;
        }
    }
    return false;
}

/*
 * A column that the CDC table has had before and the target has not under this name was
 * delivered under another one: targetName was changed. What nothing feeds any more turns
 * NULL with the next sink. Of a CDC table that is being made beside another one, and has
 * delivered nothing, nothing can be said.
 */
static void note_renamed_targets(struct planner *p)
{
    bool knows = p->table != NULL && (p->tables.n == 1 || plan_is_delivered(p));
    bool renamed = false;

    for (size_t i = 0; knows && i < p->target_adds.n; i++) {
        const struct ident *feeds = p->d.rw_columns.v[p->target_adds.v[i]];
        struct sv name = ident_name(p->d.sr_columns.v[p->target_adds.v[i]]);

        /* The name that beside() chose is no wish of the spec. */
        renamed = renamed || (feeds != NULL && names_target(p->wanted, name) &&
                              plan_rw_column(p->table, ident_name(feeds)) != NULL);
    }
    for (size_t i = 0; renamed && i < p->target->columns.n; i++) {
        const struct sr_column *column = &p->target->columns.v[i];

        if (column->key || names_target(&p->d, sv_from(column->name))) {
            continue;
        }
        p->retires = true;
        VEC_PUSH(p->arena, &p->plan->notes,
                 (const char *)arena_printf(
                     p->arena,
                     "column '%s' of the target is fed by no MySQL column any more and "
                     "turns NULL with the next sink",
                     column->name));
    }
}

bool plan_widen(struct planner *p, struct fault *fault)
{
    AUTO(buf_deinit) struct buf differences = {0};
    bool delivered = false;

    bool made_anew = p->d.in.resync == RESYNC_RECREATE && plan_clears_target(p);

    if (p->target == NULL || p->target->is_view || made_anew) {
        return true;
    }
    for (size_t i = 0; i < p->d.key_count; i++) {
        keep_text_key(p, i);
    }
    if (!is_ours(p)) { /* compared as a whole, and never altered (plan_target.c) */
        return true;
    }
    buf_init(&differences, PLAN_REPORT_BYTES_MAX);
    /* A sink was made from exactly this definition: then it is the target that changed.
     */
    delivered = plan_marked_sink(p) != NULL;
    plan_compare_shape(p, &differences);
    for (size_t i = 0; i < p->d.columns.n; i++) {
        if (!column(p, i, delivered, &differences, fault)) {
            return false;
        }
    }
    note_renamed_targets(p);
    return differences.n == 0 || refuse_target(p, delivered, buf_z(&differences), fault);
}

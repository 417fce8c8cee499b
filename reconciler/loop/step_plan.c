/* Deciding and doing: plan, gate, apply. */
#include "loop/steps.h"

static const char *source_path(struct attempt *a)
{
    return arena_printf(a->arena, "%.*s.%.*s", SV_ARGS(ident_name(a->desired.rw_schema)),
                        SV_ARGS(ident_name(a->desired.source_name)));
}

static const char *rw_path(struct attempt *a, const struct ident *name)
{
    return arena_printf(a->arena, "%.*s.%.*s", SV_ARGS(ident_name(a->desired.rw_schema)),
                        SV_ARGS(ident_name(name)));
}

/* One child object's line in status, from what was observed. */
static void show(struct attempt *a, const char *kind, const char *name, bool exists,
                 int64_t id, const char *state)
{
    struct status_object *object = attempt_status_object(a, kind, name);

    object->id = exists ? id : 0;
    object->owned = strcmp(kind, "Source") != 0;
    object->shared = !object->owned;
    object->state = exists ? state : "Pending";
    if (object->owned) {
        object->hash = a->desired.hash;
    }
}

static void show_objects(struct attempt *a)
{
    const struct rw_catalog *rw = &a->rw->u.rw;
    const struct desired *d = &a->desired;
    const struct rw_source *source =
        rw_catalog_source(rw, arena_copy(a->arena, ident_name(d->rw_schema)),
                          arena_copy(a->arena, ident_name(d->source_name)));
    const struct rw_table *table =
        rw_catalog_table(rw, arena_copy(a->arena, ident_name(d->table_name)));
    const struct rw_sink *sink =
        rw_catalog_sink(rw, arena_copy(a->arena, ident_name(d->sink_name)));
    const struct sr_table *target =
        sr_catalog_table(&a->sr->u.sr, arena_copy(a->arena, ident_name(d->target_table)));
    const char *target_name =
        arena_printf(a->arena, "%s.%s", a->sync.target_database, a->sync.target_table);

    show(a, "Source", source_path(a), source != NULL, source != NULL ? source->id : 0,
         "Ready");
    show(a, "Table", rw_path(a, d->table_name), table != NULL,
         table != NULL ? table->id : 0, "Ready");
    show(a, "Sink", rw_path(a, d->sink_name), sink != NULL, sink != NULL ? sink->id : 0,
         sink != NULL && sink->creating ? "Creating" : "Ready");
    show(a, "TargetTable", target_name, target != NULL, 0, "Ready");
}

/* What drift looks like: converged before, and now something must be done again. */
static void note_drift(struct attempt *a)
{
    const struct kube_condition *ready =
        kube_conditions_find(&a->conditions_before, condition_type(CONDITION_READY));
    bool was_converged = ready != NULL && ready->status == KUBE_TRUE &&
                         a->sync.generation == a->before.observed_generation;

    if (a->plan.steps.n == 0) {
        attempt_condition(a, CONDITION_IN_SYNC, "NoDrift",
                          "everything exists as applied");
    } else if (was_converged) {
        const struct plan_step *first = &a->plan.steps.v[0];

        attempt_condition(a, CONDITION_IN_SYNC, "StreamObjectMissing", "%s %s",
                          first->sentence, first->object);
    }
}

static bool make_plan(struct attempt *a, struct fault *fault)
{
    struct sr_catalog sr = a->sr->u.sr;

    if (sr.live_backends < 0 && lane_backends(a->bindings[BIND_TARGET].lane) > 0) {
        sr.live_backends = lane_backends(a->bindings[BIND_TARGET].lane);
    }
    a->planned = false;
    memset(&a->plan, 0, sizeof(a->plan));
    if (!plan_make(&a->desired, &a->rw->u.rw, &sr, a->arena, &a->plan, fault)) {
        return false;
    }
    a->planned = true;
    return true;
}

/*
 * The mark of a rival in another namespace holds a uid, which nobody can look up by hand:
 * tell its name, as long as the resource exists. Always returns false.
 */
static bool name_owner(struct attempt *a, struct fault *fault)
{
    size_t count = 0;
    struct kube_object **all = NULL;
    const char *owner = NULL;
    struct fault told = *fault;

    if (strcmp(fault->reason, "OwnedByAnother") != 0) {
        return false;
    }
    all = kube_store_all(a->loop->syncs, a->arena, &count);
    for (size_t i = 0; i < count; i++) {
        struct sv uid = sv_from(kube_uid(all[i]->json));

        if (uid.n > 0 && sv_find(sv_from(fault->text), uid) != SIZE_MAX) {
            owner = arena_strdup(a->arena, all[i]->key);
        }
        kube_object_put(all[i]);
    }
    if (owner != NULL) {
        return fault_set(fault, told.class, told.reason, "%s (that is TableSync %s)",
                         told.text, owner);
    }
    /* Without the whole list, as when planning from a file, nothing can be said. */
    return kube_store_synced(a->loop->syncs)
               ? fault_set(fault, told.class, told.reason,
                           "%s (this controller knows no TableSync with that uid: it was "
                           "deleted and its table kept, or belongs to another cluster)",
                           told.text)
               : false;
}

enum step_result step_plan(struct attempt *a, struct fault *fault)
{
    if (!make_plan(a, fault)) {
        (void)name_owner(a, fault);
        return STEP_FAULT;
    }
    show_objects(a);
    note_drift(a);
    return STEP_CONTINUE;
}

enum step_result step_gate(struct attempt *a, struct fault *fault)
{
    for (VEC_EACH(struct plan_step, s, &a->plan.steps)) {
        if (s->risk != RISK_SAFE) {
            (void)fault_set(fault, FAULT_REFUSED, "DestructiveChange",
                            "%s %s would lose data and is not done without approval",
                            s->sentence, s->object);
            return STEP_FAULT;
        }
    }
    attempt_condition(a, CONDITION_PLAN_APPROVED, "AutoApproved",
                      "only statements that lose nothing run");
    return STEP_CONTINUE;
}

/*
 * What this table may lose on the way is said before it can happen: once, when its CDC
 * table is about to be made.
 */
static void tell_notes(struct attempt *a)
{
    for (VEC_EACH(struct plan_step, s, &a->plan.steps)) {
        for (size_t i = 0; s->kind == PLAN_CREATE_TABLE && i < a->desired.notes.n; i++) {
            attempt_audit_log(a, "info", "%s", a->desired.notes.v[i]);
            attempt_event(a, true, "ValuesMayBeLost", "Reconcile", a->desired.notes.v[i]);
        }
    }
}

/*
 * With the DDL turn held: look again, plan again, run what is left to run. Whoever held
 * the turn before made older observations stale when it gave it back.
 */
static bool apply_fresh(struct attempt *a, struct fault *fault)
{
    if (!observe_targets(a, CATALOG_AGE_BUSY_MS, fault) || !make_plan(a, fault)) {
        return false;
    }
    if (step_gate(a, fault) != STEP_CONTINUE) {
        return false;
    }
    a->status.plan_hash = a->plan.hash;
    if (a->plan.steps.n > 0 && a->before.applied_hash != NULL &&
        strcmp(a->before.applied_hash, a->plan.hash) == 0) {
        /* Accepted last time and still to be done: never run in circles. Said once, then
         * tried again after a pause that grows: what was made may have been lost since.
         */
        a->status.applied_hash = NULL;
        return fault_set(fault, FAULT_REFUSED, "DefinitionChanged",
                         "the servers accepted '%s %s' and yet it is still to be done; "
                         "something else may be changing it",
                         a->plan.steps.v[0].sentence, a->plan.steps.v[0].object);
    }
    if (a->plan.steps.n > 0 &&
        !report_intent(a,
                       arena_printf(a->arena, "%zu statement%s to run, first: %s %s",
                                    a->plan.steps.n, a->plan.steps.n == 1 ? "" : "s",
                                    a->plan.steps.v[0].sentence,
                                    a->plan.steps.v[0].object),
                       fault)) {
        return false;
    }
    tell_notes(a);
    if (!attempt_apply(a, &a->plan, fault)) {
        return false;
    }
    a->status.applied_hash = a->plan.hash;
    return true;
}

/*
 * StarRocks refuses a table with more replicas than it has backends, and lists them in
 * the refusal: "... [10001, 10002]". True when that told something new.
 */
static bool learn_backends(struct attempt *a, const struct fault *fault)
{
    struct lane *lane = a->bindings[BIND_TARGET].lane;
    struct sv text = sv_from(fault->text), list = SV_NULL;
    size_t open = sv_find(text, SV("[")), close = sv_find(text, SV("]"));
    int64_t count = 0;

    if (strcmp(fault->reason, "ReplicationImpossible") != 0 || open == SIZE_MAX ||
        close == SIZE_MAX || close < open + 2) {
        return false;
    }
    list = sv_sub(text, open + 1, close - open - 1);
    while (list.n > 0) {
        int64_t id = 0;

        if (!sv_int64(sv_trim(sv_cut(&list, ',')), &id)) {
            return false;
        }
        count++;
    }
    if (count == lane_backends(lane) || a->sr->u.sr.live_backends >= 0) {
        return false;
    }
    lane_learn_backends(lane, count);
    attempt_audit_log(
        a, "info",
        "StarRocks lists %lld backend%s in its refusal; the table is asked for "
        "again with at most as many replicas",
        (long long)count, count == 1 ? "" : "s");
    return true;
}

enum step_result step_apply(struct attempt *a, struct fault *fault)
{
    struct lane *lane = a->bindings[BIND_RISINGWAVE].lane;
    bool applied = false;

    if (a->plan.steps.n == 0) {
        a->status.plan_hash = a->status.applied_hash =
            arena_printf(a->arena, "sha256:%s", a->desired.hash);
        return STEP_CONTINUE;
    }
    if (!lane_begin_ddl(lane, &a->cancel, fault)) {
        return STEP_FAULT;
    }
    applied = apply_fresh(a, fault);
    lane_forget(lane);
    lane_forget(a->bindings[BIND_TARGET].lane);
    lane_end_ddl(lane);
    if (!applied && !learn_backends(a, fault)) {
        return STEP_FAULT;
    }
    fault_clear(fault);
    a->requeue_ms = 1; /* observe what really exists now */
    return STEP_REQUEUE;
}

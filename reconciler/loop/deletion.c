#include "loop/deletion.h"

#include "loop/memo.h"
#include "loop/publish.h"
#include "loop/seen.h"

static bool let_go(struct attempt *a, const char *reason, const char *note,
                   struct fault *fault)
{
    enum kube_outcome outcome = KUBE_OK;
    struct json *answered = NULL;
    struct fault missed = FAULT_INIT;

    attempt_audit_log(a, "info", "%s", note);
    if (!kube_remove_finalizer(&a->loop->api, &loop_resource_sync, attempt_object(a),
                               TSYNC_FINALIZER, &a->cancel, &outcome, &answered, fault)) {
        return fault_wrap(fault, "remove the finalizer");
    }
    metrics_add(a->loop->metrics, METRIC_API_WRITES, 1);
    json_free(answered);
    if (outcome == KUBE_CONFLICT) {
        return publish_conflict(
            a->loop, &loop_resource_sync, attempt_object(a), &a->cancel,
            "the resource changed while the finalizer was removed", fault);
    }
    attempt_event(a, false, reason, "Delete", note);
    if (a->run != 0 &&
        !audit_run_end(a->loop->ports.audit, a->run, "Succeeded", NULL, note, &missed)) {
        attempt_audit_missed(a, &missed);
    }
    a->run = 0;
    lg_info(a->loop->ports.lg, "deleted", LG_KEY(a->key),
            LG_STR("reconcileID", a->run_id), LG_STR("note", note));
    return true;
}

/* Objects this resource once made, for the note of a Retain deletion. */
static const char *kept_objects(struct attempt *a)
{
    struct buf list;
    const char *text = NULL;

    buf_init(&list, 4096);
    for (VEC_EACH(struct status_object, o, &a->before.objects)) {
        const char *state = o->state == NULL ? "" : o->state;

        if (strcmp(state, "Missing") != 0) {
            buf_addf(&list, "%s%s %s%s", list.n > 0 ? ", " : "", o->kind, o->name,
                     strcmp(state, "Pending") == 0 ? " (if it was made)" : "");
        }
    }
    text = list.n == 0 ? "nothing was ever created" : buf_take(&list, a->arena);
    buf_deinit(&list);
    return text;
}

/* The target, if it was adopted: such a table was there before us and outlives us. NULL:
 * it was not, or nobody looked. */
static const char *adopted_target(struct attempt *a)
{
    const struct sr_table *table =
        a->sr == NULL ? NULL : sr_catalog_table(&a->sr->u.sr, a->sync.target_table);
    struct mark mark = {0};

    if (table == NULL || !mark_parse(table->comment, &mark) || !mark.adopted ||
        !sv_eq(mark.uid, sv_from(a->sync.uid))) {
        return NULL;
    }
    return arena_printf(a->arena, "%s.%s", a->sync.target_database, a->sync.target_table);
}

/* A failure here must not hang silently: it says how to let go. */
static bool blocked(struct attempt *a, struct fault *fault)
{
    if (fault->class == FAULT_CANCELLED || fault->class == FAULT_CONFLICT) {
        return false;
    }
    (void)fault_wrap(fault,
                     "deletion (policy %s) is blocked; it is retried, or annotate the "
                     "resource with " TSYNC_ANNOTATION_ORPHAN
                     "=true to let go without touching the databases",
                     deletion_policy_name(a->sync.deletion_policy));
    return strcmp(fault->reason, "DependantsExist") == 0
               ? false
               : fault_reason(fault, "DeletionBlocked");
}

static bool observe(struct attempt *a, struct fault *fault)
{
    return binding_catalog(a, BIND_RISINGWAVE, 0, &a->rw, fault) &&
           (a->sync.deletion_policy != DELETION_DELETE ||
            binding_catalog(a, BIND_TARGET, 0, &a->sr, fault));
}

/* With what a deletion logs in is told before it changes anything. */
static void tell_kept(struct attempt *a)
{
    for (int role = BIND_SOURCE; role < BIND_COUNT; role++) {
        const struct binding *b = &a->bindings[role];
        const char *note = NULL;

        if (b->kept_for == NULL) {
            continue;
        }
        note = arena_printf(a->arena,
                            "uses the last-known-good credentials of connection '%s' "
                            "(spec.%s) to clean up, because: %s",
                            b->conn.name, binding_role_name((enum binding_role)role),
                            b->kept_for);
        attempt_audit_log(a, "info", "%s", note);
        attempt_event(a, true, "KeptCredentialsUsed", "Delete", note);
    }
}

/* One round: observe, plan, drop. True with *out_clean set when nothing is left. */
static bool drop_round(struct attempt *a, bool *out_clean, struct fault *fault)
{
    struct plan_drop_input input = {.sync = &a->sync,
                                    .policy = a->sync.deletion_policy,
                                    .rw_schema =
                                        a->bindings[BIND_RISINGWAVE].conn.rw_schema};

    for (VEC_EACH(struct status_object, o, &a->before.objects)) {
        if (strcmp(o->kind, "Source") == 0) {
            VEC_PUSH(a->arena, &input.rw_sources, o->name);
        }
    }
    observation_putp(&a->rw);
    observation_putp(&a->sr);
    lane_forget(a->bindings[BIND_RISINGWAVE].lane);
    if (a->bindings[BIND_TARGET].lane != NULL) {
        lane_forget(a->bindings[BIND_TARGET].lane);
    }
    if (!observe(a, fault) ||
        !plan_drop(&input, &a->rw->u.rw, a->sr == NULL ? NULL : &a->sr->u.sr, a->arena,
                   &a->plan, fault)) {
        return false;
    }
    a->planned = true;
    if (adopted_target(a) != NULL) {
        attempt_status_object(a, "TargetTable", adopted_target(a))->state = "Retained";
    }
    *out_clean = a->plan.steps.n == 0;
    if (!*out_clean && a->steps == 0) {
        tell_kept(a);
    }
    return attempt_apply(a, &a->plan, fault);
}

static bool drop_all(struct attempt *a, struct fault *fault)
{
    struct lane *lane = NULL;
    bool clean = false, done = true;

    if (!binding_open(a, BIND_RISINGWAVE, fault) ||
        (a->sync.deletion_policy == DELETION_DELETE &&
         !binding_open(a, BIND_TARGET, fault))) {
        return false;
    }
    lane = a->bindings[BIND_RISINGWAVE].lane;
    if (!lane_begin_ddl(lane, a->key, &a->cancel, fault)) {
        return false;
    }
    /* The second look proves that nothing is left; a third would be a server that lies.
     */
    session_commit(&a->bindings[BIND_RISINGWAVE].session, true);
    session_commit(&a->bindings[BIND_TARGET].session, true);
    for (int round = 0; done && !clean && round < 3; round++) {
        done = drop_round(a, &clean, fault);
    }
    lane_forget(lane);
    lane_end_ddl(lane);
    if (done && !clean) {
        return fault_set(fault, FAULT_UNAVAILABLE, "DeletionBlocked",
                         "the objects are still listed after they were dropped");
    }
    return done;
}

enum step_result deletion_run(struct attempt *a, struct fault *fault)
{
    const char *kept = NULL, *adopted = NULL;

    if (!kube_has_finalizer(attempt_object(a), TSYNC_FINALIZER)) {
        seen_forget(a->loop->seen, a->key);
        memo_forget(a->loop->memo, a->key);
        return STEP_DONE;
    }
    kept = kept_objects(a);
    if (a->sync.annotation_orphan) {
        return let_go(a, "Orphaned",
                      arena_printf(a->arena, "let go without touching the databases: %s",
                                   kept),
                      fault)
                   ? STEP_DONE
                   : STEP_FAULT;
    }
    if (a->sync.deletion_policy == DELETION_RETAIN) {
        return let_go(a, "Retained",
                      arena_printf(a->arena, "deletionPolicy Retain keeps: %s", kept),
                      fault)
                   ? STEP_DONE
                   : STEP_FAULT;
    }
    a->status.phase = PHASE_DELETING;
    /* Status lists what is to be made before the first statement makes it: without a list
     * nothing was, and no server need be reachable to know that. */
    if (a->before.objects.n > 0 && !drop_all(a, fault)) {
        (void)blocked(a, fault);
        return STEP_FAULT;
    }
    adopted = adopted_target(a);
    return let_go(a, "Dropped",
                  arena_printf(a->arena, "deletionPolicy %s: %lld statement%s%s%s",
                               deletion_policy_name(a->sync.deletion_policy),
                               (long long)a->steps, a->steps == 1 ? "" : "s",
                               adopted == NULL ? "" : "; kept, for it was adopted: ",
                               adopted == NULL ? "" : adopted),
                  fault)
               ? STEP_DONE
               : STEP_FAULT;
}

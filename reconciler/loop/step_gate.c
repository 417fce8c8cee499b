/*
 * The gate: which plans may run. Three things hold one back: a policy that leaves drift
 * as it is, an approval that is missing, and (step_apply.c) a wait.
 *
 * It may run more than once in an attempt, for the plan is made anew with the DDL turn
 * held; the second time nothing is told or written again.
 */
#include "loop/approval.h"
#include "loop/memo.h"
#include "loop/publish.h"
#include "loop/steps.h"

static void tell_changes(struct attempt *a)
{
    const struct strlist *changes = &a->plan.changes;

    if (changes->n == 0) {
        memo_forget_news(a->loop->memo, a->key, MEMO_CHANGES);
    }
    for (size_t i = 0; i < changes->n; i++) {
        if (memo_is_news(a->loop->memo, a->key, MEMO_CHANGES, changes->v[i])) {
            attempt_audit_log(a, "info", "the MySQL table changed: %s", changes->v[i]);
            attempt_event(a, false, "SchemaChangeDetected", "Reconcile", changes->v[i]);
        }
    }
}

static bool alters_source(const struct attempt *a)
{
    for (VEC_EACH(const struct plan_step, s, &a->plan.steps)) {
        if (s->kind == PLAN_ALTER_SOURCE) {
            return true;
        }
    }
    return false;
}

static bool is_at(const char *host, const char *port, const struct dbconn *conn)
{
    int64_t number = 0;

    return host != NULL && strcmp(host, conn->host) == 0 &&
           sv_int64(sv_from(port), &number) && number == conn->port;
}

/* Whether everything of ours still is where the connections say: then it is the account
 * that is another one. */
static bool is_where_it_was(struct attempt *a)
{
    const struct rw_catalog *rw = &a->rw->u.rw;
    const struct rw_source *source =
        rw_catalog_source(rw, arena_copy(a->arena, ident_name(a->desired.rw_schema)),
                          arena_copy(a->arena, ident_name(a->desired.source_name)));
    struct sv prefix = sv_from(a->desired.sink_prefix);

    if (source != NULL &&
        !is_at(source->hostname, source->port, &a->bindings[BIND_SOURCE].conn)) {
        return false;
    }
    for (size_t i = 0; i < rw->sinks.n; i++) {
        const struct rw_sink *sink = &rw->sinks.v[i];

        if (name_sink_version_of(prefix, sv_from(sink->name)) > 0 &&
            !is_at(sink->host, sink->mysql_port, &a->bindings[BIND_TARGET].conn)) {
            return false;
        }
    }
    return true;
}

/* What a run is for, once it turns out to be more than a look. */
static void name_trigger(struct attempt *a)
{
    if (strcmp(a->trigger, "Drift") != 0) {
        return;
    }
    if (a->plan.purpose == PURPOSE_EVOLVE) {
        a->trigger = "SchemaChange";
    } else if (a->plan.purpose == PURPOSE_RESYNC) {
        a->trigger = "Resync";
    } else if (a->plan.purpose == PURPOSE_ROTATE || alters_source(a)) {
        a->trigger = is_where_it_was(a) ? "Secret" : "Connection";
    }
}

/* --- drift --- */

static const char *first_words(struct attempt *a)
{
    const struct plan_step *first = &a->plan.steps.v[0];

    return arena_printf(a->arena, "%s %s", first->sentence, first->object);
}

/* Everything that would have to be done, as far as it fits into a sentence. */
static const char *difference(struct attempt *a)
{
    struct buf text;
    const char *taken = NULL;
    size_t shown = a->plan.steps.n < 5 ? a->plan.steps.n : 5;

    buf_init(&text, 8192);
    for (size_t i = 0; i < shown; i++) {
        const struct plan_step *s = &a->plan.steps.v[i];

        buf_addf(&text, "%s%s %s", i == 0 ? "" : ", ", s->sentence, s->object);
    }
    if (a->plan.steps.n > shown) {
        buf_addf(&text, " and %zu more", a->plan.steps.n - shown);
    }
    taken = buf_take(&text, a->arena);
    buf_deinit(&text);
    return taken;
}

static void detected(struct attempt *a, const char *note)
{
    const struct kube_condition *before =
        kube_conditions_find(&a->conditions_before, condition_type(CONDITION_IN_SYNC));

    if (before == NULL || before->status != KUBE_FALSE) {
        attempt_event(a, true, "DriftDetected", "Reconcile", note);
    }
}

/*
 * Drift is what somebody else did to objects that were in place, never a change of MySQL,
 * of the spec, or of the connections and their Secrets. An object that was applied goes
 * missing by no edit of the spec; a setting may well be what the spec now asks for.
 */
static bool is_drift(const struct attempt *a)
{
    return a->plan.steps.n > 0 && !alters_source(a) &&
           ((a->plan.purpose == PURPOSE_REPAIR && attempt_was_applied(a)) ||
            (a->plan.purpose == PURPOSE_SETTINGS && attempt_was_converged(a)));
}

/* Observed or ignored, drift is left alone and verify goes on. */
static void judge_drift(struct attempt *a)
{
    const char *what = NULL;

    a->held = false;
    if (a->plan.steps.n == 0) {
        attempt_condition(a, CONDITION_IN_SYNC, "NoDrift",
                          "everything exists as applied");
    }
    if (!is_drift(a)) {
        a->drifted = false;
        return;
    }
    a->held =
        a->sync.drift_policy == DRIFT_OBSERVE || a->sync.drift_policy == DRIFT_IGNORE;
    what = a->held ? difference(a) : first_words(a);
    if (a->sync.drift_policy == DRIFT_IGNORE) {
        attempt_condition(a, CONDITION_IN_SYNC, "Ignored",
                          "spec.drift.policy is Ignore, so it is not done: %s", what);
    } else {
        if (!a->drifted) {
            detected(a, what);
        }
        attempt_condition(
            a, CONDITION_IN_SYNC, "StreamObjectMissing",
            a->held ? "spec.drift.policy is Observe, so it is not done: %s" : "%s", what);
    }
    a->drifted = true;
}

/* --- approval --- */

/* The annotation is a request, not a state: it is removed once it is in status. */
static bool take_annotation(struct attempt *a, struct fault *fault)
{
    enum kube_outcome outcome = KUBE_OK;
    struct json *answered = NULL;

    if (!kube_remove_annotation(&a->loop->api, &loop_resource_sync, attempt_object(a),
                                TSYNC_ANNOTATION_APPROVE, &a->cancel, &outcome, &answered,
                                fault)) {
        return fault_wrap(fault, "remove the annotation " TSYNC_ANNOTATION_APPROVE);
    }
    metrics_add(a->loop->metrics, METRIC_API_WRITES, 1);
    if (outcome != KUBE_OK) {
        json_free(answered);
        return publish_conflict(
            a->loop, &loop_resource_sync, attempt_object(a), &a->cancel,
            "the resource changed while an annotation was removed", fault);
    }
    attempt_refresh(a, answered);
    a->sync.annotation_approve = NULL;
    return true;
}

/* Status first, then the annotation, then the deed: whatever comes between, a word that
 * was given is neither lost nor asked for twice. */
static bool approve(struct attempt *a, struct fault *fault)
{
    approval_show(&a->status, &a->plan, a->arena);
    a->status.plan.approved_hash = a->status.plan.hash;
    attempt_condition(a, CONDITION_PLAN_APPROVED, "Approved", "%s was approved",
                      a->status.plan.hash);
    if (!report_intent(a, steps_words(a, NULL), fault)) {
        return false;
    }
    attempt_audit_log(a, "info", "%s was approved: %zu statements", a->status.plan.hash,
                      a->plan.steps.n);
    attempt_event(a, false, "PlanApproved", "Reconcile",
                  arena_printf(a->arena, "%s was approved", a->status.plan.hash));
    return take_annotation(a, fault);
}

static enum step_result wait_for_approval(struct attempt *a, const char *reason)
{
    const char *outdated = a->sync.annotation_approve;
    const char *message = approval_message(&a->sync, &a->plan, outdated, a->arena);

    approval_show(&a->status, &a->plan, a->arena);
    a->status.plan_hash = a->status.plan.hash;
    attempt_condition(a, CONDITION_PLAN_APPROVED,
                      outdated == NULL ? reason : "PlanOutdated", "%s", message);
    a->unapproved = true;
    return STEP_REQUEUE;
}

static bool was_spent(const struct attempt *a)
{
    const char *approved = a->status.plan.approved_hash;

    return a->sync.annotation_approve != NULL && approved != NULL &&
           strcmp(a->sync.annotation_approve, approved) == 0;
}

/* Nothing is asked: what an approval was about is over, unless it is being carried out.
 */
static void pass_unasked(struct attempt *a)
{
    const struct kube_condition *now =
        kube_conditions_find(&a->conditions, condition_type(CONDITION_PLAN_APPROVED));

    if (a->plan.steps.n == 0 || a->status.plan.approved_hash == NULL) {
        approval_clear(&a->status);
    }
    if (a->plan.steps.n == 0 && now != NULL && now->status == KUBE_TRUE) {
        return;
    }
    attempt_condition(
        a, CONDITION_PLAN_APPROVED, "AutoApproved",
        "only statements that lose nothing, or what the spec asks for, run");
}

enum step_result step_gate(struct attempt *a, struct fault *fault)
{
    const char *reason = NULL;

    if (!a->planned) { /* nothing could be planned, and the policy goes on without */
        return STEP_CONTINUE;
    }
    tell_changes(a);
    name_trigger(a);
    judge_drift(a);
    if (was_spent(a) && !take_annotation(a, fault)) {
        return STEP_FAULT;
    }
    reason = a->held ? NULL : approval_reason(&a->sync, &a->plan);
    if (reason == NULL) {
        pass_unasked(a);
        return STEP_CONTINUE;
    }
    if (approval_covers(&a->status, &a->plan)) {
        attempt_condition(a, CONDITION_PLAN_APPROVED, "Approved", "%s was approved",
                          a->status.plan.approved_hash);
        return STEP_CONTINUE;
    }
    if (a->sync.annotation_approve != NULL &&
        strcmp(a->sync.annotation_approve, a->plan.hash) == 0) {
        return approve(a, fault) ? STEP_CONTINUE : STEP_FAULT;
    }
    return wait_for_approval(a, reason);
}

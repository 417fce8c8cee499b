/*
 * The last act of every attempt: conditions, phase and retries from what was learned, one
 * status write if anything differs, Events on transitions only.
 */
#include "loop/memo.h"
#include "loop/publish.h"
#include "loop/retry.h"
#include "loop/steps.h"

/* The condition of the statement that failed, else of the step. */
static enum condition condition_of(const struct attempt *a)
{
    if (a->failed != CONDITION_NONE) {
        return a->failed;
    }
    return a->step != NULL ? a->step->condition : CONDITION_NONE;
}

static const struct reason_row *row_of(const struct attempt *a, const struct fault *fault)
{
    const struct reason_row *row = condition_of(a) == CONDITION_NONE
                                       ? NULL
                                       : reason_find(condition_of(a), fault->reason);

    return row != NULL || a->failed != CONDITION_NONE
               ? row
               : reason_find(CONDITION_NONE, fault->reason);
}

static bool stalls(const struct fault *fault, const struct reason_row *row)
{
    return fault->class == FAULT_SPEC || (row != NULL && row->stalls);
}

static void show_ready(struct attempt *a, const char *reason, const char *message)
{
    attempt_condition(a, CONDITION_READY, reason, "%s", message);
}

static void set_working(struct attempt *a, const char *reason, const char *message)
{
    kube_conditions_remove(&a->conditions, condition_type(CONDITION_STALLED));
    attempt_condition(a, CONDITION_RECONCILING, reason, "%s", message);
}

static void set_settled(struct attempt *a)
{
    kube_conditions_remove(&a->conditions, condition_type(CONDITION_STALLED));
    kube_conditions_remove(&a->conditions, condition_type(CONDITION_RECONCILING));
}

/* Carrying a change through is not the first provisioning: rows go on flowing. Nor is a
 * look that ended before a plan was made. */
static bool updates(const struct attempt *a)
{
    return a->plan.purpose == PURPOSE_EVOLVE || a->plan.purpose == PURPOSE_RESYNC ||
           a->plan.purpose == PURPOSE_ROTATE ||
           (!a->planned && a->before.applied_hash != NULL);
}

/*
 * A source that takes another account loses nothing and delivers what comes late: whoever
 * was Ready stays so.
 */
static bool stays_ready(const struct attempt *a)
{
    const struct kube_condition *ready =
        kube_conditions_find(&a->conditions_before, condition_type(CONDITION_READY));

    for (VEC_EACH(const struct plan_step, s, &a->plan.steps)) {
        if (s->kind != PLAN_ALTER_SOURCE) {
            return false;
        }
    }
    return a->plan.steps.n > 0 && ready != NULL && ready->status == KUBE_TRUE &&
           a->before.phase == PHASE_STREAMING &&
           a->sync.generation == a->before.observed_generation;
}

static const char *working_reason(const struct attempt *a)
{
    return updates(a) ? "Updating" : "Provisioning";
}

static enum phase working_phase(const struct attempt *a)
{
    const char *snapshot = a->status.snapshot.state;
    enum phase phase = a->status.phase;

    if (!updates(a)) {
        return PHASE_PROVISIONING;
    }
    if (a->sync.state == STATE_PAUSED) {
        return phase == PHASE_PAUSED ? phase : PHASE_PROVISIONING;
    }
    if (phase == PHASE_STREAMING || phase == PHASE_SNAPSHOTTING) {
        return phase;
    }
    return snapshot != NULL &&
                   (strcmp(snapshot, "Done") == 0 || strcmp(snapshot, "Skipped") == 0)
               ? PHASE_STREAMING
               : PHASE_PROVISIONING;
}

static void report_fault(struct attempt *a, const struct fault *fault)
{
    const struct reason_row *row = row_of(a, fault);
    bool stalled = stalls(fault, row);
    enum condition domain = row != NULL ? row->condition : CONDITION_NONE;

    if (domain == CONDITION_NONE) {
        domain = condition_of(a);
    }
    if (domain != CONDITION_NONE && domain != CONDITION_READY &&
        domain != CONDITION_STALLED && domain != CONDITION_RECONCILING &&
        !position_keeps(a, domain, fault)) {
        attempt_condition(a, domain, fault->reason, "%s", fault->text);
    }
    attempt_force_condition(a, CONDITION_READY, KUBE_FALSE, fault->reason, fault->text);
    retry_schedule(a, fault, stalled);
    if (stalled) {
        kube_conditions_remove(&a->conditions, condition_type(CONDITION_RECONCILING));
        attempt_force_condition(a, CONDITION_STALLED, KUBE_TRUE, fault->reason,
                                fault->text);
        a->status.phase = a->sync.deleting ? PHASE_DELETING : PHASE_STALLED;
        return;
    }
    set_working(a, "ProgressingWithRetry", fault->text);
    if (a->sync.deleting) {
        a->status.phase = PHASE_DELETING;
    } else if (a->status.phase == PHASE_UNSET || a->status.phase == PHASE_STALLED) {
        a->status.phase = PHASE_PENDING;
    }
}

static const struct kube_condition *find(const struct attempt *a,
                                         enum condition condition)
{
    return kube_conditions_find(&a->conditions, condition_type(condition));
}

/* Only a person helps, and the gate has said how: no failure, nothing to retry. */
static void report_unapproved(struct attempt *a)
{
    const struct kube_condition gate = *find(a, CONDITION_PLAN_APPROVED);

    attempt_force_condition(a, CONDITION_READY, KUBE_FALSE, gate.reason, gate.message);
    kube_conditions_remove(&a->conditions, condition_type(CONDITION_RECONCILING));
    attempt_force_condition(a, CONDITION_STALLED, KUBE_TRUE, gate.reason, gate.message);
    a->status.phase = PHASE_STALLED;
}

static const char *work_words(const struct attempt *a)
{
    if (a->plan.purpose == PURPOSE_ROTATE) {
        return ROTATION_WORDS;
    }
    return updates(a) ? "a change is being carried through"
                      : "the objects are being created";
}

static void report_working(struct attempt *a)
{
    bool updating = updates(a);
    const char *reason = working_reason(a);

    a->status.phase = working_phase(a);
    if (a->working != NULL) {
        show_ready(a, reason, a->working);
        set_working(a, "Progressing", a->working);
    } else {
        show_ready(a, reason, work_words(a));
        set_working(a, "Progressing",
                    updating ? "carrying a change through" : "creating the objects");
    }
}

static void report_phase(struct attempt *a)
{
    const struct kube_condition *sink = find(a, CONDITION_SINK_READY);

    if (a->status.phase == PHASE_STREAMING) {
        show_ready(a, "Streaming", "the snapshot is complete and changes flow");
        set_settled(a);
    } else if (a->status.phase == PHASE_SNAPSHOTTING) {
        show_ready(a, "Snapshotting", "the table's present rows are being loaded");
        set_working(a, "Progressing", "snapshot or backfill in progress");
    } else if (sink != NULL && strcmp(sink->reason, "SinkFailed") == 0) {
        attempt_force_condition(a, CONDITION_READY, KUBE_FALSE, "SinkFailed",
                                sink->message);
        set_working(a, "ProgressingWithRetry", sink->message);
    } else if (a->held && find(a, CONDITION_IN_SYNC) != NULL) {
        /* Something is missing and spec.drift.policy keeps it so. */
        attempt_force_condition(a, CONDITION_READY, KUBE_FALSE, "StreamObjectMissing",
                                find(a, CONDITION_IN_SYNC)->message);
        set_settled(a);
    } else {
        show_ready(a, "Provisioning", "the objects are being created");
        set_working(a, "Progressing", "creating the objects");
    }
}

static void report_progress(struct attempt *a)
{
    a->status.next_retry_at = NULL;
    if (a->requeue_ms == 0 || a->working != NULL) {
        /* Accepted statements prove nothing yet; what they are waited for does. */
        a->status.retries = 0;
        queue_forget(a->loop->queue, a->key);
    }
    if (a->paused_reconcile) {
        a->status.phase = PHASE_PAUSED;
        attempt_condition(a, CONDITION_PAUSED, "ReconciliationPaused",
                          "annotation " TSYNC_ANNOTATION_PAUSE
                          "=true: nothing is checked "
                          "or changed; data keeps flowing");
        return;
    }
    if (a->unapproved) {
        report_unapproved(a);
        return;
    }
    resync_settle(a);
    if (a->sync.state == STATE_PAUSED && a->status.phase == PHASE_PAUSED &&
        a->requeue_ms == 0) {
        attempt_condition(a, CONDITION_PAUSED, "Requested",
                          "spec.state is Paused: RisingWave keeps the changes");
        show_ready(a, "Paused", "spec.state is Paused");
        set_settled(a);
        return;
    }
    if (a->sync.state != STATE_PAUSED) {
        kube_conditions_remove(&a->conditions, condition_type(CONDITION_PAUSED));
    }
    if (a->requeue_ms > 0 && !stays_ready(a)) {
        report_working(a);
    } else if (a->requeue_ms == 0) {
        report_phase(a);
    }
}

static void finish_run(struct attempt *a, const struct fault *fault)
{
    struct audit *audit = a->loop->ports.audit;
    struct fault missed = FAULT_INIT;
    int64_t duration_ms = clock_monotonic_ms(a->loop->ports.clock) - a->started_ms;

    if ((fault != NULL && !retry_is_told(a, fault)) ||
        (!a->paused_reconcile && a->sync.generation != a->before.observed_generation)) {
        attempt_audit_begin(a);
    }
    if (a->run == 0) {
        return;
    }
    if (!audit_run_end(audit, a->run, fault == NULL ? "Succeeded" : "Failed",
                       fault == NULL ? NULL : fault_class_name(fault->class),
                       fault == NULL ? NULL : fault->text, &missed)) {
        attempt_audit_missed(a, &missed);
    }
    a->status.last_run.id = a->run;
    a->status.last_run.run_id = a->run_id;
    a->status.last_run.trigger = a->trigger;
    a->status.last_run.result = fault == NULL ? "Succeeded" : "Failed";
    a->status.last_run.steps = a->steps;
    a->status.last_run.duration_ms = duration_ms;
}

static bool same_condition(const struct kube_condition *a, const struct kube_condition *b)
{
    return a != NULL && b != NULL && a->status == b->status &&
           strcmp(a->reason, b->reason) == 0;
}

static void emit_transitions(struct attempt *a)
{
    const struct kube_condition *before =
        kube_conditions_find(&a->conditions_before, condition_type(CONDITION_READY));
    const struct kube_condition *now = find(a, CONDITION_READY);

    if (now == NULL || same_condition(before, now)) {
        return;
    }
    attempt_event(a,
                  now->status != KUBE_TRUE &&
                      (a->status.retries > 0 || find(a, CONDITION_STALLED) != NULL),
                  now->reason, "Reconcile", now->message);
}

bool report_write(struct attempt *a, struct fault *fault)
{
    AUTO(json_freep) struct json *status = json_new_object();
    struct json *answered = NULL;
    bool written = false;

    tsync_status_write(&a->status, status);
    kube_conditions_write(&a->conditions, json_set_array(status, "conditions"));
    if (!publish_status(a->loop, &loop_resource_sync, attempt_object(a), status, a->arena,
                        &a->cancel, &written, &answered, fault)) {
        return false;
    }
    attempt_refresh(a, answered);
    if (written) {
        emit_transitions(a);
    }
    count_tell(a);
    if (a->resynced) {
        a->resynced = false;
        attempt_event(a, false, "ResyncCompleted", "Reconcile", resync_words(a));
    }
    return true;
}

bool report_intent(struct attempt *a, const char *message, struct fault *fault)
{
    const char *before = a->before.plan_hash;
    bool retrying = a->before.retries > 0 && before != NULL && a->plan.hash != NULL &&
                    strcmp(before, a->plan.hash) == 0 &&
                    a->sync.generation == a->before.observed_generation;

    if (stays_ready(a)) {
        return true;
    }
    a->status.phase = working_phase(a);
    if (!retrying) {
        show_ready(a, working_reason(a), message);
    } /* else Ready goes on saying why these very statements failed */
    set_working(a, retrying ? "ProgressingWithRetry" : "Progressing", message);
    a->status.observed_generation = a->sync.generation;
    if (!report_write(a, fault)) {
        return false;
    }
    /* A copy: the list goes on changing in place, and the next report compares. */
    memset(&a->conditions_before, 0, sizeof(a->conditions_before));
    for (VEC_EACH(struct kube_condition, c, &a->conditions.list)) {
        VEC_PUSH(a->arena, &a->conditions_before.list, *c);
    }
    return true;
}

static bool met_stale_session(const struct attempt *a)
{
    for (size_t i = 0; i < BIND_COUNT; i++) {
        if (session_was_stale(&a->bindings[i].session)) {
            return true;
        }
    }
    return false;
}

/* Nothing was learned about the world: no status, just another attempt soon. */
static bool says_nothing(const struct attempt *a, const struct fault *fault)
{
    return fault->class == FAULT_CANCELLED || fault->class == FAULT_CONFLICT ||
           (db_unanswered(fault) && met_stale_session(a));
}

/*
 * This generation counts as seen from here on, though no plan was made for it: the hash
 * of the last one must not say that everything is in place, or what the spec now asks for
 * would be taken for drift (attempt_was_converged()).
 */
static void forget_plan_of_old_generation(struct attempt *a)
{
    if (a->sync.generation != a->before.observed_generation &&
        a->status.plan_hash == a->before.plan_hash) {
        a->status.plan_hash = NULL;
    }
}

bool report(struct attempt *a, const struct fault *fault, struct fault *out_fault)
{
    if (fault != NULL && says_nothing(a, fault)) {
        /* What was done nevertheless is in the audit. */
        if (a->run != 0) {
            finish_run(a, fault);
        }
        if (a->status.handled_retry != a->before.handled_retry) {
            memo_keep_retry(a->loop->memo, a->key, a->status.handled_retry);
        }
        if (fault->class != FAULT_CANCELLED && !lane_is_parked(fault)) {
            a->requeue_ms = RETRY_SOON_MS;
        }
        return true;
    }
    if (fault != NULL) {
        report_fault(a, fault);
        forget_plan_of_old_generation(a);
    } else {
        report_progress(a);
    }
    finish_run(a, fault);
    if (!a->paused_reconcile) { /* nobody has looked at the spec */
        a->status.observed_generation = a->sync.generation;
    }
    return report_write(a, out_fault);
}

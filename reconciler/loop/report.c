/*
 * The last act of every attempt: conditions, phase and retries from what was learned, one
 * status write if anything differs, Events on transitions only.
 */
#include "loop/seen.h"
#include "loop/steps.h"

#define SOON_MS 300
#define JITTER_PERCENT 20

/* Where a fault belongs: its own row in the table of reasons, else the step's condition.
 */
static const struct reason_row *row_of(const struct attempt *a, const struct fault *fault)
{
    const struct reason_row *row = NULL;

    if (a->step != NULL && a->step->condition != CONDITION_NONE) {
        row = reason_find(a->step->condition, fault->reason);
    }
    return row != NULL ? row : reason_find(CONDITION_NONE, fault->reason);
}

static bool stalls(const struct fault *fault, const struct reason_row *row)
{
    return fault->class == FAULT_SPEC || (row != NULL && row->stalls);
}

/* When to come back after a fault, and what status says about it. */
static void schedule_retry(struct attempt *a, const struct fault *fault, bool stalled)
{
    unsigned failures = queue_fail(a->loop->queue, a->key);
    int64_t longest_ms = a->sync.backoff_max_ms > 0 ? a->sync.backoff_max_ms : 600000;
    int64_t base_ms = a->sync.backoff_base_ms > 0 ? a->sync.backoff_base_ms : 5000;
    int64_t delay_ms = longest_ms;
    struct rng rng;
    char text[CLOCK_RFC3339_SIZE];

    rng_init(&rng,
             a->loop->ports.seed ^ (uint64_t)clock_monotonic_ms(a->loop->ports.clock));
    switch (fault_class_retry(fault->class)) {
    case FAULT_RETRY_SOON:
        delay_ms = SOON_MS;
        break;
    case FAULT_RETRY_BACKOFF:
    case FAULT_RETRY_SLOW:
        delay_ms = stalled ? longest_ms : backoff_ms(base_ms, longest_ms, failures);
        break;
    case FAULT_RETRY_NONE:
        break;
    }
    a->requeue_ms = rng_jitter(&rng, delay_ms, JITTER_PERCENT);
    a->status.retries = (int64_t)failures + 1;
    a->status.next_retry_at = arena_strdup(
        a->arena,
        clock_format_rfc3339(clock_wall_ms(a->loop->ports.clock) + a->requeue_ms, text));
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

/* Sets a condition whose status does not come from the table of reasons. */
static void force_condition(struct attempt *a, enum condition condition,
                            enum kube_truth status, const char *reason,
                            const char *message)
{
    struct kube_condition c = {.type = condition_type(condition),
                               .status = status,
                               .reason = reason,
                               .message = message,
                               .observed_generation = a->sync.generation};

    (void)kube_conditions_set(&a->conditions, &c, a->now, a->arena);
}

static void report_fault(struct attempt *a, const struct fault *fault)
{
    const struct reason_row *row = row_of(a, fault);
    bool stalled = stalls(fault, row);
    enum condition domain = row != NULL ? row->condition : CONDITION_NONE;

    if (domain == CONDITION_NONE && a->step != NULL) {
        domain = a->step->condition;
    }
    if (domain != CONDITION_NONE && domain != CONDITION_READY &&
        domain != CONDITION_STALLED && domain != CONDITION_RECONCILING) {
        force_condition(a, domain, KUBE_FALSE, fault->reason, fault->text);
    }
    force_condition(a, CONDITION_READY, KUBE_FALSE, fault->reason, fault->text);
    schedule_retry(a, fault, stalled);
    if (stalled) {
        kube_conditions_remove(&a->conditions, condition_type(CONDITION_RECONCILING));
        force_condition(a, CONDITION_STALLED, KUBE_TRUE, fault->reason, fault->text);
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

static void report_progress(struct attempt *a)
{
    const struct kube_condition *sink = find(a, CONDITION_SINK_READY);

    a->status.next_retry_at = NULL;
    if (a->requeue_ms == 0) { /* accepted statements prove nothing yet */
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
    if (a->sync.state == STATE_PAUSED && a->status.phase == PHASE_PAUSED) {
        attempt_condition(a, CONDITION_PAUSED, "Requested",
                          "spec.state is Paused: RisingWave keeps the changes");
        show_ready(a, "Paused", "spec.state is Paused");
        set_settled(a);
        return;
    }
    kube_conditions_remove(&a->conditions, condition_type(CONDITION_PAUSED));
    if (a->requeue_ms > 0) {
        a->status.phase = PHASE_PROVISIONING;
    }
    if (a->status.phase == PHASE_STREAMING) {
        show_ready(a, "Streaming", "the snapshot is complete and changes flow");
        set_settled(a);
    } else if (a->status.phase == PHASE_SNAPSHOTTING) {
        show_ready(a, "Snapshotting", "the table's present rows are being loaded");
        set_working(a, "Progressing", "snapshot or backfill in progress");
    } else if (sink != NULL && strcmp(sink->reason, "SinkFailed") == 0) {
        force_condition(a, CONDITION_READY, KUBE_FALSE, "SinkFailed", sink->message);
        set_working(a, "ProgressingWithRetry", sink->message);
    } else {
        show_ready(a, "Provisioning", "the objects are being created");
        set_working(a, "Progressing", "creating the objects");
    }
}

static void finish_run(struct attempt *a, const struct fault *fault)
{
    struct audit *audit = a->loop->ports.audit;
    struct fault missed = FAULT_INIT;
    int64_t duration_ms = clock_monotonic_ms(a->loop->ports.clock) - a->started_ms;

    if (fault != NULL ||
        (!a->paused_reconcile && a->sync.generation != a->before.observed_generation)) {
        attempt_audit_begin(a);
    }
    if (a->run == 0) {
        return;
    }
    if (!audit_run_end(audit, a->run, fault == NULL ? "Succeeded" : "Failed",
                       fault == NULL ? NULL : fault_class_name(fault->class),
                       fault == NULL ? NULL : fault->text, &missed)) {
        metrics_add(a->loop->metrics, METRIC_AUDIT_ERRORS, 1);
        metrics_set(a->loop->metrics, METRIC_AUDIT_DEGRADED, 1);
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
    attempt_event(a, now->status != KUBE_TRUE && a->status.retries > 0, now->reason,
                  "Reconcile", now->message);
}

static bool write_status(struct attempt *a, struct fault *fault)
{
    AUTO(json_freep) struct json *body = json_new_object();
    struct json *metadata = NULL, *status = NULL, *answered = NULL;
    enum kube_outcome outcome = KUBE_OK;
    const char *message = NULL;

    status = json_set_object(body, "status");
    tsync_status_write(&a->status, status);
    kube_conditions_write(&a->conditions, json_set_array(status, "conditions"));
    if (json_equal(status, json_get(attempt_object(a), "status"))) {
        return true;
    }
    json_set_string(body, "apiVersion", TSYNC_GROUP "/" TSYNC_VERSION);
    json_set_string(body, "kind", "TableSync");
    metadata = json_set_object(body, "metadata");
    json_set_string(metadata, "name", a->sync.name);
    json_set_string(metadata, "namespace", a->sync.namespace);
    json_set_string(metadata, "resourceVersion",
                    kube_resource_version(attempt_object(a)));
    metrics_add(a->loop->metrics, METRIC_API_WRITES, 1);
    metrics_add(a->loop->metrics, METRIC_STATUS_WRITES, 1);
    if (!kube_apply_status(&a->loop->api, &loop_resource_sync, a->sync.namespace,
                           a->sync.name, body, a->arena, &a->cancel, &outcome, &answered,
                           &message, fault)) {
        return fault_wrap(fault, "write status");
    }
    attempt_refresh(a, answered);
    if (outcome == KUBE_CONFLICT || outcome == KUBE_NOT_FOUND) {
        /* Gone: what the store still shows must not be provisioned again. */
        return fault_set(fault, FAULT_CONFLICT, NULL, "the resource %s meanwhile",
                         outcome == KUBE_CONFLICT ? "changed" : "was removed");
    }
    if (outcome == KUBE_INVALID) {
        return fault_set(fault, FAULT_BUG, NULL, "status was refused: %s", message);
    }
    emit_transitions(a);
    return true;
}

bool report_intent(struct attempt *a, const char *message, struct fault *fault)
{
    a->status.phase = PHASE_PROVISIONING;
    show_ready(a, "Provisioning", message);
    set_working(a, "Progressing", message);
    a->status.observed_generation = a->sync.generation;
    if (!write_status(a, fault)) {
        return false;
    }
    /* A copy: the list goes on changing in place, and the next report compares. */
    memset(&a->conditions_before, 0, sizeof(a->conditions_before));
    for (VEC_EACH(struct kube_condition, c, &a->conditions.list)) {
        VEC_PUSH(a->arena, &a->conditions_before.list, *c);
    }
    return true;
}

bool report(struct attempt *a, const struct fault *fault, struct fault *out_fault)
{
    if (fault != NULL &&
        (fault->class == FAULT_CANCELLED || fault->class == FAULT_CONFLICT)) {
        /* Nothing was learned about the world; what was done is in the audit. */
        if (a->run != 0) {
            finish_run(a, fault);
        }
        if (fault->class == FAULT_CONFLICT) {
            a->requeue_ms = SOON_MS;
        }
        return true;
    }
    if (fault != NULL) {
        report_fault(a, fault);
    } else {
        report_progress(a);
    }
    finish_run(a, fault);
    if (!a->paused_reconcile) { /* nobody has looked at the spec */
        a->status.observed_generation = a->sync.generation;
    }
    return write_status(a, out_fault);
}

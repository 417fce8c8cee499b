#include "loop/gauges_attempt.h"

#include "loop/gauges.h"
#include "loop/log_key.h"
#include "loop/steps.h"

/* A controller's rows of metrics.def. */
struct rows {
    const char *controller;
    enum metric success, error, again, requeue, errors, terminal, timeouts;
};

static const struct rows SYNC = {"tablesync",
                                 METRIC_RECONCILE_SUCCESS,
                                 METRIC_RECONCILE_ERROR,
                                 METRIC_RECONCILE_AGAIN,
                                 METRIC_RECONCILE_REQUEUE,
                                 METRIC_RECONCILE_ERRORS,
                                 METRIC_RECONCILE_TERMINAL,
                                 METRIC_RECONCILE_TIMEOUTS};
static const struct rows CONN = {
    "databaseconnection",           METRIC_CONN_RECONCILE_SUCCESS,
    METRIC_CONN_RECONCILE_ERROR,    METRIC_CONN_RECONCILE_AGAIN,
    METRIC_CONN_RECONCILE_REQUEUE,  METRIC_CONN_RECONCILE_ERRORS,
    METRIC_CONN_RECONCILE_TERMINAL, METRIC_CONN_RECONCILE_TIMEOUTS};

/* A conflict is read again at once and is no error: controller-runtime's Requeue. */
static void count(struct loop *loop, const struct rows *rows, const struct fault *fault,
                  int64_t again_ms, int64_t duration_ms)
{
    struct metrics *metrics = loop->metrics;
    struct metrics_labels labels = metrics_label("controller", rows->controller);

    metrics_observe(metrics, METRIC_RECONCILE_TIME, &labels, duration_ms);
    if (fault == NULL) {
        metrics_add(metrics, again_ms > 0 ? rows->requeue : rows->success, 1);
    } else if (fault->class == FAULT_CONFLICT) {
        metrics_add(metrics, rows->again, 1);
    } else {
        metrics_add(metrics, rows->error, 1);
        metrics_add(metrics, rows->errors, 1);
        metrics_add(metrics, rows->timeouts, duration_ms >= loop->options.attempt_ms);
    }
}

static enum gauge_truth truth_of(const struct attempt *a, enum condition type,
                                 enum gauge_truth otherwise)
{
    const struct kube_condition *c =
        kube_conditions_find(&a->conditions, condition_type(type));

    if (c == NULL) {
        return otherwise;
    }
    if (c->status == KUBE_TRUE) {
        return GAUGE_TRUE;
    }
    return c->status == KUBE_FALSE ? GAUGE_FALSE : GAUGE_UNKNOWN;
}

/* The table of reasons' own text: it outlives the attempt. */
static const char *sink_state(const struct attempt *a)
{
    const struct kube_condition *c =
        kube_conditions_find(&a->conditions, condition_type(CONDITION_SINK_READY));
    const struct reason_row *row =
        c == NULL ? NULL : reason_find(CONDITION_SINK_READY, c->reason);

    return row == NULL ? NULL : row->reason;
}

/*
 * How far the source has read: what was seen last stays while nobody can look, since that
 * is when it counts. What is not watched (stalled, left alone on request) reads on
 * unseen.
 */
static void set_position(const struct attempt *a, const struct gauges_row *before,
                         struct gauges_row *row)
{
    if (row->stalled == GAUGE_TRUE || a->paused_reconcile) {
        return;
    }
    row->position_ms = a->offset.event_ms > 0 ? a->offset.event_ms : before->position_ms;
    row->retention_s =
        a->mysql != NULL ? a->mysql->u.mysql.binlog_expire_seconds : before->retention_s;
}

/* What is inconclusive may be on its way, and is no difference. */
static int64_t difference(const struct attempt *a)
{
    struct sv result = sv_from(a->status.verification.result);
    int64_t more =
        a->status.verification.target_rows - a->status.verification.source_rows;

    if (!sv_eq(result, SV("Match")) && !sv_eq(result, SV("WithinTolerance")) &&
        !sv_eq(result, SV("Mismatch"))) {
        return -1;
    }
    return more < 0 ? -more : more;
}

static struct gauges_row row_of(const struct attempt *a)
{
    return (struct gauges_row){
        .phase = a->status.phase,
        .ready = truth_of(a, CONDITION_READY, GAUGE_UNSET),
        .stalled = truth_of(a, CONDITION_STALLED, GAUGE_FALSE),
        .in_sync = truth_of(a, CONDITION_IN_SYNC, GAUGE_UNSET),
        .sink = sink_state(a),
        .lag_s =
            a->measured.known ? a->measured.lag_s : a->status.stream.sink_lag_seconds,
        .undelivered =
            a->measured.known ? a->measured.undelivered : a->status.stream.undelivered,
        .snapshot_rows = a->status.snapshot.state == NULL ? -1 : a->status.snapshot.rows,
        .difference = difference(a),
    };
}

void gauges_attempt(struct attempt *a, const struct fault *fault, int64_t again_ms)
{
    struct loop *loop = a->loop;
    const char *key = a->key + strlen(LOOP_KEY_SYNC);
    int64_t duration_ms = clock_monotonic_ms(loop->ports.clock) - a->started_ms;
    struct gauges_row row, before = {0};

    count(loop, &SYNC, fault, again_ms, duration_ms);
    lg_debug(loop->ports.lg, "reconciled", LG_KEY(a->key),
             LG_STR("reconcileID", a->run_id), LG_STR("trigger", a->trigger),
             LG_STR("lastStep", a->step == NULL ? "" : a->step->name),
             LG_INT("statements", a->steps), LG_INT("durationMs", duration_ms),
             LG_INT("againMs", again_ms));
    if (a->object == NULL || (fault == NULL && again_ms == 0 && a->sync.deleting)) {
        gauges_remove(loop->gauges, key);
        return;
    }
    (void)gauges_get(loop->gauges, key, &before);
    row = row_of(a);
    set_position(a, &before, &row);
    gauges_set(loop->gauges, key, &row);
    metrics_add(loop->metrics, METRIC_RECONCILE_TERMINAL,
                fault != NULL && row.stalled == GAUGE_TRUE);
    if (a->drifted && !a->held) {
        metrics_add(loop->metrics, METRIC_DRIFT_CORRECTIONS, a->steps);
    }
}

void gauges_look(struct loop *loop, int64_t began_ms, const struct fault *fault,
                 int64_t again_ms)
{
    count(loop, &CONN, fault, again_ms, clock_monotonic_ms(loop->ports.clock) - began_ms);
    metrics_add(loop->metrics, METRIC_CONN_RECONCILE_TERMINAL,
                fault != NULL && fault->class == FAULT_SPEC);
}

void gauges_statement(struct attempt *a, const struct plan_step *step, bool done,
                      int64_t duration_ms)
{
    struct metrics *metrics = a->loop->metrics;
    struct metrics_labels labels =
        metrics_label("system", plan_system_name(step->system));

    metrics_observe(metrics, METRIC_STATEMENT_DURATION, &labels, duration_ms);
    metrics_label_add(&labels, "action", plan_kind_name(step->kind));
    metrics_label_add(&labels, "result", done ? "succeeded" : "failed");
    metrics_count(metrics, METRIC_STATEMENTS, &labels, 1);
}

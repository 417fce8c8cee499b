/* Do rows really flow? Only run-time facts count here, never that a statement was
 * accepted. */
#include "loop/altered.h"
#include "loop/seen.h"
#include "loop/steps.h"
#include "loop/watch.h"

/* A waiting change that stays the oldest for this long means that nothing is delivered:
 * several commit intervals, and never less than a minute. */
#define STUCK_LEAST_MS 60000
#define STUCK_COMMITS 6
/* Within this the sink merely waits for its next commit. */
#define NORMAL_LAG_S 15
/* SQLSTATE of a name that does not exist (RisingWave 3.0.3 error/code.rs). */
#define NOT_FOUND "42704"
/* A SINK_FAIL event this recent tells why; the log keeps only the last ten of a kind. */
#define FAIL_EVENT_MS INT64_C(300000)

static const struct rw_table *our_table(const struct attempt *a)
{
    return a->plan.table == NULL ? NULL : rw_catalog_table(&a->rw->u.rw, a->plan.table);
}

static const struct rw_sink *our_sink(const struct attempt *a)
{
    return a->plan.sink == NULL ? NULL : rw_catalog_sink(&a->rw->u.rw, a->plan.sink);
}

static void target_condition(struct attempt *a)
{
    if (attempt_target(a) == NULL) {
        return; /* it is missing, and spec.drift.policy leaves it so */
    }
    if (attempt_adopted(a)) {
        attempt_condition(a, CONDITION_TARGET_TABLE_READY, "Adopted",
                          "%s.%s was there before, fits, and carries our mark",
                          a->sync.target_database, a->sync.target_table);
        return;
    }
    attempt_condition(a, CONDITION_TARGET_TABLE_READY, "Created",
                      "%s.%s exists and carries our mark", a->sync.target_database,
                      a->sync.target_table);
}

static void schema_condition(struct attempt *a)
{
    if (a->status.source.unloaded_columns.n > 0) {
        attempt_condition(a, CONDITION_SCHEMA_IN_SYNC, "UnloadedColumns", "%s",
                          watch_unloaded_text(a));
    } else if (a->plan.ignored.n > 0) {
        attempt_condition(a, CONDITION_SCHEMA_IN_SYNC, "IgnoredColumns",
                          "spec.schemaChange.policy is Ignore, so what was added to "
                          "MySQL table %s.%s since is not delivered: %s",
                          a->sync.source_database, a->sync.source_table,
                          watch_names(&a->plan.ignored, a->arena));
    } else {
        attempt_condition(a, CONDITION_SCHEMA_IN_SYNC, "Match",
                          "MySQL table %s.%s is as it is streamed%s%s",
                          a->sync.source_database, a->sync.source_table,
                          a->plan.kept.n == 0 ? ""
                                              : "; gone from it and kept in the "
                                                "target: ",
                          watch_names(&a->plan.kept, a->arena));
    }
}

static void source_condition(struct attempt *a, bool catches_up)
{
    const char *name =
        arena_printf(a->arena, "%.*s.%.*s", SV_ARGS(ident_name(a->desired.rw_schema)),
                     SV_ARGS(ident_name(a->desired.source_name)));

    if (catches_up) {
        attempt_condition(a, CONDITION_SOURCE_READY, "CatchingUp",
                          "source %s was altered and its reader starts anew; changes "
                          "arrive some minutes late, none is lost",
                          name);
    } else if (a->plan.source_differs != NULL) {
        attempt_condition(a, CONDITION_SOURCE_READY, "SettingsDiffer", "%s",
                          a->plan.source_differs);
    } else {
        position_source_shared(a);
    }
}

static bool conditions_of_objects(struct attempt *a, bool catches_up, struct fault *fault)
{
    source_condition(a, catches_up);
    target_condition(a);
    if (a->planned) {
        if (!watch_loaded(a, fault)) {
            return false;
        }
        schema_condition(a);
    }
    return true;
}

/* The catalog may be some seconds old: what it named can be gone. Then nothing is known
 * but that it must be read again. Always returns false. */
static bool read_failed(struct attempt *a, const char *what, struct fault *fault)
{
    if (strcmp(fault->code, NOT_FOUND) == 0) {
        lane_forget(a->bindings[BIND_RISINGWAVE].lane);
        return fault_set(fault, FAULT_CONFLICT, NULL, "%s: the object went meanwhile",
                         what);
    }
    return fault_wrap(fault, "%s", what);
}

/* Snapshot progress, until it is done for this very CDC table. */
static bool verify_snapshot(struct attempt *a, bool *out_done, struct fault *fault)
{
    struct stream_db *db = a->bindings[BIND_RISINGWAVE].session.stream;
    const struct rw_table *table = our_table(a);
    struct rw_snapshot snapshot = {0};
    const char *internal = NULL;

    if (a->sync.snapshot_mode == SNAPSHOT_NEVER) {
        a->status.snapshot.state = "Skipped";
        attempt_condition(a, CONDITION_SNAPSHOT_COMPLETE, "Skipped",
                          "spec.snapshot.mode is Never: only changes are replicated");
        *out_done = true;
        return true;
    }
    internal = table == NULL
                   ? NULL
                   : rw_catalog_internal(&a->rw->u.rw, table->id, "_streamcdcscan_");
    if (internal != NULL &&
        !db->ops->snapshot(db, a->bindings[BIND_RISINGWAVE].conn.rw_schema, internal,
                           &a->cancel, &snapshot, fault)) {
        return read_failed(a, "read the snapshot's progress", fault);
    }
    a->status.snapshot.rows = snapshot.present ? snapshot.rows : 0;
    if (a->status.snapshot.started_at == NULL ||
        (table != NULL && watch_table_is_new(a, table))) {
        a->status.snapshot.started_at = a->now;
        a->status.snapshot.finished_at = NULL;
    }
    *out_done = snapshot.present && snapshot.finished;
    if (*out_done) {
        a->status.snapshot.state = "Done";
        if (a->status.snapshot.finished_at == NULL) {
            a->status.snapshot.finished_at = a->now;
        }
        attempt_condition(a, CONDITION_SNAPSHOT_COMPLETE, "Done", "%lld rows were loaded",
                          (long long)snapshot.rows);
    } else {
        a->status.snapshot.state = "InProgress";
        a->status.snapshot.finished_at = NULL;
        attempt_condition(a, CONDITION_SNAPSHOT_COMPLETE, "InProgress",
                          "the present rows are being loaded");
    }
    return true;
}

static const char *recent_failure(const struct attempt *a, const struct rw_sink *sink,
                                  const struct rw_backlog *backlog)
{
    /* RisingWave's events have RisingWave's time; ours may be another one. */
    int64_t now_ms =
        backlog->present ? backlog->now_ms : clock_wall_ms(a->loop->ports.clock);

    for (size_t i = 0; i < a->rw->u.rw.events.n; i++) {
        const struct rw_event *e = &a->rw->u.rw.events.v[i];

        if (strcmp(e->type, "SINK_FAIL") == 0 && e->object_id == sink->id &&
            now_ms - e->at_ms < FAIL_EVENT_MS) {
            return e->error;
        }
    }
    return NULL;
}

static int64_t stuck_limit_ms(const struct attempt *a)
{
    int64_t commits_ms = a->sync.commit_checkpoint_interval * 1000 * STUCK_COMMITS;

    return commits_ms > STUCK_LEAST_MS ? commits_ms : STUCK_LEAST_MS;
}

/* Lag and backlog into status; *out_alive: what waits is being delivered. */
static bool read_backlog(struct attempt *a, const struct rw_sink *sink,
                         struct rw_backlog *out_backlog, struct fault *fault)
{
    struct stream_db *db = a->bindings[BIND_RISINGWAVE].session.stream;
    const char *internal = rw_catalog_internal(&a->rw->u.rw, sink->id, "_sink_");
    int64_t lag_s = -1;

    *out_backlog = (struct rw_backlog){.undelivered = -1};
    if (internal != NULL &&
        !db->ops->backlog(db, a->bindings[BIND_RISINGWAVE].conn.rw_schema, internal,
                          &a->cancel, out_backlog, fault)) {
        return read_failed(a, "read the sink's backlog", fault);
    }
    /* What is held back on purpose is not late, and its age says nothing new. */
    if (out_backlog->oldest_ms > 0 && a->sync.state != STATE_PAUSED) {
        lag_s = (out_backlog->now_ms - out_backlog->oldest_ms + 999) / 1000;
        lag_s = lag_s < 0 ? 0 : lag_s;
    }
    a->measured.known = true;
    a->measured.undelivered = out_backlog->undelivered;
    a->measured.lag_s = out_backlog->undelivered == 0 ? 0 : lag_s;
    a->status.stream.sink_lag_seconds = lag_s < 0 ? -1 : status_lag_step(lag_s);
    a->status.stream.lag =
        lag_s < 0 ? NULL : status_lag_text(a->arena, a->status.stream.sink_lag_seconds);
    /* A busy healthy sink always has a few rows on their way: not worth a status write.
     */
    a->status.stream.undelivered = out_backlog->undelivered;
    if (out_backlog->undelivered > 0) {
        a->status.stream.undelivered =
            lag_s > NORMAL_LAG_S || a->sync.state == STATE_PAUSED
                ? status_round_up(out_backlog->undelivered)
                : 0;
    }
    return true;
}

/* Whether Ready was last said of this very sink: its versions are different sinks. */
static bool was_proven(const struct attempt *a, const struct rw_sink *sink)
{
    const struct kube_condition *ready =
        kube_conditions_find(&a->conditions_before, condition_type(CONDITION_READY));
    bool known = false;

    for (VEC_EACH(struct status_object, o, &a->before.objects)) {
        known = known || (strcmp(o->kind, "Sink") == 0 && o->id == sink->id);
    }
    return known && ready != NULL && ready->status == KUBE_TRUE;
}

/*
 * A sink that has delivered nothing yet proves nothing: before Ready is said of it for
 * the first time, its backlog must have been empty or have moved once.
 */
static bool has_delivered(struct attempt *a, const struct rw_sink *sink)
{
    return seen_moved(a->loop->seen, a->key) || was_proven(a, sink);
}

/* How long nothing was delivered although something waits. A reader that restarts holds
 * up what stands behind it, so that time does not count. */
static int64_t stuck_for_ms(struct attempt *a, const struct rw_backlog *backlog,
                            bool catches_up)
{
    int64_t now_ms = clock_monotonic_ms(a->loop->ports.clock);

    if (catches_up) {
        seen_rest(a->loop->seen, a->key, now_ms);
    }
    return seen_stuck_ms(a->loop->seen, a->key, backlog->undelivered, backlog->oldest_ms,
                         now_ms);
}

static bool verify_sink(struct attempt *a, bool catches_up, bool *out_running,
                        struct fault *fault)
{
    const struct rw_sink *sink = our_sink(a);
    struct rw_backlog backlog = {0};
    const char *failure = NULL;
    int64_t stuck_ms = 0;

    *out_running = false;
    if (sink == NULL) {
        attempt_condition(a, CONDITION_SINK_READY, "Creating",
                          "the sink is not listed yet");
        return true;
    }
    if (!read_backlog(a, sink, &backlog, fault)) {
        return false;
    }
    seen_sink(a->loop->seen, a->key, sink->id);
    stuck_ms = stuck_for_ms(a, &backlog, catches_up);
    failure = recent_failure(a, sink, &backlog);
    if (a->sync.state == STATE_PAUSED) {
        attempt_condition(a, CONDITION_SINK_READY, "Paused",
                          "the sink's rate limit is 0");
    } else if (failure != NULL && backlog.undelivered != 0) {
        attempt_condition(
            a, CONDITION_SINK_READY, "SinkFailed",
            "the sink cannot load into StarRocks; RisingWave keeps the changes "
            "and retries: %s",
            failure);
    } else if (sink->creating) {
        seen_unproven(a->loop->seen, a->key);
        attempt_condition(a, CONDITION_SINK_READY, "BackfillRunning",
                          "the sink is sending the rows the CDC table already holds");
    } else if (!backlog.present) {
        attempt_condition(a, CONDITION_SINK_READY, "Creating",
                          "the sink's log store is not listed yet");
    } else if (stuck_ms > stuck_limit_ms(a)) {
        attempt_condition(
            a, CONDITION_SINK_READY, "SinkFailed",
            "changes wait and none was delivered for more than %lld s; look at "
            "rw_catalog.rw_event_logs and at StarRocks",
            (long long)(stuck_limit_ms(a) / 1000));
    } else if (!has_delivered(a, sink)) {
        attempt_condition(a, CONDITION_SINK_READY, "BackfillRunning",
                          "the first rows wait for their delivery to StarRocks");
    } else {
        attempt_condition(a, CONDITION_SINK_READY, "Running",
                          "changes are being delivered");
        *out_running = true;
    }
    return true;
}

enum step_result step_verify(struct attempt *a, struct fault *fault)
{
    bool catches_up = false, loaded = false, running = false;

    catches_up = altered_catches_up(a, &a->offset);
    if (!conditions_of_objects(a, catches_up, fault) ||
        !verify_snapshot(a, &loaded, fault) ||
        !verify_sink(a, catches_up, &running, fault)) {
        return STEP_FAULT;
    }
    if (!loaded) { /* an empty backlog only means that nothing has come yet */
        seen_unproven(a->loop->seen, a->key);
    }
    if (a->sync.state == STATE_PAUSED) {
        a->status.phase = PHASE_PAUSED;
    } else if (!loaded) {
        a->status.phase = PHASE_SNAPSHOTTING;
    } else if (running) {
        a->status.phase = PHASE_STREAMING;
    } else {
        const struct kube_condition *sink =
            kube_conditions_find(&a->conditions, condition_type(CONDITION_SINK_READY));

        a->status.phase = sink != NULL && strcmp(sink->reason, "BackfillRunning") == 0
                              ? PHASE_SNAPSHOTTING
                              : PHASE_PROVISIONING;
    }
    return STEP_CONTINUE;
}

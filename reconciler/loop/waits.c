#include "loop/waits.h"

#include "loop/memo.h"

/* SQLSTATE of a name that does not exist (RisingWave 3.0.3 error/code.rs). */
#define NOT_FOUND "42704"
/* A sink commits after so many checkpoints, a second each, unless it is told otherwise
 * (verified 14); and a load takes its time. */
#define COMMIT_S 10
#define REST_MS 3000

static const char *rw_schema(const struct attempt *a)
{
    return a->bindings[BIND_RISINGWAVE].conn.rw_schema;
}

/* The catalog may be some seconds old: what it named can be gone. Always false. */
static bool read_failed(struct attempt *a, const char *what, struct fault *fault)
{
    if (strcmp(fault->code, NOT_FOUND) == 0) {
        lane_forget(a->bindings[BIND_RISINGWAVE].lane);
        return fault_set(fault, FAULT_CONFLICT, NULL, "%s: the object went meanwhile",
                         what);
    }
    return fault_wrap(fault, "%s", what);
}

static bool target_is_altering(const struct attempt *a)
{
    const struct sr_table *target = attempt_target(a);

    return target != NULL && target->altering;
}

static bool snapshot_is_done(struct attempt *a, const char *name, bool *out_done,
                             struct fault *fault)
{
    struct stream_db *db = a->bindings[BIND_RISINGWAVE].session.stream;
    const struct rw_table *table = rw_catalog_table(&a->rw->u.rw, name);
    struct rw_snapshot snapshot = {0};
    const char *internal = NULL;

    if (table != NULL) {
        internal = rw_catalog_internal(&a->rw->u.rw, table->id, "_streamcdcscan_");
    }
    if (internal != NULL &&
        !db->ops->snapshot(db, rw_schema(a), internal, &a->cancel, &snapshot, fault)) {
        return read_failed(a, "read the snapshot's progress", fault);
    }
    *out_done = snapshot.present && snapshot.finished;
    return true;
}

static bool backfill_is_done(const struct attempt *a, const char *name)
{
    const struct rw_sink *sink = rw_catalog_sink(&a->rw->u.rw, name);

    return sink != NULL && !sink->creating &&
           rw_catalog_internal(&a->rw->u.rw, sink->id, "_sink_") != NULL;
}

/* From a catalog read after it was told to: what it still delivers then began before. */
static bool is_paused(const struct attempt *a, const char *name)
{
    const struct rw_sink *sink = rw_catalog_sink(&a->rw->u.rw, name);

    return sink != NULL && sink->rate_limit == 0;
}

/* The sink of the highest version, which is to take over; NULL: none but `old`. */
static const struct rw_sink *successor_of(const struct attempt *a, const char *old)
{
    struct sv prefix = sv_from(a->desired.sink_prefix);
    const struct rw_sink *found = NULL;
    int64_t newest = name_sink_version_of(prefix, sv_from(old));

    for (size_t i = 0; i < a->rw->u.rw.sinks.n; i++) {
        const struct rw_sink *sink = &a->rw->u.rw.sinks.v[i];
        int64_t version = name_sink_version_of(prefix, sv_from(sink->name));

        if (version > newest) {
            newest = version;
            found = sink;
        }
    }
    return found;
}

static bool old_has_delivered(struct attempt *a, const char *name, bool *out_done,
                              struct fault *fault)
{
    struct stream_db *db = a->bindings[BIND_RISINGWAVE].session.stream;
    const struct rw_sink *old = rw_catalog_sink(&a->rw->u.rw, name);
    const struct rw_sink *successor = successor_of(a, name);
    struct rw_backlog backlog = {0};
    const char *internal = NULL;
    int64_t since_ms = 0;

    *out_done = false;
    if (successor == NULL || successor->rate_limit != 0) {
        memo_not_paused(a->loop->memo, a->key);
        return true;
    }
    if (old != NULL) {
        internal = rw_catalog_internal(&a->rw->u.rw, old->id, "_sink_");
    }
    if (internal == NULL) {
        return true;
    }
    if (!db->ops->backlog(db, rw_schema(a), internal, &a->cancel, &backlog, fault)) {
        return read_failed(a, "read the old sink's backlog", fault);
    }
    /* The catalog that shows the pause was read before the clock of this answer. */
    since_ms = memo_paused_since(a->loop->memo, a->key, successor->name, backlog.now_ms);
    *out_done = backlog.present && backlog.oldest_ms > since_ms;
    return true;
}

/* Names of this resource's paused sinks with a blank behind each; NULL: there is none. */
static const char *retired(const struct attempt *a)
{
    struct sv prefix = sv_from(a->desired.sink_prefix);
    const char *names = NULL;

    for (size_t i = 0; i < a->rw->u.rw.sinks.n; i++) {
        const struct rw_sink *sink = &a->rw->u.rw.sinks.v[i];

        if (sink->rate_limit == 0 &&
            name_sink_version_of(prefix, sv_from(sink->name)) > 0) {
            names =
                arena_printf(a->arena, "%s%s ", names == NULL ? "" : names, sink->name);
        }
    }
    return names;
}

bool waits_for_rest(const struct attempt *a, const struct plan_step *step)
{
    return step->kind == PLAN_CREATE_SINK && retired(a) != NULL;
}

/* Whether what the retired sinks had begun to deliver is there by now. */
static bool has_come_to_rest(const struct attempt *a)
{
    int64_t commit_s = a->sync.commit_checkpoint_interval > 0
                           ? a->sync.commit_checkpoint_interval
                           : COMMIT_S;
    int64_t now_ms = clock_monotonic_ms(a->loop->ports.clock);

    return now_ms - memo_paused_since(a->loop->memo, a->key, retired(a), now_ms) >=
           commit_s * 1000 + REST_MS;
}

bool waits_check(struct attempt *a, const struct plan_step *step,
                 const char **out_waiting, struct fault *fault)
{
    const char *words = NULL;
    bool done = true;

    if (step->wait == WAIT_NONE && waits_for_rest(a, step) && !has_come_to_rest(a)) {
        *out_waiting = "what the paused sink had begun to deliver to arrive in StarRocks";
        return true;
    }

    switch (step->wait) {
    case WAIT_NONE:
    case PLAN_WAIT_MAX:
        break;
    case WAIT_TARGET_ALTER:
        done = !target_is_altering(a);
        words = arena_printf(a->arena, "StarRocks to finish the schema change of %s.%s",
                             a->sync.target_database, a->sync.target_table);
        break;
    case WAIT_SNAPSHOT:
        if (!snapshot_is_done(a, step->wait_for, &done, fault)) {
            return false;
        }
        words = arena_printf(a->arena, "CDC table %s to load all rows", step->wait_for);
        break;
    case WAIT_BACKFILL:
        done = backfill_is_done(a, step->wait_for);
        words = arena_printf(a->arena, "sink %s to send the rows its CDC table holds",
                             step->wait_for);
        break;
    case WAIT_PAUSED:
        done = is_paused(a, step->wait_for);
        words = arena_printf(a->arena, "sink %s to be seen paused", step->wait_for);
        break;
    case WAIT_DELIVERED:
        if (!old_has_delivered(a, step->wait_for, &done, fault)) {
            return false;
        }
        words = arena_printf(
            a->arena, "sink %s to deliver what its successor may have delivered before",
            step->wait_for);
        break;
    }
    *out_waiting = done ? NULL : words;
    return true;
}

/*
 * From the mark to the last old object: a sink is replaced only in this order, so that
 * there is no gap, no ghost row and no older value over a newer one.
 *
 *   1. The new sink is made while the old one delivers; it sends what the CDC table holds
 *      (its backfill) and every change from then on.
 *   2. When its backfill is done it is paused. It has delivered nothing that is younger
 *      than this moment.
 *   3. The old sink, which never stopped, is waited for until it has delivered everything
 *      that is older than that moment: deletes from before the new sink existed among it,
 *      which no backfill tells. Then it is dropped.
 *   4. The new sink is resumed and sends again, in order, whatever the old one may have
 *      delivered since.
 *
 * Two running sinks alone would not do: one that lags may write an older value over the
 * other's newer one and be dropped before it writes the newer (verified 36). Each state
 * on the way is seen in the catalog, so an interrupted swap goes on where it was.
 *
 * If the wish changes again half-way, the old sink goes on as before, and the successor
 * that is no longer wanted is paused before the next one is made. It may have written a
 * row after the old one had deleted it, and still have that deletion before it: so it is
 * dropped only after the deletions that it did not deliver have been done (ghosts.h),
 * while the next one is paused. A key that comes back meanwhile lies in that one's log
 * store; what the old one still has to delete it deletes before it is dropped.
 *
 * All that is for a sink which delivers. One that may not, since its address or account
 * is another one now, is replaced by plan_rotate.c.
 */
#include "ddl/plan_parts.h"

static const char *sink_name(const struct planner *p)
{
    return arena_copy(p->arena, ident_name(p->sink_ident));
}

static bool is_old(const struct planner *p, const struct rw_sink *sink)
{
    return sink != p->sink;
}

static const struct rw_sink *oldest(const struct planner *p)
{
    for (size_t i = p->sinks.n; i > 0; i--) {
        if (is_old(p, p->sinks.v[i - 1])) {
            return p->sinks.v[i - 1];
        }
    }
    return NULL;
}

static bool is_halfway(const struct planner *p, const struct rw_sink *sink,
                       const struct rw_sink *old)
{
    return is_old(p, sink) && sink != old;
}

/* Before there is a successor, whose newer values they might write over. */
static bool pause_halfway(struct planner *p, const struct rw_sink *old,
                          const char **out_last, struct fault *fault)
{
    *out_last = NULL;
    for (size_t i = p->sinks.n; i > 0; i--) {
        const struct rw_sink *sink = p->sinks.v[i - 1];

        if (is_halfway(p, sink, old) && sink->rate_limit != 0) {
            if (!plan_rw_rate(p, sink->name, true, WAIT_NONE, NULL, fault)) {
                return false;
            }
            *out_last = sink->name;
        }
    }
    return true;
}

/* What they wrote after the old one had deleted it nobody but they would delete. */
static bool drop_halfway(struct planner *p, const struct rw_sink *old,
                         struct fault *fault)
{
    bool first = true;

    for (size_t i = p->sinks.n; i > 0; i--) {
        const struct rw_sink *sink = p->sinks.v[i - 1];

        if (!is_halfway(p, sink, old)) {
            continue;
        }
        if (!plan_sr_ghosts(p, sink, first, fault) ||
            !plan_rw_drop(p, PLAN_DROP_SINK, sink->name, WAIT_NONE, NULL, fault)) {
            return false;
        }
        first = false;
    }
    return true;
}

/* Paused by the user it may be before its backfill is done. Then it is paused once more:
 * what becomes of a row that a backfill has not come to is in no log store. */
bool plan_is_settled(const struct planner *p)
{
    return p->sink != NULL && p->sink->rate_limit == 0 && !p->sink->creating;
}

static bool retire(struct planner *p, const struct rw_sink *old, struct fault *fault)
{
    const char *name = sink_name(p);
    bool paused = plan_is_settled(p);

    return (paused || plan_rw_rate(p, name, true, WAIT_BACKFILL, name, fault)) &&
           drop_halfway(p, old, fault) &&
           plan_rw_drop(p, PLAN_DROP_SINK, old->name, WAIT_DELIVERED, old->name, fault) &&
           plan_rw_rate(p, name, false, WAIT_NONE, NULL, fault);
}

static bool settings(struct planner *p, struct fault *fault)
{
    bool paused = p->d.in.sync->state == STATE_PAUSED;
    int64_t interval = p->d.in.sync->commit_checkpoint_interval;
    int64_t seen = PLAN_COMMIT_INTERVAL;

    if (p->sink->rate_limit != (paused ? 0 : -1) &&
        !plan_rw_rate(p, p->sink->name, paused, WAIT_NONE, NULL, fault)) {
        return false;
    }
    (void)sv_int64(sv_from(p->sink->commit_checkpoint_interval), &seen);
    interval = interval < 1 ? PLAN_COMMIT_INTERVAL : interval;
    return interval == seen || plan_rw_interval(p, interval, fault);
}

/* A table that is loaded beside another one is delivered from once it is complete. */
static enum plan_wait sink_waits(const struct planner *p)
{
    bool beside = p->tables.n > (p->table != NULL ? 1 : 0);

    if (beside && p->d.in.sync->snapshot_mode != SNAPSHOT_NEVER) {
        return WAIT_SNAPSHOT;
    }
    return p->target_adds.n + p->target_widens.n > 0 ||
                   (p->target != NULL && p->target->altering)
               ? WAIT_TARGET_ALTER
               : WAIT_NONE;
}

/* Emptied or made anew, the target is filled from the complete new CDC table. */
static bool clear_and_fill(struct planner *p, struct fault *fault)
{
    enum plan_wait wait =
        p->d.in.sync->snapshot_mode == SNAPSHOT_NEVER ? WAIT_NONE : WAIT_SNAPSHOT;
    const char *table = arena_copy(p->arena, ident_name(p->table_ident));

    for (size_t i = p->sinks.n; i > 0; i--) {
        if (!plan_rw_drop(p, PLAN_DROP_SINK, p->sinks.v[i - 1]->name, wait, table,
                          fault)) {
            return false;
        }
        wait = WAIT_NONE;
    }
    return plan_sr_clear(p, wait, table, fault) &&
           plan_rw_sink(p, WAIT_NONE, NULL, fault);
}

static bool used_by_others(const struct planner *p, int64_t id)
{
    for (size_t i = 0; i < p->rw->edges.n; i++) {
        bool ours = p->rw->edges.v[i].referenced != id;

        for (size_t k = 0; k < p->sinks.n && !ours; k++) {
            ours = p->sinks.v[k]->id == p->rw->edges.v[i].object;
        }
        if (!ours) {
            return true;
        }
    }
    return false;
}

static bool drop_old_tables(struct planner *p, struct fault *fault)
{
    for (size_t i = 0; i < p->tables.n; i++) {
        const struct rw_table *old = p->tables.v[i];

        if (old == p->table || used_by_others(p, old->id)) {
            continue; /* somebody reads it: it stays as long as that does */
        }
        if (!plan_rw_drop(p, PLAN_DROP_TABLE, old->name, WAIT_NONE, NULL, fault)) {
            return false;
        }
    }
    return true;
}

static bool drop_columns(struct planner *p, struct fault *fault)
{
    if (!plan_sr_drop_columns(p, fault)) {
        return false;
    }
    for (size_t i = 0; i < p->cdc_drops.n; i++) {
        if (!plan_rw_drop_column(p, p->cdc_drops.v[i], fault)) {
            return false;
        }
    }
    return true;
}

static bool mark_differs(const struct planner *p)
{
    return p->table != NULL &&
           (!sv_eq(p->mark.hash, sv_from(p->sink_hash)) ||
            p->mark.sink != p->sink_version || (p->rotates && p->mark.after != p->after));
}

static bool make_sink(struct planner *p, const char *halfway, struct fault *fault)
{
    enum plan_wait wait = sink_waits(p);

    return wait == WAIT_NONE && halfway != NULL
               ? plan_rw_sink(p, WAIT_PAUSED, halfway, fault)
               : plan_rw_sink(p, wait, NULL, fault);
}

static bool replace(struct planner *p, struct fault *fault)
{
    const struct rw_sink *old = oldest(p);
    bool paused = p->d.in.sync->state == STATE_PAUSED;
    const char *halfway = NULL;

    if (mark_differs(p) && !plan_rw_mark(p, fault)) {
        return false;
    }
    if (plan_clears_target(p)) {
        return clear_and_fill(p, fault);
    }
    if (p->rotates) {
        return plan_rotate(p, sink_waits(p), fault);
    }
    if (old != NULL && old->rate_limit == 0 &&
        !plan_rw_rate(p, old->name, false, WAIT_NONE, NULL, fault)) {
        return false;
    }
    if (!pause_halfway(p, old, &halfway, fault) ||
        (p->sink == NULL && !make_sink(p, halfway, fault))) {
        return false;
    }
    if (old != NULL) {
        return retire(p, old, fault);
    }
    if (p->sink == NULL) {
        return !paused || plan_rw_rate(p, sink_name(p), true, WAIT_NONE, NULL, fault);
    }
    return settings(p, fault);
}

bool plan_swap(struct planner *p, struct fault *fault)
{
    return replace(p, fault) && drop_old_tables(p, fault) && drop_columns(p, fault);
}

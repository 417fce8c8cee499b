/*
 * A sink whose address or account is another one now. RisingWave cannot alter it
 * (verified 38), and it may be unable to deliver for good, so nothing may wait for it to
 * do so. Its successor takes over in this order:
 *
 *   1. The mark says which sinks are retired ("after=<m>": all up to version m), and each
 *      of them is paused. From then on none of them writes, and each log store keeps what
 *      its sink has not delivered.
 *   2. The successor is made. Its backfill sends every row of the CDC table, and its own
 *      log store every change from then on.
 *   3. When its backfill is done it is paused, and seen paused.
 *   4. The keys that a retired sink's log store holds as deletions, and that the CDC
 * table does not have, are deleted from the target (ghosts.h).
 *   5. The retired sinks are dropped, and the successor is resumed.
 *
 * No gap: a row of the CDC table is in the successor's backfill or in its log store.
 * No older value over a newer one: from 2 on nobody writes but the successor, in order.
 * No ghost: take a row of the target that the CDC table does not have at 4. Some sink
 * wrote it last. It is deleted in the CDC table since, and whoever wrote it has that
 * deletion still before it: the successor delivers it when it is resumed, a retired sink
 * has it in its log store. The same holds of a sink that was made after the retired ones
 * were paused and is given up (its account was changed again): all its rows were in the
 * CDC table after that moment, so the log store of each retired sink has their deletions.
 * Such a one can be dropped at once; no other can. And only if that log store was
 * complete by then: a backfill leaves out what becomes of rows that it has not come to.
 * So nothing is made before the backfill of each retired sink is done, which takes no
 * delivery. No row too few: 4 reads the CDC table when the successor is seen paused. A
 * key that comes back after that lies in its log store, and arrives after the deletion.
 *
 * What was retired stays so. Should the old account come back half-way, a retired sink is
 * as good as any: it is replaced by a third one, in the same way, and never resumed; for
 * meanwhile a later sink has written newer values. If somebody resumes one by hand beside
 * a later one, everything that exists is retired and the whole begins anew.
 *
 * Each state shows in the catalog: the mark comes first and is never changed on the way.
 */
#include "ddl/plan_parts.h"

static bool is_retired(const struct planner *p, const struct rw_sink *sink)
{
    return plan_version_of(p, sink) <= p->after;
}

static bool drop_given_up(struct planner *p, struct fault *fault)
{
    for (size_t i = 0; i < p->sinks.n; i++) {
        const struct rw_sink *sink = p->sinks.v[i];

        if (sink != p->sink && !is_retired(p, sink) &&
            !plan_rw_drop(p, PLAN_DROP_SINK, sink->name, WAIT_NONE, NULL, fault)) {
            return false;
        }
    }
    return true;
}

static const struct rw_sink *filling(const struct planner *p)
{
    for (size_t i = p->sinks.n; i > 0; i--) {
        if (is_retired(p, p->sinks.v[i - 1]) && p->sinks.v[i - 1]->creating) {
            return p->sinks.v[i - 1];
        }
    }
    return NULL;
}

/* Not before the successor can be made: as long as the old one delivers it may. */
static bool pause_retired(struct planner *p, enum plan_wait wait, const char *wait_for,
                          const char **out_last, struct fault *fault)
{
    *out_last = NULL;
    for (size_t i = p->sinks.n; i > 0; i--) {
        const struct rw_sink *sink = p->sinks.v[i - 1];

        if (!is_retired(p, sink) || sink->rate_limit == 0) {
            continue;
        }
        if (!plan_rw_rate(p, sink->name, true, wait, wait_for, fault)) {
            return false;
        }
        wait = WAIT_NONE;
        *out_last = sink->name;
    }
    return true;
}

static bool make_successor(struct planner *p, enum plan_wait wait, struct fault *fault)
{
    const struct rw_sink *fills = filling(p);
    const char *wait_for = NULL, *paused = NULL;

    if (fills != NULL) { /* the plan after that waits for the rest */
        wait = WAIT_BACKFILL;
        wait_for = fills->name;
    }
    if (!pause_retired(p, wait, wait_for, &paused, fault)) {
        return false;
    }
    return paused == NULL ? plan_rw_sink(p, wait, wait_for, fault)
                          : plan_rw_sink(p, WAIT_PAUSED, paused, fault);
}

static bool delete_ghosts(struct planner *p, struct fault *fault)
{
    bool first = true;

    for (size_t i = p->sinks.n; i > 0; i--) {
        if (!is_retired(p, p->sinks.v[i - 1])) {
            continue;
        }
        if (!plan_sr_ghosts(p, p->sinks.v[i - 1], first, fault)) {
            return false;
        }
        first = false;
    }
    return true;
}

static bool drop_retired(struct planner *p, struct fault *fault)
{
    for (size_t i = p->sinks.n; i > 0; i--) {
        const struct rw_sink *sink = p->sinks.v[i - 1];

        if (is_retired(p, sink) &&
            !plan_rw_drop(p, PLAN_DROP_SINK, sink->name, WAIT_NONE, NULL, fault)) {
            return false;
        }
    }
    return true;
}

bool plan_rotate(struct planner *p, enum plan_wait wait, struct fault *fault)
{
    const char *successor = arena_copy(p->arena, ident_name(p->sink_ident));
    bool paused = plan_is_settled(p);

    if (!drop_given_up(p, fault) ||
        (p->sink == NULL && !make_successor(p, wait, fault))) {
        return false;
    }
    return (paused ||
            plan_rw_rate(p, successor, true, WAIT_BACKFILL, successor, fault)) &&
           delete_ghosts(p, fault) && drop_retired(p, fault) &&
           plan_rw_rate(p, successor, false, WAIT_NONE, NULL, fault);
}

/*
 * Doing: the statements of the plan, in order, up to the first that has to wait for
 * something. Then the attempt ends; what it did is observed anew by the next one, which
 * plans what is left. So nothing is held while a backfill or a schema change runs, least
 * of all the turn to run DDL, and it does not matter which process goes on.
 */
#include "loop/circles.h"
#include "loop/memo.h"
#include "loop/steps.h"
#include "loop/waits.h"
#include "loop/watch.h"

#define POLL_MS 2000 /* unless the loop was told otherwise */

const char *steps_words(struct attempt *a, const char *waiting)
{
    const struct plan_step *first = &a->plan.steps.v[0];
    const char *why = a->plan.purpose == PURPOSE_ROTATE ? ROTATION_WORDS "; " : "";

    return arena_printf(a->arena, "%s%zu statement%s to run, first: %s %s%s%s", why,
                        a->plan.steps.n, a->plan.steps.n == 1 ? "" : "s", first->sentence,
                        first->object, waiting == NULL ? "" : ", waiting for ",
                        waiting == NULL ? "" : waiting);
}

/*
 * What this table may lose on the way is said before it can happen: once, when its CDC
 * table is about to be made. And what else the user should know of this plan.
 */
static void tell_notes(struct attempt *a)
{
    for (VEC_EACH(struct plan_step, s, &a->plan.steps)) {
        for (size_t i = 0; s->kind == PLAN_CREATE_TABLE && i < a->desired.notes.n; i++) {
            attempt_audit_log(a, "info", "%s", a->desired.notes.v[i]);
            attempt_event(a, true, "ValuesMayBeLost", "Reconcile", a->desired.notes.v[i]);
        }
    }
    for (size_t i = 0; i < a->plan.notes.n; i++) {
        const char *note = a->plan.notes.v[i];

        if (memo_is_news(a->loop->memo, a->key, MEMO_NOTES, note)) {
            attempt_audit_log(a, "info", "%s", note);
            attempt_event(a, true, "PlanNote", "Reconcile", note);
        }
    }
}

static enum step_result wait_more(struct attempt *a, const char *waiting)
{
    int64_t poll_ms = a->loop->options.poll_ms;

    a->status.plan_hash = a->plan.hash;
    a->working = steps_words(a, waiting);
    if (a->plan.steps.v[0].wait == WAIT_TARGET_ALTER) {
        attempt_condition(a, CONDITION_TARGET_TABLE_READY, "AlterInProgress",
                          "waiting for %s", waiting);
    }
    a->requeue_ms = poll_ms > 0 ? poll_ms : POLL_MS;
    return STEP_REQUEUE;
}

/* Nothing is left to do. */
static enum step_result settle(struct attempt *a)
{
    memo_accept(a->loop->memo, a->key, NULL);
    memo_not_paused(a->loop->memo, a->key);
    memo_forget_news(a->loop->memo, a->key, MEMO_NOTES);
    if (a->plan.postponed) { /* nothing is left for now, and not all is applied */
        a->status.plan_hash = a->plan.hash;
        return STEP_CONTINUE;
    }
    a->status.plan_hash = a->status.applied_hash =
        arena_printf(a->arena, "sha256:%s", a->desired.hash);
    return STEP_CONTINUE;
}

/* Whether the plan's first statement may run now; else what the step comes to. */
static bool may_run(struct attempt *a, enum step_result *out_result, struct fault *fault)
{
    const char *waiting = NULL;

    if (a->held) {
        *out_result = STEP_CONTINUE;
    } else if (a->plan.steps.n == 0) {
        *out_result = settle(a);
    } else if (!waits_check(a, &a->plan.steps.v[0], &waiting, fault)) {
        *out_result = STEP_FAULT;
    } else if (waiting != NULL) {
        *out_result = wait_more(a, waiting);
    } else {
        return true;
    }
    return false;
}

/*
 * With the DDL turn held: look again, plan again, run what is left to run. Whoever held
 * the turn before made older observations stale when it gave it back.
 */
static enum step_result apply_fresh(struct attempt *a, struct fault *fault)
{
    enum step_result result = STEP_FAULT;

    if (!observe_targets(a, CATALOG_AGE_BUSY_MS, fault)) {
        return STEP_FAULT;
    }
    position_look_again(a);
    if (!attempt_plan(a, fault)) {
        return STEP_FAULT;
    }
    result = step_gate(a, fault);
    if (result != STEP_CONTINUE) {
        return result;
    }
    if (!may_run(a, &result, fault)) {
        return result;
    }
    if (!circles_check(a, fault)) {
        return STEP_FAULT;
    }
    a->status.plan_hash = a->plan.hash;
    watch_unloaded(a);
    if (!report_intent(a, steps_words(a, NULL), fault)) {
        return STEP_FAULT;
    }
    tell_notes(a);
    a->requeue_ms = 1; /* observe what really exists then */
    if (attempt_apply(a, &a->plan, fault)) {
        return STEP_REQUEUE;
    }
    /* What failed tells more than that the first statement is to be done again: a
     * database that was made and may not be seen yet, for one. */
    memo_accept(a->loop->memo, a->key, NULL);
    return STEP_FAULT;
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

/* Who has the turn does not lose it to a catalog that others read. */
static void commit(struct attempt *a, bool on)
{
    for (int role = BIND_SOURCE; role < BIND_COUNT; role++) {
        session_commit(&a->bindings[role].session, on);
    }
}

enum step_result step_apply(struct attempt *a, struct fault *fault)
{
    struct lane *lane = a->bindings[BIND_RISINGWAVE].lane;
    enum step_result result = STEP_FAULT;
    int64_t sent = a->steps;

    if (!may_run(a, &result, fault)) {
        return result;
    }
    if (!lane_begin_ddl(lane, a->key, &a->cancel, fault)) {
        return STEP_FAULT;
    }
    commit(a, true);
    result = apply_fresh(a, fault);
    commit(a, false);
    if (a->steps > sent) {
        lane_forget(lane);
        lane_forget(a->bindings[BIND_TARGET].lane);
    }
    lane_end_ddl(lane);
    if (result == STEP_FAULT && learn_backends(a, fault)) {
        fault_clear(fault);
        a->requeue_ms = 1;
        result = STEP_REQUEUE;
    }
    return result;
}

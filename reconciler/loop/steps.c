/*
 * The reconcile, as a list. Each row runs top to bottom, every time, from nothing but the
 * resource's key; a row may always run twice. Whatever ends the list, the report is
 * written.
 *
 * Deletion happens inside `finalize`: a resource being deleted never reaches the rows
 * below.
 */
#include "loop/steps.h"

#include "loop/retry.h"

#define REPORT_AGAIN_MS 1000
#define REPORT_AGAIN_MAX_MS 60000

/* clang-format off */
static const struct step STEPS[] = {
    {"load",            step_load,            CONDITION_NONE,
     "read the resource from the store; gone means done"},
    {"finalize",        step_finalize,        CONDITION_NONE,
     "being deleted: clean up and let go; take the retry annotation"},
    {"validate",        step_validate,        CONDITION_STALLED,
     "decode the spec; make way for an older resource with the same target"},
    {"connections",     step_connections,     CONDITION_CONNECTIONS_READY,
     "find the three connections and their Secrets"},
    {"hold",            step_hold,            CONDITION_NONE,
     "hold a finalizer: nothing was created before, anything may be from here on"},
    {"login",           step_login,           CONDITION_CONNECTIONS_READY,
     "log in to each of the three"},
    {"preflight",       step_preflight,       CONDITION_CONNECTIONS_READY,
     "before anything is made: list all that the three servers lack, at once"},
    {"observe-source",  step_observe_source,  CONDITION_SOURCE_SCHEMA_RESOLVED,
     "read MySQL's settings, grants and the table"},
    {"resolve",         step_resolve,         CONDITION_SOURCE_SCHEMA_RESOLVED,
     "compute names, types and definitions of everything that should exist"},
    {"inspect",         step_inspect,         CONDITION_DATA_LOSS,
     "ask MySQL for rows whose values the pipeline would change"},
    {"observe-targets", step_observe_targets, CONDITION_CONNECTIONS_READY,
     "read RisingWave's and StarRocks' catalogs, in bulk"},
    {"position",        step_position,        CONDITION_SOURCE_READY,
     "does MySQL still have what RisingWave has yet to read?"},
    {"identity",        step_identity,        CONDITION_SCHEMA_IN_SYNC,
     "is MySQL's table still the one whose rows were loaded?"},
    {"resync",          step_resync,          CONDITION_READY,
     "take a new re-sync token: into status before anything is done"},
    {"plan",            step_plan,            CONDITION_TARGET_TABLE_READY,
     "compare what should exist with what does: ordered statements"},
    {"gate",            step_gate,            CONDITION_PLAN_APPROVED,
     "let through what loses nothing, what the spec asks for, and what was approved"},
    {"apply",           step_apply,           CONDITION_SINK_READY,
     "up to the next wait: audit the intent, run one statement, audit the result"},
    {"verify",          step_verify,          CONDITION_SINK_READY,
     "read snapshot progress, backfill and backlog: do rows really flow?"},
    {"count",           step_count,           CONDITION_VERIFIED,
     "when asked or due, and rows flow: do both sides hold as many rows?"},
};
/* clang-format on */

const struct step *steps_list(size_t *out_count)
{
    *out_count = COUNT_OF(STEPS);
    return STEPS;
}

/* Nobody was told why the attempt failed: that must not wait as long as the next try. */
static void report_again(struct attempt *a, const struct fault *unreported)
{
    unsigned failures = a->status.retries > 0 ? (unsigned)a->status.retries - 1 : 0;
    int64_t soon_ms = unreported->class == FAULT_CONFLICT
                          ? RETRY_SOON_MS
                          : backoff_ms(REPORT_AGAIN_MS, REPORT_AGAIN_MAX_MS, failures);

    if (unreported->class == FAULT_CANCELLED) {
        return;
    }
    a->requeue_ms = a->requeue_ms > soon_ms ? soon_ms : a->requeue_ms;
    if (unreported->class != FAULT_CONFLICT) {
        lg_error(a->loop->ports.lg, "status not written", LG_STR("key", a->key),
                 LG_STR("reconcileID", a->run_id), LG_STR("reason", unreported->reason),
                 LG_STR("error", unreported->text));
    }
}

bool steps_run(struct attempt *a, struct fault *fault)
{
    struct fault unreported = FAULT_INIT;
    bool failed = false;

    for (size_t i = 0; i < COUNT_OF(STEPS); i++) {
        enum step_result result = STEP_FAULT;

        a->step = &STEPS[i];
        if (cancel_check(&a->cancel, STEPS[i].name, fault)) {
            result = STEPS[i].run(a, fault);
        }
        if (result == STEP_DONE) {
            return true;
        }
        if (result == STEP_FAULT) {
            failed = true;
            break;
        }
        if (result == STEP_REQUEUE) {
            break;
        }
    }
    if (a->object == NULL) {
        return !failed;
    }
    if (!report(a, failed ? fault : NULL, &unreported)) {
        if (!failed) {
            *fault = unreported;
            return false;
        }
        report_again(a, &unreported);
    }
    return !failed;
}

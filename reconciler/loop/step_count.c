/*
 * Do both sides hold the same rows? When somebody asks, when the schedule says so and
 * once the rows were loaded, the rows of the MySQL and of the StarRocks table are
 * counted. Numbers that differ are looked at again after a while, in an attempt of its
 * own: nothing here waits. Whatever comes of it, Ready says nothing else: a stream flows
 * or does not, whether or not somebody can count.
 *
 * A request is in status before its annotation is removed, and stays there until it is
 * answered: a restart asks again.
 */
#include "loop/counting.h"
#include "loop/publish.h"
#include "loop/steps.h"
#include "loop/tallies.h"

#include "base/siphash.h"
#include "model/cron.h"

/* Another look in a moment: what is in the way goes by itself. */
#define SOON_MS 1000
/* Who waits for a turn is called; this is for calls that nobody heard. */
#define TURN_MS 30000
/* A schedule's minute is spread over a minute, by resource. */
#define SPREAD_MS UINT64_C(60000)

static void look_again(struct attempt *a, int64_t in_ms)
{
    in_ms = in_ms < 1 ? 1 : in_ms;
    a->look_ms = a->look_ms == 0 || in_ms < a->look_ms ? in_ms : a->look_ms;
}

/* --- whether it is time to --- */

static int64_t now_ms(const struct attempt *a)
{
    return clock_wall_ms(a->loop->ports.clock);
}

static bool is_asked(const struct attempt *a)
{
    return a->sync.annotation_verify != NULL || a->status.verification.request != NULL;
}

/* Rows flow, and nothing is being changed that the numbers would depend on. */
static bool is_calm(const struct attempt *a)
{
    return a->status.phase == PHASE_STREAMING && a->requeue_ms == 0 && a->steps == 0 &&
           a->plan.steps.n == 0 && !a->plan.postponed && !a->held && !a->unapproved;
}

static bool is_loading(const struct attempt *a)
{
    return sv_eq(sv_from(a->status.resync.state), SV("InProgress"));
}

/* What this attempt's report still has to tell. */
static bool is_settled(const struct attempt *a)
{
    return a->sync.generation == a->before.observed_generation && !is_loading(a);
}

/* What was counted were other rows. */
static void forget_result(struct attempt *a)
{
    a->status.verification.at = a->status.verification.mode = NULL;
    a->status.verification.result = a->status.verification.message = NULL;
    a->status.verification.source_rows = a->status.verification.target_rows = -1;
}

/* Moments since 1970 of status, which others might have written; -1: none. */
static int64_t moment_ms(const char *text)
{
    return text == NULL ? -1 : clock_parse_rfc3339(text);
}

static void set_next(struct attempt *a)
{
    static const uint64_t seed[2] = {0, 0};
    int64_t last_ms = moment_ms(a->status.verification.at), next_ms = -1;
    struct fault ignored = FAULT_INIT;
    struct cron cron;
    char text[CLOCK_RFC3339_SIZE];

    a->status.verification.next_at = NULL;
    if (a->sync.verify_mode != VERIFY_COUNT || a->sync.verify_schedule[0] == '\0' ||
        last_ms < 0 || !cron_parse(sv_from(a->sync.verify_schedule), &cron, &ignored)) {
        return;
    }
    next_ms = cron_next_ms(&cron, last_ms) +
              (int64_t)(siphash(seed, sv_from(a->sync.uid)) % SPREAD_MS);
    a->status.verification.next_at =
        arena_strdup(a->arena, clock_format_rfc3339(next_ms, text));
}

/* The rows were loaded since they were counted last. */
static bool is_loaded_anew(const struct attempt *a)
{
    int64_t last_ms = moment_ms(a->status.verification.at);

    return last_ms < 0 || last_ms < moment_ms(a->status.snapshot.finished_at);
}

static bool is_due(struct attempt *a)
{
    int64_t next_ms = moment_ms(a->status.verification.next_at);

    if (a->status.verification.request != NULL) {
        return true;
    }
    if (a->sync.verify_mode != VERIFY_COUNT) {
        return false;
    }
    if (next_ms >= 0 && next_ms > now_ms(a)) {
        look_again(a, next_ms - now_ms(a));
    }
    return is_loaded_anew(a) || (next_ms >= 0 && next_ms <= now_ms(a));
}

/* One that came while another is being answered waits in its annotation. */
static bool take_request(struct attempt *a, struct fault *fault)
{
    enum kube_outcome outcome = KUBE_OK;
    struct json *answered = NULL;

    if (a->sync.annotation_verify == NULL || a->status.verification.request != NULL) {
        return true;
    }
    a->status.verification.request = a->sync.annotation_verify;
    if (!report_write(a, fault)) {
        return false;
    }
    if (!kube_remove_annotation(&a->loop->api, &loop_resource_sync, attempt_object(a),
                                TSYNC_ANNOTATION_VERIFY, &a->cancel, &outcome, &answered,
                                fault)) {
        return fault_wrap(fault, "remove the verify annotation");
    }
    metrics_add(a->loop->metrics, METRIC_API_WRITES, 1);
    if (outcome != KUBE_OK) {
        json_free(answered);
        return publish_conflict(
            a->loop, &loop_resource_sync, attempt_object(a), &a->cancel,
            "the resource changed while its verify annotation was taken", fault);
    }
    attempt_refresh(a, answered);
    return true;
}

/* --- what came of it --- */

static const char *const RESULTS[TALLY_VERDICT_MAX] = {[TALLY_MATCH] = "Match",
                                                       [TALLY_WITHIN] = "WithinTolerance",
                                                       [TALLY_MISMATCH] = "Mismatch",
                                                       [TALLY_INCONCLUSIVE] =
                                                           "Inconclusive"};

static void finish(struct attempt *a, const struct counted *seen,
                   enum tally_verdict verdict, const char *message)
{
    char text[CLOCK_RFC3339_SIZE];

    tallies_forget(a->loop->tallies, a->key);
    a->verdict = verdict;
    a->status.verification.at =
        arena_strdup(a->arena, clock_format_rfc3339(now_ms(a), text));
    a->status.verification.mode = verify_mode_name(VERIFY_COUNT);
    a->status.verification.source_rows = seen->source;
    a->status.verification.target_rows = seen->target;
    a->status.verification.result = RESULTS[verdict];
    a->status.verification.message = message;
    if (a->status.verification.request != NULL) {
        a->status.verification.handled_request = a->status.verification.request;
        a->status.verification.request = NULL;
    }
    attempt_audit_log(
        a, verdict == TALLY_MATCH || verdict == TALLY_WITHIN ? "info" : "error", "%s: %s",
        RESULTS[verdict], message);
    set_next(a);
    (void)is_due(a); /* when the schedule has the next one */
    if (a->sync.annotation_verify != NULL) {
        look_again(a, SOON_MS);
    }
}

/* What waits for its delivery was written since the look before, and nothing holds the
 * reader of MySQL up. */
static bool have_arrived(const struct attempt *a)
{
    const struct kube_condition *source =
        kube_conditions_find(&a->conditions, condition_type(CONDITION_SOURCE_READY));
    bool young = a->measured.lag_s >= 0 && a->measured.lag_s < a->sync.verify_settle_s;

    return a->measured.known && (a->measured.undelivered == 0 || young) &&
           (source == NULL || strcmp(source->reason, "CatchingUp") != 0);
}

static void judge(struct attempt *a, struct tally *t, const struct counted *seen)
{
    int64_t settle_ms = a->sync.verify_settle_s * 1000;
    enum tally_verdict verdict = TALLY_INCONCLUSIVE;

    if (seen->problem != NULL) {
        finish(a, seen, verdict, seen->problem);
        return;
    }
    verdict = tally_look(t, seen->source, seen->target, have_arrived(a),
                         a->sync.verify_tolerance);
    if (verdict != TALLY_AGAIN) {
        finish(a, seen, verdict, counting_words(a, t, verdict));
        return;
    }
    tallies_put(a->loop->tallies, a->key, t,
                clock_monotonic_ms(a->loop->ports.clock) + settle_ms);
    attempt_audit_log(a, "info",
                      "%s; rows may be on their way, and are counted again in "
                      "%lld s (look %lld of at most %d)",
                      counting_apart(a, t), (long long)a->sync.verify_settle_s,
                      (long long)t->looks, TALLY_LOOKS_MAX);
    look_again(a, settle_ms);
}

void count_tell(struct attempt *a)
{
    static const enum metric ROWS[TALLY_VERDICT_MAX] = {
        [TALLY_MATCH] = METRIC_VERIFIED_MATCH,
        [TALLY_WITHIN] = METRIC_VERIFIED_WITHIN,
        [TALLY_MISMATCH] = METRIC_VERIFIED_MISMATCH,
        [TALLY_INCONCLUSIVE] = METRIC_VERIFIED_INCONCLUSIVE};
    enum tally_verdict verdict = a->verdict;
    bool passed = verdict == TALLY_MATCH || verdict == TALLY_WITHIN;

    if (verdict == 0) {
        return;
    }
    a->verdict = 0;
    metrics_add(a->loop->metrics, ROWS[verdict], 1);
    attempt_event(a, !passed,
                  passed                      ? "VerificationPassed"
                  : verdict == TALLY_MISMATCH ? "VerificationMismatch"
                                              : "VerificationInconclusive",
                  "Verify", a->status.verification.message);
}

/* As status remembers it; what is not known is said once somebody wants to know. */
static void show(struct attempt *a)
{
    const char *result = a->status.verification.result;

    if (result != NULL && reason_find(CONDITION_VERIFIED, result) != NULL) {
        attempt_condition(
            a, CONDITION_VERIFIED, result, "%s",
            a->status.verification.message == NULL ? "" : a->status.verification.message);
    } else if (a->sync.verify_mode == VERIFY_COUNT || is_asked(a)) {
        attempt_condition(
            a, CONDITION_VERIFIED, "NotRun",
            "the rows of both tables are counted as soon as changes flow and "
            "nothing is being changed");
    } else {
        kube_conditions_remove(&a->conditions, condition_type(CONDITION_VERIFIED));
    }
}

static bool run(struct attempt *a, struct fault *fault)
{
    struct tallies *tallies = a->loop->tallies;
    struct counted seen = {0};
    struct tally t = {0};
    int64_t due_ms = 0, now = clock_monotonic_ms(a->loop->ports.clock);

    if (tallies_get(tallies, a->key, &t, &due_ms) && due_ms > now) {
        look_again(a, due_ms - now);
        return true;
    }
    if (!tallies_enter(tallies, a->key, a->bindings[BIND_SOURCE].lane,
                       a->bindings[BIND_TARGET].lane)) {
        look_again(a, TURN_MS);
        return true;
    }
    if (!counting_look(a, &seen, fault)) {
        return false;
    }
    judge(a, &t, &seen);
    return true;
}

enum step_result step_count(struct attempt *a, struct fault *fault)
{
    if (is_loading(a)) {
        forget_result(a);
    }
    set_next(a);
    if (!is_calm(a)) {
        tallies_forget(a->loop->tallies, a->key);
    } else if (!is_settled(a)) {
        if (is_asked(a) || a->sync.verify_mode == VERIFY_COUNT) {
            look_again(a, SOON_MS);
        }
    } else if (!take_request(a, fault) || (is_due(a) && !run(a, fault))) {
        return STEP_FAULT;
    }
    show(a);
    return STEP_CONTINUE;
}

/* One attempt from the key to the queue: the frame around the steps. */
#include "loop/conn.h"
#include "loop/gauges_attempt.h"
#include "loop/preview.h"
#include "loop/quarantine.h"
#include "loop/retry.h"
#include "loop/seen.h"
#include "loop/steps.h"

/* So many attempts in QUEUE_TURNS_MS at which nothing comes out are one too many. */
#define HOT_TURNS 10
#define HOT_FIRST_MS 1000
#define HOT_LONGEST_MS 60000

/* No lane forgets a parked key for longer. */
#define PARKED_MS 30000

static void attempt_init(struct attempt *a, struct loop *loop, const char *key)
{
    char now[CLOCK_RFC3339_SIZE];
    struct rng rng;

    memset(a, 0, sizeof(*a));
    a->loop = loop;
    a->arena = arena_new(ARENA_CEILING_BYTES);
    a->key = key;
    a->started_ms = clock_monotonic_ms(loop->ports.clock);
    a->now = arena_strdup(a->arena,
                          clock_format_rfc3339(clock_wall_ms(loop->ports.clock), now));
    rng_init(&rng, loop->ports.seed ^ (uint64_t)clock_wall_ms(loop->ports.clock) ^
                       (uint64_t)(uintptr_t)a);
    a->run_id = arena_printf(a->arena, "%08x", (unsigned)(rng_next(&rng) & 0xffffffffU));
    cancel_init_child(&a->cancel, loop->stop, loop->options.attempt_ms);
}

static void attempt_deinit(struct attempt *a, const struct fault *fault)
{
    for (int role = BIND_SOURCE; role < BIND_COUNT; role++) {
        binding_close(a, (enum binding_role)role, fault);
    }
    observation_put(a->mysql);
    observation_put(a->rw);
    observation_put(a->sr);
    json_free(a->fresh);
    kube_object_put(a->object);
    cancel_deinit(&a->cancel);
    arena_free(a->arena);
}

static int64_t calm_look_ms(const struct attempt *a)
{
    int64_t calm_ms = a->sync.drift_interval_ms > 0 ? a->sync.drift_interval_ms
                                                    : a->loop->options.resync_ms;
    struct rng rng;

    calm_ms =
        a->calm_look_ms > 0 && a->calm_look_ms < calm_ms ? a->calm_look_ms : calm_ms;
    rng_init(&rng, a->loop->ports.seed ^ (uint64_t)a->started_ms);
    calm_ms = rng_jitter(&rng, calm_ms, 10);
    return a->look_ms > 0 && a->look_ms < calm_ms ? a->look_ms : calm_ms;
}

/* *out_calm: nothing is going on, and nobody waits for it. */
static int64_t next_look_ms(const struct attempt *a, bool *out_calm)
{
    if (a->requeue_ms > 0) {
        return a->requeue_ms;
    }
    if (a->paused_reconcile) {
        return 0;
    }
    /* Only somebody else's doing changes anything here, and most of that wakes it. */
    if (a->status.phase == PHASE_STREAMING || a->status.phase == PHASE_PAUSED ||
        a->held || a->unapproved) {
        *out_calm = true;
        return calm_look_ms(a);
    }
    return a->loop->options.poll_ms;
}

/* Something came of it, or it is asked again and again for a reason. */
static bool got_on(const struct attempt *a, bool done)
{
    return a->steps > 0 || a->status.phase != a->before.phase ||
           (done && (a->working != NULL || a->status.phase == PHASE_PROVISIONING ||
                     a->status.phase == PHASE_SNAPSHOTTING));
}

/*
 * Whatever wakes a key again and again, without anything coming of it, is slowed down: a
 * resource that two parties write to and fro, or a mistake of ours.
 */
static void guard(struct attempt *a, bool done, const struct fault *fault)
{
    /* What is retried at once; a backoff is as short as the user wants it. */
    bool soon = done ? a->requeue_ms > 0 && a->requeue_ms <= RETRY_SOON_MS
                     : fault->class == FAULT_CONFLICT;
    struct loop *loop = a->loop;
    unsigned turns = 0;

    queue_identify(loop->queue, a->key, retry_identity(a));
    turns = queue_turn(loop->queue, a->key, soon, got_on(a, done));
    if (turns <= HOT_TURNS) {
        return;
    }
    queue_hold(loop->queue, a->key,
               backoff_ms(HOT_FIRST_MS, HOT_LONGEST_MS, turns - HOT_TURNS - 1));
    if (turns == HOT_TURNS + 1) {
        metrics_add(loop->metrics, METRIC_HOT_LOOPS, 1);
        lg_error(loop->ports.lg, "hot loop: slowed down", LG_KEY(a->key),
                 LG_STR("reconcileID", a->run_id), LG_INT("attempts", turns));
    }
}

static void log_fault(const struct attempt *a, const struct fault *fault)
{
    struct lg *lg = a->loop->ports.lg;

    if (fault->class == FAULT_CONFLICT || retry_is_told(a, fault)) {
        lg_debug(lg, fault->class == FAULT_CONFLICT ? "conflict" : "nothing new",
                 LG_KEY(a->key), LG_STR("reconcileID", a->run_id),
                 LG_STR("error", fault->text));
        return;
    }
    lg_error(lg, "reconcile failed", LG_KEY(a->key), LG_STR("reconcileID", a->run_id),
             LG_GROUP("step", a->step != NULL ? a->step->name : ""),
             LG_STR("class", fault_class_name(fault->class)),
             LG_GROUP("reason", fault->reason), LG_STR("error", fault->text));
}

static void settle(struct attempt *a, bool done, const struct fault *fault)
{
    struct loop *loop = a->loop;
    enum queue_priority priority = queue_taken_as(loop->queue, a->key);
    int64_t delay_ms = 0;
    bool calm = false;

    if (a->object == NULL || (done && a->sync.deleting)) {
        queue_forget(loop->queue, a->key);
        gauges_attempt(a, done ? NULL : fault, 0);
        return;
    }
    if (!done && fault->class == FAULT_CANCELLED) {
        return;
    }
    if (a->steps > 0) {
        loop_enqueue_connections(loop, &a->sync);
    }
    if (!done && lane_is_parked(fault)) { /* its lane calls it */
        metrics_add(loop->metrics, METRIC_PARKINGS, 1);
        lg_debug(loop->ports.lg, "parked", LG_KEY(a->key),
                 LG_STR("reconcileID", a->run_id), LG_STR("why", fault->text));
        if (priority == QUEUE_URGENT) { /* whoever calls it */
            queue_add_after(loop->queue, a->key, PARKED_MS, QUEUE_URGENT);
        }
        return;
    }
    if (!done) {
        log_fault(a, fault);
        calm = fault->class != FAULT_CONFLICT;
    }
    guard(a, done, fault);
    delay_ms = next_look_ms(a, &calm);
    gauges_attempt(a, done ? NULL : fault, delay_ms);
    if (delay_ms > 0) {
        /* What goes on by steps keeps the hurry with which it began. */
        priority = calm ? QUEUE_LOW : priority == QUEUE_LOW ? QUEUE_NORMAL : priority;
        queue_add_after(loop->queue, a->key, delay_ms, priority);
    }
}

static void reconcile_sync(struct loop *loop, const char *key)
{
    struct attempt a;
    struct fault fault = FAULT_INIT;
    bool done = false;

    attempt_init(&a, loop, key);
    done = steps_run(&a, &fault);
    if (!done && a.requeue_ms == 0 && !lane_is_parked(&fault)) {
        /* The report itself failed: its fault decides, with the shortest backoff. */
        a.requeue_ms = backoff_ms(1000, 60000, queue_fail(loop->queue, key));
    }
    settle(&a, done, &fault);
    attempt_deinit(&a, done ? NULL : &fault);
}

void loop_reconcile(struct loop *loop, const char *key)
{
    struct crash_subject before = quarantine_enter(loop, key);

    if (sv_starts(sv_from(key), SV(LOOP_KEY_SYNC))) {
        reconcile_sync(loop, key);
    } else if (sv_starts(sv_from(key), SV(LOOP_KEY_CONN))) {
        conn_reconcile(loop, key);
    }
    crash_leave(before);
}

static enum step_result (*const READING[])(struct attempt *, struct fault *) = {
    step_load,     step_validate,  step_connections,
    step_login,    step_preflight, step_observe_source,
    step_resolve,  step_inspect,   step_observe_targets,
    step_identity, step_resync,    step_plan};

/* Runs the reading steps from *at on, which is then the one that ended them, or behind
 * the last. */
static enum step_result read_on(struct attempt *a, size_t *at, size_t end,
                                struct fault *fault)
{
    enum step_result result = STEP_CONTINUE;

    for (; *at < end; (*at)++) {
        result = READING[*at](a, fault);
        /* Left alone by the controller, or looked at again later: a plan shows what would
         * be done as things are now. */
        result = result == STEP_REQUEUE ? STEP_CONTINUE : result;
        if (result != STEP_CONTINUE) {
            break;
        }
    }
    if (result == STEP_DONE) {
        (void)fault_set(fault, FAULT_SPEC, NULL, "there is no resource '%s'", a->key);
    }
    return result;
}

bool loop_preview(struct loop *loop, const char *key,
                  void (*visit)(void *context, struct attempt *a), void *context,
                  struct fault *fault)
{
    struct attempt a;
    enum step_result result = STEP_CONTINUE;
    size_t at = 0;

    attempt_init(&a, loop, key);
    a.preview = true;
    result = read_on(&a, &at, COUNT_OF(READING), fault);
    if (result == STEP_CONTINUE) {
        visit(context, &a);
    }
    attempt_deinit(&a, result == STEP_FAULT ? fault : NULL);
    return result == STEP_CONTINUE;
}

bool loop_check(struct loop *loop, const char *key,
                void (*visit)(void *context, struct attempt *a,
                              const struct fault *stopped),
                void *context, struct fault *fault)
{
    const size_t logged_in = 3; /* load, validate, connections */
    struct attempt a;
    struct fault stopped = FAULT_INIT;
    enum step_result result = STEP_CONTINUE;
    size_t at = 0;

    attempt_init(&a, loop, key);
    a.preview = a.checks_only = true;
    /* A resource that exists and is calm is looked at all the same. */
    result = read_on(&a, &at, 1, fault);
    a.trigger = "Manual";
    if (result == STEP_CONTINUE) {
        result = read_on(&a, &at, logged_in, fault);
    }
    if (result == STEP_CONTINUE) {
        result = read_on(&a, &at, COUNT_OF(READING), &stopped);
        visit(context, &a, result == STEP_CONTINUE ? NULL : &stopped);
        attempt_deinit(&a, result == STEP_FAULT ? &stopped : NULL);
        return true;
    }
    attempt_deinit(&a, result == STEP_FAULT ? fault : NULL);
    return false;
}

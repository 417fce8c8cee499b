/* One attempt from the key to the queue: the frame around the steps. */
#include "loop/conn.h"
#include "loop/preview.h"
#include "loop/seen.h"
#include "loop/steps.h"

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

static int64_t next_look_ms(const struct attempt *a)
{
    const struct loop_options *options = &a->loop->options;
    int64_t calm_ms =
        a->sync.drift_interval_ms > 0 ? a->sync.drift_interval_ms : options->resync_ms;
    struct rng rng;

    if (a->requeue_ms > 0) {
        return a->requeue_ms;
    }
    if (a->paused_reconcile) {
        return 0;
    }
    /* Only somebody else's doing changes anything here, and most of that wakes it. */
    if (a->status.phase == PHASE_STREAMING || a->status.phase == PHASE_PAUSED ||
        a->held || a->unapproved) {
        calm_ms =
            a->calm_look_ms > 0 && a->calm_look_ms < calm_ms ? a->calm_look_ms : calm_ms;
        rng_init(&rng, a->loop->ports.seed ^ (uint64_t)a->started_ms);
        return rng_jitter(&rng, calm_ms, 10);
    }
    return options->poll_ms;
}

static void settle(struct attempt *a, bool done, const struct fault *fault)
{
    struct loop *loop = a->loop;
    int64_t delay_ms = 0;

    if (a->object == NULL || (done && a->sync.deleting)) {
        queue_forget(loop->queue, a->key);
        metrics_add(loop->metrics, METRIC_RECONCILE_SUCCESS, 1);
        return;
    }
    if (!done && fault->class == FAULT_CANCELLED) {
        return;
    }
    if (!done) {
        metrics_add(loop->metrics, METRIC_RECONCILE_ERROR, 1);
        metrics_add(loop->metrics, METRIC_RECONCILE_ERRORS, 1);
        if (fault->class == FAULT_CONFLICT) {
            lg_debug(loop->ports.lg, "conflict", LG_STR("key", a->key),
                     LG_STR("error", fault->text));
        } else {
            lg_error(loop->ports.lg, "reconcile failed", LG_STR("key", a->key),
                     LG_STR("reconcileID", a->run_id),
                     LG_STR("step", a->step != NULL ? a->step->name : ""),
                     LG_STR("class", fault_class_name(fault->class)),
                     LG_STR("reason", fault->reason), LG_STR("error", fault->text));
        }
    } else {
        metrics_add(loop->metrics, METRIC_RECONCILE_REQUEUE, 1);
    }
    if (a->steps > 0) {
        loop_enqueue_connections(loop, &a->sync);
    }
    delay_ms = next_look_ms(a);
    if (delay_ms > 0) {
        queue_add_after(loop->queue, a->key, delay_ms);
    }
}

static void reconcile_sync(struct loop *loop, const char *key)
{
    struct attempt a;
    struct fault fault = FAULT_INIT;
    bool done = false;

    attempt_init(&a, loop, key);
    done = steps_run(&a, &fault);
    if (!done && a.requeue_ms == 0) {
        /* The report itself failed: its fault decides, with the shortest backoff. */
        a.requeue_ms = backoff_ms(1000, 60000, queue_fail(loop->queue, key));
    }
    settle(&a, done, &fault);
    metrics_reconcile_time(loop->metrics,
                           clock_monotonic_ms(loop->ports.clock) - a.started_ms);
    attempt_deinit(&a, done ? NULL : &fault);
}

void loop_reconcile(struct loop *loop, const char *key)
{
    if (sv_starts(sv_from(key), SV(LOOP_KEY_SYNC))) {
        reconcile_sync(loop, key);
    } else if (sv_starts(sv_from(key), SV(LOOP_KEY_CONN))) {
        conn_reconcile(loop, key);
    }
}

static enum step_result (*const READING[])(struct attempt *, struct fault *) = {
    step_load,           step_validate, step_connections, step_preflight,
    step_observe_source, step_resolve,  step_inspect,     step_observe_targets,
    step_identity,       step_resync,   step_plan};

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

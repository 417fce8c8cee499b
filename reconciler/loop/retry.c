#include "loop/retry.h"

#define JITTER_PERCENT 20

/*
 * A stream that stalls goes on in its old shape and is looked at as often as others: what
 * stalls it may have been undone. These looks say nothing that was said already. Where
 * each look sends a statement again, for the server to refuse or give up, they are rare.
 */
static bool watches_stalled(const struct attempt *a, const struct fault *fault,
                            bool stalled)
{
    return stalled && a->before.applied_hash != NULL && !a->sync.deleting &&
           a->steps == 0 && strcmp(fault->reason, "AlterFailed") != 0;
}

bool retry_is_told(const struct attempt *a, const struct fault *fault)
{
    const struct kube_condition *before =
        kube_conditions_find(&a->conditions_before, condition_type(CONDITION_STALLED));

    return before != NULL && watches_stalled(a, fault, true) &&
           a->sync.generation == a->before.observed_generation &&
           strcmp(a->trigger, "Manual") != 0 &&
           strcmp(before->reason, fault->reason) == 0 &&
           strcmp(before->message, fault->text) == 0;
}

static void watch_stalled(struct attempt *a)
{
    struct rng rng;

    rng_init(&rng,
             a->loop->ports.seed ^ (uint64_t)clock_monotonic_ms(a->loop->ports.clock));
    a->requeue_ms = rng_jitter(&rng, a->sync.drift_interval_ms, JITTER_PERCENT);
    a->status.retries = a->before.retries > 0 ? a->before.retries : 1;
    a->status.next_retry_at = NULL;
}

/* When to come back after a fault, and what status says about it. */
static void back_off(struct attempt *a, const struct fault *fault, bool stalled)
{
    unsigned failures = queue_fail(a->loop->queue, a->key);
    int64_t longest_ms = a->sync.backoff_max_ms > 0 ? a->sync.backoff_max_ms : 600000;
    int64_t base_ms = a->sync.backoff_base_ms > 0 ? a->sync.backoff_base_ms : 5000;
    int64_t delay_ms = longest_ms;
    struct rng rng;
    char text[CLOCK_RFC3339_SIZE];

    rng_init(&rng,
             a->loop->ports.seed ^ (uint64_t)clock_monotonic_ms(a->loop->ports.clock));
    switch (fault_class_retry(fault->class)) {
    case FAULT_RETRY_SOON:
        delay_ms = RETRY_SOON_MS;
        break;
    case FAULT_RETRY_BACKOFF:
    case FAULT_RETRY_SLOW:
        delay_ms = stalled ? longest_ms : backoff_ms(base_ms, longest_ms, failures);
        break;
    case FAULT_RETRY_NONE:
        break;
    }
    a->requeue_ms = rng_jitter(&rng, delay_ms, JITTER_PERCENT);
    a->status.retries = (int64_t)failures + 1;
    a->status.next_retry_at = arena_strdup(
        a->arena,
        clock_format_rfc3339(clock_wall_ms(a->loop->ports.clock) + a->requeue_ms, text));
}

void retry_schedule(struct attempt *a, const struct fault *fault, bool stalled)
{
    if (watches_stalled(a, fault, stalled)) {
        watch_stalled(a);
    } else {
        back_off(a, fault, stalled);
    }
}

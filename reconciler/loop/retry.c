#include "loop/retry.h"

#include "base/siphash.h"

#define JITTER_PERCENT 20
#define CALM_MS 600000 /* between looks at a spec that cannot be read */

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
    enum condition told_in = a->event_heals ? CONDITION_READY : CONDITION_STALLED;
    const struct kube_condition *before =
        kube_conditions_find(&a->conditions_before, condition_type(told_in));

    return before != NULL && (a->event_heals || watches_stalled(a, fault, true)) &&
           a->sync.generation == a->before.observed_generation &&
           strcmp(a->trigger, "Manual") != 0 &&
           strcmp(before->reason, fault->reason) == 0 &&
           strcmp(before->message, fault->text) == 0;
}

/* Now and then all the same: what stalls a stream tells nobody when it ends, and an event
 * may have been missed. These looks write nothing. */
static void look_calmly(struct attempt *a)
{
    int64_t calm_ms = a->sync.drift_interval_ms > 0 ? a->sync.drift_interval_ms : CALM_MS;
    struct rng rng;

    rng_init(&rng,
             a->loop->ports.seed ^ (uint64_t)clock_monotonic_ms(a->loop->ports.clock));
    a->requeue_ms = rng_jitter(&rng, calm_ms, JITTER_PERCENT);
    a->status.retries =
        a->before.retries > 0 && a->sync.generation == a->before.observed_generation
            ? a->before.retries
            : 1;
    a->status.next_retry_at = NULL;
}

uint64_t retry_identity(const struct attempt *a)
{
    static const uint64_t seed[2] = {0, 0};
    const char *text =
        arena_printf(a->arena, "%s/%lld", a->sync.uid, (long long)a->sync.generation);

    return siphash(seed, sv_from(text));
}

/* When to come back after a fault, and what status says about it. */
static void back_off(struct attempt *a, const struct fault *fault, bool stalled)
{
    unsigned failures = 0;
    int64_t longest_ms = a->sync.backoff_max_ms > 0 ? a->sync.backoff_max_ms : 600000;
    int64_t base_ms = a->sync.backoff_base_ms > 0 ? a->sync.backoff_base_ms : 5000;
    int64_t delay_ms = longest_ms;
    struct rng rng;
    char text[CLOCK_RFC3339_SIZE];

    queue_identify(a->loop->queue, a->key, retry_identity(a));
    failures = queue_fail(a->loop->queue, a->key);
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
    if (a->event_heals || watches_stalled(a, fault, stalled)) {
        look_calmly(a);
    } else {
        back_off(a, fault, stalled);
    }
}

/* Around the algorithm: flags that cannot work, the thread, and what others ask. */
#include "loop/leader_private.h"

#include "base/heap.h"

#include <poll.h>

#define ARENA_BYTES ((size_t)64 * 1024)
#define NAME_MAX_BYTES 253
#define GRACE_MS INT64_C(20000)

/* --- flags --- */

/* What Kubernetes takes for a name; the metrics' label needs no escapes then. */
static bool is_name(const char *text)
{
    struct sv name = sv_from(text);

    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];

        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
              ((c == '-' || c == '.') && i > 0 && i + 1 < name.n))) {
            return false;
        }
    }
    return name.n > 0 && name.n <= NAME_MAX_BYTES;
}

static bool check_names(const struct leader_options *options, struct fault *fault)
{
    if (!is_name(options->name)) {
        return fault_set(fault, FAULT_SPEC, NULL,
                         "--leader-election-id is '%s'; it must be the name of a Lease: "
                         "lower-case letters, digits, '-' and '.'",
                         options->name == NULL ? "" : options->name);
    }
    if (!is_name(options->namespace)) {
        return fault_set(fault, FAULT_SPEC, NULL,
                         "--leader-election-namespace is '%s'; it must be the name of a "
                         "namespace",
                         options->namespace == NULL ? "" : options->namespace);
    }
    if (sv_from(options->identity).n == 0 ||
        sv_from(options->identity).n >= LEASE_TEXT_MAX) {
        return fault_set(fault, FAULT_SPEC, NULL,
                         "the identity '%.40s' is empty or too long for a Lease; see "
                         "--instance",
                         options->identity == NULL ? "" : options->identity);
    }
    return true;
}

bool leader_check(const struct leader_options *o, struct fault *fault)
{
    if (!check_names(o, fault)) {
        return false;
    }
    if (o->lease_ms <= 0 || o->renew_ms <= 0 || o->retry_ms <= 0) {
        return fault_set(fault, FAULT_SPEC, NULL,
                         "--leader-election-lease-duration, -renew-deadline and "
                         "-retry-period must be longer than 0");
    }
    if (o->lease_ms % 1000 != 0 || o->lease_ms / 1000 > INT32_MAX) {
        return fault_set(fault, FAULT_SPEC, NULL,
                         "--leader-election-lease-duration is %lld ms; a Lease knows "
                         "whole seconds only",
                         (long long)o->lease_ms);
    }
    if (o->lease_ms <= o->renew_ms) {
        return fault_set(
            fault, FAULT_SPEC, NULL,
            "--leader-election-lease-duration (%lld ms) must be longer than "
            "--leader-election-renew-deadline (%lld ms): another would take over while "
            "this one still writes",
            (long long)o->lease_ms, (long long)o->renew_ms);
    }
    if (o->renew_ms * 10 <= o->retry_ms * 12) {
        return fault_set(
            fault, FAULT_SPEC, NULL,
            "--leader-election-renew-deadline (%lld ms) must be longer than 1.2 times "
            "--leader-election-retry-period (%lld ms): one failed try would be the last",
            (long long)o->renew_ms, (long long)o->retry_ms);
    }
    return true;
}

/* --- life --- */

struct leader *leader_new(const struct leader_options *options,
                          struct kube_transport *transport, const struct clock *clock,
                          struct lg *lg, uint64_t seed)
{
    struct arena *arena = arena_new(ARENA_BYTES);
    struct leader *l = HEAP_NEW(struct leader);

    l->arena = arena;
    l->options = *options;
    l->options.namespace = arena_strdup(arena, options->namespace);
    l->options.name = arena_strdup(arena, options->name);
    l->options.identity = arena_strdup(arena, options->identity);
    l->clock = clock;
    l->lg = lg;
    l->own.event_fd = l->won.event_fd = -1;
    rng_init(&l->rng, seed);
    leader_algorithm_init(l, transport);
    return l;
}

void leader_free(struct leader *leader)
{
    if (leader == NULL) {
        return;
    }
    must(!leader->started);
    if (leader->own.event_fd >= 0) {
        cancel_deinit(&leader->own);
    }
    if (leader->won.event_fd >= 0) {
        cancel_deinit(&leader->won);
    }
    json_free(leader->object);
    arena_free(leader->arena);
    heap_free(leader);
}

static void *thread(void *argument)
{
    struct leader *l = argument;

    while (!cancel_fired(&l->own)) {
        int64_t wait_ms = leader_turn(l, &l->own);

        if (wait_ms == 0) {
            cancel_fire(l->stop);
            break;
        }
        (void)cancel_sleep(&l->own, wait_ms);
    }
    return NULL;
}

bool leader_start(struct leader *leader, struct cancel *stop, struct fault *fault)
{
    leader->stop = stop;
    if (!cancel_init_root(&leader->own, leader->clock, fault) ||
        !cancel_init_root(&leader->won, leader->clock, fault)) {
        return false;
    }
    leader->started = pthread_create(&leader->thread, NULL, thread, leader) == 0;
    return leader->started
               ? true
               : fault_set(fault, FAULT_UNAVAILABLE, NULL, "cannot start threads");
}

void leader_has_won(struct leader *leader)
{
    if (leader->won.event_fd >= 0) {
        cancel_fire(&leader->won);
    }
}

bool leader_wait(struct leader *leader, struct cancel *stop)
{
    struct fault stopped = FAULT_INIT;

    return cancel_poll(stop, cancel_fd(&leader->won), POLLIN, "waiting for leadership",
                       &stopped);
}

void leader_stop(struct leader *leader)
{
    AUTO(cancel_deinit) struct cancel last = {.event_fd = -1};
    struct fault fault = FAULT_INIT;
    struct cancel limit;

    if (leader == NULL || !leader->started) {
        return;
    }
    cancel_fire(&leader->own);
    (void)pthread_join(leader->thread, NULL);
    leader->started = false;
    /* The process's own stop has fired already. */
    if (cancel_init_root(&last, leader->clock, &fault)) {
        cancel_init_child(&limit, &last, leader->api.call_timeout_ms);
        leader_resign(leader, &limit);
    }
}

/* --- what others ask --- */

const struct fence *leader_fence(const struct leader *leader)
{
    return &leader->fence;
}

enum leader_state leader_state(const struct leader *leader)
{
    return (enum leader_state)leader->state;
}

bool leader_fault(const struct leader *leader, struct fault *fault)
{
    return fault_set(fault, FAULT_CANCELLED, "LeaderElectionLost",
                     "leader election lost: lease '%s/%s': %s", leader->options.namespace,
                     leader->options.name, leader->why);
}

bool leader_healthy(const struct leader *leader)
{
    int64_t since_ms = clock_monotonic_ms(leader->clock) - leader->renewed_ms;

    return leader->state != LEADER_LEADING ||
           since_ms <= leader->options.lease_ms + GRACE_MS;
}

struct leader_numbers leader_numbers(const struct leader *leader)
{
    return (struct leader_numbers){.lease = leader->options.name,
                                   .leading = leader->state == LEADER_LEADING,
                                   .renewed_ms_ago = clock_monotonic_ms(leader->clock) -
                                                     leader->renewed_ms,
                                   .slow_paths = leader->slow_paths};
}

/* The algorithm: what one candidate does each turn. leader_thread.c has the rest. */
#include "loop/leader_private.h"

#define CALL_MIN_MS INT64_C(1000)
#define JITTER_PERCENT 120 /* client-go's JitterFactor 1.2 */
#define SECOND_MS INT64_C(1000)

static int64_t now_ms(const struct leader *l)
{
    return clock_monotonic_ms(l->clock);
}

/* --- the fence --- */

static bool may_write(const struct fence *fence, struct fault *fault)
{
    struct leader *l = (struct leader *)(uintptr_t)fence;
    int leading = LEADER_LEADING;

    if (atomic_load(&l->state) == LEADER_LEADING) {
        if (now_ms(l) < atomic_load(&l->until_ms)) {
            return true;
        }
        /* Once refused, always refused: what was left out now is not done later. */
        (void)atomic_compare_exchange_strong(&l->state, &leading, LEADER_LOST);
    }
    return fault_set(fault, FAULT_CANCELLED, "NotLeader",
                     "not sent: this controller does not hold the Lease '%s/%s'",
                     l->options.namespace, l->options.name);
}

void leader_algorithm_init(struct leader *l, struct kube_transport *transport)
{
    int64_t half_ms = l->options.renew_ms / 2;

    l->fence.may_write = may_write;
    l->api = (struct kube_api){.transport = transport,
                               .clock = l->clock,
                               .call_timeout_ms =
                                   half_ms > CALL_MIN_MS ? half_ms : CALL_MIN_MS};
    atomic_store(&l->state, LEADER_CANDIDATE);
}

/* --- what the Lease says --- */

static bool is_mine(const struct leader *l)
{
    return strcmp(l->observed.holder, l->options.identity) == 0;
}

/* Takes the object; from when on its holder's time counts, `at_ms` says. */
static void observe(struct leader *l, struct json *object, int64_t at_ms)
{
    struct lease_record seen;

    lease_read(object, &seen);
    if (strcmp(seen.holder, l->observed.holder) != 0 && seen.holder[0] != '\0') {
        lg_info(l->lg, "leader", LG_STR("lease", l->options.name),
                LG_STR("holder", seen.holder));
    }
    if (l->object == NULL || !lease_same(&seen, &l->observed)) {
        l->observed = seen;
        l->observed_ms = at_ms;
    }
    json_free(l->object);
    l->object = object;
}

/* Whether its holder may still think that it leads. */
static bool is_valid(const struct leader *l)
{
    int64_t duration_ms =
        l->observed.duration_s > 0 && l->observed.duration_s < INT64_MAX / SECOND_MS
            ? l->observed.duration_s * SECOND_MS
            : l->options.lease_ms;

    return l->observed.holder[0] != '\0' && now_ms(l) - l->observed_ms < duration_ms;
}

static struct lease_record next_record(const struct leader *l)
{
    struct lease_record next = {.duration_s = l->options.lease_ms / SECOND_MS};
    bool goes_on = is_mine(l);

    (void)memccpy(next.holder, l->options.identity, '\0', sizeof(next.holder));
    clock_format_micro(clock_wall_ms(l->clock), next.renewed);
    memcpy(next.acquired, goes_on ? l->observed.acquired : next.renewed,
           sizeof(next.acquired));
    next.transitions = l->observed.transitions + (goes_on || l->object == NULL ? 0 : 1);
    return next;
}

/* --- one try --- */

static bool fault_outcome(const struct leader *l, enum kube_outcome outcome,
                          struct fault *fault)
{
    switch (outcome) {
    case KUBE_CONFLICT:
    case KUBE_EXISTS:
        return fault_set(fault, FAULT_CONFLICT, NULL, "somebody else wrote it first");
    case KUBE_NOT_FOUND:
        return fault_set(fault, FAULT_UNAVAILABLE, NULL,
                         "it is gone, or the namespace '%s' is", l->options.namespace);
    case KUBE_INVALID:
        return fault_set(fault, FAULT_BUG, NULL, "the API server refuses its content");
    case KUBE_OK:
    case KUBE_GONE:
    case KUBE_OUTCOME_MAX:
        break;
    }
    return fault_set(fault, FAULT_BUG, NULL, "an answer that was not expected");
}

/* Creates or replaces the Lease; it is ours from *out_sent_ms on. */
static bool write_lease(struct leader *l, struct cancel *cancel, int64_t *out_sent_ms,
                        struct fault *fault)
{
    struct lease_record next = next_record(l);
    enum kube_outcome outcome = KUBE_OK;
    struct json *answer = NULL;
    int64_t sent_ms = now_ms(l);
    bool answered =
        l->object == NULL
            ? lease_create(&l->api, l->options.namespace, l->options.name, &next, cancel,
                           &outcome, &answer, fault)
            : lease_update(&l->api, l->object, &next, cancel, &outcome, &answer, fault);

    if (!answered) {
        return false;
    }
    if (outcome != KUBE_OK) {
        return fault_outcome(l, outcome, fault);
    }
    observe(l, answer, sent_ms);
    *out_sent_ms = sent_ms;
    return true;
}

static bool read_lease(struct leader *l, struct cancel *cancel, struct fault *fault)
{
    enum kube_outcome outcome = KUBE_OK;
    struct json *answer = NULL;

    if (!lease_get(&l->api, l->options.namespace, l->options.name, cancel, &outcome,
                   &answer, fault)) {
        return false;
    }
    if (outcome == KUBE_OK) {
        observe(l, answer, now_ms(l));
        return true;
    }
    if (outcome != KUBE_NOT_FOUND) {
        return fault_outcome(l, outcome, fault);
    }
    json_free(l->object);
    l->object = NULL;
    return true;
}

static bool try_once(struct leader *l, struct cancel *cancel, int64_t *out_sent_ms,
                     struct fault *fault)
{
    bool leads = atomic_load(&l->state) == LEADER_LEADING;

    /* One small request a period is what keeps a cluster from changing its leader for
     * nothing: a server that wants fewer is asked all the same. */
    kube_forget_pauses(&l->api);
    if (leads && l->object != NULL) {
        if (write_lease(l, cancel, out_sent_ms, fault)) {
            return true;
        }
        atomic_fetch_add(&l->slow_paths, 1);
        lg_debug(l->lg, "lease not renewed at once", LG_STR("error", fault->text));
    }
    if (!read_lease(l, cancel, fault)) {
        return false;
    }
    if (l->object != NULL && !is_mine(l) && (leads || is_valid(l))) {
        return fault_set(fault, FAULT_CONFLICT, "HeldByAnother", "it is held by '%s'",
                         l->observed.holder[0] == '\0' ? "(nobody)" : l->observed.holder);
    }
    return write_lease(l, cancel, out_sent_ms, fault);
}

/* --- a turn --- */

static int64_t lose(struct leader *l, const char *why)
{
    int leading = LEADER_LEADING;

    (void)atomic_compare_exchange_strong(&l->state, &leading, LEADER_LOST);
    if (l->why[0] == '\0') {
        (void)snprintf(l->why, sizeof(l->why), "%s", why);
        lg_error(l->lg, "leader election lost", LG_STR("lease", l->options.name),
                 LG_STR("identity", l->options.identity), LG_STR("error", l->why));
    }
    return 0;
}

static int64_t held_since(struct leader *l, int64_t sent_ms)
{
    int state = LEADER_CANDIDATE;

    if (atomic_load(&l->state) != LEADER_LEADING &&
        now_ms(l) >= sent_ms + l->options.renew_ms) {
        return l->options.retry_ms; /* won so long ago that it is worth nothing */
    }
    atomic_store(&l->renewed_ms, sent_ms);
    atomic_store(&l->until_ms, sent_ms + l->options.renew_ms);
    if (atomic_compare_exchange_strong(&l->state, &state, LEADER_LEADING)) {
        lg_info(l->lg, "leader election won", LG_STR("lease", l->options.name),
                LG_STR("identity", l->options.identity),
                LG_INT("transitions", l->observed.transitions));
        leader_has_won(l);
    }
    return l->options.retry_ms;
}

static int64_t not_renewed(struct leader *l, const struct fault *fault)
{
    int64_t left_ms = atomic_load(&l->until_ms) - now_ms(l);

    if (strcmp(fault->reason, "HeldByAnother") == 0 || left_ms <= 0) {
        return lose(l, fault->text);
    }
    lg_error(l->lg, "lease not renewed", LG_STR("lease", l->options.name),
             LG_INT("leftMs", left_ms), LG_STR("error", fault->text));
    return left_ms < l->options.retry_ms ? left_ms : l->options.retry_ms;
}

int64_t leader_turn(struct leader *l, struct cancel *cancel)
{
    bool leads = atomic_load(&l->state) == LEADER_LEADING, held = false;
    int64_t sent_ms = 0, left_ms = atomic_load(&l->until_ms) - now_ms(l);
    struct fault fault = FAULT_INIT;
    struct cancel limit;

    if (!leads && atomic_load(&l->state) != LEADER_CANDIDATE) {
        return lose(l, "it was not renewed in time");
    }
    if (leads && left_ms <= 0) {
        return lose(l, "it was not renewed in time");
    }
    cancel_init_child(&limit, cancel, leads ? left_ms : 2 * l->options.renew_ms);
    held = try_once(l, &limit, &sent_ms, &fault);
    cancel_deinit(&limit);
    if (leads && (atomic_load(&l->state) != LEADER_LEADING ||
                  now_ms(l) >= atomic_load(&l->until_ms))) {
        /* Also when it came through: something may have been refused meanwhile. */
        return lose(l, held ? "it was renewed too late" : fault.text);
    }
    if (held) {
        return held_since(l, sent_ms);
    }
    if (leads) {
        return not_renewed(l, &fault);
    }
    if (fault.class != FAULT_CONFLICT && fault.class != FAULT_CANCELLED) {
        lg_error(l->lg, "lease not acquired", LG_STR("lease", l->options.name),
                 LG_STR("error", fault.text));
    }
    return l->options.retry_ms +
           (int64_t)rng_below(&l->rng,
                              (uint64_t)l->options.retry_ms * JITTER_PERCENT / 100 + 1);
}

/* --- giving it back --- */

void leader_resign(struct leader *l, struct cancel *cancel)
{
    int leading = LEADER_LEADING, candidate = LEADER_CANDIDATE;
    struct fault fault = FAULT_INIT;

    (void)atomic_compare_exchange_strong(&l->state, &candidate, LEADER_RESIGNED);
    if (!atomic_compare_exchange_strong(&l->state, &leading, LEADER_RESIGNED)) {
        return;
    }
    for (int tries = 0; tries < 2 && l->object != NULL && is_mine(l); tries++) {
        struct lease_record free_record = {.duration_s = 1,
                                           .transitions = l->observed.transitions};
        enum kube_outcome outcome = KUBE_OK;
        struct json *answer = NULL;

        clock_format_micro(clock_wall_ms(l->clock), free_record.renewed);
        memcpy(free_record.acquired, free_record.renewed, sizeof(free_record.acquired));
        kube_forget_pauses(&l->api);
        fault_clear(&fault);
        if (lease_update(&l->api, l->object, &free_record, cancel, &outcome, &answer,
                         &fault) &&
            outcome == KUBE_OK) {
            json_free(answer);
            lg_info(l->lg, "lease released", LG_STR("lease", l->options.name));
            return;
        }
        if (fault.class == FAULT_NONE) {
            (void)fault_outcome(l, outcome, &fault);
        }
        if (tries > 0 || !read_lease(l, cancel, &fault)) {
            break;
        }
    }
    lg_error(l->lg, "lease not released: others wait until it runs out",
             LG_STR("lease", l->options.name), LG_STR("error", fault.text));
}

/*
 * circuit: how a lane's server is, and who may talk to it now.
 *
 * The breaker is closed while the server answers. A login that fails opens it, and so
 * does a call that is never answered, if no other was answered meanwhile: it stays open
 * for a pause that doubles with each failure, and whoever comes hears why. Then it is
 * half-open: one tries, the others go on hearing the old word.
 *
 * Inside a closed lane are at most LANE_LIMIT attempts, and one until a call has been
 * answered. Behind calls that hang only one more at a time may try its luck: what hangs
 * may be a long count, and then the next one is answered. An attempt that hangs in
 * another lane takes no room in this one.
 */
#include "loop/circuit.h"
#include "base/heap.h"

#define DOWN_FIRST_MS 1000
#define DOWN_LONGEST_MS 30000
/* Being called is not all that a parked key relies on: it looks again by itself, the
 * first in line soon, for attempts that come to hang elsewhere make room silently. */
#define AGAIN_FIRST_MS (LANE_SUSPECT_MS + 100)
#define AGAIN_MS 30000
#define AGAIN_EACH_MS 10

/* --- calls under way --- */

void call_begin(struct call *call, struct lane *lane, const char *key, bool statement)
{
    struct lanes *all = lane->all;

    *call = (struct call){.lane = lane,
                          .key = key,
                          .began_ms = clock_monotonic_ms(lane->clock),
                          .statement = statement};
    (void)pthread_mutex_lock(&all->calls_lock);
    call->next = all->calls;
    if (all->calls != NULL) {
        all->calls->before = call;
    }
    all->calls = call;
    (void)pthread_mutex_unlock(&all->calls_lock);
}

void call_drop(struct call *call)
{
    struct lanes *all = call->lane->all;

    (void)pthread_mutex_lock(&all->calls_lock);
    if (call->before == NULL) {
        all->calls = call->next;
    } else {
        call->before->next = call->next;
    }
    if (call->next != NULL) {
        call->next->before = call->before;
    }
    (void)pthread_mutex_unlock(&all->calls_lock);
}

void circuit_look(struct lanes *lanes, struct hung *out_hung)
{
    int64_t long_ago_ms = clock_monotonic_ms(lanes->clock) - LANE_SUSPECT_MS;

    out_hung->n = 0;
    (void)pthread_mutex_lock(&lanes->calls_lock);
    for (const struct call *c = lanes->calls; c != NULL; c = c->next) {
        if (c->began_ms < long_ago_ms && out_hung->n < LANE_HUNG_MAX) {
            out_hung->v[out_hung->n].lane = c->lane;
            out_hung->v[out_hung->n].key = c->key;
            out_hung->v[out_hung->n].began_ms = c->began_ms;
            out_hung->v[out_hung->n++].statement = c->statement;
        }
    }
    (void)pthread_mutex_unlock(&lanes->calls_lock);
}

size_t lanes_held(struct lanes *lanes)
{
    struct hung hung;

    circuit_look(lanes, &hung);
    return hung.n;
}

/* --- who is inside --- */

static bool hangs_elsewhere(const struct lane *lane, const char *key,
                            const struct hung *hung)
{
    for (size_t i = 0; i < hung->n; i++) {
        if (hung->v[i].key == key && hung->v[i].lane != lane) {
            return true;
        }
    }
    return false;
}

/* Commands take no room. */
static size_t inside(const struct lane *lane, const struct hung *hung)
{
    size_t count = lane->entering;

    for (const struct door *d = lane->out; d != NULL; d = d->next) {
        count += d->key != NULL && !hangs_elsewhere(lane, d->key, hung) ? 1 : 0;
    }
    return count;
}

/* Calls that nobody knows whether they will ever be answered. */
static size_t suspects(const struct lane *lane, const struct hung *hung)
{
    size_t count = 0;

    for (size_t i = 0; i < hung->n; i++) {
        count += hung->v[i].lane == lane && !hung->v[i].statement &&
                         lane->answered_ms < hung->v[i].began_ms
                     ? 1
                     : 0;
    }
    return count;
}

static size_t limit(const struct lane *lane, const struct hung *hung)
{
    size_t hanging = suspects(lane, hung);
    size_t most = lane->trusted ? LANE_LIMIT : 1;

    return hanging > 0 && hanging + 1 < most ? hanging + 1 : most;
}

static bool is_down(const struct lane *lane)
{
    /* Its pause is over and somebody tries: whoever comes meanwhile hears the old word.
     */
    return clock_monotonic_ms(lane->clock) < lane->down_until_ms ||
           (lane->down_count > 0 && lane->trying);
}

static bool has_room(const struct lane *lane, const char *key, const struct hung *hung)
{
    int64_t now_ms = clock_monotonic_ms(lane->clock);
    size_t expected = parking_expected(&lane->entry, now_ms);

    if (key != NULL && expected > 0 && parking_is_called(&lane->entry, key)) {
        expected--;
    }
    return (lane->proven || !lane->trying) &&
           inside(lane, hung) + expected < limit(lane, hung);
}

int lane_rank(struct lane *lane, const char *key)
{
    struct hung hung;
    int rank = 3;

    circuit_look(lane->all, &hung);
    (void)pthread_mutex_lock(&lane->lock);
    if (is_down(lane)) {
        rank = 0;
    } else if (!has_room(lane, key, &hung)) {
        rank = limit(lane, &hung) < LANE_LIMIT ? 1 : 2;
    }
    (void)pthread_mutex_unlock(&lane->lock);
    return rank;
}

static void park(struct lane *lane, const struct visitor *who, struct news *news)
{
    int64_t now_ms = clock_monotonic_ms(lane->clock);

    if (parking_is_called(&lane->entry, who->key)) {
        parking_add_first(&lane->entry, who->key, who->urgent, now_ms);
    } else {
        parking_add(&lane->entry, who->key, who->urgent, now_ms);
    }
    news->again = who->key;
    news->again_urgent = who->urgent;
    news->again_ms =
        parking_is_first(&lane->entry, who->key)
            ? AGAIN_FIRST_MS
            : AGAIN_MS + AGAIN_EACH_MS * (int64_t)parking_count(&lane->entry);
}

enum circuit_turn circuit_admit(struct lane *lane, const struct visitor *who,
                                const struct hung *hung, struct news *news,
                                struct fault *fault)
{
    const char *key = who->key;

    if (is_down(lane)) {
        *fault = lane->down;
        if (key != NULL) {
            (void)parking_arrive(&lane->entry, key);
        }
        return CIRCUIT_DOWN;
    }
    if (key == NULL) {
        return CIRCUIT_ENTER;
    }
    if (!has_room(lane, key, hung)) {
        park(lane, who, news);
        (void)lane_parked(lane, "there is no room", fault);
        return CIRCUIT_PARK;
    }
    (void)parking_arrive(&lane->entry, key);
    lane->entering++;
    return CIRCUIT_ENTER;
}

void circuit_serve(struct lane *lane, const struct hung *hung, struct news *news)
{
    while (parking_count(&lane->entry) > 0 && !is_down(lane) &&
           has_room(lane, NULL, hung)) {
        news_call(news, parking_call(&lane->entry, clock_monotonic_ms(lane->clock)));
    }
}

void circuit_stay(struct lane *lane, struct door *door)
{
    lane->entering -= door->key != NULL ? 1 : 0;
    door->next = lane->out;
    lane->out = door;
}

void circuit_leave(struct lane *lane, struct door *door, const char *key)
{
    struct door **at = &lane->out;

    if (door == NULL) {
        lane->entering -= key != NULL ? 1 : 0;
        return;
    }
    while (*at != door) {
        at = &(*at)->next;
    }
    *at = door->next;
    if (door->probes && door->epoch == lane->epoch) {
        lane->trying = false; /* it left without an answer */
    }
    door->key = NULL;
    door->committed = door->probes = false;
}

/* --- the breaker --- */

void circuit_disperse(struct lane *lane, struct news *news)
{
    struct parking *const lines[] = {&lane->entry, &lane->readers, &lane->ddl};

    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        struct parked **end = &news->sent;

        while (*end != NULL) {
            end = &(*end)->next;
        }
        *end = parking_take_all(lines[i]);
    }
}

static void fall(struct lane *lane, bool by_call, const struct fault *fault,
                 struct news *news)
{
    int64_t pause_ms = backoff_ms(DOWN_FIRST_MS, DOWN_LONGEST_MS, lane->down_count);

    lane->down = *fault;
    lane->down_ms = clock_monotonic_ms(lane->clock);
    lane->down_by_call = by_call;
    lane->down_until_ms = clock_monotonic_ms(lane->clock) + pause_ms;
    lane->down_count += lane->down_count < 30 ? 1 : 0;
    lane->trying = lane->trusted = false;
    news->fell_ms = pause_ms;
    circuit_disperse(lane, news);
}

static void rise(struct lane *lane, struct news *news)
{
    lane->down_count = 0;
    lane->down_until_ms = 0;
    lane->down_by_call = lane->trying = false;
    news->rose = true;
}

void circuit_opened(struct lane *lane, const struct fault *fault, struct news *news)
{
    if (fault == NULL) {
        lane->proven = true;
        if (lane->down_count > 0 && !lane->down_by_call) {
            rise(lane, news);
        }
        lane->trying = lane->down_count > 0; /* then only an answer will do */
    } else {
        lane->trying = false;
        if (fault->class != FAULT_CANCELLED) {
            lane->proven = false;
            fall(lane, lane->down_by_call, fault, news);
        }
    }
}

void circuit_called(struct lane *lane, const struct call *call, bool probes, bool done,
                    const struct fault *fault, struct news *news)
{
    int64_t now_ms = clock_monotonic_ms(lane->clock);
    bool broken = !done && fault->class == FAULT_UNAVAILABLE;

    if (done || (!broken && fault->class != FAULT_CANCELLED)) {
        lane->answered_ms = now_ms;
        lane->trusted = true;
        if (lane->down_by_call) {
            rise(lane, news);
        }
    } else if (broken) {
        bool dead = !call->statement && now_ms - call->began_ms >= LANE_DEAD_MS &&
                    lane->answered_ms <= call->began_ms;

        lane->trusted = false;
        if (dead || probes) {
            fall(lane, true, fault, news);
        }
    }
}

void circuit_reset(struct lane *lane)
{
    lane->down_until_ms = 0;
    lane->down_count = 0;
    lane->down_ms = 0;
    fault_clear(&lane->down);
    lane->proven = lane->trusted = lane->trying = lane->down_by_call = false;
}

static void add_breaker(const struct lane *lane, struct lane_numbers *numbers)
{
    int64_t now_ms = clock_monotonic_ms(lane->clock);
    int64_t left_ms = lane->down_until_ms - now_ms;

    if (lane->down_count > 0) {
        numbers->state = left_ms > 0 ? LANE_OPEN : LANE_HALF_OPEN;
        numbers->pause_ms = left_ms > 0 ? left_ms : 0;
        numbers->trying = left_ms <= 0 && lane->trying;
    }
    numbers->fault_ago_ms = lane->down_ms == 0 ? -1 : now_ms - lane->down_ms;
    numbers->fault = lane->down;
}

struct lane_numbers circuit_numbers(struct lane *lane, const struct hung *hung)
{
    struct lane_numbers numbers = {.connection = lane->key};

    (void)pthread_mutex_lock(&lane->lock);
    add_breaker(lane, &numbers);
    for (const struct door *d = lane->out; d != NULL; d = d->next) {
        numbers.in_use++;
    }
    numbers.idle = (int64_t)lane->idle_count;
    numbers.suspect = suspects(lane, hung) > 0;
    numbers.inside = (int64_t)inside(lane, hung);
    numbers.parked = (int64_t)(parking_count(&lane->entry) + parking_count(&lane->ddl) +
                               parking_count(&lane->readers));
    (void)pthread_mutex_unlock(&lane->lock);
    return numbers;
}

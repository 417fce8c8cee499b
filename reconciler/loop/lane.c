#include "loop/lane.h"

#include "base/heap.h"
#include "base/map.h"
#include "loop/lane_private.h"

#define DOWN_FIRST_MS 1000
#define DOWN_LONGEST_MS 30000

struct lanes *lanes_new(struct db_factory *factory, const struct clock *clock,
                        uint64_t seed)
{
    struct lanes *lanes = HEAP_NEW(struct lanes);

    lanes->factory = factory;
    lanes->clock = clock;
    lanes->by_key = map_new(seed);
    must(pthread_mutex_init(&lanes->lock, NULL) == 0);
    return lanes;
}

static void close_idle(struct session *session)
{
    if (session->source != NULL) {
        session->source->ops->close(session->source);
    }
    if (session->stream != NULL) {
        session->stream->ops->close(session->stream);
    }
    if (session->target != NULL) {
        session->target->ops->close(session->target);
    }
}

/* Takes the idle sessions out of the lane. The lock is held. */
static size_t take_all_idle(struct lane *lane, struct session out_idle[LANE_IDLE_MAX])
{
    size_t count = lane->idle_count;

    if (count > 0) {
        memcpy(out_idle, lane->idle, count * sizeof(out_idle[0]));
    }
    lane->idle_count = 0;
    return count;
}

/* Drops everything that belongs to the lane's old identity. Not under its lock. */
static void lane_reset(struct lane *lane, const char *fingerprint)
{
    struct session idle[LANE_IDLE_MAX];
    struct map *old = NULL;
    size_t count = 0, at = 0;
    struct sv key;
    void *value = NULL;

    (void)pthread_mutex_lock(&lane->lock);
    if (fingerprint == NULL || lane->fingerprint == NULL ||
        strcmp(lane->fingerprint, fingerprint) != 0) {
        heap_free(lane->fingerprint);
        lane->fingerprint = heap_strdup(fingerprint);
        lane->epoch++;
        lane->down_until_ms = 0;
        lane->down_count = 0;
        lane->proven = false;
        lane->trying = false;
        lane->backends = 0;
        count = take_all_idle(lane, idle);
        old = lane->observations;
        lane->observations = map_new(1);
    }
    (void)pthread_mutex_unlock(&lane->lock);
    for (size_t i = 0; i < count; i++) {
        close_idle(&idle[i]);
    }
    while (old != NULL && map_next(old, &at, &key, &value)) {
        observation_put(value);
    }
    map_free(old);
}

void lane_put(struct lane *lane)
{
    if (lane == NULL || atomic_fetch_sub(&lane->references, 1) != 1) {
        return;
    }
    lane_reset(lane, NULL);
    map_free(lane->observations);
    (void)pthread_cond_destroy(&lane->changed);
    (void)pthread_mutex_destroy(&lane->lock);
    heap_free(lane->fingerprint);
    heap_free(lane);
}

void lane_putp(struct lane **lane)
{
    lane_put(TAKE(*lane));
}

void lanes_free(struct lanes *lanes)
{
    size_t at = 0;
    struct sv key;
    void *value = NULL;

    if (lanes == NULL) {
        return;
    }
    while (map_next(lanes->by_key, &at, &key, &value)) {
        lane_put(value);
    }
    map_free(lanes->by_key);
    (void)pthread_mutex_destroy(&lanes->lock);
    heap_free(lanes);
}

static struct lane *lane_new(struct lanes *lanes)
{
    struct lane *lane = HEAP_NEW(struct lane);
    pthread_condattr_t attributes;

    lane->clock = lanes->clock;
    lane->factory = lanes->factory;
    lane->observations = map_new(1);
    lane->references = 1;
    must(pthread_mutex_init(&lane->lock, NULL) == 0);
    must(pthread_condattr_init(&attributes) == 0);
    must(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0);
    must(pthread_cond_init(&lane->changed, &attributes) == 0);
    (void)pthread_condattr_destroy(&attributes);
    return lane;
}

struct lane *lane_get(struct lanes *lanes, const char *key, const char *fingerprint)
{
    struct lane *lane = NULL;

    (void)pthread_mutex_lock(&lanes->lock);
    lane = map_find(lanes->by_key, sv_from(key));
    if (lane == NULL) {
        lane = lane_new(lanes);
        (void)map_put(lanes->by_key, sv_from(key), lane);
    }
    atomic_fetch_add(&lane->references, 1);
    (void)pthread_mutex_unlock(&lanes->lock);
    lane_reset(lane, fingerprint);
    return lane;
}

void lanes_remove(struct lanes *lanes, const char *key)
{
    struct lane *lane = NULL;

    (void)pthread_mutex_lock(&lanes->lock);
    lane = map_remove(lanes->by_key, sv_from(key));
    (void)pthread_mutex_unlock(&lanes->lock);
    lane_put(lane);
}

void lane_retry(struct lane *lane)
{
    (void)pthread_mutex_lock(&lane->lock);
    lane->down_until_ms = 0;
    (void)pthread_mutex_unlock(&lane->lock);
}

void lane_learn_backends(struct lane *lane, int64_t count)
{
    (void)pthread_mutex_lock(&lane->lock);
    lane->backends = count;
    (void)pthread_mutex_unlock(&lane->lock);
}

int64_t lane_backends(struct lane *lane)
{
    int64_t count = 0;

    (void)pthread_mutex_lock(&lane->lock);
    count = lane->backends;
    (void)pthread_mutex_unlock(&lane->lock);
    return count;
}

/* --- sessions --- */

enum turn { TURN_IDLE, TURN_OPEN, TURN_DOWN };

static bool is_down(const struct lane *lane)
{
    /* Its pause is over and somebody tries: whoever comes meanwhile hears the old word.
     */
    return clock_monotonic_ms(lane->clock) < lane->down_until_ms ||
           (lane->down_count > 0 && lane->trying);
}

/* An idle session, the permission to open one, or the memory of why there is none. */
static enum turn take_turn(struct lane *lane, bool idle_will_do, struct cancel *cancel,
                           struct session *out_session, struct fault *fault)
{
    enum turn turn = TURN_OPEN;

    (void)pthread_mutex_lock(&lane->lock);
    while (!lane->proven && lane->trying && !is_down(lane) &&
           cancel_remaining_ms(cancel) > 0) {
        lane_wait_slice(lane);
    }
    out_session->epoch = lane->epoch;
    if (is_down(lane)) {
        *fault = lane->down;
        turn = TURN_DOWN;
    } else if (idle_will_do && lane->idle_count > 0) {
        *out_session = lane->idle[--lane->idle_count];
        out_session->reused = true;
        turn = TURN_IDLE;
    } else {
        lane->trying = lane->trying || !lane->proven;
    }
    (void)pthread_mutex_unlock(&lane->lock);
    return turn;
}

/* Remembers how opening went: consecutive failures lengthen the pause. */
static void note_opened(struct lane *lane, int64_t epoch, const struct fault *fault)
{
    (void)pthread_mutex_lock(&lane->lock);
    if (lane->epoch == epoch) {
        lane->trying = false;
    }
    if (lane->epoch == epoch && fault == NULL) {
        lane->proven = true;
        lane->down_count = 0;
        lane->down_until_ms = 0;
    } else if (lane->epoch == epoch && fault->class != FAULT_CANCELLED) {
        lane->proven = false;
        lane->down = *fault;
        lane->down_until_ms =
            clock_monotonic_ms(lane->clock) +
            backoff_ms(DOWN_FIRST_MS, DOWN_LONGEST_MS, lane->down_count);
        lane->down_count += lane->down_count < 30 ? 1 : 0;
    }
    (void)pthread_cond_broadcast(&lane->changed);
    (void)pthread_mutex_unlock(&lane->lock);
}

static bool open_now(struct lane *lane, const struct db_endpoint *endpoint,
                     struct cancel *cancel, struct session *session, struct fault *fault)
{
    struct db_factory *factory = lane->factory;

    switch (session->type) {
    case DBCONN_MYSQL:
        return factory->ops->open_source(factory, endpoint, cancel, &session->source,
                                         fault);
    case DBCONN_RISINGWAVE:
        return factory->ops->open_stream(factory, endpoint, cancel, &session->stream,
                                         fault);
    case DBCONN_STARROCKS:
        return factory->ops->open_target(factory, endpoint, cancel, &session->target,
                                         fault);
    case DBCONN_TYPE_MAX:
        break;
    }
    must(false);
    return false;
}

static bool open_session(struct lane *lane, const struct db_endpoint *endpoint,
                         bool idle_will_do, struct cancel *cancel,
                         struct session *out_session, struct fault *fault)
{
    struct session session = {.lane = lane, .type = endpoint->conn->type};
    struct cancel child;
    bool opened = true;

    switch (take_turn(lane, idle_will_do, cancel, &session, fault)) {
    case TURN_DOWN:
        return false;
    case TURN_OPEN:
        cancel_init_child(&child, cancel, DB_CONNECT_TIMEOUT_MS);
        opened = open_now(lane, endpoint, &child, &session, fault);
        note_opened(lane, session.epoch, opened ? NULL : fault);
        break;
    case TURN_IDLE:
        break;
    }
    if (opened) {
        *out_session = session;
    }
    return opened;
}

bool session_open(struct lane *lane, const struct db_endpoint *endpoint,
                  struct cancel *cancel, struct session *out_session, struct fault *fault)
{
    return open_session(lane, endpoint, true, cancel, out_session, fault);
}

bool session_open_new(struct lane *lane, const struct db_endpoint *endpoint,
                      struct cancel *cancel, struct session *out_session,
                      struct fault *fault)
{
    return open_session(lane, endpoint, false, cancel, out_session, fault);
}

static bool breaks_session(const struct fault *fault)
{
    return fault != NULL &&
           (fault->class == FAULT_UNAVAILABLE || fault->class == FAULT_CANCELLED ||
            fault->class == FAULT_BUG);
}

void session_close(struct session *session, const struct fault *fault)
{
    struct lane *lane = session->lane;
    struct session idle[LANE_IDLE_MAX];
    size_t count = 0;
    bool kept = false;

    if (session->source == NULL && session->stream == NULL && session->target == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&lane->lock);
    if (breaks_session(fault)) {
        /* What broke this one (a restart, a time limit) has broken the idle ones too. */
        count = take_all_idle(lane, idle);
    } else if (session->epoch == lane->epoch && lane->idle_count < LANE_IDLE_MAX) {
        lane->idle[lane->idle_count++] = *session;
        kept = true;
    }
    (void)pthread_mutex_unlock(&lane->lock);
    if (!kept) {
        close_idle(session);
    }
    for (size_t i = 0; i < count; i++) {
        close_idle(&idle[i]);
    }
    memset(session, 0, sizeof(*session));
}

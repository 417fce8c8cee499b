#include "base/heap.h"
#include "base/map.h"
#include "loop/lane_private.h"

#include <stdio.h>
#include <time.h>

#define SCOPE_MAX 300

void observation_put(struct observation *observation)
{
    if (observation != NULL && atomic_fetch_sub(&observation->references, 1) == 1) {
        arena_free(observation->arena);
        heap_free(observation);
    }
}

void observation_putp(struct observation **observation)
{
    observation_put(TAKE(*observation));
}

int64_t lane_wait_until(int64_t wait_ms)
{
    return clock_monotonic_ms(clock_system()) + wait_ms;
}

bool lane_wait_slice(struct lane *lane, int64_t until_ms, struct cancel *cancel)
{
    struct timespec until;

    if (cancel_remaining_ms(cancel) <= 0 || lane_wait_until(0) >= until_ms) {
        return false;
    }
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += LANE_WAIT_SLICE_MS * INT64_C(1000000);
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    (void)pthread_cond_timedwait(&lane->changed, &lane->lock, &until);
    return true;
}

static void key_of(enum observation_kind kind, const char *scope, char out_key[SCOPE_MAX])
{
    (void)snprintf(out_key, SCOPE_MAX, "%d:%s", (int)kind, scope);
}

/* A fresh enough observation with one more reference, or NULL. The lock is held. */
static struct observation *find_fresh(struct lane *lane, enum observation_kind kind,
                                      const char *key, int64_t oldest_ms)
{
    struct observation *found = map_find(lane->observations, sv_from(key));
    /* No statement of ours changes what a server is. */
    bool forgotten =
        kind == OBSERVE_CATALOG && found != NULL && found->taken_ms < lane->forgotten_ms;

    if (found == NULL || found->taken_ms < oldest_ms || forgotten) {
        return NULL;
    }
    atomic_fetch_add(&found->references, 1);
    return found;
}

static bool read_now(struct session *s, enum observation_kind kind, const char *scope,
                     struct cancel *cancel, struct observation *o, struct fault *fault)
{
    bool catalog = kind == OBSERVE_CATALOG;

    switch (s->type) {
    case DBCONN_MYSQL:
        if (kind == OBSERVE_UNPARSEABLE) {
            return s->source->ops->list_unparseable(s->source, scope, cancel, o->arena,
                                                    &o->u.unparseable, fault);
        }
        return s->source->ops->probe(s->source, cancel, o->arena, &o->u.mysql, fault);
    case DBCONN_RISINGWAVE:
        return catalog ? s->stream->ops->catalog(s->stream, scope, cancel, o->arena,
                                                 &o->u.rw, fault)
                       : s->stream->ops->probe(s->stream, cancel, o->arena,
                                               &o->u.rw_server, fault);
    case DBCONN_STARROCKS:
        return catalog ? s->target->ops->catalog(s->target, scope, cancel, o->arena,
                                                 &o->u.sr, fault)
                       : s->target->ops->probe(s->target, cancel, o->arena,
                                               &o->u.sr_server, fault);
    case DBCONN_TYPE_MAX:
        break;
    }
    return fault_set(fault, FAULT_BUG, NULL, "unknown connection type %d", (int)s->type);
}

/* Publishes what was read for others; returns what it replaced. The lock is held. */
static struct observation *publish(struct lane *lane, const char *key, int64_t epoch,
                                   struct observation *o)
{
    if (lane->epoch != epoch) {
        return NULL;
    }
    atomic_fetch_add(&o->references, 1);
    return map_put(lane->observations, sv_from(key), o);
}

/* Just now: a read that takes long may never end, and nobody relies on it. */
static bool is_read(const struct lane *lane, const char *key)
{
    int64_t from_ms = clock_monotonic_ms(lane->clock) - LANE_SUSPECT_MS;

    for (size_t i = 0; i < LANE_READS_MAX; i++) {
        if (lane->reading[i] != NULL && lane->read_from_ms[i] >= from_ms &&
            strcmp(lane->reading[i], key) == 0) {
            return true;
        }
    }
    return false;
}

/* Without a place nobody waits for this read. */
static void begin_read(struct lane *lane, const char *key)
{
    for (size_t i = 0; i < LANE_READS_MAX; i++) {
        if (lane->reading[i] == NULL) {
            lane->reading[i] = key;
            lane->read_from_ms[i] = clock_monotonic_ms(lane->clock);
            break;
        }
    }
}

/*
 * Another attempt is reading: its answer may do for us too. It is waited for a moment in
 * place; then who may be parked is, and who may not (or when nobody reads any more) asks
 * itself: *out_found is NULL. The lock is held. False: parked.
 */
static bool find_or_wait(struct session *session, enum observation_kind kind,
                         const char *key, int64_t oldest_ms, struct cancel *cancel,
                         struct news *news, struct observation **out_found,
                         struct fault *fault)
{
    struct lane *lane = session->lane;
    const struct door *door = session->door;
    int64_t until_ms = lane_wait_until(LANE_READ_WAIT_MS);

    *out_found = NULL;
    while ((*out_found = find_fresh(lane, kind, key, oldest_ms)) == NULL &&
           is_read(lane, key) && lane_wait_slice(lane, until_ms, cancel)) {
    }
    if (*out_found != NULL || !is_read(lane, key) || door->key == NULL ||
        door->committed) {
        return true;
    }
    parking_add(&lane->readers, door->key, door->urgent, clock_monotonic_ms(lane->clock));
    news->again = door->key;
    news->again_urgent = door->urgent;
    news->again_ms = LANE_SUSPECT_MS;
    return lane_parked(lane, "another attempt is reading", fault);
}

/* What was read is there for everybody, and who waits for it is called. */
static void end_read(struct session *session, const char *key, bool read,
                     struct observation *o)
{
    struct lane *lane = session->lane;
    struct observation *old = NULL;
    struct parked *waiting = NULL;
    struct news news = {0};

    (void)pthread_mutex_lock(&lane->lock);
    for (size_t i = 0; i < LANE_READS_MAX; i++) {
        lane->reading[i] = lane->reading[i] == key ? NULL : lane->reading[i];
    }
    if (read) {
        old = publish(lane, key, session->epoch, o);
    }
    waiting = parking_take_all(&lane->readers);
    while (waiting != NULL) {
        struct parked *next = waiting->next;

        news_call(&news, waiting);
        waiting = next;
    }
    (void)pthread_cond_broadcast(&lane->changed);
    (void)pthread_mutex_unlock(&lane->lock);
    observation_put(old);
    lane_tell(lane, &news);
}

bool lane_observe(struct session *session, enum observation_kind kind, const char *scope,
                  int64_t max_age_ms, struct cancel *cancel,
                  struct observation **out_observation, struct fault *fault)
{
    struct lane *lane = session->lane;
    struct observation *o = NULL;
    int64_t oldest_ms = clock_monotonic_ms(lane->clock) - max_age_ms;
    struct news news = {0};
    char key[SCOPE_MAX];
    bool may = false, read = false;

    key_of(kind, scope, key);
    (void)pthread_mutex_lock(&lane->lock);
    may = find_or_wait(session, kind, key, oldest_ms, cancel, &news, &o, fault);
    if (may && o == NULL) {
        begin_read(lane, key);
    }
    (void)pthread_mutex_unlock(&lane->lock);
    lane_tell(lane, &news);
    if (!may || o != NULL) {
        *out_observation = may ? o : *out_observation;
        return may;
    }
    o = HEAP_NEW(struct observation);
    o->arena = arena_new(ARENA_CEILING_BYTES);
    o->references = 1;
    o->taken_ms = clock_monotonic_ms(lane->clock);
    read = cancel_check(cancel, "waiting for the catalog", fault) &&
           read_now(session, kind, scope, cancel, o, fault);
    end_read(session, key, read, o);
    if (!read) {
        observation_put(o);
        return false;
    }
    *out_observation = o;
    return true;
}

struct observation *lanes_observed(struct lanes *lanes, const char *key,
                                   enum observation_kind kind, const char *scope)
{
    struct observation *found = NULL;
    struct lane *lane = NULL;
    char scope_key[SCOPE_MAX];

    (void)pthread_mutex_lock(&lanes->lock);
    lane = map_find(lanes->by_key, sv_from(key));
    if (lane != NULL) {
        atomic_fetch_add(&lane->references, 1);
    }
    (void)pthread_mutex_unlock(&lanes->lock);
    if (lane == NULL) {
        return NULL;
    }
    key_of(kind, scope, scope_key);
    (void)pthread_mutex_lock(&lane->lock);
    found = find_fresh(lane, kind, scope_key, INT64_MIN);
    (void)pthread_mutex_unlock(&lane->lock);
    lane_put(lane);
    return found;
}

void lane_forget(struct lane *lane)
{
    (void)pthread_mutex_lock(&lane->lock);
    /* One more than now: a read that began in this very millisecond is out of date too.
     */
    lane->forgotten_ms = clock_monotonic_ms(lane->clock) + 1;
    (void)pthread_mutex_unlock(&lane->lock);
}

#include "base/heap.h"
#include "base/map.h"
#include "loop/lane_private.h"

#include <errno.h>
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

void lane_wait_slice(struct lane *lane)
{
    struct timespec until;

    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += LANE_WAIT_SLICE_MS * INT64_C(1000000);
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    (void)pthread_cond_timedwait(&lane->changed, &lane->lock, &until);
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

bool lane_observe(struct session *session, enum observation_kind kind, const char *scope,
                  int64_t max_age_ms, struct cancel *cancel,
                  struct observation **out_observation, struct fault *fault)
{
    struct lane *lane = session->lane;
    struct observation *o = NULL, *old = NULL;
    int64_t oldest_ms = clock_monotonic_ms(lane->clock) - max_age_ms;
    char key[SCOPE_MAX];
    bool read = false;

    key_of(kind, scope, key);
    (void)pthread_mutex_lock(&lane->lock);
    /* Another thread is reading: its answer may do for us too. */
    while ((o = find_fresh(lane, kind, key, oldest_ms)) == NULL && lane->observing > 0 &&
           cancel_remaining_ms(cancel) > 0) {
        lane_wait_slice(lane);
    }
    lane->observing += o == NULL ? 1 : 0;
    (void)pthread_mutex_unlock(&lane->lock);
    if (o != NULL) {
        *out_observation = o;
        return true;
    }
    o = HEAP_NEW(struct observation);
    o->arena = arena_new(ARENA_CEILING_BYTES);
    o->references = 1;
    o->taken_ms = clock_monotonic_ms(lane->clock);
    read = cancel_check(cancel, "waiting for the catalog", fault) &&
           read_now(session, kind, scope, cancel, o, fault);
    (void)pthread_mutex_lock(&lane->lock);
    lane->observing--;
    if (read) {
        old = publish(lane, key, session->epoch, o);
    }
    (void)pthread_cond_broadcast(&lane->changed);
    (void)pthread_mutex_unlock(&lane->lock);
    observation_put(old);
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

bool lane_begin_ddl(struct lane *lane, struct cancel *cancel, struct fault *fault)
{
    bool got = false;

    (void)pthread_mutex_lock(&lane->lock);
    while (lane->ddl_busy && cancel_remaining_ms(cancel) > 0) {
        lane_wait_slice(lane);
    }
    if (!lane->ddl_busy) {
        lane->ddl_busy = true;
        got = true;
    }
    (void)pthread_mutex_unlock(&lane->lock);
    if (got) {
        return true;
    }
    if (cancel_fired(cancel)) {
        return fault_set(fault, FAULT_CANCELLED, NULL, "stopped while waiting for DDL");
    }
    return fault_set(fault, FAULT_CONFLICT, NULL,
                     "another resource is running DDL on the same server");
}

void lane_end_ddl(struct lane *lane)
{
    (void)pthread_mutex_lock(&lane->lock);
    must(lane->ddl_busy);
    lane->ddl_busy = false;
    (void)pthread_cond_broadcast(&lane->changed);
    (void)pthread_mutex_unlock(&lane->lock);
}

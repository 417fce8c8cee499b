#include "loop/lane.h"

#include "base/heap.h"
#include "base/map.h"
#include "loop/circuit.h"

struct lanes *lanes_new(struct db_factory *factory, const struct clock *clock,
                        uint64_t seed)
{
    struct lanes *lanes = HEAP_NEW(struct lanes);

    lanes->factory = factory;
    lanes->clock = clock;
    lanes->by_key = map_new(seed);
    must(pthread_mutex_init(&lanes->lock, NULL) == 0);
    must(pthread_mutex_init(&lanes->calls_lock, NULL) == 0);
    return lanes;
}

void lanes_listen(struct lanes *lanes, const struct lanes_hooks *hooks)
{
    lanes->hooks = *hooks;
}

/* --- news --- */

void news_call(struct news *news, struct parked *one)
{
    struct parked **end = &news->calls;

    while (*end != NULL) {
        end = &(*end)->next;
    }
    one->next = NULL;
    *end = one;
}

bool lane_urgent(const struct lane *lane, const char *key)
{
    const struct lanes_hooks *hooks = &lane->all->hooks;

    return key != NULL && hooks->urgent != NULL && hooks->urgent(hooks->context, key);
}

void lane_tell(struct lane *lane, struct news *news)
{
    const struct lanes_hooks *hooks = &lane->all->hooks;
    size_t i = 0;

    if (hooks->wake != NULL) {
        for (const struct parked *p = news->calls; p != NULL; p = p->next) {
            hooks->wake(hooks->context, p->key, 0,
                        p->urgent ? QUEUE_URGENT : QUEUE_NORMAL);
        }
        for (const struct parked *p = news->sent; p != NULL; p = p->next) {
            hooks->wake(hooks->context, p->key, queue_spread_ms(i++),
                        p->urgent ? QUEUE_URGENT : QUEUE_LOW);
        }
        if (news->again != NULL) {
            hooks->wake(hooks->context, news->again, news->again_ms,
                        news->again_urgent ? QUEUE_URGENT : QUEUE_LOW);
        }
        if (news->fell_ms > 0) {
            hooks->fell(hooks->context, lane->key, news->fell_ms);
        }
        if (news->rose) {
            hooks->rose(hooks->context, lane->key);
        }
    }
    parked_free(news->calls);
    parked_free(news->sent);
    memset(news, 0, sizeof(*news));
}

#define PARKED "Parked"

bool lane_parked(const struct lane *lane, const char *what, struct fault *fault)
{
    return fault_set(fault, FAULT_CONFLICT, PARKED,
                     "%s in the lane of connection '%s', so this comes later", what,
                     lane->key);
}

bool lane_is_parked(const struct fault *fault)
{
    return fault->class == FAULT_CONFLICT && strcmp(fault->reason, PARKED) == 0;
}

/* Drops everything that belongs to the lane's old identity. Not under its lock. */
static void lane_reset(struct lane *lane, const char *fingerprint)
{
    struct news news = {0};
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
        circuit_reset(lane);
        circuit_disperse(lane, &news);
        lane->backends = 0;
        count = lane_take_idle(lane, idle);
        old = lane->observations;
        lane->observations = map_new(1);
    }
    (void)pthread_mutex_unlock(&lane->lock);
    lane_tell(lane, &news);
    for (size_t i = 0; i < count; i++) {
        lane_close_idle(&idle[i]);
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
    parking_deinit(&lane->entry);
    parking_deinit(&lane->readers);
    parking_deinit(&lane->ddl);
    (void)pthread_cond_destroy(&lane->changed);
    (void)pthread_mutex_destroy(&lane->lock);
    heap_free(lane->fingerprint);
    heap_free(lane->key);
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
    (void)pthread_mutex_destroy(&lanes->calls_lock);
    (void)pthread_mutex_destroy(&lanes->lock);
    heap_free(lanes);
}

static struct lane *lane_new(struct lanes *lanes, const char *key)
{
    struct lane *lane = HEAP_NEW(struct lane);
    pthread_condattr_t attributes;

    lane->all = lanes;
    lane->key = heap_strdup(key);
    parking_init(&lane->entry);
    parking_init(&lane->readers);
    parking_init(&lane->ddl);
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
        lane = lane_new(lanes, key);
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

void lanes_visit(struct lanes *lanes,
                 void (*visit)(void *context, const struct lane_numbers *numbers),
                 void *context)
{
    struct hung hung;
    size_t at = 0;
    struct sv key;
    void *lane = NULL;

    circuit_look(lanes, &hung);
    (void)pthread_mutex_lock(&lanes->lock);
    while (map_next(lanes->by_key, &at, &key, &lane)) {
        struct lane_numbers numbers = circuit_numbers(lane, &hung);

        visit(context, &numbers);
    }
    (void)pthread_mutex_unlock(&lanes->lock);
}

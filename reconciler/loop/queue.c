#include "loop/queue.h"

#include "base/heap.h"
#include "base/map.h"

#include <pthread.h>
#include <time.h>

/*
 * One entry per key that is waiting, delayed, being worked on or remembered for its
 * failures. Ready keys are a list in order of arrival; delayed ones are found by walking:
 * with 10,000 keys that is microseconds, and there is no heap to get wrong.
 */
struct entry {
    char *key;
    int64_t ready_ms; /* of a delayed key; INT64_MAX: not delayed */
    bool waiting, processing, dirty;
    unsigned failures;
    struct entry *next; /* in the ready list */
};

struct queue {
    const struct clock *clock;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct map *entries;
    struct entry *first, *last;
    bool closed;
    int64_t earliest_ms; /* no delayed key is ready before this */
    struct queue_numbers numbers;
};

struct queue *queue_new(const struct clock *clock, uint64_t seed)
{
    struct queue *q = HEAP_NEW(struct queue);
    pthread_condattr_t attributes;

    q->clock = clock;
    q->entries = map_new(seed);
    q->earliest_ms = INT64_MAX;
    must(pthread_mutex_init(&q->lock, NULL) == 0);
    must(pthread_condattr_init(&attributes) == 0);
    must(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0);
    must(pthread_cond_init(&q->changed, &attributes) == 0);
    (void)pthread_condattr_destroy(&attributes);
    return q;
}

void queue_free(struct queue *q)
{
    size_t at = 0;
    struct sv key;
    void *value = NULL;

    if (q == NULL) {
        return;
    }
    while (map_next(q->entries, &at, &key, &value)) {
        struct entry *e = value;

        heap_free(e->key);
        heap_free(e);
    }
    map_free(q->entries);
    (void)pthread_cond_destroy(&q->changed);
    (void)pthread_mutex_destroy(&q->lock);
    heap_free(q);
}

static struct entry *entry_get(struct queue *q, const char *key)
{
    struct entry *e = map_find(q->entries, sv_from(key));

    if (e == NULL) {
        must(map_count(q->entries) < QUEUE_KEYS_MAX);
        e = HEAP_NEW(struct entry);
        e->key = heap_strdup(key);
        e->ready_ms = INT64_MAX;
        (void)map_put(q->entries, sv_from(key), e);
    }
    return e;
}

/* Forgets an entry that has nothing left to remember. */
static void entry_release(struct queue *q, struct entry *e)
{
    if (e->waiting || e->processing || e->dirty || e->failures > 0 ||
        e->ready_ms != INT64_MAX) {
        return;
    }
    (void)map_remove(q->entries, sv_from(e->key));
    heap_free(e->key);
    heap_free(e);
}

static void make_ready(struct queue *q, struct entry *e)
{
    e->ready_ms = INT64_MAX;
    if (e->processing) {
        e->dirty = true;
        return;
    }
    if (e->waiting) {
        return;
    }
    e->waiting = true;
    e->next = NULL;
    if (q->last == NULL) {
        q->first = e;
    } else {
        q->last->next = e;
    }
    q->last = e;
    q->numbers.depth++;
    (void)pthread_cond_signal(&q->changed);
}

void queue_add(struct queue *q, const char *key)
{
    (void)pthread_mutex_lock(&q->lock);
    q->numbers.adds++;
    make_ready(q, entry_get(q, key));
    (void)pthread_mutex_unlock(&q->lock);
}

void queue_add_after(struct queue *q, const char *key, int64_t delay_ms)
{
    struct entry *e = NULL;
    int64_t ready_ms = clock_monotonic_ms(q->clock) + delay_ms;

    (void)pthread_mutex_lock(&q->lock);
    e = entry_get(q, key);
    if (delay_ms <= 0) {
        q->numbers.adds++;
        make_ready(q, e);
    } else if (!e->waiting && !e->dirty && ready_ms < e->ready_ms) {
        e->ready_ms = ready_ms;
        if (ready_ms < q->earliest_ms) {
            q->earliest_ms = ready_ms;
            (void)pthread_cond_signal(&q->changed);
        }
    }
    (void)pthread_mutex_unlock(&q->lock);
}

/* Moves delayed keys whose time has come; remembers when the next one is due. */
static void promote(struct queue *q)
{
    int64_t now_ms = clock_monotonic_ms(q->clock);
    size_t at = 0;
    struct sv key;
    void *value = NULL;

    if (now_ms < q->earliest_ms) {
        return;
    }
    q->earliest_ms = INT64_MAX;
    while (map_next(q->entries, &at, &key, &value)) {
        struct entry *e = value;

        if (e->ready_ms <= now_ms) {
            q->numbers.adds++;
            make_ready(q, e);
        } else if (e->ready_ms < q->earliest_ms) {
            q->earliest_ms = e->ready_ms;
        }
    }
}

static char *take_first(struct queue *q)
{
    struct entry *e = q->first;

    if (e == NULL) {
        return NULL;
    }
    q->first = e->next;
    if (q->first == NULL) {
        q->last = NULL;
    }
    e->next = NULL;
    e->waiting = false;
    e->processing = true;
    q->numbers.depth--;
    q->numbers.processing++;
    return heap_strdup(e->key);
}

char *queue_take(struct queue *q)
{
    char *key = NULL;

    (void)pthread_mutex_lock(&q->lock);
    while (!q->closed && key == NULL) {
        int64_t now_ms = 0, wait_ms = 1000;
        struct timespec until;

        promote(q);
        key = take_first(q);
        if (key != NULL) {
            break;
        }
        now_ms = clock_monotonic_ms(q->clock);
        if (q->earliest_ms - now_ms < wait_ms) {
            wait_ms = q->earliest_ms > now_ms ? q->earliest_ms - now_ms : 1;
        }
        (void)clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += wait_ms / 1000;
        until.tv_nsec += (wait_ms % 1000) * 1000000;
        if (until.tv_nsec >= 1000000000) {
            until.tv_sec++;
            until.tv_nsec -= 1000000000;
        }
        (void)pthread_cond_timedwait(&q->changed, &q->lock, &until);
    }
    (void)pthread_mutex_unlock(&q->lock);
    return key;
}

char *queue_try_take(struct queue *q)
{
    char *key = NULL;

    (void)pthread_mutex_lock(&q->lock);
    promote(q);
    key = take_first(q);
    (void)pthread_mutex_unlock(&q->lock);
    return key;
}

void queue_done(struct queue *q, char *key)
{
    struct entry *e = NULL;

    (void)pthread_mutex_lock(&q->lock);
    e = map_find(q->entries, sv_from(key));
    must(e != NULL && e->processing);
    e->processing = false;
    q->numbers.processing--;
    if (e->dirty) {
        e->dirty = false;
        make_ready(q, e);
    }
    entry_release(q, e);
    (void)pthread_mutex_unlock(&q->lock);
    heap_free(key);
}

void queue_close(struct queue *q)
{
    (void)pthread_mutex_lock(&q->lock);
    q->closed = true;
    (void)pthread_cond_broadcast(&q->changed);
    (void)pthread_mutex_unlock(&q->lock);
}

unsigned queue_fail(struct queue *q, const char *key)
{
    struct entry *e = NULL;
    unsigned before = 0;

    (void)pthread_mutex_lock(&q->lock);
    e = entry_get(q, key);
    before = e->failures;
    if (e->failures < 1000) {
        e->failures++;
    }
    q->numbers.retries++;
    (void)pthread_mutex_unlock(&q->lock);
    return before;
}

void queue_forget(struct queue *q, const char *key)
{
    struct entry *e = NULL;

    (void)pthread_mutex_lock(&q->lock);
    e = map_find(q->entries, sv_from(key));
    if (e != NULL) {
        e->failures = 0;
        entry_release(q, e);
    }
    (void)pthread_mutex_unlock(&q->lock);
}

int64_t queue_next_ms(struct queue *q)
{
    int64_t next_ms = 0;

    (void)pthread_mutex_lock(&q->lock);
    promote(q);
    next_ms = q->first != NULL ? clock_monotonic_ms(q->clock) : q->earliest_ms;
    (void)pthread_mutex_unlock(&q->lock);
    return next_ms;
}

struct queue_numbers queue_numbers(struct queue *q)
{
    struct queue_numbers numbers;

    (void)pthread_mutex_lock(&q->lock);
    numbers = q->numbers;
    numbers.delayed = (int64_t)map_count(q->entries) - numbers.depth - numbers.processing;
    (void)pthread_mutex_unlock(&q->lock);
    return numbers;
}

#include "base/heap.h"
#include "loop/queue_private.h"

#include <time.h>

#define FAILURES_MAX 1000
#define TURNS_MAX 200

/* When nothing is delayed a waiter looks up now and then all the same (client-go too). */
#define HEARTBEAT_MS 10000

struct queue *queue_new(const struct clock *clock, uint64_t seed)
{
    struct queue *q = HEAP_NEW(struct queue);
    pthread_condattr_t attributes;

    q->clock = clock;
    table_init(&q->table, seed);
    must(pthread_mutex_init(&q->lock, NULL) == 0);
    must(pthread_condattr_init(&attributes) == 0);
    must(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0);
    must(pthread_cond_init(&q->changed, &attributes) == 0);
    (void)pthread_condattr_destroy(&attributes);
    return q;
}

void queue_free(struct queue *q)
{
    if (q == NULL) {
        return;
    }
    table_deinit(&q->table);
    agenda_deinit(&q->delayed);
    heap_free(q->running);
    (void)pthread_cond_destroy(&q->changed);
    (void)pthread_mutex_destroy(&q->lock);
    heap_free(q);
}

void queue_add(struct queue *q, const char *key, enum queue_priority priority)
{
    struct entry *e = NULL;

    (void)pthread_mutex_lock(&q->lock);
    q->numbers.adds++;
    e = table_get(&q->table, key);
    e->timed = e->timed && e->waiting;
    queue_make_ready(q, e, priority);
    (void)pthread_mutex_unlock(&q->lock);
}

void queue_add_after(struct queue *q, const char *key, int64_t delay_ms,
                     enum queue_priority priority)
{
    struct entry *e = NULL;

    if (delay_ms <= 0) {
        queue_add(q, key, priority);
        return;
    }
    (void)pthread_mutex_lock(&q->lock);
    e = table_get(&q->table, key);
    if (e->dirty) {
        e->priority = priority < e->priority ? (uint8_t)priority : e->priority;
    } else if (!e->waiting) {
        queue_delay(q, e, clock_monotonic_ms(q->clock) + delay_ms, priority);
    }
    (void)pthread_mutex_unlock(&q->lock);
}

int64_t queue_spread_ms(size_t i)
{
    const size_t at_once = 10;
    size_t width = 50;
    int64_t from_ms = 0;

    if (i < at_once) {
        return 0;
    }
    i -= at_once;
    while (i >= width) {
        i -= width;
        from_ms += 1000;
        width *= 2;
    }
    return from_ms + 1 + (int64_t)(i * 999 / width);
}

/* Sleeps until something changes or the next delayed key is due. */
static void wait_more(struct queue *q)
{
    int64_t now_ms = clock_monotonic_ms(q->clock), wait_ms = HEARTBEAT_MS;
    struct timespec until;

    if (q->delayed.n > 0 && q->delayed.v[0]->ready_ms - now_ms < wait_ms) {
        wait_ms = q->delayed.v[0]->ready_ms - now_ms;
    }
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += wait_ms / 1000;
    until.tv_nsec += (wait_ms % 1000) * QUEUE_NS_PER_MS;
    if (until.tv_nsec >= 1000 * QUEUE_NS_PER_MS) {
        until.tv_sec++;
        until.tv_nsec -= 1000 * QUEUE_NS_PER_MS;
    }
    (void)pthread_cond_timedwait(&q->changed, &q->lock, &until);
}

char *queue_take(struct queue *q)
{
    char *key = NULL;

    (void)pthread_mutex_lock(&q->lock);
    q->waiters++;
    while (!q->closed) {
        queue_promote(q);
        key = queue_take_first(q);
        if (key != NULL) {
            break;
        }
        wait_more(q);
    }
    q->waiters--;
    (void)pthread_mutex_unlock(&q->lock);
    return key;
}

char *queue_try_take(struct queue *q)
{
    char *key = NULL;

    (void)pthread_mutex_lock(&q->lock);
    queue_promote(q);
    key = queue_take_first(q);
    (void)pthread_mutex_unlock(&q->lock);
    return key;
}

enum queue_priority queue_taken_as(struct queue *q, const char *key)
{
    const struct entry *e = NULL;
    enum queue_priority priority = QUEUE_NORMAL;

    (void)pthread_mutex_lock(&q->lock);
    e = table_find(&q->table, key);
    if (e != NULL && e->processing) {
        priority = e->taken_as;
    }
    (void)pthread_mutex_unlock(&q->lock);
    return priority;
}

void queue_done(struct queue *q, char *key)
{
    struct entry *e = NULL;

    (void)pthread_mutex_lock(&q->lock);
    e = table_find(&q->table, key);
    must(e != NULL && e->processing);
    queue_end_run(q, e);
    if (e->dirty) {
        e->dirty = false;
        queue_make_ready(q, e, e->priority);
    }
    queue_release(q, e);
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

void queue_identify(struct queue *q, const char *key, uint64_t identity)
{
    uint32_t folded = (uint32_t)(identity ^ (identity >> 32));
    struct entry *e = NULL;

    (void)pthread_mutex_lock(&q->lock);
    e = table_get(&q->table, key);
    if (e->identity != folded) {
        e->identity = folded;
        e->failures = 0;
        e->turns = 0;
    }
    (void)pthread_mutex_unlock(&q->lock);
}

unsigned queue_fail(struct queue *q, const char *key)
{
    struct entry *e = NULL;
    unsigned before = 0;

    (void)pthread_mutex_lock(&q->lock);
    e = table_get(&q->table, key);
    before = e->failures;
    if (e->failures < FAILURES_MAX) {
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
    e = table_find(&q->table, key);
    if (e != NULL) {
        e->failures = 0;
        queue_release(q, e);
    }
    (void)pthread_mutex_unlock(&q->lock);
}

unsigned queue_turn(struct queue *q, const char *key, bool soon, bool progress)
{
    struct entry *e = NULL;
    unsigned turns = 0;

    (void)pthread_mutex_lock(&q->lock);
    e = table_find(&q->table, key);
    if (e != NULL && progress) {
        e->turns = 0;
    } else if (e != NULL && (soon || !e->timed)) {
        int64_t now_ms = clock_monotonic_ms(q->clock);

        if (e->turns == 0 ||
            now_ms - (int64_t)e->turns_from_s * 1000 > QUEUE_TURNS_MS + 999) {
            e->turns = 0;
            e->turns_from_s = (uint32_t)(now_ms / 1000);
        }
        if (e->turns < TURNS_MAX) {
            e->turns++;
        }
        turns = e->turns;
    }
    (void)pthread_mutex_unlock(&q->lock);
    return turns;
}

void queue_hold(struct queue *q, const char *key, int64_t delay_ms)
{
    int64_t ready_ms = clock_monotonic_ms(q->clock) + delay_ms;
    struct entry *e = NULL;

    (void)pthread_mutex_lock(&q->lock);
    e = table_find(&q->table, key);
    if (e != NULL && !e->waiting) {
        e->dirty = false;
        if (e->delayed && e->ready_ms < ready_ms) {
            queue_undelay(q, e);
        }
        queue_delay(q, e, ready_ms, QUEUE_NORMAL);
        e->held = true;
    }
    (void)pthread_mutex_unlock(&q->lock);
}

int64_t queue_next_ms(struct queue *q)
{
    int64_t next_ms = INT64_MAX;

    (void)pthread_mutex_lock(&q->lock);
    queue_promote(q);
    if (queue_first_ready(q) != NULL) {
        next_ms = clock_monotonic_ms(q->clock);
    } else if (q->delayed.n > 0) {
        next_ms = q->delayed.v[0]->ready_ms;
    }
    (void)pthread_mutex_unlock(&q->lock);
    return next_ms;
}

bool queue_urgent_waits(struct queue *q)
{
    bool waits = false;

    (void)pthread_mutex_lock(&q->lock);
    queue_promote(q);
    waits = q->numbers.depth_of[QUEUE_URGENT] > 0;
    (void)pthread_mutex_unlock(&q->lock);
    return waits;
}

size_t queue_waiters(struct queue *q)
{
    size_t waiters = 0;

    (void)pthread_mutex_lock(&q->lock);
    waiters = q->waiters;
    (void)pthread_mutex_unlock(&q->lock);
    return waiters;
}

struct queue_numbers queue_numbers(struct queue *q)
{
    struct queue_numbers numbers;
    int64_t now = 0;

    (void)pthread_mutex_lock(&q->lock);
    numbers = q->numbers;
    now = queue_now_ns(q);
    for (size_t i = 0; i < q->running_n; i++) {
        double busy_s = (double)(now - q->running[i]->since_ns) / 1e9;

        numbers.unfinished_s += busy_s;
        numbers.longest_s = busy_s > numbers.longest_s ? busy_s : numbers.longest_s;
    }
    numbers.keys = (int64_t)q->table.count;
    numbers.delayed = (int64_t)q->delayed.n;
    numbers.processing = (int64_t)q->running_n;
    (void)pthread_mutex_unlock(&q->lock);
    return numbers;
}

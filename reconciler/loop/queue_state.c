/* queue_state: the ways of one key through a queue: delayed, ready, with a worker. */
#include "base/heap.h"
#include "loop/queue_private.h"

#include <time.h>

/* --- time --- */

/* Most waits and attempts are shorter than the clock's millisecond. */
int64_t queue_now_ns(const struct queue *q)
{
    struct timespec now;

    if (q->clock != clock_system()) {
        return clock_monotonic_ms(q->clock) * QUEUE_NS_PER_MS;
    }
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 * QUEUE_NS_PER_MS + now.tv_nsec;
}

static void note_duration(struct queue_histogram *h, int64_t duration_ns)
{
    double seconds = (double)duration_ns / 1e9, edge = 10e-9;
    size_t i = 0;

    while (i < QUEUE_BUCKETS && seconds > edge) {
        edge *= 10;
        i++;
    }
    h->counts[i]++;
    h->total++;
    h->sum_s += seconds;
}

/* --- entries; the lock is held --- */

/* Forgets an entry that has nothing left to remember. */
void queue_release(struct queue *q, struct entry *e)
{
    if (!e->waiting && !e->processing && !e->dirty && !e->delayed && e->failures == 0) {
        table_drop(&q->table, e);
    }
}

static void line_push(struct line *line, struct entry *e)
{
    e->next = NULL;
    e->before = line->last;
    if (line->last == NULL) {
        line->first = e;
    } else {
        line->last->next = e;
    }
    line->last = e;
}

static void line_remove(struct line *line, struct entry *e)
{
    if (e->before == NULL) {
        line->first = e->next;
    } else {
        e->before->next = e->next;
    }
    if (e->next == NULL) {
        line->last = e->before;
    } else {
        e->next->before = e->before;
    }
}

static void enter_line(struct queue *q, struct entry *e)
{
    line_push(&q->lines[e->priority], e);
    q->numbers.depth++;
    q->numbers.depth_of[e->priority]++;
}

static void leave_line(struct queue *q, struct entry *e)
{
    line_remove(&q->lines[e->priority], e);
    q->numbers.depth--;
    q->numbers.depth_of[e->priority]--;
}

/* The best of what it comes with and what it has, if that still counts for something. */
static uint8_t best(const struct entry *e, enum queue_priority priority)
{
    bool counts = e->delayed || e->waiting || e->dirty;

    return counts && e->priority < priority ? e->priority : (uint8_t)priority;
}

void queue_undelay(struct queue *q, struct entry *e)
{
    if (e->delayed) {
        agenda_remove(&q->delayed, e);
        e->delayed = e->held = false;
    }
}

void queue_delay(struct queue *q, struct entry *e, int64_t ready_ms,
                 enum queue_priority priority)
{
    e->priority = best(e, priority);
    if (e->delayed && (e->ready_ms <= ready_ms || e->held)) {
        return;
    }
    queue_undelay(q, e);
    e->ready_ms = ready_ms;
    e->delayed = true;
    agenda_push(&q->delayed, e);
    if (q->delayed.v[0] == e) {
        (void)pthread_cond_signal(&q->changed);
    }
}

/* Ready, or as soon as it may be. Its priority is the best of those it was added with. */
void queue_make_ready(struct queue *q, struct entry *e, enum queue_priority priority)
{
    uint8_t better = best(e, priority);

    if (e->held && e->delayed && clock_monotonic_ms(q->clock) < e->ready_ms) {
        e->priority = better;
        return;
    }
    queue_undelay(q, e);
    if (e->waiting) {
        if (better != e->priority) {
            leave_line(q, e);
            e->priority = better;
            enter_line(q, e);
        }
        return;
    }
    e->priority = better;
    if (e->processing) {
        e->dirty = true;
        return;
    }
    e->waiting = true;
    e->since_ns = queue_now_ns(q);
    enter_line(q, e);
    (void)pthread_cond_signal(&q->changed);
}

/* Delayed keys whose time has come. */
void queue_promote(struct queue *q)
{
    int64_t now_ms = clock_monotonic_ms(q->clock);

    while (q->delayed.n > 0 && q->delayed.v[0]->ready_ms <= now_ms) {
        struct entry *e = q->delayed.v[0];

        q->numbers.adds++;
        e->timed = true;
        queue_make_ready(q, e, e->priority);
    }
}

struct entry *queue_first_ready(struct queue *q)
{
    bool its_turn = q->numbers.waited.total % QUEUE_AGED_EVERY == 0;
    int64_t aged_ns = queue_now_ns(q) - QUEUE_LOW_MS * QUEUE_NS_PER_MS;
    struct entry *first = NULL, *aged = NULL;

    for (int p = QUEUE_PRIORITIES - 1; p >= 0; p--) {
        struct entry *e = q->lines[p].first;

        first = e != NULL ? e : first;
        if (e != NULL && its_turn && e->since_ns <= aged_ns) {
            aged = e;
            aged_ns = e->since_ns;
        }
    }
    return aged != NULL ? aged : first;
}

char *queue_take_first(struct queue *q)
{
    struct entry *e = queue_first_ready(q);
    int64_t taken_ns = 0;

    if (e == NULL) {
        return NULL;
    }
    leave_line(q, e);
    taken_ns = queue_now_ns(q);
    note_duration(&q->numbers.waited, taken_ns - e->since_ns);
    e->since_ns = taken_ns;
    e->waiting = false;
    e->taken_as = e->priority;
    e->processing = true;
    if (q->running_n == q->running_capacity) {
        size_t capacity = q->running_capacity == 0 ? 8 : q->running_capacity * 2;
        struct entry **running = heap_new(capacity * sizeof(struct entry *));

        if (q->running_n > 0) {
            memcpy(running, q->running, q->running_n * sizeof(struct entry *));
        }
        heap_free(q->running);
        q->running = running;
        q->running_capacity = capacity;
    }
    q->running[q->running_n++] = e;
    return heap_strdup(e->key);
}

void queue_end_run(struct queue *q, struct entry *e)
{
    for (size_t i = 0; i < q->running_n; i++) {
        if (q->running[i] == e) {
            q->running[i] = q->running[--q->running_n];
            break;
        }
    }
    note_duration(&q->numbers.worked, queue_now_ns(q) - e->since_ns);
    e->processing = false;
}

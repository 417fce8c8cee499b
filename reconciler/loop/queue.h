/*
 * queue: which resources want attention, each at most once.
 *
 * A key that is added while it waits stays one entry; added while it is being worked on
 * it comes back when that work is done (client-go's dirty and processing sets): a key is
 * never on two workers and no change is lost. Delayed keys become ready at their time; a
 * second delay keeps the earlier one. Failures are counted per key for the backoff.
 *
 * Three priorities, first come first served within each, so that nobody's change waits
 * behind hundreds of new resources or thousands of calm ones. Nothing starves: of what
 * has waited for QUEUE_LOW_MS the oldest has every QUEUE_AGED_EVERYth turn.
 *
 * Thread-safe behind one private lock. Keys are copied; at most QUEUE_KEYS_MAX at once.
 */
#ifndef LOOP_QUEUE_H
#define LOOP_QUEUE_H

#include "base/clock.h"

#include <stdbool.h>
#include <stddef.h>

#define QUEUE_KEYS_MAX 1000000
#define QUEUE_LOW_MS 60000
#define QUEUE_AGED_EVERY 4

enum queue_priority { /* of a key that is added more than once the best counts */
                      QUEUE_URGENT, /* somebody changed what this process has heard of
                                       before */
                      QUEUE_NORMAL, /* new resources, a server's recovery, what goes on by
                                       steps */
                      QUEUE_LOW,    /* comes by itself: the first list, periodic looks,
                                       retries */
                      QUEUE_PRIORITIES
};

struct queue;

/* client-go util/workqueue/metrics.go: 10e-9 * 10^k seconds for k < QUEUE_BUCKETS. */
#define QUEUE_BUCKETS 12
struct queue_histogram {
    int64_t counts[QUEUE_BUCKETS + 1]; /* of each bucket alone; the last is above all */
    int64_t total;
    double sum_s;
};

struct queue_numbers {                  /* for metrics */
    int64_t depth;                      /* ready and waiting for a worker */
    int64_t depth_of[QUEUE_PRIORITIES]; /* ... of each priority */
    int64_t delayed;                    /* waiting for their time */
    int64_t keys;                       /* all that are remembered */
    int64_t processing;                 /* with workers */
    int64_t adds, retries;
    double unfinished_s;           /* workqueue_unfinished_work_seconds */
    double longest_s;              /* workqueue_longest_running_processor_seconds */
    struct queue_histogram waited; /* workqueue_queue_duration_seconds */
    struct queue_histogram worked; /* workqueue_work_duration_seconds */
};

struct queue *queue_new(const struct clock *clock, uint64_t seed);
void queue_free(struct queue *q);
void queue_add(struct queue *q, const char *key, enum queue_priority priority);
void queue_add_after(struct queue *q, const char *key, int64_t delay_ms,
                     enum queue_priority priority);
/*
 * Many keys are woken by one cause: how long (ms) the i-th of them should wait, so that
 * they come a few at once, then 50 in the first second and twice as many in each
 * following one.
 */
int64_t queue_spread_ms(size_t i);
/* Waits for a key; NULL once queue_close() was called. Give it back with queue_done(). */
char *queue_take(struct queue *q);
/* The same without waiting: NULL when nothing is ready now. For the simulation. */
char *queue_try_take(struct queue *q);
/* With which priority a taken key was taken. */
enum queue_priority queue_taken_as(struct queue *q, const char *key);
/* Ends the work on a taken key and frees it. */
void queue_done(struct queue *q, char *key);
/* Wakes every waiter for good. */
void queue_close(struct queue *q);
/*
 * Whom the failures of a key that is worked on are about (a hash of uid and generation,
 * say): those of another identity are forgotten, so that a changed or recreated resource
 * starts anew.
 */
void queue_identify(struct queue *q, const char *key, uint64_t identity);
/* Counts one more failure in a row and returns how many there were before it. */
unsigned queue_fail(struct queue *q, const char *key);
void queue_forget(struct queue *q, const char *key); /* failures back to none */
/*
 * Counts one more attempt at a taken key that came to nothing, though it was not its time
 * (or `soon`: it sets its times itself, too close together); progress: it came to
 * something, and the count begins anew. How many there were in QUEUE_TURNS_MS; 0: this
 * one does not count.
 */
#define QUEUE_TURNS_MS 60000
unsigned queue_turn(struct queue *q, const char *key, bool soon, bool progress);
/* The taken key does not come back before that, whoever adds it. */
void queue_hold(struct queue *q, const char *key, int64_t delay_ms);
/* Monotonic ms at which the next delayed key is ready; INT64_MAX: none; now if one is. */
int64_t queue_next_ms(struct queue *q);
bool queue_urgent_waits(struct queue *q); /* one is ready */
size_t queue_waiters(struct queue *q);    /* threads in queue_take() */
struct queue_numbers queue_numbers(struct queue *q);

#endif

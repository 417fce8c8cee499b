/*
 * queue: which resources want attention, each at most once.
 *
 * A key that is added while it waits stays one entry; added while it is being worked on
 * it comes back when that work is done (client-go's dirty and processing sets): a key is
 * never on two workers and no change is lost. Delayed keys become ready at their time; a
 * second delay keeps the earlier one. Failures are counted per key for the backoff.
 *
 * Thread-safe behind one private lock. Keys are copied; at most QUEUE_KEYS_MAX at once.
 */
#ifndef LOOP_QUEUE_H
#define LOOP_QUEUE_H

#include "base/clock.h"

#include <stdbool.h>
#include <stddef.h>

#define QUEUE_KEYS_MAX 1000000

struct queue;

struct queue_numbers { /* for metrics */
    int64_t depth, delayed, processing, adds, retries;
};

struct queue *queue_new(const struct clock *clock, uint64_t seed);
void queue_free(struct queue *q);
void queue_add(struct queue *q, const char *key);
void queue_add_after(struct queue *q, const char *key, int64_t delay_ms);
/* Waits for a key; NULL once queue_close() was called. Give it back with queue_done(). */
char *queue_take(struct queue *q);
/* The same without waiting: NULL when nothing is ready now. For the simulation. */
char *queue_try_take(struct queue *q);
/* Ends the work on a taken key and frees it. */
void queue_done(struct queue *q, char *key);
/* Wakes every waiter for good. */
void queue_close(struct queue *q);
/* Counts one more failure in a row and returns how many there were before it. */
unsigned queue_fail(struct queue *q, const char *key);
void queue_forget(struct queue *q, const char *key); /* failures back to none */
/* Monotonic ms at which the next delayed key is ready; INT64_MAX: none; now if one is. */
int64_t queue_next_ms(struct queue *q);
struct queue_numbers queue_numbers(struct queue *q);

#endif

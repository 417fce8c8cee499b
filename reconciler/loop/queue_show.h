/* queue_show: the keys of a queue, for people: what is with workers, what waits, what
 * comes later. */
#ifndef LOOP_QUEUE_SHOW_H
#define LOOP_QUEUE_SHOW_H

#include "base/arena.h"
#include "loop/queue.h"

enum queue_part { QUEUE_PROCESSING = 1, QUEUE_WAITING, QUEUE_DELAYED };

struct queue_key {
    const char *key;
    int64_t ms; /* how long a worker has had it or it has waited; delayed: until then */
    unsigned failures;
    enum queue_priority priority;
};

/*
 * At most `max` keys of one part in an arena array: those waiting in the order in which
 * they will be taken, those delayed beginning with the first to come, the rest in no
 * order.
 */
struct queue_key *queue_show(struct queue *q, enum queue_part part, size_t max,
                             struct arena *arena, size_t *out_count);

#endif

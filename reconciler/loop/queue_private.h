/*
 * queue_private: how a queue keeps its keys; nobody outside includes it. One allocation
 * per key, found by a table of chains; delayed ones are in a binary heap besides.
 */
#ifndef LOOP_QUEUE_PRIVATE_H
#define LOOP_QUEUE_PRIVATE_H

#include "base/sv.h"
#include "loop/queue.h"

#include <pthread.h>

#define QUEUE_NS_PER_MS INT64_C(1000000)

struct entry {
    struct entry *chain; /* of the table */
    union {              /* ready and delayed exclude each other */
        struct {
            struct entry *next, *before;
        };
        struct {
            int64_t ready_ms;
            size_t heap_at; /* index + 1 */
        };
    };
    int64_t since_ns;      /* when it became ready, or a worker took it */
    uint32_t hash;         /* of the key */
    uint32_t identity;     /* whom the failures are about */
    uint32_t turns_from_s; /* when turns began to be counted; monotonic */
    uint16_t failures;
    uint8_t turns;
    bool waiting : 1, delayed : 1, processing : 1, dirty : 1;
    bool held : 1;    /* ready_ms is a floor, not a wish */
    bool timed : 1;   /* it became ready at its time, not because it was added */
    uint8_t priority; /* enum queue_priority: of waiting, delayed or dirty */
    uint8_t taken_as; /* ... of processing */
    char key[];
};

struct table { /* of entries, by key */
    uint64_t seed[2];
    struct entry **slots;
    size_t size, count; /* size: a power of two, or 0 */
};

struct agenda { /* of delayed entries, the earliest on top */
    struct entry **v;
    size_t n, capacity;
};

struct line { /* of ready entries, in order of arrival */
    struct entry *first, *last;
};

struct queue {
    const struct clock *clock;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct table table;
    struct agenda delayed;
    struct line lines[QUEUE_PRIORITIES];
    struct entry **running; /* with workers */
    size_t running_n, running_capacity, waiters;
    bool closed;
    struct queue_numbers numbers;
};

/* --- queue_keys.c --- */
void table_init(struct table *t, uint64_t seed);
void table_deinit(struct table *t); /* frees the entries too */
struct entry *table_find(const struct table *t, const char *key);
struct entry *table_get(struct table *t, const char *key); /* makes it if need be */
void table_drop(struct table *t, struct entry *e);         /* takes it out and frees it */

void agenda_deinit(struct agenda *h);
void agenda_push(struct agenda *h, struct entry *e); /* e->ready_ms is set */
void agenda_remove(struct agenda *h, struct entry *e);

/* --- queue_state.c; the lock is held, unless it says otherwise --- */
int64_t queue_now_ns(const struct queue *q); /* monotonic; needs no lock */
/* Forgets an entry that has nothing left to remember. */
void queue_release(struct queue *q, struct entry *e);
void queue_undelay(struct queue *q, struct entry *e);
/* Later; of two times the earlier counts, unless the entry is held back. */
void queue_delay(struct queue *q, struct entry *e, int64_t ready_ms,
                 enum queue_priority priority);
/* Ready, or as soon as it may be. Its priority is the best of those it was added with. */
void queue_make_ready(struct queue *q, struct entry *e, enum queue_priority priority);
void queue_promote(struct queue *q);              /* delayed keys whose time has come */
struct entry *queue_first_ready(struct queue *q); /* NULL: none */
char *queue_take_first(struct queue *q);          /* NULL: none; else a copy of its key */
void queue_end_run(struct queue *q, struct entry *e);

#endif

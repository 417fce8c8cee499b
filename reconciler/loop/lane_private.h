/* lane_private: what lane.c and lane_observe.c share; nobody else includes it. */
#ifndef LOOP_LANE_PRIVATE_H
#define LOOP_LANE_PRIVATE_H

#include "loop/lane.h"

#include <pthread.h>
#include <string.h>

#define LANE_IDLE_MAX 4

struct lanes {
    struct db_factory *factory;
    const struct clock *clock;
    pthread_mutex_t lock;
    struct map *by_key;
};

struct lane {
    const struct clock *clock;
    struct db_factory *factory;
    _Atomic int64_t references;
    pthread_mutex_t lock;
    pthread_cond_t changed; /* an observation arrived, a turn is free, a login ended */
    char *fingerprint;
    int64_t epoch; /* rises with each new fingerprint */
    struct session idle[LANE_IDLE_MAX];
    size_t idle_count;
    struct map *observations; /* "kind:scope" -> struct observation */
    int64_t forgotten_ms;     /* observations begun before this are out of date */
    int64_t observing;        /* reads under way */
    bool ddl_busy;
    bool proven;      /* a login worked, and none has failed since */
    bool trying;      /* somebody logs in to a server that is not proven */
    int64_t backends; /* learned; 0: unknown */
    int64_t down_until_ms;
    unsigned down_count;
    struct fault down;
};

/* While waiting for another thread, look up at least this often: the stop signal is an
 * eventfd and cannot wake a condition variable. */
#define LANE_WAIT_SLICE_MS 100
/* Waits a slice for another thread's signal; the lane's lock is held. */
void lane_wait_slice(struct lane *lane);

#endif

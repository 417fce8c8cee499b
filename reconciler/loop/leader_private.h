/* leader_private: what leader.c (the algorithm) and leader_thread.c (checks, thread, what
 * others ask) share. */
#ifndef LOOP_LEADER_PRIVATE_H
#define LOOP_LEADER_PRIVATE_H

#include "base/arena.h"
#include "kube/lease.h"
#include "loop/leader.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

struct leader {
    struct fence fence; /* the first: may_write() gets it */
    struct arena *arena;
    struct leader_options options; /* own copies */
    const struct clock *clock;
    struct lg *lg;
    struct kube_api api;

    /* For all threads. */
    _Atomic int state;
    _Atomic int64_t until_ms;   /* it may write before that */
    _Atomic int64_t renewed_ms; /* when the last request that renewed was sent */
    _Atomic int64_t slow_paths;

    /* The lease thread's; others' once it has ended. */
    struct rng rng;
    struct json *object; /* as last read or written; NULL: there is none */
    struct lease_record observed;
    int64_t observed_ms; /* when its record was seen to change */
    char why[600];       /* it was lost */

    struct cancel own, won; /* ends the thread; tells of the victory */
    struct cancel *stop;    /* of the process; fired on loss */
    pthread_t thread;
    bool started;
};

void leader_algorithm_init(struct leader *leader, struct kube_transport *transport);
void leader_has_won(struct leader *leader);

#endif

/*
 * workers: the threads that take keys from the queue, each with one attempt at a time.
 * They wait until both caches are complete: before that, connections would seem missing.
 *
 * Threads are started as they are needed: one stands ready for the next key, and when it
 * takes one and nobody else is ready, one more is started; whoever finds others ready
 * after its work ends, and with it what the allocator keeps for it. At most `count` are
 * at work at once; those that only wait for a server which has fallen silent are not
 * counted, so that they hold up nobody (lanes limit how many can be). The last place is
 * kept for urgent keys, for the rest may be busy for minutes.
 */
#ifndef LOOP_WORKERS_H
#define LOOP_WORKERS_H

#include "loop/loop.h"

#define WORKERS_MAX 64

struct workers;

/* `count` of them, at most WORKERS_MAX; none runs before workers_start(). `loop` outlives
 * them. */
struct workers *workers_new(struct loop *loop, int count);
/* false (FAULT_UNAVAILABLE): the system has no thread left. Stop it all the same. */
MUST_CHECK bool workers_start(struct workers *workers, struct fault *fault);
/* Closes the queue, waits for running attempts and frees; NULL is fine. */
void workers_stop(struct workers *workers);
/* Whether a worker is busy beyond every deadline that it has: only a restart helps. */
bool workers_stuck(struct workers *workers);
/* Both caches are complete. */
bool workers_synced(const struct loop *loop);
/* Waits for that; false when the loop stops first. */
bool workers_wait_synced(struct loop *loop);

#endif

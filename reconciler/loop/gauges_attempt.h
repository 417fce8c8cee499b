/*
 * gauges_attempt: what the end of an attempt means for metrics. Called once by the frame
 * of each reconcile (reconcile.c, conn.c), whatever the attempt came to; an attempt that
 * was parked, or was cancelled by the stop, came to nothing and is not told.
 */
#ifndef LOOP_GAUGES_ATTEMPT_H
#define LOOP_GAUGES_ATTEMPT_H

#include "loop/attempt.h"

/*
 * `fault` NULL: it was done. `again_ms`: in how many ms it asked to come back; 0: not at
 * all. Counts result, duration, drift that was undone, and remembers what status says.
 */
void gauges_attempt(struct attempt *a, const struct fault *fault, int64_t again_ms);
/* The same for a look at a connection that began at `began_ms` (monotonic). */
void gauges_look(struct loop *loop, int64_t began_ms, const struct fault *fault,
                 int64_t again_ms);
/* A statement was sent to a database and answered. */
void gauges_statement(struct attempt *a, const struct plan_step *step, bool done,
                      int64_t duration_ms);

#endif

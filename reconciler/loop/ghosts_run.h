/*
 * ghosts_run: carries out PLAN_DELETE_GHOSTS. What a ghost is, and why deleting it now is
 * right: ddl/ghosts.h. Running it again does no harm, and nothing of it need be
 * remembered.
 */
#ifndef LOOP_GHOSTS_RUN_H
#define LOOP_GHOSTS_RUN_H

#include "loop/attempt.h"

/* Keys that two pages have in common, to see that none was passed over. */
#define GHOSTS_OVERLAP 1000
/* So often the whole list is read when keys come and go meanwhile. */
#define GHOSTS_PASSES_MAX 5

/*
 * Each DELETE is a statement of its own in the audit; an Event tells how many rows went.
 * Wants the attempt's observations and both sessions. Faults: FAULT_CONFLICT when the
 * successor is not seen paused, an object went, or the list would not hold still; those
 * of reading and of StarRocks.
 */
MUST_CHECK bool ghosts_run(struct attempt *a, const struct plan_step *step,
                           struct fault *fault);

#endif

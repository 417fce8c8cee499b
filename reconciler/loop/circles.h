/*
 * circles: two ways in which a controller can run for ever without getting anywhere.
 *
 * A statement is accepted, has no effect, and is next again. Compared is the first
 * statement of the last round with the first of this one: what is left of a plan begins
 * with another one, and so does every other plan. It is said once, then tried again after
 * a pause that grows, for what was made may simply have been lost since.
 *
 * Or somebody undoes what is put right. The same drift is corrected a few times within
 * ten minutes (memo.h), then it is said and left for a while; a source's address and
 * account once within an hour (altered.h).
 */
#ifndef LOOP_CIRCLES_H
#define LOOP_CIRCLES_H

#include "loop/attempt.h"

/*
 * Whether the plan's first statement, which is about to run, may do so. Faults are
 * FAULT_REFUSED: AlterFailed with StarRocks' words when its effect was given up there,
 * DefinitionChanged, StreamObjectMissing for a drift that comes back.
 */
MUST_CHECK bool circles_check(struct attempt *a, struct fault *fault);
/* The plan's first statement came through. */
void circles_note(struct attempt *a, const struct plan_step *step);
/* What a statement is known by here: another password makes another one of it, although
 * its redacted text is the same. */
const char *circles_id(const struct attempt *a, const struct plan_step *step);

#endif

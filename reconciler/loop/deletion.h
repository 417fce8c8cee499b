/*
 * deletion: what happens to a TableSync that is being deleted, by its policy.
 *
 * Retain drops nothing. DeleteStream drops the sinks, the CDC table and the source nobody
 * else uses. Delete also drops the StarRocks table if its mark is ours. The finalizer
 * goes last. What cannot be reached is said in status; the orphan annotation lets go at
 * once.
 */
#ifndef LOOP_DELETION_H
#define LOOP_DELETION_H

#include "loop/steps.h"

enum step_result deletion_run(struct attempt *a, struct fault *fault);

#endif

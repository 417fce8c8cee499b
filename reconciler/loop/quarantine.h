/*
 * quarantine: a resource at which the controller died again and again is left alone, so
 * that it does not take all others down with it. Decided by crash.h's record, which
 * survives the process: twice in a day, at work on the same state of the same object (its
 * spec, its annotations, whether it is being deleted). Another state, another version of
 * the controller or the annotation tablesync.dev/retry give it a new chance.
 */
#ifndef LOOP_QUARANTINE_H
#define LOOP_QUARANTINE_H

#include "loop/loop.h"

#define QUARANTINE_CRASHES 2
#define QUARANTINE_REASON "QuarantinedAfterCrash"

/* This thread is at work on a queue key; the result is for crash_leave(). */
struct crash_subject quarantine_enter(const struct loop *loop, const char *key);
/* false: FAULT_REFUSED "QuarantinedAfterCrash". */
MUST_CHECK bool quarantine_admits(const struct loop *loop, const char *key,
                                  struct fault *fault);
/* Somebody asked for another attempt. */
void quarantine_lift(const struct loop *loop, const char *key);

#endif

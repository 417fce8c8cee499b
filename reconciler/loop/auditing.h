/*
 * auditing: what the controller tells about the state of its audit: a log line, a gauge
 * and a Warning Event. The Event is on the controller's own Pod, when it was told which
 * that is; otherwise on the TableSync whose attempt next has something to record, for
 * its users miss the record.
 */
#ifndef LOOP_AUDITING_H
#define LOOP_AUDITING_H

#include "loop/attempt.h"

#define AUDITING_TEND_MS INT64_C(1000)

/* Lets the audit try again when it is time to, and tells what is new. Every
 * AUDITING_TEND_MS, by a thread that may wait for the disk. */
void auditing_tend(struct loop *loop);
/* Tells what is new on the attempt's TableSync, unless there is a Pod for it. */
void auditing_tell(struct attempt *a);
/* The record was not made because the audit is degraded: the log says so, once. */
bool auditing_is_told(const struct fault *fault);

#endif

/*
 * waits: has come true what a statement of a plan must wait for? From observations and a
 * look at the one server that knows, never from what was sent.
 *
 * The delicate one is WAIT_DELIVERED, the end of replacing a sink. Both sinks write the
 * same rows of the same CDC table, each with its own log store, and the new one (the
 * successor) first sends every row the table holds. Dropping the old one early could
 * leave a gap: a deletion that only the old log store holds would never arrive, for a
 * backfill carries no deletions. Dropping it late could leave an older value over a newer
 * one: a lagging writer delivers last. So the successor is paused as soon as its backfill
 * is done. Whatever it has delivered by then is older than the moment t at which it was
 * seen paused, and whatever is newer lies in its log store. Once the oldest change that
 * the old sink still keeps is younger than t (verified 36: min(kv_log_store_epoch)), the
 * old one has delivered everything up to t, so all that the successor wrote was written
 * once more by the old one, deletions included, in the order in which MySQL made them.
 * What comes after t the successor delivers when it is resumed: the old one may have
 * delivered a part of that too, and each such row comes again, in order, from the
 * successor. No gap, and the last writer of every key is the newest.
 *
 * A sink that is retired without having delivered all (ddl/plan_rotate.c) is paused
 * before its successor is made; what it had in its hands then is committed at its next
 * commit, and must be there before the successor writes its first row.
 *
 * t is the server's own clock, taken at the first look in this process that finds the
 * successor paused; a later t is as good, so a restart of the controller merely begins
 * anew. An unknown oldest change proves nothing: an idle healthy sink's is a few seconds
 * old, for the log store holds barriers too.
 */
#ifndef LOOP_WAITS_H
#define LOOP_WAITS_H

#include "loop/attempt.h"

/*
 * *out_waiting: what the step still waits for, in words that do not change while it does
 * (in the attempt's arena); NULL: it may run. Wants the attempt's observations and, for
 * what only the log store or the snapshot's progress tells, RisingWave's session. Faults:
 * those of reading; FAULT_CONFLICT when an object went meanwhile.
 */
MUST_CHECK bool waits_check(struct attempt *a, const struct plan_step *step,
                            const char **out_waiting, struct fault *fault);
/* A sink that is to be made beside paused ones: not in one go with what comes before. */
bool waits_for_rest(const struct attempt *a, const struct plan_step *step);

#endif

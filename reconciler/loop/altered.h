/*
 * altered: shared sources whose address or account was altered a short while ago. The
 * reader of such a source restarts, which takes about two minutes without changes and
 * loses none (verified 12, 37): until its saved position is newer than the alteration,
 * missing progress means nothing. It is remembered per source, in this process only
 * (memo.h): after a restart of the controller the ordinary rules hold at once.
 */
#ifndef LOOP_ALTERED_H
#define LOOP_ALTERED_H

#include "loop/attempt.h"

/* The ordinary rules hold again after this, whatever the position says. */
#define ALTERED_PATIENCE_MS INT64_C(600000)
/* The same alteration is not sent again within this: each restarts the reader. */
#define ALTERED_AGAIN_MS INT64_C(3600000)

/* The attempt's source was altered just now, by this statement of its plan. */
void altered_note(struct attempt *a, const struct plan_step *step);
/* It was reset within ALTERED_PATIENCE_MS: an older position may still be shown. */
bool altered_was_reset(const struct attempt *a);
/*
 * The position of the attempt's source is (not) lost, by what was just read: since when
 * it is, in ms of the monotonic clock. Two looks apart tell it from a source that reads
 * on while MySQL deletes what it has left behind.
 */
int64_t altered_lost_since(const struct attempt *a);
void altered_not_lost(const struct attempt *a);
/* Whether its reader may still be on its way. */
bool altered_is_recent(const struct attempt *a);
/* The same, once the saved position is known; forgets the alteration when it is over. */
bool altered_catches_up(const struct attempt *a, const struct rw_offset *offset);
/*
 * Before a plan that begins with PLAN_ALTER_SOURCE is carried out. Faults: FAULT_REFUSED
 * SourceFailed when this very alteration was made lately and is to be made again.
 */
MUST_CHECK bool altered_check(struct attempt *a, struct fault *fault);

#endif

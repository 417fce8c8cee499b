/* retry: when a faulty attempt is followed by the next, and what status says about it. */
#ifndef LOOP_RETRY_H
#define LOOP_RETRY_H

#include "loop/attempt.h"

#define RETRY_SOON_MS 300

/* Sets a->requeue_ms and status' retries and nextRetryAt after `fault`. */
void retry_schedule(struct attempt *a, const struct fault *fault, bool stalled);
/* Whom failures are about, for queue_identify(): those of another generation, or of a
 * namesake that was there before, do not count. */
uint64_t retry_identity(const struct attempt *a);
/* This very fault was there at the last look already, and looks go on: neither the audit
 * nor status need to say it again. */
bool retry_is_told(const struct attempt *a, const struct fault *fault);

#endif

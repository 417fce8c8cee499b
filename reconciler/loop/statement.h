/* statement: one statement on its way to a server, between two lines of the audit. */
#ifndef LOOP_STATEMENT_H
#define LOOP_STATEMENT_H

#include "loop/attempt.h"

/*
 * Audit intent, the statement through the attempt's session, audit result, a line in the
 * log. What the driver needs for it is taken from `arena`: many statements in a row need
 * not stay in the attempt's. Nothing is sent when the loop's fence says no; it is asked
 * before the intent and again right before the session. Faults: the fence's, the
 * server's.
 */
MUST_CHECK bool statement_run(struct attempt *a, const struct plan_step *step,
                              struct arena *arena, struct fault *fault);

#endif

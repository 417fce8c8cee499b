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

/* --- the two lines of the audit by themselves, for statements that only read --- */
/* Opens the run if need be; 0: it was not recorded. */
int64_t statement_intent(struct attempt *a, const char *system, const struct stmt *stmt,
                         struct arena *arena);
/* `result` NULL: it has no notices; `fault` counts unless it was done. */
void statement_result(struct attempt *a, int64_t step, bool done,
                      const struct db_result *result, const struct fault *fault,
                      int64_t duration_ms);

#endif

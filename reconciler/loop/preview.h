/*
 * preview: the same steps as a reconcile, up to the plan, without the ones that write.
 * For `tablesync plan` and `tablesync check`.
 */
#ifndef LOOP_PREVIEW_H
#define LOOP_PREVIEW_H

#include "loop/attempt.h"

/*
 * Calls `visit` with the attempt once its plan is made. The resource and its connections
 * must be in the loop's stores. Faults are those of the steps.
 */
MUST_CHECK bool loop_preview(struct loop *loop, const char *key,
                             void (*visit)(void *context, struct attempt *a),
                             void *context, struct fault *fault);

/*
 * The same, but what the pre-flight finds stops nothing (it is in attempt.findings), and
 * `visit` is called however far the steps came, once the spec was accepted and the three
 * servers let us in: with the fault that ended them, NULL when the plan was made. Faults:
 * those of the steps before.
 */
MUST_CHECK bool loop_check(struct loop *loop, const char *key,
                           void (*visit)(void *context, struct attempt *a,
                                         const struct fault *stopped),
                           void *context, struct fault *fault);

#endif

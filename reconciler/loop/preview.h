/*
 * preview: the same steps as a reconcile, up to the plan, without the ones that write.
 * For `tablesync plan`.
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

#endif

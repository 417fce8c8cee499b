/* publish: one status write, and only if it says something new. */
#ifndef LOOP_PUBLISH_H
#define LOOP_PUBLISH_H

#include "loop/loop.h"

/*
 * Server-side apply of `status` (borrowed) on the object it was computed from, guarded by
 * that object's resourceVersion. *out_written: something was sent and stored;
 * *out_answered is then the caller's. Faults: FAULT_CONFLICT when the object changed or
 * was removed meanwhile (a stale view must not provision what is gone), FAULT_BUG when
 * the schema refused it.
 */
MUST_CHECK bool publish_status(struct loop *loop, const struct kube_resource *resource,
                               const struct json *object, const struct json *status,
                               struct arena *arena, struct cancel *cancel,
                               bool *out_written, struct json **out_answered,
                               struct fault *fault);

/*
 * For a write that was refused because the object is not what it was computed from: reads
 * it again, so that the next attempt begins from what there is even while the watch is
 * silent, and sets FAULT_CONFLICT with the sentence. Always false.
 */
bool publish_conflict(struct loop *loop, const struct kube_resource *resource,
                      const struct json *object, struct cancel *cancel,
                      const char *sentence, struct fault *fault);

#endif

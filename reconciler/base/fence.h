/*
 * fence: the question that stands before every write to the outside, be it a statement, a
 * status or an Event: are we still the one who may write? (loop/leader.h answers it.)
 */
#ifndef BASE_FENCE_H
#define BASE_FENCE_H

#include "base/attr.h"
#include "base/fault.h"

#include <stdbool.h>

struct fence {
    /* false: FAULT_CANCELLED "NotLeader". Cheap, never blocks, thread-safe. */
    bool (*may_write)(const struct fence *self, struct fault *fault);
};

/* A fence of NULL lets everything pass: there is nobody else. */
static inline bool fence_check(const struct fence *fence, struct fault *fault)
{
    return fence == NULL || fence->may_write(fence, fault);
}

#endif

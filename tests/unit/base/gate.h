/* gate: a fence that opens a number of times and then stays shut, as at the end of a
 * lease. */
#ifndef UNIT_GATE_H
#define UNIT_GATE_H

#include "base/fence.h"

#include <stdint.h>

struct gate {
    struct fence fence;
    int asked, allowed; /* how often it was, how often it says yes */
};

static inline bool may_write(const struct fence *fence, struct fault *fault)
{
    struct gate *gate = (struct gate *)(uintptr_t)fence;

    gate->asked++;
    return gate->asked <= gate->allowed
               ? true
               : fault_set(fault, FAULT_CANCELLED, "NotLeader", "not the leader");
}

#endif

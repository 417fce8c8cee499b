/*
 * conditions: the closed list of condition types and of the reasons each may carry
 * (conditions.def, which also writes the README's table). Reasons a fault carries are
 * looked up here: the row says to which condition it belongs and whether it stalls the
 * resource.
 */
#ifndef MODEL_CONDITIONS_H
#define MODEL_CONDITIONS_H

#include <stdbool.h>
#include <stddef.h>

enum condition {
    CONDITION_NONE = 0,
#define CONDITION(name, type, meaning) CONDITION_##name,
#define REASON(condition, reason, status, stalls, meaning, remedy)
#include "model/conditions.def"
#undef CONDITION
#undef REASON
    CONDITION_MAX
};

struct reason_row {
    enum condition condition;
    bool stalls; /* only a change made by a person helps: Stalled=True */
    const char *reason;
    const char *status; /* "True", "False", "Unknown" */
    const char *meaning, *remedy;
};

const char *condition_type(enum condition condition); /* "ConnectionsReady" */
const char *condition_meaning(enum condition condition);
/* First row with this reason (of this condition unless CONDITION_NONE); NULL: none. */
const struct reason_row *reason_find(enum condition condition, const char *reason);
const struct reason_row *reason_rows(size_t *out_count);

#endif

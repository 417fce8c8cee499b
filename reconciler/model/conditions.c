#include "model/conditions.h"

#include "base/attr.h"

#include <string.h>

static const struct {
    const char *type, *meaning;
} condition_names[CONDITION_MAX] = {
    [CONDITION_NONE] = {"", ""},
#define CONDITION(name, type, meaning) [CONDITION_##name] = {type, meaning},
#define REASON(condition, reason, status, stalls, meaning, remedy)
#include "model/conditions.def"
#undef CONDITION
#undef REASON
};

static const struct reason_row reasons[] = {
#define CONDITION(name, type, meaning)
#define REASON(condition, reason, status, stalls, meaning, remedy)                       \
    {CONDITION_##condition, stalls, reason, status, meaning, remedy},
#include "model/conditions.def"
#undef CONDITION
#undef REASON
};

static bool is_condition(enum condition condition)
{
    return (int)condition >= 0 && condition < CONDITION_MAX;
}

const char *condition_type(enum condition condition)
{
    return is_condition(condition) ? condition_names[condition].type : "";
}

const char *condition_meaning(enum condition condition)
{
    return is_condition(condition) ? condition_names[condition].meaning : "";
}

const struct reason_row *reason_find(enum condition condition, const char *reason)
{
    for (size_t i = 0; i < COUNT_OF(reasons); i++) {
        bool here = condition == CONDITION_NONE || condition == reasons[i].condition;
        if (here && strcmp(reasons[i].reason, reason) == 0) {
            return &reasons[i];
        }
    }
    return NULL;
}

const struct reason_row *reason_rows(size_t *out_count)
{
    *out_count = COUNT_OF(reasons);
    return reasons;
}

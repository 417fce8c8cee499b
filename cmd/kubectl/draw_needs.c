/* The end of the picture: conditions that ask for somebody, or for patience. */
#include "cmd/kubectl/draw.h"
#include "model/conditions.h"

#include <string.h>

static enum condition type_of(const char *name)
{
    for (int i = CONDITION_NONE + 1; i < CONDITION_MAX; i++) {
        if (strcmp(condition_type((enum condition)i), name) == 0) {
            return (enum condition)i;
        }
    }
    return CONDITION_NONE;
}

/* What is fine needs nobody. A reason that this program does not know yet counts when it
 * says that something does not hold. */
static bool is_fine(const struct json *condition, const struct reason_row *row)
{
    if (row == NULL) {
        return !draw_is(condition, "status", "False");
    }
    return strcmp(row->remedy, "Nothing to do.") == 0 ||
           strcmp(row->remedy, "Wait.") == 0;
}

static bool sums_up(enum condition type)
{
    return type == CONDITION_READY || type == CONDITION_RECONCILING ||
           type == CONDITION_STALLED;
}

static void draw_one(struct draw *d, const struct json *c, const struct reason_row *row)
{
    bool stalls = row != NULL && row->stalls;

    buf_addc(d->out, '\n');
    draw_add(d, stalls ? DRAW_BAD : DRAW_WAITING, json_get_string(c, "type"));
    buf_addz(d->out, "  ");
    draw_add(d, DRAW_PLAIN, json_get_string(c, "reason"));
    buf_addz(d->out, stalls ? "  (waits for a person)\n  " : "\n  ");
    draw_add(d, DRAW_PLAIN, json_get_string(c, "message"));
    buf_addc(d->out, '\n');
}

void draw_needs(struct draw *d, const struct json *sync)
{
    const struct json *ready = draw_condition(sync, "Ready");
    const char *reason = json_get_string(ready, "reason");
    bool told = draw_is(ready, "status", "True");

    for (const struct json *c = json_first(json_path(sync, "status.conditions"));
         c != NULL; c = json_next(c)) {
        const char *type = json_get_string(c, "type");
        const char *why = json_get_string(c, "reason");
        enum condition condition = type_of(type == NULL ? "" : type);
        const struct reason_row *row = reason_find(condition, why == NULL ? "" : why);

        if (!sums_up(condition) && !is_fine(c, row)) {
            draw_one(d, c, row);
            told = told || (reason != NULL && draw_is(c, "reason", reason));
        }
    }
    if (ready != NULL && !told) {
        draw_one(d, ready, reason_find(CONDITION_NONE, reason == NULL ? "" : reason));
    }
}

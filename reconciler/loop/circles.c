#include "loop/circles.h"

#include "loop/altered.h"
#include "loop/memo.h"

const char *circles_id(const struct attempt *a, const struct plan_step *step)
{
    const char *source = a->bindings[BIND_SOURCE].credentials.version;
    const char *target = a->bindings[BIND_TARGET].credentials.version;

    return arena_printf(a->arena, "%s %s %s", step->id, source == NULL ? "" : source,
                        target == NULL ? "" : target);
}

/* A correction that failed, and is tried again, is none: only drift from a state that was
 * whole counts. */
static bool corrects(const struct attempt *a)
{
    return a->drifted && attempt_was_converged(a);
}

void circles_note(struct attempt *a, const struct plan_step *step)
{
    memo_accept(a->loop->memo, a->key, circles_id(a, step));
    if (corrects(a)) {
        memo_corrected(a->loop->memo, a->key, step->id,
                       clock_monotonic_ms(a->loop->ports.clock));
    }
}

static bool refuse_circles(struct attempt *a, struct fault *fault)
{
    const struct plan_step *first = &a->plan.steps.v[0];
    const struct sr_table *target = attempt_target(a);

    if (!memo_accepted(a->loop->memo, a->key, circles_id(a, first))) {
        return true;
    }
    memo_accept(a->loop->memo, a->key, NULL);
    if ((first->kind == PLAN_ALTER_TARGET || first->kind == PLAN_DROP_TARGET_COLUMN) &&
        target != NULL && target->alter_failed != NULL) {
        return fault_set(fault, FAULT_REFUSED, "AlterFailed",
                         "StarRocks accepted '%s %s' and gave it up later: %s",
                         first->sentence, first->object, target->alter_failed);
    }
    return fault_set(fault, FAULT_REFUSED, "DefinitionChanged",
                     "the servers accepted '%s %s' and yet it is still to be done; "
                     "something else may be changing it",
                     first->sentence, first->object);
}

/* Somebody undoes each time what is put right. */
static bool refuse_tug_of_war(struct attempt *a, struct fault *fault)
{
    const struct plan_step *first = &a->plan.steps.v[0];

    if (!corrects(a) || memo_may_correct(a->loop->memo, a->key, first->id,
                                         clock_monotonic_ms(a->loop->ports.clock))) {
        return true;
    }
    return fault_set(fault, FAULT_REFUSED, "StreamObjectMissing",
                     "'%s %s' was done %d times within %d minutes, and each time "
                     "somebody undid it; find out who, or set spec.drift.policy to "
                     "Observe. It is tried again after a pause that grows",
                     first->sentence, first->object, MEMO_CORRECTIONS_MAX,
                     (int)(MEMO_CORRECTIONS_MS / 60000));
}

bool circles_check(struct attempt *a, struct fault *fault)
{
    return refuse_circles(a, fault) && refuse_tug_of_war(a, fault) &&
           altered_check(a, fault);
}

#include "loop/altered.h"

#include "loop/circles.h"
#include "loop/memo.h"

/* "namespace/connection schema.source": one source of one RisingWave. */
static const char *source_key(const struct attempt *a)
{
    return arena_printf(a->arena, "%s/%s %.*s.%.*s", a->sync.namespace,
                        a->bindings[BIND_RISINGWAVE].conn.name,
                        SV_ARGS(ident_name(a->desired.rw_schema)),
                        SV_ARGS(ident_name(a->desired.source_name)));
}

static bool is_within(const struct attempt *a, struct memo_time altered, int64_t span_ms)
{
    int64_t now_ms = clock_monotonic_ms(a->loop->ports.clock);

    return altered.wall_ms != 0 && now_ms - altered.monotonic_ms < span_ms;
}

void altered_note(struct attempt *a, const struct plan_step *step)
{
    struct memo *memo = a->loop->memo;
    const struct memo_time now = {clock_monotonic_ms(a->loop->ports.clock),
                                  clock_wall_ms(a->loop->ports.clock)};

    memo_altered(memo, source_key(a), circles_id(a, step), now);
    if (step->kind == PLAN_RESET_SOURCE) {
        memo_reset(memo, source_key(a), now);
    }
}

bool altered_was_reset(const struct attempt *a)
{
    return is_within(a, memo_reset_at(a->loop->memo, source_key(a)), ALTERED_PATIENCE_MS);
}

int64_t altered_lost_since(const struct attempt *a)
{
    return memo_lost_since(a->loop->memo, source_key(a),
                           clock_monotonic_ms(a->loop->ports.clock));
}

void altered_not_lost(const struct attempt *a)
{
    memo_not_lost(a->loop->memo, source_key(a));
}

static const struct plan_step *alteration(const struct attempt *a)
{
    for (VEC_EACH(const struct plan_step, s, &a->plan.steps)) {
        if (s->kind == PLAN_ALTER_SOURCE) {
            return s;
        }
    }
    return NULL;
}

bool altered_is_recent(const struct attempt *a)
{
    return is_within(a, memo_catches_up_since(a->loop->memo, source_key(a)),
                     ALTERED_PATIENCE_MS);
}

bool altered_catches_up(const struct attempt *a, const struct rw_offset *offset)
{
    struct memo_time altered = memo_catches_up_since(a->loop->memo, source_key(a));

    if (!is_within(a, altered, ALTERED_PATIENCE_MS)) {
        return false;
    }
    if (offset->event_ms <= altered.wall_ms) {
        return true;
    }
    memo_caught_up(a->loop->memo, source_key(a));
    return false;
}

bool altered_check(struct attempt *a, struct fault *fault)
{
    const struct plan_step *step = alteration(a);

    if (step == NULL ||
        !is_within(a, memo_altered_at(a->loop->memo, source_key(a), circles_id(a, step)),
                   ALTERED_AGAIN_MS)) {
        return true;
    }
    a->failed = CONDITION_SOURCE_READY;
    return fault_set(fault, FAULT_REFUSED, "SourceFailed",
                     "RisingWave accepted '%s %s' a short while ago and shows the old "
                     "settings again; something else may be changing them. As each such "
                     "change stops the source for minutes, it is not sent again before "
                     "an hour has passed",
                     step->sentence, step->object);
}

/* What may befall the controller itself, drawn by lot. */
#include "chaos.h"

#include "shop.h"

static uint64_t draw(struct sim *sim, uint64_t bound)
{
    return rng_below(&sim->rng, bound);
}

/* From now on, until the next one of these. */
static void calls_break(struct sim *sim)
{
    static const uint64_t permille[] = {0, 0, 0, 10, 50, 200}, pauses[] = {0, 0, 3, 20};
    static const int64_t slow_ms[] = {0, 0, 0, 300, 5000, 40000};

    sim_plan(sim, SIM_RANDOM, 0, 0);
    sim->faults.permille = permille[draw(sim, COUNT_OF(permille))];
    sim->faults.pauses = pauses[draw(sim, COUNT_OF(pauses))];
    sim->faults.slow_ms = slow_ms[draw(sim, COUNT_OF(slow_ms))];
}

/* Its store stays several events behind; or it has lost them and lists again. */
static void the_watch_suffers(struct sim *sim)
{
    switch (draw(sim, 3)) {
    case 0:
        sim->kube->holds = true;
        break;
    case 1:
        sim->kube->holds = false;
        break;
    default:
        fake_kube_relist(sim->kube);
        break;
    }
}

static void a_statement_is_refused(struct sim *sim)
{
    static const enum plan_kind kinds[] = {0,
                                           0,
                                           0,
                                           PLAN_CREATE_SOURCE,
                                           PLAN_CREATE_TABLE,
                                           PLAN_COMMENT_TABLE,
                                           PLAN_CREATE_SINK,
                                           PLAN_ALTER_SINK,
                                           PLAN_DROP_SINK,
                                           PLAN_DROP_TABLE};

    shop_rw(sim)->refuses = kinds[draw(sim, COUNT_OF(kinds))];
}

/* The finalizer of a living resource, or of one that waits for it. */
static void hands_at_finalizers(struct sim *sim)
{
    for (size_t i = 0; i < sim->kube->objects.n; i++) {
        const struct fake_object *o = sim->kube->objects.v[i];

        if (strcmp(o->plural, "tablesyncs") == 0 && draw(sim, 3) == 0) {
            fake_kube_strip(sim->kube, "tablesyncs", SHOP, o->name);
            return;
        }
    }
}

void chaos_trouble(struct sim *sim)
{
    uint64_t what = draw(sim, 20);

    if (what < 8) {
        calls_break(sim);
    } else if (what < 12) {
        the_watch_suffers(sim);
    } else if (what < 14) {
        a_statement_is_refused(sim);
    } else if (what < 16) {
        hands_at_finalizers(sim);
    } else if (what < 18) {
        chaos_namesake(sim);
    } else {
        sim_hand_over(sim);
    }
}

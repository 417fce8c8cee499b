#include "history.h"

#include "chaos.h"
#include "guard.h"
#include "kube/api.h"
#include "shop.h"

#include <stdio.h>

#define PEACE_MS (90 * MINUTE_MS)
#define SETTLING_MS (15 * MINUTE_MS)

static bool only_the_living(struct sim *sim)
{
    return chaos_left(sim) == 0 && shop_all_gone(sim);
}

/* Many short ones, some of a working day, few that are long. */
static int64_t acts_of(struct sim *sim)
{
    uint64_t size = rng_below(&sim->rng, 20);

    if (size < 14) {
        return 20 + (int64_t)rng_below(&sim->rng, 60);
    }
    return size < 19 ? 100 + (int64_t)rng_below(&sim->rng, 200)
                     : 500 + (int64_t)rng_below(&sim->rng, 500);
}

/* In two of three histories most troubles pass soon, so that much is begun and ended. */
static void act(struct sim *sim, bool gentle)
{
    if (rng_below(&sim->rng, gentle ? 10 : 5) == 0) {
        chaos_trouble(sim);
    } else {
        chaos_step(sim);
    }
    guard_look(sim);
    sim_run_for(sim, (int64_t)rng_below(&sim->rng, 20000));
    if (gentle && rng_below(&sim->rng, 3) == 0) {
        chaos_heal(sim);
        sim_run_for(sim, (int64_t)rng_below(&sim->rng, 60000));
    }
}

static bool all(struct sim *sim, bool (*of)(struct sim *sim, const char *name))
{
    for (size_t i = 0; i < sim->kube->objects.n; i++) {
        const struct fake_object *o = sim->kube->objects.v[i];

        if (strcmp(o->plural, "tablesyncs") == 0 &&
            (kube_deleting(o->json) || !of(sim, o->name))) {
            return false;
        }
    }
    return true;
}

static bool is_settled_or_waits(struct sim *sim, const char *name)
{
    return chaos_is_settled(sim, name) || chaos_is_in_the_way(sim, name);
}

static bool nobody_is_busy(struct sim *sim)
{
    return all(sim, is_settled_or_waits);
}

static bool all_are_settled(struct sim *sim)
{
    return all(sim, chaos_is_settled);
}

static void make_peace(struct sim *sim)
{
    chaos_end(sim);
    /* A while in which it notices everything, and then as long as it needs. */
    sim_run_for(sim, SETTLING_MS);
    check_run_until(sim, nobody_is_busy, PEACE_MS);
    guard_remove_strangers(sim);
    chaos_sweep(sim);
    shop_add(sim, (struct shop_sync){.name = "last", .table = "users", .target = "last"});
    sim_run_for(sim, SETTLING_MS);
    check_run_until(sim, all_are_settled, PEACE_MS);
    chaos_load_anew(sim);
    check_run_until(sim, chaos_is_loaded, PEACE_MS);
    check_quiet_looks(sim, 3);
    check_world(sim);
    check_audit(sim);
}

void history_run(uint64_t seed, struct history_counts *out_counts)
{
    const struct sim_options options = {.seed = seed, .scatter = true};
    struct sim *sim = shop_open(&options);
    bool gentle = rng_below(&sim->rng, 3) > 0;
    int64_t acts = acts_of(sim);

    (void)snprintf(sim->label, sizeof(sim->label),
                   "seed %llu: ", (unsigned long long)seed);
    guard_begin(sim);
    guard_add_strangers(sim);
    for (int64_t i = 0; i < acts; i++) {
        act(sim, gentle);
        check_sane(sim);
    }
    make_peace(sim);
    chaos_delete_all(sim);
    check_run_until(sim, only_the_living, PEACE_MS);
    check_audit(sim);
    check_sane(sim);
    *out_counts = (struct history_counts){.steps = sim->steps + acts,
                                          .reconciles = sim->counts.reconciles,
                                          .takeovers = sim->counts.takeovers,
                                          .restarts = sim->counts.restarts,
                                          .digest = sim->history};
    shop_close(sim);
}

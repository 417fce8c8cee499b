/*
 * Seeded histories of everything at once: users, drift, outages, crashes, lost answers
 * and a watch that is late. Then peace: it must converge, rest, and clean up behind
 * itself.
 *
 * SIM_SEED=n replays one history, SIM_HISTORIES=n runs so many.
 */
#include "shop.h"

#include "chaos.h"
#include "kube/api.h"

#include <stdio.h>
#include <stdlib.h>

#define HISTORIES (SIM_SLOWER > 1 ? 3 : 8)
#define STEPS 300
#define PEACE_MS (90 * MINUTE_MS)

static bool only_the_living(struct sim *sim)
{
    return chaos_left(sim) == 0 && shop_all_gone(sim);
}

static void run_history(uint64_t seed)
{
    const struct sim_options options = {.seed = seed, .scatter = true};
    struct sim *sim = shop_open(&options);

    (void)snprintf(sim->label, sizeof(sim->label),
                   "SIM_SEED=%llu: ", (unsigned long long)seed);
    for (int i = 0; i < STEPS; i++) {
        chaos_step(sim);
        sim_run_for(sim, (int64_t)rng_below(&sim->rng, 20000));
        check_sane(sim);
    }
    chaos_end(sim);
    sim_run_for(sim, PEACE_MS);
    chaos_sweep(sim);
    shop_add(sim, (struct shop_sync){.name = "last", .table = "users", .target = "last"});
    sim_run_for(sim, PEACE_MS);
    chaos_load_anew(sim);
    check_run_until(sim, chaos_is_loaded, PEACE_MS);
    check_quiet_looks(sim, 5);
    check_world(sim);
    check_audit(sim);
    chaos_delete_all(sim);
    check_run_until(sim, only_the_living, PEACE_MS);
    check_audit(sim);
    shop_close(sim);
}

static void histories_end_well(void **state)
{
    const char *seed = getenv("SIM_SEED"), *count = getenv("SIM_HISTORIES");
    int64_t first = 1, histories = HISTORIES;

    (void)state;
    if (seed != NULL) {
        assert_true(sv_int64(sv_from(seed), &first));
        histories = 1;
    } else if (count != NULL) {
        assert_true(sv_int64(sv_from(count), &histories));
    }
    for (int64_t i = first; i < first + histories; i++) {
        run_history((uint64_t)i);
    }
}

int run_random_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(histories_end_well),
    };

    return cmocka_run_group_tests_name("random", tests, NULL, NULL);
}

/* A TableSync becomes Ready, truthfully, and then nothing is written any more. */
#include "shop.h"

static void one_becomes_ready_and_rests(void **state)
{
    const struct sim_options options = {.seed = 1};
    struct sim *sim = shop_open(&options);

    (void)state;
    shop_add(sim, (struct shop_sync){.name = "orders"});
    check_run_until(sim, shop_all_ready, 2 * MINUTE_MS);
    check_quiet(sim);
    check_world(sim);
    check_audit(sim);
    assert_string_equal(shop_phase(sim, "orders"), "Streaming");
    shop_close(sim);
}

int run_converge_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_becomes_ready_and_rests),
    };

    return cmocka_run_group_tests_name("converge", tests, NULL, NULL);
}

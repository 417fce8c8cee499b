/* Any one call may fail, lose its answer or be the controller's last: it converges. */
#include "shop.h"

static void add_two(struct sim *sim)
{
    shop_add(sim, (struct shop_sync){.name = "orders"});
    shop_add(sim, (struct shop_sync){.name = "users"});
}

static void converged(struct sim *sim)
{
    check_quiet_looks(sim, 2);
    check_world(sim);
    if (fake_rw_count(shop_rw(sim), FAKE_SOURCE, "tablesync") != 1) {
        check_fail(sim, "two tables of one database share one source");
    }
}

static const struct trial becoming_ready = {.name = "becoming ready",
                                            .prepare = add_two,
                                            .done = shop_all_ready,
                                            .verify = converged};

static void each_call_fails_once(void **state)
{
    (void)state;
    run_trials(&becoming_ready, SIM_FAIL);
}

static void each_answer_is_lost_once(void **state)
{
    (void)state;
    run_trials(&becoming_ready, SIM_LOSE);
}

static void crash_before_each_call(void **state)
{
    (void)state;
    run_trials(&becoming_ready, SIM_CRASH_BEFORE);
}

static void crash_after_each_call(void **state)
{
    (void)state;
    run_trials(&becoming_ready, SIM_CRASH_AFTER);
}

/* Another leader works meanwhile; then the first one wakes. */
static void leaders_change_at_each_call(void **state)
{
    (void)state;
    run_trials(&becoming_ready, SIM_PAUSE);
}

/* From call n on, nothing works for a while. */
static void a_long_outage_heals(void **state)
{
    const struct sim_options options = {.seed = 5};

    (void)state;
    for (int64_t at = 1; at < 120; at += 7) {
        struct sim *sim = shop_open(&options);

        add_two(sim);
        sim_plan(sim, at % 2 == 0 ? SIM_FAIL : SIM_LOSE, at, 60);
        check_run_until(sim, shop_all_ready, 60 * MINUTE_MS);
        converged(sim);
        check_audit(sim);
        shop_close(sim);
    }
}

int run_fault_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_call_fails_once),
        cmocka_unit_test(each_answer_is_lost_once),
        cmocka_unit_test(crash_before_each_call),
        cmocka_unit_test(crash_after_each_call),
        cmocka_unit_test(leaders_change_at_each_call),
        cmocka_unit_test(a_long_outage_heals),
    };

    return cmocka_run_group_tests_name("faults", tests, NULL, NULL);
}

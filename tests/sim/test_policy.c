/* Drift under each policy, and the target tables that are there before the first run. */
#include "living.h"

static bool is_out_of_sync(struct sim *sim)
{
    const char *status = shop_condition(sim, LIVING, "InSync");

    return strcmp(status, "True") != 0 && strcmp(status, "") != 0;
}

static struct sim *under(const char *policy, uint64_t seed)
{
    struct sim *sim = living_open(seed);

    living_edit(sim, "drift.policy", arena_printf(sim->arena, "\"%s\"", policy));
    sim_run_for(sim, 5000);
    sim_count_anew(sim);
    return sim;
}

static void drop_sink(struct sim *sim)
{
    fake_rw_remove(shop_rw(sim), living_sink(sim));
}

static void drop_table(struct sim *sim)
{
    fake_rw_drop_cascade(shop_rw(sim), living_stream(sim));
}

static void pause_sink(struct sim *sim)
{
    living_sink(sim)->rate_limit = 0;
}

static void drop_target(struct sim *sim)
{
    fake_sr_remove(shop_sr(sim), living_target(sim));
}

static void drop_target_column(struct sim *sim)
{
    living_target(sim)->table.columns.n--;
}

static void (*const correctable[])(struct sim *sim) = {drop_sink, drop_table, pause_sink};
static void (*const harmful[])(struct sim *sim) = {drop_target, drop_target_column};

static void correctable_drift_is_put_right(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(correctable); i++) {
        struct sim *sim = under("Correct", 91);

        correctable[i](sim);
        check_run_until(sim, is_out_of_sync, 5 * MINUTE_MS);
        assert_int_equal(fake_kube_events_of(sim->kube, LIVING, "DriftDetected"), 1);
        living_check_settled(sim);
        living_check_reason(sim, "InSync", "NoDrift");
        check_audit(sim);
        shop_close(sim);
    }
}

static void it_is_left_as_it_is_if_asked_for(const char *policy, const char *reason)
{
    for (size_t i = 0; i < COUNT_OF(correctable); i++) {
        struct sim *sim = under(policy, 92);

        correctable[i](sim);
        check_run_until(sim, is_out_of_sync, 5 * MINUTE_MS);
        living_check_reason(sim, "InSync", reason);
        sim_run_for(sim, 10 * MINUTE_MS);
        check_quiet_looks(sim, 3);
        assert_int_equal(sim->counts.applies, 0);
        living_edit(sim, "drift.policy", "\"Correct\"");
        check_run_until(sim, living_is_ready, 5 * MINUTE_MS);
        sim_run_for(sim, MINUTE_MS);
        living_check_settled(sim);
        living_check_reason(sim, "InSync", "NoDrift");
        shop_close(sim);
    }
}

static void drift_is_only_observed(void **state)
{
    (void)state;
    it_is_left_as_it_is_if_asked_for("Observe", "StreamObjectMissing");
}

static void drift_is_ignored(void **state)
{
    (void)state;
    it_is_left_as_it_is_if_asked_for("Ignore", "Ignored");
}

/* The spec's own changes are no drift, whatever the policy. */
static void what_the_spec_asks_for_is_no_drift(void **state)
{
    static const char *const policies[] = {"Observe", "Ignore"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(policies); i++) {
        struct sim *sim = under(policies[i], 93);

        living_edit(sim, "sink.commitCheckpointInterval", "25");
        sim_run_for(sim, 30000);
        assert_string_equal(living_sink(sim)->interval, "25");
        living_add(sim, "remark", "int");
        check_run_until(sim, living_has_new_sink, 10 * MINUTE_MS);
        living_check_settled(sim);
        shop_close(sim);
    }
}

/* Said with the difference, never undone; a re-sync makes it anew. */
static void a_changed_target_is_reported(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(harmful); i++) {
        struct sim *sim = under("Correct", 94);

        harmful[i](sim);
        check_run_until(sim, is_out_of_sync, 5 * MINUTE_MS);
        living_check_reason(sim, "InSync", "TargetDrift");
        living_check_reason(sim, "Ready", "TargetDrift");
        sim_run_for(sim, 30 * MINUTE_MS);
        assert_int_equal(sim->counts.applies, 0);
        living_resync(sim, "anew", "Recreate");
        check_run_until(sim, living_is_handled, 10 * MINUTE_MS);
        living_check_settled(sim);
        check_audit(sim);
        shop_close(sim);
    }
}

static void a_changed_target_may_be_ignored(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(harmful); i++) {
        struct sim *sim = under("Ignore", 95);

        harmful[i](sim);
        check_run_until(sim, is_out_of_sync, 5 * MINUTE_MS);
        living_check_reason(sim, "InSync", "Ignored");
        sim_run_for(sim, 10 * MINUTE_MS);
        check_quiet_looks(sim, 3);
        assert_int_equal(sim->counts.applies, 0);
        shop_close(sim);
    }
}

/* Deleted while no sink was there: the user is told, and a re-sync removes the rows. */
static void ghosts_of_a_lost_sink_are_told(void **state)
{
    struct sim *sim = under("Correct", 96);

    (void)state;
    drop_sink(sim);
    fake_mysql_delete(sim->db, living_table(sim), 3);
    sim_run_for(sim, 5 * MINUTE_MS);
    assert_true(living_is_ready(sim));
    assert_int_equal(fake_kube_events_of(sim->kube, LIVING, "PlanNote"), 1);
    check_world_but_ghosts(sim);
    living_resync(sim, "clean", "Truncate");
    check_run_until(sim, living_is_handled, 10 * MINUTE_MS);
    living_check_settled(sim);
    shop_close(sim);
}

/* Somebody undoes each correction: it is not fought for ever. */
static void a_tug_of_war_is_given_up(void **state)
{
    struct sim *sim = under("Correct", 97);
    int64_t until_ms = sim->clock.now_ms + 60 * MINUTE_MS;
    bool told = false;

    (void)state;
    while (sim->clock.now_ms < until_ms) {
        if (living_sink(sim) != NULL && living_is_ready(sim)) {
            drop_sink(sim);
        }
        sim_run_for(sim, 5000);
        told =
            told || strcmp(shop_reason(sim, LIVING, "Ready"), "StreamObjectMissing") == 0;
    }
    assert_true(told);
    assert_in_range(sim->counts.applies, 3, 24);
    check_run_until(sim, living_is_ready, 20 * MINUTE_MS);
    living_check_settled(sim);
    shop_close(sim);
}

/* --- existing: Fail | Adopt | Truncate | Recreate --- */

/* A table that somebody left there, with a row that MySQL never had. */
static void retain(struct sim *sim)
{
    struct fake_sr_table *target = NULL;

    living_grow(sim);
    shop_delete(sim, LIVING);
    check_run_until(sim, shop_all_gone, MINUTE_MS);
    fake_rw_drop_cascade(shop_rw(sim), living_stream(sim));
    target = living_target(sim);
    target->table.comment = "somebody's own";
    fake_rows_put(&target->data, sim->arena, 1000, 1);
    target->rows = target->data.count;
    sim_count_anew(sim);
}

static void add_with(struct sim *sim, const char *policy)
{
    shop_add(sim, (struct shop_sync){.name = LIVING, .policy = "Delete"});
    living_edit(sim, "target.existing", arena_printf(sim->arena, "\"%s\"", policy));
}

static struct sim *with_existing(const char *policy)
{
    const struct sim_options options = {.seed = 98};
    struct sim *sim = shop_open(&options);

    retain(sim);
    add_with(sim, policy);
    return sim;
}

static void an_existing_table_is_left_alone(void **state)
{
    struct sim *sim = with_existing("Fail");

    (void)state;
    check_run_until(sim, living_is_stalled, MINUTE_MS);
    living_check_reason(sim, "TargetTableReady", "AlreadyExists");
    sim_run_for(sim, 30 * MINUTE_MS);
    assert_int_equal(sim->counts.applies, 0);
    living_edit(sim, "target.existing", "\"Recreate\"");
    living_check_settled(sim);
    shop_close(sim);
}

static void an_existing_table_is_adopted(void **state)
{
    struct sim *sim = with_existing("Adopt");

    (void)state;
    check_run_until(sim, living_is_ready, 5 * MINUTE_MS);
    living_check_reason(sim, "TargetTableReady", "Adopted");
    assert_int_equal(living_target(sim)->rows, 21); /* what was there stays */
    assert_int_equal(shop_sr(sim)->tables_made, 1);
    check_quiet_looks(sim, 1);
    check_world_but_ghosts(sim);
    living_resync(sim, "anew", "Recreate"); /* what was taken over is not dropped so */
    check_run_until(sim, living_is_stalled, 5 * MINUTE_MS);
    living_check_reason(sim, "PlanApproved", "DestructiveChange");
    living_edit(sim, "state", "\"Running\"");
    shop_delete(sim, LIVING);
    check_run_until(sim, shop_all_gone, 5 * MINUTE_MS);
    assert_non_null(living_target(sim)); /* nor with the resource */
    assert_null(living_stream(sim));
    shop_close(sim);
}

static void an_existing_table_is_emptied_or_made_anew(void **state)
{
    static const char *const policies[] = {"Truncate", "Recreate"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(policies); i++) {
        struct sim *sim = with_existing(policies[i]);

        living_check_settled(sim);
        assert_int_equal(shop_sr(sim)->tables_made, 1 + i);
        assert_true(fake_kube_events_of(sim->kube, LIVING, "DataIsLost") > 0);
        /* First run only: later nothing is emptied. */
        drop_sink(sim);
        sim_run_for(sim, 5 * MINUTE_MS);
        living_check_settled(sim);
        assert_int_equal(shop_sr(sim)->tables_made, 1 + i);
        check_audit(sim);
        shop_close(sim);
    }
}

static void truncate_it(struct sim *sim)
{
    living_churn_for(sim, 15000);
    add_with(sim, "Truncate");
}

static void recreate_it(struct sim *sim)
{
    living_churn_for(sim, 15000);
    add_with(sim, "Recreate");
}

static void settled(struct sim *sim)
{
    living_calm(sim);
    living_check_settled(sim);
}

static void whichever_call_breaks_meanwhile(void **state)
{
    static const struct trial trials[] = {
        {"an existing table, Truncate", retain, truncate_it, living_is_ready, settled, 4},
        {"an existing table, Recreate", retain, recreate_it, living_is_ready, settled,
         4}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(trials); i++) {
        for (int mode = SIM_FAIL; mode <= SIM_CRASH_AFTER; mode++) {
            run_trials(&trials[i], (enum sim_mode)mode);
        }
    }
}

int run_policy_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(correctable_drift_is_put_right),
        cmocka_unit_test(drift_is_only_observed),
        cmocka_unit_test(drift_is_ignored),
        cmocka_unit_test(what_the_spec_asks_for_is_no_drift),
        cmocka_unit_test(a_changed_target_is_reported),
        cmocka_unit_test(a_changed_target_may_be_ignored),
        cmocka_unit_test(ghosts_of_a_lost_sink_are_told),
        cmocka_unit_test(a_tug_of_war_is_given_up),
        cmocka_unit_test(an_existing_table_is_left_alone),
        cmocka_unit_test(an_existing_table_is_adopted),
        cmocka_unit_test(an_existing_table_is_emptied_or_made_anew),
        cmocka_unit_test(whichever_call_breaks_meanwhile),
    };

    return cmocka_run_group_tests_name("policy", tests, NULL, NULL);
}

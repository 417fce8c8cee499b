/* Any one call of a change, a re-sync or an approval may fail, lose its answer or be the
 * controller's last, while rows change: it ends as if nothing had happened. */
#include "living.h"
#include "rotate.h"

#define CHURN_MS 15000

static void add_column(struct sim *sim)
{
    living_churn_for(sim, CHURN_MS);
    living_add(sim, "remark", "varchar(20)");
}

static void change_type(struct sim *sim)
{
    living_churn_for(sim, CHURN_MS);
    living_policy(sim, "Evolve");
    living_modify(sim, "qty", "datetime");
}

static void in_place(struct sim *sim)
{
    living_churn_for(sim, CHURN_MS);
    living_resync(sim, "once", "InPlace");
}

static void truncated(struct sim *sim)
{
    living_churn_for(sim, CHURN_MS);
    living_resync(sim, "once", "Truncate");
}

static void recreated(struct sim *sim)
{
    living_churn_for(sim, CHURN_MS);
    living_resync(sim, "once", "Recreate");
}

static void new_target_password(struct sim *sim)
{
    living_churn_for(sim, CHURN_MS);
    rotate_server(sim, ROTATE_STARROCKS);
    rotate_secret(sim, ROTATE_STARROCKS);
}

static void new_source_password(struct sim *sim)
{
    living_churn_for(sim, CHURN_MS);
    sim->db->restart_ms = 20000;
    rotate_server(sim, ROTATE_MYSQL);
    rotate_secret(sim, ROTATE_MYSQL);
}

static bool source_is_altered(struct sim *sim)
{
    return shop_rw(sim)->sources_altered > 0 && living_is_ready(sim);
}

static bool asks(struct sim *sim)
{
    return strcmp(shop_reason(sim, LIVING, "PlanApproved"), "DestructiveChange") == 0;
}

static void wait_for_approval(struct sim *sim)
{
    living_grow(sim);
    living_policy(sim, "Evolve");
    living_edit(sim, "schemaChange.dropColumn", "\"Drop\"");
    fake_mysql_drop_column(sim->db, living_table(sim), "qty");
    check_run_until(sim, asks, 5 * MINUTE_MS);
}

static void approve(struct sim *sim)
{
    living_churn_for(sim, CHURN_MS);
    living_approve(sim);
}

static bool column_is_gone(struct sim *sim)
{
    return living_has_new_sink(sim) && living_stream(sim)->columns.n == 6;
}

static void check_settled(struct sim *sim)
{
    living_calm(sim);
    living_check_settled(sim);
}

/* The first run made one CDC table, the change at most one more. */
static void check_made(struct sim *sim, int64_t tables)
{
    check_settled(sim);
    if (shop_rw(sim)->tables_made != tables) {
        check_fail(sim, "%lld CDC tables were made, not %lld",
                   (long long)shop_rw(sim)->tables_made, (long long)tables);
    }
}

static void one_table(struct sim *sim)
{
    check_made(sim, 1);
}

static void altered_once(struct sim *sim)
{
    check_made(sim, 1);
    assert_int_equal(shop_rw(sim)->sources_altered, 1);
}

static void two_tables(struct sim *sim)
{
    check_made(sim, 2);
}

static void two_targets(struct sim *sim)
{
    check_made(sim, 2);
    if (shop_sr(sim)->tables_made < 2) {
        check_fail(sim, "the target was not made anew");
    }
}

/* --- what is lost is made again --- */

static void prepare_loss(struct sim *sim)
{
    living_grow(sim);
    living_churn_for(sim, CHURN_MS);
}

static void lose_sink(struct sim *sim)
{
    fake_rw_drop_cascade(shop_rw(sim), living_sink(sim));
}

static void lose_table(struct sim *sim)
{
    fake_rw_drop_cascade(shop_rw(sim), living_stream(sim));
}

static void lose_source(struct sim *sim)
{
    fake_rw_drop_cascade(shop_rw(sim), shop_first(sim, FAKE_SOURCE));
}

/* Somebody dropped the target, and, told that it is for a person, its sink. */
static void lose_target(struct sim *sim)
{
    fake_rw_drop_cascade(shop_rw(sim), living_sink(sim));
    fake_sr_remove(shop_sr(sim), living_target(sim));
}

static bool is_repaired(struct sim *sim)
{
    return living_sink(sim) != NULL && living_sink(sim)->built &&
           living_target(sim) != NULL && living_is_ready(sim);
}

/* Rows that were deleted while no sink was there may have stayed. */
static void all_there(struct sim *sim)
{
    living_calm(sim);
    check_run_until(sim, living_is_ready, 5 * MINUTE_MS);
    check_quiet_looks(sim, 1);
    check_world_but_ghosts(sim);
}

/* --- a wider type, a setting, a retry --- */

static void widen(struct sim *sim)
{
    living_churn_for(sim, CHURN_MS);
    living_modify(sim, "name", "varchar(200)");
}

static bool is_wider(struct sim *sim)
{
    const struct sr_column *c = living_target_column(sim, "name");

    return c != NULL && strstr(c->type, "800") != NULL && living_is_ready(sim);
}

static void retry(struct sim *sim)
{
    fake_kube_annotate(sim->kube, SHOP, LIVING, TSYNC_ANNOTATION_RETRY, "now");
}

static bool is_retried(struct sim *sim)
{
    const struct json *annotations =
        json_path(shop_find(sim, LIVING), "metadata.annotations");

    return json_get_string(annotations, TSYNC_ANNOTATION_RETRY) == NULL &&
           living_is_ready(sim);
}

static void dropped_for_good(struct sim *sim)
{
    check_made(sim, 1);
    if (living_target_column(sim, "qty") != NULL) {
        check_fail(sim, "the target still has the dropped column");
    }
}

#define STRIDE 4

static const struct trial trials[] = {
    {"a new column", living_grow, add_column, living_has_new_sink, one_table, STRIDE},
    {"another type", living_grow, change_type, living_has_new_sink, two_tables, STRIDE},
    {"a re-sync InPlace", living_grow, in_place, living_is_handled, two_tables, STRIDE},
    {"a re-sync Truncate", living_grow, truncated, living_is_handled, two_tables, STRIDE},
    {"a re-sync Recreate", living_grow, recreated, living_is_handled, two_targets,
     STRIDE},
    {"StarRocks' password", living_grow, new_target_password, living_has_new_sink,
     one_table, STRIDE},
    {"MySQL's password", living_grow, new_source_password, source_is_altered,
     altered_once, STRIDE},
    {"an approval", wait_for_approval, approve, column_is_gone, dropped_for_good, STRIDE},
    {"a wider type", living_grow, widen, is_wider, one_table, STRIDE},
    {"a retry", living_grow, retry, is_retried, one_table, STRIDE},
    {"a lost sink", prepare_loss, lose_sink, is_repaired, all_there, STRIDE},
    {"a lost CDC table", prepare_loss, lose_table, is_repaired, all_there, STRIDE},
    {"a lost source", prepare_loss, lose_source, is_repaired, all_there, STRIDE},
    {"a lost target", prepare_loss, lose_target, is_repaired, all_there, STRIDE},
};

/* Of failures, lost answers and changes of leaders every fourth call; of the controller's
 * deaths every one. */
static void each(enum sim_mode mode)
{
    bool all = mode == SIM_CRASH_BEFORE || mode == SIM_CRASH_AFTER;

    for (size_t i = 0; i < COUNT_OF(trials); i++) {
        struct trial trial = trials[i];

        trial.stride = all ? 1 : trial.stride;
        run_trials(&trial, mode);
    }
}

static void each_call_of_a_change_fails_once(void **state)
{
    (void)state;
    each(SIM_FAIL);
}

static void each_answer_in_a_change_is_lost_once(void **state)
{
    (void)state;
    each(SIM_LOSE);
}

static void crash_before_each_call_of_a_change(void **state)
{
    (void)state;
    each(SIM_CRASH_BEFORE);
}

static void crash_after_each_call_of_a_change(void **state)
{
    (void)state;
    each(SIM_CRASH_AFTER);
}

static void leaders_change_at_each_call_of_a_change(void **state)
{
    (void)state;
    each(SIM_PAUSE);
}

int run_torture_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_call_of_a_change_fails_once),
        cmocka_unit_test(each_answer_in_a_change_is_lost_once),
        cmocka_unit_test(crash_before_each_call_of_a_change),
        cmocka_unit_test(crash_after_each_call_of_a_change),
        cmocka_unit_test(leaders_change_at_each_call_of_a_change),
    };

    return cmocka_run_group_tests_name("torture", tests, NULL, NULL);
}

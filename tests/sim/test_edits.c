/* Edits and annotations on a resource that has converged. */
#include "shop.h"

static int64_t delivered(struct sim *sim)
{
    fake_db_tick(sim->db);
    return fake_sr_find(shop_sr(sim), "ods", "orders")->rows;
}

static void write_orders(struct sim *sim, int64_t rows)
{
    fake_mysql_write(sim->db, shop_mysql(sim), "shop", "orders", rows);
}

static void edit(struct sim *sim, const char *path, const char *value)
{
    fake_kube_edit(sim->kube, "tablesyncs", SHOP, "orders", path, value);
}

static void a_new_commit_interval_is_one_statement(void **state)
{
    struct sim *sim = shop_grown(31);

    (void)state;
    edit(sim, "sink.commitCheckpointInterval", "25");
    sim_run_for(sim, 20000);
    assert_int_equal(sim->counts.applies, 1);
    assert_string_equal(shop_first(sim, FAKE_SINK)->interval, "25");
    assert_true(shop_is_ready(sim, "orders"));
    check_quiet(sim);
    shop_close(sim);
}

static void pausing_keeps_the_rows_and_resuming_delivers_them(void **state)
{
    struct sim *sim = shop_grown(32);

    (void)state;
    edit(sim, "state", "\"Paused\"");
    sim_run_for(sim, 20000);
    assert_int_equal(sim->counts.applies, 1);
    assert_string_equal(shop_phase(sim, "orders"), "Paused");
    assert_string_equal(shop_reason(sim, "orders", "Ready"), "Paused");
    assert_string_equal(shop_condition(sim, "orders", "Paused"), "True");
    write_orders(sim, 50);
    sim_run_for(sim, 10 * MINUTE_MS);
    assert_int_equal(delivered(sim), 1000);
    assert_string_equal(shop_reason(sim, "orders", "SinkReady"), "Paused");
    edit(sim, "state", "\"Running\"");
    sim_run_for(sim, 2 * MINUTE_MS);
    assert_int_equal(sim->counts.applies, 2);
    assert_int_equal(delivered(sim), 1050);
    assert_true(shop_is_ready(sim, "orders"));
    assert_string_equal(shop_condition(sim, "orders", "Paused"), "");
    check_quiet(sim);
    shop_close(sim);
}

/* Made paused from the start: everything exists, nothing is delivered by the sink. */
static void a_resource_may_begin_paused(void **state)
{
    const struct sim_options options = {.seed = 33};
    struct sim *sim = shop_open(&options);

    (void)state;
    shop_add(sim, (struct shop_sync){.name = "orders", .state = "Paused"});
    sim_run_for(sim, 2 * MINUTE_MS);
    assert_string_equal(shop_phase(sim, "orders"), "Paused");
    assert_int_equal(shop_first(sim, FAKE_SINK)->rate_limit, 0);
    check_quiet(sim);
    edit(sim, "state", "\"Running\"");
    check_run_until(sim, shop_all_ready, MINUTE_MS);
    check_quiet(sim);
    check_world(sim);
    shop_close(sim);
}

static void pause_reconcile_leaves_everything_alone(void **state)
{
    struct sim *sim = shop_grown(34);

    (void)state;
    fake_kube_annotate(sim->kube, SHOP, "orders", TSYNC_ANNOTATION_PAUSE, "true");
    sim_run_for(sim, 10000);
    assert_string_equal(shop_reason(sim, "orders", "Paused"), "ReconciliationPaused");
    sim_count_anew(sim);
    fake_rw_drop_cascade(shop_rw(sim), shop_first(sim, FAKE_SINK));
    edit(sim, "sink.commitCheckpointInterval", "25");
    sim_run_for(sim, 30 * MINUTE_MS);
    assert_int_equal(sim->counts.applies, 0);
    assert_int_equal(fake_rw_count(shop_rw(sim), FAKE_SINK, "tablesync"), 0);
    fake_kube_annotate(sim->kube, SHOP, "orders", TSYNC_ANNOTATION_PAUSE, NULL);
    check_run_until(sim, shop_all_ready, 2 * MINUTE_MS);
    assert_string_equal(shop_condition(sim, "orders", "Paused"), "");
    assert_string_equal(shop_first(sim, FAKE_SINK)->interval, "25");
    check_quiet(sim);
    check_world(sim);
    shop_close(sim);
}

/* Paused by the annotation, a resource is still deleted when its user asks for it. */
static void pause_reconcile_does_not_hold_up_deletion(void **state)
{
    struct sim *sim = shop_grown(35);

    (void)state;
    fake_kube_annotate(sim->kube, SHOP, "orders", TSYNC_ANNOTATION_PAUSE, "true");
    sim_run_for(sim, MINUTE_MS);
    shop_delete(sim, "orders");
    check_run_until(sim, shop_all_gone, MINUTE_MS);
    shop_close(sim);
}

static bool refused(struct sim *sim)
{
    return strcmp(shop_condition(sim, "orders", "Stalled"), "True") == 0;
}

static void retry_tries_at_once_and_goes_away(void **state)
{
    const struct sim_options options = {.seed = 36};
    struct sim *sim = shop_open(&options);
    struct fake_sr_table *theirs = ARENA_NEW(sim->arena, struct fake_sr_table);

    (void)state;
    theirs->database = "ods";
    theirs->table =
        (struct sr_table){.name = "orders", .comment = "", .model = "PRIMARY_KEYS"};
    VEC_PUSH(sim->arena, &shop_sr(sim)->tables, theirs);
    shop_add(sim, (struct shop_sync){.name = "orders"});
    check_run_until(sim, refused, 2 * MINUTE_MS);
    assert_string_equal(shop_reason(sim, "orders", "TargetTableReady"), "AlreadyExists");
    sim_run_for(sim, MINUTE_MS);
    assert_int_equal(sim->counts.applies, 0);
    fake_sr_remove(shop_sr(sim), theirs);
    fake_kube_annotate(sim->kube, SHOP, "orders", TSYNC_ANNOTATION_RETRY, "now");
    check_run_until(sim, shop_all_ready, 30000);
    assert_null(json_get(json_path(shop_find(sim, "orders"), "metadata.annotations"),
                         TSYNC_ANNOTATION_RETRY));
    assert_string_equal(shop_condition(sim, "orders", "Stalled"), "");
    check_quiet(sim);
    check_world(sim);
    check_audit(sim);
    shop_close(sim);
}

static void retry_wakes_a_lane_that_is_down(void **state)
{
    struct sim *sim = shop_grown(37);

    (void)state;
    shop_rw(sim)->down = true;
    sim_run_for(sim, 40 * MINUTE_MS);
    assert_string_equal(shop_condition(sim, "orders", "Ready"), "False");
    shop_rw(sim)->down = false;
    fake_kube_annotate(sim->kube, SHOP, "orders", TSYNC_ANNOTATION_RETRY, "now");
    check_run_until(sim, shop_all_ready, 5000);
    check_quiet(sim);
    shop_close(sim);
}

int run_edit_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_commit_interval_is_one_statement),
        cmocka_unit_test(pausing_keeps_the_rows_and_resuming_delivers_them),
        cmocka_unit_test(a_resource_may_begin_paused),
        cmocka_unit_test(pause_reconcile_leaves_everything_alone),
        cmocka_unit_test(pause_reconcile_does_not_hold_up_deletion),
        cmocka_unit_test(retry_tries_at_once_and_goes_away),
        cmocka_unit_test(retry_wakes_a_lane_that_is_down),
    };

    return cmocka_run_group_tests_name("edits", tests, NULL, NULL);
}

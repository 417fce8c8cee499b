/* Edits, annotations, drift and servers that come and go, on a converged resource. */
#include "shop.h"

static struct sim *grown(uint64_t seed)
{
    const struct sim_options options = {.seed = seed};
    struct sim *sim = shop_open(&options);

    shop_add(sim, (struct shop_sync){.name = "orders"});
    check_run_until(sim, shop_all_ready, 5 * MINUTE_MS);
    sim_run_for(sim, 2 * MINUTE_MS);
    sim_count_anew(sim);
    return sim;
}

static struct fake_stream_object *first_of(struct sim *sim, enum fake_kind kind)
{
    for (size_t i = 0; i < shop_rw(sim)->objects.n; i++) {
        if (shop_rw(sim)->objects.v[i]->kind == kind) {
            return shop_rw(sim)->objects.v[i];
        }
    }
    fail_msg("no such object in RisingWave");
    return NULL;
}

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
    struct sim *sim = grown(31);

    (void)state;
    edit(sim, "sink.commitCheckpointInterval", "25");
    sim_run_for(sim, 20000);
    assert_int_equal(sim->counts.applies, 1);
    assert_string_equal(first_of(sim, FAKE_SINK)->interval, "25");
    assert_true(shop_is_ready(sim, "orders"));
    check_quiet(sim);
    shop_close(sim);
}

static void pausing_keeps_the_rows_and_resuming_delivers_them(void **state)
{
    struct sim *sim = grown(32);

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
    assert_int_equal(first_of(sim, FAKE_SINK)->rate_limit, 0);
    check_quiet(sim);
    edit(sim, "state", "\"Running\"");
    check_run_until(sim, shop_all_ready, MINUTE_MS);
    check_quiet(sim);
    check_world(sim);
    shop_close(sim);
}

static void pause_reconcile_leaves_everything_alone(void **state)
{
    struct sim *sim = grown(34);

    (void)state;
    fake_kube_annotate(sim->kube, SHOP, "orders", TSYNC_ANNOTATION_PAUSE, "true");
    sim_run_for(sim, 10000);
    assert_string_equal(shop_reason(sim, "orders", "Paused"), "ReconciliationPaused");
    sim_count_anew(sim);
    fake_rw_drop_cascade(shop_rw(sim), first_of(sim, FAKE_SINK));
    edit(sim, "sink.commitCheckpointInterval", "25");
    sim_run_for(sim, 30 * MINUTE_MS);
    assert_int_equal(sim->counts.applies, 0);
    assert_int_equal(fake_rw_count(shop_rw(sim), FAKE_SINK, "tablesync"), 0);
    fake_kube_annotate(sim->kube, SHOP, "orders", TSYNC_ANNOTATION_PAUSE, NULL);
    check_run_until(sim, shop_all_ready, 2 * MINUTE_MS);
    assert_string_equal(shop_condition(sim, "orders", "Paused"), "");
    assert_string_equal(first_of(sim, FAKE_SINK)->interval, "25");
    check_quiet(sim);
    check_world(sim);
    shop_close(sim);
}

/* Paused by the annotation, a resource is still deleted when its user asks for it. */
static void pause_reconcile_does_not_hold_up_deletion(void **state)
{
    struct sim *sim = grown(35);

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
    struct sim *sim = grown(37);

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

static bool not_ready(struct sim *sim)
{
    return !shop_is_ready(sim, "orders");
}

static void dropped_stream_objects_are_made_again(void **state)
{
    static const enum fake_kind kinds[] = {FAKE_SINK, FAKE_TABLE, FAKE_SOURCE};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        struct sim *sim = grown(38 + i);

        fake_rw_drop_cascade(shop_rw(sim), first_of(sim, kinds[i]));
        check_run_until(sim, not_ready, 2 * MINUTE_MS);
        check_run_until(sim, shop_all_ready, 2 * MINUTE_MS);
        check_quiet(sim);
        check_world(sim);
        shop_close(sim);
    }
}

/* A new empty table under a living sink would lack rows: said, not repaired. */
static void a_dropped_target_is_said(void **state)
{
    struct sim *sim = grown(42);

    (void)state;
    fake_sr_remove(shop_sr(sim), fake_sr_find(shop_sr(sim), "ods", "orders"));
    check_run_until(sim, not_ready, 2 * MINUTE_MS);
    assert_string_equal(shop_reason(sim, "orders", "InSync"), "TargetDrift");
    sim_run_for(sim, 20 * MINUTE_MS);
    assert_int_equal(sim->counts.applies, 0);
    fake_rw_drop_cascade(shop_rw(sim), first_of(sim, FAKE_SINK));
    check_run_until(sim, shop_all_ready, 20 * MINUTE_MS);
    check_quiet(sim);
    check_world(sim);
    shop_close(sim);
}

static void starrocks_down_is_seen_and_nothing_is_lost(void **state)
{
    struct sim *sim = grown(43);

    (void)state;
    shop_sr(sim)->down = true;
    write_orders(sim, 30);
    check_run_until(sim, not_ready, 5 * MINUTE_MS);
    sim_run_for(sim, 20 * MINUTE_MS);
    shop_sr(sim)->down = false;
    check_run_until(sim, shop_all_ready, 20 * MINUTE_MS);
    sim_run_for(sim, MINUTE_MS);
    assert_int_equal(delivered(sim), 1030);
    assert_int_equal(sim->counts.applies, 0);
    check_quiet(sim);
    shop_close(sim);
}

static void a_refused_login_heals_with_the_secret(void **state)
{
    struct sim *sim = grown(44);

    (void)state;
    shop_mysql(sim)->refuses_login = true;
    sim_restart(sim); /* the old session would live on */
    check_run_until(sim, not_ready, 2 * MINUTE_MS);
    assert_string_equal(shop_reason(sim, "orders", "ConnectionsReady"), "AuthFailed");
    shop_mysql(sim)->refuses_login = false;
    fake_kube_touch(sim->kube, "secrets", SHOP, "mysql");
    loop_secret_changed(sim->loop, SHOP "/mysql");
    check_run_until(sim, shop_all_ready, 10000);
    check_quiet(sim);
    shop_close(sim);
}

static void a_missing_connection_is_waited_for(void **state)
{
    const struct sim_options options = {.seed = 45};
    struct sim *sim = shop_open(&options);

    (void)state;
    shop_add(sim, (struct shop_sync){.name = "orders", .connection = "later"});
    sim_run_for(sim, MINUTE_MS);
    assert_string_equal(shop_reason(sim, "orders", "ConnectionsReady"), "ConnectionNotFound");
    assert_string_equal(shop_condition(sim, "orders", "Stalled"), "");
    fake_kube_create(sim->kube, "databaseconnections", SHOP,
                     "{\"apiVersion\":\"" TSYNC_GROUP "/" TSYNC_VERSION
                     "\",\"kind\":\"DatabaseConnection\",\"metadata\":{\"name\":\"later\"},"
                     "\"spec\":{\"type\":\"MySQL\",\"host\":\"" MYSQL_HOST
                     "\",\"credentialsSecretRef\":{\"name\":\"mysql\"}}}");
    check_run_until(sim, shop_all_ready, 30000); /* at once, not after the backoff */
    check_quiet(sim);
    shop_close(sim);
}

static bool said_refused(struct sim *sim)
{
    return fake_kube_events_of(sim->kube, "orders", "SinkRejected") > 0;
}

/* A statement that fails is an Event, a condition, a retry and a line in the audit. */
static void a_refused_statement_is_told(void **state)
{
    const struct sim_options options = {.seed = 48};
    struct sim *sim = shop_open(&options);

    (void)state;
    shop_rw(sim)->refuses = PLAN_CREATE_SINK;
    shop_add(sim, (struct shop_sync){.name = "orders"});
    check_run_until(sim, said_refused, 30000);
    assert_string_equal(shop_reason(sim, "orders", "SinkReady"), "SinkRejected");
    assert_string_equal(shop_condition(sim, "orders", "Reconciling"), "True");
    assert_true(json_path_int(shop_find(sim, "orders"), "status.retries", 0) > 0);
    sim_run_for(sim, 30 * MINUTE_MS);
    check_audit(sim);
    assert_in_range(sim->counts.applies, 6, 20); /* with growing pauses */
    shop_rw(sim)->refuses = 0;
    check_run_until(sim, shop_all_ready, 15 * MINUTE_MS);
    check_quiet(sim);
    check_world(sim);
    shop_close(sim);
}

static bool all_sent(struct sim *sim)
{
    return sim->counts.applies == 6;
}

/* Lost between the statements and the look at what they made: made again, not given up. */
static void what_is_lost_at_once_is_made_again(void **state)
{
    const struct sim_options options = {.seed = 51};
    struct sim *sim = shop_open(&options);

    (void)state;
    shop_add(sim, (struct shop_sync){.name = "orders"});
    check_run_until(sim, all_sent, MINUTE_MS);
    fake_rw_drop_cascade(shop_rw(sim), first_of(sim, FAKE_SOURCE));
    fake_sr_remove(shop_sr(sim), fake_sr_find(shop_sr(sim), "ods", "orders"));
    check_run_until(sim, shop_all_ready, 5 * MINUTE_MS);
    check_quiet(sim);
    check_world(sim);
    shop_close(sim);
}

/* A server that says yes and does nothing is asked ever more seldom. */
static void a_server_that_lies_is_not_hammered(void **state)
{
    const struct sim_options options = {.seed = 52};
    struct sim *sim = shop_open(&options);

    (void)state;
    shop_rw(sim)->forgets = PLAN_CREATE_SINK;
    shop_add(sim, (struct shop_sync){.name = "orders"});
    sim_run_for(sim, MINUTE_MS);
    assert_string_equal(shop_reason(sim, "orders", "InSync"), "DefinitionChanged");
    sim_run_for(sim, 60 * MINUTE_MS);
    assert_in_range(sim->counts.applies, 8, 30);
    shop_rw(sim)->forgets = 0;
    check_run_until(sim, shop_all_ready, 30 * MINUTE_MS);
    check_quiet(sim);
    check_audit(sim);
    shop_close(sim);
}

/* The controller acts on what it saw a moment ago; the server knows better. */
static void a_stale_view_conflicts_and_is_no_run(void **state)
{
    const struct sim_options options = {.seed = 49};
    struct sim *sim = shop_open(&options);

    (void)state;
    shop_add(sim, (struct shop_sync){.name = "orders"});
    sim_restart(sim); /* its list sees the resource as it is now ... */
    sim->kube->holds = true;
    shop_delete(sim, "orders"); /* ... and not this */
    sim_run_for(sim, 10000);
    assert_int_equal(sim->counts.applies, 0);
    assert_int_equal(audit_runs(sim), 0);
    sim->kube->holds = false;
    check_run_until(sim, shop_all_gone, 10000);
    check_sane(sim);
    shop_close(sim);
}

/* What the controller still sees may be gone for good: it must not come back to life. */
static void what_is_gone_is_not_made_again(void **state)
{
    struct sim *sim = grown(50);

    (void)state;
    sim->kube->holds = true;
    fake_kube_purge(sim->kube, "tablesyncs", SHOP, "orders");
    fake_rw_drop_cascade(shop_rw(sim), first_of(sim, FAKE_SOURCE));
    sim_run_for(sim, 5 * MINUTE_MS);
    assert_int_equal(sim->counts.applies, 0);
    assert_int_equal(fake_rw_count(shop_rw(sim), FAKE_TABLE, "tablesync"), 0);
    sim->kube->holds = false;
    sim_run_for(sim, 5 * MINUTE_MS);
    assert_int_equal(sim->counts.applies, 0);
    check_audit(sim);
    shop_close(sim);
}

/* Time that does not move within an attempt must not confuse what is older than what. */
static void it_works_when_calls_take_no_time(void **state)
{
    const struct sim_options options = {.seed = 46, .still = true};
    struct sim *sim = shop_open(&options);

    (void)state;
    shop_add(sim, (struct shop_sync){.name = "orders", .policy = "Delete"});
    check_run_until(sim, shop_all_ready, 5 * MINUTE_MS);
    check_quiet(sim);
    check_world(sim);
    sim_count_anew(sim);
    shop_delete(sim, "orders");
    check_run_until(sim, shop_all_gone, MINUTE_MS);
    assert_int_equal(sim->counts.applies, 4); /* each dropped once */
    assert_int_equal(shop_sr(sim)->tables.n, 0);
    shop_close(sim);
}

/* The audit is a log, never a source of truth: without it everything works. */
static void it_works_without_an_audit(void **state)
{
    const struct sim_options options = {.seed = 47, .no_audit = true};
    struct sim *sim = shop_open(&options);

    (void)state;
    shop_add(sim, (struct shop_sync){.name = "orders", .policy = "Delete"});
    check_run_until(sim, shop_all_ready, 5 * MINUTE_MS);
    sim_run_for(sim, MINUTE_MS);
    check_world(sim);
    shop_delete(sim, "orders");
    check_run_until(sim, shop_all_gone, MINUTE_MS);
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
        cmocka_unit_test(dropped_stream_objects_are_made_again),
        cmocka_unit_test(a_dropped_target_is_said),
        cmocka_unit_test(starrocks_down_is_seen_and_nothing_is_lost),
        cmocka_unit_test(a_refused_login_heals_with_the_secret),
        cmocka_unit_test(a_missing_connection_is_waited_for),
        cmocka_unit_test(a_refused_statement_is_told),
        cmocka_unit_test(what_is_lost_at_once_is_made_again),
        cmocka_unit_test(a_server_that_lies_is_not_hammered),
        cmocka_unit_test(a_stale_view_conflicts_and_is_no_run),
        cmocka_unit_test(what_is_gone_is_not_made_again),
        cmocka_unit_test(it_works_when_calls_take_no_time),
        cmocka_unit_test(it_works_without_an_audit),
    };

    return cmocka_run_group_tests_name("edits", tests, NULL, NULL);
}

/* Drift, lost objects and servers that come and go. */
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

static bool not_ready(struct sim *sim)
{
    return !shop_is_ready(sim, "orders");
}

static void dropped_stream_objects_are_made_again(void **state)
{
    static const enum fake_kind kinds[] = {FAKE_SINK, FAKE_TABLE, FAKE_SOURCE};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        struct sim *sim = shop_grown(38 + i);

        fake_rw_drop_cascade(shop_rw(sim), shop_first(sim, kinds[i]));
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
    struct sim *sim = shop_grown(42);

    (void)state;
    fake_sr_remove(shop_sr(sim), fake_sr_find(shop_sr(sim), "ods", "orders"));
    check_run_until(sim, not_ready, 2 * MINUTE_MS);
    assert_string_equal(shop_reason(sim, "orders", "InSync"), "TargetDrift");
    sim_run_for(sim, 20 * MINUTE_MS);
    assert_int_equal(sim->counts.applies, 0);
    fake_rw_drop_cascade(shop_rw(sim), shop_first(sim, FAKE_SINK));
    check_run_until(sim, shop_all_ready, 20 * MINUTE_MS);
    check_quiet(sim);
    check_world(sim);
    shop_close(sim);
}

static void starrocks_down_is_seen_and_nothing_is_lost(void **state)
{
    struct sim *sim = shop_grown(43);

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

/* Both ends answer, and yet nothing arrives: only the backlog tells. */
static void a_sink_that_delivers_nothing_is_not_ready(void **state)
{
    struct sim *sim = shop_grown(54);

    (void)state;
    shop_rw(sim)->cut_off = true;
    sim_run_for(sim, 5 * MINUTE_MS);
    assert_true(shop_is_ready(sim, "orders")); /* nothing waits */
    write_orders(sim, 12);
    check_run_until(sim, not_ready, 5 * MINUTE_MS);
    assert_string_equal(shop_reason(sim, "orders", "SinkReady"), "SinkFailed");
    assert_string_equal(shop_reason(sim, "orders", "Ready"), "SinkFailed");
    shop_rw(sim)->cut_off = false;
    check_run_until(sim, shop_all_ready, 5 * MINUTE_MS);
    assert_int_equal(delivered(sim), 1012);
    assert_int_equal(sim->counts.applies, 0);
    check_quiet(sim);
    shop_close(sim);
}

/* From the start: Ready needs a proof that rows arrive. */
static void a_sink_that_never_delivered_is_not_ready(void **state)
{
    const struct sim_options options = {.seed = 55};
    struct sim *sim = shop_open(&options);

    (void)state;
    shop_rw(sim)->cut_off = true;
    sim->db->build_ms = 1000; /* built before the snapshot's rows come */
    shop_add(sim, (struct shop_sync){.name = "orders"});
    sim_run_for(sim, 10 * MINUTE_MS);
    assert_int_equal(fake_kube_events_of(sim->kube, "orders", "Streaming"), 0);
    assert_false(shop_is_ready(sim, "orders"));
    shop_rw(sim)->cut_off = false;
    check_run_until(sim, shop_all_ready, 5 * MINUTE_MS);
    check_quiet(sim);
    check_world(sim);
    shop_close(sim);
}

static void a_refused_login_heals_with_the_secret(void **state)
{
    struct sim *sim = shop_grown(44);

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
    assert_string_equal(shop_reason(sim, "orders", "ConnectionsReady"),
                        "ConnectionNotFound");
    assert_string_equal(shop_condition(sim, "orders", "Stalled"), "");
    fake_kube_create(
        sim->kube, "databaseconnections", SHOP,
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

/* Lost between the statements and the look at what they made: made again, not given up.
 */
static void what_is_lost_at_once_is_made_again(void **state)
{
    const struct sim_options options = {.seed = 51};
    struct sim *sim = shop_open(&options);

    (void)state;
    shop_add(sim, (struct shop_sync){.name = "orders"});
    check_run_until(sim, all_sent, MINUTE_MS);
    fake_rw_drop_cascade(shop_rw(sim), shop_first(sim, FAKE_SOURCE));
    shop_rw(sim)->schemas.n = 0; /* so that the very same plan is made again */
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
    struct sim *sim = shop_grown(50);

    (void)state;
    sim->kube->holds = true;
    fake_kube_purge(sim->kube, "tablesyncs", SHOP, "orders");
    fake_rw_drop_cascade(shop_rw(sim), shop_first(sim, FAKE_SOURCE));
    sim_run_for(sim, 5 * MINUTE_MS);
    assert_int_equal(sim->counts.applies, 0);
    assert_int_equal(fake_rw_count(shop_rw(sim), FAKE_TABLE, "tablesync"), 0);
    sim->kube->holds = false;
    sim_run_for(sim, 5 * MINUTE_MS);
    assert_int_equal(sim->counts.applies, 0);
    check_audit(sim);
    shop_close(sim);
}

/* The account may not count backends: StarRocks' own refusal tells how many there are. */
static void replicas_are_learned_from_the_refusal(void **state)
{
    const struct sim_options options = {.seed = 53};
    struct sim *sim = shop_open(&options);

    (void)state;
    shop_sr(sim)->hides_backends = true;
    shop_sr(sim)->live_backends = 1;
    shop_add(sim, (struct shop_sync){.name = "orders"});
    check_run_until(sim, shop_all_ready, MINUTE_MS);
    assert_int_equal(sim->counts.applies, 7); /* one of them was refused */
    check_quiet(sim);
    check_world(sim);
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

int run_drift_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dropped_stream_objects_are_made_again),
        cmocka_unit_test(a_dropped_target_is_said),
        cmocka_unit_test(starrocks_down_is_seen_and_nothing_is_lost),
        cmocka_unit_test(a_sink_that_delivers_nothing_is_not_ready),
        cmocka_unit_test(a_sink_that_never_delivered_is_not_ready),
        cmocka_unit_test(a_refused_login_heals_with_the_secret),
        cmocka_unit_test(a_missing_connection_is_waited_for),
        cmocka_unit_test(a_refused_statement_is_told),
        cmocka_unit_test(what_is_lost_at_once_is_made_again),
        cmocka_unit_test(a_server_that_lies_is_not_hammered),
        cmocka_unit_test(a_stale_view_conflicts_and_is_no_run),
        cmocka_unit_test(what_is_gone_is_not_made_again),
        cmocka_unit_test(replicas_are_learned_from_the_refusal),
        cmocka_unit_test(it_works_when_calls_take_no_time),
        cmocka_unit_test(it_works_without_an_audit),
    };

    return cmocka_run_group_tests_name("drift", tests, NULL, NULL);
}

/* The source's address and account: one alteration, minutes of restart, nothing lost and
 * nothing called a failure. */
#include "living.h"
#include "rotate.h"

static bool was_unready;

static void churn_and_watch_ready(struct sim *sim)
{
    was_unready = was_unready || !living_is_ready(sim) ||
                  strcmp(shop_phase(sim, LIVING), "Streaming") != 0;
    living_churn(sim);
}

static bool catches_up(struct sim *sim)
{
    return strcmp(shop_reason(sim, LIVING, "SourceReady"), "CatchingUp") == 0;
}

static bool has_caught_up(struct sim *sim)
{
    return strcmp(shop_reason(sim, LIVING, "SourceReady"), "Shared") == 0;
}

/* Its reader restarts for minutes; nobody calls that a failure. */
static void the_sources_password_rotates(void **state)
{
    struct sim *sim = rotate_open("MySQL's password", 1);
    int64_t applies = sim->applies_ever;

    (void)state;
    was_unready = false;
    sim->db->restart_ms = 4 * MINUTE_MS;
    rotate_server(sim, ROTATE_MYSQL);
    rotate_secret(sim, ROTATE_MYSQL);
    sim->on_moment = churn_and_watch_ready;
    check_run_until(sim, catches_up, MINUTE_MS);
    assert_string_equal(shop_condition(sim, LIVING, "SourceReady"), "True");
    sim_run_for(sim, 3 * MINUTE_MS);
    assert_true(catches_up(sim));
    check_run_until(sim, has_caught_up, 3 * MINUTE_MS);
    assert_false(was_unready);
    assert_int_equal(sim->applies_ever - applies, 1);
    assert_string_equal(living_sink(sim)->name + strlen(living_sink(sim)->name) - 3,
                        "_v1");
    rotate_close(sim);
}

/* All rows go upstream while none arrives: that is no TRUNCATE that nobody noticed. */
static void rows_that_are_late_are_not_missed(void **state)
{
    struct sim *sim = rotate_open("late rows", 1);

    (void)state;
    living_churn_for(sim, 0);
    rotate_server(sim, ROTATE_MYSQL);
    rotate_secret(sim, ROTATE_MYSQL);
    check_run_until(sim, catches_up, MINUTE_MS);
    for (int64_t key = 1; key <= 60; key++) {
        if (fake_rows_get(&living_table(sim)->data, key) != FAKE_NO_ROW) {
            fake_mysql_delete(sim->db, living_table(sim), key);
        }
    }
    was_unready = false;
    sim->on_moment = churn_and_watch_ready;
    check_run_until(sim, has_caught_up, 5 * MINUTE_MS);
    assert_false(was_unready);
    rotate_close(sim);
}

static void what_risingwave_refuses_is_said(void **state)
{
    struct sim *sim = rotate_open("a refusal", 1);
    int64_t rows = 0;

    (void)state;
    shop_rw(sim)->refuses = PLAN_ALTER_SOURCE;
    rotate_server(sim, ROTATE_MYSQL);
    rotate_secret(sim, ROTATE_MYSQL);
    sim_run_for(sim, 5 * MINUTE_MS);
    living_check_reason(sim, "SourceReady", "SourceFailed");
    living_check_reason(sim, "Ready", "SourceFailed");
    if (strstr(shop_message(sim, LIVING, "SourceReady"), "Failed to run the query") ==
        NULL) {
        check_fail(sim, "it says: %s", shop_message(sim, LIVING, "SourceReady"));
    }
    rows = fake_rows_get(&living_target(sim)->data, 1);
    fake_mysql_update(sim->db, living_table(sim), 1);
    sim_run_for(sim, MINUTE_MS);
    fake_db_tick(sim->db);
    assert_true(fake_rows_get(&living_target(sim)->data, 1) > rows);
    shop_rw(sim)->refuses = 0;
    check_run_until(sim, rotate_is_current, 20 * MINUTE_MS);
    rotate_close(sim);
}

/* Five resources share it, and each of them sees that it is to be altered. */
static void one_alteration_serves_all(void **state)
{
    const struct sim_options options = {.seed = 1};
    struct sim *sim = shop_open(&options);

    (void)state;
    shop_mysql(sim)->password = "s3cr3t-pw";
    for (int i = 1; i <= 5; i++) {
        const char *name = arena_printf(sim->arena, "table-%d", i);

        fake_mysql_add_table(sim->db, shop_mysql(sim), "shop", name, 10 * i);
        shop_add(sim, (struct shop_sync){.name = name});
    }
    check_run_until(sim, shop_all_ready, 10 * MINUTE_MS);
    for (int i = 1; i <= 3; i++) {
        rotate_server(sim, ROTATE_MYSQL);
        rotate_secret(sim, ROTATE_MYSQL);
        sim_run_for(sim, MINUTE_MS);
        for (int k = 1; k <= 5; k++) {
            assert_string_equal(
                shop_reason(sim, arena_printf(sim->arena, "table-%d", k), "SourceReady"),
                "CatchingUp");
        }
        assert_int_equal(shop_rw(sim)->sources_altered, i);
        sim_run_for(sim, 4 * MINUTE_MS);
    }
    check_quiet(sim);
    check_world(sim);
    shop_close(sim);
}

/* Two connections to one server, each with an account of its own: the older one's is the
 * source's, and the younger one's rotation is none of its business. */
static void the_older_connection_decides(void **state)
{
    const struct sim_options options = {.seed = 1};
    struct sim *sim = shop_open(&options);

    (void)state;
    shop_add(sim, (struct shop_sync){.name = "orders"});
    check_run_until(sim, shop_all_ready, 5 * MINUTE_MS);
    shop_connect(sim, "younger", "MySQL", MYSQL_HOST);
    fake_kube_set_password(sim->kube, SHOP, "younger", "s3cr3t-pw-younger");
    shop_add(sim, (struct shop_sync){.name = "users", .connection = "younger"});
    check_run_until(sim, shop_all_ready, 5 * MINUTE_MS);
    assert_int_equal(fake_rw_count(shop_rw(sim), FAKE_SOURCE, "tablesync"), 1);
    assert_string_equal(shop_first(sim, FAKE_SOURCE)->password, "s3cr3t-pw");
    assert_string_equal(shop_reason(sim, "users", "SourceReady"), "SettingsDiffer");
    check_quiet(sim);
    assert_int_equal(shop_rw(sim)->sources_altered, 0);
    /* When the older one is not used any more, the younger one decides. */
    shop_delete(sim, "orders");
    sim_run_for(sim, 5 * MINUTE_MS);
    assert_int_equal(shop_rw(sim)->sources_altered, 1);
    assert_string_equal(shop_first(sim, FAKE_SOURCE)->password, "s3cr3t-pw-younger");
    assert_string_equal(shop_reason(sim, "users", "SourceReady"), "Shared");
    shop_close(sim);
}

int run_source_rotation_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_sources_password_rotates),
        cmocka_unit_test(rows_that_are_late_are_not_missed),
        cmocka_unit_test(what_risingwave_refuses_is_said),
        cmocka_unit_test(one_alteration_serves_all),
        cmocka_unit_test(the_older_connection_decides),
    };

    return cmocka_run_group_tests_name("rotation of the source", tests, NULL, NULL);
}

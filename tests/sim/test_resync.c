/* Re-syncs: what each mode does, in which order, and one action per token. */
#include "living.h"

static int64_t sent(struct sim *sim)
{
    return sim->applies_ever;
}

#define EXPECT(sim, skipped, ...)                                                        \
    do {                                                                                 \
        static const struct living_statement expected[] = {__VA_ARGS__};                 \
        living_check_statements(sim, skipped, expected, COUNT_OF(expected));             \
    } while (0)

#define NEW_TABLE                                                                        \
    {"CREATE TABLE \"tablesync\".\"t_shop_users_", "_v2\" ("},                           \
    {                                                                                    \
        "COMMENT ON TABLE \"tablesync\".\"t_shop_users_", " sink=2'"                     \
    }
#define NEW_SINK                                                                         \
    {                                                                                    \
        "CREATE SINK \"tablesync\".\"k_shop_users_", "_v2\" AS SELECT"                   \
    }
#define TAKE_OVER                                                                        \
    {"ALTER SINK \"tablesync\".\"k_shop_users_", "_v2\" SET sink_rate_limit TO 0"},      \
        {"DROP SINK IF EXISTS \"tablesync\".\"k_shop_users_", "_v1\""},                  \
    {                                                                                    \
        "ALTER SINK \"tablesync\".\"k_shop_users_",                                      \
            "_v2\" SET sink_rate_limit TO DEFAULT"                                       \
    }
#define DROP_OLD_SINK                                                                    \
    {                                                                                    \
        "DROP SINK IF EXISTS \"tablesync\".\"k_shop_users_", "_v1\""                     \
    }
#define DROP_OLD_TABLE                                                                   \
    {                                                                                    \
        "DROP TABLE IF EXISTS \"tablesync\".\"t_shop_users_", "\""                       \
    }

static struct sim *changed(void (*change)(struct sim *sim), int64_t *out_skipped)
{
    struct sim *sim = living_open(61);

    *out_skipped = sent(sim);
    change(sim);
    check_run_until(sim, living_has_new_sink, 10 * MINUTE_MS);
    living_check_settled(sim);
    return sim;
}

static void add_column(struct sim *sim)
{
    living_add(sim, "remark", "varchar(20)");
}

static void widen(struct sim *sim)
{
    living_modify(sim, "qty", "bigint");
}

static void in_place(struct sim *sim)
{
    living_resync(sim, "once", "InPlace");
}

static void truncated(struct sim *sim)
{
    living_resync(sim, "once", "Truncate");
}

static void recreated(struct sim *sim)
{
    living_resync(sim, "once", "Recreate");
}

static void a_new_column_in_its_order(void **state)
{
    int64_t skipped = 0;
    struct sim *sim = changed(add_column, &skipped);

    (void)state;
    EXPECT(sim, skipped, {"ALTER TABLE `ods`.`users` ADD COLUMN `remark`", "NULL"},
           {"ALTER TABLE \"tablesync\".", "ADD COLUMN \"remark\""},
           {"COMMENT ON TABLE \"tablesync\".", " sink=2'"}, NEW_SINK, TAKE_OVER);
    shop_close(sim);
}

static void a_wider_type_in_its_order(void **state)
{
    int64_t skipped = 0;
    struct sim *sim = changed(widen, &skipped);

    (void)state;
    EXPECT(sim, skipped, NEW_TABLE,
           {"ALTER TABLE `ods`.`users` MODIFY COLUMN `qty`", "BIGINT"}, NEW_SINK,
           TAKE_OVER, DROP_OLD_TABLE);
    shop_close(sim);
}

static void in_place_in_its_order(void **state)
{
    int64_t skipped = 0;
    struct sim *sim = changed(in_place, &skipped);

    (void)state;
    EXPECT(sim, skipped, NEW_TABLE, NEW_SINK, TAKE_OVER, DROP_OLD_TABLE);
    shop_close(sim);
}

static void truncate_in_its_order(void **state)
{
    int64_t skipped = 0;
    struct sim *sim = changed(truncated, &skipped);

    (void)state;
    EXPECT(sim, skipped, NEW_TABLE, DROP_OLD_SINK, {"TRUNCATE TABLE `ods`.`users`", ""},
           NEW_SINK, DROP_OLD_TABLE);
    assert_int_equal(fake_kube_events_of(sim->kube, LIVING, "DataIsLost"), 1);
    shop_close(sim);
}

static void recreate_in_its_order(void **state)
{
    int64_t skipped = 0;
    struct sim *sim = changed(recreated, &skipped);

    (void)state;
    EXPECT(sim, skipped, NEW_TABLE, DROP_OLD_SINK,
           {"DROP TABLE IF EXISTS `ods`.`users`", ""}, {"CREATE TABLE `ods`.`users`", ""},
           NEW_SINK, DROP_OLD_TABLE);
    shop_close(sim);
}

/* --- one action per token --- */

static void a_token_acts_once(void **state)
{
    static const char *const modes[] = {"InPlace", "Truncate", "Recreate"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(modes); i++) {
        struct sim *sim = living_open(62);
        int64_t before = 0;

        living_resync(sim, "once", modes[i]);
        check_run_until(sim, living_is_handled, 10 * MINUTE_MS);
        living_check_settled(sim);
        before = sent(sim);
        /* Another mode, a restart, a retry: the token was handled. */
        living_resync(sim, "once", modes[(i + 1) % COUNT_OF(modes)]);
        sim_restart(sim);
        fake_kube_annotate(sim->kube, SHOP, LIVING, TSYNC_ANNOTATION_RETRY, "now");
        sim_run_for(sim, 10 * MINUTE_MS);
        living_check_settled(sim);
        assert_int_equal(sent(sim), before);
        assert_int_equal(fake_kube_events_of(sim->kube, LIVING, "ResyncStarted"), 1);
        assert_int_equal(fake_kube_events_of(sim->kube, LIVING, "ResyncCompleted"), 1);
        living_resync(sim, "twice", "InPlace");
        check_run_until(sim, living_is_handled, 10 * MINUTE_MS);
        living_check_settled(sim);
        assert_int_equal(shop_rw(sim)->tables_made, 3);
        check_audit(sim);
        shop_close(sim);
    }
}

/* The first run loads every row anyway. */
static void a_token_of_the_beginning_asks_for_nothing(void **state)
{
    const struct sim_options options = {.seed = 63};
    struct sim *sim = shop_open(&options);

    (void)state;
    shop_add(sim, (struct shop_sync){.name = LIVING});
    living_resync(sim, "first", "Recreate");
    check_run_until(sim, living_is_handled, 5 * MINUTE_MS);
    living_check_settled(sim);
    assert_int_equal(shop_rw(sim)->tables_made, 1);
    assert_int_equal(sim->counts.applies, 6);
    shop_close(sim);
}

/* What the token meant is what counts, not what the spec says later. */
static void the_mode_of_a_token_is_fixed(void **state)
{
    struct sim *sim = living_open(64);

    (void)state;
    living_resync(sim, "once", "InPlace");
    sim_run_for(sim, 3000);
    living_edit(sim, "resyncMode", "\"Recreate\"");
    check_run_until(sim, living_is_handled, 10 * MINUTE_MS);
    living_check_settled(sim);
    assert_int_equal(shop_sr(sim)->tables_made, 1);
    assert_string_equal(json_path_string(shop_find(sim, LIVING), "status.resync.mode"),
                        "InPlace");
    shop_close(sim);
}

/* At any moment of the first one. */
static void a_newer_token_takes_over(void **state)
{
    static const char *const modes[] = {"InPlace", "Truncate", "Recreate"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(modes) * COUNT_OF(modes); i++) {
        for (int64_t after_ms = 500; after_ms < 40000; after_ms += 5500 * SIM_SLOWER) {
            struct sim *sim = living_open(65);

            living_churn_for(sim, MINUTE_MS);
            living_resync(sim, "one", modes[i % COUNT_OF(modes)]);
            sim_run_for(sim, after_ms);
            living_resync(sim, "two", modes[i / COUNT_OF(modes)]);
            check_run_until(sim, living_is_handled, 20 * MINUTE_MS);
            living_calm(sim);
            living_check_settled(sim);
            assert_in_range(shop_rw(sim)->tables_made, 2, 3);
            check_audit(sim);
            shop_close(sim);
        }
    }
}

/* Nothing is replaced while nothing is delivered; then it is. */
static void a_paused_resource_waits_with_it(void **state)
{
    struct sim *sim = living_open(66);

    (void)state;
    living_edit(sim, "state", "\"Paused\"");
    sim_run_for(sim, MINUTE_MS);
    living_resync(sim, "once", "Truncate");
    sim_run_for(sim, 10 * MINUTE_MS);
    check_quiet_looks(sim, 2);
    assert_int_equal(living_target(sim)->rows, 20);
    assert_int_equal(living_sink(sim)->rate_limit, 0);
    living_edit(sim, "state", "\"Running\"");
    check_run_until(sim, living_is_handled, 10 * MINUTE_MS);
    living_check_settled(sim);
    check_audit(sim);
    shop_close(sim);
}

/* Both versions of everything go, wherever the replacement was. */
static void it_can_be_deleted_at_any_moment(void **state)
{
    static const char *const modes[] = {"InPlace", "Truncate", "Recreate"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(modes); i++) {
        for (int64_t after_ms = 500; after_ms < 40000; after_ms += 1700 * SIM_SLOWER) {
            struct sim *sim = living_open(67);

            living_edit(sim, "deletionPolicy", "\"Delete\"");
            living_resync(sim, "once", modes[i]);
            sim_run_for(sim, after_ms);
            shop_delete(sim, LIVING);
            check_run_until(sim, shop_all_gone, 5 * MINUTE_MS);
            assert_int_equal(shop_rw(sim)->objects.n + shop_sr(sim)->tables.n, 0);
            check_audit(sim);
            shop_close(sim);
        }
    }
}

int run_resync_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_column_in_its_order),
        cmocka_unit_test(a_wider_type_in_its_order),
        cmocka_unit_test(in_place_in_its_order),
        cmocka_unit_test(truncate_in_its_order),
        cmocka_unit_test(recreate_in_its_order),
        cmocka_unit_test(a_token_acts_once),
        cmocka_unit_test(a_token_of_the_beginning_asks_for_nothing),
        cmocka_unit_test(the_mode_of_a_token_is_fixed),
        cmocka_unit_test(a_newer_token_takes_over),
        cmocka_unit_test(a_paused_resource_waits_with_it),
        cmocka_unit_test(it_can_be_deleted_at_any_moment),
    };

    return cmocka_run_group_tests_name("resync", tests, NULL, NULL);
}

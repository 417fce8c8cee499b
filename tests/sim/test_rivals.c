/* Two resources for one target, and resources whose servers are dead. */
#include "shop.h"

static bool orders_ready(struct sim *sim)
{
    return shop_is_ready(sim, "orders");
}

static bool loser_told(struct sim *sim)
{
    return strcmp(shop_reason(sim, "late", "TargetTableReady"), "OwnedByAnother") == 0;
}

static bool late_ready(struct sim *sim)
{
    return shop_is_ready(sim, "late");
}

static bool orders_gone(struct sim *sim)
{
    return shop_find(sim, "orders") == NULL;
}

static struct sim *two_on_one(const char *policy, uint64_t seed)
{
    const struct sim_options options = {.seed = seed};
    struct sim *sim = shop_open(&options);

    shop_add(sim, (struct shop_sync){.name = "orders", .policy = policy});
    sim->clock.now_ms += 2000; /* creationTimestamp has seconds */
    shop_add(sim, (struct shop_sync){
                      .name = "late", .connection = "mysql-b", .table = "orders"});
    check_run_until(sim, orders_ready, 5 * MINUTE_MS);
    check_run_until(sim, loser_told, MINUTE_MS);
    return sim;
}

/* The loser says who has the table. */
static void expect_part(struct sim *sim, const char *part)
{
    const char *message = shop_message(sim, "late", "TargetTableReady");

    if (strstr(message, part) == NULL) {
        fail_msg("'%s' lacks '%s'", message, part);
    }
}

static void the_older_wins(void **state)
{
    struct sim *sim = two_on_one("Delete", 21);

    (void)state;
    expect_part(sim, "shop/orders");
    sim_run_for(sim, 40 * MINUTE_MS);
    assert_true(orders_ready(sim));
    assert_false(late_ready(sim));
    /* One table, one sink: the loser touched nothing. */
    assert_int_equal(fake_rw_count(shop_rw(sim), FAKE_TABLE, "tablesync"), 1);
    assert_int_equal(fake_rw_count(shop_rw(sim), FAKE_SOURCE, "tablesync"), 1);
    assert_int_equal(fake_sr_find(shop_sr(sim), "ods", "orders")->rows, 1000);
    check_audit(sim);
    shop_close(sim);
}

static void the_loser_takes_over_what_was_deleted(void **state)
{
    struct sim *sim = two_on_one("Delete", 22);

    (void)state;
    shop_delete(sim, "orders");
    check_run_until(sim, orders_gone, MINUTE_MS);
    check_run_until(sim, late_ready, 20 * MINUTE_MS);
    check_quiet(sim);
    check_world(sim);
    assert_int_equal(fake_sr_find(shop_sr(sim), "ods", "orders")->rows, 7);
    shop_close(sim);
}

/* The mark of the old uid stays with the retained table: nobody takes it over silently.
 */
static void a_retained_target_keeps_its_mark(void **state)
{
    static const char *const policies[] = {"Retain", "DeleteStream"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(policies); i++) {
        struct sim *sim = two_on_one(policies[i], 23 + i);
        int64_t applies = 0;

        sim_run_for(sim, MINUTE_MS); /* the rows arrive */
        shop_delete(sim, "orders");
        check_run_until(sim, orders_gone, MINUTE_MS);
        applies = sim->counts.applies;
        sim_run_for(sim, 40 * MINUTE_MS);
        assert_true(loser_told(sim));
        expect_part(sim, "belongs to the TableSync with uid");
        assert_int_equal(sim->counts.applies, applies);
        assert_int_equal(fake_sr_find(shop_sr(sim), "ods", "orders")->rows, 1000);
        shop_close(sim);
    }
}

/* The loser deleted under Delete: the winner's table is not its own. */
static void a_deleted_loser_drops_nothing(void **state)
{
    struct sim *sim = two_on_one("Retain", 25);
    int64_t applies = 0;

    (void)state;
    applies = sim->counts.applies;
    fake_kube_edit(sim->kube, "tablesyncs", SHOP, "late", "deletionPolicy", "\"Delete\"");
    sim_run_for(sim, MINUTE_MS);
    shop_delete(sim, "late");
    check_run_until(sim, shop_all_ready, MINUTE_MS);
    assert_int_equal(sim->counts.applies, applies);
    check_quiet(sim);
    check_world(sim);
    shop_close(sim);
}

/* --- dead servers --- */

/* As many behind a dead server as elsewhere: they wait, the others do not. */
static void a_dead_server_stops_nobody_else(void **state)
{
    const struct sim_options options = {.seed = 26};
    struct sim *sim = shop_open(&options);
    int64_t opens = 0;

    (void)state;
    fake_db_rw(sim->db, RW_B_HOST)->down = true;
    for (int i = 0; i < 20; i++) {
        const char *name = arena_printf(sim->arena, "dead-%d", i);

        shop_add(sim, (struct shop_sync){
                          .name = name, .rw = "rw-b", .table = "orders", .target = name});
    }
    shop_add(sim, (struct shop_sync){.name = "orders"});
    check_run_until(sim, orders_ready, 2 * MINUTE_MS);
    for (int i = 0; i < 20; i++) {
        const char *name = arena_printf(sim->arena, "dead-%d", i);

        assert_string_equal(shop_reason(sim, name, "ConnectionsReady"), "Unreachable");
    }
    /* The dead server is not hammered: its lane remembers. */
    sim_run_for(sim, 10 * MINUTE_MS);
    opens = sim->counts.opens;
    sim_run_for(sim, 10 * MINUTE_MS);
    assert_in_range(sim->counts.opens - opens, 1, 120);
    /* Its connection is looked at every 15 s and wakes them: no backoff of theirs counts.
     */
    fake_db_rw(sim->db, RW_B_HOST)->down = false;
    check_run_until(sim, shop_all_ready, 2 * MINUTE_MS);
    check_quiet(sim);
    check_world(sim);
    shop_close(sim);
}

static void two_servers_with_equal_names_do_not_collide(void **state)
{
    const struct sim_options options = {.seed = 27};
    struct sim *sim = shop_open(&options);

    (void)state;
    shop_add(sim, (struct shop_sync){.name = "orders"});
    shop_add(sim, (struct shop_sync){.name = "orders-b",
                                     .connection = "mysql-b",
                                     .table = "orders",
                                     .target = "orders_b"});
    check_run_until(sim, shop_all_ready, 5 * MINUTE_MS);
    check_quiet(sim);
    check_world(sim);
    assert_int_equal(fake_rw_count(shop_rw(sim), FAKE_SOURCE, "tablesync"), 2);
    assert_int_equal(fake_sr_find(shop_sr(sim), "ods", "orders")->rows, 1000);
    assert_int_equal(fake_sr_find(shop_sr(sim), "ods", "orders_b")->rows, 7);
    shop_close(sim);
}

int run_rival_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_older_wins),
        cmocka_unit_test(the_loser_takes_over_what_was_deleted),
        cmocka_unit_test(a_retained_target_keeps_its_mark),
        cmocka_unit_test(a_deleted_loser_drops_nothing),
        cmocka_unit_test(a_dead_server_stops_nobody_else),
        cmocka_unit_test(two_servers_with_equal_names_do_not_collide),
    };

    return cmocka_run_group_tests_name("rivals", tests, NULL, NULL);
}

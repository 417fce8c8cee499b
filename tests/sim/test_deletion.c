/*
 * Deletion under each policy, with any call failing: Retain touches nothing, the others
 * leave nothing of ours and everything of others, and the finalizer goes last.
 */
#include "shop.h"

#include "kube/api.h"

/* What belongs to others and must survive whatever is deleted. */
static void add_strangers(struct sim *sim)
{
    struct fake_rw *rw = shop_rw(sim);
    struct fake_stream_object *source = NULL;
    struct fake_sr_table *theirs = ARENA_NEW(sim->arena, struct fake_sr_table);

    VEC_PUSH(sim->arena, &rw->schemas, "public");
    source = fake_rw_add(sim->db, rw, FAKE_SOURCE, "public", "src_shop_theirs", 0);
    source->hostname = MYSQL_HOST;
    source->server_id = "9999";
    (void)fake_rw_add(sim->db, rw, FAKE_VIEW, "public", "their_view", source->id);
    theirs->database = "ods";
    theirs->table = (struct sr_table){
        .name = "theirs", .comment = "a table of somebody else", .model = "PRIMARY_KEYS"};
    VEC_PUSH(sim->arena, &shop_sr(sim)->tables, theirs);
}

static void check_strangers(struct sim *sim)
{
    if (fake_rw_find(shop_rw(sim), "public", "src_shop_theirs") == NULL ||
        fake_rw_find(shop_rw(sim), "public", "their_view") == NULL ||
        fake_sr_find(shop_sr(sim), "ods", "theirs") == NULL) {
        check_fail(sim, "something of somebody else is gone");
    }
}

static void grow(struct sim *sim, const char *policy)
{
    add_strangers(sim);
    shop_add(sim, (struct shop_sync){.name = "orders", .policy = policy});
    shop_add(sim, (struct shop_sync){.name = "users", .policy = policy});
    check_run_until(sim, shop_all_ready, 5 * MINUTE_MS);
    sim_run_for(sim, MINUTE_MS);
}

static bool orders_gone(struct sim *sim)
{
    return shop_find(sim, "orders") == NULL;
}

static bool users_gone(struct sim *sim)
{
    return shop_find(sim, "users") == NULL;
}

static void delete_orders(struct sim *sim)
{
    shop_delete(sim, "orders");
}

static size_t left_in_rw(struct sim *sim, enum fake_kind kind)
{
    return fake_rw_count(shop_rw(sim), kind, "tablesync");
}

/* --- Retain --- */

static int64_t applies_before;

static void prepare_retain(struct sim *sim)
{
    grow(sim, "Retain");
    applies_before = sim->counts.applies;
}

static void verify_retain(struct sim *sim)
{
    if (sim->counts.applies != applies_before) {
        check_fail(sim, "Retain sent %lld statements",
                   (long long)(sim->counts.applies - applies_before));
    }
    check_strangers(sim);
    if (left_in_rw(sim, FAKE_SINK) != 2 || left_in_rw(sim, FAKE_TABLE) != 2 ||
        fake_sr_find(shop_sr(sim), "ods", "orders") == NULL) {
        check_fail(sim, "Retain lost something");
    }
    assert_true(shop_is_ready(sim, "users"));
}

/* --- DeleteStream and Delete --- */

static void prepare_stream(struct sim *sim)
{
    grow(sim, "DeleteStream");
}

static void prepare_delete(struct sim *sim)
{
    grow(sim, "Delete");
}

/* One is gone, the other works on; then the other goes, and the shared source with it. */
static void verify_dropped(struct sim *sim, bool keeps_target)
{
    check_strangers(sim);
    if (left_in_rw(sim, FAKE_SINK) != 1 || left_in_rw(sim, FAKE_TABLE) != 1 ||
        left_in_rw(sim, FAKE_SOURCE) != 1) {
        check_fail(sim, "left: %zu sinks, %zu tables, %zu sources of one TableSync",
                   left_in_rw(sim, FAKE_SINK), left_in_rw(sim, FAKE_TABLE),
                   left_in_rw(sim, FAKE_SOURCE));
    }
    if ((fake_sr_find(shop_sr(sim), "ods", "orders") != NULL) != keeps_target) {
        check_fail(sim, "the target %s", keeps_target ? "is gone" : "is still there");
    }
    fake_mysql_write(sim->db, shop_mysql(sim), "shop", "users", 5);
    sim_run_for(sim, 2 * MINUTE_MS);
    assert_true(shop_is_ready(sim, "users"));
    assert_int_equal(fake_sr_find(shop_sr(sim), "ods", "users")->rows, 25);
    shop_delete(sim, "users");
    check_run_until(sim, users_gone, 5 * MINUTE_MS);
    check_strangers(sim);
    if (left_in_rw(sim, FAKE_SINK) + left_in_rw(sim, FAKE_TABLE) +
            left_in_rw(sim, FAKE_SOURCE) >
        0) {
        check_fail(sim, "the last one left something in RisingWave");
    }
    assert_int_equal(shop_sr(sim)->tables.n, keeps_target ? 3 : 1);
}

static void verify_stream(struct sim *sim)
{
    verify_dropped(sim, true);
}

static void verify_delete(struct sim *sim)
{
    verify_dropped(sim, false);
}

static const struct trial retaining = {.name = "Retain",
                                       .prepare = prepare_retain,
                                       .begin = delete_orders,
                                       .done = orders_gone,
                                       .verify = verify_retain};
static const struct trial streaming = {.name = "DeleteStream",
                                       .prepare = prepare_stream,
                                       .begin = delete_orders,
                                       .done = orders_gone,
                                       .verify = verify_stream};
static const struct trial deleting = {.name = "Delete",
                                      .prepare = prepare_delete,
                                      .begin = delete_orders,
                                      .done = orders_gone,
                                      .verify = verify_delete};

static void all_modes(const struct trial *trial)
{
    run_trials(trial, SIM_FAIL);
    run_trials(trial, SIM_LOSE);
    run_trials(trial, SIM_CRASH_BEFORE);
    run_trials(trial, SIM_CRASH_AFTER);
    run_trials(trial, SIM_PAUSE);
}

/* --- deleted while it is being made --- */

static void prepare_nothing(struct sim *sim)
{
    add_strangers(sim);
}

static void add_orders(struct sim *sim)
{
    shop_add(sim, (struct shop_sync){.name = "orders", .policy = "Delete"});
}

/* Its user gives up as soon as something went wrong, or else when it is Ready. */
static bool given_up(struct sim *sim)
{
    const struct json *orders = shop_find(sim, "orders");

    if (orders != NULL && !kube_deleting(orders) &&
        (sim->faults.hits > 0 || shop_is_ready(sim, "orders"))) {
        shop_delete(sim, "orders");
    }
    return shop_find(sim, "orders") == NULL;
}

static void verify_nothing_left(struct sim *sim)
{
    check_strangers(sim);
    if (left_in_rw(sim, FAKE_SINK) + left_in_rw(sim, FAKE_TABLE) +
                left_in_rw(sim, FAKE_SOURCE) >
            0 ||
        shop_sr(sim)->tables.n != 1) {
        check_fail(sim, "something was left behind");
    }
}

static const struct trial giving_up = {.name = "deleted in the making",
                                       .prepare = prepare_nothing,
                                       .begin = add_orders,
                                       .done = given_up,
                                       .verify = verify_nothing_left};

static void deleted_in_the_making_leaves_nothing(void **state)
{
    (void)state;
    all_modes(&giving_up);
}

static void retain_touches_nothing(void **state)
{
    (void)state;
    all_modes(&retaining);
}

static void delete_stream_keeps_the_target(void **state)
{
    (void)state;
    all_modes(&streaming);
}

static void delete_leaves_nothing(void **state)
{
    (void)state;
    all_modes(&deleting);
}

/* --- what holds it --- */

static bool is_held(struct sim *sim)
{
    return kube_has_finalizer(shop_find(sim, "orders"), TSYNC_FINALIZER);
}

static bool waits_for_a_connection(struct sim *sim)
{
    return strcmp(shop_reason(sim, "orders", "Ready"), "ConnectionNotFound") == 0;
}

/* What could not have made anything has nothing to clean up. */
static void what_waits_for_a_connection_is_not_held(void **state)
{
    const struct sim_options options = {.seed = 10};
    struct sim *sim = shop_open(&options);

    (void)state;
    shop_add(sim, (struct shop_sync){.name = "orders", .connection = "to-come"});
    check_run_until(sim, waits_for_a_connection, MINUTE_MS);
    assert_false(is_held(sim));
    shop_delete(sim, "orders");
    assert_true(orders_gone(sim));
    shop_add(sim, (struct shop_sync){.name = "orders", .connection = "to-come"});
    check_run_until(sim, waits_for_a_connection, MINUTE_MS);
    shop_connect(sim, "to-come", "MySQL", MYSQL_HOST);
    check_run_until(sim, is_held, MINUTE_MS);
    check_run_until(sim, shop_all_ready, 5 * MINUTE_MS);
    check_world(sim);
    shop_close(sim);
}

/* Hands took it off, and then the connection went. */
static void what_made_something_is_held_without_its_connection(void **state)
{
    struct sim *sim = shop_grown(14);

    (void)state;
    fake_kube_purge(sim->kube, "databaseconnections", SHOP, "mysql");
    fake_kube_strip(sim->kube, "tablesyncs", SHOP, "orders");
    assert_false(is_held(sim));
    check_run_until(sim, is_held, 5 * MINUTE_MS);
    shop_close(sim);
}

/* --- what stands in the way --- */

static const char *ready_reason(struct sim *sim)
{
    return shop_reason(sim, "orders", "Ready");
}

static bool blocked(struct sim *sim)
{
    return strcmp(ready_reason(sim), "DeletionBlocked") == 0;
}

static void a_dead_server_blocks_until_it_is_back(void **state)
{
    const struct sim_options options = {.seed = 11};
    struct sim *sim = shop_open(&options);

    (void)state;
    grow(sim, "Delete");
    shop_sr(sim)->down = true;
    shop_delete(sim, "orders");
    check_run_until(sim, blocked, 2 * MINUTE_MS);
    assert_string_equal(shop_phase(sim, "orders"), "Deleting");
    sim_run_for(sim, 30 * MINUTE_MS);
    assert_non_null(shop_find(sim, "orders"));
    shop_sr(sim)->down = false;
    check_run_until(sim, orders_gone, 15 * MINUTE_MS);
    check_run_until(sim, shop_all_ready, 15 * MINUTE_MS);
    verify_delete(sim);
    check_audit(sim);
    shop_close(sim);
}

static void the_orphan_annotation_lets_go(void **state)
{
    const struct sim_options options = {.seed = 12};
    struct sim *sim = shop_open(&options);

    (void)state;
    grow(sim, "Delete");
    shop_rw(sim)->down = true;
    shop_delete(sim, "orders");
    check_run_until(sim, blocked, 2 * MINUTE_MS);
    sim_count_anew(sim);
    fake_kube_annotate(sim->kube, SHOP, "orders", TSYNC_ANNOTATION_ORPHAN, "true");
    check_run_until(sim, orders_gone, 5000);
    assert_int_equal(sim->counts.applies, 0);
    assert_int_equal(sim->counts.opens, 0);
    assert_true(fake_kube_events_of(sim->kube, "orders", "Orphaned") == 1);
    assert_int_equal(left_in_rw(sim, FAKE_SINK), 2);
    shop_close(sim);
}

static bool dependants_named(struct sim *sim)
{
    return strcmp(ready_reason(sim), "DependantsExist") == 0;
}

static void a_view_of_somebody_else_is_named_and_kept(void **state)
{
    const struct sim_options options = {.seed = 13};
    struct sim *sim = shop_open(&options);
    const struct fake_stream_object *view = NULL;
    int64_t table = 0;

    (void)state;
    grow(sim, "Delete");
    for (size_t i = 0; i < shop_rw(sim)->objects.n; i++) {
        const struct fake_stream_object *o = shop_rw(sim)->objects.v[i];

        if (o->kind == FAKE_TABLE && strcmp(o->upstream, "shop.orders") == 0) {
            table = o->id;
        }
    }
    view = fake_rw_add(sim->db, shop_rw(sim), FAKE_VIEW, "public", "report", table);
    sim_count_anew(sim);
    shop_delete(sim, "orders");
    check_run_until(sim, dependants_named, 2 * MINUTE_MS);
    sim_run_for(sim, 30 * MINUTE_MS);
    assert_int_equal(sim->counts.applies, 0);
    assert_true(dependants_named(sim));
    assert_non_null(strstr(shop_message(sim, "orders", "Ready"), "public.report"));
    fake_rw_remove(shop_rw(sim), view);
    check_run_until(sim, orders_gone, 15 * MINUTE_MS);
    verify_delete(sim);
    shop_close(sim);
}

static void retain_needs_no_server(void **state)
{
    const struct sim_options options = {.seed = 14};
    struct sim *sim = shop_open(&options);

    (void)state;
    shop_rw(sim)->down = true;
    shop_add(sim, (struct shop_sync){.name = "orders", .policy = "Retain"});
    sim_run_for(sim, MINUTE_MS);
    assert_string_equal(shop_reason(sim, "orders", "ConnectionsReady"), "Unreachable");
    shop_delete(sim, "orders");
    check_run_until(sim, orders_gone, 5000);
    assert_int_equal(sim->counts.applies, 0);
    check_audit(sim);
    shop_close(sim);
}

int run_deletion_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(retain_touches_nothing),
        cmocka_unit_test(delete_stream_keeps_the_target),
        cmocka_unit_test(delete_leaves_nothing),
        cmocka_unit_test(deleted_in_the_making_leaves_nothing),
        cmocka_unit_test(what_waits_for_a_connection_is_not_held),
        cmocka_unit_test(what_made_something_is_held_without_its_connection),
        cmocka_unit_test(a_dead_server_blocks_until_it_is_back),
        cmocka_unit_test(the_orphan_annotation_lets_go),
        cmocka_unit_test(a_view_of_somebody_else_is_named_and_kept),
        cmocka_unit_test(retain_needs_no_server),
    };

    return cmocka_run_group_tests_name("deletion", tests, NULL, NULL);
}

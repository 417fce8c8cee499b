/* Binary logs that MySQL deleted before RisingWave had read them (verified 1): told by
 * everybody who reads the source, and healed by a re-sync of each. */
#include "shop.h"

#include "ddl/plan.h"

static const char *const NAMES[] = {"orders", "users"};

static struct fake_upstream *table(struct sim *sim, size_t i)
{
    return fake_mysql_find(shop_mysql(sim), "shop", NAMES[i]);
}

static void edit(struct sim *sim, const char *name, const char *path, const char *value)
{
    fake_kube_edit(sim->kube, "tablesyncs", SHOP, name, path,
                   arena_printf(sim->arena, "\"%s\"", value));
}

static void resync(struct sim *sim, const char *name, const char *token)
{
    edit(sim, name, "resyncMode", "Truncate");
    edit(sim, name, "resyncToken", token);
}

static bool tells(struct sim *sim, const char *name)
{
    return strcmp(shop_reason(sim, name, "SourceReady"), "BinlogPurged") == 0;
}

static bool all_tell(struct sim *sim)
{
    return tells(sim, NAMES[0]) && tells(sim, NAMES[1]);
}

static bool first_tells(struct sim *sim)
{
    return tells(sim, NAMES[0]);
}

static bool first_is_ready(struct sim *sim)
{
    return shop_is_ready(sim, NAMES[0]);
}

/* While RisingWave is away rows come, change and go, and then nobody can read of it. */
static void lose_once_more(struct sim *sim, int64_t key)
{
    struct fake_stream_object *source = shop_first(sim, FAKE_SOURCE);

    source->back_ms = sim->clock.now_ms + MINUTE_MS;
    for (size_t i = 0; i < COUNT_OF(NAMES); i++) {
        fake_mysql_write(sim->db, shop_mysql(sim), "shop", NAMES[i], 3);
        fake_mysql_update(sim->db, table(sim, i), 1);
        fake_mysql_delete(sim->db, table(sim, i), key);
    }
    fake_mysql_purge(sim->db, shop_mysql(sim));
}

static void lose(struct sim *sim)
{
    lose_once_more(sim, 2);
}

static void grow(struct sim *sim)
{
    for (size_t i = 0; i < COUNT_OF(NAMES); i++) {
        shop_add(sim, (struct shop_sync){.name = NAMES[i]});
    }
    check_run_until(sim, shop_all_ready, 10 * MINUTE_MS);
}

static struct sim *grown(uint64_t seed)
{
    const struct sim_options options = {.seed = seed};
    struct sim *sim = shop_open(&options);

    grow(sim);
    return sim;
}

static void it_is_told_and_nothing_is_touched(void **state)
{
    struct sim *sim = grown(91);
    int64_t applies = sim->applies_ever;

    (void)state;
    lose(sim);
    check_run_until(sim, all_tell, 5 * MINUTE_MS);
    for (size_t i = 0; i < COUNT_OF(NAMES); i++) {
        assert_string_equal(shop_reason(sim, NAMES[i], "Ready"), "BinlogPurged");
        assert_string_equal(shop_condition(sim, NAMES[i], "Stalled"), "True");
        assert_non_null(strstr(shop_message(sim, NAMES[i], "Ready"), "spec.resyncToken"));
        assert_non_null(strstr(shop_message(sim, NAMES[i], "Ready"),
                               "up to mysql-bin.000000, and MySQL's oldest one is "
                               "mysql-bin.000001"));
    }
    sim_run_for(sim, 10 * MINUTE_MS);
    assert_true(all_tell(sim));
    assert_int_equal(sim->applies_ever, applies);
    shop_close(sim);
}

/* MySQL deletes what is read: nobody's loss. */
static void what_was_read_may_go(void **state)
{
    struct sim *sim = grown(92);

    (void)state;
    for (int i = 0; i < 5; i++) {
        fake_mysql_purge(sim->db, shop_mysql(sim));
        sim_run_for(sim, MINUTE_MS);
        assert_true(shop_all_ready(sim));
    }
    assert_int_equal(shop_rw(sim)->sources_reset, 0);
    check_quiet(sim);
    check_world(sim);
    shop_close(sim);
}

/* The source reads again as soon as one is loaded anew; the other one's rows have a gap
 * for as long as it was not. */
static void each_is_loaded_anew(void **state)
{
    struct sim *sim = grown(93);

    (void)state;
    lose(sim);
    check_run_until(sim, all_tell, 5 * MINUTE_MS);
    resync(sim, NAMES[0], "one");
    check_run_until(sim, first_is_ready, 20 * MINUTE_MS);
    assert_int_equal(shop_rw(sim)->sources_reset, 1);
    sim_run_for(sim, 20 * MINUTE_MS);
    assert_true(tells(sim, NAMES[1]));
    assert_string_equal(shop_reason(sim, NAMES[1], "Ready"), "BinlogPurged");
    assert_string_equal(shop_reason(sim, NAMES[0], "SourceReady"), "Shared");
    resync(sim, NAMES[1], "one");
    check_run_until(sim, shop_all_ready, 20 * MINUTE_MS);
    assert_int_equal(shop_rw(sim)->sources_reset, 1);
    check_quiet(sim);
    check_world(sim);
    shop_close(sim);
}

/* It happens once more while the rows are loaded anew: that load has a gap, too. */
static void what_is_lost_while_loading_is_told(void **state)
{
    struct sim *sim = grown(94);

    (void)state;
    lose(sim);
    check_run_until(sim, all_tell, 5 * MINUTE_MS);
    resync(sim, NAMES[0], "one");
    resync(sim, NAMES[1], "one");
    check_run_until(sim, shop_all_ready, 20 * MINUTE_MS);
    sim_run_for(sim, 20 * MINUTE_MS); /* a position is not believed right after a reset */
    edit(sim, NAMES[0], "resyncToken", "two");
    sim->db->snapshot_ms = 5 * MINUTE_MS;
    sim_run_for(sim, MINUTE_MS);
    lose_once_more(sim, 3);
    check_run_until(sim, all_tell, 5 * MINUTE_MS);
    sim->db->snapshot_ms = 1000;
    resync(sim, NAMES[0], "three");
    resync(sim, NAMES[1], "three");
    check_run_until(sim, shop_all_ready, 30 * MINUTE_MS);
    sim_run_for(sim, 10 * MINUTE_MS);
    check_quiet(sim);
    check_world(sim);
    shop_close(sim);
}

/* Who is left alone cannot take note, and nothing may hide its loss from it. */
static void nobody_is_passed_over(void **state)
{
    struct sim *sim = grown(95);

    (void)state;
    fake_kube_annotate(sim->kube, SHOP, NAMES[1], TSYNC_ANNOTATION_PAUSE, "true");
    sim_run_for(sim, MINUTE_MS);
    lose(sim);
    check_run_until(sim, first_tells, 5 * MINUTE_MS);
    resync(sim, NAMES[0], "one");
    sim_run_for(sim, 10 * MINUTE_MS);
    assert_int_equal(shop_rw(sim)->sources_reset, 0);
    assert_non_null(strstr(shop_message(sim, NAMES[0], "Ready"), "not yet: 'users'"));
    assert_true(tells(sim, NAMES[0]));
    fake_kube_annotate(sim->kube, SHOP, NAMES[1], TSYNC_ANNOTATION_PAUSE, NULL);
    check_run_until(sim, first_is_ready, 20 * MINUTE_MS);
    assert_true(tells(sim, NAMES[1]));
    resync(sim, NAMES[1], "one");
    check_run_until(sim, shop_all_ready, 20 * MINUTE_MS);
    check_world(sim);
    shop_close(sim);
}

/* New ones come to a source that cannot read: they let the source go on, and the others
 * go on saying that their rows have a gap. */
static void newcomers_let_it_go_on(void **state)
{
    struct sim *sim = grown(96);

    (void)state;
    lose(sim);
    for (int i = 1; i <= 2; i++) {
        const char *name = arena_printf(sim->arena, "lines-%d", i);

        fake_mysql_add_table(sim->db, shop_mysql(sim), "shop", name, 20);
        shop_add(sim, (struct shop_sync){.name = name});
    }
    sim_run_for(sim, 20 * MINUTE_MS);
    assert_true(shop_is_ready(sim, "lines-1") && shop_is_ready(sim, "lines-2"));
    assert_true(all_tell(sim));
    assert_int_equal(shop_rw(sim)->sources_reset, 1);
    resync(sim, NAMES[0], "one");
    resync(sim, NAMES[1], "one");
    check_run_until(sim, shop_all_ready, 20 * MINUTE_MS);
    check_quiet(sim);
    check_world(sim);
    shop_close(sim);
}

/* All ask for it before anybody was told: nobody waits for somebody who waits. */
static void tokens_may_come_first(void **state)
{
    struct sim *sim = grown(97);

    (void)state;
    lose(sim);
    resync(sim, NAMES[0], "one");
    resync(sim, NAMES[1], "one");
    sim_run_for(sim, MINUTE_MS);
    assert_int_equal(shop_rw(sim)->sources_reset, 0);
    check_run_until(sim, shop_all_ready, 20 * MINUTE_MS);
    assert_int_equal(shop_rw(sim)->sources_reset, 1);
    sim_run_for(sim, 10 * MINUTE_MS);
    check_quiet(sim);
    check_world(sim);
    shop_close(sim);
}

/* --- through every accident --- */

static void grow_and_lose(struct sim *sim)
{
    grow(sim);
    lose(sim);
    check_run_until(sim, all_tell, 5 * MINUTE_MS);
}

static void write_on(struct sim *sim)
{
    if (rng_below(&sim->rng, 4) == 0) {
        struct fake_upstream *up = table(sim, rng_below(&sim->rng, COUNT_OF(NAMES)));

        fake_mysql_update(sim->db, up, 4);
    }
}

static void load_both_anew(struct sim *sim)
{
    sim->on_moment = write_on;
    resync(sim, NAMES[0], "one");
    resync(sim, NAMES[1], "one");
}

static bool both_are_loaded(struct sim *sim)
{
    return shop_all_ready(sim);
}

static void nothing_is_missing(struct sim *sim)
{
    sim->on_moment = NULL;
    sim_run_for(sim, 10 * MINUTE_MS);
    assert_true(shop_all_ready(sim));
    check_world(sim);
}

/* Only one is loaded anew: whatever breaks, the other one's gap is not forgotten. */
static void load_one_anew(struct sim *sim)
{
    sim->on_moment = write_on;
    resync(sim, NAMES[0], "one");
}

static void the_other_goes_on_telling(struct sim *sim)
{
    sim->on_moment = NULL;
    for (int i = 0; i < 3;
         i++) { /* as after such an outage: nothing answers for a while */
        shop_rw(sim)->recovering = i == 0;
        shop_mysql(sim)->down = i == 1;
        sim_run_for(sim, 2 * MINUTE_MS);
    }
    shop_rw(sim)->recovering = shop_mysql(sim)->down = false;
    check_run_until(sim, first_is_ready, 30 * MINUTE_MS);
    sim_run_for(sim, 10 * MINUTE_MS);
    if (!tells(sim, NAMES[1]) || shop_is_ready(sim, NAMES[1])) {
        check_fail(sim, "the gap is forgotten");
    }
}

static const struct trial halfway = {.name = "loading one of two anew",
                                     .prepare = grow_and_lose,
                                     .begin = load_one_anew,
                                     .done = first_is_ready,
                                     .verify = the_other_goes_on_telling,
                                     .stride = 4};

static const struct trial healing = {.name = "healing from a purged log",
                                     .prepare = grow_and_lose,
                                     .begin = load_both_anew,
                                     .done = both_are_loaded,
                                     .verify = nothing_is_missing,
                                     .stride = 4};

static void healing_though_a_call_fails(void **state)
{
    (void)state;
    run_trials(&healing, SIM_FAIL);
    run_trials(&halfway, SIM_FAIL);
}

static void healing_though_an_answer_is_lost(void **state)
{
    (void)state;
    run_trials(&healing, SIM_LOSE);
    run_trials(&halfway, SIM_LOSE);
}

static void healing_though_it_crashes_before(void **state)
{
    (void)state;
    run_trials(&healing, SIM_CRASH_BEFORE);
    run_trials(&halfway, SIM_CRASH_BEFORE);
}

static void healing_though_it_crashes_after(void **state)
{
    (void)state;
    run_trials(&healing, SIM_CRASH_AFTER);
    run_trials(&halfway, SIM_CRASH_AFTER);
}

int run_purge_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_told_and_nothing_is_touched),
        cmocka_unit_test(what_was_read_may_go),
        cmocka_unit_test(each_is_loaded_anew),
        cmocka_unit_test(what_is_lost_while_loading_is_told),
        cmocka_unit_test(nobody_is_passed_over),
        cmocka_unit_test(newcomers_let_it_go_on),
        cmocka_unit_test(tokens_may_come_first),
        cmocka_unit_test(healing_though_a_call_fails),
        cmocka_unit_test(healing_though_an_answer_is_lost),
        cmocka_unit_test(healing_though_it_crashes_before),
        cmocka_unit_test(healing_though_it_crashes_after),
    };

    return cmocka_run_group_tests_name("purged", tests, NULL, NULL);
}

/* Counting the rows of both sides: when, what is told, and through every accident. */
#include "living.h"

#define COUNT(more) "{\"mode\":\"Count\",\"tolerance\":0,\"settleSeconds\":60" more "}"

static const char *of_verification(struct sim *sim, const char *name, const char *key)
{
    const char *text =
        json_get_string(json_path(shop_find(sim, name), "status.verification"), key);

    return text == NULL ? "" : text;
}

static size_t events(struct sim *sim, const char *result)
{
    return fake_kube_events_of(sim->kube, LIVING,
                               arena_printf(sim->arena, "Verification%s", result));
}

static void ask(struct sim *sim, const char *token)
{
    fake_kube_annotate(sim->kube, SHOP, LIVING, TSYNC_ANNOTATION_VERIFY, token);
}

static bool is_answered(struct sim *sim)
{
    const struct json *sync = shop_find(sim, LIVING);

    return kube_annotation(sync, TSYNC_ANNOTATION_VERIFY) == NULL &&
           of_verification(sim, LIVING, "request")[0] == '\0' &&
           of_verification(sim, LIVING, "handledRequest")[0] != '\0';
}

static void expect(struct sim *sim, const char *result, const char *status)
{
    if (strcmp(of_verification(sim, LIVING, "result"), result) != 0) {
        check_fail(sim, "'%s', not %s: %s", of_verification(sim, LIVING, "result"),
                   result, of_verification(sim, LIVING, "message"));
    }
    assert_string_equal(shop_reason(sim, LIVING, "Verified"), result);
    assert_string_equal(shop_condition(sim, LIVING, "Verified"), status);
    assert_true(shop_is_ready(sim, LIVING));
}

/* A row that nobody wrote through the stream. */
static void add_ghost(struct sim *sim)
{
    struct fake_sr_table *target = living_target(sim);

    fake_rows_put(&target->data, sim->arena, 1000, 1);
    target->rows = target->data.count;
}

static void counted_once_when_loaded(void **state)
{
    struct sim *sim = living_open(81);

    (void)state;
    assert_string_equal(shop_reason(sim, LIVING, "Verified"), "");
    living_edit(sim, "verify", COUNT(""));
    sim_run_for(sim, MINUTE_MS);
    expect(sim, "Match", "True");
    assert_int_equal(events(sim, "Passed"), 1);
    check_quiet(sim);
    living_resync(sim, "again", "Truncate");
    check_run_until(sim, living_is_handled, 10 * MINUTE_MS);
    sim_run_for(sim, 2 * MINUTE_MS);
    expect(sim, "Match", "True");
    assert_int_equal(events(sim, "Passed"), 2);
    check_quiet(sim);
    check_audit(sim);
    shop_close(sim);
}

static void a_ghost_shows_and_goes_with_a_resync(void **state)
{
    struct sim *sim = living_open(82);
    int64_t began_ms = 0;

    (void)state;
    add_ghost(sim);
    began_ms = sim->clock.now_ms;
    ask(sim, "now");
    check_run_until(sim, is_answered, 5 * MINUTE_MS);
    expect(sim, "Mismatch", "False");
    assert_true(sim->clock.now_ms - began_ms >= 60000);
    assert_non_null(strstr(of_verification(sim, LIVING, "message"), "1 more"));
    assert_int_equal(events(sim, "Mismatch"), 1);
    check_quiet(sim);
    living_resync(sim, "again", "Truncate");
    check_run_until(sim, living_is_handled, 10 * MINUTE_MS);
    /* What was counted were other rows. */
    assert_string_equal(of_verification(sim, LIVING, "result"), "");
    ask(sim, "now");
    check_run_until(sim, is_answered, 5 * MINUTE_MS);
    expect(sim, "Match", "True");
    check_audit(sim);
    shop_close(sim);
}

/* The sink keeps them for longer than one look. */
static void rows_on_their_way_are_no_mismatch(void **state)
{
    struct sim *sim = living_open(83);

    (void)state;
    living_sink(sim)->lag_ms = 35000;
    living_edit(sim, "verify", "{\"mode\":\"None\",\"settleSeconds\":10}");
    sim_run_for(sim, 2 * MINUTE_MS);
    for (int64_t key = 100; key < 120; key++) {
        fake_mysql_insert(sim->db, living_table(sim), key);
    }
    ask(sim, "now");
    check_run_until(sim, is_answered, 10 * MINUTE_MS);
    expect(sim, "Match", "True");
    assert_int_equal(events(sim, "Mismatch"), 0);
    check_audit(sim);
    shop_close(sim);
}

static void a_server_that_cannot_count_changes_nothing_else(void **state)
{
    struct sim *sim = living_open(84);

    (void)state;
    shop_mysql(sim)->slow = true;
    ask(sim, "now");
    check_run_until(sim, is_answered, MINUTE_MS);
    expect(sim, "Inconclusive", "Unknown");
    assert_int_equal(events(sim, "Inconclusive"), 1);
    shop_mysql(sim)->slow = false;
    shop_sr(sim)->live_backends = 0;
    ask(sim, "now");
    check_run_until(sim, is_answered, MINUTE_MS);
    sim_run_for(sim, 1000);
    assert_string_equal(of_verification(sim, LIVING, "result"), "Inconclusive");
    assert_non_null(strstr(of_verification(sim, LIVING, "message"), "No backend"));
    shop_sr(sim)->live_backends = 3;
    check_audit(sim);
    shop_close(sim);
}

static bool has_run(struct sim *sim)
{
    return of_verification(sim, LIVING, "result")[0] != '\0';
}

/* Each day at three, spread over a minute; while nobody was there, once for all. */
static void by_the_schedule(void **state)
{
    struct sim *sim = living_open(85);
    const char *first = NULL, *next = NULL;
    int64_t next_ms = 0;

    (void)state;
    living_edit(sim, "verify", COUNT(",\"schedule\":\"0 3 * * *\""));
    check_run_until(sim, has_run, MINUTE_MS);
    first = arena_strdup(sim->arena, of_verification(sim, LIVING, "at"));
    next = arena_strdup(sim->arena, of_verification(sim, LIVING, "nextAt"));
    next_ms = clock_parse_rfc3339(next);
    assert_int_equal(next_ms / 60000 % 1440, 3 * 60);
    sim_run_for(sim, next_ms - clock_wall_ms(&sim->clock.base) - 1000);
    assert_string_equal(of_verification(sim, LIVING, "at"), first);
    sim_run_for(sim, 10000);
    assert_int_equal(events(sim, "Passed"), 2);
    assert_int_equal(clock_parse_rfc3339(of_verification(sim, LIVING, "nextAt")),
                     next_ms + 1440 * MINUTE_MS);
    shop_sr(sim)->down = true;
    sim_run_for(sim, 3 * 1440 * MINUTE_MS);
    assert_int_equal(events(sim, "Passed"), 2);
    shop_sr(sim)->down = false;
    sim_run_for(sim, 30 * MINUTE_MS);
    assert_int_equal(events(sim, "Passed"), 3);
    assert_int_equal(events(sim, "Mismatch") + events(sim, "Inconclusive"), 0);
    check_quiet(sim);
    shop_close(sim);
}

/* Every call of it fails once, and the controller crashes at each: it is answered all the
 * same, and rightly. */
static void prepare(struct sim *sim)
{
    living_grow(sim);
    add_ghost(sim);
}

static void begin(struct sim *sim)
{
    ask(sim, "now");
}

static void verify(struct sim *sim)
{
    expect(sim, "Mismatch", "False");
    sim_run_for(sim, 10 * MINUTE_MS); /* a crash may have left the request twice */
    expect(sim, "Mismatch", "False");
    assert_true(is_answered(sim));
    check_audit(sim);
}

static const struct trial answered = {"a count", prepare, begin, is_answered, verify, 0};

static void each_call_fails(void **state)
{
    (void)state;
    run_trials(&answered, SIM_FAIL);
}

static void each_call_is_the_last(void **state)
{
    (void)state;
    run_trials(&answered, SIM_CRASH_BEFORE);
}

int run_count_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counted_once_when_loaded),
        cmocka_unit_test(a_ghost_shows_and_goes_with_a_resync),
        cmocka_unit_test(rows_on_their_way_are_no_mismatch),
        cmocka_unit_test(a_server_that_cannot_count_changes_nothing_else),
        cmocka_unit_test(by_the_schedule),
        cmocka_unit_test(each_call_fails),
        cmocka_unit_test(each_call_is_the_last),
    };

    return cmocka_run_group_tests_name("sim/count", tests, NULL, NULL);
}

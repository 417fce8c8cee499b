/* The turn to run DDL: in order of arrival, and nobody loses it to who comes later. */
#include "circuit_scene.h"

static bool begin(struct lane *lane, const char *key)
{
    struct fault fault = FAULT_INIT;
    bool got = lane_begin_ddl(lane, key, &scene->root, &fault);

    assert_true(got ||
                (key == NULL ? fault.class == FAULT_CONFLICT : lane_is_parked(&fault)));
    return got;
}

static void turns_go_round_in_order(void **state)
{
    struct lane *lane = trusted_lane("ns/a");

    (void)state;
    assert_true(begin(lane, "a"));
    assert_false(begin(lane, "b")); /* the next: it waited in place for a while */
    assert_false(begin(lane, "c"));
    assert_false(begin(lane, NULL));
    assert_int_equal(called("b"), 0);
    lane_end_ddl(lane);
    assert_int_equal(called("b"), 1);
    assert_false(begin(lane, "d")); /* b is on its way */
    assert_true(begin(lane, "b"));
    assert_int_equal(called("c"), 1); /* comes and stands ready meanwhile */
    lane_end_ddl(lane);
    assert_true(begin(lane, "c"));
    lane_end_ddl(lane);
    assert_int_equal(called("d"), 1);
    assert_true(begin(lane, "d"));
    lane_end_ddl(lane);
    lane_put(lane);
}

/* Deleted, say: then its turn is over after a moment. */
static void who_never_comes_is_passed_over(void **state)
{
    struct lane *lane = trusted_lane("ns/a");

    (void)state;
    assert_true(begin(lane, "a"));
    assert_false(begin(lane, "gone"));
    lane_end_ddl(lane);
    assert_false(begin(lane, "b"));
    /* Nobody will call it, so it looks again soon. */
    assert_string_equal(told.woken[told.n - 1], "b");
    assert_in_range(told.delay_ms[told.n - 1], 1000, 5000);
    scene->clock.now_ms += 2500;
    assert_true(begin(lane, "b"));
    lane_end_ddl(lane);
    lane_put(lane);
}

static void a_fresh_change_has_the_next_turn(void **state)
{
    struct lane *lane = trusted_lane("ns/a");

    (void)state;
    assert_true(begin(lane, "a"));
    assert_false(begin(lane, "b")); /* stood ready; goes on being the next but one */
    assert_false(begin(lane, "c"));
    assert_false(begin(lane, "U1"));
    assert_int_equal(told.priority[told.n - 1], QUEUE_URGENT);
    lane_end_ddl(lane);
    assert_int_equal(called("U1"), 1);
    assert_false(begin(lane, "b"));
    assert_true(begin(lane, "U1"));
    assert_int_equal(called("b"), 1);
    lane_end_ddl(lane);
    lane_put(lane);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CIRCUIT_TEST(turns_go_round_in_order),
        CIRCUIT_TEST(a_fresh_change_has_the_next_turn),
        CIRCUIT_TEST(who_never_comes_is_passed_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

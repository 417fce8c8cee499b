/* When a server is taken for dead, and when for living again. */
#include "circuit_scene.h"

#include <stdio.h>

static bool never_answers(struct unit_db *db, struct fault *fault)
{
    (void)db;
    scene->clock.now_ms += 60000;
    return fault_set(fault, FAULT_UNAVAILABLE, "Timeout", "no answer within a minute");
}

static void expect_down(struct lane *lane, const char *key, const char *reason)
{
    struct fault fault = FAULT_INIT;
    struct session none = {0};

    assert_false(enter(lane, key, &none, &fault));
    assert_string_equal(fault.reason, reason);
}

static void a_server_that_never_answers_is_dead(void **state)
{
    struct lane *lane = trusted_lane("ns/a");
    struct session session = {0};
    struct fault fault = FAULT_INIT;

    (void)state;
    scene->db.on_read = never_answers;
    expect_enter(lane, "a", &session);
    assert_false(ask(&session, &fault));
    session_close(&session, &fault);
    assert_int_equal(told.fell, 1);
    assert_int_equal(told.pause_ms, 1000);
    look();
    assert_int_equal(numbers.state, LANE_OPEN);
    expect_down(lane, "b", "Timeout");
    scene->clock.now_ms += 1000;
    look();
    assert_int_equal(numbers.state, LANE_HALF_OPEN);
    /* It lets us log in again, and that means nothing: the others hear the old word. */
    expect_enter(lane, "a", &session);
    assert_int_equal(told.rose, 0);
    expect_down(lane, "b", "Timeout");
    assert_false(ask(&session, &fault));
    session_close(&session, &fault);
    assert_int_equal(told.fell, 2);
    assert_int_equal(told.pause_ms, 2000);
    scene->clock.now_ms += 2000;
    scene->db.on_read = NULL;
    expect_enter(lane, "a", &session);
    expect_answer(&session);
    assert_int_equal(told.rose, 1);
    session_close(&session, NULL);
    expect_enter(lane, "b", &session);
    session_close(&session, NULL);
    look();
    assert_int_equal(numbers.state, LANE_CLOSED);
    lane_put(lane);
}

/* What /debug/state tells of it. */
static void its_last_failure_is_remembered(void **state)
{
    struct lane *lane = trusted_lane("ns/a");
    struct session session = {0}, command = {0};
    struct fault fault = FAULT_INIT;

    (void)state;
    look();
    assert_int_equal(numbers.idle, 1);
    assert_int_equal(numbers.in_use, 0);
    assert_int_equal(numbers.fault_ago_ms, -1);
    scene->db.on_read = never_answers;
    expect_enter(lane, "a", &session);
    expect_enter(lane, NULL, &command);
    look();
    assert_int_equal(numbers.idle, 0);
    assert_int_equal(numbers.in_use, 2); /* of one attempt and one command */
    assert_false(ask(&session, &fault));
    session_close(&command, NULL);
    session_close(&session, &fault);
    scene->clock.now_ms += 300;
    look();
    assert_int_equal(numbers.pause_ms, 700);
    assert_int_equal(numbers.fault_ago_ms, 300);
    assert_string_equal(numbers.fault.text, "no answer within a minute");
    assert_false(numbers.trying);
    scene->clock.now_ms += 700;
    scene->db.on_read = NULL;
    look();
    assert_int_equal(numbers.state, LANE_HALF_OPEN);
    assert_false(numbers.trying);
    expect_enter(lane, "a", &session);
    look();
    assert_true(numbers.trying);
    expect_answer(&session);
    session_close(&session, NULL);
    look();
    assert_int_equal(numbers.state, LANE_CLOSED);
    assert_int_equal(numbers.fault_ago_ms, 1001); /* an answer takes one */
    assert_string_equal(numbers.fault.text, "no answer within a minute");
    lane_put(lane_get(scene->lanes, "ns/a", "2")); /* another server, perhaps */
    look();
    assert_int_equal(numbers.fault_ago_ms, -1);
    assert_string_equal(numbers.fault.text, "");
    lane_put(lane);
}

/* Who was let through may leave without a word from the server: then the next one tries.
 */
static void a_probe_that_asks_nothing_proves_nothing(void **state)
{
    struct lane *lane = trusted_lane("ns/a");
    struct session session = {0};
    struct fault fault = FAULT_INIT;

    (void)state;
    scene->db.on_read = never_answers;
    expect_enter(lane, "a", &session);
    assert_false(ask(&session, &fault));
    session_close(&session, &fault);
    scene->clock.now_ms += 1000;
    expect_enter(lane, "a", &session);
    session_close(&session, NULL);
    assert_int_equal(told.rose, 0);
    expect_enter(lane, "b", &session);
    session_close(&session, NULL);
    lane_put(lane);
}

static struct lane *hanging;

static bool others_are_answered(struct unit_db *db, struct fault *fault)
{
    struct session second = {0};

    db->on_read = NULL;
    scene->clock.now_ms += 20000;
    expect_enter(hanging, "b", &second);
    expect_answer(&second);
    session_close(&second, NULL);
    return fault_set(fault, FAULT_UNAVAILABLE, "Timeout", "this count takes too long");
}

static void a_server_that_answers_others_is_not_dead(void **state)
{
    struct session session = {0};
    struct fault fault = FAULT_INIT;

    (void)state;
    hanging = trusted_lane("ns/a");
    scene->db.on_read = others_are_answered;
    expect_enter(hanging, "a", &session);
    assert_false(ask(&session, &fault));
    session_close(&session, &fault);
    assert_int_equal(told.fell, 0);
    lane_put(hanging);
}

static bool refuse(struct unit_db *db, struct fault *fault)
{
    db->closes++;
    return fault_set(fault, FAULT_UNAVAILABLE, "Unreachable", "connection refused");
}

static char crowd[40][8];

static bool crowd_then_refuse(struct unit_db *db, struct fault *fault)
{
    struct lane *lane = lane_get(scene->lanes, "ns/a", "1");

    db->on_open = refuse;
    for (size_t i = 0; i < COUNT_OF(crowd); i++) {
        (void)snprintf(crowd[i], sizeof(crowd[i]), "c%zu", i);
        expect_parked(lane, crowd[i]);
    }
    lane_put(lane);
    told.n = 0;
    return refuse(db, fault);
}

/* All of them are to hear it, but not in one moment, and nobody's edit waits for that. */
static void who_waited_for_a_login_hears_how_it_went(void **state)
{
    struct lane *lane = lane_get(scene->lanes, "ns/a", "1");
    struct fault fault = FAULT_INIT;
    struct session none = {0};

    (void)state;
    scene->db.on_open = crowd_then_refuse;
    assert_false(enter(lane, "a", &none, &fault));
    assert_int_equal(told.n, COUNT_OF(crowd));
    for (size_t i = 0; i < COUNT_OF(crowd); i++) {
        assert_string_equal(told.woken[i], crowd[i]);
        assert_int_equal(told.priority[i], QUEUE_LOW);
        assert_true(i == 0 || told.delay_ms[i] >= told.delay_ms[i - 1]);
    }
    assert_in_range(told.delay_ms[COUNT_OF(crowd) - 1], 300, 1000);
    expect_down(lane, crowd[0], "Unreachable");
    scene->clock.now_ms += 1000;
    scene->db.on_open = NULL;
    expect_enter(lane, crowd[0], &none);
    assert_int_equal(told.rose, 1);
    session_close(&none, NULL);
    lane_put(lane);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CIRCUIT_TEST(a_server_that_never_answers_is_dead),
        CIRCUIT_TEST(its_last_failure_is_remembered),
        CIRCUIT_TEST(a_probe_that_asks_nothing_proves_nothing),
        CIRCUIT_TEST(a_server_that_answers_others_is_not_dead),
        CIRCUIT_TEST(who_waited_for_a_login_hears_how_it_went),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* How many talk to a server at once, and who waits how. */
#include "circuit_scene.h"

#include <stdio.h>

static void one_until_the_server_has_answered(void **state)
{
    struct lane *lane = lane_get(scene->lanes, "ns/a", "1");
    struct session first = {0}, more[LANE_LIMIT] = {0};
    static const char *const KEYS[] = {"b", "c", "d"};

    (void)state;
    expect_enter(lane, "a", &first);
    for (size_t i = 0; i < COUNT_OF(KEYS); i++) {
        expect_parked(lane, KEYS[i]); /* a login proves little */
    }
    expect_parked(lane, "e");
    look();
    assert_int_equal(numbers.parked, 4);
    assert_int_equal(numbers.inside, 1);
    assert_int_equal(called("b"), 0);
    expect_answer(&first);
    for (size_t i = 0; i < COUNT_OF(KEYS); i++) {
        assert_int_equal(called(KEYS[i]), 1);
    }
    assert_int_equal(called("e"), 0); /* four are four */
    expect_parked(lane, "f");         /* nobody overtakes who was called */
    for (size_t i = 0; i < COUNT_OF(KEYS); i++) {
        expect_enter(lane, KEYS[i], &more[i]);
    }
    session_close(&first, NULL);
    assert_int_equal(called("e"), 1);
    assert_int_equal(called("f"), 0);
    for (size_t i = 0; i < COUNT_OF(KEYS); i++) {
        session_close(&more[i], NULL);
    }
    assert_int_equal(called("f"), 1);
    lane_put(lane);
}

static void who_is_called_and_does_not_come_is_not_waited_for(void **state)
{
    struct lane *lane = trusted_lane("ns/a");
    struct session in[LANE_LIMIT] = {0}, late = {0};
    char keys[LANE_LIMIT][8];

    (void)state;
    for (size_t i = 0; i < LANE_LIMIT; i++) {
        (void)snprintf(keys[i], sizeof(keys[i]), "k%zu", i);
        expect_enter(lane, keys[i], &in[i]);
    }
    expect_parked(lane, "gone");
    /* Whoever is parked looks again by itself, the first one soon. */
    assert_int_equal(told.priority[told.n - 1], QUEUE_LOW);
    assert_in_range(told.delay_ms[told.n - 1], 1, 1000);
    expect_parked(lane, "patient");
    assert_in_range(told.delay_ms[told.n - 1], 10000, 60000);
    session_close(&in[0], NULL);
    assert_int_equal(called("gone"), 1);
    expect_parked(lane, "patient");
    scene->clock.now_ms += 5000;
    expect_enter(lane, "patient", &late);
    session_close(&late, NULL);
    for (size_t i = 1; i < LANE_LIMIT; i++) {
        session_close(&in[i], NULL);
    }
    lane_put(lane);
}

static void commands_take_no_room_and_are_never_parked(void **state)
{
    struct lane *lane = lane_get(scene->lanes, "ns/a", "1");
    struct session first = {0}, commands[8] = {0}, one = {0};

    (void)state;
    expect_enter(lane, "a", &first);
    expect_answer(&first);
    for (size_t i = 0; i < COUNT_OF(commands); i++) {
        expect_enter(lane, NULL, &commands[i]);
    }
    expect_enter(lane, "b", &one);
    session_close(&one, NULL);
    session_close(&first, NULL);
    for (size_t i = 0; i < COUNT_OF(commands); i++) {
        session_close(&commands[i], NULL);
    }
    lane_put(lane);
}

static void a_lane_that_goes_sends_its_parked_away(void **state)
{
    struct lane *lane = lane_get(scene->lanes, "ns/a", "1");
    struct session first = {0};

    (void)state;
    expect_enter(lane, "a", &first);
    expect_parked(lane, "b");
    told.n = 0;
    lane_put(lane_get(scene->lanes, "ns/a", "2")); /* another password */
    assert_int_equal(told.n, 1);
    assert_string_equal(told.woken[0], "b");
    session_close(&first, NULL);
    lane_put(lane);
}

/* --- who comes first --- */

static void fill(struct lane *lane, struct session in[LANE_LIMIT],
                 char keys[LANE_LIMIT][8])
{
    for (size_t i = 0; i < LANE_LIMIT; i++) {
        (void)snprintf(keys[i], sizeof(keys[i]), "k%zu", i);
        expect_enter(lane, keys[i], &in[i]);
    }
}

static void a_fresh_change_goes_before_the_crowd(void **state)
{
    struct lane *lane = trusted_lane("ns/a");
    struct session in[LANE_LIMIT] = {0}, change = {0};
    char keys[LANE_LIMIT][8], crowd[16][8];

    (void)state;
    fill(lane, in, keys);
    for (size_t i = 0; i < COUNT_OF(crowd); i++) {
        (void)snprintf(crowd[i], sizeof(crowd[i]), "c%zu", i);
        expect_parked(lane, crowd[i]);
    }
    expect_parked(lane, "U1");
    /* It is the first now, so it looks again soon, and still as a change. */
    assert_in_range(told.delay_ms[told.n - 1], 1, 1000);
    assert_int_equal(told.priority[told.n - 1], QUEUE_URGENT);
    expect_parked(lane, "U2");
    told.n = 0;
    session_close(&in[0], NULL);
    assert_int_equal(told.n, 1);
    assert_string_equal(told.woken[0], "U1");
    assert_int_equal(told.priority[0], QUEUE_URGENT);
    session_close(&in[1], NULL);
    assert_int_equal(called("U2"), 1);
    session_close(&in[2], NULL);
    assert_int_equal(called("c0"), 1);
    assert_int_equal(told.priority[told.n - 1], QUEUE_NORMAL);
    expect_enter(lane, "U1", &change);
    session_close(&change, NULL);
    session_close(&in[3], NULL);
    lane_put(lane);
}

/* The outage is heard of by those first who wait for what comes of their change. */
static void fresh_changes_are_sent_away_first(void **state)
{
    struct lane *lane = lane_get(scene->lanes, "ns/a", "1");
    struct session first = {0};

    (void)state;
    expect_enter(lane, "a", &first);
    expect_parked(lane, "b");
    expect_parked(lane, "U1");
    told.n = 0;
    lane_put(lane_get(scene->lanes, "ns/a", "2")); /* another password */
    assert_int_equal(told.n, 2);
    assert_string_equal(told.woken[0], "U1");
    assert_int_equal(told.priority[0], QUEUE_URGENT);
    assert_string_equal(told.woken[1], "b");
    assert_int_equal(told.priority[1], QUEUE_LOW);
    session_close(&first, NULL);
    lane_put(lane);
}

static void those_who_find_room_together_are_called_in_order(void **state)
{
    struct lane *lane = lane_get(scene->lanes, "ns/a", "1");
    struct session first = {0};

    (void)state;
    expect_enter(lane, "a", &first);
    expect_parked(lane, "b");
    expect_parked(lane, "c");
    expect_parked(lane, "U1");
    told.n = 0;
    expect_answer(&first);
    assert_int_equal(told.n, 3);
    assert_string_equal(told.woken[0], "U1");
    assert_string_equal(told.woken[1], "b");
    assert_string_equal(told.woken[2], "c");
    session_close(&first, NULL);
    lane_put(lane);
}

/* --- calls that hang --- */

static struct lane *hanging, *other;
static struct session held;

/* In the middle of a call of "a" that goes on for long. */
static bool others_come_meanwhile(struct unit_db *db, struct fault *fault)
{
    struct session second = {0}, third = {0};

    (void)fault;
    db->on_read = NULL;
    assert_int_equal(lanes_held(scene->lanes), 0);
    scene->clock.now_ms += 700;
    assert_int_equal(lanes_held(scene->lanes), 1);
    look();
    assert_true(numbers.suspect);
    expect_enter(hanging, "b", &second); /* one more may try its luck */
    expect_parked(hanging, "c");
    expect_answer(&second); /* it was only this one call: the server lives */
    assert_int_equal(called("c"), 1);
    look();
    assert_false(numbers.suspect);
    expect_enter(hanging, "c", &third);
    session_close(&third, NULL);
    session_close(&second, NULL);
    return true;
}

static void behind_a_call_that_hangs_one_more_tries(void **state)
{
    struct session session = {0};

    (void)state;
    hanging = trusted_lane("ns/a");
    expect_enter(hanging, "a", &session);
    scene->db.on_read = others_come_meanwhile;
    expect_answer(&session);
    session_close(&session, NULL);
    lane_put(hanging);
}

static bool room_elsewhere(struct unit_db *db, struct fault *fault)
{
    struct session guests[LANE_LIMIT] = {0};
    static const char *const KEYS[] = {"e", "f", "g", "h"};

    (void)fault;
    db->on_read = NULL;
    for (size_t i = 0; i < 3; i++) {
        expect_enter(other, KEYS[i], &guests[i]);
    }
    expect_parked(other, KEYS[3]); /* "a" is the fourth */
    scene->clock.now_ms += 700;
    expect_enter(other, KEYS[3], &guests[3]);
    for (size_t i = 0; i < COUNT_OF(guests); i++) {
        session_close(&guests[i], NULL);
    }
    return true;
}

static void who_hangs_in_one_lane_takes_no_room_in_another(void **state)
{
    const char *key = "a"; /* one string for all sessions of an attempt */
    struct session session = {0};

    (void)state;
    hanging = trusted_lane("ns/hanging");
    other = trusted_lane("ns/a");
    expect_enter(other, key, &held);
    expect_enter(hanging, key, &session);
    scene->db.on_read = room_elsewhere;
    expect_answer(&session);
    session_close(&session, NULL);
    session_close(&held, NULL);
    lane_put(hanging);
    lane_put(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CIRCUIT_TEST(one_until_the_server_has_answered),
        CIRCUIT_TEST(who_is_called_and_does_not_come_is_not_waited_for),
        CIRCUIT_TEST(commands_take_no_room_and_are_never_parked),
        CIRCUIT_TEST(a_lane_that_goes_sends_its_parked_away),
        CIRCUIT_TEST(a_fresh_change_goes_before_the_crowd),
        CIRCUIT_TEST(fresh_changes_are_sent_away_first),
        CIRCUIT_TEST(those_who_find_room_together_are_called_in_order),
        CIRCUIT_TEST(behind_a_call_that_hangs_one_more_tries),
        CIRCUIT_TEST(who_hangs_in_one_lane_takes_no_room_in_another),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

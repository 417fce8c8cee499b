/* Sessions of a lane, its identity and its memory of being down. */
#include "lane_scene.h"

static bool refuse_open(struct unit_db *unit, struct fault *fault)
{
    unit->closes++; /* what was not opened needs no closing */
    return fault_set(fault, FAULT_UNAVAILABLE, "Unreachable", "connection refused");
}

static bool open_fails(struct lane_scene *s, struct lane *lane, struct fault *fault)
{
    const struct db_endpoint endpoint = {.conn = &lane_mysql, .user = "u"};
    struct session session = {0};

    return !session_open(lane, &endpoint, NULL, &s->root, &session, fault);
}

/* --- sessions --- */

static void idle_sessions_are_used_again(void **state)
{
    struct lane_scene *s = *state;
    struct lane *lane = lane_get(s->lanes, "ns/a", "1");
    struct session first = lane_scene_open(s, lane, &lane_mysql), second;

    second = lane_scene_open(s, lane, &lane_mysql);
    assert_int_equal(s->db.opens, 2);
    session_close(&first, NULL);
    assert_null(first.source);
    session_close(&first, NULL); /* safe on an empty one */
    session_close(&second, NULL);
    assert_int_equal(s->db.closes, 0);
    for (int i = 0; i < 5; i++) {
        first = lane_scene_open(s, lane, &lane_mysql);
        session_close(&first, NULL);
    }
    assert_int_equal(s->db.opens, 2);
    lane_put(lane);
}

static void only_a_few_stay_idle(void **state)
{
    struct lane_scene *s = *state;
    struct lane *lane = lane_get(s->lanes, "ns/a", "1");
    struct session sessions[12];

    for (size_t i = 0; i < COUNT_OF(sessions); i++) {
        sessions[i] = lane_scene_open(s, lane, &lane_rw);
    }
    for (size_t i = 0; i < COUNT_OF(sessions); i++) {
        session_close(&sessions[i], NULL);
    }
    assert_in_range(s->db.closes, 6, 11);
    lane_put(lane);
}

static void a_broken_session_is_closed(void **state)
{
    struct lane_scene *s = *state;
    static const struct {
        enum fault_class class;
        bool breaks;
    } rows[] = {{FAULT_UNAVAILABLE, true}, {FAULT_CANCELLED, true}, {FAULT_BUG, true},
                {FAULT_REFUSED, false},    {FAULT_DENIED, false},   {FAULT_SPEC, false},
                {FAULT_CONFLICT, false}};
    struct lane *lane = lane_get(s->lanes, "ns/a", "1");

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct fault fault = FAULT_INIT;
        struct session session = lane_scene_open(s, lane, &lane_sr);
        int64_t closes = s->db.closes;

        (void)fault_set(&fault, rows[i].class, NULL, "it broke");
        session_close(&session, &fault);
        assert_int_equal(s->db.closes - closes, rows[i].breaks ? 1 : 0);
    }
    lane_put(lane);
}

static bool read_fails(struct unit_db *unit, struct fault *fault)
{
    *fault = *(const struct fault *)unit->context;
    return false;
}

/* Reads of the server, which fails with `next`, or answers (no class). */
static void look(struct lane_scene *s, struct session *session, struct fault *next)
{
    struct observation *seen = NULL;
    struct fault fault = FAULT_INIT;

    s->db.context = next;
    s->db.on_read = next->class == FAULT_NONE ? NULL : read_fails;
    assert_int_equal(
        lane_observe(session, OBSERVE_SERVER, "", -1, &s->root, &seen, &fault),
        next->class == FAULT_NONE);
    observation_put(seen);
}

/* Stale is what was idle, and was never answered; and not what a server says of itself.
 */
static void only_silence_makes_an_idle_session_stale(void **state)
{
    struct lane_scene *s = *state;
    static const struct {
        bool idled, answered; /* it was idle; something was answered before it fails */
        enum fault_class class;
        const char *reason;
        bool stale;
    } rows[] = {{true, false, FAULT_UNAVAILABLE, "Unreachable", true},
                {true, false, FAULT_UNAVAILABLE, "Timeout", true},
                {true, false, FAULT_UNAVAILABLE, "NoBackends", false},
                {true, false, FAULT_UNAVAILABLE, "Recovering", false},
                {true, false, FAULT_DENIED, "MissingGrant", false},
                {true, false, FAULT_CANCELLED, NULL, false},
                {true, true, FAULT_UNAVAILABLE, "Unreachable", false},
                {false, false, FAULT_UNAVAILABLE, "Unreachable", false}};

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct lane *lane = lane_get(s->lanes, "ns/a", "1");
        struct session session = lane_scene_open(s, lane, &lane_mysql);
        struct fault fault = FAULT_INIT, none = FAULT_INIT;

        if (rows[i].idled) {
            session_close(&session, NULL);
            session = lane_scene_open(s, lane, &lane_mysql);
        }
        if (rows[i].answered) {
            look(s, &session, &none);
        }
        assert_false(session_was_stale(&session));
        (void)fault_set(&fault, rows[i].class, rows[i].reason, "it went wrong");
        look(s, &session, &fault);
        assert_int_equal(session_was_stale(&session), rows[i].stale);
        look(s, &session, &fault); /* asked on although it is broken: no other answer */
        assert_int_equal(session_was_stale(&session), rows[i].stale);
        session_close(&session, &fault);
        assert_false(session_was_stale(&session));
        lane_put(lane);
        lanes_remove(s->lanes, "ns/a");
    }
}

/* Another password or host: nothing of the old identity is used any more. */
static void a_new_fingerprint_drops_everything(void **state)
{
    struct lane_scene *s = *state;
    struct lane *lane = lane_get(s->lanes, "ns/a", "1");
    struct session idle = lane_scene_open(s, lane, &lane_mysql), out, fresh;
    struct observation *seen = NULL;
    struct fault fault = FAULT_INIT;

    out = lane_scene_open(s, lane, &lane_mysql);
    assert_ok(lane_observe(&idle, OBSERVE_SERVER, "", 60000, &s->root, &seen, &fault),
              fault);
    session_close(&idle, NULL);
    lane_put(lane);
    lane = lane_get(s->lanes, "ns/a", "1");
    assert_int_equal(s->db.closes, 0); /* the same again changes nothing */
    lane_put(lane);
    lane = lane_get(s->lanes, "ns/a", "2");
    assert_int_equal(s->db.closes, 1);
    assert_null(lanes_observed(s->lanes, "ns/a", OBSERVE_SERVER, ""));
    assert_string_equal(seen->u.mysql.version, "8.0.39"); /* who holds it may read on */
    observation_put(seen);
    session_close(&out, NULL); /* was out meanwhile: of the old identity */
    assert_int_equal(s->db.closes, 2);
    fresh = lane_scene_open(s, lane, &lane_mysql);
    assert_int_equal(s->db.opens, 3);
    session_close(&fresh, NULL);
    lane_put(lane);
    lanes_remove(s->lanes, "ns/a");
    assert_int_equal(s->db.closes, 3);
}

static void a_held_lane_outlives_its_removal(void **state)
{
    struct lane_scene *s = *state;
    struct lane *lane = lane_get(s->lanes, "ns/a", "1");
    struct session session = lane_scene_open(s, lane, &lane_mysql);

    lanes_remove(s->lanes, "ns/a");
    session_close(&session, NULL);
    lane_put(lane);
    assert_int_equal(s->db.closes, 1);
}

/* --- the memory of being down --- */

static void a_dead_server_is_not_asked_again_for_a_while(void **state)
{
    struct lane_scene *s = *state;
    struct lane *lane = lane_get(s->lanes, "ns/a", "1");
    struct fault fault = FAULT_INIT;
    int64_t pause_ms = 1000;

    s->db.on_open = refuse_open;
    for (int64_t tries = 1; tries <= 8; tries++) {
        assert_true(open_fails(s, lane, &fault));
        assert_int_equal(s->db.opens, tries);
        fault_clear(&fault);
        s->clock.now_ms += pause_ms - 1;
        assert_true(open_fails(s, lane, &fault)); /* answered from memory */
        assert_int_equal(s->db.opens, tries);
        assert_string_equal(fault.reason, "Unreachable");
        assert_string_equal(fault.text, "connection refused");
        s->clock.now_ms += 1;
        pause_ms = pause_ms * 2 > 30000 ? 30000 : pause_ms * 2;
    }
    lane_put(lane);
}

static void a_success_forgets_the_outage(void **state)
{
    struct lane_scene *s = *state;
    struct lane *lane = lane_get(s->lanes, "ns/a", "1");
    struct fault fault = FAULT_INIT;
    struct session session;

    s->db.on_open = refuse_open;
    for (int i = 0; i < 4; i++) {
        assert_true(open_fails(s, lane, &fault));
        s->clock.now_ms += 30000;
    }
    s->db.on_open = NULL;
    session = lane_scene_open(s, lane, &lane_mysql);
    session_close(&session, &(struct fault){.class = FAULT_UNAVAILABLE});
    s->db.on_open = refuse_open;
    assert_true(open_fails(s, lane, &fault));
    s->clock.now_ms += 1000; /* the shortest pause again */
    s->db.on_open = NULL;
    session = lane_scene_open(s, lane, &lane_mysql);
    session_close(&session, NULL);
    lane_put(lane);
}

static void retry_and_a_new_identity_try_at_once(void **state)
{
    struct lane_scene *s = *state;
    struct lane *lane = lane_get(s->lanes, "ns/a", "1");
    struct fault fault = FAULT_INIT;

    s->db.on_open = refuse_open;
    assert_true(open_fails(s, lane, &fault));
    assert_true(open_fails(s, lane, &fault));
    assert_int_equal(s->db.opens, 1);
    lane_retry(lane);
    assert_true(open_fails(s, lane, &fault));
    assert_int_equal(s->db.opens, 2);
    lane_put(lane);
    lane = lane_get(s->lanes, "ns/a", "2");
    assert_true(open_fails(s, lane, &fault));
    assert_int_equal(s->db.opens, 3);
    lane_put(lane);
}

static bool cancel_open(struct unit_db *unit, struct fault *fault)
{
    unit->closes++;
    return fault_set(fault, FAULT_CANCELLED, NULL, "stopped");
}

/* That we were stopped says nothing about the server. */
static void being_stopped_is_not_an_outage(void **state)
{
    struct lane_scene *s = *state;
    struct lane *lane = lane_get(s->lanes, "ns/a", "1");
    struct fault fault = FAULT_INIT;
    struct session session;

    s->db.on_open = cancel_open;
    assert_true(open_fails(s, lane, &fault));
    s->db.on_open = NULL;
    session = lane_scene_open(s, lane, &lane_mysql);
    session_close(&session, NULL);
    lane_put(lane);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LANE_TEST(idle_sessions_are_used_again),
        LANE_TEST(only_a_few_stay_idle),
        LANE_TEST(a_broken_session_is_closed),
        LANE_TEST(only_silence_makes_an_idle_session_stale),
        LANE_TEST(a_new_fingerprint_drops_everything),
        LANE_TEST(a_held_lane_outlives_its_removal),
        LANE_TEST(a_dead_server_is_not_asked_again_for_a_while),
        LANE_TEST(a_success_forgets_the_outage),
        LANE_TEST(retry_and_a_new_identity_try_at_once),
        LANE_TEST(being_stopped_is_not_an_outage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

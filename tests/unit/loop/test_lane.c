#include "loop_unit.h"

#include "base/heap.h"

static struct unit_clock test_clock;
static struct unit_db db;
static struct cancel root;
static struct lanes *lanes;

static const struct dbconn mysql_conn = {.type = DBCONN_MYSQL, .host = "m"};
static const struct dbconn rw_conn = {.type = DBCONN_RISINGWAVE, .host = "r"};
static const struct dbconn sr_conn = {.type = DBCONN_STARROCKS, .host = "s"};

static int set_up(void **state)
{
    struct fault fault = FAULT_INIT;

    (void)state;
    unit_clock_init(&test_clock);
    unit_db_init(&db);
    assert_ok(cancel_init_root(&root, &test_clock.base, &fault), fault);
    lanes = lanes_new(&db.base, &test_clock.base, 1);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    lanes_free(lanes);
    cancel_deinit(&root);
    assert_int_equal(db.opens - db.closes, 0);
    return 0;
}

static struct session open_session(struct lane *lane, const struct dbconn *conn)
{
    const struct db_endpoint endpoint = {.conn = conn, .user = "u"};
    struct fault fault = FAULT_INIT;
    struct session session = {0};

    assert_ok(session_open(lane, &endpoint, &root, &session, &fault), fault);
    return session;
}

static bool refuse_open(struct unit_db *unit, struct fault *fault)
{
    unit->closes++; /* what was not opened needs no closing */
    return fault_set(fault, FAULT_UNAVAILABLE, "Unreachable", "connection refused");
}

static bool open_fails(struct lane *lane, struct fault *fault)
{
    const struct db_endpoint endpoint = {.conn = &mysql_conn, .user = "u"};
    struct session session = {0};

    return !session_open(lane, &endpoint, &root, &session, fault);
}

/* --- sessions --- */

static void idle_sessions_are_used_again(void **state)
{
    struct lane *lane = lane_get(lanes, "ns/a", "1");
    struct session first = open_session(lane, &mysql_conn), second;

    (void)state;
    second = open_session(lane, &mysql_conn);
    assert_int_equal(db.opens, 2);
    session_close(&first, NULL);
    assert_null(first.source);
    session_close(&first, NULL); /* safe on an empty one */
    session_close(&second, NULL);
    assert_int_equal(db.closes, 0);
    for (int i = 0; i < 5; i++) {
        first = open_session(lane, &mysql_conn);
        session_close(&first, NULL);
    }
    assert_int_equal(db.opens, 2);
    lane_put(lane);
}

static void only_a_few_stay_idle(void **state)
{
    struct lane *lane = lane_get(lanes, "ns/a", "1");
    struct session sessions[12];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(sessions); i++) {
        sessions[i] = open_session(lane, &rw_conn);
    }
    for (size_t i = 0; i < COUNT_OF(sessions); i++) {
        session_close(&sessions[i], NULL);
    }
    assert_in_range(db.closes, 6, 11);
    lane_put(lane);
}

static void a_broken_session_is_closed(void **state)
{
    static const struct {
        enum fault_class class;
        bool breaks;
    } rows[] = {{FAULT_UNAVAILABLE, true}, {FAULT_CANCELLED, true}, {FAULT_BUG, true},
                {FAULT_REFUSED, false},    {FAULT_DENIED, false},   {FAULT_SPEC, false},
                {FAULT_CONFLICT, false}};
    struct lane *lane = lane_get(lanes, "ns/a", "1");

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct fault fault = FAULT_INIT;
        struct session session = open_session(lane, &sr_conn);
        int64_t closes = db.closes;

        (void)fault_set(&fault, rows[i].class, NULL, "it broke");
        session_close(&session, &fault);
        assert_int_equal(db.closes - closes, rows[i].breaks ? 1 : 0);
    }
    lane_put(lane);
}

/* Another password or host: nothing of the old identity is used any more. */
static void a_new_fingerprint_drops_everything(void **state)
{
    struct lane *lane = lane_get(lanes, "ns/a", "1");
    struct session idle = open_session(lane, &mysql_conn), out, fresh;
    struct observation *seen = NULL;
    struct fault fault = FAULT_INIT;

    (void)state;
    out = open_session(lane, &mysql_conn);
    assert_ok(lane_observe(&idle, OBSERVE_SERVER, "", 60000, &root, &seen, &fault),
              fault);
    session_close(&idle, NULL);
    lane_put(lane);
    lane = lane_get(lanes, "ns/a", "1");
    assert_int_equal(db.closes, 0); /* the same again changes nothing */
    lane_put(lane);
    lane = lane_get(lanes, "ns/a", "2");
    assert_int_equal(db.closes, 1);
    assert_null(lanes_observed(lanes, "ns/a", OBSERVE_SERVER, ""));
    assert_string_equal(seen->u.mysql.version, "8.0.39"); /* who holds it may read on */
    observation_put(seen);
    session_close(&out, NULL); /* was out meanwhile: of the old identity */
    assert_int_equal(db.closes, 2);
    fresh = open_session(lane, &mysql_conn);
    assert_int_equal(db.opens, 3);
    session_close(&fresh, NULL);
    lane_put(lane);
    lanes_remove(lanes, "ns/a");
    assert_int_equal(db.closes, 3);
}

static void a_held_lane_outlives_its_removal(void **state)
{
    struct lane *lane = lane_get(lanes, "ns/a", "1");
    struct session session = open_session(lane, &mysql_conn);

    (void)state;
    lanes_remove(lanes, "ns/a");
    session_close(&session, NULL);
    lane_put(lane);
    assert_int_equal(db.closes, 1);
}

/* --- the memory of being down --- */

static void a_dead_server_is_not_asked_again_for_a_while(void **state)
{
    struct lane *lane = lane_get(lanes, "ns/a", "1");
    struct fault fault = FAULT_INIT;
    int64_t pause_ms = 1000;

    (void)state;
    db.on_open = refuse_open;
    for (int64_t tries = 1; tries <= 8; tries++) {
        assert_true(open_fails(lane, &fault));
        assert_int_equal(db.opens, tries);
        fault_clear(&fault);
        test_clock.now_ms += pause_ms - 1;
        assert_true(open_fails(lane, &fault)); /* answered from memory */
        assert_int_equal(db.opens, tries);
        assert_string_equal(fault.reason, "Unreachable");
        assert_string_equal(fault.text, "connection refused");
        test_clock.now_ms += 1;
        pause_ms = pause_ms * 2 > 30000 ? 30000 : pause_ms * 2;
    }
    lane_put(lane);
}

static void a_success_forgets_the_outage(void **state)
{
    struct lane *lane = lane_get(lanes, "ns/a", "1");
    struct fault fault = FAULT_INIT;
    struct session session;

    (void)state;
    db.on_open = refuse_open;
    for (int i = 0; i < 4; i++) {
        assert_true(open_fails(lane, &fault));
        test_clock.now_ms += 30000;
    }
    db.on_open = NULL;
    session = open_session(lane, &mysql_conn);
    session_close(&session, &(struct fault){.class = FAULT_UNAVAILABLE});
    db.on_open = refuse_open;
    assert_true(open_fails(lane, &fault));
    test_clock.now_ms += 1000; /* the shortest pause again */
    db.on_open = NULL;
    session = open_session(lane, &mysql_conn);
    session_close(&session, NULL);
    lane_put(lane);
}

static void retry_and_a_new_identity_try_at_once(void **state)
{
    struct lane *lane = lane_get(lanes, "ns/a", "1");
    struct fault fault = FAULT_INIT;

    (void)state;
    db.on_open = refuse_open;
    assert_true(open_fails(lane, &fault));
    assert_true(open_fails(lane, &fault));
    assert_int_equal(db.opens, 1);
    lane_retry(lane);
    assert_true(open_fails(lane, &fault));
    assert_int_equal(db.opens, 2);
    lane_put(lane);
    lane = lane_get(lanes, "ns/a", "2");
    assert_true(open_fails(lane, &fault));
    assert_int_equal(db.opens, 3);
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
    struct lane *lane = lane_get(lanes, "ns/a", "1");
    struct fault fault = FAULT_INIT;
    struct session session;

    (void)state;
    db.on_open = cancel_open;
    assert_true(open_fails(lane, &fault));
    db.on_open = NULL;
    session = open_session(lane, &mysql_conn);
    session_close(&session, NULL);
    lane_put(lane);
}

/* --- observations --- */

static struct observation *observe(struct session *s, enum observation_kind kind,
                                   const char *scope, int64_t max_age_ms)
{
    struct observation *o = NULL;
    struct fault fault = FAULT_INIT;

    assert_ok(lane_observe(s, kind, scope, max_age_ms, &root, &o, &fault), fault);
    return o;
}

static void one_read_serves_until_it_is_old(void **state)
{
    struct lane *lane = lane_get(lanes, "ns/a", "1");
    struct session s = open_session(lane, &rw_conn);
    struct observation *first = observe(&s, OBSERVE_CATALOG, "x", 500), *again;

    (void)state;
    test_clock.now_ms += 500;
    again = observe(&s, OBSERVE_CATALOG, "x", 500);
    assert_ptr_equal(first, again);
    observation_put(again);
    test_clock.now_ms += 1;
    again = observe(&s, OBSERVE_CATALOG, "x", 500);
    assert_ptr_not_equal(first, again);
    assert_int_equal(db.reads, 2);
    assert_string_equal(first->u.rw.tables.v[0].name, "x"); /* still whole */
    observation_put(first);
    observation_put(again);
    again = observe(&s, OBSERVE_CATALOG, "y", 60000); /* another schema */
    assert_string_equal(again->u.rw.tables.v[0].name, "y");
    assert_int_equal(db.reads, 3);
    observation_put(again);
    again = lanes_observed(lanes, "ns/a", OBSERVE_CATALOG, "x");
    assert_non_null(again);
    observation_put(again);
    assert_null(lanes_observed(lanes, "ns/b", OBSERVE_CATALOG, "x"));
    session_close(&s, NULL);
    lane_put(lane);
}

static void a_statement_makes_it_old(void **state)
{
    struct lane *lane = lane_get(lanes, "ns/a", "1");
    struct session s = open_session(lane, &rw_conn);
    struct observation *o = observe(&s, OBSERVE_CATALOG, "x", 60000);

    (void)state;
    observation_put(o);
    lane_forget(lane); /* in the very millisecond of the read */
    assert_null(lanes_observed(lanes, "ns/a", OBSERVE_CATALOG, "x"));
    test_clock.now_ms += 1;
    o = observe(&s, OBSERVE_CATALOG, "x", 60000);
    assert_int_equal(db.reads, 2);
    observation_put(o);
    o = observe(&s, OBSERVE_CATALOG, "x", 60000);
    assert_int_equal(db.reads, 2);
    observation_put(o);
    session_close(&s, NULL);
    lane_put(lane);
}

static bool forget_meanwhile(struct unit_db *unit, struct fault *fault)
{
    (void)fault;
    lane_forget(unit->context);
    return true;
}

/* Begun before the statement, ended after it: it may have seen either. */
static void a_read_that_a_statement_overtook_is_not_shared(void **state)
{
    struct lane *lane = lane_get(lanes, "ns/a", "1");
    struct session s = open_session(lane, &rw_conn);

    (void)state;
    db.context = lane;
    db.on_read = forget_meanwhile;
    observation_put(observe(&s, OBSERVE_CATALOG, "x", 60000));
    db.on_read = NULL;
    test_clock.now_ms += 5;
    observation_put(observe(&s, OBSERVE_CATALOG, "x", 60000));
    assert_int_equal(db.reads, 2);
    session_close(&s, NULL);
    lane_put(lane);
}

static bool refuse_read(struct unit_db *unit, struct fault *fault)
{
    (void)unit;
    return fault_set(fault, FAULT_UNAVAILABLE, NULL, "gone away");
}

static void a_failed_read_leaves_nothing(void **state)
{
    struct lane *lane = lane_get(lanes, "ns/a", "1");
    struct session s = open_session(lane, &sr_conn);
    struct observation *o = NULL;
    struct fault fault = FAULT_INIT;

    (void)state;
    db.on_read = refuse_read;
    assert_false(lane_observe(&s, OBSERVE_SERVER, "", 60000, &root, &o, &fault));
    assert_null(o);
    assert_string_equal(fault.text, "gone away");
    assert_null(lanes_observed(lanes, "ns/a", OBSERVE_SERVER, ""));
    db.on_read = NULL;
    observation_put(observe(&s, OBSERVE_SERVER, "", 60000));
    session_close(&s, NULL);
    lane_put(lane);
}

static void learned_backends_belong_to_the_identity(void **state)
{
    struct lane *lane = lane_get(lanes, "ns/a", "1");

    (void)state;
    assert_int_equal(lane_backends(lane), 0);
    lane_learn_backends(lane, 2);
    assert_int_equal(lane_backends(lane), 2);
    lane_put(lane);
    lane = lane_get(lanes, "ns/a", "2");
    assert_int_equal(lane_backends(lane), 0);
    lane_put(lane);
}

#define LANE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LANE_TEST(idle_sessions_are_used_again),
        LANE_TEST(only_a_few_stay_idle),
        LANE_TEST(a_broken_session_is_closed),
        LANE_TEST(a_new_fingerprint_drops_everything),
        LANE_TEST(a_held_lane_outlives_its_removal),
        LANE_TEST(a_dead_server_is_not_asked_again_for_a_while),
        LANE_TEST(a_success_forgets_the_outage),
        LANE_TEST(retry_and_a_new_identity_try_at_once),
        LANE_TEST(being_stopped_is_not_an_outage),
        LANE_TEST(one_read_serves_until_it_is_old),
        LANE_TEST(a_statement_makes_it_old),
        LANE_TEST(a_read_that_a_statement_overtook_is_not_shared),
        LANE_TEST(a_failed_read_leaves_nothing),
        LANE_TEST(learned_backends_belong_to_the_identity),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

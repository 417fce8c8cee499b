/* Attempts that have learned nothing new: what is written then, and when the next look
 * comes. */
#include "attempt_scene.h"

/* A conflict and a stop say nothing about the world: no status, no count of failures. */
static void conflict_and_stop_are_not_told(void **state)
{
    struct scene *s = *state;
    struct fault fault = FAULT_INIT, unwritten = FAULT_INIT;

    scene_begin(s, "finalize");
    (void)fault_set(&fault, FAULT_CONFLICT, NULL, "changed meanwhile");
    assert_ok(report(&s->a, &fault, &unwritten), unwritten);
    assert_in_range(s->a.requeue_ms, 1, 1000);
    scene_end(s);
    scene_begin(s, "apply");
    (void)fault_set(&fault, FAULT_CANCELLED, NULL, "stopped");
    assert_ok(report(&s->a, &fault, &unwritten), unwritten);
    scene_end(s);
    assert_int_equal(s->writes, 0);
    assert_int_equal(queue_fail(s->loop->queue, "TableSync/shop/orders"), 0);
}

static const struct dbconn WAREHOUSE = {.type = DBCONN_STARROCKS,
                                        .namespace = "shop",
                                        .name = "warehouse",
                                        .host = "starrocks.example",
                                        .port = 9030};

/* *context is the fault. */
static bool read_fails(struct unit_db *unit, struct fault *fault)
{
    *fault = *(const struct fault *)unit->context;
    return false;
}

/* The attempt gets a session that was idle, and what it asks first fails. */
static void ask_over_an_idle_session(struct scene *s, struct lane *lane,
                                     struct fault *fault)
{
    const struct db_endpoint endpoint = {.conn = &WAREHOUSE, .user = "u"};
    struct session *session = &s->a.bindings[BIND_TARGET].session;
    struct observation *seen = NULL;

    for (int i = 0; i < 2; i++) {
        session_close(session, NULL);
        assert_ok(session_open(lane, &endpoint, s->a.key, &s->root, session, fault),
                  *fault);
    }
    s->db.context = fault;
    s->db.on_read = read_fails;
    assert_false(lane_observe(session, OBSERVE_SERVER, "", -1, &s->root, &seen, fault));
}

/* Not to be told: it was closed while nobody used it. What a server says is told, over
 * whatever session; and so is another server's silence. */
static void only_a_session_lost_while_idle_says_nothing(void **state)
{
    static const struct {
        const char *reason, *then; /* of the session; of the attempt (NULL: the same) */
        bool told;
    } rows[] = {{"Unreachable", NULL, false},
                {"Timeout", NULL, false},
                {"NoBackends", NULL, true},
                {"AlterInProgress", NULL, true},
                {"NoBackends", "Unreachable", true}};
    struct scene *s = *state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct fault fault = FAULT_INIT, unwritten = FAULT_INIT;
        struct lane *lane = lane_get(s->loop->lanes, "shop/warehouse", "1");
        int64_t writes = s->writes;

        scene_begin(s, "connections");
        (void)fault_set(&fault, FAULT_UNAVAILABLE, rows[i].reason, "trial %zu", i);
        ask_over_an_idle_session(s, lane, &fault);
        if (rows[i].then != NULL) {
            (void)fault_set(&fault, FAULT_UNAVAILABLE, rows[i].then, "trial %zu", i);
        }
        assert_ok(report(&s->a, &fault, &unwritten), unwritten);
        assert_int_equal(s->writes - writes, rows[i].told);
        assert_true(s->a.requeue_ms > 0);
        if (rows[i].told) {
            scene_expect(s, "Ready", "False", fault.reason);
        } else {
            assert_in_range(s->a.requeue_ms, 1, 1000);
        }
        session_close(&s->a.bindings[BIND_TARGET].session, &fault);
        lane_put(lane);
        lanes_remove(s->loop->lanes, "shop/warehouse");
        scene_end(s);
    }
}

static void what_says_nothing_new_is_not_written(void **state)
{
    struct scene *s = *state;
    struct fault unwritten = FAULT_INIT;

    scene_begin(s, "verify");
    s->a.status.phase = PHASE_STREAMING;
    assert_ok(report(&s->a, NULL, &unwritten), unwritten);
    assert_int_equal(s->writes, 1);
    assert_int_equal(s->events, 1); /* the transition to Ready */
    s->a.conditions_before = s->a.conditions;
    assert_ok(report(&s->a, NULL, &unwritten), unwritten);
    assert_int_equal(s->writes, 1);
    assert_int_equal(s->events, 1);
    scene_end(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE_TEST(conflict_and_stop_are_not_told),
        SCENE_TEST(only_a_session_lost_while_idle_says_nothing),
        SCENE_TEST(what_says_nothing_new_is_not_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

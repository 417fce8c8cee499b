/* Bulk observations: one read serves until it is old or a statement ran. */
#include "lane_scene.h"

static struct observation *observe(struct lane_scene *s, struct session *session,
                                   enum observation_kind kind, const char *scope,
                                   int64_t max_age_ms)
{
    struct observation *o = NULL;
    struct fault fault = FAULT_INIT;

    assert_ok(lane_observe(session, kind, scope, max_age_ms, &s->root, &o, &fault),
              fault);
    return o;
}

static void one_read_serves_until_it_is_old(void **state)
{
    struct lane_scene *s = *state;
    struct lane *lane = lane_get(s->lanes, "ns/a", "1");
    struct session session = lane_scene_open(s, lane, &lane_rw);
    struct observation *first = observe(s, &session, OBSERVE_CATALOG, "x", 500), *again;

    s->clock.now_ms += 500;
    again = observe(s, &session, OBSERVE_CATALOG, "x", 500);
    assert_ptr_equal(first, again);
    observation_put(again);
    s->clock.now_ms += 1;
    again = observe(s, &session, OBSERVE_CATALOG, "x", 500);
    assert_ptr_not_equal(first, again);
    assert_int_equal(s->db.reads, 2);
    assert_string_equal(first->u.rw.tables.v[0].name, "x"); /* still whole */
    observation_put(first);
    observation_put(again);
    again = observe(s, &session, OBSERVE_CATALOG, "y", 60000); /* another schema */
    assert_string_equal(again->u.rw.tables.v[0].name, "y");
    assert_int_equal(s->db.reads, 3);
    observation_put(again);
    again = lanes_observed(s->lanes, "ns/a", OBSERVE_CATALOG, "x");
    assert_non_null(again);
    observation_put(again);
    assert_null(lanes_observed(s->lanes, "ns/b", OBSERVE_CATALOG, "x"));
    session_close(&session, NULL);
    lane_put(lane);
}

static void a_statement_makes_it_old(void **state)
{
    struct lane_scene *s = *state;
    struct lane *lane = lane_get(s->lanes, "ns/a", "1");
    struct session session = lane_scene_open(s, lane, &lane_rw);
    struct observation *o = observe(s, &session, OBSERVE_CATALOG, "x", 60000);

    observation_put(o);
    lane_forget(lane); /* in the very millisecond of the read */
    assert_null(lanes_observed(s->lanes, "ns/a", OBSERVE_CATALOG, "x"));
    s->clock.now_ms += 1;
    o = observe(s, &session, OBSERVE_CATALOG, "x", 60000);
    assert_int_equal(s->db.reads, 2);
    observation_put(o);
    o = observe(s, &session, OBSERVE_CATALOG, "x", 60000);
    assert_int_equal(s->db.reads, 2);
    observation_put(o);
    session_close(&session, NULL);
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
    struct lane_scene *s = *state;
    struct lane *lane = lane_get(s->lanes, "ns/a", "1");
    struct session session = lane_scene_open(s, lane, &lane_rw);

    s->db.context = lane;
    s->db.on_read = forget_meanwhile;
    observation_put(observe(s, &session, OBSERVE_CATALOG, "x", 60000));
    s->db.on_read = NULL;
    s->clock.now_ms += 5;
    observation_put(observe(s, &session, OBSERVE_CATALOG, "x", 60000));
    assert_int_equal(s->db.reads, 2);
    session_close(&session, NULL);
    lane_put(lane);
}

static bool refuse_read(struct unit_db *unit, struct fault *fault)
{
    (void)unit;
    return fault_set(fault, FAULT_UNAVAILABLE, NULL, "gone away");
}

static void a_failed_read_leaves_nothing(void **state)
{
    struct lane_scene *s = *state;
    struct lane *lane = lane_get(s->lanes, "ns/a", "1");
    struct session session = lane_scene_open(s, lane, &lane_sr);
    struct observation *o = NULL;
    struct fault fault = FAULT_INIT;

    s->db.on_read = refuse_read;
    assert_false(lane_observe(&session, OBSERVE_SERVER, "", 60000, &s->root, &o, &fault));
    assert_null(o);
    assert_string_equal(fault.text, "gone away");
    assert_null(lanes_observed(s->lanes, "ns/a", OBSERVE_SERVER, ""));
    s->db.on_read = NULL;
    observation_put(observe(s, &session, OBSERVE_SERVER, "", 60000));
    session_close(&session, NULL);
    lane_put(lane);
}

static void learned_backends_belong_to_the_identity(void **state)
{
    struct lane_scene *s = *state;
    struct lane *lane = lane_get(s->lanes, "ns/a", "1");

    assert_int_equal(lane_backends(lane), 0);
    lane_learn_backends(lane, 2);
    assert_int_equal(lane_backends(lane), 2);
    lane_put(lane);
    lane = lane_get(s->lanes, "ns/a", "2");
    assert_int_equal(lane_backends(lane), 0);
    lane_put(lane);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LANE_TEST(one_read_serves_until_it_is_old),
        LANE_TEST(a_statement_makes_it_old),
        LANE_TEST(a_read_that_a_statement_overtook_is_not_shared),
        LANE_TEST(a_failed_read_leaves_nothing),
        LANE_TEST(learned_backends_belong_to_the_identity),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What the end of an attempt leaves behind for the next scrape. */
#include "watch_scene.h"

#include "loop/gauges.h"
#include "loop/gauges_attempt.h"

#define DAY_S 86400

static struct fault fault;

static struct gauges_row row(struct watch_scene *s)
{
    struct gauges_row found = {0};

    assert_true(gauges_get(s->loop->gauges, "shop/orders", &found));
    return found;
}

static void looked(struct watch_scene *s, int64_t position_ms)
{
    s->offset.event_ms = position_ms;
    s->mysql.u.mysql.binlog_expire_seconds = DAY_S;
    watch_scene_source(s);
    fault_clear(&fault);
    if (step_position(&s->a, &fault) != STEP_CONTINUE ||
        step_verify(&s->a, &fault) != STEP_CONTINUE) {
        fail_msg("%s", fault.text);
    }
    gauges_attempt(&s->a, NULL, 60000);
}

static void how_far_the_source_has_read_is_remembered(void **state)
{
    struct watch_scene *s = *state;

    looked(s, 5000);
    assert_int_equal(row(s).position_ms, 5000);
    assert_int_equal(row(s).retention_s, DAY_S);
    watch_scene_next(s);
    looked(s, 7000);
    assert_int_equal(row(s).position_ms, 7000);
}

/* RisingWave is down: that is when the time which is left counts. */
static void it_stays_while_nobody_can_look(void **state)
{
    struct watch_scene *s = *state;
    struct fault down = FAULT_INIT;

    looked(s, 5000);
    watch_scene_next(s);
    s->a.mysql = NULL;
    (void)fault_set(&down, FAULT_UNAVAILABLE, NULL, "nobody listens");
    gauges_attempt(&s->a, &down, 5000);
    assert_int_equal(row(s).position_ms, 5000);
    assert_int_equal(row(s).retention_s, DAY_S);
}

/* RisingWave reads on, and nobody looks: an old number would call for help. */
static void it_is_unknown_where_nobody_looks(void **state)
{
    struct watch_scene *s = *state;

    looked(s, 5000);
    watch_scene_next(s);
    s->a.paused_reconcile = true;
    gauges_attempt(&s->a, NULL, 0);
    assert_int_equal(row(s).position_ms, 0);
    watch_scene_next(s);
    looked(s, 6000);
    watch_scene_before(s, CONDITION_READY, "Streaming", "rows flow");
    attempt_force_condition(&s->a, CONDITION_STALLED, KUBE_TRUE, "NoPrimaryKey", "none");
    gauges_attempt(&s->a, NULL, 60000);
    assert_int_equal(row(s).position_ms, 0);
    assert_int_equal(gauges_runway_s(s->loop->gauges, 9000), -1);
}

#define TEST(name)                                                                       \
    cmocka_unit_test_setup_teardown(name, watch_scene_setup, watch_scene_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(how_far_the_source_has_read_is_remembered),
        TEST(it_stays_while_nobody_can_look),
        TEST(it_is_unknown_where_nobody_looks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

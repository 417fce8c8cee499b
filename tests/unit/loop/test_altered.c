/* A source whose reader starts anew: what is said of it, and what is not held against
 * it. */
#include "watch_scene.h"

#include "loop/altered.h"
#include "loop/circles.h"

static struct fault fault;

static void plan_alteration(struct watch_scene *s)
{
    memset(&s->a.plan.steps, 0, sizeof(s->a.plan.steps));
    VEC_PUSH(s->a.arena, &s->a.plan.steps,
             (struct plan_step){.system = PLAN_RISINGWAVE,
                                .kind = PLAN_ALTER_SOURCE,
                                .id = "0123456789ab",
                                .object = "tablesync.src_shop",
                                .sentence = "alter the source"});
}

/* The alteration was sent; the next attempt has nothing left to do. */
static void alter(struct watch_scene *s)
{
    plan_alteration(s);
    altered_note(&s->a, &s->a.plan.steps.v[0]);
    s->a.plan.steps.n = 0;
}

static int64_t wall_ms(const struct watch_scene *s)
{
    return UNIT_EPOCH_MS + s->clock.now_ms;
}

/* The last steps with the source in the catalog. */
static const struct kube_condition *look(struct watch_scene *s)
{
    watch_scene_source(s);
    fault_clear(&fault);
    if (step_position(&s->a, &fault) != STEP_CONTINUE ||
        step_verify(&s->a, &fault) != STEP_CONTINUE) {
        fail_msg("%s", fault.text);
    }
    return watch_scene_condition(s, CONDITION_SOURCE_READY);
}

static void it_catches_up_until_its_position_is_newer(void **state)
{
    struct watch_scene *s = *state;

    s->offset = (struct rw_offset){.at = {.file = "mysql-bin.000067"}, .event_ms = 1000};
    assert_string_equal(look(s)->reason, "Shared");
    watch_scene_next(s);
    s->offset.event_ms = wall_ms(s);
    alter(s);
    assert_true(altered_is_recent(&s->a));
    assert_string_equal(look(s)->reason, "CatchingUp");
    assert_int_equal(look(s)->status, KUBE_TRUE);
    assert_contains(look(s)->message, "none is lost");
    assert_string_equal(s->a.status.stream.source_offset, "mysql-bin.000067");
    watch_scene_next(s);
    s->offset.event_ms++;
    assert_string_equal(look(s)->reason, "Shared");
    assert_false(altered_is_recent(&s->a));
}

static void after_ten_minutes_the_ordinary_rules_hold(void **state)
{
    struct watch_scene *s = *state;

    alter(s); /* and its position is never known */
    s->clock.now_ms += ALTERED_PATIENCE_MS - 1;
    watch_scene_next(s);
    assert_string_equal(look(s)->reason, "CatchingUp");
    s->clock.now_ms++;
    watch_scene_next(s);
    assert_string_equal(look(s)->reason, "Shared");
}

/* What stands behind the reader waits with it. */
static void a_sink_that_waits_meanwhile_has_not_failed(void **state)
{
    struct watch_scene *s = *state;

    (void)look(s);
    s->backlog = (struct rw_backlog){
        .present = true, .undelivered = 4, .oldest_ms = 1000, .now_ms = 2000};
    alter(s);
    for (int i = 0; i < 3; i++) {
        watch_scene_next(s);
        (void)look(s);
        assert_int_equal(s->a.status.phase, PHASE_STREAMING);
        s->clock.now_ms += 90000;
    }
    s->offset.event_ms = wall_ms(s) + 1;
    watch_scene_next(s);
    (void)look(s); /* its time counts from when the reader was seen to be back */
    s->clock.now_ms += 59000;
    watch_scene_next(s);
    (void)look(s);
    assert_string_equal(watch_scene_condition(s, CONDITION_SINK_READY)->reason,
                        "SinkFailed");
}

static void what_differs_is_told_but_later(void **state)
{
    struct watch_scene *s = *state;

    s->a.plan.source_differs = "its ssl.mode is another one";
    assert_string_equal(look(s)->reason, "SettingsDiffer");
    assert_int_equal(look(s)->status, KUBE_TRUE);
    assert_contains(look(s)->message, "ssl.mode");
    alter(s);
    assert_string_equal(look(s)->reason, "CatchingUp");
}

static bool may_alter(struct watch_scene *s)
{
    fault_clear(&fault);
    plan_alteration(s);
    return circles_check(&s->a, &fault);
}

/* Each alteration stops the stream for minutes: none is made in circles. */
static void the_same_is_not_sent_again_within_an_hour(void **state)
{
    struct watch_scene *s = *state;

    assert_true(may_alter(s));
    altered_note(&s->a, &s->a.plan.steps.v[0]);
    s->clock.now_ms += 60000;
    watch_scene_next(s);
    assert_false(may_alter(s));
    assert_string_equal(fault.reason, "SourceFailed");
    assert_contains(fault.text, "tablesync.src_shop");
    assert_int_equal(s->a.failed, CONDITION_SOURCE_READY);
    /* Another password is another alteration, though it reads the same. */
    watch_scene_next(s);
    s->a.bindings[BIND_SOURCE].credentials.version = (char *)(uintptr_t) "2";
    assert_true(may_alter(s));
    s->a.bindings[BIND_SOURCE].credentials.version = NULL;
    s->clock.now_ms += ALTERED_AGAIN_MS;
    assert_true(may_alter(s));
}

/* How long ago it was, no wall clock tells. */
static void a_clock_that_jumps_changes_no_patience(void **state)
{
    struct watch_scene *s = *state;
    static const int64_t JUMPS_MS[] = {INT64_C(7) * 3600000, INT64_C(-7) * 3600000};

    for (size_t i = 0; i < COUNT_OF(JUMPS_MS); i++) {
        s->clock.wall_jump_ms = 0;
        plan_alteration(s);
        altered_note(&s->a, &s->a.plan.steps.v[0]);
        s->clock.wall_jump_ms = JUMPS_MS[i];
        s->clock.now_ms += ALTERED_PATIENCE_MS - 1;
        assert_true(altered_is_recent(&s->a));
        assert_false(may_alter(s));
        s->clock.now_ms += 1;
        assert_false(altered_is_recent(&s->a));
        s->clock.now_ms += ALTERED_AGAIN_MS;
        assert_true(may_alter(s));
    }
}

#define IN_SCENE(test)                                                                   \
    cmocka_unit_test_setup_teardown(test, watch_scene_setup, watch_scene_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_SCENE(it_catches_up_until_its_position_is_newer),
        IN_SCENE(after_ten_minutes_the_ordinary_rules_hold),
        IN_SCENE(a_sink_that_waits_meanwhile_has_not_failed),
        IN_SCENE(what_differs_is_told_but_later),
        IN_SCENE(a_clock_that_jumps_changes_no_patience),
        IN_SCENE(the_same_is_not_sent_again_within_an_hour),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

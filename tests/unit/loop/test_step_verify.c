/* Ready rests on what is seen of the present CDC table and sink, not of earlier ones. */
#include "watch_scene.h"

static struct fault fault;

static void look(struct watch_scene *s)
{
    fault_clear(&fault);
    if (step_verify(&s->a, &fault) != STEP_CONTINUE) {
        fail_msg("%s", fault.text);
    }
}

static void assert_says(struct watch_scene *s, enum condition condition,
                        const char *reason, const char *words)
{
    const struct kube_condition *c = watch_scene_condition(s, condition);

    assert_non_null(c);
    assert_string_equal(c->reason, reason);
    assert_contains(c->message, words);
}

/* The next attempt, after Ready was said while sink 30 delivered. */
static void was_ready(struct watch_scene *s)
{
    watch_scene_before(s, CONDITION_READY, "Streaming", "rows flow");
    VEC_PUSH(s->a.arena, &s->a.before.objects,
             (struct status_object){
                 .kind = "Sink", .name = "tablesync.k_orders_v1", .id = 30});
}

static void waits(struct watch_scene *s, int64_t oldest_ms)
{
    s->backlog.undelivered = 4;
    s->backlog.oldest_ms = oldest_ms;
    s->backlog.now_ms = oldest_ms + 1000;
}

static void a_drained_sink_streams(void **state)
{
    struct watch_scene *s = *state;

    look(s);
    assert_int_equal(s->a.status.phase, PHASE_STREAMING);
    assert_says(s, CONDITION_SINK_READY, "Running", "delivered");
}

static void a_proven_sink_stays_proven_after_a_restart(void **state)
{
    struct watch_scene *s = *state;

    was_ready(s);
    waits(s, 1000);
    look(s);
    assert_int_equal(s->a.status.phase, PHASE_STREAMING);
}

/* RisingWave's events and its present moment are of one clock, whatever ours shows. */
static void a_failed_load_is_told_for_five_minutes(void **state)
{
    struct watch_scene *s = *state;
    const int64_t failed_ms = UNIT_EPOCH_MS;

    s->clock.wall_jump_ms = INT64_C(-7) * 3600000;
    VEC_PUSH(s->a.arena, &s->rw.u.rw.events,
             (struct rw_event){.type = "SINK_FAIL",
                               .object = "k_orders_v1",
                               .error = "Stream load failed",
                               .object_id = 30,
                               .at_ms = failed_ms});
    waits(s, failed_ms - 1000 + 299999);
    look(s);
    assert_says(s, CONDITION_SINK_READY, "SinkFailed", "Stream load failed");
    watch_scene_next(s);
    waits(s, failed_ms - 1000 + 300000);
    look(s);
    assert_string_not_equal(watch_scene_condition(s, CONDITION_SINK_READY)->reason,
                            "SinkFailed");
}

static void a_paused_sink_is_not_late(void **state)
{
    struct watch_scene *s = *state;

    waits(s, 1000);
    s->backlog.now_ms += 40000;
    look(s);
    assert_string_equal(s->a.status.stream.lag, "<1m");
    assert_int_equal(s->a.status.stream.undelivered, 10);
    watch_scene_next(s);
    s->a.sync.state = STATE_PAUSED;
    look(s);
    assert_null(s->a.status.stream.lag);
    assert_int_equal(s->a.status.stream.sink_lag_seconds, -1);
    assert_int_equal(s->a.status.stream.undelivered, 10);
    assert_int_equal(s->a.status.phase, PHASE_PAUSED);
}

/* The version before it was ready, and its last changes moved: this one must show it. */
static void a_new_version_of_the_sink_is_unproven(void **state)
{
    struct watch_scene *s = *state;

    look(s);
    was_ready(s);
    s->rw.u.rw.sinks.v[0].id = 31;
    s->rw.u.rw.internals.v[1].job = 31;
    waits(s, 1000);
    look(s);
    assert_int_equal(s->a.status.phase, PHASE_SNAPSHOTTING);
    assert_says(s, CONDITION_SINK_READY, "BackfillRunning", "first rows");
    waits(s, 2000); /* the first ones were delivered */
    look(s);
    assert_int_equal(s->a.status.phase, PHASE_STREAMING);
}

static void a_new_cdc_table_has_a_snapshot_of_its_own(void **state)
{
    struct watch_scene *s = *state;

    look(s);
    assert_string_equal(s->a.status.snapshot.started_at, "2026-09-01T00:00:00Z");
    assert_string_equal(s->a.status.snapshot.finished_at, "2026-09-01T00:01:00Z");
    watch_scene_next(s);
    s->rw.u.rw.tables.v[0].id = 18;
    s->rw.u.rw.internals.v[0].job = 18;
    s->snapshot.finished = false;
    look(s);
    assert_string_equal(s->a.status.snapshot.started_at, s->a.now);
    assert_null(s->a.status.snapshot.finished_at);
    assert_int_equal(s->a.status.phase, PHASE_SNAPSHOTTING);
}

static void the_mark_tells_created_from_adopted(void **state)
{
    struct watch_scene *s = *state;

    look(s);
    assert_says(s, CONDITION_TARGET_TABLE_READY, "Created", "ods.orders");
    watch_scene_next(s);
    s->sr.u.sr.tables.v[0].comment =
        "orders of the shop tablesync:v1 uid=u1 hash=0123456789ab adopted";
    look(s);
    assert_says(s, CONDITION_TARGET_TABLE_READY, "Adopted", "ods.orders");
}

static void the_schema_is_told_as_it_is_streamed(void **state)
{
    struct watch_scene *s = *state;

    VEC_PUSH(s->a.arena, &s->a.plan.kept, "gone");
    look(s);
    assert_says(s, CONDITION_SCHEMA_IN_SYNC, "Match", "'gone'");
    watch_scene_next(s);
    VEC_PUSH(s->a.arena, &s->a.plan.ignored, "fresh");
    look(s);
    assert_says(s, CONDITION_SCHEMA_IN_SYNC, "IgnoredColumns", "'fresh'");
    watch_scene_next(s);
    VEC_PUSH(s->a.arena, &s->a.plan.ignored, "fresh");
    VEC_PUSH(s->a.arena, &s->a.status.source.unloaded_columns, "note");
    s->counts[0] = 3;
    look(s);
    assert_says(s, CONDITION_SCHEMA_IN_SYNC, "UnloadedColumns", "'note' was added");
}

#define IN_SCENE(test)                                                                   \
    cmocka_unit_test_setup_teardown(test, watch_scene_setup, watch_scene_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_SCENE(a_drained_sink_streams),
        IN_SCENE(a_proven_sink_stays_proven_after_a_restart),
        IN_SCENE(a_failed_load_is_told_for_five_minutes),
        IN_SCENE(a_paused_sink_is_not_late),
        IN_SCENE(a_new_version_of_the_sink_is_unproven),
        IN_SCENE(a_new_cdc_table_has_a_snapshot_of_its_own),
        IN_SCENE(the_mark_tells_created_from_adopted),
        IN_SCENE(the_schema_is_told_as_it_is_streamed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* A position that MySQL no longer has: when it is believed, what is remembered, and who
 * may let the source go on. */
#include "watch_scene.h"

#include "loop/altered.h"

#define SURE_MS 150000
#define AGAIN_MS 10000

static struct fault fault;

/* One look, as far as the step; `lost`: what MySQL answers. */
static enum step_result look(struct watch_scene *s, bool lost)
{
    s->offset.at.file = "bin.000002";
    s->binlog = (struct binlog_answer){.lost = lost, .oldest = "bin.000007"};
    watch_scene_source(s);
    fault_clear(&fault);
    return step_position(&s->a, &fault);
}

static enum step_result next_look(struct watch_scene *s, int64_t after_ms, bool lost)
{
    s->clock.now_ms += after_ms;
    watch_scene_next(s);
    return look(s, lost);
}

static void told_before(struct watch_scene *s)
{
    watch_scene_before(s, CONDITION_SOURCE_READY, "BinlogPurged", "as it was told");
}

static void reset(struct watch_scene *s)
{
    const struct plan_step step = {.system = PLAN_RISINGWAVE,
                                   .kind = PLAN_RESET_SOURCE,
                                   .id = "0123456789ab",
                                   .object = "tablesync.src_shop"};

    altered_note(&s->a, &step);
}

static void it_is_believed_after_two_heartbeats_and_a_half(void **state)
{
    struct watch_scene *s = *state;

    assert_int_equal(look(s, true), STEP_CONTINUE);
    assert_int_equal(s->a.look_ms, AGAIN_MS);
    assert_false(s->a.offset_lost);
    assert_int_equal(next_look(s, SURE_MS - 1, true), STEP_CONTINUE);
    assert_int_equal(next_look(s, 1, true), STEP_FAULT);
    assert_int_equal(fault.class, FAULT_REFUSED);
    assert_string_equal(fault.reason, "BinlogPurged");
    assert_contains(fault.text, "tablesync.src_shop");
    assert_contains(fault.text, "up to bin.000002, and MySQL's oldest one is bin.000007");
    assert_contains(fault.text, "spec.resyncToken");
}

static void a_reader_that_follows_loses_nothing(void **state)
{
    struct watch_scene *s = *state;

    for (int i = 0; i < 5; i++) {
        assert_int_equal(next_look(s, SURE_MS - 1, true), STEP_CONTINUE);
        assert_int_equal(next_look(s, 1, false), STEP_CONTINUE);
        assert_int_equal(s->a.look_ms, 0);
    }
}

static void without_a_position_nobody_is_asked(void **state)
{
    struct watch_scene *s = *state;

    watch_scene_source(s);
    s->refusal = FAULT_BUG;
    assert_int_equal(step_position(&s->a, &fault), STEP_CONTINUE);
    assert_int_equal(s->refusal, FAULT_BUG);
    s->offset.at.file = "bin.000002";
    assert_int_equal(step_position(&s->a, &fault), STEP_FAULT);
    assert_contains(fault.text, "read MySQL's binary logs");
}

/* The source reads again, and the rows that are missing are missing still. */
static void it_is_said_until_all_rows_were_loaded_anew(void **state)
{
    struct watch_scene *s = *state;

    told_before(s);
    assert_int_equal(look(s, false), STEP_FAULT);
    assert_string_equal(fault.reason, "BinlogPurged");
    assert_string_equal(fault.text, "as it was told");
    told_before(s);
    s->a.sync.resync_token = "new";
    assert_int_equal(look(s, false), STEP_CONTINUE);
    assert_string_equal(watch_scene_condition(s, CONDITION_SOURCE_READY)->reason,
                        "BinlogPurged");
    told_before(s); /* the new CDC table is there */
    s->a.status.resync.state = "InProgress";
    s->a.status.resync.table_version = 1;
    assert_int_equal(look(s, false), STEP_CONTINUE);
    assert_string_equal(watch_scene_condition(s, CONDITION_SOURCE_READY)->reason,
                        "Shared");
}

static void what_is_lost_while_loading_anew_is_told(void **state)
{
    struct watch_scene *s = *state;

    told_before(s);
    s->a.status.resync.state = "InProgress";
    s->a.status.resync.table_version = 1; /* it is there */
    assert_int_equal(look(s, true), STEP_FAULT);
    told_before(s);
    s->a.status.resync.state = "InProgress";
    s->a.status.resync.table_version = 2; /* it is not: nothing was loaded yet */
    assert_int_equal(look(s, true), STEP_CONTINUE);
    assert_true(s->a.offset_lost);
}

/* Nothing may be built on a source of which it is not known whether it reads. */
static void a_new_table_waits_for_certainty(void **state)
{
    struct watch_scene *s = *state;

    s->rw.u.rw.tables.n = 0;
    assert_int_equal(look(s, true), STEP_REQUEUE);
    assert_int_equal(s->a.requeue_ms, AGAIN_MS);
    s->clock.now_ms += SURE_MS;
    watch_scene_next(s);
    s->rw.u.rw.tables.n = 0;
    assert_int_equal(look(s, true), STEP_CONTINUE);
    assert_int_equal(position_prepare(&s->a), STEP_CONTINUE);
    assert_true(s->a.desired.in.resets_source);
}

/* What is read right after may be from before it; and it is not done twice. */
static void a_reset_is_given_time(void **state)
{
    struct watch_scene *s = *state;

    assert_int_equal(look(s, true), STEP_CONTINUE);
    reset(s);
    assert_int_equal(next_look(s, ALTERED_PATIENCE_MS - 1, true), STEP_CONTINUE);
    assert_int_equal(s->a.look_ms, 0);
    s->a.desired.in.resets_source = true;
    position_look_again(&s->a);
    assert_false(s->a.desired.in.resets_source);
    assert_int_equal(next_look(s, 1, true), STEP_CONTINUE);
    assert_int_equal(s->a.look_ms, AGAIN_MS);
    s->a.desired.in.resets_source = true;
    position_look_again(&s->a);
    assert_true(s->a.desired.in.resets_source);
    assert_int_equal(next_look(s, SURE_MS, true), STEP_FAULT);
}

int main(void)
{
#define TEST(name)                                                                       \
    cmocka_unit_test_setup_teardown(name, watch_scene_setup, watch_scene_teardown)
    const struct CMUnitTest tests[] = {
        TEST(it_is_believed_after_two_heartbeats_and_a_half),
        TEST(a_reader_that_follows_loses_nothing),
        TEST(without_a_position_nobody_is_asked),
        TEST(it_is_said_until_all_rows_were_loaded_anew),
        TEST(what_is_lost_while_loading_anew_is_told),
        TEST(a_new_table_waits_for_certainty),
        TEST(a_reset_is_given_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

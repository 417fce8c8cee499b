/* Values that the pipeline would change are counted and told, when it is worth asking. */
#include "watch_scene.h"

static struct fault fault;

static enum step_result look(struct watch_scene *s)
{
    fault_clear(&fault);
    return step_inspect(&s->a, &fault);
}

static void risk(struct watch_scene *s, size_t column, enum loss_kind kind)
{
    VEC_PUSH(s->a.arena, &s->a.desired.columns,
             (struct column_map){
                 .source = &s->table.columns.v[column], .loss = kind, .loss_limit = 7});
}

static void next(struct watch_scene *s)
{
    watch_scene_next(s);
    risk(s, 1, LOSS_LENGTH);
}

static void assert_says(struct watch_scene *s, const char *reason, enum kube_truth status,
                        const char *words)
{
    const struct kube_condition *c = watch_scene_condition(s, CONDITION_DATA_LOSS);

    assert_non_null(c);
    assert_string_equal(c->reason, reason);
    assert_int_equal(c->status, status);
    assert_contains(c->message, words);
}

static void no_column_at_risk_needs_no_question(void **state)
{
    struct watch_scene *s = *state;

    risk(s, 0, LOSS_NONE);
    assert_int_equal(look(s), STEP_CONTINUE);
    assert_int_equal(s->counted_losses, 0);
    assert_says(s, "NoneFound", KUBE_FALSE, "no column can lose values");
}

static void nothing_found_is_said_with_how_much_was_looked_at(void **state)
{
    struct watch_scene *s = *state;

    risk(s, 1, LOSS_LENGTH);
    s->counts[1] = 120; /* the key's: rows looked at */
    assert_int_equal(look(s), STEP_CONTINUE);
    assert_int_equal(s->check_count, 2);
    assert_string_equal(s->checks[0].column, "note");
    assert_int_equal(s->checks[0].kind, LOSS_LENGTH);
    assert_int_equal(s->checks[0].limit, 7);
    assert_says(s, "NoneFound", KUBE_FALSE, "found in 120 rows");
    watch_scene_restart(s);
    s->complete = false;
    s->counts[1] = 200000;
    s->a.trigger = "Manual";
    risk(s, 1, LOSS_LENGTH);
    assert_int_equal(look(s), STEP_CONTINUE);
    assert_says(s, "NoneFound", KUBE_FALSE, "found in the first 200000 rows");
    assert_int_equal(s->events, 0);
}

static void affected_values_are_told_with_column_count_and_fate(void **state)
{
    struct watch_scene *s = *state;

    risk(s, 0, LOSS_DIGITS);
    risk(s, 1, LOSS_LENGTH);
    s->counts[0] = 3;
    s->counts[1] = 1;
    s->counts[2] = 120;
    assert_int_equal(look(s), STEP_CONTINUE);
    assert_says(
        s, "ValuesAffected", KUBE_TRUE,
        "120 rows were looked at: in 3 rows 'id' (int) has more than 28 digits and is "
        "delivered as NULL; in 1 row 'note' (varchar(20)) is longer than 7 bytes and "
        "stops the sink");
    assert_int_equal(s->events, 1);
}

/* Asked when the answer may be another one, and not at each look. */
static void an_answer_holds_while_nothing_changed(void **state)
{
    struct watch_scene *s = *state;

    risk(s, 1, LOSS_LENGTH);
    s->counts[0] = 3;
    assert_int_equal(look(s), STEP_CONTINUE);
    next(s);
    assert_int_equal(look(s), STEP_CONTINUE);
    assert_int_equal(s->counted_losses, 1);
    s->a.status.source.schema_hash = "sha256:2"; /* as read now */
    assert_int_equal(look(s), STEP_CONTINUE);
    assert_int_equal(s->counted_losses, 2);
    next(s);
    s->a.sync.generation++;
    assert_int_equal(look(s), STEP_CONTINUE);
    assert_int_equal(s->counted_losses, 3);
    next(s);
    s->a.sync.generation++;
    s->a.trigger = "Manual";
    assert_int_equal(look(s), STEP_CONTINUE);
    assert_int_equal(s->counted_losses, 4);
    assert_int_equal(s->events, 1); /* it was true all the time */
}

static void fail_stops_before_anything_is_made(void **state)
{
    struct watch_scene *s = *state;

    risk(s, 1, LOSS_LENGTH);
    s->a.sync.data_loss = DATA_LOSS_FAIL;
    assert_int_equal(look(s), STEP_CONTINUE); /* nothing found */
    s->counts[0] = 3;
    s->a.trigger = "Manual";
    assert_int_equal(look(s), STEP_FAULT);
    assert_int_equal(fault.class, FAULT_REFUSED);
    assert_string_equal(fault.reason, "RefusedByPolicy");
    assert_contains(fault.text, "in 3 rows 'note'");
    assert_contains(fault.text, "spec.columns.exclude");
    assert_int_equal(s->events, 0); /* Ready's transition tells it */
    /* Asked again until it is different: rows can be corrected without a trace. */
    watch_scene_before(s, CONDITION_DATA_LOSS, "RefusedByPolicy", fault.text);
    risk(s, 1, LOSS_LENGTH);
    s->a.sync.data_loss = DATA_LOSS_FAIL;
    assert_int_equal(look(s), STEP_FAULT);
    s->counts[0] = 0;
    assert_int_equal(look(s), STEP_CONTINUE);
}

static void a_question_that_fails_stops_nothing(void **state)
{
    struct watch_scene *s = *state;

    risk(s, 1, LOSS_LENGTH);
    s->a.sync.data_loss = DATA_LOSS_FAIL;
    s->refusal = FAULT_REFUSED;
    assert_int_equal(look(s), STEP_CONTINUE);
    assert_says(s, "NotChecked", KUBE_UNKNOWN, "'note'");
    assert_says(s, "NotChecked", KUBE_UNKNOWN, "the server's words");
    next(s);
    assert_int_equal(look(s), STEP_CONTINUE);
    assert_int_equal(s->counted_losses, 2);
    assert_says(s, "NoneFound", KUBE_FALSE, "found");
}

static void a_count_that_takes_too_long_is_asked_again(void **state)
{
    struct watch_scene *s = *state;

    risk(s, 1, LOSS_LENGTH);
    s->counts[0] = s->counts[1] = -1;
    assert_int_equal(look(s), STEP_CONTINUE);
    assert_says(s, "NotChecked", KUBE_UNKNOWN, "in time");
    next(s);
    assert_int_equal(look(s), STEP_CONTINUE);
    assert_int_equal(s->counted_losses, 2);
}

static void a_cancelled_question_ends_the_attempt(void **state)
{
    struct watch_scene *s = *state;

    risk(s, 1, LOSS_LENGTH);
    s->refusal = FAULT_CANCELLED;
    assert_int_equal(look(s), STEP_FAULT);
    assert_int_equal(fault.class, FAULT_CANCELLED);
    assert_null(watch_scene_condition(s, CONDITION_DATA_LOSS));
}

/* What broke the session must not break the questions that follow. */
static void a_broken_session_is_replaced(void **state)
{
    struct watch_scene *s = *state;
    struct binding *source = &s->a.bindings[BIND_SOURCE];
    AUTO(lane_putp) struct lane *lane = lane_get(s->loop->lanes, "shop/mysql", "1");

    source->lane = lane;
    source->conn = (struct dbconn){.type = DBCONN_MYSQL, .name = "mysql"};
    source->endpoint = (struct db_endpoint){.conn = &source->conn};
    source->session.lane = lane;
    risk(s, 1, LOSS_LENGTH);
    s->refusal = FAULT_UNAVAILABLE;
    assert_int_equal(look(s), STEP_CONTINUE);
    assert_says(s, "NotChecked", KUBE_UNKNOWN, "the server's words");
    assert_int_equal(s->source_closes, 1);
    assert_ptr_not_equal(source->session.source, &s->source);
    assert_int_equal(s->db.opens, 1);
    session_close(&source->session, NULL);
}

static void a_key_that_fits_today_is_remarked_on(void **state)
{
    struct watch_scene *s = *state;

    s->table.columns.v[0].data_type = "bigint";
    s->table.columns.v[0].column_type = "bigint(20) unsigned";
    s->table.columns.v[0].key_max = 4711;
    VEC_PUSH(s->a.arena, &s->a.desired.columns,
             (struct column_map){.source = &s->table.columns.v[0],
                                 .key = true,
                                 .sr = {.kind = SR_BIGINT}});
    assert_int_equal(look(s), STEP_CONTINUE);
    assert_says(s, "NoneFound", KUBE_FALSE, "its largest value now is 4711");
    watch_scene_next(s);
    s->table.columns.v[0].key_max = 4712;
    assert_int_equal(look(s), STEP_CONTINUE);
    assert_says(s, "NoneFound", KUBE_FALSE, "4711"); /* no write for each new row */
}

#define IN_SCENE(test)                                                                   \
    cmocka_unit_test_setup_teardown(test, watch_scene_setup, watch_scene_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_SCENE(no_column_at_risk_needs_no_question),
        IN_SCENE(nothing_found_is_said_with_how_much_was_looked_at),
        IN_SCENE(affected_values_are_told_with_column_count_and_fate),
        IN_SCENE(an_answer_holds_while_nothing_changed),
        IN_SCENE(fail_stops_before_anything_is_made),
        IN_SCENE(a_question_that_fails_stops_nothing),
        IN_SCENE(a_count_that_takes_too_long_is_asked_again),
        IN_SCENE(a_cancelled_question_ends_the_attempt),
        IN_SCENE(a_broken_session_is_replaced),
        IN_SCENE(a_key_that_fits_today_is_remarked_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

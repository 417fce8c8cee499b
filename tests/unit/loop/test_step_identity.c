/* TRUNCATE, DROP + CREATE and swapped tables are found, and nothing else is. */
#include "watch_scene.h"

#include "loop/altered.h"

#include "loop/seen.h"
#include "loop/watch.h"

#define FIRST "2026-11-01 10:00:00"
#define LATER "2026-11-20 08:30:00"

static struct fault fault;

static enum step_result look(struct watch_scene *s)
{
    fault_clear(&fault);
    return step_identity(&s->a, &fault);
}

/* A look that finds the table loaded and its CREATE_TIME remembered, then the next. */
static void settle(struct watch_scene *s)
{
    assert_int_equal(look(s), STEP_CONTINUE);
    assert_string_equal(s->a.status.source.table_created_at, FIRST);
    watch_scene_next(s);
    s->counted_source = s->counted_stream = s->listed = 0;
}

static void next(struct watch_scene *s, int64_t after_ms, const char *created_at)
{
    watch_scene_next(s);
    s->clock.now_ms += after_ms;
    s->table.created_at = created_at;
}

static void sibling(struct watch_scene *s, const char *name, const char *created_at)
{
    struct mysql_table table = {.name = name, .created_at = created_at};

    VEC_PUSH(s->a.arena, &table.columns, (struct mysql_column){.name = "id"});
    VEC_PUSH(s->a.arena, &table.columns, (struct mysql_column){.name = "NOTE"});
    memset(&s->siblings, 0, sizeof(s->siblings));
    VEC_PUSH(s->a.arena, &s->siblings.tables, table);
}

static void assert_replaced(struct watch_scene *s, const char *words)
{
    assert_int_equal(look(s), STEP_FAULT);
    assert_int_equal(fault.class, FAULT_REFUSED);
    assert_string_equal(fault.reason, "TableReplaced");
    assert_contains(fault.text, words);
    assert_contains(fault.text, "spec.resyncToken");
    assert_string_equal(s->a.status.source.table_created_at, FIRST);
}

static void a_look_at_an_unchanged_table_costs_one_row(void **state)
{
    struct watch_scene *s = *state;

    settle(s);
    assert_int_equal(look(s), STEP_CONTINUE);
    assert_int_equal(s->counted_source, 1);
    assert_int_equal(s->source_rows_max, 1);
    assert_int_equal(s->counted_stream + s->listed, 0);
}

static void a_rebuilt_table_with_the_same_rows_is_accepted(void **state)
{
    struct watch_scene *s = *state;

    settle(s);
    s->table.created_at = LATER;
    assert_int_equal(look(s), STEP_CONTINUE);
    assert_int_equal(s->counted_stream, 1);
    assert_string_equal(s->a.status.source.table_created_at, LATER);
    next(s, 60000, LATER);
    assert_int_equal(look(s), STEP_CONTINUE);
    assert_int_equal(s->counted_stream, 1); /* not compared again */
}

/* The looks between the first and the one that may judge, after total_ms. */
static void goes_on(struct watch_scene *s, int64_t total_ms, const char *created_at)
{
    for (int i = 0; i < SEEN_GAP_LOOKS - 2; i++) {
        next(s, 1, created_at);
        assert_true(look(s) != STEP_FAULT);
    }
    next(s, total_ms - (SEEN_GAP_LOOKS - 2), created_at);
}

static void fewer_rows_are_believed_when_they_stay_so(void **state)
{
    struct watch_scene *s = *state;

    settle(s);
    s->source_rows = 7;
    s->table.created_at = LATER;
    assert_int_equal(look(s), STEP_CONTINUE);
    assert_string_equal(s->a.status.source.table_created_at, FIRST);
    goes_on(s, WATCH_APART_MS - 1, LATER);
    assert_int_equal(look(s), STEP_CONTINUE);
    next(s, 1, LATER);
    assert_replaced(s, "it holds 7 rows, RisingWave's copy of it 120 rows");
}

/* Two looks may find a busy table with fewer rows each time; that proves nothing. */
static void a_table_that_is_never_at_rest_is_accepted(void **state)
{
    struct watch_scene *s = *state;

    settle(s);
    s->table.created_at = LATER;
    for (int i = 0; i < SEEN_GAP_LOOKS; i++) {
        s->stream_rows = 120 + 9 * (i % 2);
        s->source_rows = s->stream_rows - 5;
        assert_string_equal(s->a.status.source.table_created_at, FIRST);
        assert_int_equal(look(s), STEP_CONTINUE);
        if (i + 1 < SEEN_GAP_LOOKS) {
            next(s, WATCH_APART_MS, LATER);
        }
    }
    assert_string_equal(s->a.status.source.table_created_at, LATER);
}

/* Deletes on their way make RisingWave's rows fewer from look to look. */
static void rows_that_are_being_deleted_are_no_replacement(void **state)
{
    struct watch_scene *s = *state;

    settle(s);
    s->source_rows = 7;
    s->table.created_at = LATER;
    for (int i = 0; i < 5; i++) {
        assert_int_equal(look(s), STEP_CONTINUE);
        s->stream_rows -= 20;
        next(s, 60000, LATER);
    }
    s->stream_rows = 7;
    assert_int_equal(look(s), STEP_CONTINUE);
    assert_string_equal(s->a.status.source.table_created_at, LATER);
}

static void a_truncate_is_found_although_create_time_stays(void **state)
{
    struct watch_scene *s = *state;

    settle(s);
    s->source_rows = 0;
    assert_int_equal(look(s), STEP_CONTINUE);
    assert_int_equal(s->a.calm_look_ms, WATCH_APART_MS / SEEN_GAP_LOOKS);
    assert_int_equal(s->a.requeue_ms, 0); /* Ready as ever */
    goes_on(s, WATCH_APART_MS, FIRST);
    assert_replaced(s, "it holds 0 rows, RisingWave's copy of it 120 rows");
}

/* Filled again between two looks: only the counter tells. */
static void a_truncate_is_found_by_its_counter(void **state)
{
    struct watch_scene *s = *state;

    s->table.auto_increment = 101;
    settle(s);
    s->table.auto_increment = 4;
    s->source_rows = 3;
    s->stream_rows = 100;
    assert_int_equal(look(s), STEP_CONTINUE);
    goes_on(s, 20000, FIRST);
    s->table.auto_increment = 5;
    assert_replaced(s, "truncated or replaced");
}

/* The source was altered and its reader starts anew: minutes in which nothing follows. */
static void rows_that_are_late_prove_nothing(void **state)
{
    struct watch_scene *s = *state;

    settle(s);
    VEC_PUSH(s->a.arena, &s->a.plan.steps,
             (struct plan_step){.kind = PLAN_ALTER_SOURCE, .id = "1"});
    altered_note(&s->a, &s->a.plan.steps.v[0]);
    s->source_rows = 0;
    for (int i = 0; i < 5; i++) {
        assert_int_equal(look(s), STEP_CONTINUE);
        next(s, ALTERED_PATIENCE_MS / 5 - 1, FIRST);
    }
    s->clock.now_ms += 5;
    assert_int_equal(look(s), STEP_CONTINUE); /* from here on they count */
    goes_on(s, WATCH_APART_MS, FIRST);
    assert_replaced(s, "truncated or replaced");
}

static void an_empty_table_is_no_truncated_one(void **state)
{
    struct watch_scene *s = *state;

    settle(s);
    s->source_rows = s->stream_rows = 0;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(look(s), STEP_CONTINUE);
        next(s, 60000, FIRST);
    }
}

/* Too many rows to see whether they get fewer: a large DELETE may take minutes. */
static void more_rows_than_are_counted_take_longer_to_judge(void **state)
{
    struct watch_scene *s = *state;

    settle(s);
    s->source_rows = 0;
    s->stream_rows = 50000000;
    assert_int_equal(look(s), STEP_CONTINUE);
    goes_on(s, WATCH_CAPPED_MS - 1, FIRST);
    assert_int_equal(look(s), STEP_CONTINUE);
    next(s, 1, FIRST);
    assert_replaced(s, "RisingWave's copy of it at least 1000000 rows");
}

static void more_rows_count_while_the_stream_stands_still(void **state)
{
    struct watch_scene *s = *state;

    settle(s);
    s->source_rows = 5000;
    s->table.created_at = LATER;
    assert_int_equal(look(s), STEP_CONTINUE);
    s->stream_rows = 130; /* it follows */
    next(s, 60000, LATER);
    assert_int_equal(look(s), STEP_CONTINUE);
    next(s, 60000, LATER);
    s->a.before.stream.undelivered = 10; /* the sink is at work */
    assert_int_equal(look(s), STEP_CONTINUE);
    next(s, 60000, LATER);
    assert_int_equal(look(s), STEP_CONTINUE);
    goes_on(s, WATCH_APART_MS, LATER);
    assert_replaced(s, "it holds 5000 rows");
}

static void a_found_replacement_stays_until_the_rows_agree(void **state)
{
    struct watch_scene *s = *state;

    settle(s);
    watch_scene_before(s, CONDITION_SCHEMA_IN_SYNC, "TableReplaced", "it was truncated");
    s->source_rows = 7; /* written since; CREATE_TIME as ever */
    watch_scene_restart(s);
    assert_replaced(s, "it holds 7 rows");
    next(s, 60000, FIRST);
    s->source_rows = -1;
    assert_int_equal(look(s), STEP_FAULT);
    assert_string_equal(fault.text, "it was truncated");
    next(s, 60000, FIRST);
    s->source_rows = 120;
    assert_int_equal(look(s), STEP_CONTINUE);
    next(s, 60000, FIRST);
}

static void a_re_sync_asked_for_ends_the_questions(void **state)
{
    struct watch_scene *s = *state;

    settle(s);
    watch_scene_before(s, CONDITION_SCHEMA_IN_SYNC, "TableReplaced", "it was truncated");
    s->source_rows = 0;
    s->table.created_at = LATER;
    s->a.sync.resync_token = "again";
    assert_int_equal(look(s), STEP_CONTINUE);
    assert_string_equal(s->a.status.source.table_created_at, LATER);
    watch_scene_next(s);
    s->table.created_at = "2026-11-20 09:00:00";
    s->a.sync.resync_token = s->a.status.resync.token = "again";
    s->a.status.resync.state = "InProgress";
    s->a.status.resync.table_version = 2; /* not made yet: its rows will be today's */
    assert_int_equal(look(s), STEP_CONTINUE);
    assert_string_equal(s->a.status.source.table_created_at, "2026-11-20 09:00:00");
    watch_scene_next(s);
    s->a.status.resync.table_version = 1; /* made, and loading */
    assert_int_equal(look(s), STEP_CONTINUE);
    assert_int_equal(s->counted_source, 0);
}

static void a_new_cdc_table_is_loaded_from_what_is_there(void **state)
{
    struct watch_scene *s = *state;

    settle(s);
    s->source_rows = 0;
    s->table.created_at = LATER;
    s->rw.u.rw.tables.v[0].id = 18;
    assert_int_equal(look(s), STEP_CONTINUE);
    assert_string_equal(s->a.status.source.table_created_at, LATER);
    next(s, 0, LATER);
    s->a.before.snapshot.state = "InProgress";
    assert_int_equal(look(s), STEP_CONTINUE);
    assert_int_equal(s->counted_source, 0);
}

static void an_exchanged_table_is_told_by_the_old_one(void **state)
{
    struct watch_scene *s = *state;

    settle(s);
    sibling(s, "_orders_del", FIRST);
    s->table.created_at = LATER;
    assert_replaced(s, "'_orders_del' looks like the table that was replicated");
    /* A retry that knows nothing of it is no answer to what was not told yet. */
    next(s, 0, LATER);
    sibling(s, "_orders_del", FIRST);
    s->a.trigger = "Manual";
    assert_replaced(s, "'_orders_del' looks like the table that was replicated");
    /* The user was told and knows better: then the rows decide. */
    watch_scene_before(s, CONDITION_SCHEMA_IN_SYNC, "TableReplaced", "it was exchanged");
    next(s, 0, LATER);
    sibling(s, "_orders_del", FIRST);
    s->a.trigger = "Manual";
    assert_int_equal(look(s), STEP_CONTINUE);
    assert_string_equal(s->a.status.source.table_created_at, LATER);
}

/* Once the rows were found to agree, the old table's presence says nothing new. */
static void an_accepted_table_is_not_questioned_again(void **state)
{
    struct watch_scene *s = *state;

    settle(s);
    s->table.created_at = LATER;
    assert_int_equal(look(s), STEP_CONTINUE);
    next(s, 60000, LATER);
    sibling(s, "_orders_del", FIRST);
    assert_int_equal(look(s), STEP_CONTINUE);
    assert_int_equal(s->listed, 1);
}

static void another_definition_waits_for_the_verdict(void **state)
{
    struct watch_scene *s = *state;

    settle(s);
    s->source_rows = 7;
    s->table.created_at = LATER;
    s->a.status.source.schema_hash = "sha256:2";
    assert_int_equal(look(s), STEP_REQUEUE);
    assert_int_equal(s->a.requeue_ms, WATCH_APART_MS / SEEN_GAP_LOOKS);
    assert_string_equal(watch_scene_condition(s, CONDITION_SCHEMA_IN_SYNC)->reason,
                        "UpstreamChanged");
    for (int i = 0; i < SEEN_GAP_LOOKS - 2; i++) {
        next(s, 1, LATER);
        assert_int_equal(look(s), STEP_REQUEUE);
    }
    next(s, WATCH_APART_MS, LATER);
    assert_replaced(s, "truncated or replaced");
}

static void rows_that_cannot_be_counted_are_taken_on_trust(void **state)
{
    struct watch_scene *s = *state;

    settle(s);
    s->source_rows = -1;
    s->table.created_at = LATER;
    assert_int_equal(look(s), STEP_CONTINUE);
    assert_string_equal(s->a.status.source.table_created_at, LATER);
}

static void a_server_that_fails_is_a_fault(void **state)
{
    struct watch_scene *s = *state;

    settle(s);
    s->refusal = FAULT_UNAVAILABLE;
    assert_int_equal(look(s), STEP_FAULT);
    assert_int_equal(fault.class, FAULT_UNAVAILABLE);
    assert_contains(fault.text, "count the rows of MySQL table shop.orders");
}

#define IN_SCENE(test)                                                                   \
    cmocka_unit_test_setup_teardown(test, watch_scene_setup, watch_scene_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_SCENE(a_look_at_an_unchanged_table_costs_one_row),
        IN_SCENE(a_rebuilt_table_with_the_same_rows_is_accepted),
        IN_SCENE(fewer_rows_are_believed_when_they_stay_so),
        IN_SCENE(a_table_that_is_never_at_rest_is_accepted),
        IN_SCENE(rows_that_are_being_deleted_are_no_replacement),
        IN_SCENE(a_truncate_is_found_although_create_time_stays),
        IN_SCENE(a_truncate_is_found_by_its_counter),
        IN_SCENE(rows_that_are_late_prove_nothing),
        IN_SCENE(an_empty_table_is_no_truncated_one),
        IN_SCENE(more_rows_than_are_counted_take_longer_to_judge),
        IN_SCENE(more_rows_count_while_the_stream_stands_still),
        IN_SCENE(a_found_replacement_stays_until_the_rows_agree),
        IN_SCENE(a_re_sync_asked_for_ends_the_questions),
        IN_SCENE(a_new_cdc_table_is_loaded_from_what_is_there),
        IN_SCENE(an_exchanged_table_is_told_by_the_old_one),
        IN_SCENE(an_accepted_table_is_not_questioned_again),
        IN_SCENE(another_definition_waits_for_the_verdict),
        IN_SCENE(rows_that_cannot_be_counted_are_taken_on_trust),
        IN_SCENE(a_server_that_fails_is_a_fault),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What is concluded about a living table, and which added columns hold gaps. */
#include "watch_scene.h"

#include "loop/watch.h"

/* --- rows --- */

static void rows_are_compared_with_room_for_a_running_stream(void **state)
{
    (void)state;
    assert_int_equal(watch_rows_compare(0, 0, true), WATCH_ROWS_AGREE);
    assert_int_equal(watch_rows_compare(99, 100, true), WATCH_ROWS_FEWER);
    assert_int_equal(watch_rows_compare(99, 100, false), WATCH_ROWS_FEWER);
    /* More than 1000, and more than one in a hundred. */
    assert_int_equal(watch_rows_compare(1000, 0, true), WATCH_ROWS_AGREE);
    assert_int_equal(watch_rows_compare(1001, 0, true), WATCH_ROWS_MORE);
    assert_int_equal(watch_rows_compare(202000, 200000, true), WATCH_ROWS_AGREE);
    assert_int_equal(watch_rows_compare(202001, 200000, true), WATCH_ROWS_MORE);
    /* Without a snapshot the stream may hold any smaller number. */
    assert_int_equal(watch_rows_compare(202001, 0, false), WATCH_ROWS_AGREE);
}

/* --- exchanged tables --- */

#define REMEMBERED "2026-11-01 10:00:00"
#define NOW "2026-11-20 08:30:00"

struct swap_row {
    const char *name, *created_at, *columns; /* of the sibling; columns: "id note" */
    const char *version;
    enum mysql_flavor flavor;
    bool swapped;
};

static void the_old_table_is_known_by_its_time_and_columns(void **state)
{
    static const struct swap_row ROWS[] = {
        /* MySQL 8 keeps CREATE_TIME in RENAME TABLE. */
        {"_orders_del", REMEMBERED, "id note", "8.0.39", MYSQL_ORACLE, true},
        {"_orders_del", REMEMBERED, "ID NOTE more", "9.1.0", MYSQL_ORACLE, true},
        {"_orders_del", REMEMBERED, "id other", "8.0.39", MYSQL_ORACLE, false},
        {"orders_backup", "2026-10-01 10:00:00", "id note", "8.0.39", MYSQL_ORACLE,
         false},
        {"orders_backup", "2026-11-10 10:00:00", "id note", "8.0.39", MYSQL_ORACLE,
         false},
        {"orders_backup", NOW, "id note", "8.0.39", MYSQL_ORACLE, false},
        {"orders_backup", NULL, "id note", "8.0.39", MYSQL_ORACLE, false},
        {"orders", REMEMBERED, "id note", "8.0.39", MYSQL_ORACLE, false},
        /* Before, and in MariaDB, it renews that of both. */
        {"_orders_old", NOW, "id note", "5.7.44", MYSQL_ORACLE, true},
        {"_orders_old", "2026-11-20 08:29:58", "id note", "10.11.6-MariaDB",
         MYSQL_MARIADB, true},
        {"_orders_old", "2026-11-20 08:29:57", "id note", "10.11.6-MariaDB",
         MYSQL_MARIADB, false},
        {"orders_backup", REMEMBERED, "id note", "10.11.6-MariaDB", MYSQL_MARIADB, false},
        {"orders_backup", "", "id note", "10.11.6-MariaDB", MYSQL_MARIADB, false},
    };
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);
    struct rw_table stream = {.name = "t"};

    (void)state;
    VEC_PUSH(arena, &stream.columns, (struct rw_column){.name = "id"});
    VEC_PUSH(arena, &stream.columns, (struct rw_column){.name = "note"});
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        const struct mysql_server server = {.version = ROWS[i].version,
                                            .flavor = ROWS[i].flavor};
        const struct mysql_table now = {.name = "orders", .created_at = NOW};
        const struct strlist kept = {0};
        struct mysql_table sibling = {.name = ROWS[i].name,
                                      .created_at = ROWS[i].created_at};
        struct sv columns = sv_from(ROWS[i].columns);
        struct mysql_tables siblings = {0};
        const struct mysql_table *found = NULL;

        while (columns.n > 0) {
            VEC_PUSH(
                arena, &sibling.columns,
                (struct mysql_column){.name = arena_copy(arena, sv_cut(&columns, ' '))});
        }
        VEC_PUSH(arena, &siblings.tables, sibling);
        found = watch_swapped(&server, &now, REMEMBERED, &siblings, &stream, &kept);
        if ((found != NULL) != ROWS[i].swapped) {
            fail_msg("row %zu: %s", i, ROWS[i].name);
        }
    }
}

/* A column that MySQL dropped long ago is in neither table any more. */
static void a_kept_column_need_not_be_in_the_old_table(void **state)
{
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);
    const struct mysql_server server = {.version = "8.0.39", .flavor = MYSQL_ORACLE};
    const struct mysql_table now = {.name = "orders", .created_at = NOW};
    struct mysql_table old = {.name = "orders_old", .created_at = REMEMBERED};
    struct rw_table stream = {.name = "t"};
    struct mysql_tables siblings = {0};
    struct strlist kept = {0};

    (void)state;
    VEC_PUSH(arena, &stream.columns, (struct rw_column){.name = "id"});
    VEC_PUSH(arena, &stream.columns, (struct rw_column){.name = "gone"});
    VEC_PUSH(arena, &old.columns, (struct mysql_column){.name = "id"});
    VEC_PUSH(arena, &siblings.tables, old);
    assert_null(watch_swapped(&server, &now, REMEMBERED, &siblings, &stream, &kept));
    VEC_PUSH(arena, &kept, "gone");
    assert_non_null(watch_swapped(&server, &now, REMEMBERED, &siblings, &stream, &kept));
}

/* --- words --- */

static void a_loss_is_told_with_what_becomes_of_the_values(void **state)
{
    static const struct {
        enum loss_kind kind;
        const char *words;
    } ROWS[] = {
        {LOSS_TIME_RANGE, "in 2 rows 'c' (time) lies outside 00:00:00 to 23:59:59 and is "
                          "delivered as NULL"},
        {LOSS_DIGITS, "in 2 rows 'c' (time) has more than 28 digits and is delivered as "
                      "NULL"},
        {LOSS_ZERO_DATE, "in 2 rows 'c' (time) holds a zero date and is delivered as "
                         "NULL"},
        {LOSS_LENGTH, "in 2 rows 'c' (time) is longer than 90 bytes and stops the sink"},
        {LOSS_BOOLEAN, "in 2 rows 'c' (time) holds a number other than 0 and 1 and does "
                       "not arrive as it is"},
    };
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);
    const struct mysql_column column = {.name = "c", .column_type = "time"};

    (void)state;
    assert_int_equal(COUNT_OF(ROWS), LOSS_KIND_MAX - 1);
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        const struct column_map map = {
            .source = &column, .loss = ROWS[i].kind, .loss_limit = 90};

        assert_string_equal(watch_loss_text(&map, 2, arena), ROWS[i].words);
    }
}

static void a_long_list_of_names_is_cut(void **state)
{
    static const char *const NAMES[] = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"};
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);
    struct strlist names = {0};

    (void)state;
    assert_string_equal(watch_names(&names, arena), "");
    for (size_t i = 0; i < COUNT_OF(NAMES); i++) {
        VEC_PUSH(arena, &names, NAMES[i]);
        if (i == 0) {
            assert_string_equal(watch_names(&names, arena), "'a'");
        } else if (i == 2) {
            assert_string_equal(watch_names(&names, arena), "'a', 'b' and 'c'");
        } else if (i == 7) {
            assert_string_equal(watch_names(&names, arena),
                                "'a', 'b', 'c', 'd', 'e', 'f', 'g' and 'h'");
        }
    }
    assert_string_equal(watch_names(&names, arena),
                        "'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h' and 2 more");
}

/* --- columns that were added later --- */

static struct fault fault;

static void add_column(struct watch_scene *s, const char *name)
{
    VEC_PUSH(s->a.arena, &s->table.columns, (struct mysql_column){.name = name});
    VEC_PUSH(s->a.arena, &s->rw.u.rw.tables.v[0].columns,
             (struct rw_column){.name = name});
}

/* The plan that adds `name` is about to run; then it has run. */
static void carry_out(struct watch_scene *s, const char *name)
{
    VEC_PUSH(s->a.arena, &s->a.plan.unloaded, name);
    watch_unloaded(&s->a);
    watch_scene_next(s);
    add_column(s, name);
}

static void look(struct watch_scene *s)
{
    fault_clear(&fault);
    assert_ok(watch_loaded(&s->a, &fault), fault);
    if (s->a.status.source.unloaded_columns.n > 0) {
        attempt_condition(&s->a, CONDITION_SCHEMA_IN_SYNC, "UnloadedColumns", "%s",
                          watch_unloaded_text(&s->a));
    } else {
        attempt_condition(&s->a, CONDITION_SCHEMA_IN_SYNC, "Match", "same");
    }
}

static void a_change_on_its_way_is_told(void **state)
{
    struct watch_scene *s = *state;

    watch_unloaded(&s->a);
    assert_null(watch_scene_condition(s, CONDITION_SCHEMA_IN_SYNC));
    VEC_PUSH(s->a.arena, &s->a.plan.changes, "column 'a' was added");
    VEC_PUSH(s->a.arena, &s->a.plan.changes, "column 'b' grew to VARCHAR(80)");
    watch_unloaded(&s->a);
    assert_string_equal(watch_scene_condition(s, CONDITION_SCHEMA_IN_SYNC)->reason,
                        "UpstreamChanged");
    assert_contains(watch_scene_condition(s, CONDITION_SCHEMA_IN_SYNC)->message,
                    "column 'a' was added; column 'b' grew to VARCHAR(80)");
}

static void a_column_without_values_leaves_no_gap(void **state)
{
    struct watch_scene *s = *state;

    carry_out(s, "extra");
    assert_int_equal(s->a.before.source.unloaded_columns.n, 1);
    look(s);
    assert_int_equal(s->counted_losses, 1);
    assert_int_equal(s->check_count, 1);
    assert_string_equal(s->checks[0].column, "extra");
    assert_int_equal(s->checks[0].kind, LOSS_NONE);
    assert_int_equal(s->a.status.source.unloaded_columns.n, 0);
    assert_int_equal(s->events, 0);
}

static void a_column_with_values_is_told_once(void **state)
{
    struct watch_scene *s = *state;

    carry_out(s, "extra");
    s->counts[0] = 5;
    look(s);
    assert_int_equal(s->a.status.source.unloaded_columns.n, 1);
    assert_contains(watch_unloaded_text(&s->a), "'extra' was added hold NULL");
    assert_int_equal(s->events, 1);
    watch_scene_next(s);
    add_column(s, "extra");
    look(s);
    assert_int_equal(s->a.status.source.unloaded_columns.n, 1);
    assert_int_equal(s->counted_losses, 1); /* not asked again */
    assert_int_equal(s->events, 1);
    /* Another one: both are told. */
    watch_scene_next(s);
    add_column(s, "extra");
    carry_out(s, "later");
    add_column(s, "extra");
    s->counts[1] = 1;
    look(s);
    assert_int_equal(s->a.status.source.unloaded_columns.n, 2);
    assert_int_equal(s->events, 2);
}

static void what_is_not_known_counts_as_a_gap(void **state)
{
    struct watch_scene *s = *state;

    carry_out(s, "extra");
    s->complete = false; /* no value in the first rows */
    look(s);
    assert_int_equal(s->a.status.source.unloaded_columns.n, 1);
    watch_scene_next(s);
    carry_out(s, "later");
    add_column(s, "extra");
    s->refusal = FAULT_REFUSED;
    look(s);
    assert_int_equal(s->a.status.source.unloaded_columns.n, 2);
}

static void a_cancelled_question_ends_the_attempt(void **state)
{
    struct watch_scene *s = *state;

    carry_out(s, "extra");
    s->refusal = FAULT_CANCELLED;
    assert_false(watch_loaded(&s->a, &fault));
    assert_int_equal(fault.class, FAULT_CANCELLED);
    assert_int_equal(s->a.status.source.unloaded_columns.n, 1);
}

static void a_table_loaded_anew_has_no_gaps(void **state)
{
    struct watch_scene *s = *state;

    carry_out(s, "extra");
    s->counts[0] = 5;
    s->rw.u.rw.tables.v[0].id = 18;
    look(s);
    assert_int_equal(s->a.status.source.unloaded_columns.n, 0);
    assert_int_equal(s->counted_losses, 0);
}

static void a_column_that_left_again_has_no_gap(void **state)
{
    struct watch_scene *s = *state;

    carry_out(s, "extra");
    s->table.columns.n--; /* dropped in MySQL */
    look(s);
    assert_int_equal(s->a.status.source.unloaded_columns.n, 0);
    carry_out(s, "extra");
    s->rw.u.rw.tables.v[0].columns.n--; /* never came as far as RisingWave */
    look(s);
    assert_int_equal(s->a.status.source.unloaded_columns.n, 0);
    assert_int_equal(s->counted_losses, 0);
}

#define IN_SCENE(test)                                                                   \
    cmocka_unit_test_setup_teardown(test, watch_scene_setup, watch_scene_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_compared_with_room_for_a_running_stream),
        cmocka_unit_test(the_old_table_is_known_by_its_time_and_columns),
        cmocka_unit_test(a_kept_column_need_not_be_in_the_old_table),
        cmocka_unit_test(a_loss_is_told_with_what_becomes_of_the_values),
        cmocka_unit_test(a_long_list_of_names_is_cut),
        IN_SCENE(a_change_on_its_way_is_told),
        IN_SCENE(a_column_without_values_leaves_no_gap),
        IN_SCENE(a_column_with_values_is_told_once),
        IN_SCENE(what_is_not_known_counts_as_a_gap),
        IN_SCENE(a_cancelled_question_ends_the_attempt),
        IN_SCENE(a_table_loaded_anew_has_no_gaps),
        IN_SCENE(a_column_that_left_again_has_no_gap),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

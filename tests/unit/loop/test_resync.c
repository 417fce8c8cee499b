/* One token, one re-sync: taken before anything is done, resumed from status alone. */
#include "attempt_scene.h"

#define FIRST "t_shop_orders_00000000"

struct resync {
    struct scene *s;
    struct observation rw;
};

static void resync_begin(struct resync *r, struct scene *s, const char *token)
{
    struct fault fault = FAULT_INIT;

    memset(r, 0, sizeof(*r));
    r->s = s;
    scene_begin(s, "resync");
    s->a.rw = &r->rw;
    s->a.sync.resync_token = token;
    s->a.sync.resync_mode = RESYNC_TRUNCATE;
    s->a.before.applied_hash = "sha256:1";
    assert_ok(ident_parse(s->a.arena, SV(FIRST), SQL_RISINGWAVE, IDENT_TABLE,
                          &s->a.desired.table_name, &fault),
              fault);
}

static void add_table(struct resync *r, const char *name)
{
    VEC_PUSH(r->s->a.arena, &r->rw.u.rw.tables, (struct rw_table){.name = name});
}

static void run(struct resync *r)
{
    struct fault fault = FAULT_INIT;

    if (step_resync(&r->s->a, &fault) != STEP_CONTINUE) {
        fail_msg("resync: %s", fault.text);
    }
}

static void a_token_is_in_status_before_it_acts(void **state)
{
    struct scene *s = *state;
    struct resync r;
    const struct json *shown = NULL;

    resync_begin(&r, s, "monday");
    add_table(&r, FIRST);
    run(&r);
    assert_int_equal(s->writes, 1);
    shown = json_get(s->written, "resync");
    assert_string_equal(json_get_string(shown, "token"), "monday");
    assert_string_equal(json_get_string(shown, "mode"), "Truncate");
    assert_string_equal(json_get_string(shown, "state"), "InProgress");
    assert_int_equal(json_int(json_get(shown, "tableVersion"), 0), 2);
    scene_expect(s, "Ready", "False", "Updating");
    assert_string_equal(buf_z(&s->all_events), "Updating ResyncStarted ");
    assert_int_equal(s->a.desired.in.resync, RESYNC_TRUNCATE);
    assert_int_equal(s->a.desired.in.table_version, 2);
    scene_end(s);
}

/* The spec may have changed since, even lost its token. */
static void what_is_in_progress_goes_on_from_status(void **state)
{
    struct scene *s = *state;
    struct resync r;

    for (int i = 0; i < 2; i++) {
        resync_begin(&r, s, i == 0 ? "monday" : "");
        s->a.status.resync.token = "monday";
        s->a.status.resync.mode = "Recreate";
        s->a.status.resync.state = "InProgress";
        s->a.status.resync.table_version = 4;
        add_table(&r, FIRST "_v4");
        run(&r);
        assert_int_equal(s->a.desired.in.resync, RESYNC_RECREATE);
        assert_int_equal(s->a.desired.in.table_version, 4);
        assert_int_equal(s->writes, 0);
        scene_end(s);
    }
}

static void a_handled_token_and_none_do_nothing(void **state)
{
    static const char *const tokens[] = {"monday", "", NULL};
    struct scene *s = *state;
    struct resync r;

    for (size_t i = 0; i < COUNT_OF(tokens); i++) {
        resync_begin(&r, s, tokens[i]);
        s->a.status.resync.token = "monday";
        s->a.status.resync.state = "Done";
        run(&r);
        assert_int_equal(s->a.desired.in.resync, 0);
        assert_int_equal(s->writes, 0);
        scene_end(s);
    }
}

/* Every row is loaded by the first run: the token is merely noted. */
static void the_first_run_needs_none(void **state)
{
    struct scene *s = *state;
    struct resync r;

    resync_begin(&r, s, "monday");
    s->a.before.applied_hash = NULL;
    run(&r);
    assert_int_equal(s->writes, 0);
    assert_int_equal(s->a.desired.in.resync, 0);
    assert_string_equal(s->a.status.resync.token, "monday");
    assert_string_equal(s->a.status.resync.state, "Done");
    scene_end(s);
}

/* Another token while one is in progress: the newest table there is comes before it. */
static void a_newer_token_takes_over(void **state)
{
    struct scene *s = *state;
    struct resync r;

    resync_begin(&r, s, "tuesday");
    s->a.status.resync.token = "monday";
    s->a.status.resync.state = "InProgress";
    s->a.status.resync.table_version = 2;
    add_table(&r, FIRST);
    add_table(&r, FIRST "_v2");
    add_table(&r, "t_shop_orders_ffffffff_v9"); /* of somebody else */
    run(&r);
    assert_int_equal(s->a.desired.in.table_version, 3);
    assert_int_equal(s->writes, 1);
    scene_end(s);
}

static void a_token_that_cannot_be_written_does_not_act(void **state)
{
    struct scene *s = *state;
    struct fault fault = FAULT_INIT;
    struct resync r;

    resync_begin(&r, s, "monday");
    s->conflicts = 1;
    assert_int_equal(step_resync(&s->a, &fault), STEP_FAULT);
    assert_int_equal(fault.class, FAULT_CONFLICT);
    assert_int_equal(s->events, 0);
    scene_end(s);
}

static void a_preview_writes_nothing(void **state)
{
    struct scene *s = *state;
    struct resync r;

    resync_begin(&r, s, "monday");
    s->a.preview = true;
    run(&r);
    assert_int_equal(s->a.desired.in.table_version, 2);
    assert_int_equal(s->writes, 0);
    assert_int_equal(s->events, 0);
    scene_end(s);
}

static void it_is_done_when_nothing_is_left_and_all_is_loaded(void **state)
{
    static const struct {
        const char *snapshot;
        size_t steps;
        bool done;
    } rows[] = {{"InProgress", 0, false}, {"Done", 1, false}, {"Done", 0, true}};
    struct scene *s = *state;
    struct fault unwritten = FAULT_INIT;
    struct resync r;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        resync_begin(&r, s, "monday");
        s->a.status.resync.token = "monday";
        s->a.status.resync.mode = "InPlace";
        s->a.status.resync.state = "InProgress";
        s->a.status.phase = PHASE_STREAMING;
        s->a.planned = true;
        VEC_PUSH(s->a.arena, &s->a.status.source.unloaded_columns, "note");
        if (rows[i].steps > 0) {
            (void)scene_step(s, PLAN_DROP_SINK, "k", RISK_SAFE);
        }
        attempt_condition(&s->a, CONDITION_SNAPSHOT_COMPLETE, rows[i].snapshot, "rows");
        assert_ok(report(&s->a, NULL, &unwritten), unwritten);
        assert_string_equal(json_get_string(json_get(s->written, "resync"), "state"),
                            rows[i].done ? "Done" : "InProgress");
        assert_int_equal(json_get(json_get(s->written, "source"), "unloadedColumns") ==
                             NULL,
                         rows[i].done);
        assert_int_equal(strcmp(s->last_event, "ResyncCompleted") == 0, rows[i].done);
        scene_end(s);
    }
}

/* Nothing of its own: shared objects and tables of others prove nothing. */
static void what_makes_a_first_run(void **state)
{
    static const struct {
        const char *kind, *state, *applied;
        bool owned, shared, first, first_target;
    } rows[] = {
        {"Table", "Pending", NULL, true, false, true, true},
        {"Table", "Missing", NULL, true, false, true, true},
        {"Table", "Creating", NULL, true, false, false, true},
        {"Sink", "Ready", NULL, true, false, false, true},
        {"Source", "Ready", NULL, false, true, true, true},
        {"TargetTable", "Pending", NULL, true, false, true, true},
        {"TargetTable", "Creating", NULL, true, false, false, true}, /* emptied, say */
        {"TargetTable", "Ready", NULL, true, false, false, false},
        {"TargetTable", "Ready", NULL, false, false, true, false}, /* adopted */
        {"Source", "Ready", "sha256:1", false, true, false, false},
    };
    struct scene *s = *state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        scene_begin(s, "resync");
        s->a.before.applied_hash = rows[i].applied;
        VEC_PUSH(s->a.arena, &s->a.before.objects,
                 (struct status_object){.kind = rows[i].kind,
                                        .name = "x",
                                        .state = rows[i].state,
                                        .owned = rows[i].owned,
                                        .shared = rows[i].shared});
        assert_int_equal(attempt_first_run(&s->a), rows[i].first);
        assert_int_equal(attempt_first_target(&s->a), rows[i].first_target);
        scene_end(s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE_TEST(a_token_is_in_status_before_it_acts),
        SCENE_TEST(what_is_in_progress_goes_on_from_status),
        SCENE_TEST(a_handled_token_and_none_do_nothing),
        SCENE_TEST(the_first_run_needs_none),
        SCENE_TEST(a_newer_token_takes_over),
        SCENE_TEST(a_token_that_cannot_be_written_does_not_act),
        SCENE_TEST(a_preview_writes_nothing),
        SCENE_TEST(it_is_done_when_nothing_is_left_and_all_is_loaded),
        SCENE_TEST(what_makes_a_first_run),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

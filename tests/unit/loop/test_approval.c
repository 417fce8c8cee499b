/* Which plans need somebody's word, what a word covers, and how it is asked for. */
#include "attempt_scene.h"

#include "loop/approval.h"

#include <stdio.h>

struct row {
    enum plan_mode mode;
    enum plan_purpose purpose;
    enum plan_risk risk;
    const char *reason;
};

static void who_must_be_asked(void **state)
{
    static const struct row rows[] = {
        {PLAN_AUTO, PURPOSE_PROVISION, RISK_SAFE, NULL},
        {PLAN_AUTO, PURPOSE_RESYNC, RISK_ASKED, NULL},
        {PLAN_AUTO, PURPOSE_EVOLVE, RISK_DESTRUCTIVE, "DestructiveChange"},
        {PLAN_MANUAL, PURPOSE_PROVISION, RISK_SAFE, "WaitingForApproval"},
        {PLAN_MANUAL, PURPOSE_REPAIR, RISK_SAFE, "WaitingForApproval"},
        {PLAN_MANUAL, PURPOSE_EVOLVE, RISK_DESTRUCTIVE, "WaitingForApproval"},
        {PLAN_MANUAL, PURPOSE_SETTINGS, RISK_SAFE, NULL},
        {PLAN_MANUAL, PURPOSE_SETTINGS, RISK_DESTRUCTIVE, "DestructiveChange"},
    };
    struct scene *s = *state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const char *reason = NULL;

        scene_begin(s, "gate");
        s->a.sync.plan_mode = rows[i].mode;
        assert_null(approval_reason(&s->a.sync, &s->a.plan)); /* nothing to do */
        (void)scene_step(s, PLAN_CREATE_TABLE, "t", RISK_SAFE);
        (void)scene_step(s, PLAN_DROP_TARGET_COLUMN, "ods.orders", rows[i].risk);
        s->a.plan.purpose = rows[i].purpose;
        reason = approval_reason(&s->a.sync, &s->a.plan);
        if (rows[i].reason == NULL) {
            assert_null(reason);
        } else {
            assert_non_null(reason);
            assert_string_equal(reason, rows[i].reason);
        }
        scene_end(s);
    }
}

/* A plan of statements "0", "1", ... beginning at `from`, as what is left of it has. */
static void plan_of(struct scene *s, int from, int count)
{
    memset(&s->a.plan, 0, sizeof(s->a.plan));
    for (int i = from; i < count; i++) {
        (void)scene_step(s, PLAN_CREATE_TABLE, arena_printf(s->a.arena, "o%d", i),
                         RISK_SAFE);
    }
    s->a.plan.hash = arena_printf(s->a.arena, "sha256:%d-%d", from, count);
}

/* A status as it comes back from the API server. */
static struct tsync_status reread(struct scene *s)
{
    AUTO(json_freep) struct json *json = json_new_object();
    struct tsync_status again;

    tsync_status_write(&s->a.status, json);
    tsync_status_read(json, s->a.arena, &again);
    return again;
}

static void an_approval_covers_what_is_left(void **state)
{
    struct scene *s = *state;
    struct tsync_status status;

    scene_begin(s, "gate");
    plan_of(s, 0, 4);
    approval_show(&s->a.status, &s->a.plan, s->a.arena);
    status = reread(s);
    assert_false(approval_covers(&status, &s->a.plan)); /* shown, not approved */
    s->a.status.plan.approved_hash = s->a.plan.hash;
    status = reread(s);
    assert_true(approval_covers(&status, &s->a.plan));
    plan_of(s, 2, 4);
    assert_true(approval_covers(&status, &s->a.plan));
    plan_of(s, 2, 5); /* one more than was approved */
    assert_false(approval_covers(&status, &s->a.plan));
    approval_clear(&s->a.status);
    status = reread(s);
    assert_false(approval_covers(&status, &s->a.plan));
    assert_null(status.plan.hash);
    scene_end(s);
}

/* Status holds fifty statements; of a longer plan only the whole is known. */
static void a_long_plan_is_covered_while_it_is_whole(void **state)
{
    struct scene *s = *state;
    struct tsync_status status;

    for (int count = 50; count <= 51; count++) {
        scene_begin(s, "gate");
        plan_of(s, 0, count);
        approval_show(&s->a.status, &s->a.plan, s->a.arena);
        s->a.status.plan.approved_hash = s->a.plan.hash;
        status = reread(s);
        assert_int_equal(status.plan.statements.n, 50);
        assert_int_equal(status.plan.statements_total, count);
        assert_true(approval_covers(&status, &s->a.plan));
        plan_of(s, 1, count);
        assert_int_equal(approval_covers(&status, &s->a.plan), count == 50);
        scene_end(s);
    }
}

/* However long the statements are: their ids are all there. */
static void a_long_statement_is_cut_and_its_id_is_kept(void **state)
{
    struct scene *s = *state;
    struct tsync_status status;
    struct stmt *stmt = NULL;

    scene_begin(s, "gate");
    plan_of(s, 0, 1);
    stmt = stmt_new(s->a.arena, SQL_RISINGWAVE);
    stmt_str(stmt, sv_from(arena_printf(s->a.arena, "%09000d", 7)));
    s->a.plan.steps.v[0].stmt = stmt;
    approval_show(&s->a.status, &s->a.plan, s->a.arena);
    s->a.status.plan.approved_hash = "sha256:another";
    status = reread(s);
    assert_in_range(strlen(status.plan.statements.v[0].sql), 1000, 4000);
    assert_true(approval_covers(&status, &s->a.plan));
    scene_end(s);
}

static void the_message_has_the_very_command(void **state)
{
    struct scene *s = *state;
    const char *message = NULL;

    scene_begin(s, "gate");
    plan_of(s, 0, 2);
    message = approval_message(&s->a.sync, &s->a.plan, NULL, s->a.arena);
    assert_contains(message, "2 statements wait for approval (none of them loses data)");
    assert_contains(message, "kubectl annotate tablesync orders -n shop "
                             "tablesync.dev/approve-plan=sha256:0-2");
    s->a.plan.steps.v[1].risk = RISK_DESTRUCTIVE;
    message = approval_message(&s->a.sync, &s->a.plan, "sha256:old", s->a.arena);
    assert_contains(message, "1 of them loses data, first: do something to o1");
    assert_contains(message, "approves sha256:old, but the plan is sha256:0-2 now");
    assert_contains(message, "--overwrite tablesync.dev/approve-plan=sha256:0-2");
    scene_end(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE_TEST(who_must_be_asked),
        SCENE_TEST(an_approval_covers_what_is_left),
        SCENE_TEST(a_long_plan_is_covered_while_it_is_whole),
        SCENE_TEST(a_long_statement_is_cut_and_its_id_is_kept),
        SCENE_TEST(the_message_has_the_very_command),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Which plans pass the gate: approvals that are asked for, given, outdated and spent, and
 * drift that a policy leaves as it is. */
#include "attempt_scene.h"

static enum step_result pass(struct scene *s)
{
    struct fault fault = FAULT_INIT;
    enum step_result result = step_gate(&s->a, &fault);

    if (result == STEP_FAULT) {
        fail_msg("gate: %s", fault.text);
    }
    return result;
}

static void write_report(struct scene *s)
{
    struct fault unwritten = FAULT_INIT;

    assert_ok(report(&s->a, NULL, &unwritten), unwritten);
}

/* Takes what was written for what the API server now has. */
static void next(struct scene *s, const char *annotation)
{
    struct json *status = json_clone(s->written);

    scene_end(s);
    scene_begin(s, "gate");
    tsync_status_read(status, s->a.arena, &s->a.before);
    s->a.status = s->a.before;
    kube_conditions_read(&s->a.conditions, json_get(status, "conditions"), s->a.arena);
    kube_conditions_read(&s->a.conditions_before, json_get(status, "conditions"),
                         s->a.arena);
    s->a.sync.annotation_approve = annotation;
    json_free(status);
}

static void two_steps(struct scene *s, enum plan_risk second)
{
    (void)scene_step(s, PLAN_ALTER_TARGET, "ods.orders", RISK_SAFE);
    (void)scene_step(s, PLAN_DROP_TARGET_COLUMN, "ods.orders", second);
    s->a.plan.purpose = PURPOSE_EVOLVE;
}

static void what_loses_nothing_passes(void **state)
{
    struct scene *s = *state;

    scene_begin(s, "gate");
    two_steps(s, RISK_ASKED);
    assert_int_equal(pass(s), STEP_CONTINUE);
    (void)scene_holds(s, CONDITION_PLAN_APPROVED, "AutoApproved");
    assert_null(s->a.status.plan.hash);
    assert_int_equal(s->writes, 0);
    scene_end(s);
}

static void a_loss_waits_with_the_plan_in_status(void **state)
{
    struct scene *s = *state;
    const struct json *plan = NULL;

    scene_begin(s, "gate");
    two_steps(s, RISK_DESTRUCTIVE);
    assert_int_equal(pass(s), STEP_REQUEUE);
    assert_int_equal(s->writes, 0); /* the report writes it, once */
    write_report(s);
    scene_expect(s, "PlanApproved", "False", "DestructiveChange");
    scene_expect(s, "Ready", "False", "DestructiveChange");
    scene_expect(s, "Stalled", "True", "DestructiveChange");
    scene_expect(s, "Reconciling", NULL, NULL);
    assert_string_equal(json_get_string(s->written, "phase"), "Stalled");
    assert_null(json_get(s->written, "retries"));
    plan = json_get(s->written, "plan");
    assert_string_equal(json_get_string(plan, "hash"), "sha256:2-ods.orders");
    assert_null(json_get(plan, "approvedHash"));
    assert_int_equal(json_int(json_get(plan, "statementsTotal"), 0), 2);
    assert_contains(json_get_string(scene_condition(s->written, "Stalled"), "message"),
                    "approve-plan=sha256:2-ods.orders");
    /* Looked at once more, it writes nothing. */
    next(s, NULL);
    two_steps(s, RISK_DESTRUCTIVE);
    assert_int_equal(pass(s), STEP_REQUEUE);
    s->a.fresh = json_new_object();
    json_set(s->a.fresh, "metadata", json_clone(json_get(s->a.object->json, "metadata")));
    json_set(s->a.fresh, "status", json_clone(s->written));
    write_report(s);
    assert_int_equal(s->writes, 1);
    scene_end(s);
}

/* Status first, then the annotation goes, and only then may anything run. */
static void an_approval_is_in_status_before_it_counts(void **state)
{
    struct scene *s = *state;

    scene_begin(s, "gate");
    two_steps(s, RISK_DESTRUCTIVE);
    s->a.sync.annotation_approve = s->a.plan.hash;
    assert_int_equal(pass(s), STEP_CONTINUE);
    assert_int_equal(s->writes, 1);
    assert_int_equal(s->removals, 1);
    assert_int_equal(s->writes_at_removal, 1);
    assert_string_equal(json_get_string(json_get(s->written, "plan"), "approvedHash"),
                        "sha256:2-ods.orders");
    scene_expect(s, "PlanApproved", "True", "Approved");
    assert_null(s->a.sync.annotation_approve);
    /* The rest of it is covered, with another hash and without the annotation. */
    next(s, NULL);
    (void)scene_step(s, PLAN_DROP_TARGET_COLUMN, "ods.orders", RISK_DESTRUCTIVE);
    s->a.plan.purpose = PURPOSE_EVOLVE;
    assert_int_equal(pass(s), STEP_CONTINUE);
    (void)scene_holds(s, CONDITION_PLAN_APPROVED, "Approved");
    /* Once nothing is left, nothing is shown. */
    memset(&s->a.plan, 0, sizeof(s->a.plan));
    assert_int_equal(pass(s), STEP_CONTINUE);
    assert_null(s->a.status.plan.hash);
    assert_null(s->a.status.plan.approved_hash);
    scene_end(s);
}

/* If the write fails, nothing may run. */
static void an_approval_that_cannot_be_written_does_not_count(void **state)
{
    struct scene *s = *state;
    struct fault fault = FAULT_INIT;

    scene_begin(s, "gate");
    two_steps(s, RISK_DESTRUCTIVE);
    s->a.sync.annotation_approve = s->a.plan.hash;
    s->conflicts = 1;
    assert_int_equal(step_gate(&s->a, &fault), STEP_FAULT);
    assert_int_equal(fault.class, FAULT_CONFLICT);
    assert_int_equal(s->removals, 0);
    scene_end(s);
}

static void an_approval_of_another_plan_is_outdated(void **state)
{
    struct scene *s = *state;

    scene_begin(s, "gate");
    two_steps(s, RISK_DESTRUCTIVE);
    s->a.sync.annotation_approve = "sha256:of-yesterday";
    assert_int_equal(pass(s), STEP_REQUEUE);
    write_report(s);
    scene_expect(s, "PlanApproved", "False", "PlanOutdated");
    scene_expect(s, "Stalled", "True", "PlanOutdated");
    assert_contains(json_get_string(scene_condition(s->written, "Ready"), "message"),
                    "sha256:of-yesterday");
    assert_int_equal(s->removals, 0); /* it stays, for whoever put it there to see */
    scene_end(s);
}

/* A statement nobody approved asks anew, whatever was approved before. */
static void more_than_was_approved_asks_anew(void **state)
{
    struct scene *s = *state;

    scene_begin(s, "gate");
    two_steps(s, RISK_DESTRUCTIVE);
    s->a.sync.annotation_approve = s->a.plan.hash;
    assert_int_equal(pass(s), STEP_CONTINUE);
    next(s, NULL);
    two_steps(s, RISK_DESTRUCTIVE);
    (void)scene_step(s, PLAN_DROP_TARGET, "ods.orders", RISK_DESTRUCTIVE);
    assert_int_equal(pass(s), STEP_REQUEUE);
    (void)scene_holds(s, CONDITION_PLAN_APPROVED, "DestructiveChange");
    assert_null(s->a.status.plan.approved_hash);
    assert_int_equal(s->a.status.plan.statements_total, 3);
    scene_end(s);
}

/* Killed between the write and the removal: the annotation goes at the next look. */
static void a_spent_annotation_is_removed_late(void **state)
{
    struct scene *s = *state;

    scene_begin(s, "gate");
    two_steps(s, RISK_DESTRUCTIVE);
    s->a.sync.annotation_approve = s->a.plan.hash;
    assert_int_equal(pass(s), STEP_CONTINUE);
    next(s, "sha256:2-ods.orders");
    (void)scene_step(s, PLAN_DROP_TARGET_COLUMN, "ods.orders", RISK_DESTRUCTIVE);
    assert_int_equal(pass(s), STEP_CONTINUE);
    assert_int_equal(s->removals, 2);
    assert_int_equal(s->writes, 1);
    scene_end(s);
}

static void manual_mode_asks_for_everything_but_pausing(void **state)
{
    struct scene *s = *state;

    scene_begin(s, "gate");
    s->a.sync.plan_mode = PLAN_MANUAL;
    (void)scene_step(s, PLAN_CREATE_SOURCE, "src", RISK_SAFE);
    s->a.plan.purpose = PURPOSE_PROVISION;
    assert_int_equal(pass(s), STEP_REQUEUE);
    write_report(s);
    scene_expect(s, "PlanApproved", "False", "WaitingForApproval");
    scene_expect(s, "Stalled", "True", "WaitingForApproval");
    s->a.plan.purpose = PURPOSE_SETTINGS;
    assert_int_equal(pass(s), STEP_CONTINUE);
    scene_end(s);
}

/* --- drift --- */

struct drift_row {
    enum drift_policy policy;
    enum plan_purpose purpose;
    bool converged, held;
    const char *reason; /* of InSync; NULL: nothing is said */
    int64_t events;
};

static void only_the_policy_decides_about_drift(void **state)
{
    static const struct drift_row rows[] = {
        {DRIFT_CORRECT, PURPOSE_REPAIR, true, false, "StreamObjectMissing", 1},
        {DRIFT_CORRECT, PURPOSE_SETTINGS, true, false, "StreamObjectMissing", 1},
        {DRIFT_OBSERVE, PURPOSE_REPAIR, true, true, "StreamObjectMissing", 1},
        {DRIFT_IGNORE, PURPOSE_REPAIR, true, true, "Ignored", 0},
        /* A change of MySQL, a re-sync or a first run is no drift. */
        {DRIFT_OBSERVE, PURPOSE_EVOLVE, true, false, NULL, 0},
        {DRIFT_IGNORE, PURPOSE_RESYNC, true, false, NULL, 0},
        /* Nothing goes missing by an edit of the spec; a setting may be meant. */
        {DRIFT_OBSERVE, PURPOSE_REPAIR, false, true, "StreamObjectMissing", 1},
        {DRIFT_IGNORE, PURPOSE_SETTINGS, false, false, NULL, 0},
    };
    struct scene *s = *state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int64_t before = s->events;

        scene_begin(s, "gate");
        s->a.before.applied_hash = "sha256:0123456789ab";
        s->a.before.plan_hash = rows[i].converged ? "sha256:0123456789ab" : "sha256:9";
        s->a.sync.drift_policy = rows[i].policy;
        (void)scene_step(s, PLAN_CREATE_SINK, "tablesync.k", RISK_SAFE);
        s->a.plan.purpose = rows[i].purpose;
        assert_int_equal(pass(s), STEP_CONTINUE);
        assert_int_equal(pass(s), STEP_CONTINUE); /* a second time in the same attempt */
        assert_int_equal(s->a.held, rows[i].held);
        assert_int_equal(s->a.drifted, rows[i].reason != NULL);
        assert_int_equal(s->events - before, rows[i].events);
        if (rows[i].reason != NULL) {
            assert_contains(scene_holds(s, CONDITION_IN_SYNC, rows[i].reason),
                            "do something to tablesync.k");
        } else {
            assert_null(kube_conditions_find(&s->a.conditions, "InSync"));
        }
        scene_end(s);
    }
    assert_string_equal(s->last_event, "DriftDetected");
}

/* What others did is drift only as long as the spec is the one that was applied. */
static void a_new_generation_is_no_drift(void **state)
{
    struct scene *s = *state;

    scene_begin(s, "gate");
    s->a.before.applied_hash = s->a.before.plan_hash = "sha256:0123456789ab";
    assert_true(attempt_was_converged(&s->a));
    s->a.before.observed_generation = 2;
    assert_false(attempt_was_converged(&s->a));
    s->a.before.observed_generation = 3;
    s->a.desired.hash = "ba9876543210";
    assert_false(attempt_was_converged(&s->a));
    scene_end(s);
}

/* Held drift is waiting for nobody: no approval is asked for what will not be done. */
static const struct ident *name(struct scene *s, const char *text, enum ident_kind kind)
{
    const struct ident *ident = NULL;
    struct fault fault = FAULT_INIT;

    assert_ok(
        ident_parse(s->a.arena, sv_from(text), SQL_RISINGWAVE, kind, &ident, &fault),
        fault);
    return ident;
}

/* What follows the connections and their Secrets is nobody's meddling, and the run says
 * what it is for. */
static void another_account_is_no_drift(void **state)
{
    static const struct {
        enum plan_kind kind;
        enum plan_purpose purpose;
        const char *mysql_host, *starrocks_host, *trigger;
    } rows[] = {{PLAN_ALTER_SOURCE, PURPOSE_SETTINGS, "my", "sr", "Secret"},
                {PLAN_ALTER_SOURCE, PURPOSE_SETTINGS, "old", "sr", "Connection"},
                {PLAN_CREATE_SINK, PURPOSE_ROTATE, "my", "sr", "Secret"},
                {PLAN_CREATE_SINK, PURPOSE_ROTATE, "my", "old", "Connection"}};
    struct scene *s = *state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct observation rw = {0};

        scene_begin(s, "gate");
        s->a.rw = &rw;
        s->a.before.applied_hash = s->a.before.plan_hash = "sha256:0123456789ab";
        s->a.sync.drift_policy = DRIFT_OBSERVE;
        s->a.desired.rw_schema = name(s, "tablesync", IDENT_SCHEMA);
        s->a.desired.source_name = name(s, "src_shop", IDENT_TABLE);
        s->a.desired.sink_prefix = "k_orders_v";
        s->a.bindings[BIND_SOURCE].conn = (struct dbconn){.host = "my", .port = 3306};
        s->a.bindings[BIND_TARGET].conn = (struct dbconn){.host = "sr", .port = 9030};
        VEC_PUSH(s->a.arena, &rw.u.rw.sources,
                 (struct rw_source){.schema = "tablesync",
                                    .name = "src_shop",
                                    .hostname = rows[i].mysql_host,
                                    .port = "3306"});
        VEC_PUSH(s->a.arena, &rw.u.rw.sinks,
                 (struct rw_sink){.name = "k_orders_v1",
                                  .host = rows[i].starrocks_host,
                                  .mysql_port = "9030"});
        (void)scene_step(s, rows[i].kind, "tablesync.x", RISK_SAFE);
        s->a.plan.purpose = rows[i].purpose;
        assert_int_equal(pass(s), STEP_CONTINUE);
        assert_false(s->a.held);
        assert_false(s->a.drifted);
        assert_string_equal(s->a.trigger, rows[i].trigger);
        scene_end(s);
    }
    assert_int_equal(s->events, 0);
}

static void held_drift_needs_no_approval(void **state)
{
    struct scene *s = *state;

    scene_begin(s, "gate");
    s->a.before.applied_hash = s->a.before.plan_hash = "sha256:0123456789ab";
    s->a.sync.drift_policy = DRIFT_OBSERVE;
    s->a.sync.plan_mode = PLAN_MANUAL;
    (void)scene_step(s, PLAN_CREATE_SINK, "tablesync.k", RISK_SAFE);
    s->a.plan.purpose = PURPOSE_REPAIR;
    assert_int_equal(pass(s), STEP_CONTINUE);
    assert_true(s->a.held);
    assert_null(s->a.status.plan.hash);
    scene_end(s);
}

static void a_change_of_mysql_is_told_once(void **state)
{
    struct scene *s = *state;

    for (int look = 0; look < 3; look++) {
        scene_begin(s, "gate");
        two_steps(s, RISK_SAFE);
        VEC_PUSH(s->a.arena, &s->a.plan.changes, "column 'note' was added");
        assert_int_equal(pass(s), STEP_CONTINUE);
        assert_string_equal(s->a.trigger, "SchemaChange");
        scene_end(s);
    }
    assert_string_equal(buf_z(&s->all_events), "SchemaChangeDetected ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE_TEST(what_loses_nothing_passes),
        SCENE_TEST(a_loss_waits_with_the_plan_in_status),
        SCENE_TEST(an_approval_is_in_status_before_it_counts),
        SCENE_TEST(an_approval_that_cannot_be_written_does_not_count),
        SCENE_TEST(an_approval_of_another_plan_is_outdated),
        SCENE_TEST(more_than_was_approved_asks_anew),
        SCENE_TEST(a_spent_annotation_is_removed_late),
        SCENE_TEST(manual_mode_asks_for_everything_but_pausing),
        SCENE_TEST(only_the_policy_decides_about_drift),
        SCENE_TEST(a_new_generation_is_no_drift),
        SCENE_TEST(another_account_is_no_drift),
        SCENE_TEST(held_drift_needs_no_approval),
        SCENE_TEST(a_change_of_mysql_is_told_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

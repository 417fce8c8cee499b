/* What a fault, or the lack of one, makes of conditions, phase, retries and the queue. */
#include "attempt_scene.h"

struct row {
    const char *step;
    enum fault_class class;
    const char *reason; /* NULL: the class's own */
    const char *domain; /* the condition that is False with this reason; NULL: none */
    bool stalls;
    enum condition failed; /* of the statement that failed */
};

/* clang-format off */
static const struct row ROWS[] = {
    {"connections", FAULT_UNAVAILABLE, "Unreachable", "ConnectionsReady", false, 0},
    {"connections", FAULT_DENIED, "AuthFailed", "ConnectionsReady", false, 0},
    {"connections", FAULT_DENIED, "SecretNotFound", "ConnectionsReady", false, 0},
    {"connections", FAULT_UNAVAILABLE, "ConnectionNotFound", "ConnectionsReady", false, 0},
    {"connections", FAULT_REFUSED, "WrongConnectionType", "ConnectionsReady", true, 0},
    {"validate", FAULT_SPEC, NULL, NULL, true, 0},
    {"validate", FAULT_REFUSED, "OwnedByAnother", "TargetTableReady", false, 0},
    {"observe-source", FAULT_DENIED, "MissingGrant", "SourceSchemaResolved", false, 0},
    {"observe-source", FAULT_REFUSED, "BinlogOff", "SourceSchemaResolved", false, 0},
    {"observe-source", FAULT_REFUSED, "TableNotFound", "SourceSchemaResolved", false, 0},
    {"resolve", FAULT_REFUSED, "NoPrimaryKey", "SourceSchemaResolved", true, 0},
    {"resolve", FAULT_REFUSED, "UnsupportedType", "SourceSchemaResolved", true, 0},
    {"plan", FAULT_REFUSED, "AlreadyExists", "TargetTableReady", true, 0},
    {"plan", FAULT_REFUSED, "IncompatibleSchema", "TargetTableReady", true, 0},
    {"plan", FAULT_REFUSED, "ServerIdConflict", "SourceReady", false, 0},
    {"plan", FAULT_REFUSED, "TargetDrift", "InSync", true, 0},
    {"apply", FAULT_UNAVAILABLE, "SinkRejected", "SinkReady", false, 0},
    {"apply", FAULT_BUG, NULL, NULL, false, 0},
    /* A statement's failure belongs to its object, whoever else knows the reason. */
    {"apply", FAULT_DENIED, "MissingGrant", "TargetTableReady", false, CONDITION_TARGET_TABLE_READY},
    {"apply", FAULT_REFUSED, "Blocked", "SinkReady", false, CONDITION_SINK_READY},
    {"apply", FAULT_UNAVAILABLE, "Unreachable", "SourceReady", false, CONDITION_SOURCE_READY},
};
/* clang-format on */

static void each_fault_has_its_conditions(void **state)
{
    struct scene *s = *state;

    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        const struct row *row = &ROWS[i];
        struct fault fault = FAULT_INIT, unwritten = FAULT_INIT;

        scene_begin(s, row->step);
        s->a.failed = row->failed;
        queue_forget(s->loop->queue, s->a.key);
        (void)fault_set(&fault, row->class, row->reason, "trial %zu went wrong", i);
        assert_ok(report(&s->a, &fault, &unwritten), unwritten);
        scene_expect(s, "Ready", "False", fault.reason);
        if (row->domain != NULL) {
            scene_expect(s, row->domain, "False", fault.reason);
        }
        scene_expect(s, "Stalled", row->stalls ? "True" : NULL, fault.reason);
        scene_expect(s, "Reconciling", row->stalls ? NULL : "True",
                     "ProgressingWithRetry");
        assert_string_equal(json_get_string(s->written, "phase"),
                            row->stalls ? "Stalled" : "Pending");
        assert_int_equal(json_int(json_get(s->written, "retries"), 0), 1);
        assert_non_null(json_get_string(s->written, "nextRetryAt"));
        /* The first pause, or the longest at once; each spread by a fifth. */
        assert_in_range(s->a.requeue_ms, row->stalls ? 48000 : 1600,
                        row->stalls ? 72000 : 2400);
        assert_contains(json_get_string(scene_condition(s->written, "Ready"), "message"),
                        "went wrong");
        scene_end(s);
    }
}

/* Of all conditions the one that is a memory: whoever fails meanwhile takes nothing back.
 */
static void what_was_purged_is_not_forgotten(void **state)
{
    static const struct {
        enum fault_class class;
        const char *reason, *shown;
    } rows[] = {{FAULT_UNAVAILABLE, "Unreachable", "BinlogPurged"},
                {FAULT_UNAVAILABLE, "Recovering", "BinlogPurged"},
                {FAULT_REFUSED, "SourceFailed", "BinlogPurged"},
                {FAULT_REFUSED, "BinlogPurged", "BinlogPurged"}};
    struct scene *s = *state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct fault fault = FAULT_INIT, unwritten = FAULT_INIT;

        scene_begin(s, "position");
        attempt_condition(&s->a, CONDITION_SOURCE_READY, "BinlogPurged", "since then");
        (void)fault_set(&fault, rows[i].class, rows[i].reason, "trial %zu", i);
        assert_ok(report(&s->a, &fault, &unwritten), unwritten);
        scene_expect(s, "SourceReady", "False", rows[i].shown);
        scene_expect(s, "Ready", "False", rows[i].reason);
        scene_end(s);
    }
}

static void pauses_grow_up_to_the_longest(void **state)
{
    static const int64_t middle_ms[] = {2000, 4000, 8000, 16000, 32000, 60000, 60000};
    struct scene *s = *state;

    for (size_t i = 0; i < COUNT_OF(middle_ms); i++) {
        struct fault fault = FAULT_INIT, unwritten = FAULT_INIT;

        scene_begin(s, "connections");
        (void)fault_set(&fault, FAULT_UNAVAILABLE, "Unreachable", "down");
        assert_ok(report(&s->a, &fault, &unwritten), unwritten);
        assert_in_range(s->a.requeue_ms, middle_ms[i] * 8 / 10, middle_ms[i] * 12 / 10);
        assert_int_equal(json_int(json_get(s->written, "retries"), 0), (int64_t)i + 1);
        scene_end(s);
    }
}

static void success_forgets_the_failures(void **state)
{
    struct scene *s = *state;
    struct fault fault = FAULT_INIT, unwritten = FAULT_INIT;

    scene_begin(s, "connections");
    (void)fault_set(&fault, FAULT_UNAVAILABLE, "Unreachable", "down");
    assert_ok(report(&s->a, &fault, &unwritten), unwritten);
    scene_end(s);
    scene_begin(s, "verify");
    s->a.status.phase = PHASE_STREAMING;
    s->a.status.retries = 1;
    s->a.status.next_retry_at = "2026-09-21T14:13:20Z";
    assert_ok(report(&s->a, NULL, &unwritten), unwritten);
    scene_expect(s, "Ready", "True", "Streaming");
    scene_expect(s, "Stalled", NULL, NULL);
    scene_expect(s, "Reconciling", NULL, NULL);
    assert_null(json_get(s->written, "retries"));
    assert_null(json_get(s->written, "nextRetryAt"));
    assert_int_equal(queue_fail(s->loop->queue, s->a.key), 0);
    scene_end(s);
}

/* What stalls a stream may have been undone: it is looked at like others, and told once.
 */
static void a_stream_that_stalls_is_looked_at_like_others(void **state)
{
    struct scene *s = *state;
    struct fault fault = FAULT_INIT, unwritten = FAULT_INIT;

    scene_begin(s, "plan");
    s->a.before.applied_hash = s->a.status.applied_hash = "sha256:740a3200740a";
    s->a.sync.drift_interval_ms = 30000;
    (void)fault_set(&fault, FAULT_REFUSED, "TargetDrift", "column 'v' is missing");
    assert_ok(report(&s->a, &fault, &unwritten), unwritten);
    scene_expect(s, "Stalled", "True", "TargetDrift");
    assert_in_range(s->a.requeue_ms, 24000, 36000);
    assert_null(json_get_string(s->written, "nextRetryAt"));
    assert_int_equal(s->writes, 1);
    s->a.conditions_before = s->a.conditions;
    s->a.before = s->a.status;
    s->a.run = 0;
    assert_ok(report(&s->a, &fault, &unwritten), unwritten);
    assert_int_equal(s->writes, 1);
    assert_int_equal(s->a.run, 0); /* and no new line in the audit */
    scene_end(s);
}

static void a_refused_status_write_is_a_fault_and_no_event(void **state)
{
    struct scene *s = *state;
    struct fault unwritten = FAULT_INIT;

    scene_begin(s, "verify");
    s->a.status.phase = PHASE_STREAMING;
    s->conflicts = 1;
    assert_false(report(&s->a, NULL, &unwritten));
    assert_int_equal(unwritten.class, FAULT_CONFLICT);
    assert_int_equal(s->events, 0);
    scene_end(s);
}

/* Nobody has looked at the spec: its generation is not claimed to be observed. */
static void a_paused_reconcile_observes_nothing(void **state)
{
    struct scene *s = *state;
    struct fault unwritten = FAULT_INIT;

    scene_begin(s, "load");
    s->a.status.observed_generation = s->a.before.observed_generation = 2;
    s->a.paused_reconcile = true;
    assert_ok(report(&s->a, NULL, &unwritten), unwritten);
    scene_expect(s, "Paused", "True", "ReconciliationPaused");
    assert_string_equal(json_get_string(s->written, "phase"), "Paused");
    assert_int_equal(json_int(json_get(s->written, "observedGeneration"), 0), 2);
    scene_end(s);
}

/* A source that takes another account delivers a little later, and that is all. */
static void who_was_ready_stays_so_while_the_source_is_altered(void **state)
{
    struct scene *s = *state;
    struct fault unwritten = FAULT_INIT;

    scene_begin(s, "apply");
    attempt_condition(&s->a, CONDITION_READY, "Streaming", "changes flow");
    VEC_PUSH(s->a.arena, &s->a.conditions_before.list, s->a.conditions.list.v[0]);
    s->a.before.phase = s->a.status.phase = PHASE_STREAMING;
    (void)scene_step(s, PLAN_ALTER_SOURCE, "tablesync.src", RISK_SAFE);
    s->a.plan.purpose = PURPOSE_SETTINGS;
    s->a.requeue_ms = 1;
    assert_ok(report_intent(&s->a, "1 statement to run", &unwritten), unwritten);
    assert_int_equal(s->writes, 0);
    assert_ok(report(&s->a, NULL, &unwritten), unwritten);
    scene_expect(s, "Ready", "True", "Streaming");
    scene_expect(s, "Reconciling", NULL, "");
    assert_string_equal(json_get_string(s->written, "phase"), "Streaming");
    /* More than that is a change like others. */
    (void)scene_step(s, PLAN_ALTER_SINK, "tablesync.k", RISK_SAFE);
    assert_ok(report_intent(&s->a, "2 statements to run", &unwritten), unwritten);
    scene_expect(s, "Ready", "False", "Provisioning");
    scene_end(s);
}

/* The intent is written before the deed, and the deed's failure is still a transition. */
static void intent_then_failure_are_two_transitions(void **state)
{
    struct scene *s = *state;
    struct fault fault = FAULT_INIT, unwritten = FAULT_INIT;

    scene_begin(s, "apply");
    assert_ok(report_intent(&s->a, "2 statements to run", &unwritten), unwritten);
    assert_int_equal(s->writes, 1);
    scene_expect(s, "Ready", "False", "Provisioning");
    assert_int_equal(s->events, 1);
    (void)fault_set(&fault, FAULT_REFUSED, "SinkRejected", "no");
    assert_ok(report(&s->a, &fault, &unwritten), unwritten);
    scene_expect(s, "Ready", "False", "SinkRejected");
    assert_int_equal(s->events, 2);
    scene_end(s);
}

/* Rows go on flowing while a change is carried through: the phase says so, Ready does
 * not claim what is not there yet. */
static void a_change_is_an_update_and_no_provisioning(void **state)
{
    static const struct {
        enum plan_purpose purpose;
        enum phase before;
        const char *snapshot, *reason, *phase;
    } rows[] = {
        {PURPOSE_PROVISION, PHASE_PENDING, NULL, "Provisioning", "Provisioning"},
        {PURPOSE_REPAIR, PHASE_STREAMING, "Done", "Provisioning", "Provisioning"},
        {PURPOSE_EVOLVE, PHASE_STREAMING, "Done", "Updating", "Streaming"},
        {PURPOSE_ROTATE, PHASE_STREAMING, "Done", "Updating", "Streaming"},
        {PURPOSE_RESYNC, PHASE_SNAPSHOTTING, "InProgress", "Updating", "Snapshotting"},
        {PURPOSE_EVOLVE, PHASE_STALLED, "Done", "Updating", "Streaming"},
        {PURPOSE_EVOLVE, PHASE_STALLED, NULL, "Updating", "Provisioning"},
    };
    struct scene *s = *state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct fault unwritten = FAULT_INIT;

        scene_begin(s, "apply");
        (void)scene_step(s, PLAN_CREATE_SINK, "sink", RISK_SAFE);
        s->a.plan.purpose = rows[i].purpose;
        s->a.status.phase = rows[i].before;
        s->a.status.snapshot.state = rows[i].snapshot;
        s->a.working = "1 statement to run, waiting for sink x";
        s->a.requeue_ms = 2000;
        assert_ok(report(&s->a, NULL, &unwritten), unwritten);
        scene_expect(s, "Ready", "False", rows[i].reason);
        scene_expect(s, "Reconciling", "True", "Progressing");
        assert_string_equal(json_get_string(s->written, "phase"), rows[i].phase);
        assert_contains(
            json_get_string(scene_condition(s->written, "Reconciling"), "message"),
            "waiting for sink x");
        scene_end(s);
    }
}

/* A wait is looked at every few seconds and shows only what changes. */
static void a_second_look_at_a_wait_writes_nothing(void **state)
{
    struct scene *s = *state;
    struct fault unwritten = FAULT_INIT;

    scene_begin(s, "apply");
    (void)scene_step(s, PLAN_CREATE_SINK, "sink", RISK_SAFE);
    for (int look = 0; look < 2; look++) {
        s->a.working = "1 statement to run, waiting for sink x";
        s->a.requeue_ms = 2000;
        assert_ok(report(&s->a, NULL, &unwritten), unwritten);
        assert_int_equal(s->writes, 1);
    }
    scene_end(s);
}

/* Faults before a plan is made must not leave the old plan's hash to a new generation. */
static void a_fault_forgets_the_plan_of_an_older_generation(void **state)
{
    struct scene *s = *state;

    for (int64_t generation = 2; generation <= 3; generation++) {
        struct fault fault = FAULT_INIT, unwritten = FAULT_INIT;

        scene_begin(s, "connections");
        s->a.before.observed_generation = generation;
        s->a.before.plan_hash = s->a.status.plan_hash = "sha256:1";
        (void)fault_set(&fault, FAULT_UNAVAILABLE, "Unreachable", "down");
        assert_ok(report(&s->a, &fault, &unwritten), unwritten);
        if (generation == 3) {
            assert_string_equal(json_get_string(s->written, "planHash"), "sha256:1");
        } else {
            assert_null(json_get(s->written, "planHash"));
        }
        scene_end(s);
    }
}

static void the_list_of_steps_is_whole(void **state)
{
    size_t count = 0;
    const struct step *steps = steps_list(&count);

    (void)state;
    assert_in_range(count, 10, 20);
    assert_string_equal(steps[0].name, "load");
    for (size_t i = 0; i < count; i++) {
        assert_non_null(steps[i].run);
        assert_true(strlen(steps[i].sentence) > 10);
        for (size_t k = 0; k < i; k++) {
            assert_string_not_equal(steps[i].name, steps[k].name);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE_TEST(each_fault_has_its_conditions),
        SCENE_TEST(what_was_purged_is_not_forgotten),
        SCENE_TEST(pauses_grow_up_to_the_longest),
        SCENE_TEST(success_forgets_the_failures),
        SCENE_TEST(a_stream_that_stalls_is_looked_at_like_others),
        SCENE_TEST(a_refused_status_write_is_a_fault_and_no_event),
        SCENE_TEST(a_paused_reconcile_observes_nothing),
        SCENE_TEST(who_was_ready_stays_so_while_the_source_is_altered),
        SCENE_TEST(intent_then_failure_are_two_transitions),
        SCENE_TEST(a_change_is_an_update_and_no_provisioning),
        SCENE_TEST(a_second_look_at_a_wait_writes_nothing),
        SCENE_TEST(a_fault_forgets_the_plan_of_an_older_generation),
        SCENE_TEST(the_list_of_steps_is_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

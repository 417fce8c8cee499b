/* What a fault, or the lack of one, makes of conditions, phase, retries and the queue. */
#include "loop_unit.h"

#include "base/heap.h"
#include "loop/steps.h"

#define OBJECT                                                                           \
    "{\"apiVersion\":\"tablesync.dev/v1alpha1\",\"kind\":\"TableSync\",\"metadata\":{"   \
    "\"name\":\"orders\",\"namespace\":\"shop\",\"uid\":\"u1\",\"generation\":3,"        \
    "\"resourceVersion\":\"5\"},\"spec\":{\"retry\":{\"backoffBase\":\"2s\","            \
    "\"backoffMax\":\"60s\"}},\"status\":{\"observedGeneration\":3}}"

struct scene {
    struct unit_clock clock;
    struct unit_kube kube;
    struct unit_db db;
    struct cancel root;
    struct loop *loop;
    struct attempt a;
    struct json *written; /* the status of the last apply; NULL: none */
    int64_t writes, events, conflicts;
};

static void answer(struct unit_kube *kube, const struct kube_request *request,
                   struct kube_response *response)
{
    struct scene *s = kube->context;
    AUTO(json_freep) struct json *body = NULL;
    struct fault fault = FAULT_INIT;

    assert_ok(json_parse(request->body, KUBE_BODY_MAX, &body, &fault), fault);
    if (strstr(request->path, "/events") != NULL) {
        s->events++;
        response->status = 201;
        buf_addz(&response->body, "{}");
        return;
    }
    s->writes++;
    if (s->conflicts > 0) {
        s->conflicts--;
        response->status = 409;
        buf_addz(&response->body, "{\"kind\":\"Status\",\"reason\":\"Conflict\"}");
        return;
    }
    json_free(s->written);
    s->written = json_clone(json_get(body, "status"));
    response->status = 200;
    json_print(body, &response->body);
}

static const struct step *step_named(const char *name)
{
    size_t count = 0;
    const struct step *steps = steps_list(&count);

    for (size_t i = 0; i < count; i++) {
        if (strcmp(steps[i].name, name) == 0) {
            return &steps[i];
        }
    }
    fail_msg("no step %s", name);
    return NULL;
}

/* An attempt that has come as far as `step`. */
static void begin(struct scene *s, const char *step)
{
    struct attempt *a = &s->a;
    struct tsync_status before = {.observed_generation = 3};

    memset(a, 0, sizeof(*a));
    a->loop = s->loop;
    a->arena = arena_new(ARENA_CEILING_BYTES);
    a->key = "TableSync/shop/orders";
    a->run_id = "0badcafe";
    a->now = "2026-09-21T14:13:20Z";
    a->started_ms = s->clock.now_ms;
    a->object = kube_store_get(s->loop->syncs, "shop/orders");
    a->trigger = "Drift";
    a->before = a->status = before;
    a->step = step_named(step);
    cancel_init_child(&a->cancel, &s->root, 60000);
    tablesync_decode_identity(a->object->json, a->arena, &a->sync);
    a->sync.backoff_base_ms = 2000;
    a->sync.backoff_max_ms = 60000;
}

static void end(struct scene *s)
{
    json_free(s->a.fresh);
    kube_object_put(s->a.object);
    cancel_deinit(&s->a.cancel);
    arena_free(s->a.arena);
}

static int set_up(void **state)
{
    const struct loop_options options = {.instance = "unit", .resync_ms = 60000};
    struct scene *s = HEAP_NEW(struct scene);
    struct fault fault = FAULT_INIT;

    unit_clock_init(&s->clock);
    unit_kube_init(&s->kube);
    unit_db_init(&s->db);
    s->kube.answer = answer;
    s->kube.context = s;
    assert_ok(cancel_init_root(&s->root, &s->clock.base, &fault), fault);
    const struct loop_ports ports = {.kube = &s->kube.base,
                                     .databases = &s->db.base,
                                     .clock = &s->clock.base,
                                     .seed = 1};
    s->loop = loop_new(&ports, &options, &s->root);
    kube_store_put(s->loop->syncs, unit_json(OBJECT));
    *state = s;
    return 0;
}

static int tear_down(void **state)
{
    struct scene *s = *state;

    json_free(s->written);
    loop_free(s->loop);
    cancel_deinit(&s->root);
    heap_free(s);
    return 0;
}

static const struct json *condition_of(const struct json *status, const char *type)
{
    const struct json *c = json_first(json_get(status, "conditions"));

    for (; c != NULL; c = json_next(c)) {
        if (strcmp(json_get_string(c, "type"), type) == 0) {
            return c;
        }
    }
    return NULL;
}

static void expect(const struct scene *s, const char *type, const char *status,
                   const char *reason)
{
    const struct json *c = condition_of(s->written, type);

    if (status == NULL) {
        if (c != NULL) {
            fail_msg("%s is there", type);
        }
        return;
    }
    if (c == NULL) {
        fail_msg("%s is missing", type);
        return;
    }
    assert_string_equal(json_get_string(c, "status"), status);
    assert_string_equal(json_get_string(c, "reason"), reason);
    assert_int_equal(json_int(json_get(c, "observedGeneration"), 0), 3);
}

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
    {"plan", FAULT_REFUSED, "TargetDrift", "InSync", false, 0},
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

        begin(s, row->step);
        s->a.failed = row->failed;
        queue_forget(s->loop->queue, s->a.key);
        (void)fault_set(&fault, row->class, row->reason, "trial %zu went wrong", i);
        assert_ok(report(&s->a, &fault, &unwritten), unwritten);
        expect(s, "Ready", "False", fault.reason);
        if (row->domain != NULL) {
            expect(s, row->domain, "False", fault.reason);
        }
        expect(s, "Stalled", row->stalls ? "True" : NULL, fault.reason);
        expect(s, "Reconciling", row->stalls ? NULL : "True", "ProgressingWithRetry");
        assert_string_equal(json_get_string(s->written, "phase"),
                            row->stalls ? "Stalled" : "Pending");
        assert_int_equal(json_int(json_get(s->written, "retries"), 0), 1);
        assert_non_null(json_get_string(s->written, "nextRetryAt"));
        /* The first pause, or the longest at once; each spread by a fifth. */
        assert_in_range(s->a.requeue_ms, row->stalls ? 48000 : 1600,
                        row->stalls ? 72000 : 2400);
        assert_contains(json_get_string(condition_of(s->written, "Ready"), "message"),
                        "went wrong");
        end(s);
    }
}

static void pauses_grow_up_to_the_longest(void **state)
{
    static const int64_t middle_ms[] = {2000, 4000, 8000, 16000, 32000, 60000, 60000};
    struct scene *s = *state;

    for (size_t i = 0; i < COUNT_OF(middle_ms); i++) {
        struct fault fault = FAULT_INIT, unwritten = FAULT_INIT;

        begin(s, "connections");
        (void)fault_set(&fault, FAULT_UNAVAILABLE, "Unreachable", "down");
        assert_ok(report(&s->a, &fault, &unwritten), unwritten);
        assert_in_range(s->a.requeue_ms, middle_ms[i] * 8 / 10, middle_ms[i] * 12 / 10);
        assert_int_equal(json_int(json_get(s->written, "retries"), 0), (int64_t)i + 1);
        end(s);
    }
}

static void success_forgets_the_failures(void **state)
{
    struct scene *s = *state;
    struct fault fault = FAULT_INIT, unwritten = FAULT_INIT;

    begin(s, "connections");
    (void)fault_set(&fault, FAULT_UNAVAILABLE, "Unreachable", "down");
    assert_ok(report(&s->a, &fault, &unwritten), unwritten);
    end(s);
    begin(s, "verify");
    s->a.status.phase = PHASE_STREAMING;
    s->a.status.retries = 1;
    s->a.status.next_retry_at = "2026-09-21T14:13:20Z";
    assert_ok(report(&s->a, NULL, &unwritten), unwritten);
    expect(s, "Ready", "True", "Streaming");
    expect(s, "Stalled", NULL, NULL);
    expect(s, "Reconciling", NULL, NULL);
    assert_null(json_get(s->written, "retries"));
    assert_null(json_get(s->written, "nextRetryAt"));
    assert_int_equal(queue_fail(s->loop->queue, s->a.key), 0);
    end(s);
}

/* A conflict and a stop say nothing about the world: no status, no count of failures. */
static void conflict_and_stop_are_not_told(void **state)
{
    struct scene *s = *state;
    struct fault fault = FAULT_INIT, unwritten = FAULT_INIT;

    begin(s, "finalize");
    (void)fault_set(&fault, FAULT_CONFLICT, NULL, "changed meanwhile");
    assert_ok(report(&s->a, &fault, &unwritten), unwritten);
    assert_in_range(s->a.requeue_ms, 1, 1000);
    end(s);
    begin(s, "apply");
    (void)fault_set(&fault, FAULT_CANCELLED, NULL, "stopped");
    assert_ok(report(&s->a, &fault, &unwritten), unwritten);
    end(s);
    assert_int_equal(s->writes, 0);
    assert_int_equal(queue_fail(s->loop->queue, "TableSync/shop/orders"), 0);
}

static void what_says_nothing_new_is_not_written(void **state)
{
    struct scene *s = *state;
    struct fault unwritten = FAULT_INIT;

    begin(s, "verify");
    s->a.status.phase = PHASE_STREAMING;
    assert_ok(report(&s->a, NULL, &unwritten), unwritten);
    assert_int_equal(s->writes, 1);
    assert_int_equal(s->events, 1); /* the transition to Ready */
    s->a.conditions_before = s->a.conditions;
    assert_ok(report(&s->a, NULL, &unwritten), unwritten);
    assert_int_equal(s->writes, 1);
    assert_int_equal(s->events, 1);
    end(s);
}

static void a_refused_status_write_is_a_fault_and_no_event(void **state)
{
    struct scene *s = *state;
    struct fault unwritten = FAULT_INIT;

    begin(s, "verify");
    s->a.status.phase = PHASE_STREAMING;
    s->conflicts = 1;
    assert_false(report(&s->a, NULL, &unwritten));
    assert_int_equal(unwritten.class, FAULT_CONFLICT);
    assert_int_equal(s->events, 0);
    end(s);
}

/* Nobody has looked at the spec: its generation is not claimed to be observed. */
static void a_paused_reconcile_observes_nothing(void **state)
{
    struct scene *s = *state;
    struct fault unwritten = FAULT_INIT;

    begin(s, "load");
    s->a.status.observed_generation = s->a.before.observed_generation = 2;
    s->a.paused_reconcile = true;
    assert_ok(report(&s->a, NULL, &unwritten), unwritten);
    expect(s, "Paused", "True", "ReconciliationPaused");
    assert_string_equal(json_get_string(s->written, "phase"), "Paused");
    assert_int_equal(json_int(json_get(s->written, "observedGeneration"), 0), 2);
    end(s);
}

/* The intent is written before the deed, and the deed's failure is still a transition. */
static void intent_then_failure_are_two_transitions(void **state)
{
    struct scene *s = *state;
    struct fault fault = FAULT_INIT, unwritten = FAULT_INIT;

    begin(s, "apply");
    assert_ok(report_intent(&s->a, "2 statements to run", &unwritten), unwritten);
    assert_int_equal(s->writes, 1);
    expect(s, "Ready", "False", "Provisioning");
    assert_int_equal(s->events, 1);
    (void)fault_set(&fault, FAULT_REFUSED, "SinkRejected", "no");
    assert_ok(report(&s->a, &fault, &unwritten), unwritten);
    expect(s, "Ready", "False", "SinkRejected");
    assert_int_equal(s->events, 2);
    end(s);
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

#define REPORT_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        REPORT_TEST(each_fault_has_its_conditions),
        REPORT_TEST(pauses_grow_up_to_the_longest),
        REPORT_TEST(success_forgets_the_failures),
        REPORT_TEST(conflict_and_stop_are_not_told),
        REPORT_TEST(what_says_nothing_new_is_not_written),
        REPORT_TEST(a_refused_status_write_is_a_fault_and_no_event),
        REPORT_TEST(a_paused_reconcile_observes_nothing),
        REPORT_TEST(intent_then_failure_are_two_transitions),
        REPORT_TEST(the_list_of_steps_is_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* A closed fence in front of the statements and the status of an attempt. */
#include "attempt_scene.h"

#include "loop/publish.h"
#include "loop/statement.h"
#include "unit/base/gate.h"

struct servers {
    struct stream_db stream;
    struct target_db target;
};

static int64_t applied;

static bool stream_apply(struct stream_db *db, const struct plan_step *step,
                         const char *tag, struct cancel *cancel, struct arena *arena,
                         struct db_result *out_result, struct fault *fault)
{
    (void)db;
    (void)step;
    (void)tag;
    (void)cancel;
    (void)arena;
    (void)fault;
    applied++;
    *out_result = (struct db_result){0};
    return true;
}

static bool target_apply(struct target_db *db, const struct plan_step *step,
                         const char *tag, struct cancel *cancel, struct arena *arena,
                         struct db_result *out_result, struct fault *fault)
{
    (void)db;
    (void)step;
    (void)tag;
    (void)cancel;
    (void)arena;
    (void)fault;
    applied++;
    *out_result = (struct db_result){0};
    return true;
}

static bool run_with(struct scene *s, enum plan_system system, int allowed,
                     struct json *object, int *out_asked, struct fault *fault)
{
    static const struct stream_db_ops stream_ops = {.apply = stream_apply};
    static const struct target_db_ops target_ops = {.apply = target_apply};
    struct stream_db stream = {.ops = &stream_ops};
    struct target_db target = {.ops = &target_ops};
    struct gate gate = {.fence = {may_write}, .allowed = allowed};
    bool done = false;

    scene_begin(s, "apply");
    s->a.fresh = object;
    s->loop->ports.fence = &gate.fence;
    s->a.bindings[BIND_RISINGWAVE].session.stream = &stream;
    s->a.bindings[BIND_TARGET].session.target = &target;
    struct plan_step *step = scene_step(s, PLAN_CREATE_SINK, "k", RISK_SAFE);
    step->system = system;
    applied = 0;
    fault_clear(fault);
    done = statement_run(&s->a, step, s->a.arena, fault);
    *out_asked = gate.asked;
    s->loop->ports.fence = NULL;
    scene_end(s);
    return done;
}

static bool run(struct scene *s, enum plan_system system, int allowed, int *out_asked,
                struct fault *fault)
{
    return run_with(s, system, allowed, NULL, out_asked, fault);
}

/* Whatever becomes of the steps before. */
static void test_no_statement_is_sent_without_the_finalizer(void **state)
{
    struct json *object = unit_json("{\"metadata\":{\"name\":\"orders\",\"finalizers\":["
                                    "\"somebody.else/1\"]}}");
    struct scene *s = *state;
    struct fault fault = FAULT_INIT;
    int asked = 0;

    assert_false(run_with(s, PLAN_STARROCKS, 100, object, &asked, &fault));
    assert_int_equal(fault.class, FAULT_BUG);
    assert_non_null(strstr(fault.text, "without the finalizer"));
    assert_int_equal(applied, 0);
}

static void test_no_statement_passes_a_closed_fence(void **state)
{
    static const enum plan_system systems[] = {PLAN_RISINGWAVE, PLAN_STARROCKS};
    struct scene *s = *state;
    struct fault fault = FAULT_INIT;
    int asked = 0;

    for (size_t i = 0; i < COUNT_OF(systems); i++) {
        assert_false(run(s, systems[i], 0, &asked, &fault));
        assert_int_equal(fault.class, FAULT_CANCELLED);
        assert_string_equal(fault.reason, "NotLeader");
        assert_int_equal(applied, 0);
        /* Closed between the intent and the session. */
        assert_false(run(s, systems[i], 1, &asked, &fault));
        assert_int_equal(fault.class, FAULT_CANCELLED);
        assert_int_equal(applied, 0);
        assert_int_equal(asked, 2);
        assert_ok(run(s, systems[i], 100, &asked, &fault), fault);
        assert_int_equal(applied, 1);
    }
}

static void test_the_loops_api_has_the_fence_of_its_ports(void **state)
{
    const struct loop_options options = {.instance = "unit", .resync_ms = 60000};
    struct scene *s = *state;
    struct gate gate = {.fence = {may_write}};
    struct loop_ports ports = s->loop->ports;
    AUTO(json_freep) struct json *status = unit_json("{\"phase\":\"Pending\"}");
    struct json *answered = NULL;
    struct fault fault = FAULT_INIT;
    bool written = false;

    ports.fence = &gate.fence;
    struct loop *loop = loop_new(&ports, &options, &s->root);
    scene_begin(s, "apply");
    assert_false(publish_status(loop, &loop_resource_sync, attempt_object(&s->a), status,
                                s->a.arena, &s->a.cancel, &written, &answered, &fault));
    assert_int_equal(fault.class, FAULT_CANCELLED);
    assert_string_equal(fault.reason, "NotLeader");
    assert_int_equal(s->writes, 0);
    assert_int_equal(gate.asked, 1);
    scene_end(s);
    loop_free(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE_TEST(test_no_statement_is_sent_without_the_finalizer),
        SCENE_TEST(test_no_statement_passes_a_closed_fence),
        SCENE_TEST(test_the_loops_api_has_the_fence_of_its_ports),
    };

    return cmocka_run_group_tests_name("loop/fence", tests, NULL, NULL);
}

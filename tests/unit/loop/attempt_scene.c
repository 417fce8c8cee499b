#include "attempt_scene.h"

#include "base/heap.h"

#include <stdio.h>

/* It always has an annotation to remove; whether an attempt sees one, a test says. */
#define OBJECT                                                                           \
    "{\"apiVersion\":\"tablesync.dev/v1alpha1\",\"kind\":\"TableSync\",\"metadata\":{"   \
    "\"name\":\"orders\",\"namespace\":\"shop\",\"uid\":\"u1\",\"generation\":3,"        \
    "\"resourceVersion\":\"5\",\"finalizers\":[\"" TSYNC_FINALIZER                       \
    "\"],\"annotations\":{\"" TSYNC_ANNOTATION_APPROVE "\":\"x\"}},"                     \
    "\"spec\":{\"retry\":{\"backoffBase\":\"2s\",\"backoffMax\":\"60s\"}},"              \
    "\"status\":{\"observedGeneration\":3}}"

static void take_event(struct scene *s, const struct json *body,
                       struct kube_response *response)
{
    const char *reason = json_get_string(body, "reason");

    if (reason != NULL) { /* else one that was sent before happened again */
        (void)snprintf(s->last_event, sizeof(s->last_event), "%s", reason);
        buf_addf(&s->all_events, "%s ", reason);
        (void)snprintf(s->last_regarding, sizeof(s->last_regarding), "%s/%s %s",
                       json_path_string(body, "regarding.kind"),
                       json_path_string(body, "regarding.name"),
                       json_path_string(body, "regarding.uid"));
    }
    s->events++;
    response->status = 201;
    buf_addz(&response->body, "{}");
}

static void answer(struct unit_kube *kube, const struct kube_request *request,
                   struct kube_response *response)
{
    struct scene *s = kube->context;
    AUTO(json_freep) struct json *body = NULL;
    AUTO(json_freep) struct json *whole = NULL;
    struct fault fault = FAULT_INIT;

    if (strcmp(request->method, "GET") == 0) { /* after a conflict */
        response->status = 200;
        buf_addz(&response->body, OBJECT);
        return;
    }
    assert_ok(json_parse(request->body, KUBE_BODY_MAX, &body, &fault), fault);
    if (strstr(request->path, "/events") != NULL) {
        take_event(s, body, response);
        return;
    }
    response->status = 200;
    if (strstr(request->path, "/status") == NULL) { /* an annotation goes */
        s->removals++;
        s->writes_at_removal = s->writes;
        buf_addz(&response->body, OBJECT);
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
    whole = unit_json(OBJECT);
    json_set(whole, "status", json_clone(s->written));
    json_print(whole, &response->body);
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

void scene_begin(struct scene *s, const char *step)
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
    a->sync.annotation_approve = NULL;
    a->sync.backoff_base_ms = 2000;
    a->sync.backoff_max_ms = 60000;
    a->sync.plan_mode = PLAN_AUTO;
    a->sync.drift_policy = DRIFT_CORRECT;
    a->desired.hash = "0123456789ab";
}

void scene_end(struct scene *s)
{
    json_free(s->a.fresh);
    kube_object_put(s->a.object);
    cancel_deinit(&s->a.cancel);
    arena_free(s->a.arena);
}

int scene_set_up(void **state)
{
    const struct loop_options options = {.instance = "unit", .resync_ms = 60000};
    struct scene *s = HEAP_NEW(struct scene);
    struct fault fault = FAULT_INIT;

    unit_clock_init(&s->clock);
    unit_kube_init(&s->kube);
    unit_db_init(&s->db);
    buf_init(&s->all_events, 65536);
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

int scene_tear_down(void **state)
{
    struct scene *s = *state;

    json_free(s->written);
    buf_deinit(&s->all_events);
    loop_free(s->loop);
    cancel_deinit(&s->root);
    heap_free(s);
    return 0;
}

const struct json *scene_condition(const struct json *status, const char *type)
{
    const struct json *c = json_first(json_get(status, "conditions"));

    for (; c != NULL; c = json_next(c)) {
        if (strcmp(json_get_string(c, "type"), type) == 0) {
            return c;
        }
    }
    return NULL;
}

void scene_expect(const struct scene *s, const char *type, const char *status,
                  const char *reason)
{
    const struct json *c = scene_condition(s->written, type);

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

const char *scene_holds(const struct scene *s, enum condition condition,
                        const char *reason)
{
    const struct kube_condition *c =
        kube_conditions_find(&s->a.conditions, condition_type(condition));

    if (c == NULL) {
        fail_msg("%s is missing", condition_type(condition));
        return NULL;
    }
    assert_string_equal(c->reason, reason);
    return c->message;
}

struct plan_step *scene_step(struct scene *s, enum plan_kind kind, const char *object,
                             enum plan_risk risk)
{
    struct attempt *a = &s->a;
    struct stmt *stmt = stmt_new(a->arena, SQL_RISINGWAVE);
    size_t number = a->plan.steps.n + 1;

    stmt_text(stmt, "STATEMENT ");
    stmt_str(stmt, sv_from(object));
    VEC_PUSH(
        a->arena, &a->plan.steps,
        (struct plan_step){.system = PLAN_RISINGWAVE,
                           .kind = kind,
                           .risk = risk,
                           .stmt = stmt,
                           .object = object,
                           .sentence = "do something to",
                           .id = arena_printf(a->arena, "%d-%s", (int)kind, object)});
    a->plan.hash = arena_printf(a->arena, "sha256:%zu-%s", number, object);
    a->planned = true;
    return &a->plan.steps.v[number - 1];
}

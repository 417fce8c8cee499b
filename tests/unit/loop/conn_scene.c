#include "conn_scene.h"

#include "base/heap.h"

#include <stdio.h>

/* --- the API server --- */

static struct json *object_of(struct conn_scene *s)
{
    char text[2048];
    struct json *object = NULL;

    (void)snprintf(
        text, sizeof(text),
        "{\"apiVersion\":\"tablesync.dev/v1alpha1\",\"kind\":\"DatabaseConnection\","
        "\"metadata\":{\"name\":\"c\",\"namespace\":\"shop\",\"uid\":\"uc\","
        "\"generation\":%lld,\"resourceVersion\":\"%lld\"%s%s},\"spec\":{\"type\":\"%s\","
        "\"host\":\"db.shop\",\"port\":3306,\"credentialsSecretRef\":{\"name\":\"login\"}"
        "%s}}",
        (long long)s->generation, (long long)s->versions,
        s->held ? ",\"finalizers\":[\"" DBCONN_FINALIZER "\"]" : "",
        s->deleting ? ",\"deletionTimestamp\":\"2026-01-01T00:00:00Z\"" : "", s->type,
        s->more);
    object = unit_json(text);
    if (s->status != NULL) {
        json_set(object, "status", json_clone(s->status));
    }
    return object;
}

static void answer_object(struct conn_scene *s, struct kube_response *response)
{
    AUTO(json_freep) struct json *object = NULL;

    s->versions++;
    object = object_of(s);
    response->status = 200;
    json_print(object, &response->body);
}

static void refuse(struct kube_response *response, int status, const char *reason)
{
    response->status = status;
    buf_addf(&response->body, "{\"kind\":\"Status\",\"reason\":\"%s\",\"code\":%d}",
             reason, status);
}

static void answer_secret(struct conn_scene *s, struct kube_response *response)
{
    if (s->secret == NULL) {
        refuse(response, 404, "NotFound");
        return;
    }
    response->status = 200;
    buf_addf(
        &response->body,
        "{\"kind\":\"Secret\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"login\","
        "\"namespace\":\"shop\",\"uid\":\"us\",\"resourceVersion\":\"%lld\"},"
        "\"data\":{%s}}",
        (long long)s->secret_version, s->secret);
}

/* A JSON Patch whose last operation adds or removes our finalizer. */
static void patch_finalizers(struct conn_scene *s, const struct kube_request *request,
                             struct kube_response *response)
{
    AUTO(json_freep) struct json *patch = NULL;
    struct fault fault = FAULT_INIT;
    const char *op = NULL;

    s->patches++;
    if (s->patch_status != 0) {
        refuse(response, s->patch_status,
               s->patch_status == 404 ? "NotFound" : "Conflict");
        return;
    }
    assert_ok(json_parse(request->body, KUBE_BODY_MAX, &patch, &fault), fault);
    for (const struct json *row = json_first(patch); row != NULL; row = json_next(row)) {
        op = json_get_string(row, "op");
    }
    assert_non_null(op);
    s->held = strcmp(op, "add") == 0;
    answer_object(s, response);
    s->gone = s->deleting && !s->held;
}

static void take_status(struct conn_scene *s, const struct kube_request *request,
                        struct kube_response *response)
{
    AUTO(json_freep) struct json *body = NULL;
    struct fault fault = FAULT_INIT;

    s->status_writes++;
    assert_ok(json_parse(request->body, KUBE_BODY_MAX, &body, &fault), fault);
    json_free(s->status);
    s->status = json_clone(json_get(body, "status"));
    answer_object(s, response);
}

static void take_event(struct conn_scene *s, const struct kube_request *request,
                       struct kube_response *response)
{
    AUTO(json_freep) struct json *body = NULL;
    struct fault fault = FAULT_INIT;

    assert_ok(json_parse(request->body, KUBE_BODY_MAX, &body, &fault), fault);
    if (json_get_string(body, "reason") != NULL) { /* else the last one's series */
        buf_addf(&s->all_events, "%s/%s ", json_get_string(body, "type"),
                 json_get_string(body, "reason"));
    }
    s->events++;
    response->status = 201;
    buf_addz(&response->body, "{}");
}

static void answer(struct unit_kube *kube, const struct kube_request *request,
                   struct kube_response *response)
{
    struct conn_scene *s = kube->context;

    if (strstr(request->path, "/secrets/") != NULL) {
        answer_secret(s, response);
    } else if (strstr(request->path, "/events") != NULL) {
        take_event(s, request, response);
    } else if (strstr(request->path, "/status") != NULL) {
        take_status(s, request, response);
    } else {
        patch_finalizers(s, request, response);
    }
}

/* --- the database servers --- */

static bool maybe_refuse(struct unit_db *db, struct fault *fault)
{
    struct conn_scene *s = db->context;

    if (s->reason == NULL) {
        return true;
    }
    db->closes++; /* what was not opened needs no closing */
    return fault_set(fault, s->class, s->reason, "the server's words");
}

/* --- the scene --- */

int conn_scene_up(void **state)
{
    const struct loop_options options = {
        .instance = "unit", .resync_ms = 60000, .attempt_ms = 900000};
    struct conn_scene *s = HEAP_NEW(struct conn_scene);
    struct fault fault = FAULT_INIT;

    unit_clock_init(&s->clock);
    unit_kube_init(&s->kube);
    unit_db_init(&s->db);
    s->kube.answer = answer;
    s->kube.context = s;
    s->db.context = s;
    s->db.on_open = maybe_refuse;
    s->db.sr = (struct sr_server){.version = "4.1.0", .live_backends = 3, .root = true};
    s->class = FAULT_UNAVAILABLE;
    s->secret = "\"username\":\"Y2Rj\",\"password\":\"cHc=\"";
    s->generation = 1;
    buf_init(&s->all_events, 65536);
    assert_ok(cancel_init_root(&s->root, &s->clock.base, &fault), fault);
    const struct loop_ports ports = {.kube = &s->kube.base,
                                     .databases = &s->db.base,
                                     .clock = &s->clock.base,
                                     .seed = 1};
    s->loop = loop_new(&ports, &options, &s->root);
    conn_scene_connection(s, "StarRocks", "");
    *state = s;
    return 0;
}

int conn_scene_down(void **state)
{
    struct conn_scene *s = *state;
    int64_t left = 0;

    loop_free(s->loop);
    left = s->db.opens - s->db.closes;
    cancel_deinit(&s->root);
    json_free(s->status);
    buf_deinit(&s->all_events);
    heap_free(s);
    assert_int_equal(left, 0);
    return 0;
}

void conn_scene_connection(struct conn_scene *s, const char *type, const char *more)
{
    s->type = type;
    s->more = more;
}

void conn_scene_user(struct conn_scene *s, const char *name, const char *more_metadata,
                     const char *status)
{
    static const struct {
        const char *type, *source, *rw, *target;
    } ROLES[] = {{"MySQL", "c", "rw", "sr"},
                 {"RisingWave", "my", "c", "sr"},
                 {"StarRocks", "my", "rw", "c"}};
    char text[2048];

    for (size_t i = 0; i < COUNT_OF(ROLES); i++) {
        if (strcmp(s->type, ROLES[i].type) != 0) {
            continue;
        }
        (void)snprintf(text, sizeof(text),
                       "{\"metadata\":{\"name\":\"%s\",\"namespace\":\"shop\",\"uid\":"
                       "\"u-%s\",\"generation\":1,\"resourceVersion\":\"%lld\"%s},"
                       "\"spec\":{\"source\":{\"connectionRef\":{\"name\":\"%s\"},"
                       "\"database\":\"shop\",\"table\":\"%s\"},\"risingWave\":{"
                       "\"connectionRef\":{\"name\":\"%s\"}},\"target\":{"
                       "\"connectionRef\":{\"name\":\"%s\"},\"database\":\"ods\"}},"
                       "\"status\":{%s}}",
                       name, name, (long long)++s->versions, more_metadata,
                       ROLES[i].source, name, ROLES[i].rw, ROLES[i].target, status);
        kube_store_put(s->loop->syncs, unit_json(text));
    }
}

static void key_of(const char *name, char out_key[64])
{
    (void)snprintf(out_key, 64, "shop/%s", name);
}

void conn_scene_user_gone(struct conn_scene *s, const char *name)
{
    char key[64];

    key_of(name, key);
    kube_store_remove(s->loop->syncs, key);
}

void conn_scene_delete(struct conn_scene *s)
{
    s->deleting = true;
    s->generation++;
    s->gone = !s->held;
}

void conn_scene_look(struct conn_scene *s)
{
    s->clock.now_ms++; /* no two looks share an observation */
    if (s->gone) {
        kube_store_remove(s->loop->conns, "shop/c");
    } else {
        s->versions++;
        kube_store_put(s->loop->conns, object_of(s));
    }
    loop_reconcile(s->loop, CONN_KEY);
}

bool conn_scene_woken(struct conn_scene *s, const char *wanted)
{
    bool woken = false;

    for (char *key = queue_try_take(s->loop->queue); key != NULL;
         key = queue_try_take(s->loop->queue)) {
        woken = woken || strcmp(key, wanted) == 0;
        queue_done(s->loop->queue, key);
    }
    return woken;
}

const char *conn_scene_expect(struct conn_scene *s, const char *type, const char *status,
                              const char *reason)
{
    for (const struct json *c = json_first(json_get(s->status, "conditions")); c != NULL;
         c = json_next(c)) {
        if (strcmp(json_get_string(c, "type"), type) == 0) {
            assert_string_equal(json_get_string(c, "reason"), reason);
            assert_string_equal(json_get_string(c, "status"), status);
            return json_get_string(c, "message");
        }
    }
    fail_msg("no condition %s", type);
    return NULL;
}

/* Requests and answers: the transport side of fake_kube. */
#include "fake_kube.h"
#include "kube/api.h"
#include "sim.h"

#define GROUP_PATH "/apis/" TSYNC_GROUP "/" TSYNC_VERSION "/namespaces/"
#define CORE_PATH "/api/v1/namespaces/"
#define EVENTS_PATH "/apis/events.k8s.io/v1/namespaces/"

struct target {
    bool is_event;
    const char *namespace, *plural, *name, *subresource;
};

static struct fake_kube *of(struct kube_transport *t)
{
    return (struct fake_kube *)(void *)t;
}

/* Names in the simulation need no escapes, so none are undone. */
static bool read_path(const char *path, struct arena *arena, struct target *out_target)
{
    struct sv rest = sv_from(path), head = SV(GROUP_PATH);
    struct target t = {0};

    rest = sv_cut(&rest, '?');
    if (sv_starts(rest, SV(CORE_PATH))) {
        head = SV(CORE_PATH);
    } else if (sv_starts(rest, SV(EVENTS_PATH))) {
        head = SV(EVENTS_PATH);
        t.is_event = true;
    } else if (!sv_starts(rest, head)) {
        return false;
    }
    rest = sv_sub(rest, head.n, rest.n);
    t.namespace = arena_copy(arena, sv_cut(&rest, '/'));
    t.plural = arena_copy(arena, sv_cut(&rest, '/'));
    t.name = arena_copy(arena, sv_cut(&rest, '/'));
    t.subresource = arena_copy(arena, rest);
    *out_target = t;
    return true;
}

static void answer_status(struct kube_response *out, const struct fake_reply *reply)
{
    AUTO(json_freep) struct json *status = json_new_object();

    json_set_string(status, "kind", "Status");
    json_set_string(status, "apiVersion", "v1");
    json_set_string(status, "status", "Failure");
    json_set_string(status, "reason", reply->reason);
    json_set_string(status, "message", reply->message);
    json_set_int(status, "code", reply->status);
    if (reply->field != NULL) {
        struct json *details = json_set_object(status, "details");
        struct json *cause = json_push_object(json_set_array(details, "causes"));

        json_set_string(cause, "field", reply->field);
        json_set_string(cause, "message", reply->message);
    }
    out->status = reply->status;
    json_print(status, &out->body);
}

static void answer_object(struct kube_response *out, int status, const struct json *json)
{
    out->status = status;
    json_print(json, &out->body);
}

static void not_found(struct kube_response *out)
{
    const struct fake_reply reply = {
        .status = 404, .reason = "NotFound", .message = "not found"};

    answer_status(out, &reply);
}

static struct fake_event *find_event(const struct fake_kube *kube, const char *name)
{
    for (size_t i = 0; i < kube->events.n; i++) {
        if (strcmp(kube->events.v[i]->name, name) == 0) {
            return kube->events.v[i];
        }
    }
    return NULL;
}

static void serve_event(struct fake_kube *kube, const struct target *t,
                        const struct kube_request *request, const struct json *body,
                        struct kube_response *out)
{
    struct arena *arena = kube->sim->arena;
    struct fake_event *event = NULL;

    kube->sim->counts.event_writes++;
    if (strcmp(request->method, "POST") == 0) {
        event = ARENA_NEW(arena, struct fake_event);
        event->name = arena_strdup(arena, json_path_string(body, "metadata.name"));
        event->type = arena_strdup(arena, json_get_string(body, "type"));
        event->reason = arena_strdup(arena, json_get_string(body, "reason"));
        event->note = arena_strdup(arena, json_get_string(body, "note"));
        event->about = arena_strdup(arena, json_path_string(body, "regarding.name"));
        event->count = 1;
        if (find_event(kube, event->name) != NULL) {
            sim_violation(kube->sim, "two Events are named %s", event->name);
        }
        VEC_PUSH(arena, &kube->events, event);
        answer_object(out, 201, body);
        return;
    }
    event = find_event(kube, t->name);
    if (event == NULL) {
        not_found(out);
        return;
    }
    event->count = json_path_int(body, "series.count", 0);
    answer_object(out, 200, body);
}

static bool is_type(const struct kube_request *request, const char *type)
{
    return request->content_type != NULL && strcmp(request->content_type, type) == 0;
}

static bool claims_ready(const struct json *object)
{
    const struct json *c = json_first(json_path(object, "status.conditions"));

    for (; c != NULL; c = json_next(c)) {
        if (strcmp(json_get_string(c, "type"), "Ready") == 0) {
            return strcmp(json_get_string(c, "status"), "True") == 0;
        }
    }
    return false;
}

static void serve_patch(struct fake_kube *kube, const struct target *t,
                        struct fake_object *object, const struct kube_request *request,
                        const struct json *body, struct kube_response *out)
{
    AUTO(json_freep) struct json *fresh = NULL;
    struct fake_reply reply = {.status = 400, .reason = "BadRequest", .message = "patch"};
    bool status = strcmp(t->subresource, "status") == 0;

    if (status && is_type(request, "application/apply-patch+yaml")) {
        fake_kube_apply_status(kube->sim, object->json, body, &reply, &fresh);
    } else if (!status && is_type(request, "application/json-patch+json")) {
        fake_kube_json_patch(object->json, body, &reply, &fresh);
    } else if (!status && is_type(request, "application/merge-patch+json")) {
        fake_kube_merge_patch(object->json, body, &reply, &fresh);
    } else {
        sim_violation(kube->sim, "%s %s as %s", request->method, request->path,
                      request->content_type == NULL ? "nothing" : request->content_type);
    }
    if (reply.status != 200) {
        answer_status(out, &reply);
        return;
    }
    if (json_equal(fresh, object->json)) {
        answer_object(out, 200, fresh);
        return;
    }
    if (kube->sim->on_status != NULL && status && strcmp(t->plural, "tablesyncs") == 0) {
        kube->sim->on_status(kube->sim, object->json, fresh);
    }
    if (kube->sim->on_ready != NULL && strcmp(t->plural, "tablesyncs") == 0 &&
        claims_ready(fresh) && !claims_ready(object->json)) {
        kube->sim->on_ready(kube->sim, fresh);
    }
    json_free(object->json);
    object->json = TAKE(fresh);
    /* The answer shows the version that the change makes; the object may be gone then. */
    fresh = json_clone(object->json);
    fake_kube_changed(kube, object);
    if (object->json != NULL) {
        answer_object(out, 200, object->json);
    } else {
        answer_object(out, 200, fresh);
    }
}

static void serve(struct fake_kube *kube, const struct kube_request *request,
                  struct kube_response *out)
{
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);
    AUTO(json_freep) struct json *body = NULL;
    struct fault fault = FAULT_INIT;
    struct target t;
    struct fake_object *object = NULL;
    bool reads = strcmp(request->method, "GET") == 0;

    kube->sim->counts.api_reads += reads ? 1 : 0;
    kube->sim->counts.api_writes += reads ? 0 : 1;
    if (!read_path(request->path, arena, &t) ||
        (request->body.n > 0 &&
         !json_parse(request->body, KUBE_BODY_MAX, &body, &fault))) {
        sim_violation(kube->sim, "%s %s", request->method, request->path);
        not_found(out);
        return;
    }
    if (t.is_event) {
        serve_event(kube, &t, request, body, out);
        return;
    }
    object = fake_kube_object(kube, t.plural, t.namespace, t.name);
    if (object == NULL) {
        not_found(out);
    } else if (reads) {
        answer_object(out, 200, object->json);
    } else if (strcmp(request->method, "PATCH") == 0) {
        serve_patch(kube, &t, object, request, body, out);
    } else {
        sim_violation(kube->sim, "%s %s", request->method, request->path);
        not_found(out);
    }
}

/* NONE: no call that a controller makes. */
static enum sim_call_kind kind_of(const struct kube_request *request)
{
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);
    struct target t;

    if (strcmp(request->method, "GET") == 0) {
        return SIM_CALL_KUBE_READ;
    }
    if (!read_path(request->path, arena, &t)) {
        return SIM_CALL_NONE;
    }
    if (t.is_event) {
        return SIM_CALL_KUBE_EVENT;
    }
    bool status = strcmp(t.subresource, "status") == 0;
    if (strcmp(t.plural, "tablesyncs") == 0) {
        return status ? SIM_CALL_KUBE_STATUS_SYNC : SIM_CALL_KUBE_HOLD_SYNC;
    }
    return strcmp(t.plural, "databaseconnections") != 0 ? SIM_CALL_NONE
           : status                                     ? SIM_CALL_KUBE_STATUS_CONN
                                                        : SIM_CALL_KUBE_HOLD_CONN;
}

static bool fake_call(struct kube_transport *t, const struct kube_request *request,
                      struct cancel *cancel, struct kube_response *out_response,
                      struct fault *fault)
{
    struct fake_kube *kube = of(t);
    enum sim_verdict verdict = sim_call(kube->sim, kind_of(request));
    struct kube_response response = {0};

    if (strcmp(request->method, "GET") != 0) {
        sim_wrote(kube->sim, request->path);
    }
    if (verdict == SIM_BREAK || kube->down) {
        return sim_broken(kube->sim, "API server", fault);
    }
    if (!cancel_check(cancel, "API server", fault)) {
        return false;
    }
    buf_init(&response.body, KUBE_BODY_MAX);
    serve(kube, request, &response);
    sim_answered(kube->sim);
    if (verdict == SIM_LOST) {
        buf_deinit(&response.body);
        return sim_broken(kube->sim, "API server", fault);
    }
    *out_response = response;
    return true;
}

static bool fake_stream(struct kube_transport *t, const struct kube_request *request,
                        int64_t idle_ms, struct cancel *cancel, kube_on_bytes *on_bytes,
                        void *context, int *out_status, struct fault *fault)
{
    (void)idle_ms;
    (void)cancel;
    (void)on_bytes;
    (void)context;
    (void)out_status;
    sim_violation(of(t)->sim, "a watch of %s", request->path);
    return fault_set(fault, FAULT_UNAVAILABLE, NULL, "nothing is watched here");
}

static void fake_free(struct kube_transport *t)
{
    (void)t; /* the simulation owns it */
}

struct fake_kube *fake_kube_new(struct sim *sim)
{
    static const struct kube_transport_ops ops = {
        .call = fake_call, .stream = fake_stream, .free = fake_free};
    struct fake_kube *kube = ARENA_NEW(sim->arena, struct fake_kube);

    kube->base.ops = &ops;
    kube->sim = sim;
    return kube;
}

void fake_kube_free(struct fake_kube *kube)
{
    for (VEC_EACH(struct fake_delivery, d, &kube->deliveries)) {
        json_free(d->json);
    }
    for (size_t i = 0; i < kube->objects.n; i++) {
        json_free(kube->objects.v[i]->json);
        json_free(kube->objects.v[i]->shown);
        json_free(kube->objects.v[i]->before);
    }
    for (size_t i = 0; i < kube->graves.n; i++) {
        json_free(kube->graves.v[i]->shown);
        json_free(kube->graves.v[i]->before);
    }
}

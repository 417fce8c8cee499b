#include "cmd/kubectl/transport.h"

#include "base/heap.h"
#include "base/json.h"
#include "cmd/forward.h"
#include "model/spec.h"

#include <string.h>

#define WORDS_MAX 24

struct through_kubectl {
    struct kube_transport transport; /* first: the port points here */
    const struct options *options;
};

/* Status.reason of kubectl's "Error from server (Reason): message". */
static const struct {
    struct sv reason;
    int status;
} REASONS[] = {
    {SV_INIT("Unauthorized"), 401},    {SV_INIT("Forbidden"), 403},
    {SV_INIT("NotFound"), 404},        {SV_INIT("Conflict"), 409},
    {SV_INIT("Invalid"), 422},         {SV_INIT("BadRequest"), 400},
    {SV_INIT("TooManyRequests"), 429}, {SV_INIT("InternalError"), 500},
};

/* As the API server said it: a status, and a Status body. False: it did not answer. */
static bool told_by_server(struct sv said, struct kube_response *out_response)
{
    struct sv prefix = SV("Error from server (");
    size_t at = sv_find(said, prefix);
    struct sv rest = at == SIZE_MAX ? SV_NULL : sv_sub(said, at + prefix.n, said.n);
    struct sv reason = sv_cut(&rest, ')');

    for (size_t i = 0; i < COUNT_OF(REASONS); i++) {
        if (sv_eq(reason, REASONS[i].reason)) {
            out_response->status = REASONS[i].status;
            buf_addf(&out_response->body,
                     "{\"kind\":\"Status\",\"status\":\"Failure\",\"reason\":\"%.*s\","
                     "\"code\":%d,\"message\":",
                     SV_ARGS(reason), REASONS[i].status);
            json_quote(sv_trim(sv_starts(rest, SV(":")) ? sv_sub(rest, 1, rest.n) : rest),
                       &out_response->body);
            buf_addc(&out_response->body, '}');
            return true;
        }
    }
    return false;
}

/* Runs kubectl to its end. */
static bool run(const char *const *words, struct cancel *cancel, struct child *out_child,
                int *out_status, struct fault *fault)
{
    if (!child_start(words, out_child, fault)) {
        return false;
    }
    while (!child_silent(out_child)) {
        if (!child_read(out_child, cancel, fault)) {
            child_deinit(out_child);
            return fault_wrap(fault, "kubectl");
        }
    }
    *out_status = child_close(out_child);
    return true;
}

static bool call(struct kube_transport *t, const struct kube_request *request,
                 struct cancel *cancel, struct kube_response *out_response,
                 struct fault *fault);

static void transport_free(struct kube_transport *t)
{
    heap_free(t);
}

static const struct kube_transport_ops OPS = {call, kube_stream_none, transport_free};

struct kube_transport *kubectl_transport_new(const struct options *options)
{
    struct through_kubectl *t = HEAP_NEW(struct through_kubectl);

    t->transport.ops = &OPS;
    t->options = options;
    return &t->transport;
}

/* ".../namespaces/NAMESPACE/tablesyncs/NAME?...": names of resources need no escapes. */
static bool patch_words(const struct kube_request *request, struct arena *arena,
                        const char **words, size_t n, struct fault *fault)
{
    struct sv path = sv_from(request->path);
    struct sv begin = SV("/apis/" TSYNC_GROUP "/" TSYNC_VERSION "/namespaces/");
    struct sv rest = sv_sub(path, begin.n, path.n);
    struct sv namespace = sv_cut(&rest, '/');
    struct sv plural = sv_cut(&rest, '/');
    struct sv name = sv_cut(&rest, '?');

    if (!sv_starts(path, begin) || !sv_eq(plural, SV("tablesyncs")) ||
        strcmp(request->method, "PATCH") != 0) {
        return fault_set(fault, FAULT_BUG, NULL, "only TableSyncs are patched, not %s",
                         request->path);
    }
    words[n++] = "patch";
    words[n++] = "tablesyncs." TSYNC_GROUP;
    words[n++] = arena_copy(arena, name);
    words[n++] = "--namespace";
    words[n++] = arena_copy(arena, namespace);
    words[n++] = "--field-manager=kubectl-tablesync";
    words[n++] = "--type=merge";
    words[n++] = "--output=json";
    words[n++] = "--patch";
    words[n++] = arena_copy(arena, request->body);
    words[n] = NULL;
    return true;
}

static bool call(struct kube_transport *t, const struct kube_request *request,
                 struct cancel *cancel, struct kube_response *out_response,
                 struct fault *fault)
{
    union {
        struct kube_transport *port;
        struct through_kubectl *through;
    } self = {.port = t};
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);
    AUTO(child_deinit) struct child child = {0};
    const char *words[WORDS_MAX];
    size_t n = forward_kubectl(self.through->options, words);
    struct sv said;
    int status = 0;

    if (strcmp(request->method, "GET") == 0) {
        words[n++] = "get";
        words[n++] = "--raw";
        words[n++] = request->path;
        words[n] = NULL;
    } else if (!patch_words(request, arena, words, n, fault)) {
        return false;
    }
    if (!run(words, cancel, &child, &status, fault)) {
        return false;
    }
    *out_response = (struct kube_response){.status = 200};
    buf_init(&out_response->body, request->response_max_bytes == 0
                                      ? KUBE_BODY_MAX
                                      : request->response_max_bytes);
    said = sv_trim(buf_sv(&child.texts[1]));
    if (status == 0) {
        buf_add(&out_response->body, buf_sv(&child.texts[0]));
    } else if (!told_by_server(said, out_response)) {
        buf_deinit(&out_response->body);
        return fault_set(fault, FAULT_UNAVAILABLE, NULL, "kubectl said: %.*s",
                         SV_ARGS(said));
    }
    return true;
}

bool kubectl_transport_namespace(const struct options *options, struct arena *arena,
                                 struct cancel *cancel, const char **out_namespace,
                                 struct fault *fault)
{
    AUTO(child_deinit) struct child child = {0};
    const char *words[WORDS_MAX];
    size_t n = forward_kubectl(options, words);
    int status = 0;

    if (options->values[OPTION_NAMESPACE] != NULL) {
        *out_namespace = options->values[OPTION_NAMESPACE];
        return true;
    }
    words[n++] = "config";
    words[n++] = "view";
    words[n++] = "--minify";
    words[n++] = "--output=jsonpath={.contexts[0].context.namespace}";
    words[n] = NULL;
    if (!run(words, cancel, &child, &status, fault)) {
        return false;
    }
    if (status != 0) {
        return fault_set(fault, FAULT_UNAVAILABLE, NULL, "kubectl said: %s",
                         buf_z(&child.texts[1]));
    }
    *out_namespace = child.texts[0].n == 0
                         ? "default"
                         : arena_copy(arena, sv_trim(buf_sv(&child.texts[0])));
    return true;
}

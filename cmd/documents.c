#include "cmd/documents.h"

#include "base/file.h"
#include "base/heap.h"
#include "base/yaml.h"
#include "kube/api.h"
#include "kube/base64.h"
#include "loop/loop.h"

struct documents {
    struct kube_transport transport; /* first: the port points here */
    struct kube_transport *next;
    struct json *list;
};

/* kubectl lets people write a Secret's values as plain text in stringData. */
static void fold_string_data(struct json *secret)
{
    const struct json *plain = json_get(secret, "stringData");
    struct json *data =
        json_get(secret, "data") == NULL ? json_set_object(secret, "data") : NULL;

    if (plain == NULL || data == NULL) {
        return;
    }
    for (const struct json *v = json_first(plain); v != NULL; v = json_next(v)) {
        AUTO(buf_deinit_zero) struct buf encoded = {0};

        buf_init(&encoded, YAML_INPUT_MAX);
        base64_format(sv_from(json_string(v)), &encoded);
        json_set_string(data, json_key(v), buf_z(&encoded));
    }
    json_remove(secret, "stringData");
}

static void complete(struct json *object, const char *namespace)
{
    struct json *metadata = json_clone(json_get(object, "metadata"));

    if (json_kind(metadata) != JSON_OBJECT) {
        json_free(metadata);
        metadata = json_new_object();
    }
    if (json_get_string(metadata, "namespace") == NULL) {
        json_set_string(metadata, "namespace", namespace);
    }
    json_set(object, "metadata", metadata);
    if (sv_eq(sv_from(json_get_string(object, "kind")), SV("Secret"))) {
        fold_string_data(object);
    }
}

static bool doc_call(struct kube_transport *t, const struct kube_request *request,
                     struct cancel *cancel, struct kube_response *out_response,
                     struct fault *fault);

static void doc_free(struct kube_transport *t)
{
    (void)t;
}

static const struct kube_transport_ops DOCUMENT_OPS = {doc_call, kube_stream_none,
                                                       doc_free};

static bool parse(const char *path, const char *namespace, struct json **out_list,
                  struct fault *fault)
{
    AUTO(buf_deinit_zero) struct buf text = {0};
    AUTO(json_freep) struct json *parsed = NULL;
    AUTO(json_freep) struct json *list = json_new_array();

    buf_init(&text, YAML_INPUT_MAX);
    if (!file_read(path, &text, fault)) {
        return false;
    }
    if (!yaml_parse_all(buf_sv(&text), &parsed, fault)) {
        return fault_wrap(fault, "%s", path);
    }
    for (const struct json *o = json_first(parsed); o != NULL; o = json_next(o)) {
        struct json *copy = json_clone(o);

        if (json_kind(copy) != JSON_OBJECT) {
            json_free(copy);
            return fault_set(fault, FAULT_SPEC, NULL, "%s: a document is not an object",
                             path);
        }
        complete(copy, namespace);
        json_push(list, copy);
    }
    *out_list = TAKE(list);
    return true;
}

static struct documents *new_documents(struct json *list)
{
    struct documents *documents = HEAP_NEW(struct documents);

    documents->list = list;
    documents->transport.ops = &DOCUMENT_OPS;
    return documents;
}

struct documents *documents_none(void)
{
    return new_documents(json_new_array());
}

struct documents *documents_of(struct json *object)
{
    struct documents *documents = documents_none();

    json_push(documents->list, object);
    return documents;
}

bool documents_read(const char *path, const char *namespace,
                    struct documents **out_documents, struct fault *fault)
{
    struct json *list = NULL;

    if (!parse(path, namespace, &list, fault)) {
        return false;
    }
    *out_documents = new_documents(list);
    return true;
}

void documents_freep(struct documents **documents)
{
    if (*documents != NULL) {
        json_free((*documents)->list);
        heap_free(*documents);
        *documents = NULL;
    }
}

struct json *documents_copy(struct documents *documents, const char *kind, size_t index)
{
    for (const struct json *o = json_first(documents->list); o != NULL;
         o = json_next(o)) {
        if (sv_eq(sv_from(json_get_string(o, "kind")), sv_from(kind)) && index-- == 0) {
            return json_clone(o);
        }
    }
    return NULL;
}

bool documents_has(const struct documents *documents, const char *kind)
{
    for (const struct json *o = json_first(documents->list); o != NULL;
         o = json_next(o)) {
        if (sv_eq(sv_from(json_get_string(o, "kind")), sv_from(kind))) {
            return true;
        }
    }
    return false;
}

struct kube_transport *documents_transport(struct documents *documents,
                                           struct kube_transport *next)
{
    documents->next = next;
    return &documents->transport;
}

static const struct json *find_path(struct documents *d, const char *path)
{
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);
    const struct kube_resource *const resources[] = {
        &loop_resource_sync, &loop_resource_conn, &loop_resource_secret};

    for (const struct json *o = json_first(d->list); o != NULL; o = json_next(o)) {
        for (size_t i = 0; i < COUNT_OF(resources); i++) {
            if (sv_eq(sv_from(json_get_string(o, "kind")), sv_from(resources[i]->kind)) &&
                strcmp(
                    kube_path(arena, resources[i], kube_namespace(o), kube_name(o), NULL),
                    path) == 0) {
                return o;
            }
        }
    }
    return NULL;
}

static bool doc_call(struct kube_transport *t, const struct kube_request *request,
                     struct cancel *cancel, struct kube_response *out_response,
                     struct fault *fault)
{
    union {
        struct kube_transport *port;
        struct documents *documents;
    } self = {.port = t};
    struct documents *d = self.documents;
    const struct json *found = NULL;

    if (strcmp(request->method, "GET") != 0) {
        return fault_set(fault, FAULT_BUG, NULL, "a plan writes nothing");
    }
    found = find_path(d, request->path);
    if (found == NULL && d->next != NULL) {
        return d->next->ops->call(d->next, request, cancel, out_response, fault);
    }
    *out_response = (struct kube_response){.status = found != NULL ? 200 : 404};
    buf_init(&out_response->body, KUBE_BODY_MAX);
    if (found != NULL) {
        json_print(found, &out_response->body);
    } else {
        buf_add(&out_response->body, SV("{\"kind\":\"Status\",\"status\":\"Failure\","
                                        "\"reason\":\"NotFound\",\"code\":404}"));
    }
    return true;
}

#include "kube/api.h"
#include "kube/exchange.h"

#define ARENA_BYTES                                                                      \
    ((size_t)64 * 1024 * 1024) /* paths only; names have no other ceiling here */

bool kube_get(struct kube_api *api, const struct kube_resource *resource,
              const char *namespace, const char *name, struct cancel *cancel,
              enum kube_outcome *out_outcome, struct json **out_object,
              struct fault *fault)
{
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_BYTES);
    const struct exchange exchange = {
        .method = "GET",
        .path = kube_path(arena, resource, namespace, name, NULL),
        .call = {.verb = "get",
                 .resource = resource,
                 .namespace = namespace,
                 .name = name},
    };

    return exchange_run(api, &exchange, cancel, out_outcome, out_object, fault);
}

static bool list(struct kube_api *api, const struct kube_resource *resource,
                 const char *namespace, const char *path, struct cancel *cancel,
                 enum kube_outcome *out_outcome, struct json **out_list,
                 struct fault *fault)
{
    const struct exchange exchange = {
        .method = "GET",
        .path = path,
        .call = {.verb = "list", .resource = resource, .namespace = namespace},
    };

    return exchange_run(api, &exchange, cancel, out_outcome, out_list, fault);
}

bool kube_may_list(struct kube_api *api, const struct kube_resource *resource,
                   const char *namespace, struct cancel *cancel,
                   enum kube_outcome *out_outcome, struct fault *fault)
{
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_BYTES);
    AUTO(json_freep) struct json *page = NULL;
    const char *path = kube_path(arena, resource, namespace, NULL, NULL);

    path = kube_path_query(arena, path, "limit", "1", NULL);
    return list(api, resource, namespace, path, cancel, out_outcome, &page, fault);
}

bool kube_list(struct kube_api *api, const struct kube_resource *resource,
               const char *namespace, const char *label_selector, struct cancel *cancel,
               enum kube_outcome *out_outcome, struct json **out_list,
               struct fault *fault)
{
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_BYTES);
    const char *path = kube_path(arena, resource, namespace, NULL, NULL);

    if (label_selector != NULL) {
        path = kube_path_query(arena, path, "labelSelector", label_selector, NULL);
    }
    return list(api, resource, namespace, path, cancel, out_outcome, out_list, fault);
}

bool kube_create(struct kube_api *api, const struct kube_resource *resource,
                 const char *namespace, const struct json *object, struct cancel *cancel,
                 enum kube_outcome *out_outcome, struct json **out_object,
                 struct fault *fault)
{
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_BYTES);
    const char *path = kube_path(arena, resource, namespace, NULL, NULL);
    const struct exchange exchange = {
        .method = "POST",
        .path = kube_path_query(arena, path, "fieldManager", KUBE_FIELD_MANAGER, NULL),
        .content_type = EXCHANGE_JSON,
        .body = object,
        .call = {.verb = "create", .resource = resource, .namespace = namespace},
    };

    return exchange_run(api, &exchange, cancel, out_outcome, out_object, fault);
}

/* An apply with a field that the CRD does not have is refused with HTTP 500 and these
 * words; any other write loses the field without a word. */
static bool crd_is_older(const struct fault *fault)
{
    return sv_contains(sv_from(fault->text), SV("field not declared in schema"));
}

bool kube_apply_status(struct kube_api *api, const struct kube_resource *resource,
                       const char *namespace, const char *name, const struct json *body,
                       struct arena *arena, struct cancel *cancel,
                       enum kube_outcome *out_outcome, struct json **out_object,
                       const char **out_message, struct fault *fault)
{
    AUTO(buf_deinit) struct buf message = {0};
    enum kube_outcome outcome = KUBE_OK;
    const char *path = kube_path(arena, resource, namespace, name, "status");

    buf_init(&message, KUBE_BODY_MAX);
    const struct exchange exchange = {
        .method = "PATCH",
        .path = kube_path_query(arena, path, "fieldManager", KUBE_FIELD_MANAGER, "force",
                                "true", NULL),
        .content_type = EXCHANGE_APPLY_PATCH,
        .body = body,
        .call = {.verb = "patch",
                 .resource = resource,
                 .namespace = namespace,
                 .name = name,
                 .subresource = "status"},
        .out_message = &message,
        .slims = true,
    };
    if (!exchange_run(api, &exchange, cancel, &outcome, out_object, fault)) {
        return crd_is_older(fault)
                   ? fault_wrap(fault,
                                "the CustomResourceDefinition of %s is older than this "
                                "program: apply the one that came with it",
                                resource->plural)
                   : false;
    }
    *out_outcome = outcome;
    *out_message = outcome == KUBE_OK ? NULL : buf_take(&message, arena);
    return true;
}

const char *kube_uid(const struct json *object)
{
    return json_path_string(object, "metadata.uid");
}

const char *kube_name(const struct json *object)
{
    return json_path_string(object, "metadata.name");
}

const char *kube_namespace(const struct json *object)
{
    return json_path_string(object, "metadata.namespace");
}

const char *kube_resource_version(const struct json *object)
{
    return json_path_string(object, "metadata.resourceVersion");
}

int64_t kube_generation(const struct json *object)
{
    return json_path_int(object, "metadata.generation", 0);
}

bool kube_deleting(const struct json *object)
{
    return json_path_string(object, "metadata.deletionTimestamp") != NULL;
}

bool kube_has_finalizer(const struct json *object, const char *finalizer)
{
    const struct json *item = json_first(json_path(object, "metadata.finalizers"));

    for (; item != NULL; item = json_next(item)) {
        if (sv_eq(sv_from(json_string(item)), sv_from(finalizer))) {
            return true;
        }
    }
    return false;
}

const char *kube_annotation(const struct json *object, const char *key)
{
    /* Not json_path(): annotation keys hold dots. */
    return json_get_string(json_path(object, "metadata.annotations"), key);
}

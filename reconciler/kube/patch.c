/*
 * Patches of an object's metadata. Finalizers go by JSON Patch whose `test` operations
 * pin what was read: the server does not drop duplicates itself, and a namesake of a
 * deleted object must not be touched (as kube-rs 4.2.0 runtime/finalizer.rs does).
 */
#include "kube/exchange.h"

#include <stdio.h>

#define ARENA_BYTES ((size_t)64 * 1024 * 1024)
#define POINTER_SIZE 64

static struct json *null_node(void)
{
    struct json *node = NULL;
    struct fault fault = FAULT_INIT;

    must(json_parse(SV("null"), 4, &node, &fault));
    return node;
}

static struct json *operation(struct json *patch, const char *op, const char *pointer)
{
    struct json *row = json_push_object(patch);

    json_set_string(row, "op", op);
    json_set_string(row, "path", pointer);
    return row;
}

static void test_uid(struct json *patch, const struct json *object)
{
    struct json *row = operation(patch, "test", "/metadata/uid");

    json_set_string(row, "value", kube_uid(object));
}

static bool patch_run(struct kube_api *api, const struct kube_resource *resource,
                      const struct json *object, const char *content_type,
                      const struct json *patch, struct cancel *cancel,
                      enum kube_outcome *out_outcome, struct json **out_object,
                      struct fault *fault)
{
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_BYTES);
    const char *namespace = kube_namespace(object);
    const char *name = kube_name(object);
    const char *path = kube_path(arena, resource, namespace, name, NULL);
    const struct exchange exchange = {
        .method = "PATCH",
        .path = kube_path_query(arena, path, "fieldManager", KUBE_FIELD_MANAGER, NULL),
        .content_type = content_type,
        .body = patch,
        .call = {.verb = "patch",
                 .resource = resource,
                 .namespace = namespace,
                 .name = name,
                 .json_patch = sv_eq(sv_from(content_type), SV(EXCHANGE_JSON_PATCH))},
        .slims = true,
    };

    return exchange_run(api, &exchange, cancel, out_outcome, out_object, fault);
}

/* An object without these cannot be patched safely; nothing the server sent lacks them.
 */
static bool check_identity(const struct json *object, struct fault *fault)
{
    if (kube_uid(object) == NULL || kube_name(object) == NULL ||
        kube_resource_version(object) == NULL) {
        return fault_set(fault, FAULT_BUG, NULL,
                         "cannot patch an object without name, uid and resourceVersion");
    }
    return true;
}

bool kube_add_finalizer(struct kube_api *api, const struct kube_resource *resource,
                        const struct json *object, const char *finalizer,
                        struct cancel *cancel, enum kube_outcome *out_outcome,
                        struct json **out_object, struct fault *fault)
{
    AUTO(json_freep) struct json *patch = json_new_array();
    const struct json *list = json_path(object, "metadata.finalizers");

    if (!check_identity(object, fault)) {
        return false;
    }
    if (kube_has_finalizer(object, finalizer)) {
        *out_outcome = KUBE_OK;
        *out_object = NULL;
        return true;
    }
    test_uid(patch, object);
    struct json *test = operation(patch, "test", "/metadata/finalizers");
    if (json_size(list) == 0) {
        /* The server leaves an empty list out; its `test` takes null for "not there". */
        json_set(test, "value", null_node());
        struct json *add = operation(patch, "add", "/metadata/finalizers");
        json_push_string(json_set_array(add, "value"), finalizer);
    } else {
        json_set(test, "value", json_clone(list));
        struct json *add = operation(patch, "add", "/metadata/finalizers/-");
        json_set_string(add, "value", finalizer);
    }
    return patch_run(api, resource, object, EXCHANGE_JSON_PATCH, patch, cancel,
                     out_outcome, out_object, fault);
}

bool kube_remove_finalizer(struct kube_api *api, const struct kube_resource *resource,
                           const struct json *object, const char *finalizer,
                           struct cancel *cancel, enum kube_outcome *out_outcome,
                           struct json **out_object, struct fault *fault)
{
    AUTO(json_freep) struct json *patch = json_new_array();
    const struct json *item = json_first(json_path(object, "metadata.finalizers"));
    char pointer[POINTER_SIZE];
    size_t index = 0;

    if (!check_identity(object, fault)) {
        return false;
    }
    while (item != NULL && !sv_eq(sv_from(json_string(item)), sv_from(finalizer))) {
        item = json_next(item);
        index++;
    }
    if (item == NULL) {
        *out_outcome = KUBE_OK;
        *out_object = NULL;
        return true;
    }
    must(snprintf(pointer, sizeof(pointer), "/metadata/finalizers/%zu", index) > 0);
    test_uid(patch, object);
    json_set_string(operation(patch, "test", pointer), "value", finalizer);
    operation(patch, "remove", pointer);
    return patch_run(api, resource, object, EXCHANGE_JSON_PATCH, patch, cancel,
                     out_outcome, out_object, fault);
}

bool kube_remove_annotation(struct kube_api *api, const struct kube_resource *resource,
                            const struct json *object, const char *annotation,
                            struct cancel *cancel, enum kube_outcome *out_outcome,
                            struct json **out_object, struct fault *fault)
{
    AUTO(json_freep) struct json *patch = json_new_object();

    if (!check_identity(object, fault)) {
        return false;
    }
    if (kube_annotation(object, annotation) == NULL) {
        *out_outcome = KUBE_OK;
        *out_object = NULL;
        return true;
    }
    struct json *metadata = json_set_object(patch, "metadata");
    json_set_string(metadata, "uid", kube_uid(object));
    json_set_string(metadata, "resourceVersion", kube_resource_version(object));
    json_set(json_set_object(metadata, "annotations"), annotation, null_node());
    return patch_run(api, resource, object, EXCHANGE_MERGE_PATCH, patch, cancel,
                     out_outcome, out_object, fault);
}

bool kube_change(struct kube_api *api, const struct kube_resource *resource,
                 const struct json *object, struct json *change, const char *manager,
                 struct arena *arena, struct cancel *cancel,
                 enum kube_outcome *out_outcome, const char **out_message,
                 struct fault *fault)
{
    AUTO(buf_deinit) struct buf message = {0};
    AUTO(json_freep) struct json *answer = NULL;
    struct json *metadata = json_clone(json_get(change, "metadata"));
    const char *path =
        kube_path(arena, resource, kube_namespace(object), kube_name(object), NULL);

    if (metadata == NULL) {
        metadata = json_new_object();
    }
    json_set_string(metadata, "uid", kube_uid(object));
    json_set_string(metadata, "resourceVersion", kube_resource_version(object));
    json_set(change, "metadata", metadata);
    buf_init(&message, KUBE_BODY_MAX);
    const struct exchange exchange = {
        .method = "PATCH",
        .path = kube_path_query(arena, path, "fieldManager", manager, NULL),
        .content_type = EXCHANGE_MERGE_PATCH,
        .body = change,
        .call = {.verb = "patch",
                 .resource = resource,
                 .namespace = kube_namespace(object),
                 .name = kube_name(object)},
        .out_message = &message,
    };
    if (!check_identity(object, fault) ||
        !exchange_run(api, &exchange, cancel, out_outcome, &answer, fault)) {
        return false;
    }
    *out_message = buf_take(&message, arena);
    return true;
}

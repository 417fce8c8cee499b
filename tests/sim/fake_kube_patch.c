/* What a patch makes of an object, as the real server has it. */
#include "fake_kube.h"
#include "kube/api.h"
#include "sim.h"

#define REFUSED_PATCH "the server rejected our request due to an error in our request"

static void refuse(struct fake_reply *reply, int status, const char *reason,
                   const char *message, const char *field)
{
    *reply = (struct fake_reply){
        .status = status, .reason = reason, .message = message, .field = field};
}

/* NULL in *out_list: no such place. Only what the controller patches is known. */
static const struct json *at_pointer(const struct json *object, const char *pointer,
                                     size_t *out_index)
{
    struct sv rest = sv_from(pointer);
    struct sv head = SV("/metadata/finalizers/");
    uint64_t index = 0;

    *out_index = SIZE_MAX;
    if (strcmp(pointer, "/metadata/uid") == 0) {
        return json_path(object, "metadata.uid");
    }
    if (strcmp(pointer, "/metadata/finalizers") == 0) {
        return json_path(object, "metadata.finalizers");
    }
    if (sv_starts(rest, head) && sv_uint64(sv_sub(rest, head.n, rest.n), &index)) {
        *out_index = (size_t)index;
        return json_at(json_path(object, "metadata.finalizers"), (size_t)index);
    }
    return NULL;
}

static bool test_holds(const struct json *object, const struct json *op)
{
    size_t index = 0;
    const struct json *seen = at_pointer(object, json_get_string(op, "path"), &index);
    const struct json *value = json_get(op, "value");

    return seen == NULL ? json_kind(value) == JSON_NULL : json_equal(seen, value);
}

static struct json *list_without(const struct json *list, size_t index)
{
    struct json *copy = json_new_array();
    size_t i = 0;

    for (const struct json *item = json_first(list); item != NULL;
         item = json_next(item)) {
        if (i++ != index) {
            json_push(copy, json_clone(item));
        }
    }
    return copy;
}

static void put_finalizers(struct json *object, struct json *list)
{
    struct json *metadata = json_clone(json_get(object, "metadata"));

    if (json_size(list) == 0) {
        json_remove(metadata, "finalizers");
        json_free(list);
    } else {
        json_set(metadata, "finalizers", list);
    }
    json_set(object, "metadata", metadata);
}

static bool run_operation(struct json *object, const struct json *op)
{
    const char *verb = json_get_string(op, "op"), *path = json_get_string(op, "path");
    const struct json *list = json_path(object, "metadata.finalizers");
    size_t index = 0;

    if (strcmp(verb, "test") == 0) {
        return test_holds(object, op);
    }
    if (strcmp(verb, "add") == 0 && strcmp(path, "/metadata/finalizers") == 0) {
        put_finalizers(object, json_clone(json_get(op, "value")));
        return true;
    }
    if (strcmp(verb, "add") == 0 && strcmp(path, "/metadata/finalizers/-") == 0 &&
        list != NULL) {
        struct json *longer = json_clone(list);

        json_push(longer, json_clone(json_get(op, "value")));
        put_finalizers(object, longer);
        return true;
    }
    if (strcmp(verb, "remove") == 0 && at_pointer(object, path, &index) != NULL &&
        index != SIZE_MAX) {
        put_finalizers(object, list_without(list, index));
        return true;
    }
    return false;
}

void fake_kube_json_patch(const struct json *object, const struct json *patch,
                          struct fake_reply *reply, struct json **out_json)
{
    AUTO(json_freep) struct json *copy = json_clone(object);
    size_t before = json_size(json_path(object, "metadata.finalizers"));

    for (const struct json *op = json_first(patch); op != NULL; op = json_next(op)) {
        if (!run_operation(copy, op)) {
            refuse(reply, 422, "Invalid", REFUSED_PATCH, NULL);
            return;
        }
    }
    if (kube_deleting(object) &&
        json_size(json_path(copy, "metadata.finalizers")) > before) {
        refuse(reply, 422, "Invalid",
               "metadata.finalizers: Forbidden: no new finalizers can be added if the "
               "object "
               "is being deleted",
               "metadata.finalizers");
        return;
    }
    reply->status = 200;
    *out_json = TAKE(copy);
}

void fake_kube_merge_patch(const struct json *object, const struct json *patch,
                           struct fake_reply *reply, struct json **out_json)
{
    const char *uid = json_path_string(patch, "metadata.uid");
    const char *version = json_path_string(patch, "metadata.resourceVersion");
    const struct json *changes = json_path(patch, "metadata.annotations");

    if ((uid != NULL && strcmp(uid, kube_uid(object)) != 0) ||
        (version != NULL && strcmp(version, kube_resource_version(object)) != 0)) {
        refuse(reply, 409, "Conflict",
               "the object has been modified; please apply your changes to the latest "
               "version",
               NULL);
        return;
    }
    struct json *copy = json_clone(object);
    struct json *metadata = json_clone(json_get(copy, "metadata"));
    struct json *annotations = json_get(metadata, "annotations") == NULL
                                   ? json_new_object()
                                   : json_clone(json_get(metadata, "annotations"));
    for (const struct json *c = json_first(changes); c != NULL; c = json_next(c)) {
        if (json_kind(c) == JSON_NULL) {
            json_remove(annotations, json_key(c));
        } else {
            json_set(annotations, json_key(c), json_clone(c));
        }
    }
    json_set(metadata, "annotations", annotations);
    json_set(copy, "metadata", metadata);
    reply->status = 200;
    *out_json = copy;
}

void fake_kube_apply_status(struct sim *sim, const struct json *object,
                            const struct json *body, struct fake_reply *reply,
                            struct json **out_json)
{
    const char *version = json_path_string(body, "metadata.resourceVersion");

    if (json_get_string(body, "kind") == NULL ||
        json_get_string(body, "apiVersion") == NULL ||
        strcmp(json_path_string(body, "metadata.name"), kube_name(object)) != 0) {
        sim_violation(sim, "a status apply without apiVersion, kind or the right name");
    }
    if (version == NULL) {
        sim_violation(sim, "a status apply that guards against nothing");
    } else if (strcmp(version, kube_resource_version(object)) != 0) {
        refuse(reply, 409, "Conflict",
               "the object has been modified; please apply your changes to the latest "
               "version",
               NULL);
        return;
    }
    struct json *copy = json_clone(object);

    json_set(copy, "status", json_clone(json_get(body, "status")));
    reply->status = 200;
    *out_json = copy;
}

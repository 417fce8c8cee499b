#include "kube/store.h"

#include <stdio.h>

#define LAST_APPLIED "kubectl.kubernetes.io/last-applied-configuration"
#define API_VERSION_SIZE 512

static bool is_key(const struct json *child, const char *key)
{
    return sv_eq(sv_from(json_key(child)), sv_from(key));
}

static struct json *copy_without(const struct json *object, const char *left_out)
{
    struct json *copy = json_new_object();

    for (const struct json *child = json_first(object); child != NULL;
         child = json_next(child)) {
        if (!is_key(child, left_out)) {
            json_set(copy, json_key(child), json_clone(child));
        }
    }
    return copy;
}

static struct json *slim_metadata(const struct json *metadata)
{
    struct json *copy = json_new_object();

    for (const struct json *child = json_first(metadata); child != NULL;
         child = json_next(child)) {
        if (is_key(child, "managedFields")) {
            continue;
        }
        json_set(copy, json_key(child),
                 is_key(child, "annotations") ? copy_without(child, LAST_APPLIED)
                                              : json_clone(child));
    }
    return copy;
}

struct json *store_slim(const struct json *object, const struct kube_resource *resource)
{
    struct json *copy = json_new_object();
    char version[API_VERSION_SIZE];

    if (resource != NULL) {
        must(snprintf(version, sizeof(version), "%s%s%s", resource->group,
                      resource->group[0] == '\0' ? "" : "/",
                      resource->version) < (int)sizeof(version));
        json_set_string(copy, "apiVersion", version);
        json_set_string(copy, "kind", resource->kind);
    }
    for (const struct json *child = json_first(object); child != NULL;
         child = json_next(child)) {
        json_set(copy, json_key(child),
                 is_key(child, "metadata") ? slim_metadata(child) : json_clone(child));
    }
    return copy;
}

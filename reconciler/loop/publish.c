#include "loop/publish.h"

static struct json *body_of(const struct kube_resource *resource,
                            const struct json *object, const struct json *status,
                            struct arena *arena)
{
    struct json *body = json_new_object();
    struct json *metadata = NULL;

    json_set_string(body, "apiVersion",
                    arena_printf(arena, "%s/%s", resource->group, resource->version));
    json_set_string(body, "kind", resource->kind);
    metadata = json_set_object(body, "metadata");
    json_set_string(metadata, "name", kube_name(object));
    json_set_string(metadata, "namespace", kube_namespace(object));
    json_set_string(metadata, "resourceVersion", kube_resource_version(object));
    json_set(body, "status", json_clone(status));
    return body;
}

bool publish_conflict(struct loop *loop, const struct kube_resource *resource,
                      const struct json *object, struct cancel *cancel,
                      const char *sentence, struct fault *fault)
{
    AUTO(json_freep) struct json *live = NULL;
    enum kube_outcome outcome = KUBE_OK;
    struct fault unread = FAULT_INIT; /* then the watch will tell */

    if (kube_get(&loop->api, resource, kube_namespace(object), kube_name(object), cancel,
                 &outcome, &live, &unread) &&
        outcome == KUBE_OK) {
        kube_store_put(resource == &loop_resource_sync ? loop->syncs : loop->conns,
                       TAKE(live));
    }
    return fault_set(fault, FAULT_CONFLICT, NULL, "%s", sentence);
}

/*
 * A write whose answer never came may have been carried out. It is not sent again as it
 * is: the next attempt computes status anew, and what it then sends still bears the
 * resourceVersion it was computed from, so the server itself refuses the second one.
 */
bool publish_status(struct loop *loop, const struct kube_resource *resource,
                    const struct json *object, const struct json *status,
                    struct arena *arena, struct cancel *cancel, bool *out_written,
                    struct json **out_answered, struct fault *fault)
{
    AUTO(json_freep) struct json *body = NULL;
    AUTO(json_freep) struct json *answered = NULL;
    enum kube_outcome outcome = KUBE_OK;
    const char *message = NULL;

    *out_written = false;
    *out_answered = NULL;
    if (json_equal(status, json_get(object, "status"))) {
        return true;
    }
    body = body_of(resource, object, status, arena);
    metrics_add(loop->metrics, METRIC_API_WRITES, 1);
    metrics_add(loop->metrics, METRIC_STATUS_WRITES, 1);
    if (!kube_apply_status(&loop->api, resource, kube_namespace(object),
                           kube_name(object), body, arena, cancel, &outcome, &answered,
                           &message, fault)) {
        return fault_wrap(fault, "write status");
    }
    switch (outcome) {
    case KUBE_OK:
        *out_written = true;
        *out_answered = TAKE(answered);
        return true;
    case KUBE_NOT_FOUND:
        /* Not a success: whoever is about to create objects for it must stop here. */
        return fault_set(fault, FAULT_CONFLICT, NULL,
                         "the resource was removed meanwhile");
    case KUBE_CONFLICT:
        return publish_conflict(loop, resource, object, cancel,
                                "the resource changed meanwhile", fault);
    case KUBE_INVALID:
        return fault_set(fault, FAULT_BUG, NULL, "status was refused: %s", message);
    case KUBE_EXISTS:
    case KUBE_GONE:
    case KUBE_OUTCOME_MAX:
        break;
    }
    return fault_set(fault, FAULT_BUG, NULL, "unexpected answer to a status write");
}

#include "kube/lease.h"

#include "kube/exchange.h"

#include <stdio.h>
#include <string.h>

#define ARENA_BYTES ((size_t)64 * 1024 * 1024)

const struct kube_resource lease_resource = {"coordination.k8s.io", "v1", "leases",
                                             "Lease"};

static void copy(char *out, size_t size, const char *text)
{
    (void)snprintf(out, size, "%s", text == NULL ? "" : text);
}

void lease_read(const struct json *object, struct lease_record *out_record)
{
    const struct json *spec = json_get(object, "spec");
    struct lease_record r = {
        .duration_s = json_path_int(spec, "leaseDurationSeconds", 0),
        .transitions = json_path_int(spec, "leaseTransitions", 0),
    };

    copy(r.holder, sizeof(r.holder), json_get_string(spec, "holderIdentity"));
    copy(r.acquired, sizeof(r.acquired), json_get_string(spec, "acquireTime"));
    copy(r.renewed, sizeof(r.renewed), json_get_string(spec, "renewTime"));
    *out_record = r;
}

bool lease_same(const struct lease_record *a, const struct lease_record *b)
{
    return strcmp(a->holder, b->holder) == 0 && a->duration_s == b->duration_s &&
           a->transitions == b->transitions && strcmp(a->acquired, b->acquired) == 0 &&
           strcmp(a->renewed, b->renewed) == 0;
}

static void write_record(struct json *object, const struct lease_record *record)
{
    struct json *spec = json_clone(json_get(object, "spec"));

    if (json_kind(spec) != JSON_OBJECT) {
        json_free(spec);
        spec = json_new_object();
    }
    json_set_string(spec, "holderIdentity", record->holder);
    json_set_int(spec, "leaseDurationSeconds", record->duration_s);
    json_set_int(spec, "leaseTransitions", record->transitions);
    json_set_string(spec, "acquireTime", record->acquired);
    json_set_string(spec, "renewTime", record->renewed);
    json_set(object, "spec", spec);
}

bool lease_get(struct kube_api *api, const char *namespace, const char *name,
               struct cancel *cancel, enum kube_outcome *out_outcome,
               struct json **out_object, struct fault *fault)
{
    return kube_get(api, &lease_resource, namespace, name, cancel, out_outcome,
                    out_object, fault);
}

bool lease_create(struct kube_api *api, const char *namespace, const char *name,
                  const struct lease_record *record, struct cancel *cancel,
                  enum kube_outcome *out_outcome, struct json **out_object,
                  struct fault *fault)
{
    AUTO(json_freep) struct json *object = json_new_object();
    struct json *metadata = NULL;

    json_set_string(object, "apiVersion", "coordination.k8s.io/v1");
    json_set_string(object, "kind", lease_resource.kind);
    metadata = json_set_object(object, "metadata");
    json_set_string(metadata, "name", name);
    json_set_string(metadata, "namespace", namespace);
    write_record(object, record);
    return kube_create(api, &lease_resource, namespace, object, cancel, out_outcome,
                       out_object, fault);
}

bool lease_update(struct kube_api *api, const struct json *object,
                  const struct lease_record *record, struct cancel *cancel,
                  enum kube_outcome *out_outcome, struct json **out_object,
                  struct fault *fault)
{
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_BYTES);
    AUTO(json_freep) struct json *next = json_clone(object);
    const char *namespace = kube_namespace(object), *name = kube_name(object);

    if (name == NULL || namespace == NULL || kube_resource_version(object) == NULL) {
        return fault_set(fault, FAULT_BUG, NULL,
                         "a Lease without name, namespace and resourceVersion cannot be "
                         "written safely");
    }
    write_record(next, record);
    const struct exchange exchange = {
        .method = "PUT",
        .path = kube_path_query(arena,
                                kube_path(arena, &lease_resource, namespace, name, NULL),
                                "fieldManager", KUBE_FIELD_MANAGER, NULL),
        .content_type = EXCHANGE_JSON,
        .body = next,
        .call = {.verb = "update",
                 .resource = &lease_resource,
                 .namespace = namespace,
                 .name = name},
    };
    return exchange_run(api, &exchange, cancel, out_outcome, out_object, fault);
}

/*
 * `tablesync ready`: does an installation work? Both kinds must be served and may be read
 * with the rights at hand, and somebody must renew the Lease while it is watched: what it
 * says of the time is another machine's clock.
 */
#include "cmd/cluster.h"
#include "cmd/cmd.h"
#include "cmd/namespaces.h"
#include "kube/lease.h"
#include "loop/loop.h"

#include <stdio.h>

#define CALL_MS INT64_C(10000)
#define LOOK_MS INT64_C(500)

struct look {
    struct kube_api api;
    struct cancel *cancel;
    const char *lease_namespace, *lease_name;
};

static bool may_read(struct look *look, const struct kube_resource *resource,
                     const char *namespace, struct fault *fault)
{
    enum kube_outcome outcome = KUBE_OK;

    if (!kube_may_list(&look->api, resource, namespace, look->cancel, &outcome, fault)) {
        return false;
    }
    if (outcome != KUBE_OK) {
        return fault_set(fault, FAULT_REFUSED, NULL,
                         "the API server has no %s.%s/%s: install the CRDs",
                         resource->plural, resource->group, resource->version);
    }
    (void)printf("%s%s%s: can be read\n", resource->plural,
                 namespace == NULL ? "" : " in ", namespace == NULL ? "" : namespace);
    return true;
}

static bool read_kinds(struct look *look, const struct strlist *namespaces,
                       struct fault *fault)
{
    const struct kube_resource *const kinds[] = {&loop_resource_conn,
                                                 &loop_resource_sync};
    size_t count = namespaces->n == 0 ? 1 : namespaces->n;

    for (size_t kind = 0; kind < COUNT_OF(kinds); kind++) {
        for (size_t i = 0; i < count; i++) {
            const char *namespace = namespaces->n == 0 ? NULL : namespaces->v[i];

            if (!may_read(look, kinds[kind], namespace, fault)) {
                return false;
            }
        }
    }
    return true;
}

/* Until the same holder has renewed: then it lives. */
static bool wait_leader(struct look *look, struct fault *fault)
{
    struct lease_record first = {0}, now = {0};

    do {
        AUTO(json_freep) struct json *object = NULL;
        enum kube_outcome outcome = KUBE_OK;

        if (!lease_get(&look->api, look->lease_namespace, look->lease_name, look->cancel,
                       &outcome, &object, fault)) {
            return false;
        }
        now = (struct lease_record){0};
        if (outcome == KUBE_OK) {
            lease_read(object, &now);
        }
        if (now.holder[0] != '\0' && strcmp(now.holder, first.holder) == 0 &&
            strcmp(now.renewed, first.renewed) != 0) {
            (void)printf("lease %s/%s: %s leads\n", look->lease_namespace,
                         look->lease_name, now.holder);
            return true;
        }
        if (strcmp(now.holder, first.holder) != 0) {
            first = now;
        }
    } while (cancel_sleep(look->cancel, LOOK_MS));
    if (now.holder[0] == '\0') {
        return fault_set(
            fault, FAULT_UNAVAILABLE, NULL,
            "nobody holds the lease %s/%s: look at the controller's pods and "
            "their logs",
            look->lease_namespace, look->lease_name);
    }
    return fault_set(fault, FAULT_UNAVAILABLE, NULL,
                     "the lease %s/%s is held by %s, which did not renew it: look at its "
                     "pod and its log",
                     look->lease_namespace, look->lease_name, now.holder);
}

static bool look_around(const struct options *options, struct cancel *stop,
                        struct fault *fault)
{
    AUTO(cluster_close) struct cluster cluster = {0};
    const char *lease_namespace = options->values[OPTION_LEADER_NAMESPACE];
    struct strlist namespaces = {0};
    struct look look = {0};
    struct cancel within;
    int64_t timeout_ms = 0;

    if (!options_duration(options, OPTION_TIMEOUT, 1, &timeout_ms, fault) ||
        !cluster_open(options, &cluster, fault) ||
        !namespaces_parse(options->values[OPTION_WATCH_NAMESPACE], cluster.arena,
                          &namespaces, fault)) {
        return false;
    }
    cancel_init_child(&within, stop, timeout_ms);
    look = (struct look){.api = {.transport = cluster.transport,
                                 .clock = clock_system(),
                                 .call_timeout_ms = CALL_MS},
                         .cancel = &within,
                         .lease_namespace = lease_namespace == NULL
                                                ? cluster.config.namespace
                                                : lease_namespace,
                         .lease_name = options->values[OPTION_LEADER_ID]};
    return read_kinds(&look, &namespaces, fault) && wait_leader(&look, fault);
}

static int run(const struct options *options, struct fault *fault)
{
    struct cancel stop;
    bool ready = false;

    if (!cancel_init_root(&stop, clock_system(), fault)) {
        return command_failed(fault);
    }
    ready = look_around(options, &stop, fault);
    cancel_deinit(&stop);
    if (!ready) {
        return command_failed(fault);
    }
    (void)printf("ready\n");
    return EXIT_OK;
}

int command_ready(const struct options *options)
{
    return with_libraries(options, run);
}

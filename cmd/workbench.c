#include "cmd/workbench.h"

#include "cmd/plan_print.h"
#include "model/spec.h"

#include <stdio.h>
#include <string.h>

#define ATTEMPT_MS INT64_C(300000)
#define CALL_MS 10000

static bool without_cluster(const struct workbench *b, const struct fault *why,
                            const char *consequence, struct fault *fault)
{
    if (b->options->values[OPTION_KUBECONFIG] != NULL ||
        b->options->values[OPTION_CONTEXT] != NULL) {
        *fault = *why;
        return false;
    }
    (void)fprintf(stderr, "tablesync: no cluster (%s): %s\n", why->text, consequence);
    return true;
}

bool workbench_open(const struct options *options, struct documents *documents,
                    const char *instance, struct workbench *out_bench,
                    struct fault *fault)
{
    const struct loop_options loop = {.instance = instance,
                                      .resync_ms = 60000,
                                      .poll_ms = 1000,
                                      .attempt_ms = ATTEMPT_MS};
    struct loop_ports ports = {.clock = clock_system(),
                               .databases = db_factory_real(),
                               .seed = rng_seed_from_system()};
    struct workbench *b = out_bench;
    struct fault why = FAULT_INIT;

    *b = (struct workbench){.options = options, .documents = documents};
    if (!cluster_open(options, &b->cluster, &why) &&
        !without_cluster(b, &why, "connections and Secrets come from the file only",
                         fault)) {
        return false;
    }
    if (!cancel_init_root(&b->stop, clock_system(), fault)) {
        cluster_close(&b->cluster);
        return false;
    }
    ports.kube = documents_transport(documents, b->cluster.transport);
    b->api = (struct kube_api){
        .transport = ports.kube, .clock = ports.clock, .call_timeout_ms = CALL_MS};
    b->loop = loop_new(&ports, &loop, &b->stop);
    return true;
}

void workbench_close(struct workbench *bench)
{
    if (bench->loop != NULL) {
        loop_free(bench->loop);
        cluster_close(&bench->cluster);
        cancel_deinit(&bench->stop);
        bench->loop = NULL;
    }
}

bool workbench_connection(struct workbench *bench, const char *namespace,
                          const char *name, struct fault *fault)
{
    AUTO(json_freep) struct json *object = NULL;
    enum kube_outcome outcome = KUBE_OK;

    if (!kube_get(&bench->api, &loop_resource_conn, namespace, name, &bench->stop,
                  &outcome, &object, fault)) {
        return fault_wrap(fault, "read DatabaseConnection '%s'", name);
    }
    if (outcome == KUBE_OK) {
        kube_store_put(bench->loop->conns, TAKE(object));
    }
    return true;
}

/* The resource as the cluster knows it has the uid that names end in, and its status the
 * version of its sink. */
static bool adopt_identity(struct workbench *b, struct json *sync, struct fault *fault)
{
    AUTO(json_freep) struct json *live = NULL;
    enum kube_outcome outcome = KUBE_OK;
    struct fault why = FAULT_INIT;
    struct json *metadata = NULL;
    const char *uid = NULL;

    if (b->cluster.transport != NULL && kube_name(sync) != NULL) {
        struct kube_api api = {.transport = b->cluster.transport,
                               .clock = clock_system(),
                               .call_timeout_ms = CALL_MS};

        if (!kube_get(&api, &loop_resource_sync, kube_namespace(sync), kube_name(sync),
                      &b->stop, &outcome, &live, &why) &&
            !without_cluster(b, &why, "planning as if the resource did not exist yet",
                             fault)) {
            return fault_wrap(fault, "read TableSync %s/%s", kube_namespace(sync),
                              kube_name(sync));
        }
    }
    metadata = json_clone(json_get(sync, "metadata"));
    uid = kube_uid(live);
    json_set_string(metadata, "uid", uid != NULL ? uid : PLAN_UNKNOWN_UID);
    json_set_string(metadata, "creationTimestamp", "1970-01-01T00:00:00Z");
    json_set(sync, "metadata", metadata);
    if (json_get(live, "status") != NULL) {
        json_set(sync, "status", json_clone(json_get(live, "status")));
    } else {
        json_remove(sync, "status");
    }
    return true;
}

bool workbench_sync(struct workbench *bench, struct json *document, struct arena *arena,
                    struct tablesync *out_sync, const char **out_key, struct fault *fault)
{
    AUTO(json_freep) struct json *object = document;
    struct tablesync sync = {0};

    if (!adopt_identity(bench, object, fault)) {
        return false;
    }
    if (!tablesync_decode(object, arena, &sync, fault)) {
        return false;
    }
    kube_store_put(bench->loop->syncs, TAKE(object));
    if (!workbench_connection(bench, sync.namespace, sync.source_connection, fault) ||
        !workbench_connection(bench, sync.namespace, sync.rw_connection, fault) ||
        !workbench_connection(bench, sync.namespace, sync.target_connection, fault)) {
        return false;
    }
    *out_sync = sync;
    *out_key = arena_printf(arena, LOOP_KEY_SYNC "%s/%s", sync.namespace, sync.name);
    return true;
}

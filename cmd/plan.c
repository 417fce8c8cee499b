/*
 * `tablesync plan -f FILE`: the ordered SQL per server, and nothing touched. With
 * --mysql-schema nothing is even asked.
 */
#include "cmd/cluster.h"
#include "cmd/cmd.h"
#include "cmd/documents.h"
#include "cmd/plan_offline.h"
#include "cmd/plan_print.h"
#include "loop/preview.h"
#include "model/spec.h"

#include <stdio.h>
#include <string.h>

#define PLAN_TIMEOUT_MS INT64_C(300000)

struct planning {
    const struct options *options;
    struct documents *documents;
    struct cluster cluster;
    struct loop *loop;
    struct kube_api api;
    struct cancel stop;
    bool json;
};

/* A cluster that was asked for must answer. One that only happens to be configured may be
 * away: everything can be in the file. */
static bool without_cluster(const struct planning *p, const struct fault *why,
                            const char *consequence, struct fault *fault)
{
    if (p->options->values[OPTION_KUBECONFIG] != NULL ||
        p->options->values[OPTION_CONTEXT] != NULL) {
        *fault = *why;
        return false;
    }
    (void)fprintf(stderr, "tablesync: no cluster (%s): %s\n", why->text, consequence);
    return true;
}

/* The resource as the cluster knows it has the uid that names end in, and its status the
 * version of its sink. */
static bool adopt_identity(struct planning *p, struct json *sync, struct fault *fault)
{
    AUTO(json_freep) struct json *live = NULL;
    enum kube_outcome outcome = KUBE_OK;
    struct fault why = FAULT_INIT;
    struct json *metadata = NULL;
    const char *uid = NULL;

    if (p->cluster.transport != NULL && kube_name(sync) != NULL) {
        struct kube_api api = {.transport = p->cluster.transport,
                               .clock = clock_system(),
                               .call_timeout_ms = 10000};

        if (!kube_get(&api, &loop_resource_sync, kube_namespace(sync), kube_name(sync),
                      &p->stop, &outcome, &live, &why) &&
            !without_cluster(p, &why, "planning as if the resource did not exist yet",
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

/* Connections of the file, and those of the cluster the file does not have. */
static bool fill_connections(struct planning *p, const struct tablesync *sync,
                             struct fault *fault)
{
    const char *const names[] = {sync->source_connection, sync->rw_connection,
                                 sync->target_connection};

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        AUTO(json_freep) struct json *object = NULL;
        enum kube_outcome outcome = KUBE_OK;

        if (!kube_get(&p->api, &loop_resource_conn, sync->namespace, names[i], &p->stop,
                      &outcome, &object, fault)) {
            return fault_wrap(fault, "read DatabaseConnection '%s'", names[i]);
        }
        if (outcome == KUBE_OK) {
            kube_store_put(p->loop->conns, TAKE(object));
        }
    }
    return true;
}

static void visit(void *context, struct attempt *a)
{
    const struct planning *p = context;

    plan_print(&a->plan, &a->desired, p->json, a->arena);
}

static bool plan_live(struct planning *p, struct fault *fault)
{
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);
    struct json *object = NULL;

    for (size_t i = 0; (object = documents_copy(p->documents, "TableSync", i)) != NULL;
         i++) {
        struct tablesync sync = {0};
        const char *key = NULL;

        if (!adopt_identity(p, object, fault)) {
            json_free(object);
            return false;
        }
        if (!tablesync_decode(object, arena, &sync, fault)) {
            json_free(object);
            return fault_wrap(fault, "TableSync document %zu", i + 1);
        }
        kube_store_put(p->loop->syncs, object);
        key = arena_printf(arena, LOOP_KEY_SYNC "%s/%s", sync.namespace, sync.name);
        if (!fill_connections(p, &sync, fault) ||
            !loop_preview(p->loop, key, visit, p, fault)) {
            return fault_wrap(fault, "TableSync %s/%s", sync.namespace, sync.name);
        }
    }
    return true;
}

static bool open_cluster(struct planning *p, struct fault *fault)
{
    struct fault why = FAULT_INIT;

    return cluster_open(p->options, &p->cluster, &why) ||
           without_cluster(p, &why, "connections and Secrets come from the file only",
                           fault);
}

static bool run_live(struct planning *p, struct fault *fault)
{
    struct loop_options options = {.instance = "plan",
                                   .resync_ms = 60000,
                                   .poll_ms = 1000,
                                   .attempt_ms = PLAN_TIMEOUT_MS};
    struct loop_ports ports = {.clock = clock_system(),
                               .databases = db_factory_real(),
                               .seed = rng_seed_from_system()};
    bool good = false;

    if (!open_cluster(p, fault)) {
        return false;
    }
    ports.kube = documents_transport(p->documents, p->cluster.transport);
    p->api = (struct kube_api){
        .transport = ports.kube, .clock = ports.clock, .call_timeout_ms = 10000};
    p->loop = loop_new(&ports, &options, &p->stop);
    good = plan_live(p, fault);
    loop_free(p->loop);
    return good;
}

static bool check_usage(const struct options *options, struct fault *fault)
{
    const char *output = options->values[OPTION_OUTPUT];

    if (options->values[OPTION_FILE] == NULL) {
        return fault_set(fault, FAULT_SPEC, NULL, "plan needs -f FILE with a TableSync");
    }
    if (strcmp(output, "table") != 0 && strcmp(output, "json") != 0) {
        return fault_set(fault, FAULT_SPEC, NULL,
                         "--output is '%s'; plan prints SQL text by default, or json",
                         output);
    }
    return true;
}

static int run(const struct options *options, struct fault *fault)
{
    AUTO(documents_freep) struct documents *documents = NULL;
    AUTO(json_freep) struct json *first = NULL;
    const char *namespace = options->values[OPTION_NAMESPACE];
    struct planning p = {.options = options,
                         .json = strcmp(options->values[OPTION_OUTPUT], "json") == 0};
    bool good = false;

    if (!documents_read(options->values[OPTION_FILE],
                        namespace == NULL ? "default" : namespace, &documents, fault)) {
        return command_failed(fault);
    }
    first = documents_copy(documents, "TableSync", 0);
    if (first == NULL) {
        (void)fault_set(fault, FAULT_SPEC, NULL, "%s has no document of kind TableSync",
                        options->values[OPTION_FILE]);
        return command_failed(fault);
    }
    p.documents = documents;
    if (options->values[OPTION_MYSQL_SCHEMA] != NULL) {
        good =
            plan_offline(documents, options->values[OPTION_MYSQL_SCHEMA], p.json, fault);
    } else if (cancel_init_root(&p.stop, clock_system(), fault)) {
        good = run_live(&p, fault);
        cluster_close(&p.cluster);
        cancel_deinit(&p.stop);
    }
    return good ? EXIT_OK : command_failed(fault);
}

int command_plan(const struct options *options)
{
    struct fault fault = FAULT_INIT;

    return check_usage(options, &fault) ? with_libraries(options, run)
                                        : command_failed(&fault);
}

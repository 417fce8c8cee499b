#include "cmd/cluster.h"

#include "base/secret.h"
#include "cmd/cmd.h"
#include "db/db.h"

#include <stdlib.h>
#include <string.h>

bool cluster_config(const struct options *options, struct arena *arena,
                    struct kube_config *out_config, struct fault *fault)
{
    struct kube_config_sources sources = {
        .explicit_path = options->values[OPTION_KUBECONFIG],
        .context = options->values[OPTION_CONTEXT],
        .kubeconfig_env = getenv("KUBECONFIG"),
        .home = getenv("HOME"),
        .service_host = getenv("KUBERNETES_SERVICE_HOST"),
        .service_port = getenv("KUBERNETES_SERVICE_PORT"),
        .service_account_dir = "/var/run/secrets/kubernetes.io/serviceaccount"};

    return kube_config_load(&sources, arena, out_config, fault);
}

bool cluster_open(const struct options *options, struct cluster *out_cluster,
                  struct fault *fault)
{
    struct cluster cluster = {.arena = arena_new(ARENA_CEILING_BYTES)};
    char *agent =
        arena_printf(cluster.arena, "tablesync/%s (linux)", command_version_text());

    if (!cluster_config(options, cluster.arena, &cluster.config, fault) ||
        !kube_transport_curl_new(&cluster.config, agent, clock_system(),
                                 &cluster.transport, fault)) {
        cluster_close(&cluster);
        return false;
    }
    *out_cluster = cluster;
    return true;
}

bool cluster_transport(const struct cluster *cluster, const char *purpose,
                       struct kube_transport **out_transport, struct fault *fault)
{
    const char *agent = arena_printf(cluster->arena, "tablesync/%s (linux)/%s",
                                     command_version_text(), purpose);

    return kube_transport_curl_new(&cluster->config, agent, clock_system(), out_transport,
                                   fault);
}

void cluster_close(struct cluster *cluster)
{
    if (cluster->arena == NULL) {
        return;
    }
    kube_transport_free(cluster->transport);
    kube_config_deinit(&cluster->config);
    arena_free(cluster->arena);
    memset(cluster, 0, sizeof(*cluster));
}

int with_libraries(const struct options *options,
                   int (*command)(const struct options *options, struct fault *fault))
{
    struct fault fault = FAULT_INIT;
    int status = EXIT_FAILED;

    if (!db_library_init(&fault)) {
        return command_failed(&fault);
    }
    if (!kube_curl_global_init(&fault)) {
        db_library_deinit();
        return command_failed(&fault);
    }
    status = command(options, &fault);
    kube_curl_global_deinit();
    db_library_deinit();
    secret_forget_all();
    return status;
}

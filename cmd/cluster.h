/* cluster: the API server as flags and environment name it. */
#ifndef CMD_CLUSTER_H
#define CMD_CLUSTER_H

#include "cmd/options.h"
#include "kube/config.h"
#include "kube/transport.h"

struct cluster {
    struct arena *arena;
    struct kube_config config;
    struct kube_transport *transport;
};

/*
 * Library-wide set-up, before any thread starts; runs `command` and undoes it. Returns
 * the command's exit code, or that of a failed set-up.
 */
int with_libraries(const struct options *options,
                   int (*command)(const struct options *options, struct fault *fault));

/* Where --kubeconfig, --context and the environment lead; kube_config_deinit() it. */
MUST_CHECK bool cluster_config(const struct options *options, struct arena *arena,
                               struct kube_config *out_config, struct fault *fault);
/* Uses --kubeconfig, --context and the environment. Library set-up must have happened. */
MUST_CHECK bool cluster_open(const struct options *options, struct cluster *out_cluster,
                             struct fault *fault);
/* Another one, which shares no connection with the first; the caller frees it. `purpose`
 * stands behind the user agent, as client-go's do. */
MUST_CHECK bool cluster_transport(const struct cluster *cluster, const char *purpose,
                                  struct kube_transport **out_transport,
                                  struct fault *fault);
void cluster_close(struct cluster *cluster); /* for AUTO(); fine when empty */

#endif

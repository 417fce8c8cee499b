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

/* Uses --kubeconfig, --context and the environment. Library set-up must have happened. */
MUST_CHECK bool cluster_open(const struct options *options, struct cluster *out_cluster,
                             struct fault *fault);
void cluster_close(struct cluster *cluster); /* for AUTO(); fine when empty */

#endif

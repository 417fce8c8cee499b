/*
 * kubectl_transport: the API server through kubectl itself, for kubeconfigs whose logins
 * only kubectl can make (exec plugins, impersonation). Each call is one kubectl: reads of
 * any path, and merge patches of TableSyncs.
 */
#ifndef CMD_KUBECTL_TRANSPORT_H
#define CMD_KUBECTL_TRANSPORT_H

#include "cmd/options.h"
#include "kube/transport.h"

struct kube_transport *kubectl_transport_new(const struct options *options);
/* -n, or the namespace of the context; lives in the arena. */
MUST_CHECK bool kubectl_transport_namespace(const struct options *options,
                                            struct arena *arena, struct cancel *cancel,
                                            const char **out_namespace,
                                            struct fault *fault);

#endif

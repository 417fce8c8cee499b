/*
 * kubeconfig: files merged and one context of them resolved. Private to the room.
 *
 * Merge as client-go v0.36 tools/clientcmd: for each cluster, context and user the first
 * file that has it wins whole, as for current-context; relative paths resolve against the
 * file they stand in.
 */
#ifndef KUBE_KUBECONFIG_H
#define KUBE_KUBECONFIG_H

#include "base/json.h"
#include "base/vec.h"
#include "kube/config.h"

#define KUBECONFIG_FILES_MAX 64
#define KUBECONFIG_PEM_MAX ((size_t)1024 * 1024)

struct kubeconfig_file {
    const char *path;
    struct json *root;
};

struct kubeconfig {
    VEC(struct kubeconfig_file) files;
};

void kubeconfig_deinit(struct kubeconfig *kubeconfig);
/* Adds one file; a fault names it. */
MUST_CHECK bool kubeconfig_add(struct kubeconfig *kubeconfig, const char *path,
                               struct arena *arena, struct fault *fault);
/* `context` NULL: current-context. */
MUST_CHECK bool kubeconfig_resolve(const struct kubeconfig *kubeconfig,
                                   const char *context, struct arena *arena,
                                   struct kube_config *out_config, struct fault *fault);

#endif

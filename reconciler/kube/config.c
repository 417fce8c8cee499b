#include "kube/config.h"

#include "base/file.h"
#include "kube/kubeconfig.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define NAMESPACE_BYTES_MAX ((size_t)1024)

void kube_config_deinit(struct kube_config *config)
{
    const struct secret **secrets[] = {&config->client_key_pem, &config->token,
                                       &config->password};

    for (size_t i = 0; i < COUNT_OF(secrets); i++) {
        /* Readers see const; the config is the owner and may give its reference back. */
        secret_free((struct secret *)(uintptr_t)*secrets[i]);
        *secrets[i] = NULL;
    }
}

static bool is_set(const char *text)
{
    return text != NULL && text[0] != '\0';
}

static bool file_exists(const char *path)
{
    return access(path, F_OK) == 0 || errno != ENOENT;
}

static bool has_file(const struct kubeconfig *kubeconfig, const char *path)
{
    for (VEC_EACH(struct kubeconfig_file, file, &kubeconfig->files)) {
        if (sv_eq(sv_from(file->path), sv_from(path))) {
            return true;
        }
    }
    return false;
}

/* KUBECONFIG: missing files are skipped and repeated ones read once. */
static bool add_list(struct kubeconfig *kubeconfig, const char *list, struct arena *arena,
                     struct fault *fault)
{
    struct sv rest = sv_from(list);

    while (rest.n > 0) {
        struct sv part = sv_cut(&rest, ':');
        const char *path = arena_copy(arena, part);
        if (part.n == 0 || has_file(kubeconfig, path) || !file_exists(path)) {
            continue;
        }
        if (!kubeconfig_add(kubeconfig, path, arena, fault)) {
            return false;
        }
    }
    if (kubeconfig->files.n == 0) {
        /* Falling back to another cluster would be worse than stopping. */
        return fault_set(
            fault, FAULT_SPEC, "InvalidKubeconfig",
            "none of the files in KUBECONFIG ('%s') exists; correct the variable "
            "or unset it",
            list);
    }
    return true;
}

static bool read_namespace(const char *path, struct arena *arena,
                           const char **out_namespace, struct fault *fault)
{
    AUTO(buf_deinit) struct buf text = {0};

    buf_init(&text, NAMESPACE_BYTES_MAX);
    if (!file_exists(path)) {
        *out_namespace = "default";
        return true;
    }
    if (!file_read(path, &text, fault)) {
        return fault_wrap(fault, "service account namespace");
    }
    struct sv name = sv_trim(buf_sv(&text));
    *out_namespace = name.n == 0 ? "default" : arena_copy(arena, name);
    return true;
}

/* client-go v0.36 rest/config.go InClusterConfig; an IPv6 address needs its brackets. */
static bool load_in_cluster(const struct kube_config_sources *sources,
                            struct arena *arena, struct kube_config *out_config,
                            struct fault *fault)
{
    const char *dir = sources->service_account_dir;
    const char *host = sources->service_host;
    bool brackets = strchr(host, ':') != NULL && host[0] != '[';
    struct kube_config config = {
        .server = arena_printf(arena, brackets ? "https://[%s]:%s" : "https://%s:%s",
                               host, sources->service_port),
        .token_file = arena_printf(arena, "%s/token", dir),
        .ca_file = arena_printf(arena, "%s/ca.crt", dir),
        .origin = "in-cluster",
    };
    const char *needed[] = {config.token_file, config.ca_file};

    for (size_t i = 0; i < COUNT_OF(needed); i++) {
        if (!file_exists(needed[i])) {
            return fault_set(
                fault, FAULT_SPEC, "NoServiceAccount",
                "KUBERNETES_SERVICE_HOST says this is a pod, but '%s' does not "
                "exist; set automountServiceAccountToken: true, or give "
                "--kubeconfig",
                needed[i]);
        }
    }
    if (!read_namespace(arena_printf(arena, "%s/namespace", dir), arena,
                        &config.namespace, fault)) {
        return false;
    }
    *out_config = config;
    return true;
}

static bool load_files(const struct kube_config_sources *sources, const char *only,
                       struct arena *arena, struct kube_config *out_config,
                       struct fault *fault)
{
    AUTO(kubeconfig_deinit) struct kubeconfig kubeconfig = {0};
    bool added = only != NULL
                     ? kubeconfig_add(&kubeconfig, only, arena, fault)
                     : add_list(&kubeconfig, sources->kubeconfig_env, arena, fault);

    return added &&
           kubeconfig_resolve(&kubeconfig, sources->context, arena, out_config, fault);
}

bool kube_config_load(const struct kube_config_sources *sources, struct arena *arena,
                      struct kube_config *out_config, struct fault *fault)
{
    if (is_set(sources->explicit_path)) {
        return load_files(sources, sources->explicit_path, arena, out_config, fault);
    }
    if (is_set(sources->kubeconfig_env)) {
        return load_files(sources, NULL, arena, out_config, fault);
    }
    if (is_set(sources->service_host) && is_set(sources->service_port)) {
        return load_in_cluster(sources, arena, out_config, fault);
    }
    if (is_set(sources->home)) {
        const char *path = arena_printf(arena, "%s/.kube/config", sources->home);
        if (file_exists(path)) {
            return load_files(sources, path, arena, out_config, fault);
        }
    }
    return fault_set(
        fault, FAULT_SPEC, "NoCluster",
        "no cluster is configured: give --kubeconfig FILE, set KUBECONFIG, run in "
        "a pod with a service account, or create ~/.kube/config");
}

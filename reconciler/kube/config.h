/*
 * config: where the API server is and how to log in.
 *
 * Order: --kubeconfig, then KUBECONFIG (a path list, merged: first file wins), then the
 * in-cluster service account, then ~/.kube/config. Relative paths resolve against the
 * file they stand in (client-go v0.36 tools/clientcmd).
 */
#ifndef KUBE_CONFIG_H
#define KUBE_CONFIG_H

#include "base/arena.h"
#include "base/fault.h"
#include "base/secret.h"

/* Reason of the fault for a login that client-go knows and we do not: exec plugins,
 * auth-provider, impersonation. */
#define CONFIG_LOGIN_NOT_SUPPORTED "LoginNotSupported"

struct kube_config {
    const char *server;          /* "https://host:port", no trailing slash */
    const char *namespace;       /* of the context or the service account; "default" */
    const char *tls_server_name; /* NULL: the host of `server` */
    const char *proxy_url;       /* NULL: none */
    const char *ca_file;         /* NULL: system roots, or ca_pem */
    const char *ca_pem;
    const char *client_cert_file; /* and key: both or none */
    const char *client_key_file;
    const char *client_cert_pem;
    const struct secret *client_key_pem;
    const char *token_file; /* beats token; re-read */
    const struct secret *token;
    const char *username; /* basic authentication, for old test servers */
    const struct secret *password;
    bool insecure_skip_tls_verify;
    bool disable_compression; /* ask for no compressed answers */
    const char
        *origin; /* "kubeconfig <path>, context <name>" or "in-cluster" for messages */
};

struct kube_config_sources {
    const char *explicit_path;       /* --kubeconfig or NULL */
    const char *context;             /* --context or NULL: current-context */
    const char *kubeconfig_env;      /* getenv("KUBECONFIG") */
    const char *home;                /* getenv("HOME") */
    const char *service_host;        /* getenv("KUBERNETES_SERVICE_HOST") */
    const char *service_port;        /* getenv("KUBERNETES_SERVICE_PORT") */
    const char *service_account_dir; /* /var/run/secrets/kubernetes.io/serviceaccount */
};

/*
 * Strings live in the arena, secrets too are released with kube_config_deinit(). Faults
 * name the file and the entry: missing context, cluster or user, CA together with
 * insecure-skip-tls-verify, exec plugins and auth-provider (not supported: said so).
 */
MUST_CHECK bool kube_config_load(const struct kube_config_sources *sources,
                                 struct arena *arena, struct kube_config *out_config,
                                 struct fault *fault);
void kube_config_deinit(struct kube_config *config);

#endif

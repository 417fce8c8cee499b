#include "kube/kubeconfig.h"

#include "base/file.h"
#include "base/yaml.h"
#include "kube/base64.h"

#include <string.h>

#define REASON "InvalidKubeconfig"

/* One entry of a list, with the file it stands in for relative paths and messages. */
struct entry {
    const char *kind; /* "cluster", "context", "user" */
    const char *name;
    const char *path;
    const struct json *body;
};

void kubeconfig_deinit(struct kubeconfig *kubeconfig)
{
    for (VEC_EACH(struct kubeconfig_file, file, &kubeconfig->files)) {
        json_free(TAKE(file->root));
    }
    kubeconfig->files.n = 0;
}

bool kubeconfig_add(struct kubeconfig *kubeconfig, const char *path, struct arena *arena,
                    struct fault *fault)
{
    AUTO(buf_deinit_zero) struct buf text = {0};
    struct json *documents = NULL;

    if (kubeconfig->files.n >= KUBECONFIG_FILES_MAX) {
        return fault_set(fault, FAULT_SPEC, REASON, "KUBECONFIG names more than %d files",
                         KUBECONFIG_FILES_MAX);
    }
    buf_init(&text, YAML_INPUT_MAX);
    if (!file_read(path, &text, fault)) {
        return fault_wrap(fault, "kubeconfig");
    }
    if (!yaml_parse_all(buf_sv(&text), &documents, fault)) {
        return fault_wrap(fault, "kubeconfig '%s'", path);
    }
    /* An empty file is a valid one: kubectl makes such files. */
    if (json_size(documents) > 1 ||
        (json_size(documents) == 1 && json_kind(json_first(documents)) != JSON_OBJECT)) {
        json_free(documents);
        return fault_set(fault, FAULT_SPEC, REASON,
                         "kubeconfig '%s' is not one YAML mapping; is it a kubeconfig?",
                         path);
    }
    const struct kubeconfig_file file = {arena_strdup(arena, path), documents};
    VEC_PUSH(arena, &kubeconfig->files, file);
    return true;
}

static const struct json *file_body(const struct kubeconfig_file *file)
{
    return json_first(file->root);
}

static bool entry_find(const struct kubeconfig *kubeconfig, const char *list,
                       const char *kind, const char *name, struct entry *out_entry)
{
    for (VEC_EACH(struct kubeconfig_file, file, &kubeconfig->files)) {
        const struct json *row = json_first(json_get(file_body(file), list));
        for (; row != NULL; row = json_next(row)) {
            if (sv_eq(sv_from(json_get_string(row, "name")), sv_from(name))) {
                *out_entry = (struct entry){kind, name, file->path, json_get(row, kind)};
                return true;
            }
        }
    }
    return false;
}

static bool entry_fault(struct fault *fault, const struct entry *entry, const char *text)
{
    return fault_set(fault, FAULT_SPEC, REASON, "kubeconfig '%s', %s '%s': %s",
                     entry->path, entry->kind, entry->name, text);
}

/* A string field; empty reads as absent. Another type is a fault: `token: 123` unquoted.
 */
static bool text_field(const struct entry *entry, const char *key, struct arena *arena,
                       const char **out_text, struct fault *fault)
{
    const struct json *node = json_get(entry->body, key);
    enum json_kind kind = json_kind(node);

    if (kind != JSON_MISSING && kind != JSON_NULL && kind != JSON_STRING) {
        return entry_fault(fault, entry,
                           arena_printf(arena, "%s must be a string; quote it", key));
    }
    const char *text = json_string(node);
    *out_text = text == NULL || text[0] == '\0' ? NULL : arena_strdup(arena, text);
    return true;
}

static bool path_field(const struct entry *entry, const char *key, struct arena *arena,
                       const char **out_path, struct fault *fault)
{
    const char *text = NULL;

    if (!text_field(entry, key, arena, &text, fault)) {
        return false;
    }
    must(entry->path != NULL); /* every entry comes from a file */
    const char *slash = strrchr(entry->path, '/');
    if (text == NULL || text[0] == '/' || slash == NULL) {
        *out_path = text;
    } else {
        *out_path =
            arena_printf(arena, "%.*s/%s", (int)(slash - entry->path), entry->path, text);
    }
    return true;
}

/* Base64 of a PEM file. NULL when absent. */
static bool data_field(const struct entry *entry, const char *key, struct arena *arena,
                       struct buf *out_pem, struct fault *fault)
{
    const struct json *node = json_get(entry->body, key);
    struct sv text = sv_from(json_string(node));

    if (text.n == 0) {
        return true;
    }
    if (!base64_parse(text, out_pem) || out_pem->n == 0 ||
        memchr(buf_z(out_pem), '\0', out_pem->n) != NULL) {
        return entry_fault(
            fault, entry, arena_printf(arena, "%s is not the base64 of a PEM file", key));
    }
    return true;
}

static bool secret_field(const struct entry *entry, const char *key, struct arena *arena,
                         const struct secret **out_secret, struct fault *fault)
{
    const struct json *node = json_get(entry->body, key);
    enum json_kind kind = json_kind(node);

    if (kind != JSON_MISSING && kind != JSON_NULL && kind != JSON_STRING) {
        return entry_fault(fault, entry,
                           arena_printf(arena, "%s must be a string; quote it", key));
    }
    struct sv text = sv_from(json_string(node));
    *out_secret = text.n == 0 ? NULL : secret_new(text);
    return true;
}

static bool check_server(const struct entry *cluster, const char *server,
                         struct fault *fault)
{
    struct sv text = sv_from(server);

    if (server == NULL) {
        return entry_fault(fault, cluster, "server is missing");
    }
    if (!sv_starts_nocase(text, SV("https://")) &&
        !sv_starts_nocase(text, SV("http://"))) {
        return entry_fault(fault, cluster,
                           "server must begin with https:// (or http://)");
    }
    if (strpbrk(server, "@?# \t\r\n") != NULL) {
        return entry_fault(
            fault, cluster,
            "server must be https://host:port without user, query or spaces");
    }
    return true;
}

static bool read_cluster(const struct entry *cluster, struct arena *arena,
                         struct kube_config *config, struct fault *fault)
{
    AUTO(buf_deinit) struct buf pem = {0};
    const char *server = NULL;

    buf_init(&pem, KUBECONFIG_PEM_MAX);
    if (!text_field(cluster, "server", arena, &server, fault) ||
        !check_server(cluster, server, fault) ||
        !text_field(cluster, "tls-server-name", arena, &config->tls_server_name, fault) ||
        !text_field(cluster, "proxy-url", arena, &config->proxy_url, fault) ||
        !path_field(cluster, "certificate-authority", arena, &config->ca_file, fault) ||
        !data_field(cluster, "certificate-authority-data", arena, &pem, fault)) {
        return false;
    }
    struct sv trimmed = sv_from(server);
    while (sv_ends(trimmed, SV("/"))) {
        trimmed.n--;
    }
    config->server = arena_copy(arena, trimmed);
    if (pem.n > 0) {
        config->ca_pem = buf_take(&pem, arena);
        config->ca_file = NULL;
    }
    config->insecure_skip_tls_verify =
        json_bool(json_get(cluster->body, "insecure-skip-tls-verify"), false);
    config->disable_compression =
        json_bool(json_get(cluster->body, "disable-compression"), false);
    if (config->insecure_skip_tls_verify &&
        (config->ca_pem != NULL || config->ca_file != NULL)) {
        return entry_fault(
            fault, cluster,
            "certificate-authority and insecure-skip-tls-verify exclude each "
            "other; remove one of them");
    }
    return true;
}

static bool read_client_cert(const struct entry *user, struct arena *arena,
                             struct kube_config *config, struct fault *fault)
{
    AUTO(buf_deinit) struct buf cert = {0};
    AUTO(buf_deinit_zero) struct buf key = {0};

    buf_init(&cert, KUBECONFIG_PEM_MAX);
    buf_init(&key, KUBECONFIG_PEM_MAX);
    if (!path_field(user, "client-certificate", arena, &config->client_cert_file,
                    fault) ||
        !path_field(user, "client-key", arena, &config->client_key_file, fault) ||
        !data_field(user, "client-certificate-data", arena, &cert, fault) ||
        !data_field(user, "client-key-data", arena, &key, fault)) {
        return false;
    }
    if (cert.n > 0) {
        config->client_cert_pem = buf_take(&cert, arena);
        config->client_cert_file = NULL;
    }
    if (key.n > 0) {
        config->client_key_pem = secret_new(buf_sv(&key));
        config->client_key_file = NULL;
    }
    bool has_cert = config->client_cert_pem != NULL || config->client_cert_file != NULL;
    bool has_key = config->client_key_pem != NULL || config->client_key_file != NULL;
    if (has_cert != has_key) {
        return entry_fault(fault, user,
                           has_cert ? "client-certificate needs client-key"
                                    : "client-key needs client-certificate");
    }
    return true;
}

static bool check_supported(const struct entry *user, const struct kube_config *config,
                            struct arena *arena, struct fault *fault)
{
    static const char *const as[] = {"as", "as-uid", "as-groups", "as-user-extra"};
    static const char *const plugins[] = {"exec", "auth-provider"};
    bool has_login = config->token != NULL || config->token_file != NULL ||
                     config->client_cert_pem != NULL ||
                     config->client_cert_file != NULL || config->username != NULL;

    for (size_t i = 0; i < COUNT_OF(as); i++) {
        if (json_get(user->body, as[i]) != NULL) {
            (void)entry_fault(
                fault, user,
                arena_printf(arena,
                             "impersonation ('%s') is not supported; use the "
                             "credentials of the user itself",
                             as[i]));
            return fault_reason(fault, CONFIG_LOGIN_NOT_SUPPORTED);
        }
    }
    /* client-go runs a plugin only when nothing else logs in: so such a file works here
     * too. */
    for (size_t i = 0; i < COUNT_OF(plugins) && !has_login; i++) {
        if (json_get(user->body, plugins[i]) != NULL) {
            (void)entry_fault(
                fault, user,
                arena_printf(arena,
                             "'%s' is not supported, because the controller starts no "
                             "programs; use a token, tokenFile or client certificate "
                             "(kubectl create token SERVICEACCOUNT makes one)",
                             plugins[i]));
            return fault_reason(fault, CONFIG_LOGIN_NOT_SUPPORTED);
        }
    }
    return true;
}

static bool read_user(const struct entry *user, struct arena *arena,
                      struct kube_config *config, struct fault *fault)
{
    if (!path_field(user, "tokenFile", arena, &config->token_file, fault) ||
        !secret_field(user, "token", arena, &config->token, fault) ||
        !text_field(user, "username", arena, &config->username, fault) ||
        !secret_field(user, "password", arena, &config->password, fault) ||
        !read_client_cert(user, arena, config, fault)) {
        return false;
    }
    return check_supported(user, config, arena, fault);
}

static const char *current_context(const struct kubeconfig *kubeconfig)
{
    for (VEC_EACH(struct kubeconfig_file, file, &kubeconfig->files)) {
        const char *name = json_get_string(file_body(file), "current-context");
        if (name != NULL && name[0] != '\0') {
            return name;
        }
    }
    return NULL;
}

/* The entry a context points to; `user` may be left out: then nobody logs in. */
static bool follow(const struct kubeconfig *kubeconfig, const struct entry *context,
                   const char *list, const char *kind, struct arena *arena,
                   struct entry *out_entry, struct fault *fault)
{
    const char *name = NULL;

    if (!text_field(context, kind, arena, &name, fault)) {
        return false;
    }
    if (name == NULL) {
        return entry_fault(fault, context, arena_printf(arena, "%s is missing", kind));
    }
    if (!entry_find(kubeconfig, list, kind, name, out_entry)) {
        return entry_fault(fault, context,
                           arena_printf(arena, "there is no %s named '%s'", kind, name));
    }
    return true;
}

bool kubeconfig_resolve(const struct kubeconfig *kubeconfig, const char *context_name,
                        struct arena *arena, struct kube_config *out_config,
                        struct fault *fault)
{
    AUTO(kube_config_deinit) struct kube_config config = {0};
    const char *path = kubeconfig->files.v[0].path;
    struct entry context = {0};
    struct entry cluster = {0};
    struct entry user = {0};

    const char *name = context_name != NULL ? context_name : current_context(kubeconfig);
    if (name == NULL) {
        return fault_set(
            fault, FAULT_SPEC, REASON,
            "kubeconfig '%s' has no current-context; set one with kubectl config "
            "use-context NAME, or give --context",
            path);
    }
    name = arena_strdup(arena, name);
    if (!entry_find(kubeconfig, "contexts", "context", name, &context)) {
        return fault_set(
            fault, FAULT_SPEC, REASON,
            "kubeconfig '%s' has no context '%s'; kubectl config get-contexts "
            "lists them",
            path, name);
    }
    if (!follow(kubeconfig, &context, "clusters", "cluster", arena, &cluster, fault) ||
        !read_cluster(&cluster, arena, &config, fault) ||
        !text_field(&context, "namespace", arena, &config.namespace, fault)) {
        return false;
    }
    if (json_get(context.body, "user") != NULL &&
        (!follow(kubeconfig, &context, "users", "user", arena, &user, fault) ||
         !read_user(&user, arena, &config, fault))) {
        return false;
    }
    config.namespace = config.namespace == NULL ? "default" : config.namespace;
    config.origin = arena_printf(arena, "kubeconfig %s, context %s", context.path, name);
    *out_config = config;
    config = (struct kube_config){0};
    return true;
}

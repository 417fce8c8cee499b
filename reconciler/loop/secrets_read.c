/* secrets_read: from a connection to what its Secrets hold. */
#include "base/heap.h"
#include "kube/base64.h"
#include "loop/loop.h"
#include "loop/secrets_private.h"

#define SECRET_VALUE_MAX ((size_t)64 * 1024)
#define VERSION_MAX 1024
/* The keys of a Secret of type kubernetes.io/tls. */
#define CLIENT_CERT_KEY "tls.crt"
#define CLIENT_PRIVATE_KEY "tls.key"

void credentials_deinit(struct credentials *credentials)
{
    heap_free(credentials->username);
    secret_free(credentials->password);
    heap_free(credentials->ca);
    heap_free(credentials->cert);
    secret_free(credentials->key);
    heap_free(credentials->version);
    memset(credentials, 0, sizeof(*credentials));
}

/* What a connection wants of one Secret. */
struct wanted {
    const char *field; /* of the connection: "spec.credentialsSecretRef" */
    const char *name;
    const char *keys[2]; /* the second may be NULL */
};

/* One Secret as read: the watched copy, or our own. */
struct found {
    struct kube_object *seen;
    struct json *read;
};

static void found_deinit(struct found *found)
{
    kube_object_put(found->seen);
    json_free(found->read);
}

static const struct json *found_json(const struct found *found)
{
    return found->seen != NULL ? found->seen->json : found->read;
}

static bool find_secret(struct secrets *secrets, const char *key, const char *namespace,
                        const struct wanted *wanted, struct cancel *cancel,
                        struct found *out_found, struct fault *fault)
{
    AUTO(json_freep) struct json *read = NULL;
    enum kube_outcome outcome = KUBE_OK;

    out_found->seen = secrets_watched(secrets, key, namespace, wanted->name);
    if (out_found->seen != NULL) {
        return true;
    }
    if (!kube_get(secrets->api, &loop_resource_secret, namespace, wanted->name, cancel,
                  &outcome, &read, fault)) {
        return fault_wrap(fault, "read Secret '%s' (%s)", key, wanted->field);
    }
    secrets_note_given(secrets, key,
                       outcome == KUBE_OK ? kube_resource_version(read) : "");
    /* Did the first list come in meanwhile? It knew nothing of this note. */
    out_found->seen = secrets_watched(secrets, key, namespace, wanted->name);
    if (out_found->seen != NULL) {
        return true;
    }
    if (outcome != KUBE_OK) {
        bool two = wanted->keys[1] != NULL;

        return fault_set(
            fault, FAULT_DENIED, "SecretNotFound",
            "there is no Secret '%s' (%s): create it with the key%s '%s'%s%s%s", key,
            wanted->field, two ? "s" : "", wanted->keys[0], two ? " and '" : "",
            two ? wanted->keys[1] : "", two ? "'" : "");
    }
    out_found->read = TAKE(read);
    return true;
}

static bool decode_key(const struct json *object, const char *key, const char *where,
                       const struct wanted *wanted, struct buf *out, struct fault *fault)
{
    const char *text = json_string(json_get(json_get(object, "data"), key));

    buf_init(out, SECRET_VALUE_MAX);
    if (text == NULL) {
        return fault_set(fault, FAULT_DENIED, "SecretKeyMissing",
                         "Secret '%s' has no key '%s' (%s): add it to the Secret, or "
                         "correct the connection",
                         where, key, wanted->field);
    }
    if (!base64_parse(sv_from(text), out) || buf_overflowed(out) ||
        !sv_is_utf8(buf_sv(out)) || memchr(buf_z(out), 0, out->n) != NULL) {
        return fault_set(fault, FAULT_DENIED, "SecretKeyMissing",
                         "key '%s' of Secret '%s' (%s) is not UTF-8 text of at most %zu "
                         "bytes without NUL",
                         key, where, wanted->field, SECRET_VALUE_MAX);
    }
    return true;
}

static bool not_empty(const struct buf *value, const char *key, const char *where,
                      const struct wanted *wanted, struct fault *fault)
{
    return value->n > 0 ||
           fault_set(fault, FAULT_DENIED, "SecretKeyMissing",
                     "key '%s' of Secret '%s' (%s) is empty", key, where, wanted->field);
}

/* Versions of all Secrets, one behind the other. */
static void add_version(struct credentials *credentials, const struct json *object)
{
    struct buf text;

    buf_init(&text, VERSION_MAX);
    buf_addf(&text, "%s%s%s/%s", credentials->version == NULL ? "" : credentials->version,
             credentials->version == NULL ? "" : "+", kube_uid(object),
             kube_resource_version(object));
    heap_free(credentials->version);
    credentials->version = heap_strdup(buf_z(&text));
    buf_deinit(&text);
}

/* Reads the wanted keys into buffers; the second stays empty when it is not asked for. */
static bool read_keys(struct secrets *secrets, const char *namespace,
                      const struct wanted *wanted, struct cancel *cancel,
                      struct credentials *credentials, struct buf *const values[2],
                      const char **out_where, struct arena *arena, struct fault *fault)
{
    AUTO(found_deinit) struct found found = {0};
    const char *where = arena_printf(arena, "%s/%s", namespace, wanted->name);

    if (!find_secret(secrets, where, namespace, wanted, cancel, &found, fault)) {
        return false;
    }
    for (size_t i = 0; i < 2 && wanted->keys[i] != NULL; i++) {
        if (!decode_key(found_json(&found), wanted->keys[i], where, wanted, values[i],
                        fault)) {
            return false;
        }
    }
    add_version(credentials, found_json(&found));
    *out_where = where;
    return true;
}

static bool read_login(struct secrets *secrets, const struct dbconn *conn,
                       struct cancel *cancel, struct credentials *credentials,
                       struct arena *arena, struct fault *fault)
{
    struct wanted wanted = {"spec.credentialsSecretRef",
                            conn->secret_name,
                            {conn->username_key, conn->password_key}};
    AUTO(buf_deinit_zero) struct buf user = {0};
    AUTO(buf_deinit_zero) struct buf password = {0};
    struct buf *const values[] = {&user, &password};
    const char *where = NULL;

    if (!read_keys(secrets, conn->namespace, &wanted, cancel, credentials, values, &where,
                   arena, fault) ||
        !not_empty(&user, conn->username_key, where, &wanted, fault)) {
        return false;
    }
    credentials->username = heap_strdup(buf_z(&user));
    credentials->password = secret_new(buf_sv(&password));
    return true;
}

static bool read_ca(struct secrets *secrets, const struct dbconn *conn,
                    struct cancel *cancel, struct credentials *credentials,
                    struct arena *arena, struct fault *fault)
{
    struct wanted wanted = {
        "spec.tls.caSecretRef", conn->tls_ca_secret, {conn->tls_ca_key, NULL}};
    AUTO(buf_deinit) struct buf ca = {0};
    struct buf *const values[] = {&ca, NULL};
    const char *where = NULL;

    if (conn->tls_ca_secret == NULL) {
        return true;
    }
    if (!read_keys(secrets, conn->namespace, &wanted, cancel, credentials, values, &where,
                   arena, fault) ||
        !not_empty(&ca, conn->tls_ca_key, where, &wanted, fault)) {
        return false;
    }
    credentials->ca = heap_strdup(buf_z(&ca));
    return true;
}

static bool read_client(struct secrets *secrets, const struct dbconn *conn,
                        struct cancel *cancel, struct credentials *credentials,
                        struct arena *arena, struct fault *fault)
{
    struct wanted wanted = {"spec.tls.clientCertSecretRef",
                            conn->tls_client_secret,
                            {CLIENT_CERT_KEY, CLIENT_PRIVATE_KEY}};
    AUTO(buf_deinit) struct buf cert = {0};
    AUTO(buf_deinit_zero) struct buf private_key = {0};
    struct buf *const values[] = {&cert, &private_key};
    const char *where = NULL;

    if (conn->tls_client_secret == NULL) {
        return true;
    }
    if (!read_keys(secrets, conn->namespace, &wanted, cancel, credentials, values, &where,
                   arena, fault) ||
        !not_empty(&cert, CLIENT_CERT_KEY, where, &wanted, fault) ||
        !not_empty(&private_key, CLIENT_PRIVATE_KEY, where, &wanted, fault)) {
        return false;
    }
    credentials->cert = heap_strdup(buf_z(&cert));
    credentials->key = secret_new(buf_sv(&private_key));
    return true;
}

bool secrets_read(struct secrets *secrets, const struct dbconn *conn,
                  struct cancel *cancel, struct credentials *out_credentials,
                  struct fault *fault)
{
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);
    struct credentials read = {0};

    if (!read_login(secrets, conn, cancel, &read, arena, fault) ||
        !read_ca(secrets, conn, cancel, &read, arena, fault) ||
        !read_client(secrets, conn, cancel, &read, arena, fault)) {
        credentials_deinit(&read); /* by hand: the analyzer knows no AUTO() */
        return false;
    }
    *out_credentials = read;
    return true;
}

#include "loop/keep.h"

#include "audit/vault.h"
#include "base/heap.h"
#include "loop/loop.h"

#define FORMAT 1
/* Sizes are rounded up to this, so that the file does not tell how long a password is. */
#define PAD_BYTES ((size_t)512)

/* What of a connection's spec is kept. Strings that may be NULL stay NULL. */
static const struct {
    const char *key;
    size_t offset;
} STRINGS[] = {
    {"created", offsetof(struct dbconn, created)},
    {"host", offsetof(struct dbconn, host)},
    {"database", offsetof(struct dbconn, database)},
    {"secret", offsetof(struct dbconn, secret_name)},
    {"usernameKey", offsetof(struct dbconn, username_key)},
    {"passwordKey", offsetof(struct dbconn, password_key)},
    {"caSecret", offsetof(struct dbconn, tls_ca_secret)},
    {"caKey", offsetof(struct dbconn, tls_ca_key)},
    {"clientSecret", offsetof(struct dbconn, tls_client_secret)},
    {"schema", offsetof(struct dbconn, rw_schema)},
};
static const struct {
    const char *key;
    size_t offset;
} NUMBERS[] = {
    {"generation", offsetof(struct dbconn, generation)},
    {"port", offsetof(struct dbconn, port)},
    {"serverIdLow", offsetof(struct dbconn, server_id_low)},
    {"serverIdHigh", offsetof(struct dbconn, server_id_high)},
    {"httpPort", offsetof(struct dbconn, http_port)},
};

bool keep_is_on(const struct loop *loop)
{
    return loop->ports.audit != NULL && loop->ports.crypto != NULL;
}

/* --- to text and back --- */

static void add_text(struct buf *out, const char *key, struct sv value)
{
    buf_addf(out, ",\"%s\":", key);
    json_quote(value, out);
}

static void add_string(struct buf *out, const char *key, const char *value)
{
    if (value != NULL) {
        add_text(out, key, sv_from(value));
    }
}

/* Written by hand: a JSON tree would leave the password behind in freed memory. */
static bool print(const struct dbconn *conn, const struct credentials *credentials,
                  struct buf *out, struct fault *fault)
{
    buf_init(out, VAULT_VALUE_MAX);
    buf_addf(out, "{\"format\":%d,\"type\":%d,\"tls\":%d", FORMAT, (int)conn->type,
             (int)conn->tls_mode);
    for (size_t i = 0; i < COUNT_OF(STRINGS); i++) {
        const char *const *field = (const void *)((const char *)conn + STRINGS[i].offset);

        add_string(out, STRINGS[i].key, *field);
    }
    for (size_t i = 0; i < COUNT_OF(NUMBERS); i++) {
        const int64_t *field = (const void *)((const char *)conn + NUMBERS[i].offset);

        buf_addf(out, ",\"%s\":%lld", NUMBERS[i].key, (long long)*field);
    }
    add_string(out, "username", credentials->username);
    add_text(out, "password", secret_reveal(credentials->password));
    add_string(out, "ca", credentials->ca);
    add_string(out, "cert", credentials->cert);
    if (credentials->key != NULL) {
        add_text(out, "key", secret_reveal(credentials->key));
    }
    buf_addc(out, '}');
    while (out->n % PAD_BYTES != 0 && !buf_overflowed(out)) {
        buf_addc(out, ' ');
    }
    return !buf_overflowed(out)
               ? true
               : fault_set(fault, FAULT_SPEC, "KeptTooLarge",
                           "spec and Secrets of connection '%s/%s' are larger than the "
                           "%zu bytes that are kept",
                           conn->namespace, conn->name, VAULT_VALUE_MAX);
}

static struct dbconn read_conn(const struct json *kept, const struct vault_entry *entry,
                               struct arena *arena)
{
    struct dbconn conn = {.namespace = entry->namespace,
                          .name = entry->name,
                          .uid = entry->uid,
                          .type = (enum dbconn_type)json_path_int(kept, "type", 0),
                          .tls_mode = (enum tls_mode)json_path_int(kept, "tls", 0)};

    for (size_t i = 0; i < COUNT_OF(STRINGS); i++) {
        const char **field = (void *)((char *)&conn + STRINGS[i].offset);

        *field = arena_strdup(arena, json_get_string(kept, STRINGS[i].key));
    }
    for (size_t i = 0; i < COUNT_OF(NUMBERS); i++) {
        int64_t *field = (void *)((char *)&conn + NUMBERS[i].offset);

        *field = json_path_int(kept, NUMBERS[i].key, 0);
    }
    return conn;
}

/* The version is no Secret's: a lane that uses what is kept is not the Secret's lane. */
static struct credentials read_credentials(const struct json *kept,
                                           const struct vault_entry *entry,
                                           struct arena *arena)
{
    const char *key = json_get_string(kept, "key");

    return (struct credentials){
        .username = heap_strdup(json_get_string(kept, "username")),
        .password = secret_new(sv_from(json_get_string(kept, "password"))),
        .ca = heap_strdup(json_get_string(kept, "ca")),
        .cert = heap_strdup(json_get_string(kept, "cert")),
        .key = key == NULL ? NULL : secret_new(sv_from(key)),
        .version = heap_strdup(arena_printf(arena, "kept/%s/%lld", entry->uid,
                                            (long long)entry->stored_ms))};
}

/* --- storing and finding --- */

/* What is stored says the same already. */
static bool is_kept(struct loop *loop, const struct dbconn *conn, struct sv text,
                    bool *out_same, struct fault *fault)
{
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);
    AUTO(buf_deinit_zero) struct buf value = {0};
    AUTO(secret_freep) struct secret *before = NULL;
    AUTO(secret_freep) struct secret *now = NULL;
    struct vault_entry entry = {0};
    struct fault why = FAULT_INIT;

    buf_init(&value, VAULT_VALUE_MAX + CRYPTO_TAG_BYTES);
    if (!vault_get(loop->ports.audit, loop->ports.crypto, conn->namespace, conn->name,
                   arena, &entry, &value, &why)) {
        if (strcmp(why.reason, "KeptUnreadable") != 0) {
            *fault = why;
            return false;
        }
        /* A login just worked: what nobody can read is no loss. */
        lg_error(loop->ports.lg, "kept credentials are stored anew",
                 LG_STR("error", why.text));
        *out_same = false;
        return true;
    }
    before = secret_new(buf_sv(&value));
    now = secret_new(text);
    *out_same = entry.namespace != NULL && strcmp(entry.uid, conn->uid) == 0 &&
                secret_equal(before, now);
    return true;
}

bool keep_store(struct loop *loop, const struct dbconn *conn,
                const struct credentials *credentials, struct fault *fault)
{
    AUTO(buf_deinit_zero) struct buf text = {0};
    bool same = false;

    if (!keep_is_on(loop)) {
        return true;
    }
    return print(conn, credentials, &text, fault) &&
           is_kept(loop, conn, buf_sv(&text), &same, fault) &&
           (same || vault_put(loop->ports.audit, loop->ports.crypto, conn->namespace,
                              conn->name, conn->uid, buf_sv(&text), fault));
}

static bool fault_nothing(const struct loop *loop, const char *namespace,
                          const char *name, struct fault *fault)
{
    if (!keep_is_on(loop)) {
        return fault_set(fault, FAULT_DENIED, "NothingKept",
                         "the controller runs without --encryption-key-file, so it did "
                         "not keep the credentials that worked last; with one it would "
                         "go on with those");
    }
    return fault_set(fault, FAULT_DENIED, "NothingKept",
                     "no last-known-good credentials of connection '%s/%s' are kept: no "
                     "login with it worked while it was in use and the controller had "
                     "its encryption key",
                     namespace, name);
}

bool keep_find(struct loop *loop, const char *namespace, const char *name,
               struct arena *arena, struct dbconn *out_conn,
               struct credentials *out_credentials, struct fault *fault)
{
    AUTO(buf_deinit_zero) struct buf value = {0};
    AUTO(json_freep) struct json *kept = NULL;
    struct vault_entry entry = {0};

    if (!keep_is_on(loop)) {
        return fault_nothing(loop, namespace, name, fault);
    }
    buf_init(&value, VAULT_VALUE_MAX + CRYPTO_TAG_BYTES);
    if (!vault_get(loop->ports.audit, loop->ports.crypto, namespace, name, arena, &entry,
                   &value, fault)) {
        return false;
    }
    if (entry.namespace == NULL) {
        return fault_nothing(loop, namespace, name, fault);
    }
    if (!json_parse(buf_sv(&value), VAULT_VALUE_MAX, &kept, fault) ||
        json_path_int(kept, "format", 0) != FORMAT) {
        /* Its bytes are as they were written: another program wrote them. */
        return fault_set(fault, FAULT_DENIED, "KeptUnreadable",
                         "the last-known-good credentials of connection '%s/%s' are of a "
                         "format that this version of the controller does not know",
                         namespace, name);
    }
    *out_conn = read_conn(kept, &entry, arena);
    *out_credentials = read_credentials(kept, &entry, arena);
    return true;
}

/* --- forgetting --- */

bool keep_erase(struct loop *loop, const char *namespace, const char *name,
                struct fault *fault)
{
    bool removed = false;

    /* Also without a key: what is stored from before must go. */
    if (loop->ports.audit == NULL) {
        return true;
    }
    if (!vault_remove(loop->ports.audit, namespace, name, &removed, fault)) {
        return false;
    }
    if (removed) {
        lg_info(loop->ports.lg, "kept credentials erased", LG_STR("namespace", namespace),
                LG_STR("connection", name));
    }
    return true;
}

static bool sweep(struct loop *loop, const char *namespace, struct fault *fault)
{
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);
    struct vault_list all = {0};

    if (!vault_list(loop->ports.audit, arena, &all, fault)) {
        return false;
    }
    for (VEC_EACH(const struct vault_entry, e, &all.entries)) {
        const char *key = arena_printf(arena, "%s/%s", e->namespace, e->name);
        AUTO(kube_object_putp)
        struct kube_object *object = kube_store_get(loop->conns, key);

        /* Of namespaces that are not watched the stores know nothing. */
        if ((namespace != NULL && strcmp(namespace, e->namespace) != 0) ||
            !loop_watches(loop, e->namespace) || object != NULL ||
            loop_connection_is_used(loop, e->namespace, e->name)) {
            continue;
        }
        if (!keep_erase(loop, e->namespace, e->name, fault)) {
            return false;
        }
        lanes_remove(loop->lanes, key);
    }
    return true;
}

static void missed(struct loop *loop, const struct fault *fault)
{
    metrics_add(loop->metrics, METRIC_AUDIT_ERRORS, 1);
    lg_error(loop->ports.lg, "kept credentials", LG_STR("error", fault->text));
}

void keep_sweep(struct loop *loop, const char *namespace)
{
    struct fault fault = FAULT_INIT;

    if (loop->ports.audit != NULL && !sweep(loop, namespace, &fault)) {
        missed(loop, &fault);
    }
}

void keep_rekey(struct loop *loop)
{
    struct fault fault = FAULT_INIT;
    int64_t changed = 0, unreadable = 0;

    if (!keep_is_on(loop)) {
        return;
    }
    if (!vault_rekey(loop->ports.audit, loop->ports.crypto, &changed, &unreadable,
                     &fault)) {
        missed(loop, &fault);
    } else if (changed > 0 || unreadable > 0) {
        lg_info(loop->ports.lg, "kept credentials encrypted with the current key",
                LG_STR("key", crypto_key_id(loop->ports.crypto)),
                LG_INT("changed", changed), LG_INT("unreadable", unreadable));
    }
}

/* connect: from a connection's name to a logged-in session. */
#include "loop/attempt.h"
#include "loop/keep.h"

const char *binding_role_name(enum binding_role role)
{
    static const char *const NAMES[] = {"source", "risingWave", "target"};

    return role < BIND_COUNT ? NAMES[role] : "?";
}

static enum dbconn_type wanted_type(enum binding_role role)
{
    switch (role) {
    case BIND_SOURCE:
        return DBCONN_MYSQL;
    case BIND_RISINGWAVE:
        return DBCONN_RISINGWAVE;
    case BIND_TARGET:
        return DBCONN_STARROCKS;
    case BIND_COUNT:
        break;
    }
    return DBCONN_TYPE_MAX;
}

static const char *connection_name(const struct attempt *a, enum binding_role role)
{
    switch (role) {
    case BIND_SOURCE:
        return a->sync.source_connection;
    case BIND_RISINGWAVE:
        return a->sync.rw_connection;
    case BIND_TARGET:
        return a->sync.target_connection;
    case BIND_COUNT:
        break;
    }
    return "";
}

struct db_endpoint connection_endpoint(const struct dbconn *conn,
                                       const struct credentials *credentials)
{
    return (struct db_endpoint){.conn = conn,
                                .user = credentials->username,
                                .password = credentials->password,
                                .tls = {.ca = credentials->ca,
                                        .cert = credentials->cert,
                                        .key = credentials->key}};
}

bool connection_resolve(struct loop *loop, const struct json *object, struct arena *arena,
                        struct cancel *cancel, struct dbconn *out_conn,
                        struct credentials *out_credentials, struct lane **out_lane,
                        struct fault *fault)
{
    struct dbconn conn = {0};
    AUTO(credentials_deinit) struct credentials credentials = {0};
    const char *key = NULL, *fingerprint = NULL;

    if (!dbconn_decode(object, arena, &conn, fault)) {
        return fault_reason(fault, "ConnectionInvalid");
    }
    if (!secrets_read(loop->secrets, &conn, cancel, &credentials, fault)) {
        return false;
    }
    key = arena_printf(arena, "%s/%s", conn.namespace, conn.name);
    fingerprint = arena_printf(arena, "%s/%lld/%s", conn.uid, (long long)conn.generation,
                               credentials.version);
    *out_lane = lane_get(loop->lanes, key, fingerprint);
    *out_conn = conn;
    *out_credentials = credentials;
    memset(&credentials, 0, sizeof(credentials));
    return true;
}

static bool find_connection(struct attempt *a, enum binding_role role,
                            struct kube_object **out_object, struct fault *fault)
{
    const char *name = connection_name(a, role);
    const char *key = arena_printf(a->arena, "%s/%s", a->sync.namespace, name);

    *out_object = kube_store_get(a->loop->conns, key);
    if (*out_object == NULL) {
        return fault_set(fault, FAULT_UNAVAILABLE, "ConnectionNotFound",
                         "there is no DatabaseConnection '%s' in namespace '%s' "
                         "(spec.%s.connectionRef.name): create it, or correct the name",
                         name, a->sync.namespace, binding_role_name(role));
    }
    return true;
}

/* Nothing new begins on what is about to vanish; what streams goes on until it does. */
static bool may_begin(const struct attempt *a, enum binding_role role,
                      const struct json *object, struct fault *fault)
{
    if (a->sync.deleting || !kube_deleting(object) || !attempt_first_run(a)) {
        return true;
    }
    return fault_set(fault, FAULT_UNAVAILABLE, "ConnectionDeleting",
                     "DatabaseConnection '%s' (spec.%s.connectionRef.name) is being "
                     "deleted, so nothing new is created with it; it goes when no "
                     "TableSync names it any more: delete this one too, or name another "
                     "connection",
                     connection_name(a, role), binding_role_name(role));
}

static bool find_living(struct attempt *a, enum binding_role role, struct fault *fault)
{
    struct binding *b = &a->bindings[role];
    AUTO(kube_object_putp) struct kube_object *object = NULL;

    if (!find_connection(a, role, &object, fault) ||
        !may_begin(a, role, object->json, fault)) {
        return false;
    }
    if (!connection_resolve(a->loop, object->json, a->arena, &a->cancel, &b->conn,
                            &b->credentials, &b->lane, fault)) {
        return fault_wrap(fault, "connection '%s' (spec.%s)", connection_name(a, role),
                          binding_role_name(role));
    }
    return true;
}

/* Connection or Secret are gone, or hold nothing that can be used: not a server's no. */
static bool is_missing(const struct fault *fault)
{
    static const char *const REASONS[] = {"ConnectionNotFound", "ConnectionInvalid",
                                          "SecretNotFound", "SecretKeyMissing"};

    for (size_t i = 0; i < COUNT_OF(REASONS); i++) {
        if (strcmp(fault->reason, REASONS[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* What is missing comes with a change that wakes all users; a Secret's, if it is watched.
 */
static bool comes_with_event(const struct attempt *a, const struct fault *fault)
{
    static const char *const REASONS[] = {"ConnectionNotFound", "ConnectionInvalid",
                                          "ConnectionDeleting"};

    for (size_t i = 0; i < COUNT_OF(REASONS); i++) {
        if (strcmp(fault->reason, REASONS[i]) == 0) {
            return true;
        }
    }
    return a->loop->options.watch_secrets && is_missing(fault);
}

/*
 * What last worked, for a deletion whose connection or Secret went first. A fault is the
 * one that was there before, with the words added why nothing kept helps.
 */
static bool find_kept(struct attempt *a, enum binding_role role, struct fault *fault)
{
    struct binding *b = &a->bindings[role];
    const char *namespace = a->sync.namespace, *name = connection_name(a, role);
    struct fault none = FAULT_INIT;

    if (!keep_find(a->loop, namespace, name, a->arena, &b->conn, &b->credentials,
                   &none)) {
        const char *missing = arena_strdup(a->arena, fault->text);

        return fault_set(fault, fault->class, arena_strdup(a->arena, fault->reason),
                         "%s; %s", missing, none.text);
    }
    b->kept_for = arena_strdup(a->arena, fault->text);
    b->lane =
        lane_get(a->loop->lanes, arena_printf(a->arena, "%s/%s", namespace, name),
                 arena_printf(a->arena, "%s/%lld/%s", b->conn.uid,
                              (long long)b->conn.generation, b->credentials.version));
    return true;
}

bool binding_find(struct attempt *a, enum binding_role role, struct fault *fault)
{
    struct binding *b = &a->bindings[role];

    if (b->lane != NULL) {
        return true;
    }
    if (!find_living(a, role, fault) &&
        !(a->sync.deleting && is_missing(fault) && find_kept(a, role, fault))) {
        a->event_heals = comes_with_event(a, fault);
        return false;
    }
    if (b->conn.type != wanted_type(role)) {
        a->event_heals = true;
        return fault_set(
            fault, FAULT_REFUSED, "WrongConnectionType",
            "spec.%s.connectionRef names '%s', which is a %s connection; a %s "
            "connection is needed there",
            binding_role_name(role), b->conn.name, dbconn_type_name(b->conn.type),
            dbconn_type_name(wanted_type(role)));
    }
    b->endpoint = connection_endpoint(&b->conn, &b->credentials);
    b->endpoint.fence = a->loop->ports.fence;
    b->unopened = true;
    return true;
}

bool binding_open(struct attempt *a, enum binding_role role, struct fault *fault)
{
    struct binding *b = &a->bindings[role];

    if (!binding_find(a, role, fault)) {
        return false;
    }
    if (!b->unopened) {
        return true;
    }
    b->unopened = false;
    if (a->sync.annotation_retry != NULL || strcmp(a->trigger, "Manual") == 0) {
        lane_retry(b->lane);
    }
    if (!session_open(b->lane, &b->endpoint, a->key, &a->cancel, &b->session, fault)) {
        return fault_wrap(fault, "connection '%s' (spec.%s)%s", b->conn.name,
                          binding_role_name(role),
                          b->kept_for == NULL
                              ? ""
                              : " with its last-known-good credentials, for the present "
                                "ones are missing");
    }
    return true;
}

bool binding_catalog(struct attempt *a, enum binding_role role, int64_t age_ms,
                     struct observation **out, struct fault *fault)
{
    struct binding *b = &a->bindings[role];
    const char *scope =
        role == BIND_RISINGWAVE ? b->conn.rw_schema : a->sync.target_database;

    return lane_observe(&b->session, OBSERVE_CATALOG, scope, age_ms, &a->cancel, out,
                        fault)
               ? true
               : fault_wrap(fault, "read the catalog of connection '%s' (spec.%s)",
                            b->conn.name, binding_role_name(role));
}

void binding_close(struct attempt *a, enum binding_role role, const struct fault *fault)
{
    struct binding *b = &a->bindings[role];

    session_close(&b->session, fault);
    lane_put(TAKE(b->lane));
    credentials_deinit(&b->credentials);
}

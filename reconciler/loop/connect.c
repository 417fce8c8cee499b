/* connect: from a connection's name to a logged-in session. */
#include "loop/attempt.h"

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
    if (!secrets_read(loop->secrets, conn.namespace, conn.secret_name, conn.username_key,
                      conn.password_key, cancel, &credentials, fault)) {
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

bool binding_open(struct attempt *a, enum binding_role role, struct fault *fault)
{
    struct binding *b = &a->bindings[role];
    AUTO(kube_object_putp) struct kube_object *object = NULL;

    if (b->lane != NULL) {
        return true;
    }
    if (!find_connection(a, role, &object, fault)) {
        return false;
    }
    if (!connection_resolve(a->loop, object->json, a->arena, &a->cancel, &b->conn,
                            &b->credentials, &b->lane, fault)) {
        return fault_wrap(fault, "connection '%s' (spec.%s)", connection_name(a, role),
                          binding_role_name(role));
    }
    if (b->conn.type != wanted_type(role)) {
        return fault_set(
            fault, FAULT_REFUSED, "WrongConnectionType",
            "spec.%s.connectionRef names '%s', which is a %s connection; a %s "
            "connection is needed there",
            binding_role_name(role), b->conn.name, dbconn_type_name(b->conn.type),
            dbconn_type_name(wanted_type(role)));
    }
    b->endpoint = (struct db_endpoint){.conn = &b->conn,
                                       .user = b->credentials.username,
                                       .password = b->credentials.password};
    if (a->sync.annotation_retry != NULL) {
        lane_retry(b->lane);
    }
    if (!session_open(b->lane, &b->endpoint, &a->cancel, &b->session, fault)) {
        return fault_wrap(fault, "connection '%s' (spec.%s)", b->conn.name,
                          binding_role_name(role));
    }
    return true;
}

void binding_close(struct attempt *a, enum binding_role role, const struct fault *fault)
{
    struct binding *b = &a->bindings[role];

    session_close(&b->session, fault);
    lane_put(TAKE(b->lane));
    credentials_deinit(&b->credentials);
}

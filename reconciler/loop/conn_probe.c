/* conn_probe: a new login and what the server says of itself. */
#include "loop/conn_private.h"

/* Columns that the connector cannot parse come and go with DDL, which is rare. */
#define UNPARSEABLE_MAX_AGE_MS INT64_C(600000)

/* Columns of all databases that TableSyncs read through this connection. */
static bool list_unparseable(struct look *l, struct session *session,
                             struct strlist *out_columns, struct fault *fault)
{
    struct strlist columns = {0};

    for (size_t i = 0; i < l->databases.n; i++) {
        const char *database = l->databases.v[i];
        AUTO(observation_putp) struct observation *seen = NULL;

        if (!lane_observe(session, OBSERVE_UNPARSEABLE, database, UNPARSEABLE_MAX_AGE_MS,
                          &l->cancel, &seen, fault)) {
            return fault_wrap(fault, "list the columns of database '%s'", database);
        }
        for (size_t k = 0; k < seen->u.unparseable.n; k++) {
            VEC_PUSH(l->arena, &columns,
                     arena_printf(l->arena, "%s.%s", database, seen->u.unparseable.v[k]));
        }
    }
    *out_columns = columns;
    return true;
}

static bool read_mysql(struct look *l, struct session *session,
                       const struct mysql_server *server, struct findings *findings,
                       struct fault *fault)
{
    struct strlist unparseable = {0};

    l->status.server_version = arena_strdup(l->arena, server->version);
    l->status.server_uuid = arena_strdup(l->arena, server->server_uuid);
    l->status.binlog_format = arena_strdup(l->arena, server->binlog_format);
    l->status.row_image = arena_strdup(l->arena, server->binlog_row_image);
    l->status.gtid = server->gtid ? 1 : 0;
    l->status.binlog_expire_seconds = server->binlog_expire_seconds;
    if (!list_unparseable(l, session, &unparseable, fault)) {
        return false;
    }
    preflight_mysql(server, l->conn.database, &unparseable, l->arena, findings);
    preflight_mysql_tls(server, l->conn.tls_mode, l->arena, findings);
    return true;
}

static void read_risingwave(struct look *l, const struct rw_server *server,
                            struct findings *findings)
{
    struct rw_server shown = *server;

    l->status.server_version = arena_strdup(l->arena, server->version);
    l->status.license = arena_strdup(l->arena, server->license);
    memset(&l->status.unavailable_features, 0, sizeof(l->status.unavailable_features));
    for (size_t i = 0; i < server->unavailable_features.n; i++) {
        VEC_PUSH(l->arena, &l->status.unavailable_features,
                 arena_strdup(l->arena, server->unavailable_features.v[i]));
    }
    l->status.actors = server->actors;
    l->status.parallelism = server->parallelism;
    /* Each job moves the number, and a message that moves with it would be a write each
     * time. */
    shown.actors = server->actors < 0 ? -1 : status_round_rows(server->actors);
    preflight_risingwave(&shown, l->arena, findings);
}

static bool read_facts(struct look *l, struct session *session, struct findings *findings,
                       struct fault *fault)
{
    AUTO(observation_putp) struct observation *server = NULL;

    if (!lane_observe(session, OBSERVE_SERVER, "", 0, &l->cancel, &server, fault)) {
        return false;
    }
    switch (l->conn.type) {
    case DBCONN_MYSQL:
        return read_mysql(l, session, &server->u.mysql, findings, fault);
    case DBCONN_RISINGWAVE:
        read_risingwave(l, &server->u.rw_server, findings);
        return true;
    case DBCONN_STARROCKS:
        l->status.server_version = arena_strdup(l->arena, server->u.sr_server.version);
        l->status.live_backends = server->u.sr_server.live_backends;
        preflight_starrocks(&server->u.sr_server, l->user, NULL, l->arena, findings);
        return true;
    case DBCONN_TYPE_MAX:
        break;
    }
    return fault_set(fault, FAULT_BUG, NULL, "unknown connection type");
}

/* What two sources of ours do to each other stands beside what the server lacks. */
static const char *all_warnings(struct look *l, const struct findings *findings)
{
    const char *warnings = preflight_warnings(findings, l->arena);
    const char *clashes = l->conn.type == DBCONN_MYSQL ? look_clashes(l) : NULL;

    if (warnings == NULL || clashes == NULL) {
        return warnings == NULL ? clashes : warnings;
    }
    return arena_printf(l->arena, "%s; %s", clashes, warnings);
}

static bool judge(struct look *l, const struct findings *findings, struct fault *fault)
{
    bool mysql = l->conn.type == DBCONN_MYSQL;

    l->warnings = all_warnings(l, findings);
    if (!preflight_passed(findings, fault)) {
        if (mysql) {
            look_condition(l, CONDITION_CDC_CAPABLE, fault->reason, "%s", fault->text);
            return false;
        }
        return fault_reason(fault, "RequirementsMissing");
    }
    if (mysql && l->warnings != NULL) {
        look_condition(l, CONDITION_CDC_CAPABLE, "CapableWithWarnings", "%s",
                       l->warnings);
    } else if (mysql) {
        look_condition(l, CONDITION_CDC_CAPABLE, "Capable",
                       "row binlog with full images, and the grants CDC needs");
    }
    return true;
}

bool look_probe(struct look *l, struct fault *fault)
{
    AUTO(credentials_deinit) struct credentials credentials = {0};
    AUTO(lane_putp) struct lane *lane = NULL;
    struct session session = {0};
    struct db_endpoint endpoint;
    struct findings findings = {0};
    bool good = false;

    if (!connection_resolve(l->loop, l->object->json, l->arena, &l->cancel, &l->conn,
                            &credentials, &lane, fault)) {
        look_keep(l, NULL);
        return false;
    }
    endpoint = connection_endpoint(&l->conn, &credentials);
    endpoint.fence = l->loop->ports.fence; /* an attempt may use the session afterwards */
    if (!session_open_new(lane, &endpoint,
                          arena_printf(l->arena, LOOP_KEY_CONN "%s", l->key), &l->cancel,
                          &session, fault)) {
        look_keep(l, NULL);
        return false;
    }
    l->logged_in = true;
    look_show_login(l);
    look_keep(l, &credentials);
    l->user = endpoint.user;
    good = read_facts(l, &session, &findings, fault);
    session_close(&session, good ? NULL : fault);
    return good && judge(l, &findings, fault);
}

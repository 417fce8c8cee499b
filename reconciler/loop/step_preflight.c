/*
 * The pre-flight: what the three servers lack, all of it in one message, before anything
 * is made. It asks at the first run and whenever somebody may have repaired or changed
 * something; a calm look at a resource that exists asks nothing.
 */
#include "loop/memo.h"
#include "loop/steps.h"

#define SERVER_AGE_CALM_MS 30000

static bool is_drift(const struct attempt *a)
{
    return strcmp(a->trigger, "Drift") == 0;
}

static int64_t age_of(const struct attempt *a, enum binding_role role)
{
    if (is_drift(a)) {
        return SERVER_AGE_CALM_MS;
    }
    /* Who changes MySQL's settings does not wait; who asks for a retry has repaired what
     * it was. */
    return role == BIND_SOURCE || strcmp(a->trigger, "Manual") == 0 ? 0
                                                                    : CATALOG_AGE_BUSY_MS;
}

static bool observe(struct attempt *a, enum binding_role role, const char *what,
                    struct observation **out_observation, struct fault *fault)
{
    return lane_observe(&a->bindings[role].session, OBSERVE_SERVER, "", age_of(a, role),
                        &a->cancel, out_observation, fault)
               ? true
               : fault_wrap(fault, "read %s", what);
}

static bool look_at_mysql(struct attempt *a, struct fault *fault)
{
    struct source_db *db = a->bindings[BIND_SOURCE].session.source;
    struct strlist unparseable = {0};
    const struct mysql_server *server = NULL;

    if (!observe(a, BIND_SOURCE, "MySQL's settings", &a->mysql, fault)) {
        return false;
    }
    server = &a->mysql->u.mysql;
    /* Only MariaDB has such types, and nothing more of them needs to be told later. */
    if (server->flavor == MYSQL_MARIADB && (attempt_first_run(a) || a->checks_only) &&
        !db->ops->list_unparseable(db, a->sync.source_database, &a->cancel, a->arena,
                                   &unparseable, fault)) {
        return fault_wrap(fault, "read the columns of MySQL database %s",
                          a->sync.source_database);
    }
    preflight_mysql(server, a->sync.source_database, &unparseable, a->arena,
                    &a->findings);
    preflight_mysql_tls(server, a->bindings[BIND_SOURCE].conn.tls_mode, a->arena,
                        &a->findings);
    return true;
}

/*
 * CREATE on the database is for the schema. Where that exists already, it may be the
 * account's own, and the right on the database is not needed.
 */
static bool look_at_schema(struct attempt *a, struct rw_server *server,
                           struct fault *fault)
{
    AUTO(observation_putp) struct observation *catalog = NULL;

    if (server->may_create != 0 || server->superuser) {
        return true;
    }
    if (!binding_catalog(a, BIND_RISINGWAVE, CATALOG_AGE_BUSY_MS, &catalog, fault)) {
        return false;
    }
    if (catalog->u.rw.schema_exists) {
        server->may_create = -1;
    }
    return true;
}

static bool look_at_risingwave(struct attempt *a, struct fault *fault)
{
    AUTO(observation_putp) struct observation *seen = NULL;
    struct rw_server server;

    if (!observe(a, BIND_RISINGWAVE, "RisingWave's version and rights", &seen, fault)) {
        return false;
    }
    server = seen->u.rw_server;
    if (!look_at_schema(a, &server, fault)) {
        return false;
    }
    preflight_risingwave(&server, a->arena, &a->findings);
    return true;
}

static bool look_at_starrocks(struct attempt *a, struct fault *fault)
{
    AUTO(observation_putp) struct observation *seen = NULL;

    if (!observe(a, BIND_TARGET, "StarRocks' version and grants", &seen, fault)) {
        return false;
    }
    preflight_starrocks(&seen->u.sr_server, a->bindings[BIND_TARGET].endpoint.user,
                        &a->sync, a->arena, &a->findings);
    return true;
}

/* Once, in an Event: what works and somebody should know. */
static void tell_warnings(struct attempt *a)
{
    const char *warnings = preflight_warnings(&a->findings, a->arena);

    if (warnings != NULL && !a->preview && attempt_first_run(a) &&
        memo_is_news(a->loop->memo, a->key, MEMO_PREFLIGHT, warnings)) {
        attempt_event(a, true, "PreflightWarning", "Reconcile", warnings);
    }
}

/* Room and backends are for what is made anew; what is there may go on without. */
static bool stands_in_the_way(const struct attempt *a, const struct finding *f)
{
    bool for_new_objects =
        strcmp(f->reason, "NoBackends") == 0 || strcmp(f->reason, "ActorLimit") == 0;

    return f->level == FINDING_MISSING && (!for_new_objects || attempt_first_run(a));
}

/* The condition that speaks of what one server lacks. */
static enum condition condition_for(const struct finding *f)
{
    const struct reason_row *row = NULL;

    if (strcmp(f->system, "StarRocks") == 0) {
        return CONDITION_TARGET_TABLE_READY;
    }
    row = reason_find(CONDITION_NONE, f->reason);
    return row != NULL ? row->condition : CONDITION_CONNECTIONS_READY;
}

static bool judge(struct attempt *a, struct fault *fault)
{
    struct findings missing = {0};
    const struct finding *first = NULL;
    bool one_server = true;

    for (VEC_EACH(const struct finding, f, &a->findings.list)) {
        if (stands_in_the_way(a, f)) {
            VEC_PUSH(a->arena, &missing.list, *f);
            one_server = one_server && strcmp(f->system, missing.list.v[0].system) == 0;
        }
    }
    first = missing.list.v;
    if (first == NULL || preflight_passed(&missing, fault)) {
        return true;
    }
    if (!one_server) {
        return fault_reason(fault, "RequirementsMissing");
    }
    a->failed = condition_for(first);
    return false;
}

enum step_result step_preflight(struct attempt *a, struct fault *fault)
{
    if (is_drift(a) && !attempt_first_run(a)) {
        return STEP_CONTINUE;
    }
    if (!look_at_mysql(a, fault) || !look_at_risingwave(a, fault) ||
        !look_at_starrocks(a, fault)) {
        return STEP_FAULT;
    }
    tell_warnings(a);
    return a->checks_only || judge(a, fault) ? STEP_CONTINUE : STEP_FAULT;
}

/* --- server ids of our own --- */

static bool same_server(const struct attempt *a, const struct json *object,
                        const struct dbconn_status *status)
{
    const struct mysql_server *server = &a->mysql->u.mysql;
    const struct dbconn *ours = &a->bindings[BIND_SOURCE].conn;
    struct dbconn theirs = {0};
    struct fault ignored = FAULT_INIT;

    if (server->server_uuid != NULL && status->server_uuid != NULL) {
        return strcmp(server->server_uuid, status->server_uuid) == 0;
    }
    return dbconn_decode(object, a->arena, &theirs, &ignored) &&
           theirs.type == DBCONN_MYSQL && strcmp(theirs.host, ours->host) == 0 &&
           theirs.port == ours->port;
}

/* "schema.src_shop_1a2b3c4d" of a source that is, or is to be, this resource's own. */
static bool is_own(const char *rw_source, const char *own)
{
    struct sv name = sv_from(rw_source);

    (void)sv_cut(&name, '.');
    return sv_eq(name, sv_from(own));
}

void preflight_own_ids(struct attempt *a)
{
    const struct dbconn *conn = &a->bindings[BIND_SOURCE].conn;
    const char *identity = mysql_identity(&a->mysql->u.mysql, conn, a->arena);
    const char *own =
        name_source(a->arena, conn->namespace, identity, a->sync.source_database);
    size_t count = 0;
    struct kube_object **all = kube_store_all(a->loop->conns, a->arena, &count);

    for (size_t i = 0; i < count; i++) {
        struct dbconn_status status = {0};

        dbconn_status_read(json_get(all[i]->json, "status"), a->arena, &status);
        if (status.sources.n > 0 && same_server(a, all[i]->json, &status)) {
            for (VEC_EACH(const struct dbconn_source, s, &status.sources)) {
                if (s->server_id > 0 && !is_own(s->rw_source, own)) {
                    VEC_PUSH(a->arena, &a->replica_ids,
                             (const char *)arena_printf(a->arena, "%lld",
                                                        (long long)s->server_id));
                }
            }
        }
        kube_object_put(all[i]);
    }
}

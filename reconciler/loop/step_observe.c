/* Reading the world: MySQL, then the definitions, then RisingWave and StarRocks. */
#include "loop/steps.h"

#define SERVER_AGE_MS 30000
#define CATALOG_AGE_CALM_MS 10000

static bool read_table(struct attempt *a, struct fault *fault)
{
    struct source_db *db = a->bindings[BIND_SOURCE].session.source;
    bool database_exists = false;

    if (!db->ops->read_table(db, a->sync.source_database, a->sync.source_table,
                             &a->cancel, a->arena, &a->table, &database_exists, fault)) {
        return fault_wrap(fault, "read MySQL table %s.%s", a->sync.source_database,
                          a->sync.source_table);
    }
    if (a->table != NULL) {
        return true;
    }
    if (!database_exists) {
        return fault_set(fault, FAULT_REFUSED, "DatabaseNotFound",
                         "MySQL has no database '%s' that user '%s' may see; correct "
                         "spec.source.database or grant SELECT on it",
                         a->sync.source_database, a->bindings[BIND_SOURCE].endpoint.user);
    }
    return fault_set(
        fault, FAULT_REFUSED, "TableNotFound",
        "MySQL database '%s' has no table '%s' that user '%s' may see (names "
        "are case-sensitive); correct spec.source.table or grant SELECT on it",
        a->sync.source_database, a->sync.source_table,
        a->bindings[BIND_SOURCE].endpoint.user);
}

/*
 * Readers that registered with MySQL hold their server ids. Only asked when a source may
 * be created: a live source keeps its id whatever others do.
 */
static bool read_replicas(struct attempt *a, struct fault *fault)
{
    struct source_db *db = a->bindings[BIND_SOURCE].session.source;

    if (strcmp(a->trigger, "Drift") == 0) {
        return true;
    }
    return db->ops->replica_ids(db, &a->cancel, a->arena, &a->replica_ids, fault)
               ? true
               : fault_wrap(fault, "read MySQL's replicas");
}

enum step_result step_observe_source(struct attempt *a, struct fault *fault)
{
    struct session *session = &a->bindings[BIND_SOURCE].session;
    const struct mysql_server *server = NULL;
    /* After a spec change, a retry or a fault the user has just repaired something. */
    int64_t age_ms = strcmp(a->trigger, "Drift") == 0 ? SERVER_AGE_MS : 0;

    if (!lane_observe(session, OBSERVE_SERVER, "", age_ms, &a->cancel, &a->mysql,
                      fault)) {
        (void)fault_wrap(fault, "read MySQL's settings");
        return STEP_FAULT;
    }
    server = &a->mysql->u.mysql;
    if (!mysql_server_check(server, a->sync.source_database, fault) ||
        !read_table(a, fault) || !read_replicas(a, fault)) {
        return STEP_FAULT;
    }
    a->status.source.schema_hash = mysql_table_hash(a->table, a->arena);
    a->status.source.columns = (int64_t)a->table->columns.n;
    a->status.source.primary_key = a->table->primary_key;
    return STEP_CONTINUE;
}

/* The sink's version is part of its name, and status remembers the name. */
static int64_t sink_version(const struct attempt *a)
{
    for (size_t i = 0; i < a->before.objects.n; i++) {
        const struct status_object *o = &a->before.objects.v[i];
        const char *tail = strcmp(o->kind, "Sink") == 0 ? strrchr(o->name, 'v') : NULL;
        int64_t version = 0;

        if (tail != NULL && sv_int64(sv_from(tail + 1), &version) && version > 0) {
            return version;
        }
    }
    return 1;
}

enum step_result step_resolve(struct attempt *a, struct fault *fault)
{
    struct binding *source = &a->bindings[BIND_SOURCE];
    struct binding *target = &a->bindings[BIND_TARGET];
    struct desired_input input = {.sync = &a->sync,
                                  .source = &source->conn,
                                  .rw = &a->bindings[BIND_RISINGWAVE].conn,
                                  .target = &target->conn,
                                  .server = &a->mysql->u.mysql,
                                  .table = a->table,
                                  .source_user = source->endpoint.user,
                                  .target_user = target->endpoint.user,
                                  .source_password = source->endpoint.password,
                                  .target_password = target->endpoint.password,
                                  .sink_version = sink_version(a),
                                  .used_server_ids = a->replica_ids};

    if (!desired_build(&input, a->arena, &a->desired, fault)) {
        return STEP_FAULT;
    }
    attempt_condition(a, CONDITION_SOURCE_SCHEMA_RESOLVED, "Resolved",
                      "%zu columns, primary key of %zu", a->table->columns.n,
                      a->table->primary_key.n);
    return STEP_CONTINUE;
}

bool observe_targets(struct attempt *a, int64_t age_ms, struct fault *fault)
{
    struct binding *rw = &a->bindings[BIND_RISINGWAVE];
    struct binding *target = &a->bindings[BIND_TARGET];

    observation_putp(&a->rw);
    observation_putp(&a->sr);
    if (!lane_observe(&rw->session, OBSERVE_CATALOG, rw->conn.rw_schema, age_ms,
                      &a->cancel, &a->rw, fault)) {
        return fault_wrap(fault, "read RisingWave's catalog");
    }
    if (!lane_observe(&target->session, OBSERVE_CATALOG, a->sync.target_database, age_ms,
                      &a->cancel, &a->sr, fault)) {
        return fault_wrap(fault, "read StarRocks' catalog");
    }
    return true;
}

enum step_result step_observe_targets(struct attempt *a, struct fault *fault)
{
    const struct kube_condition *ready =
        kube_conditions_find(&a->conditions_before, condition_type(CONDITION_READY));
    bool calm = ready != NULL && ready->status == KUBE_TRUE;

    int64_t age_ms = calm ? CATALOG_AGE_CALM_MS : CATALOG_AGE_BUSY_MS;

    /* Who asks for a retry has just repaired something: not even a young catalog has it.
     */
    age_ms = strcmp(a->trigger, "Manual") == 0 ? 0 : age_ms;
    return observe_targets(a, age_ms, fault) ? STEP_CONTINUE : STEP_FAULT;
}

/* Reading the world: MySQL, then the definitions, then RisingWave and StarRocks. */
#include "loop/follows.h"
#include "loop/steps.h"
#include "loop/watch.h"

#define SERVER_AGE_MS 30000
#define CATALOG_AGE_CALM_MS 10000
/* Definitions may follow a server's version, so it is always known, yet seldom asked. */
#define VERSION_AGE_MS 3600000

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
    if (!db->ops->replica_ids(db, &a->cancel, a->arena, &a->replica_ids, fault)) {
        return fault_wrap(fault, "read MySQL's replicas");
    }
    preflight_own_ids(a);
    return true;
}

enum step_result step_observe_source(struct attempt *a, struct fault *fault)
{
    struct session *session = &a->bindings[BIND_SOURCE].session;
    /* After a spec change, a retry or a fault the user has just repaired something. */
    int64_t age_ms = strcmp(a->trigger, "Drift") == 0 ? SERVER_AGE_MS : 0;

    /* The pre-flight may have asked, and judged, just now. */
    if (a->mysql == NULL) {
        if (!lane_observe(session, OBSERVE_SERVER, "", age_ms, &a->cancel, &a->mysql,
                          fault)) {
            (void)fault_wrap(fault, "read MySQL's settings");
            return STEP_FAULT;
        }
        if (!mysql_server_check(&a->mysql->u.mysql, a->sync.source_database, fault)) {
            return STEP_FAULT;
        }
    }
    if (!read_table(a, fault) || !read_replicas(a, fault)) {
        return STEP_FAULT;
    }
    a->status.source.schema_hash = mysql_table_hash(a->table, a->arena);
    a->status.source.columns = (int64_t)a->table->columns.n;
    a->status.source.primary_key = a->table->primary_key;
    return STEP_CONTINUE;
}

static bool read_versions(struct attempt *a, struct desired_input *input,
                          struct fault *fault)
{
    AUTO(observation_putp) struct observation *rw = NULL;
    AUTO(observation_putp) struct observation *sr = NULL;

    if (!lane_observe(&a->bindings[BIND_RISINGWAVE].session, OBSERVE_SERVER, "",
                      VERSION_AGE_MS, &a->cancel, &rw, fault)) {
        return fault_wrap(fault, "read RisingWave's version");
    }
    if (!lane_observe(&a->bindings[BIND_TARGET].session, OBSERVE_SERVER, "",
                      VERSION_AGE_MS, &a->cancel, &sr, fault)) {
        return fault_wrap(fault, "read StarRocks' version");
    }
    input->rw_version = arena_strdup(a->arena, rw->u.rw_server.version);
    input->starrocks_version = arena_strdup(a->arena, sr->u.sr_server.version);
    return true;
}

/* What was found in the table as it was says nothing of the table as it is. */
static void forget_losses(struct attempt *a)
{
    if (kube_conditions_find(&a->conditions, condition_type(CONDITION_DATA_LOSS)) !=
        NULL) {
        attempt_condition(a, CONDITION_DATA_LOSS, "NotChecked",
                          "MySQL table %s.%s cannot be replicated as it is now",
                          a->sync.source_database, a->sync.source_table);
    }
}

/* "; 3 of 5 columns delivered, without 'a' and 'b'"; empty when all are. */
static const char *left_out(const struct attempt *a)
{
    struct strlist names = {0};

    for (VEC_EACH(struct mysql_column, column, &a->table->columns)) {
        bool delivered = false;

        for (size_t i = 0; i < a->desired.columns.n && !delivered; i++) {
            delivered = a->desired.columns.v[i].source != NULL &&
                        strcmp(a->desired.columns.v[i].source->name, column->name) == 0;
        }
        if (!delivered) {
            VEC_PUSH(a->arena, &names, column->name);
        }
    }
    return names.n == 0
               ? ""
               : arena_printf(a->arena, "; %zu of %zu columns delivered, without %s",
                              a->table->columns.n - names.n, a->table->columns.n,
                              watch_names(&names, a->arena));
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
                                  .used_server_ids = a->replica_ids,
                                  .source_follows = follows_decides(a),
                                  .first_run = attempt_first_run(a),
                                  .first_target = attempt_first_target(a),
                                  .kept_columns = a->before.source.kept_columns};

    if (sv_eq(sv_from(a->status.resync.state), SV("InProgress"))) {
        input.resync = resync_mode_parse(a->status.resync.mode);
        input.table_version = a->status.resync.table_version;
    }
    if (!read_versions(a, &input, fault)) {
        return STEP_FAULT;
    }
    if (!desired_build(&input, a->arena, &a->desired, fault)) {
        forget_losses(a);
        return STEP_FAULT;
    }
    attempt_condition(a, CONDITION_SOURCE_SCHEMA_RESOLVED, "Resolved",
                      "%zu columns, primary key of %zu%s", a->table->columns.n,
                      a->table->primary_key.n, left_out(a));
    return STEP_CONTINUE;
}

bool observe_targets(struct attempt *a, int64_t age_ms, struct fault *fault)
{
    observation_putp(&a->rw);
    observation_putp(&a->sr);
    return binding_catalog(a, BIND_RISINGWAVE, age_ms, &a->rw, fault) &&
           binding_catalog(a, BIND_TARGET, age_ms, &a->sr, fault);
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

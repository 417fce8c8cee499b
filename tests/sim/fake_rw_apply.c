/* What RisingWave makes of a statement. Error texts: contract risingwave.md, verified.md.
 */
#include "fake_db.h"
#include "sim.h"
#include "sql.h"

struct job {
    struct fake_db *db;
    struct fake_rw *rw;
    const struct plan_step *step;
    struct sql sql;
    const char *schema, *name;
    struct fault *fault;
};

/* As the classification of the real driver: the statement tells whose refusal it is. */
static const char *reason_of(enum plan_kind kind)
{
    return kind == PLAN_CREATE_SINK     ? "SinkRejected"
           : kind == PLAN_CREATE_SOURCE ? "SourceFailed"
                                        : NULL;
}

static bool refuse(struct job *j, const char *code, const char *why, const char *what)
{
    fault_set(j->fault, FAULT_REFUSED, reason_of(j->step->kind), "%s: %s", why, what);
    return fault_code(j->fault, "%s", code);
}

static bool has_schema(const struct fake_rw *rw, const char *schema)
{
    for (size_t i = 0; i < rw->schemas.n; i++) {
        if (strcmp(rw->schemas.v[i], schema) == 0) {
            return true;
        }
    }
    return false;
}

/* Not understanding a statement of ours is never the server's fault. */
static bool understood(struct job *j)
{
    if (sql_done(&j->sql)) {
        return true;
    }
    sim_violation(j->db->sim, "RisingWave cannot read: %s",
                  stmt_redacted(j->step->stmt, j->sql.arena));
    return refuse(j, "XX000", "sql parser error near", j->sql.value);
}

/* "schema"."name", which must be free for what is created. */
static bool new_name(struct job *j)
{
    sql_qualified(&j->sql, &j->schema, &j->name);
    if (!has_schema(j->rw, j->schema)) {
        return refuse(j, "42704", "schema does not exist", j->schema);
    }
    if (fake_rw_find(j->rw, j->schema, j->name) != NULL) {
        return refuse(j, "42710", "relation already exists", j->name);
    }
    return true;
}

static bool create_schema(struct job *j)
{
    sql_want(&j->sql, "IF NOT EXISTS");
    const char *schema = sql_want_name(&j->sql);

    if (!understood(j)) {
        return false;
    }
    if (!has_schema(j->rw, schema)) {
        VEC_PUSH(j->db->sim->arena, &j->rw->schemas,
                 arena_strdup(j->db->sim->arena, schema));
    }
    return true;
}

/* Two readers with one id throw each other out at the MySQL server (verified 10). */
static void check_server_id(struct job *j, const char *hostname, const char *server_id)
{
    for (size_t i = 0; i < j->rw->objects.n; i++) {
        const struct fake_stream_object *o = j->rw->objects.v[i];

        if (o->kind == FAKE_SOURCE && strcmp(o->hostname, hostname) == 0 &&
            strcmp(o->server_id, server_id) == 0) {
            sim_violation(j->db->sim, "sources %s and %s share server.id %s", o->name,
                          j->name, server_id);
        }
    }
}

static bool create_source(struct job *j)
{
    struct arena *arena = j->db->sim->arena;
    struct sql_options with = {0};
    struct fake_stream_object *o = NULL;

    if (!new_name(j)) {
        return false;
    }
    sql_want(&j->sql, "WITH");
    sql_options(&j->sql, &with);
    if (!understood(j)) {
        return false;
    }
    const char *hostname = sql_option(&with, "hostname");
    const char *mode = sql_option(&with, "debezium.bigint.unsigned.handling.mode");
    struct fake_mysql *mysql = hostname == NULL ? NULL : fake_db_mysql(j->db, hostname);
    if (mode == NULL || strcmp(mode, "precise") != 0 ||
        sql_option(&with, "server.id") == NULL) {
        sim_violation(j->db->sim, "source %s lacks options that are never left out",
                      j->name);
    }
    if (mysql == NULL || mysql->down) {
        return refuse(j, "XX000", "failed to connect to MySQL", hostname);
    }
    check_server_id(j, hostname, sql_option(&with, "server.id"));
    o = fake_rw_add(j->db, j->rw, FAKE_SOURCE, j->schema, j->name, 0);
    o->hostname = arena_strdup(arena, hostname);
    o->port = arena_strdup(arena, sql_option(&with, "port"));
    o->username = arena_strdup(arena, sql_option(&with, "username"));
    o->database = arena_strdup(arena, sql_option(&with, "database.name"));
    o->server_id = arena_strdup(arena, sql_option(&with, "server.id"));
    o->ssl_mode = arena_strdup(arena, sql_option(&with, "ssl.mode"));
    return true;
}

static void read_columns(struct job *j, struct fake_stream_object *o)
{
    struct arena *arena = j->db->sim->arena;

    sql_want(&j->sql, "(");
    while (!j->sql.broken && j->sql.token == SQL_NAME) {
        struct rw_column column = {.name = arena_strdup(arena, sql_want_name(&j->sql))};

        column.type = fake_rw_catalog_type(sql_take_any(&j->sql));
        j->sql.broken = j->sql.broken || column.type == NULL;
        sql_want(&j->sql, ",");
        VEC_PUSH(arena, &o->columns, column);
    }
    sql_want(&j->sql, "PRIMARY KEY (");
    while (!j->sql.broken) {
        const char *key = sql_want_name(&j->sql);

        for (VEC_EACH(struct rw_column, c, &o->columns)) {
            c->primary_key = c->primary_key || strcmp(c->name, key) == 0;
        }
        if (!sql_take(&j->sql, ",")) {
            break;
        }
    }
    sql_want(&j->sql, ") )");
}

static bool create_table(struct job *j)
{
    struct fake_stream_object draft = {0}, *o = NULL, *source = NULL;
    const char *schema = NULL, *from = NULL;
    struct sql_options with = {0};

    if (!new_name(j)) {
        return false;
    }
    read_columns(j, &draft);
    if (sql_take(&j->sql, "WITH")) {
        sql_options(&j->sql, &with);
    }
    sql_want(&j->sql, "FROM");
    sql_qualified(&j->sql, &schema, &from);
    sql_want(&j->sql, "TABLE");
    draft.upstream = sql_want_text(&j->sql);
    if (!understood(j)) {
        return false;
    }
    source = fake_rw_find(j->rw, schema, from);
    if (source == NULL || source->kind != FAKE_SOURCE) {
        return refuse(j, "42704", "source not found", from);
    }
    struct fake_mysql *mysql = fake_db_mysql(j->db, source->hostname);
    if (mysql == NULL || mysql->down) {
        return refuse(j, "XX000", "failed to connect to MySQL", source->hostname);
    }
    o = fake_rw_add(j->db, j->rw, FAKE_TABLE, j->schema, j->name, source->id);
    memcpy(&o->columns, &draft.columns, sizeof(o->columns));
    o->upstream = arena_strdup(j->db->sim->arena, draft.upstream);
    o->loaded_ms = j->db->sim->clock.now_ms + j->db->snapshot_ms;
    return true;
}

static bool comment_table(struct job *j)
{
    struct fake_stream_object *o = NULL;
    const char *comment = NULL;

    sql_want(&j->sql, "TABLE");
    sql_qualified(&j->sql, &j->schema, &j->name);
    sql_want(&j->sql, "IS");
    comment = sql_want_text(&j->sql);
    if (!understood(j)) {
        return false;
    }
    o = fake_rw_find(j->rw, j->schema, j->name);
    if (o == NULL || o->kind != FAKE_TABLE) {
        return refuse(j, "42704", "table not found", j->name);
    }
    o->comment = arena_strdup(j->db->sim->arena, comment);
    return true;
}

/* The sink's target must be there and fit; checked against StarRocks itself. */
static bool check_target(struct job *j, const struct sql_options *with)
{
    const char *host = sql_option(with, "starrocks.host");
    struct fake_sr *sr = host == NULL ? NULL : fake_db_sr(j->db, host);
    const struct fake_sr_table *target = NULL;

    if (sr == NULL || sr->down || sr->live_backends == 0) {
        fault_set(j->fault, FAULT_UNAVAILABLE, "SinkRejected",
                  "Doris/Starrocks connect error: %s", host == NULL ? "no host" : host);
        return fault_code(j->fault, "XX000");
    }
    target = fake_sr_find(sr, sql_option(with, "starrocks.database"),
                          sql_option(with, "starrocks.table"));
    if (target == NULL) {
        return refuse(j, "XX000", "Starrocks table not found",
                      sql_option(with, "starrocks.table"));
    }
    return strcmp(target->table.primary_key.v[0], sql_option(with, "primary_key")) == 0 ||
           refuse(j, "XX000", "primary key of the sink does not fit table",
                  target->table.name);
}

static void fill_sink(struct job *j, struct fake_stream_object *o,
                      const struct sql_options *with)
{
    struct arena *arena = j->db->sim->arena;

    o->target_host = arena_strdup(arena, sql_option(with, "starrocks.host"));
    o->mysql_port = arena_strdup(arena, sql_option(with, "starrocks.mysqlport"));
    o->http_port = arena_strdup(arena, sql_option(with, "starrocks.httpport"));
    o->user = arena_strdup(arena, sql_option(with, "starrocks.user"));
    o->target_database = arena_strdup(arena, sql_option(with, "starrocks.database"));
    o->target_table = arena_strdup(arena, sql_option(with, "starrocks.table"));
    o->primary_key = arena_strdup(arena, sql_option(with, "primary_key"));
    o->interval = arena_strdup(arena, sql_option(with, "commit_checkpoint_interval"));
    o->built_ms = j->db->sim->clock.now_ms + j->db->build_ms;
}

static bool create_sink(struct job *j)
{
    const char *schema = NULL, *from = NULL;
    struct sql_options with = {0};
    const struct fake_stream_object *table = NULL;

    if (!new_name(j)) {
        return false;
    }
    sql_want(&j->sql, "AS SELECT");
    while (!j->sql.broken && !sql_take(&j->sql, "FROM")) {
        (void)sql_take_any(&j->sql);
    }
    sql_qualified(&j->sql, &schema, &from);
    sql_want(&j->sql, "WITH");
    sql_options(&j->sql, &with);
    if (!understood(j)) {
        return false;
    }
    if (!j->step->background) {
        sim_violation(j->db->sim, "sink %s would block until its backfill is done",
                      j->name);
    }
    table = fake_rw_find(j->rw, schema, from);
    if (table == NULL || table->kind != FAKE_TABLE) {
        return refuse(j, "42704", "table or source not found", from);
    }
    if (!check_target(j, &with)) {
        return false;
    }
    fill_sink(j, fake_rw_add(j->db, j->rw, FAKE_SINK, j->schema, j->name, table->id),
              &with);
    return true;
}

static bool alter_sink(struct job *j)
{
    struct fake_stream_object *o = NULL;
    struct sql_options with = {0};
    const char *limit = NULL;

    sql_qualified(&j->sql, &j->schema, &j->name);
    if (sql_take(&j->sql, "SET")) {
        sql_want(&j->sql, "sink_rate_limit TO");
        limit = sql_take_any(&j->sql);
    } else {
        sql_want(&j->sql, "CONNECTOR WITH");
        sql_options(&j->sql, &with);
    }
    if (!understood(j)) {
        return false;
    }
    o = fake_rw_find(j->rw, j->schema, j->name);
    if (o == NULL || o->kind != FAKE_SINK) {
        return refuse(j, "42704", "sink not found", j->name);
    }
    if (limit != NULL) {
        o->rate_limit = strcmp(limit, "0") == 0 ? 0 : -1;
    } else {
        o->interval = arena_strdup(j->db->sim->arena,
                                   sql_option(&with, "commit_checkpoint_interval"));
    }
    return true;
}

static bool drop(struct job *j, enum fake_kind kind)
{
    struct fake_stream_object *o = NULL;
    const struct fake_stream_object *user = NULL;

    sql_want(&j->sql, "IF EXISTS");
    sql_qualified(&j->sql, &j->schema, &j->name);
    if (!understood(j)) {
        return false;
    }
    o = fake_rw_find(j->rw, j->schema, j->name);
    if (o == NULL) {
        return true;
    }
    if (o->kind != kind) {
        return refuse(j, "XX000", "something else has that name", j->name);
    }
    user = fake_rw_user_of(j->rw, o->id);
    if (user != NULL) {
        return refuse(j, "XX000",
                      "Permission denied: PermissionDenied: used by 1 other objects",
                      user->name);
    }
    fake_rw_remove(j->rw, o);
    return true;
}

bool fake_rw_apply(struct fake_db *db, struct fake_rw *rw, const struct plan_step *step,
                   struct arena *arena, struct fault *fault)
{
    struct job j = {.db = db, .rw = rw, .step = step, .fault = fault};

    sql_init(&j.sql, SQL_RISINGWAVE, stmt_redacted(step->stmt, arena), arena);
    if (step->kind == rw->refuses) {
        return refuse(&j, "XX000", "Failed to run the query", step->object);
    }
    if (step->kind == rw->forgets) {
        return true;
    }
    switch (step->kind) {
    case PLAN_CREATE_SCHEMA:
        sql_want(&j.sql, "CREATE SCHEMA");
        return create_schema(&j);
    case PLAN_CREATE_SOURCE:
        sql_want(&j.sql, "CREATE SOURCE");
        return create_source(&j);
    case PLAN_CREATE_TABLE:
        sql_want(&j.sql, "CREATE TABLE");
        return create_table(&j);
    case PLAN_COMMENT_TABLE:
        sql_want(&j.sql, "COMMENT ON");
        return comment_table(&j);
    case PLAN_CREATE_SINK:
        sql_want(&j.sql, "CREATE SINK");
        return create_sink(&j);
    case PLAN_ALTER_SINK:
        sql_want(&j.sql, "ALTER SINK");
        return alter_sink(&j);
    case PLAN_DROP_SINK:
        sql_want(&j.sql, "DROP SINK");
        return drop(&j, FAKE_SINK);
    case PLAN_DROP_TABLE:
        sql_want(&j.sql, "DROP TABLE");
        return drop(&j, FAKE_TABLE);
    case PLAN_DROP_SOURCE:
        sql_want(&j.sql, "DROP SOURCE");
        return drop(&j, FAKE_SOURCE);
    case PLAN_CREATE_DATABASE:
    case PLAN_CREATE_TARGET:
    case PLAN_DROP_TARGET:
    case PLAN_KIND_MAX:
        break;
    }
    sim_violation(db->sim, "RisingWave was sent %s", step->sentence);
    return fault_set(fault, FAULT_REFUSED, NULL, "not a statement of RisingWave");
}

/* What RisingWave makes of a statement. Error texts: contract risingwave.md, verified.md.
 */
#include "db/classify.h"
#include "fake_rw_job.h"

/* As the classification of the real driver: the statement tells whose refusal it is. */
static const char *reason_of(enum plan_kind kind)
{
    return kind == PLAN_CREATE_SINK ? "SinkRejected"
           : kind == PLAN_CREATE_SOURCE || kind == PLAN_ALTER_SOURCE ||
                   kind == PLAN_RESET_SOURCE
               ? "SourceFailed"
               : NULL;
}

bool fake_rw_refuse(struct fake_rw_job *j, const char *code, const char *why,
                    const char *what)
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

bool fake_rw_says(struct fake_rw_job *j, const char *code, const char *text)
{
    struct db_verdict v = db_classify(DB_RISINGWAVE, code, sv_from(text));

    (void)fault_set(j->fault, v.class, v.reason, "%s", text);
    return fault_code(j->fault, "%s", code);
}

bool fake_rw_understood(struct fake_rw_job *j)
{
    if (sql_done(&j->sql)) {
        return true;
    }
    sim_violation(j->db->sim, "RisingWave cannot read: %s",
                  stmt_redacted(j->step->stmt, j->sql.arena));
    return fake_rw_refuse(j, "XX000", "sql parser error near", j->sql.value);
}

bool fake_rw_new_name(struct fake_rw_job *j)
{
    sql_qualified(&j->sql, &j->schema, &j->name);
    if (!has_schema(j->rw, j->schema)) {
        return fake_rw_refuse(j, "42704", "schema does not exist", j->schema);
    }
    if (fake_rw_find(j->rw, j->schema, j->name) != NULL) {
        return fake_rw_refuse(j, "42710", "relation already exists", j->name);
    }
    return true;
}

static bool create_schema(struct fake_rw_job *j)
{
    sql_want(&j->sql, "IF NOT EXISTS");
    const char *schema = sql_want_name(&j->sql);

    if (!fake_rw_understood(j)) {
        return false;
    }
    if (!has_schema(j->rw, schema)) {
        VEC_PUSH(j->db->sim->arena, &j->rw->schemas,
                 arena_strdup(j->db->sim->arena, schema));
    }
    return true;
}

/* Two readers with one id throw each other out at the MySQL server (verified 10). */
static void check_server_id(struct fake_rw_job *j, const char *hostname,
                            const char *server_id)
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

static bool create_source(struct fake_rw_job *j)
{
    struct arena *arena = j->db->sim->arena;
    struct sql_options with = {0};
    struct fake_stream_object *o = NULL;

    if (!fake_rw_new_name(j)) {
        return false;
    }
    sql_want(&j->sql, "WITH");
    sql_options(&j->sql, &with);
    if (!fake_rw_understood(j)) {
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
        return fake_rw_refuse(j, "XX000", "failed to connect to MySQL", hostname);
    }
    if (!fake_db_accepts(mysql->password, sql_option(&with, "password"))) {
        return fake_rw_refuse(j, "XX000", "Access denied for user",
                              sql_option(&with, "username"));
    }
    check_server_id(j, hostname, sql_option(&with, "server.id"));
    o = fake_rw_add(j->db, j->rw, FAKE_SOURCE, j->schema, j->name, 0);
    o->hostname = arena_strdup(arena, hostname);
    o->port = arena_strdup(arena, sql_option(&with, "port"));
    o->username = arena_strdup(arena, sql_option(&with, "username"));
    o->database = arena_strdup(arena, sql_option(&with, "database.name"));
    o->server_id = arena_strdup(arena, sql_option(&with, "server.id"));
    o->ssl_mode = arena_strdup(arena, sql_option(&with, "ssl.mode"));
    o->password = arena_strdup(arena, sql_option(&with, "password"));
    o->server = mysql;
    o->read_ms = j->db->sim->clock.now_ms;
    o->read_log = mysql->log;
    return true;
}

static void take_over(struct arena *arena, const struct sql_options *with,
                      const char *key, const char **field)
{
    if (sql_option(with, key) != NULL) {
        *field = arena_strdup(arena, sql_option(with, key));
    }
}

/* Checked against MySQL first, then the reader restarts (verified 37). */
/* What it had not read is never read. */
static bool reset_source(struct fake_rw_job *j)
{
    struct fake_stream_object *o = NULL;

    sql_qualified(&j->sql, &j->schema, &j->name);
    sql_want(&j->sql, "RESET");
    if (!fake_rw_understood(j)) {
        return false;
    }
    o = fake_rw_find(j->rw, j->schema, j->name);
    if (o == NULL || o->kind != FAKE_SOURCE) {
        return fake_rw_refuse(j, "42704", "source not found", j->name);
    }
    o->held.n = 0;
    o->nowhere = true;
    o->back_ms = j->db->sim->clock.now_ms + j->db->restart_ms;
    j->rw->sources_reset++;
    return true;
}

static bool alter_source(struct fake_rw_job *j)
{
    struct arena *arena = j->db->sim->arena;
    struct sql_options with = {0};
    struct fake_stream_object *o = NULL, wanted;

    sql_qualified(&j->sql, &j->schema, &j->name);
    sql_want(&j->sql, "CONNECTOR WITH");
    sql_options(&j->sql, &with);
    if (!fake_rw_understood(j)) {
        return false;
    }
    o = fake_rw_find(j->rw, j->schema, j->name);
    if (o == NULL || o->kind != FAKE_SOURCE) {
        return fake_rw_refuse(j, "42704", "source not found", j->name);
    }
    if (sql_option(&with, "server.id") != NULL) {
        return fake_rw_refuse(j, "XX000", "not allowed to be altered on the fly",
                              "server.id");
    }
    wanted = *o;
    take_over(arena, &with, "hostname", &wanted.hostname);
    take_over(arena, &with, "port", &wanted.port);
    take_over(arena, &with, "username", &wanted.username);
    take_over(arena, &with, "password", &wanted.password);
    take_over(arena, &with, "ssl.mode", &wanted.ssl_mode);
    const struct fake_mysql *mysql = fake_db_mysql(j->db, wanted.hostname);
    if (mysql == NULL || mysql->down) {
        return fake_rw_refuse(j, "XX000", "failed to connect to MySQL", wanted.hostname);
    }
    if (!fake_db_accepts(mysql->password, wanted.password)) {
        return fake_rw_refuse(j, "XX000", "Access denied for user", wanted.username);
    }
    *o = wanted;
    o->back_ms = j->db->sim->clock.now_ms + j->db->restart_ms;
    j->rw->sources_altered++;
    return true;
}

static bool comment_table(struct fake_rw_job *j)
{
    struct fake_stream_object *o = NULL;
    const char *comment = NULL;

    sql_want(&j->sql, "TABLE");
    sql_qualified(&j->sql, &j->schema, &j->name);
    sql_want(&j->sql, "IS");
    comment = sql_want_text(&j->sql);
    if (!fake_rw_understood(j)) {
        return false;
    }
    o = fake_rw_find(j->rw, j->schema, j->name);
    if (o == NULL || o->kind != FAKE_TABLE) {
        return fake_rw_refuse(j, "42704", "table not found", j->name);
    }
    o->comment = arena_strdup(j->db->sim->arena, comment);
    return true;
}

static bool drop(struct fake_rw_job *j, enum fake_kind kind)
{
    struct fake_stream_object *o = NULL;
    const struct fake_stream_object *user = NULL;

    sql_want(&j->sql, "IF EXISTS");
    sql_qualified(&j->sql, &j->schema, &j->name);
    if (!fake_rw_understood(j)) {
        return false;
    }
    o = fake_rw_find(j->rw, j->schema, j->name);
    if (o == NULL) {
        return true;
    }
    if (o->kind != kind) {
        return fake_rw_refuse(j, "XX000", "something else has that name", j->name);
    }
    user = fake_rw_user_of(j->rw, o->id);
    if (user != NULL) {
        return fake_rw_refuse(
            j, "XX000", "Permission denied: PermissionDenied: used by 1 other objects",
            user->name);
    }
    fake_rw_remove(j->rw, o);
    return true;
}

bool fake_rw_apply(struct fake_db *db, struct fake_rw *rw, const struct plan_step *step,
                   struct arena *arena, struct fault *fault)
{
    struct fake_rw_job j = {.db = db, .rw = rw, .step = step, .fault = fault};

    sql_init(&j.sql, SQL_RISINGWAVE, fake_db_sql(step->stmt, arena), arena);
    if (step->kind == rw->refuses) {
        return fake_rw_refuse(&j, "XX000", "Failed to run the query", step->object);
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
    case PLAN_ALTER_SOURCE:
        sql_want(&j.sql, "ALTER SOURCE");
        return alter_source(&j);
    case PLAN_RESET_SOURCE:
        sql_want(&j.sql, "ALTER SOURCE");
        return reset_source(&j);
    case PLAN_CREATE_TABLE:
        sql_want(&j.sql, "CREATE TABLE");
        return fake_rw_create_table(&j);
    case PLAN_COMMENT_TABLE:
        sql_want(&j.sql, "COMMENT ON");
        return comment_table(&j);
    case PLAN_ADD_COLUMN:
    case PLAN_DROP_COLUMN:
        sql_want(&j.sql, "ALTER TABLE");
        return fake_rw_alter_table(&j);
    case PLAN_CREATE_SINK:
        sql_want(&j.sql, "CREATE SINK");
        return fake_rw_create_sink(&j);
    case PLAN_ALTER_SINK:
        sql_want(&j.sql, "ALTER SINK");
        return fake_rw_alter_sink(&j);
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
    case PLAN_ALTER_TARGET:
    case PLAN_DROP_TARGET_COLUMN:
    case PLAN_TRUNCATE_TARGET:
    case PLAN_DELETE_GHOSTS:
    case PLAN_COMMENT_TARGET:
    case PLAN_DROP_TARGET:
    case PLAN_KIND_MAX:
        break;
    }
    sim_violation(db->sim, "RisingWave was sent %s", step->sentence);
    return fault_set(fault, FAULT_REFUSED, NULL, "not a statement of RisingWave");
}

/* StarRocks: databases with tables, and the statements for them. */
#include "base/heap.h"
#include "fake_session.h"
#include "sim.h"
#include "sql.h"

struct target {
    struct target_db base;
    struct fake_session session;
    struct fake_sr *sr;
};

static struct target *of(struct target_db *db)
{
    return (struct target *)(void *)db;
}

struct fake_sr_table *fake_sr_find(const struct fake_sr *sr, const char *database,
                                   const char *table)
{
    for (size_t i = 0; i < sr->tables.n; i++) {
        struct fake_sr_table *t = sr->tables.v[i];

        if (strcmp(t->database, database) == 0 && strcmp(t->table.name, table) == 0) {
            return t;
        }
    }
    return NULL;
}

void fake_sr_remove(struct fake_sr *sr, const struct fake_sr_table *table)
{
    size_t kept = 0;

    for (size_t i = 0; i < sr->tables.n; i++) {
        if (sr->tables.v[i] != table) {
            sr->tables.v[kept++] = sr->tables.v[i];
        }
    }
    sr->tables.n = kept;
}

static bool has_database(const struct fake_sr *sr, const char *database)
{
    for (size_t i = 0; i < sr->databases.n; i++) {
        if (strcmp(sr->databases.v[i], database) == 0) {
            return true;
        }
    }
    return false;
}

static bool read_call(struct target_db *db, struct cancel *cancel, const char *what,
                      struct fault *fault)
{
    struct target *t = of(db);
    enum sim_verdict verdict = SIM_PASS;

    return fake_session_call(&t->session, t->sr->down, false, cancel, what, &verdict,
                             fault) &&
           fake_session_end(&t->session, verdict, what, fault);
}

/* Most accounts may not list them. */
static int64_t seen_backends(const struct fake_sr *sr)
{
    return sr->hides_backends ? -1 : sr->live_backends;
}

static bool probe(struct target_db *db, struct cancel *cancel, struct arena *arena,
                  struct sr_server *out_server, struct fault *fault)
{
    (void)arena;
    if (!read_call(db, cancel, "read StarRocks' version", fault)) {
        return false;
    }
    *out_server = (struct sr_server){.version = "4.1.0-26a4a59",
                                     .live_backends = seen_backends(of(db)->sr)};
    return true;
}

static bool catalog(struct target_db *db, const char *database, struct cancel *cancel,
                    struct arena *arena, struct sr_catalog *out_catalog,
                    struct fault *fault)
{
    const struct fake_sr *sr = of(db)->sr;
    struct sr_catalog c = {.live_backends = seen_backends(sr)};

    if (!read_call(db, cancel, "read StarRocks' catalog", fault)) {
        return false;
    }
    c.database_exists = has_database(sr, database);
    for (size_t i = 0; i < sr->tables.n; i++) {
        if (strcmp(sr->tables.v[i]->database, database) == 0) {
            VEC_PUSH(arena, &c.tables, sr->tables.v[i]->table);
        }
    }
    *out_catalog = c;
    return true;
}

/* --- statements --- */

struct job {
    struct fake_db *db;
    struct fake_sr *sr;
    const struct plan_step *step;
    struct sql sql;
    struct fault *fault;
};

static bool refuse(struct job *j, const char *code, const char *why, const char *what)
{
    fault_set(j->fault, FAULT_REFUSED, NULL, "%s: %s", why, what);
    return fault_code(j->fault, "%s", code);
}

static bool understood(struct job *j)
{
    if (sql_done(&j->sql)) {
        return true;
    }
    sim_violation(j->db->sim, "StarRocks cannot read: %s",
                  stmt_redacted(j->step->stmt, j->sql.arena));
    return refuse(j, "1064", "Getting syntax error near", j->sql.value);
}

/* The type up to NOT or NULL, as COLUMN_TYPE prints it: "decimal(10, 2)". */
static const char *read_type(struct job *j)
{
    AUTO(buf_deinit) struct buf text;
    struct arena *arena = j->db->sim->arena;
    char *lower = NULL;

    buf_init(&text, 4096);
    buf_addz(&text, sql_take_any(&j->sql));
    if (sql_take(&j->sql, "(")) {
        buf_addz(&text, "(");
        buf_addz(&text, sql_take_any(&j->sql));
        while (sql_take(&j->sql, ",")) {
            buf_addf(&text, ", %s", sql_take_any(&j->sql));
        }
        sql_want(&j->sql, ")");
        buf_addz(&text, ")");
    }
    lower = arena_copy(arena, buf_sv(&text));
    for (char *c = lower; *c != '\0'; c++) {
        *c = *c >= 'A' && *c <= 'Z' ? (char)(*c - 'A' + 'a') : *c;
    }
    return strcmp(lower, "boolean") == 0 ? "tinyint(1)" : lower;
}

static void read_columns(struct job *j, struct sr_table *table)
{
    struct arena *arena = j->db->sim->arena;

    sql_want(&j->sql, "(");
    while (!j->sql.broken) {
        struct sr_column column = {.name = arena_strdup(arena, sql_want_name(&j->sql)),
                                   .comment = ""};

        column.type = read_type(j);
        column.nullable = !sql_take(&j->sql, "NOT");
        sql_want(&j->sql, "NULL");
        if (sql_take(&j->sql, "COMMENT")) {
            column.comment = arena_strdup(arena, sql_want_text(&j->sql));
        }
        VEC_PUSH(arena, &table->columns, column);
        if (!sql_take(&j->sql, ",")) {
            break;
        }
    }
    sql_want(&j->sql, ")");
}

static void read_key(struct job *j, struct strlist *out_names)
{
    struct arena *arena = j->db->sim->arena;
    struct strlist names = {0};

    sql_want(&j->sql, "(");
    do {
        VEC_PUSH(arena, &names,
                 (const char *)arena_strdup(arena, sql_want_name(&j->sql)));
    } while (!j->sql.broken && sql_take(&j->sql, ","));
    sql_want(&j->sql, ")");
    *out_names = names;
}

/* The key must be the first columns, in order (starrocks.md 1.5). */
static bool check_key(struct job *j, struct sr_table *table)
{
    for (size_t i = 0; i < table->primary_key.n; i++) {
        if (i >= table->columns.n ||
            strcmp(table->columns.v[i].name, table->primary_key.v[i]) != 0) {
            return refuse(j, "1064", "Key columns must be the first few columns",
                          table->name);
        }
        table->columns.v[i].key = true;
    }
    return true;
}

/* Without the property StarRocks wants three (starrocks.md 1.8). */
static bool check_replicas(struct job *j, const char *property)
{
    AUTO(buf_deinit) struct buf ids = {0};
    int64_t wanted = 3;

    (void)sv_int64(sv_from(property), &wanted);
    if (wanted <= j->sr->live_backends) {
        return true;
    }
    buf_init(&ids, 4096);
    for (int64_t i = 0; i < j->sr->live_backends; i++) {
        buf_addf(&ids, "%s%lld", i > 0 ? ", " : "", (long long)(10001 + i));
    }
    fault_set(
        j->fault, FAULT_REFUSED, "ReplicationImpossible",
        "Table replication num should be less than or equal to the number of available "
        "BE nodes. You can change this default by setting the replication_num table "
        "properties. Current alive backend is [%s]",
        buf_z(&ids));
    return fault_code(j->fault, "1064");
}

static bool create_table(struct job *j)
{
    struct arena *arena = j->db->sim->arena;
    struct fake_sr_table *t = ARENA_NEW(arena, struct fake_sr_table);
    const char *database = NULL, *name = NULL;
    struct sql_options properties = {0};
    struct strlist buckets = {0};

    sql_qualified(&j->sql, &database, &name);
    t->database = arena_strdup(arena, database);
    t->table =
        (struct sr_table){.name = arena_strdup(arena, name), .model = "PRIMARY_KEYS"};
    read_columns(j, &t->table);
    sql_want(&j->sql, "PRIMARY KEY");
    read_key(j, &t->table.primary_key);
    sql_want(&j->sql, "COMMENT");
    t->table.comment = arena_strdup(arena, sql_want_text(&j->sql));
    sql_want(&j->sql, "DISTRIBUTED BY HASH");
    read_key(j, &buckets);
    if (sql_take(&j->sql, "PROPERTIES")) {
        sql_options(&j->sql, &properties);
    }
    if (!understood(j)) {
        return false;
    }
    if (!has_database(j->sr, database)) {
        return refuse(j, "5501", "Unknown database", database);
    }
    if (fake_sr_find(j->sr, database, name) != NULL) {
        return refuse(j, "1050", "Table already exists", name);
    }
    if (!check_replicas(j, sql_option(&properties, "replication_num"))) {
        return false;
    }
    if (!check_key(j, &t->table)) {
        return false;
    }
    VEC_PUSH(arena, &j->sr->tables, t);
    return true;
}

static bool create_database(struct job *j)
{
    const char *name = NULL;

    sql_want(&j->sql, "CREATE DATABASE IF NOT EXISTS");
    name = sql_want_name(&j->sql);
    if (!understood(j)) {
        return false;
    }
    if (!has_database(j->sr, name)) {
        VEC_PUSH(j->db->sim->arena, &j->sr->databases,
                 (const char *)arena_strdup(j->db->sim->arena, name));
    }
    return true;
}

static bool drop_table(struct job *j)
{
    const char *database = NULL, *name = NULL;
    struct fake_sr_table *t = NULL;

    sql_want(&j->sql, "DROP TABLE IF EXISTS");
    sql_qualified(&j->sql, &database, &name);
    if (!understood(j)) {
        return false;
    }
    t = fake_sr_find(j->sr, database, name);
    if (t != NULL) {
        fake_sr_remove(j->sr, t);
    }
    return true;
}

static bool run(struct job *j)
{
    switch (j->step->kind) {
    case PLAN_CREATE_DATABASE:
        return create_database(j);
    case PLAN_CREATE_TARGET:
        sql_want(&j->sql, "CREATE TABLE");
        return create_table(j);
    case PLAN_DROP_TARGET:
        return drop_table(j);
    case PLAN_CREATE_SCHEMA:
    case PLAN_CREATE_SOURCE:
    case PLAN_CREATE_TABLE:
    case PLAN_COMMENT_TABLE:
    case PLAN_CREATE_SINK:
    case PLAN_ALTER_SINK:
    case PLAN_DROP_SINK:
    case PLAN_DROP_TABLE:
    case PLAN_DROP_SOURCE:
    case PLAN_KIND_MAX:
        break;
    }
    sim_violation(j->db->sim, "StarRocks was sent: %s", j->step->sentence);
    return refuse(j, "1064", "not a statement of StarRocks", j->step->sentence);
}

static bool apply(struct target_db *db, const struct plan_step *step, const char *tag,
                  struct cancel *cancel, struct arena *arena,
                  struct db_result *out_result, struct fault *fault)
{
    struct target *t = of(db);
    struct job j = {.db = t->session.db, .sr = t->sr, .step = step, .fault = fault};
    enum sim_verdict verdict = SIM_PASS;

    if (tag == NULL || step->system != PLAN_STARROCKS) {
        sim_violation(j.db->sim, "a statement for another server, or without a tag");
    }
    sql_init(&j.sql, SQL_STARROCKS, stmt_redacted(step->stmt, arena), arena);
    if (!fake_session_call(&t->session, t->sr->down, true, cancel, step->object, &verdict,
                           fault) ||
        !run(&j) || !fake_session_end(&t->session, verdict, step->object, fault)) {
        return false;
    }
    memset(out_result, 0, sizeof(*out_result));
    return true;
}

static void close_target(struct target_db *db)
{
    struct target *t = of(db);

    t->session.db->open_sessions--;
    heap_free(t);
}

bool fake_sr_open(struct db_factory *f, const struct db_endpoint *endpoint,
                  struct cancel *cancel, struct target_db **out_db, struct fault *fault)
{
    static const struct target_db_ops ops = {
        .probe = probe, .catalog = catalog, .apply = apply, .close = close_target};
    struct fake_db *db = (struct fake_db *)(void *)f;
    struct fake_sr *sr = fake_db_sr(db, endpoint->conn->host);
    const struct fake_gate gate = {.host = endpoint->conn->host,
                                   .known = sr != NULL,
                                   .down = sr != NULL && sr->down,
                                   .refuses_login = sr != NULL && sr->refuses_login};
    struct target *t = NULL;

    if (!cancel_check(cancel, "connect", fault) ||
        !fake_db_login(db, &gate, endpoint, fault)) {
        return false;
    }
    t = HEAP_NEW(struct target);
    t->base.ops = &ops;
    t->session = (struct fake_session){.db = db, .host = sr->host};
    t->sr = sr;
    *out_db = &t->base;
    return true;
}

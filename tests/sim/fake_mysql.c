/* MySQL: its sessions. What becomes of its tables: fake_mysql_change.c. */
#include "base/heap.h"
#include "fake_session.h"
#include "sim.h"

struct source {
    struct source_db base;
    struct fake_session session;
    struct fake_mysql *mysql;
};

static struct source *of(struct source_db *db)
{
    return (struct source *)(void *)db;
}

static bool call(struct source_db *db, struct cancel *cancel, const char *what,
                 struct fault *fault)
{
    struct source *s = of(db);
    enum sim_verdict verdict = SIM_PASS;

    return fake_session_call(&s->session, s->mysql->down, SIM_CALL_MYSQL_READ, cancel,
                             what, &verdict, fault) &&
           fake_session_end(&s->session, verdict, what, fault);
}

static bool probe(struct source_db *db, struct cancel *cancel, struct arena *arena,
                  struct mysql_server *out_server, struct fault *fault)
{
    (void)arena;
    if (!call(db, cancel, "read MySQL's settings", fault)) {
        return false;
    }
    *out_server = of(db)->mysql->server;
    return true;
}

/* The lists change under later ALTERs. */
static struct mysql_table copy_table(const struct mysql_table *table, struct arena *arena)
{
    struct mysql_table copy = *table;

    memset(&copy.columns, 0, sizeof(copy.columns));
    memset(&copy.primary_key, 0, sizeof(copy.primary_key));
    for (VEC_EACH(struct mysql_column, column, &table->columns)) {
        VEC_PUSH(arena, &copy.columns, *column);
    }
    for (size_t i = 0; i < table->primary_key.n; i++) {
        VEC_PUSH(arena, &copy.primary_key, table->primary_key.v[i]);
    }
    return copy;
}

static bool read_table(struct source_db *db, const char *database, const char *table,
                       struct cancel *cancel, struct arena *arena,
                       struct mysql_table **out_table, bool *out_database_exists,
                       struct fault *fault)
{
    const struct fake_mysql *mysql = of(db)->mysql;
    struct mysql_table *found = NULL;
    bool exists = false;

    if (!call(db, cancel, "read a MySQL table", fault)) {
        return false;
    }
    for (size_t i = 0; i < mysql->tables.n; i++) {
        const struct mysql_table *t = &mysql->tables.v[i]->table;
        bool here = strcmp(t->database, database) == 0;

        exists = exists || here;
        if (here && strcmp(t->name, table) == 0) {
            found = ARENA_NEW(arena, struct mysql_table);
            *found = copy_table(t, arena);
        }
    }
    *out_table = found;
    *out_database_exists = exists;
    return true;
}

/* A table that went since it was read. */
static bool gone(const char *database, const char *table, struct fault *fault)
{
    (void)fault_set(fault, FAULT_CONFLICT, NULL, "Table '%s.%s' doesn't exist", database,
                    table);
    return fault_code(fault, "1146");
}

static int64_t losses_of(const struct fake_upstream *up, const struct loss_check *check)
{
    for (VEC_EACH(struct fake_loss, loss, &up->losses)) {
        if (loss->kind == check->kind && strcmp(loss->column, check->column) == 0) {
            return loss->rows;
        }
    }
    return check->kind == LOSS_NONE ? up->rows : 0;
}

static bool count_losses(struct source_db *db, const struct loss_check *checks,
                         size_t count, const char *database, const char *table,
                         int64_t rows_max, struct cancel *cancel, struct arena *arena,
                         int64_t *out_counts, bool *out_complete, struct fault *fault)
{
    const struct fake_mysql *mysql = of(db)->mysql;
    const struct fake_upstream *up = fake_mysql_find(mysql, database, table);

    (void)arena;
    if (!call(db, cancel, "count values", fault)) {
        return false;
    }
    if (up == NULL) {
        return gone(database, table, fault);
    }
    for (size_t i = 0; i < count; i++) {
        if (mysql_table_find(&up->table, checks[i].column) == NULL) {
            (void)fault_set(fault, FAULT_CONFLICT, NULL,
                            "Unknown column '%s' in 'field list'", checks[i].column);
            return fault_code(fault, "1054");
        }
        out_counts[i] = mysql->slow ? -1 : losses_of(up, &checks[i]);
    }
    *out_complete = !mysql->slow && up->rows < rows_max;
    return true;
}

static bool count_rows(struct source_db *db, const char *database, const char *table,
                       int64_t rows_max, struct cancel *cancel, int64_t *out_rows,
                       struct fault *fault)
{
    const struct fake_mysql *mysql = of(db)->mysql;
    const struct fake_upstream *up = fake_mysql_find(mysql, database, table);

    if (!call(db, cancel, "count rows", fault)) {
        return false;
    }
    if (up == NULL) {
        return gone(database, table, fault);
    }
    *out_rows = mysql->slow ? -1 : up->rows < rows_max ? up->rows : rows_max;
    return true;
}

static bool count_all(struct source_db *db, const struct tally_query *query,
                      struct cancel *cancel, int64_t *out_rows, struct fault *fault)
{
    int64_t rows = 0;

    if (!count_rows(db, query->database, query->table, INT64_MAX, cancel, &rows, fault)) {
        return false;
    }
    *out_rows = rows;
    return true;
}

static bool list_like(struct source_db *db, const char *database, const char *part,
                      struct cancel *cancel, struct arena *arena,
                      struct mysql_tables *out_tables, struct fault *fault)
{
    const struct fake_mysql *mysql = of(db)->mysql;
    struct mysql_tables found = {0};

    if (!call(db, cancel, "list tables", fault)) {
        return false;
    }
    for (size_t i = 0; i < mysql->tables.n; i++) {
        const struct mysql_table *t = &mysql->tables.v[i]->table;

        if (strcmp(t->database, database) == 0 &&
            sv_contains(sv_from(t->name), sv_from(part))) {
            VEC_PUSH(arena, &found.tables, copy_table(t, arena));
        }
    }
    *out_tables = found;
    return true;
}

/* No table here has a column that the connector cannot parse. */
static bool list_unparseable(struct source_db *db, const char *database,
                             struct cancel *cancel, struct arena *arena,
                             struct strlist *out_columns, struct fault *fault)
{
    (void)database;
    (void)arena;
    if (!call(db, cancel, "list columns", fault)) {
        return false;
    }
    memset(out_columns, 0, sizeof(*out_columns));
    return true;
}

static bool replica_ids(struct source_db *db, struct cancel *cancel, struct arena *arena,
                        struct strlist *out_ids, struct fault *fault)
{
    (void)arena;
    if (!call(db, cancel, "list replicas", fault)) {
        return false;
    }
    memset(out_ids, 0, sizeof(*out_ids));
    return true;
}

static bool binlog_lost(struct source_db *db, const struct binlog_position *at,
                        struct cancel *cancel, struct arena *arena,
                        struct binlog_answer *out_answer, struct fault *fault)
{
    const struct fake_mysql *mysql = of(db)->mysql;
    const char *oldest = arena_printf(arena, FAKE_LOG_FILE, (long long)mysql->first_log);

    if (!call(db, cancel, "list binary logs", fault)) {
        return false;
    }
    *out_answer =
        (struct binlog_answer){.lost = strcmp(at->file, oldest) < 0, .oldest = oldest};
    return true;
}

void fake_mysql_purge(struct fake_db *db, struct fake_mysql *mysql)
{
    mysql->log++;
    fake_db_tick(db); /* who reads goes on to the new one */
    mysql->first_log = mysql->log;
}

static void close_source(struct source_db *db)
{
    struct source *s = of(db);

    s->session.db->open_sessions--;
    heap_free(s);
}

static bool open_source(struct db_factory *f, const struct db_endpoint *endpoint,
                        struct cancel *cancel, struct source_db **out_db,
                        struct fault *fault)
{
    static const struct source_db_ops ops = {.probe = probe,
                                             .read_table = read_table,
                                             .count_losses = count_losses,
                                             .count_rows = count_rows,
                                             .count_all = count_all,
                                             .list_like = list_like,
                                             .list_unparseable = list_unparseable,
                                             .replica_ids = replica_ids,
                                             .binlog_lost = binlog_lost,
                                             .close = close_source};
    struct fake_db *db = (struct fake_db *)(void *)f;
    struct fake_mysql *mysql = fake_db_mysql(db, endpoint->conn->host);
    const struct fake_gate gate = {.host = endpoint->conn->host,
                                   .known = mysql != NULL,
                                   .down = mysql != NULL && mysql->down,
                                   .password = mysql == NULL ? NULL : mysql->password,
                                   .refuses_login =
                                       mysql != NULL && mysql->refuses_login};
    struct source *s = NULL;

    if (!cancel_check(cancel, "connect", fault) ||
        !fake_db_login(db, SIM_CALL_MYSQL_LOGIN, &gate, endpoint, fault)) {
        return false;
    }
    s = HEAP_NEW(struct source);
    s->base.ops = &ops;
    s->session = (struct fake_session){.db = db, .host = mysql->host};
    s->mysql = mysql;
    *out_db = &s->base;
    return true;
}

struct fake_db *fake_db_new(struct sim *sim)
{
    static const struct db_factory_ops ops = {.open_source = open_source,
                                              .open_stream = fake_rw_open,
                                              .open_target = fake_sr_open};
    struct fake_db *db = ARENA_NEW(sim->arena, struct fake_db);

    db->base.ops = &ops;
    db->sim = sim;
    db->snapshot_ms = 7000;
    db->build_ms = 5000;
    db->alter_ms = 20000;
    db->restart_ms = 120000;
    return db;
}

struct fake_mysql *fake_db_add_mysql(struct fake_db *db, const char *host,
                                     const char *uuid)
{
    struct fake_mysql *mysql = ARENA_NEW(db->sim->arena, struct fake_mysql);

    mysql->host = host;
    mysql->server = (struct mysql_server){.version = "8.0.39",
                                          .flavor = MYSQL_ORACLE,
                                          .server_uuid = uuid,
                                          .server_id = 1,
                                          .log_bin = true,
                                          .binlog_format = "ROW",
                                          .binlog_row_image = "FULL",
                                          .binlog_expire_seconds = 2592000,
                                          .gtid = true,
                                          .current_user = "'cdc'@'%'"};
    VEC_PUSH(
        db->sim->arena, &mysql->server.grants,
        "GRANT SELECT, RELOAD, SHOW DATABASES, REPLICATION SLAVE, REPLICATION CLIENT ON "
        "*.* TO `cdc`@`%`");
    VEC_PUSH(db->sim->arena, &db->mysql, mysql);
    return mysql;
}

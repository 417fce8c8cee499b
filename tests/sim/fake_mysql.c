/* MySQL: one fact sheet and tables that never change under the controller's hands. */
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

    return fake_session_call(&s->session, s->mysql->down, false, cancel, what, &verdict,
                             fault) &&
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
            *found = *t;
        }
    }
    *out_table = found;
    *out_database_exists = exists;
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
                                             .replica_ids = replica_ids,
                                             .close = close_source};
    struct fake_db *db = (struct fake_db *)(void *)f;
    struct fake_mysql *mysql = fake_db_mysql(db, endpoint->conn->host);
    const struct fake_gate gate = {.host = endpoint->conn->host,
                                   .known = mysql != NULL,
                                   .down = mysql != NULL && mysql->down,
                                   .refuses_login =
                                       mysql != NULL && mysql->refuses_login};
    struct source *s = NULL;

    if (!cancel_check(cancel, "connect", fault) ||
        !fake_db_login(db, &gate, endpoint, fault)) {
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

void fake_mysql_add_table(struct fake_db *db, struct fake_mysql *mysql,
                          const char *database, const char *name, int64_t rows)
{
    static const struct mysql_column columns[] = {{.name = "id",
                                                   .data_type = "bigint",
                                                   .column_type = "bigint",
                                                   .key = "PRI",
                                                   .char_max_length = -1,
                                                   .numeric_precision = 19,
                                                   .numeric_scale = 0},
                                                  {.name = "name",
                                                   .data_type = "varchar",
                                                   .column_type = "varchar(80)",
                                                   .nullable = true,
                                                   .key = "",
                                                   .charset = "utf8mb4",
                                                   .collation = "utf8mb4_bin",
                                                   .comment = "it's \"quoted\", \\ and ,",
                                                   .char_max_length = 80,
                                                   .numeric_precision = -1,
                                                   .numeric_scale = -1},
                                                  {.name = "amount",
                                                   .data_type = "decimal",
                                                   .column_type = "decimal(10,2)",
                                                   .nullable = true,
                                                   .key = "",
                                                   .char_max_length = -1,
                                                   .numeric_precision = 10,
                                                   .numeric_scale = 2},
                                                  {.name = "created at",
                                                   .data_type = "datetime",
                                                   .column_type = "datetime",
                                                   .nullable = true,
                                                   .key = "",
                                                   .char_max_length = -1,
                                                   .numeric_precision = -1,
                                                   .numeric_scale = -1},
                                                  {.name = "flags",
                                                   .data_type = "bit",
                                                   .column_type = "bit(1)",
                                                   .nullable = true,
                                                   .key = "",
                                                   .char_max_length = -1,
                                                   .numeric_precision = 1,
                                                   .numeric_scale = -1},
                                                  {.name = "extra",
                                                   .data_type = "json",
                                                   .column_type = "json",
                                                   .nullable = true,
                                                   .key = "",
                                                   .char_max_length = -1,
                                                   .numeric_precision = -1,
                                                   .numeric_scale = -1}};
    struct arena *arena = db->sim->arena;
    struct fake_upstream *up = ARENA_NEW(arena, struct fake_upstream);

    up->table = (struct mysql_table){.database = database,
                                     .name = name,
                                     .type = "BASE TABLE",
                                     .engine = "InnoDB",
                                     .comment = "",
                                     .row_estimate = rows};
    up->rows = rows;
    for (size_t i = 0; i < COUNT_OF(columns); i++) {
        struct mysql_column column = columns[i];

        column.ordinal = (int64_t)i + 1;
        column.extra = "";
        column.comment = column.comment == NULL ? "" : column.comment;
        column.datetime_precision = -1;
        VEC_PUSH(arena, &up->table.columns, column);
    }
    VEC_PUSH(arena, &up->table.primary_key, "id");
    VEC_PUSH(arena, &mysql->tables, up);
}

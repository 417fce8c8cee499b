#include "db/mysql_source.h"

#include "db/mysql_source_private.h"

struct mysql_source *mysql_source_of(struct source_db *db)
{
    return (struct mysql_source *)(void *)db;
}

struct stmt *mysql_source_stmt(const struct reading *r)
{
    return stmt_new(r->scratch, SQL_MYSQL);
}

bool mysql_source_read(const struct reading *r, const struct stmt *stmt, struct rows *out)
{
    return mysql_wire_read(r->db->wire, stmt, r->what, r->cancel, r->scratch, out,
                           r->fault);
}

/* Takes a leading number and the dot behind it. */
int64_t mysql_source_version(const struct mysql_source *db)
{
    return mysql_version_number(mysql_wire_version(db->wire));
}

static bool read_server(const struct reading *r, struct mysql_server *server)
{
    struct rows rows;
    struct stmt *s = mysql_source_stmt(r);

    stmt_text(s,
              "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('version', 'server_uuid', "
              "'server_id', 'log_bin', 'binlog_format', 'binlog_row_image', "
              "'binlog_expire_logs_seconds', 'expire_logs_days', "
              "'binlog_expire_logs_auto_purge', 'gtid_mode', 'gtid_domain_id', "
              "'lower_case_table_names')");
    if (!mysql_source_read(r, s, &rows)) {
        return false;
    }
    mysql_rows_server(&rows, r->arena, server);
    r->db->lower_case_table_names = server->lower_case_table_names;
    return true;
}

static bool source_probe(struct source_db *db, struct cancel *cancel, struct arena *arena,
                         struct mysql_server *out_server, struct fault *fault)
{
    AUTO(arena_freep) struct arena *scratch = arena_new(ARENA_CEILING_BYTES);
    const struct reading r = {.db = mysql_source_of(db),
                              .cancel = cancel,
                              .scratch = scratch,
                              .arena = arena,
                              .what = "reading the server's settings",
                              .fault = fault};
    struct mysql_server server = {0};
    struct rows user;
    struct rows grants;
    struct stmt *who = mysql_source_stmt(&r);
    struct stmt *show = mysql_source_stmt(&r);

    stmt_text(who, "SELECT CURRENT_USER() AS account");
    stmt_text(show, "SHOW GRANTS FOR CURRENT_USER()");
    if (!read_server(&r, &server) || !mysql_source_read(&r, who, &user) ||
        !mysql_source_read(&r, show, &grants) ||
        !mysql_read_require(&r, &grants, &server.require)) {
        return false;
    }
    server.current_user = mysql_rows_account(rows_text(&user, 0, "account"), arena);
    mysql_rows_grants(&grants, arena, &server.grants);
    *out_server = server;
    return true;
}

/* Only a server whose names ignore case may be asked without it. */
static bool know_case(const struct reading *r)
{
    struct rows rows;
    struct stmt *s = mysql_source_stmt(r);

    if (r->db->lower_case_table_names >= 0) {
        return true;
    }
    stmt_text(s, "SELECT @@lower_case_table_names AS lctn");
    if (!mysql_source_read(r, s, &rows)) {
        return false;
    }
    r->db->lower_case_table_names = rows_int(&rows, 0, "lctn", 0);
    return true;
}

bool mysql_source_set(const struct reading *r, const struct stmt *s)
{
    struct fault refused = FAULT_INIT;
    int64_t affected = 0;

    if (!mysql_wire_apply(r->db->wire, s, NULL, r->what, r->cancel, &affected,
                          &refused) &&
        refused.class != FAULT_REFUSED && refused.class != FAULT_DENIED) {
        *r->fault = refused;
        return false;
    }
    return true;
}

/* MySQL 8 answers AUTO_INCREMENT and TABLE_ROWS from a cache that is up to a day old;
 * whether a key fits BIGINT must not depend on yesterday. */
static bool ask_fresh(const struct reading *r)
{
    struct stmt *s = mysql_source_stmt(r);

    if (r->db->fresh_statistics || r->db->flavor == MYSQL_MARIADB ||
        mysql_source_version(r->db) < 80000) {
        return true;
    }
    stmt_text(s, "SET SESSION information_schema_stats_expiry = 0");
    r->db->fresh_statistics = mysql_source_set(r, s);
    return r->db->fresh_statistics;
}

/* CREATE_TIME is printed in the session's zone: where that has daylight saving, every
 * table would seem to be made anew twice a year. */
static bool ask_utc(const struct reading *r)
{
    struct stmt *s = mysql_source_stmt(r);

    if (r->db->utc) {
        return true;
    }
    stmt_text(s, "SET SESSION time_zone = '+00:00'");
    r->db->utc = mysql_source_set(r, s);
    return r->db->utc;
}

bool mysql_source_prepare(const struct reading *r)
{
    return know_case(r) && ask_fresh(r) && ask_utc(r);
}

static bool find_database(const struct reading *r, const char **out_database)
{
    struct rows rows;
    struct stmt *s = mysql_source_stmt(r);

    stmt_text(s,
              "SELECT SCHEMA_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = ");
    stmt_str(s, sv_from(r->database));
    if (!mysql_source_read(r, s, &rows)) {
        return false;
    }
    size_t row = mysql_rows_named(&rows, "SCHEMA_NAME", r->database,
                                  r->db->lower_case_table_names);
    *out_database = rows_get(&rows, row, "SCHEMA_NAME");
    return true;
}

static void where_table(struct stmt *s, const char *database, const char *table)
{
    stmt_text(s, " WHERE TABLE_SCHEMA = ");
    stmt_str(s, sv_from(database));
    stmt_text(s, " AND TABLE_NAME = ");
    stmt_str(s, sv_from(table));
}

static bool find_table(const struct reading *r, const char *database,
                       struct mysql_table **out_table)
{
    struct rows rows;
    struct stmt *s = mysql_source_stmt(r);

    stmt_text(
        s, "SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE, ENGINE, TABLE_ROWS, "
           "AUTO_INCREMENT, CREATE_TIME, TABLE_COMMENT FROM information_schema.TABLES");
    where_table(s, database, r->table);
    if (!mysql_source_read(r, s, &rows)) {
        return false;
    }
    size_t row =
        mysql_rows_named(&rows, "TABLE_NAME", r->table, r->db->lower_case_table_names);
    *out_table = row == SIZE_MAX ? NULL : mysql_rows_table(&rows, row, r->arena);
    return true;
}

static bool read_columns(const struct reading *r, struct mysql_table *table)
{
    struct rows columns;
    struct rows keys;
    struct stmt *c = mysql_source_stmt(r);
    struct stmt *k = mysql_source_stmt(r);

    /* All columns: GENERATION_EXPRESSION is not everywhere and must not be named. */
    stmt_text(c, "SELECT * FROM information_schema.COLUMNS");
    where_table(c, table->database, table->name);
    stmt_text(k, "SELECT TABLE_SCHEMA, TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX, "
                 "COLUMN_NAME, SUB_PART, NULLABLE FROM information_schema.STATISTICS");
    where_table(k, table->database, table->name);
    stmt_text(k, " AND NON_UNIQUE = 0");
    if (!mysql_source_read(r, c, &columns) || !mysql_source_read(r, k, &keys)) {
        return false;
    }
    mysql_rows_columns(&columns, r->db->flavor, r->arena, table);
    mysql_rows_primary_key(&keys, r->arena, table);
    mysql_rows_unique_keys(&keys, r->arena, table);
    return true;
}

static bool names(const struct strlist *list, const char *name)
{
    for (size_t i = 0; i < list->n; i++) {
        if (sv_eq(sv_from(list->v[i]), sv_from(name))) {
            return true;
        }
    }
    return false;
}

/* A unique key may be chosen as the target's key, so its columns count as well. */
static bool is_unsigned_bigint_key(const struct mysql_table *table,
                                   const struct mysql_column *column)
{
    if (!sv_eq(sv_from(column->data_type), SV("bigint")) ||
        sv_find_nocase(sv_from(column->column_type), SV("unsigned")) == SIZE_MAX) {
        return false;
    }
    for (VEC_EACH(struct mysql_key, key, &table->unique_keys)) {
        if (names(&key->columns, column->name)) {
            return true;
        }
    }
    return names(&table->primary_key, column->name);
}

/* Whether such a key fits BIGINT decides its type in StarRocks (verified 4). */
static bool read_key_max(const struct reading *r, const struct mysql_table *table,
                         struct mysql_column *column)
{
    const struct ident *database = NULL;
    const struct ident *name = NULL;
    const struct ident *key = NULL;
    struct rows rows;
    struct stmt *s = mysql_source_stmt(r);

    if (!ident_parse(r->scratch, sv_from(table->database), SQL_MYSQL, IDENT_DATABASE,
                     &database, r->fault) ||
        !ident_parse(r->scratch, sv_from(table->name), SQL_MYSQL, IDENT_TABLE, &name,
                     r->fault) ||
        !ident_parse(r->scratch, sv_from(column->name), SQL_MYSQL, IDENT_COLUMN, &key,
                     r->fault)) {
        return false;
    }
    stmt_text(s, "SELECT MAX(");
    stmt_ident(s, key);
    stmt_text(s, ") AS key_max FROM ");
    stmt_qualified(s, database, name);
    if (!mysql_source_read(r, s, &rows)) {
        return false;
    }
    column->key_max = mysql_rows_unsigned(rows_get(&rows, 0, "key_max"), 0);
    return true;
}

static bool read_details(const struct reading *r, struct mysql_table *table)
{
    if (!read_columns(r, table)) {
        return false;
    }
    for (VEC_EACH(struct mysql_column, column, &table->columns)) {
        if (is_unsigned_bigint_key(table, column) && !read_key_max(r, table, column)) {
            return false;
        }
    }
    return true;
}

static bool source_read_table(struct source_db *db, const char *database,
                              const char *table, struct cancel *cancel,
                              struct arena *arena, struct mysql_table **out_table,
                              bool *out_database_exists, struct fault *fault)
{
    AUTO(arena_freep) struct arena *scratch = arena_new(ARENA_CEILING_BYTES);
    const struct reading r = {
        .db = mysql_source_of(db),
        .cancel = cancel,
        .scratch = scratch,
        .arena = arena,
        .database = database,
        .table = table,
        .fault = fault,
        .what = arena_printf(scratch, "reading table %s.%s", database, table)};
    const char *found_database = NULL;
    struct mysql_table *found = NULL;

    if (!mysql_source_prepare(&r) || !find_database(&r, &found_database)) {
        return false;
    }
    if (found_database != NULL && !find_table(&r, found_database, &found)) {
        return false;
    }
    if (found != NULL && !read_details(&r, found)) {
        return false;
    }
    *out_database_exists = found_database != NULL;
    *out_table = found;
    return true;
}

static bool source_replica_ids(struct source_db *db, struct cancel *cancel,
                               struct arena *arena, struct strlist *out_ids,
                               struct fault *fault)
{
    AUTO(arena_freep) struct arena *scratch = arena_new(ARENA_CEILING_BYTES);
    struct fault refused = FAULT_INIT;
    const struct reading r = {.db = mysql_source_of(db),
                              .cancel = cancel,
                              .scratch = scratch,
                              .arena = arena,
                              .what = "reading the list of replicas",
                              .fault = &refused};
    struct strlist ids = {0};
    struct rows rows;
    struct stmt *s = mysql_source_stmt(&r);

    /* MySQL renamed it in 8.0.22 and dropped the old name in 8.4; MariaDB keeps the old.
     */
    if (r.db->flavor == MYSQL_ORACLE && mysql_source_version(r.db) >= 80022) {
        stmt_text(s, "SHOW REPLICAS");
    } else {
        stmt_text(s, "SHOW SLAVE HOSTS");
    }
    if (mysql_source_read(&r, s, &rows)) {
        mysql_rows_replicas(&rows, arena, &ids);
    } else if (refused.class != FAULT_DENIED) {
        *fault = refused;
        return false;
    }
    *out_ids = ids;
    return true;
}

static void source_close(struct source_db *db)
{
    mysql_wire_close(mysql_source_of(db)->wire); /* frees the structure too */
}

static const struct source_db_ops source_ops = {
    .probe = source_probe,
    .read_table = source_read_table,
    .count_losses = mysql_count_losses,
    .count_rows = mysql_count_rows,
    .count_all = mysql_count_all,
    .list_like = mysql_list_like,
    .list_databases = mysql_list_databases,
    .list_tables = mysql_list_tables,
    .list_unparseable = mysql_list_unparseable,
    .replica_ids = source_replica_ids,
    .binlog_lost = mysql_binlog_lost,
    .close = source_close,
};

bool mysql_source_open(const struct db_endpoint *endpoint, struct cancel *cancel,
                       struct source_db **out_db, struct fault *fault)
{
    struct mysql_wire *wire = NULL;

    if (!mysql_wire_open(endpoint, DB_MYSQL, cancel, &wire, fault)) {
        return false;
    }
    struct mysql_source *db =
        ARENA_NEW(mysql_wire_peer(wire)->arena, struct mysql_source);
    db->base.ops = &source_ops;
    db->wire = wire;
    db->lower_case_table_names = -1;
    db->flavor =
        sv_find_nocase(sv_from(mysql_wire_version(wire)), SV("mariadb")) == SIZE_MAX
            ? MYSQL_ORACLE
            : MYSQL_MARIADB;
    *out_db = &db->base;
    return true;
}

#include "db/starrocks.h"

#include "db/mysql_wire.h"
#include "db/starrocks_rows.h"

struct starrocks {
    struct target_db base;
    struct mysql_wire *wire;
};

/* One call: what it works with. Rows live in a scratch arena, results in the caller's. */
struct asking {
    struct starrocks *db;
    struct cancel *cancel;
    struct arena *scratch;
    struct arena *arena;
    const char *database;
    const char *what;
    struct fault *fault;
};

static struct starrocks *of(struct target_db *db)
{
    return (struct starrocks *)(void *)db;
}

static struct stmt *new_stmt(const struct asking *a)
{
    return stmt_new(a->scratch, SQL_STARROCKS);
}

static bool read_rows(const struct asking *a, const struct stmt *stmt, struct rows *out)
{
    return mysql_wire_read(a->db->wire, stmt, a->what, a->cancel, a->scratch, out,
                           a->fault);
}

/*
 * Live backends, or in a shared-data cluster live compute nodes. Both lists need OPERATE
 * or NODE on SYSTEM, which the controller's account need not have: then the number is -1.
 */
static bool count_live(const struct asking *a, int64_t *out_live)
{
    struct fault refused = FAULT_INIT;
    struct asking quiet = *a;
    struct rows backends = {0};
    struct rows nodes = {0};
    struct stmt *b = new_stmt(a);
    struct stmt *c = new_stmt(a);

    quiet.fault = &refused;
    stmt_text(b, "SHOW BACKENDS");
    if (!read_rows(&quiet, b, &backends)) {
        if (refused.class != FAULT_DENIED) {
            *a->fault = refused;
            return false;
        }
        *out_live = -1;
        return true;
    }
    if (rows_count(&backends) > 0) {
        *out_live = starrocks_rows_alive(&backends);
        return true;
    }
    stmt_text(c, "SHOW COMPUTE NODES");
    if (!read_rows(&quiet, c, &nodes) && refused.class != FAULT_DENIED &&
        refused.class != FAULT_REFUSED) {
        *a->fault = refused;
        return false;
    }
    *out_live = starrocks_rows_alive(&nodes);
    return true;
}

/* A role that was granted is inactive until it is a default one (verified 33), so the
 * grant of root alone does not make root. */
static bool read_grants(const struct asking *a, struct sr_server *server)
{
    struct rows grants;
    struct rows roles;
    struct stmt *g = new_stmt(a);
    struct stmt *r = new_stmt(a);
    bool root_role = false;

    stmt_text(g, "SHOW GRANTS");
    if (!read_rows(a, g, &grants)) {
        return false;
    }
    starrocks_rows_grants(&grants, a->arena, &server->grants, &root_role);
    server->grants_known = true;
    if (!root_role) {
        return true;
    }
    stmt_text(r, "SELECT CURRENT_ROLE()");
    if (!read_rows(a, r, &roles)) {
        return false;
    }
    server->root = starrocks_rows_root(&roles);
    return true;
}

static bool starrocks_probe(struct target_db *db, struct cancel *cancel,
                            struct arena *arena, struct sr_server *out_server,
                            struct fault *fault)
{
    AUTO(arena_freep) struct arena *scratch = arena_new(ARENA_CEILING_BYTES);
    const struct asking a = {.db = of(db),
                             .cancel = cancel,
                             .scratch = scratch,
                             .arena = arena,
                             .what = "reading the server's version",
                             .fault = fault};
    struct sr_server server = {0};
    struct rows rows;
    struct stmt *s = new_stmt(&a);

    /* @@version names a MySQL version; only the comment identifies StarRocks. */
    stmt_text(s, "SELECT @@version_comment");
    if (!read_rows(&a, s, &rows) || !count_live(&a, &server.live_backends) ||
        !read_grants(&a, &server)) {
        return false;
    }
    server.version = arena_strdup(arena, rows_text(&rows, 0, "@@version_comment"));
    *out_server = server;
    return true;
}

static bool find_database(const struct asking *a, bool *out_exists)
{
    struct rows rows;
    struct stmt *s = new_stmt(a);

    stmt_text(s, "SHOW DATABASES");
    if (!read_rows(a, s, &rows)) {
        return false;
    }
    *out_exists = starrocks_rows_database(&rows, a->database);
    return true;
}

static bool read_tables(const struct asking *a, struct sr_catalog *catalog)
{
    struct rows rows;
    struct stmt *s = new_stmt(a);

    stmt_text(s, "SELECT TABLE_NAME, TABLE_TYPE, ENGINE, TABLE_COMMENT FROM "
                 "information_schema.tables WHERE TABLE_SCHEMA = ");
    stmt_str(s, sv_from(a->database));
    if (!read_rows(a, s, &rows)) {
        return false;
    }
    starrocks_rows_tables(&rows, a->arena, catalog);
    return true;
}

/* These two are answered by a backend. */
static bool read_definitions(const struct asking *a, struct sr_catalog *catalog)
{
    struct rows columns;
    struct rows config;
    struct stmt *c = new_stmt(a);
    struct stmt *t = new_stmt(a);

    stmt_text(c, "SELECT TABLE_NAME, COLUMN_NAME, ORDINAL_POSITION, COLUMN_TYPE, "
                 "IS_NULLABLE, COLUMN_KEY, COLUMN_DEFAULT, COLUMN_COMMENT FROM "
                 "information_schema.columns WHERE TABLE_SCHEMA = ");
    stmt_str(c, sv_from(a->database));
    stmt_text(c, " ORDER BY TABLE_NAME, ORDINAL_POSITION");
    stmt_text(t, "SELECT TABLE_NAME, TABLE_MODEL, PRIMARY_KEY FROM "
                 "information_schema.tables_config WHERE TABLE_SCHEMA = ");
    stmt_str(t, sv_from(a->database));
    if (!read_rows(a, c, &columns) || !read_rows(a, t, &config)) {
        return false;
    }
    starrocks_rows_columns(&columns, a->arena, catalog);
    starrocks_rows_config(&config, a->arena, catalog);
    return true;
}

static bool show_columns(const struct asking *a, struct sr_table *table)
{
    const struct ident *database = NULL;
    const struct ident *name = NULL;
    struct rows rows;
    struct stmt *s = new_stmt(a);

    if (!ident_parse(a->scratch, sv_from(a->database), SQL_STARROCKS, IDENT_DATABASE,
                     &database, a->fault) ||
        !ident_parse(a->scratch, sv_from(table->name), SQL_STARROCKS, IDENT_TABLE, &name,
                     a->fault)) {
        return false;
    }
    stmt_text(s, "SHOW FULL COLUMNS FROM ");
    stmt_qualified(s, database, name);
    if (!read_rows(a, s, &rows)) {
        return false;
    }
    starrocks_rows_show(&rows, a->arena, table);
    return true;
}

/* Without a backend the FE still knows our tables' columns, one table at a time, and no
 * model (verified 29). Tables without a mark are not ours to compare. */
static bool show_marked(const struct asking *a, struct sr_catalog *catalog)
{
    for (VEC_EACH(struct sr_table, table, &catalog->tables)) {
        struct mark mark;
        if (mark_parse(table->comment, &mark) && !table->is_view &&
            !show_columns(a, table)) {
            return false;
        }
    }
    return true;
}

static bool read_columns(const struct asking *a, struct sr_catalog *catalog)
{
    struct fault backends = FAULT_INIT;
    struct asking quiet = *a;

    quiet.fault = &backends;
    if (read_definitions(&quiet, catalog)) {
        return true;
    }
    if (fault_is(&backends, FAULT_UNAVAILABLE, "NoBackends")) {
        return show_marked(a, catalog);
    }
    *a->fault = backends;
    return false;
}

/*
 * Schema changes are jobs of the FE. Who may not see them plans by the columns alone.
 * Asked before the columns: of a job that ends in between, the end shows late rather than
 * its effect not at all.
 */
static bool read_alters(const struct asking *a, struct sr_catalog *catalog)
{
    struct fault refused = FAULT_INIT;
    struct asking quiet = *a;
    const struct ident *database = NULL;
    struct rows jobs = {0};
    struct stmt *s = new_stmt(a);

    quiet.fault = &refused;
    if (!ident_parse(a->scratch, sv_from(a->database), SQL_STARROCKS, IDENT_DATABASE,
                     &database, a->fault)) {
        return false;
    }
    stmt_text(s, "SHOW ALTER TABLE COLUMN FROM ");
    stmt_ident(s, database);
    if (!read_rows(&quiet, s, &jobs)) {
        if (refused.class == FAULT_DENIED ||
            fault_is(&refused, FAULT_REFUSED, "DatabaseMissing")) {
            return true;
        }
        *a->fault = refused;
        return false;
    }
    starrocks_rows_alters(&jobs, mysql_wire_peer(a->db->wire), a->arena, catalog);
    return true;
}

static bool starrocks_catalog(struct target_db *db, const char *database,
                              struct cancel *cancel, struct arena *arena,
                              struct sr_catalog *out_catalog, struct fault *fault)
{
    AUTO(arena_freep) struct arena *scratch = arena_new(ARENA_CEILING_BYTES);
    const struct asking a = {.db = of(db),
                             .cancel = cancel,
                             .scratch = scratch,
                             .arena = arena,
                             .database = database,
                             .fault = fault,
                             .what =
                                 arena_printf(scratch, "reading database %s", database)};
    struct sr_catalog catalog = {0};

    if (!count_live(&a, &catalog.live_backends) ||
        !find_database(&a, &catalog.database_exists)) {
        return false;
    }
    if (catalog.database_exists &&
        (!read_tables(&a, &catalog) || !read_alters(&a, &catalog) ||
         !read_columns(&a, &catalog))) {
        return false;
    }
    *out_catalog = catalog;
    return true;
}

static bool starrocks_apply(struct target_db *db, const struct plan_step *step,
                            const char *tag, struct cancel *cancel, struct arena *arena,
                            struct db_result *out_result, struct fault *fault)
{
    const char *what = arena_printf(arena, "%s (%s)", step->sentence, step->object);
    int64_t affected = 0;

    must(stmt_dialect(step->stmt) == SQL_STARROCKS);
    if (!mysql_wire_apply(of(db)->wire, step->stmt, tag, what, cancel, &affected,
                          fault)) {
        return false;
    }
    *out_result = (struct db_result){.affected = affected};
    return true;
}

static bool starrocks_count_all(struct target_db *db, const struct tally_query *query,
                                struct cancel *cancel, int64_t *out_rows,
                                struct fault *fault)
{
    AUTO(arena_freep) struct arena *scratch = arena_new(ARENA_CEILING_BYTES);
    const char *what =
        arena_printf(scratch, "counting rows of %s.%s", query->database, query->table);
    struct rows rows;
    bool late = false;

    must(stmt_dialect(query->stmt) == SQL_STARROCKS);
    if (!mysql_wire_read_within(of(db)->wire, query->stmt, what, query->limit_ms, cancel,
                                scratch, &rows, &late, fault)) {
        return false;
    }
    *out_rows = late ? -1 : rows_int(&rows, 0, "n", -1);
    return true;
}

static void starrocks_close(struct target_db *db)
{
    mysql_wire_close(of(db)->wire); /* frees the structure too */
}

static const struct target_db_ops starrocks_ops = {
    .probe = starrocks_probe,
    .catalog = starrocks_catalog,
    .apply = starrocks_apply,
    .count_all = starrocks_count_all,
    .close = starrocks_close,
};

bool starrocks_open(const struct db_endpoint *endpoint, struct cancel *cancel,
                    struct target_db **out_db, struct fault *fault)
{
    struct mysql_wire *wire = NULL;

    if (!mysql_wire_open(endpoint, DB_STARROCKS, cancel, &wire, fault)) {
        return false;
    }
    struct starrocks *db = ARENA_NEW(mysql_wire_peer(wire)->arena, struct starrocks);
    db->base.ops = &starrocks_ops;
    db->wire = wire;
    *out_db = &db->base;
    return true;
}

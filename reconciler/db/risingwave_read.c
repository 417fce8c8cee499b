/* risingwave_read: the catalogs and the progress of what runs, each in a few bulk
 * queries. */
#include "db/risingwave_private.h"

#include <string.h>

static bool has_schema(const struct rows *schemas, const char *name)
{
    for (size_t i = 0; i < rows_count(schemas); i++) {
        if (strcmp(rows_text(schemas, i, "name"), name) == 0) {
            return true;
        }
    }
    return false;
}

/* Sources of the whole database: server ids must not clash. rw_relations holds the rows
 * of rw_tables and rw_sinks that this user may see; others' are hidden (verified 39). */
static bool read_database(const struct asking *a, struct rw_catalog *catalog)
{
    struct rows schemas;
    struct rows sources;
    struct rows relations;
    struct rows depend;
    struct rows internals;

    if (!RISINGWAVE_READ(a, &schemas, "SELECT id, name FROM rw_catalog.rw_schemas") ||
        !RISINGWAVE_READ(
            a, &sources,
            "SELECT id, name, schema_id, connector_props FROM rw_catalog.rw_sources") ||
        !RISINGWAVE_READ(
            a, &relations,
            "SELECT id, name, relation_type, schema_id FROM rw_catalog.rw_relations") ||
        !RISINGWAVE_READ(a, &depend,
                         "SELECT objid, refobjid FROM rw_catalog.rw_depend") ||
        !RISINGWAVE_READ(a, &internals,
                         "SELECT job_id, name FROM rw_catalog.rw_internal_tables")) {
        return false;
    }
    catalog->schema_exists = has_schema(&schemas, a->schema);
    risingwave_rows_sources(&sources, &schemas, a->arena, catalog);
    rows_wipe(&sources);
    risingwave_rows_relations(&relations, &schemas, a->arena, catalog);
    risingwave_rows_edges(&depend, a->arena, catalog);
    risingwave_rows_internals(&internals, a->arena, catalog);
    return true;
}

static void in_schema(struct stmt *s, const char *schema)
{
    stmt_text(s, " WHERE s.name = ");
    stmt_str(s, sv_from(schema));
}

static bool read_tables(const struct asking *a, struct rw_catalog *catalog)
{
    struct rows tables;
    struct rows columns;
    struct rows comments;
    struct stmt *t = risingwave_stmt(a);
    struct stmt *c = risingwave_stmt(a);

    stmt_text(t, "SELECT t.id, t.name FROM rw_catalog.rw_tables t JOIN "
                 "rw_catalog.rw_schemas s ON s.id = t.schema_id");
    in_schema(t, a->schema);
    stmt_text(c,
              "SELECT c.relation_id, c.name, c.position, c.data_type, c.is_hidden, "
              "c.is_primary_key FROM rw_catalog.rw_columns c JOIN rw_catalog.rw_tables t "
              "ON t.id = c.relation_id JOIN rw_catalog.rw_schemas s ON s.id = "
              "t.schema_id");
    in_schema(c, a->schema);
    stmt_text(c, " ORDER BY c.relation_id, c.position");
    if (!risingwave_read(a, t, &tables) || !risingwave_read(a, c, &columns) ||
        !RISINGWAVE_READ(
            a, &comments,
            "SELECT objoid, objsubid, description FROM rw_catalog.rw_description "
            "WHERE objsubid IS NULL AND description IS NOT NULL")) {
        return false;
    }
    risingwave_rows_tables(&tables, a->arena, catalog);
    risingwave_rows_columns(&columns, a->arena, catalog);
    risingwave_rows_comments(&comments, a->arena, catalog);
    return true;
}

static bool read_sinks(const struct asking *a, struct rw_catalog *catalog)
{
    struct rows sinks;
    struct rows jobs;
    struct rows limits;
    struct rows events;
    struct stmt *k = risingwave_stmt(a);

    stmt_text(k, "SELECT k.id, k.name, k.connector_props FROM rw_catalog.rw_sinks k JOIN "
                 "rw_catalog.rw_schemas s ON s.id = k.schema_id");
    in_schema(k, a->schema);
    if (!risingwave_read(a, k, &sinks) ||
        !RISINGWAVE_READ(a, &jobs,
                         "SELECT id, name, status FROM rw_catalog.rw_streaming_jobs") ||
        !RISINGWAVE_READ(
            a, &limits,
            "SELECT table_id, node_name, rate_limit FROM rw_catalog.rw_rate_limit") ||
        !RISINGWAVE_READ(
            a, &events,
            "SELECT event_type, timestamp, info FROM rw_catalog.rw_event_logs WHERE "
            "event_type IN ('SINK_FAIL', 'CREATE_STREAM_JOB_FAIL', "
            "'COLLECT_BARRIER_FAIL')")) {
        return false;
    }
    risingwave_rows_sinks(&sinks, a->arena, catalog);
    rows_wipe(&sinks);
    risingwave_rows_jobs(&jobs, &limits, catalog);
    risingwave_rows_events(&events, risingwave_wire_peer(a->db->wire), a->arena, catalog);
    return true;
}

bool risingwave_catalog(struct stream_db *db, const char *schema, struct cancel *cancel,
                        struct arena *arena, struct rw_catalog *out_catalog,
                        struct fault *fault)
{
    AUTO(arena_freep) struct arena *scratch = arena_new(ARENA_CEILING_BYTES);
    const struct asking a = {.db = risingwave_of(db),
                             .cancel = cancel,
                             .scratch = scratch,
                             .arena = arena,
                             .schema = schema,
                             .fault = fault,
                             .what = arena_printf(scratch, "reading schema %s", schema)};
    struct rw_catalog catalog = {0};

    if (!read_database(&a, &catalog) || !read_tables(&a, &catalog) ||
        !read_sinks(&a, &catalog)) {
        return false;
    }
    *out_catalog = catalog;
    return true;
}

/* Appends the quoted name of a table of ours, or of an internal one, which RisingWave
 * made; catalog() found both. */
static bool add_table(const struct asking *a, struct stmt *s, const char *table)
{
    const struct ident *schema = NULL;
    const struct ident *name = NULL;

    if (!ident_parse(a->scratch, sv_from(a->schema), SQL_RISINGWAVE, IDENT_SCHEMA,
                     &schema, a->fault) ||
        !ident_parse(a->scratch, sv_from(table), SQL_RISINGWAVE, IDENT_TABLE, &name,
                     a->fault)) {
        return false;
    }
    stmt_qualified(s, schema, name);
    return true;
}

/* A question about one table of the schema; what it answers is copied by the caller. */
static struct asking about_table(struct stream_db *db, const char *schema,
                                 const char *what, struct arena *scratch,
                                 struct cancel *cancel, struct fault *fault)
{
    return (struct asking){.db = risingwave_of(db),
                           .cancel = cancel,
                           .scratch = scratch,
                           .schema = schema,
                           .what = what,
                           .fault = fault};
}

bool risingwave_snapshot(struct stream_db *db, const char *schema,
                         const char *internal_table, struct cancel *cancel,
                         struct rw_snapshot *out_snapshot, struct fault *fault)
{
    AUTO(arena_freep) struct arena *scratch = arena_new(ARENA_CEILING_BYTES);
    const struct asking a = about_table(db, schema, "reading the snapshot's progress",
                                        scratch, cancel, fault);
    struct rows rows;
    struct stmt *s = risingwave_stmt(&a);

    stmt_text(s, "SELECT row_count, backfill_finished FROM ");
    if (!add_table(&a, s, internal_table) || !risingwave_read(&a, s, &rows)) {
        return false;
    }
    *out_snapshot = risingwave_rows_snapshot(&rows);
    return true;
}

bool risingwave_backlog(struct stream_db *db, const char *schema,
                        const char *internal_table, struct cancel *cancel,
                        struct rw_backlog *out_backlog, struct fault *fault)
{
    AUTO(arena_freep) struct arena *scratch = arena_new(ARENA_CEILING_BYTES);
    const struct asking a =
        about_table(db, schema, "reading the sink's backlog", scratch, cancel, fault);
    struct rows rows;
    struct stmt *s = risingwave_stmt(&a);

    /* Row operation 6 is a barrier, one per vnode and epoch: aggregate, never list. */
    stmt_text(s,
              "SELECT count(*) FILTER (WHERE kv_log_store_row_op <> 6) AS undelivered, "
              "min(kv_log_store_epoch) AS oldest, now() AS now FROM ");
    if (!add_table(&a, s, internal_table) || !risingwave_read(&a, s, &rows)) {
        return false;
    }
    *out_backlog = risingwave_rows_backlog(&rows);
    return true;
}

bool risingwave_count_rows(struct stream_db *db, const char *schema, const char *table,
                           int64_t rows_max, struct cancel *cancel, int64_t *out_rows,
                           struct fault *fault)
{
    AUTO(arena_freep) struct arena *scratch = arena_new(ARENA_CEILING_BYTES);
    const struct asking a =
        about_table(db, schema, "counting the CDC table's rows", scratch, cancel, fault);
    struct rows rows;
    struct stmt *s = risingwave_stmt(&a);

    stmt_text(s, "SELECT count(*) AS n FROM (SELECT 1 AS one FROM ");
    if (!add_table(&a, s, table)) {
        return false;
    }
    stmt_text(s, " LIMIT ");
    stmt_int(s, rows_max);
    stmt_text(s, ") AS part");
    if (!risingwave_read(&a, s, &rows)) {
        return false;
    }
    *out_rows = rows_int(&rows, 0, "n", 0);
    return true;
}

bool risingwave_source_offset(struct stream_db *db, const char *schema,
                              const char *internal_table, struct cancel *cancel,
                              struct arena *arena, struct rw_offset *out_offset,
                              struct fault *fault)
{
    AUTO(arena_freep) struct arena *scratch = arena_new(ARENA_CEILING_BYTES);
    const struct asking a =
        about_table(db, schema, "reading the source's position", scratch, cancel, fault);
    struct rows rows;
    struct stmt *s = risingwave_stmt(&a);

    stmt_text(s, "SELECT offset_info FROM ");
    if (!add_table(&a, s, internal_table) || !risingwave_read(&a, s, &rows)) {
        return false;
    }
    *out_offset = risingwave_rows_offset(&rows, arena);
    return true;
}

bool risingwave_log_columns(struct stream_db *db, const char *schema,
                            const char *internal_table, struct cancel *cancel,
                            struct arena *arena, struct strlist *out_columns,
                            struct fault *fault)
{
    AUTO(arena_freep) struct arena *scratch = arena_new(ARENA_CEILING_BYTES);
    const struct asking a =
        about_table(db, schema, "reading the columns of the sink's log store", scratch,
                    cancel, fault);
    struct rows rows;
    struct strlist columns = {0};
    struct stmt *s = risingwave_stmt(&a);

    /* The headings come without a row too; hidden columns do not show here. */
    stmt_text(s, "SELECT * FROM ");
    if (!add_table(&a, s, internal_table)) {
        return false;
    }
    stmt_text(s, " WHERE kv_log_store_row_op = 2 LIMIT 1");
    if (!risingwave_read(&a, s, &rows)) {
        return false;
    }
    risingwave_rows_log_columns(&rows, arena, &columns);
    *out_columns = columns;
    return true;
}

bool risingwave_ghost_keys(struct stream_db *db, const struct ghosts_query *query,
                           struct cancel *cancel, struct arena *arena,
                           struct ghost_keys *out_keys, struct fault *fault)
{
    AUTO(arena_freep) struct arena *scratch = arena_new(ARENA_CEILING_BYTES);
    const struct asking a = {.db = risingwave_of(db),
                             .cancel = cancel,
                             .scratch = scratch,
                             .arena = arena,
                             .what = "reading the keys that were not deleted yet",
                             .fault = fault};
    struct ghost_keys keys = {.width = query->width};
    struct rows rows;

    if (!risingwave_read(&a, query->stmt, &rows)) {
        return false;
    }
    if (rows.columns.n != query->width) {
        return fault_set(fault, FAULT_BUG, NULL,
                         "%s: %zu columns were read, %zu belong to the key", a.what,
                         rows.columns.n, query->width);
    }
    for (size_t i = 0; i < rows_count(&rows); i++) {
        for (size_t c = 0; c < keys.width; c++) {
            const char *cell = rows.data.v[i][c];
            if (cell == NULL) {
                return fault_set(fault, FAULT_REFUSED, "KeyIsNull",
                                 "%s: a key of the sink's log store is NULL in column %s",
                                 a.what, rows.columns.v[c]);
            }
            VEC_PUSH(arena, &keys.cells, arena_strdup(arena, cell));
        }
    }
    *out_keys = keys;
    return true;
}

/* mysql_list: what there is. Tables by a part of their name (a table that was swapped out
 * is found so), and all databases, tables and troublesome columns. */
#include "db/mysql_source_private.h"

/* "%part%" in which nothing but the ends is a pattern; the escape is '|'. */
static struct sv pattern_of(const char *part, struct arena *arena)
{
    struct buf text;

    buf_init(&text, STMT_BYTES_MAX);
    buf_addc(&text, '%');
    for (const char *p = part; *p != '\0'; p++) {
        if (*p == '%' || *p == '_' || *p == '|') {
            buf_addc(&text, '|');
        }
        buf_addc(&text, *p);
    }
    buf_addc(&text, '%');
    char *pattern = buf_take(&text, arena);
    buf_deinit(&text);
    return sv_from(pattern);
}

static bool find_tables(const struct reading *r, const char *part, struct rows *out_rows)
{
    struct stmt *s = mysql_source_stmt(r);

    stmt_text(s, "SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE, ENGINE, TABLE_ROWS, "
                 "AUTO_INCREMENT, CREATE_TIME, TABLE_COMMENT FROM "
                 "information_schema.TABLES WHERE TABLE_SCHEMA = ");
    stmt_str(s, sv_from(r->database));
    stmt_text(s, " AND TABLE_NAME LIKE ");
    stmt_str(s, pattern_of(part, r->scratch));
    stmt_text(s, " ESCAPE '|' ORDER BY TABLE_NAME LIMIT ");
    stmt_int(s, SOURCE_TABLES_MAX);
    return mysql_source_read(r, s, out_rows);
}

static bool list_columns(const struct reading *r, const struct rows *tables,
                         struct rows *out_rows)
{
    struct stmt *s = mysql_source_stmt(r);

    stmt_text(s, "SELECT TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, ORDINAL_POSITION, "
                 "DATA_TYPE, COLUMN_TYPE, IS_NULLABLE, COLUMN_KEY FROM "
                 "information_schema.COLUMNS WHERE TABLE_SCHEMA = ");
    stmt_str(s, sv_from(r->database));
    stmt_text(s, " AND TABLE_NAME IN (");
    for (size_t i = 0; i < rows_count(tables); i++) {
        if (i > 0) {
            stmt_text(s, ", ");
        }
        stmt_str(s, sv_from(rows_get(tables, i, "TABLE_NAME")));
    }
    stmt_text(s, ")");
    return mysql_source_read(r, s, out_rows);
}

bool mysql_list_like(struct source_db *db, const char *database, const char *part,
                     struct cancel *cancel, struct arena *arena,
                     struct mysql_tables *out_tables, struct fault *fault)
{
    AUTO(arena_freep) struct arena *scratch = arena_new(ARENA_CEILING_BYTES);
    const struct reading r = {
        .db = mysql_source_of(db),
        .cancel = cancel,
        .scratch = scratch,
        .arena = arena,
        .database = database,
        .fault = fault,
        .what = arena_printf(scratch, "listing tables like %s.%s", database, part)};
    struct rows tables;
    struct rows columns = {0};

    if (!mysql_source_prepare(&r) || !find_tables(&r, part, &tables)) {
        return false;
    }
    if (rows_count(&tables) > 0 && !list_columns(&r, &tables, &columns)) {
        return false;
    }
    mysql_rows_list(&tables, &columns, r.db->flavor, arena, out_tables);
    return true;
}

bool mysql_list_databases(struct source_db *db, struct cancel *cancel,
                          struct arena *arena, struct strlist *out_names,
                          struct fault *fault)
{
    AUTO(arena_freep) struct arena *scratch = arena_new(ARENA_CEILING_BYTES);
    const struct reading r = {.db = mysql_source_of(db),
                              .cancel = cancel,
                              .scratch = scratch,
                              .arena = arena,
                              .what = "listing databases",
                              .fault = fault};
    struct strlist names = {0};
    struct rows rows;
    struct stmt *s = mysql_source_stmt(&r);

    stmt_text(s, "SELECT SCHEMA_NAME FROM information_schema.SCHEMATA");
    if (!mysql_source_read(&r, s, &rows)) {
        return false;
    }
    mysql_rows_databases(&rows, arena, &names);
    *out_names = names;
    return true;
}

/*
 * Row numbers come out of MySQL 8's cache: to ask each table's engine anew, as one table
 * is read, takes minutes on a server of many. The next read of one table asks for fresh
 * ones again.
 */
static bool ask_cached(const struct reading *r)
{
    struct stmt *s = mysql_source_stmt(r);

    if (!r->db->fresh_statistics) {
        return true;
    }
    stmt_text(s, "SET SESSION information_schema_stats_expiry = DEFAULT");
    if (!mysql_source_set(r, s)) {
        return false;
    }
    r->db->fresh_statistics = false;
    return true;
}

bool mysql_list_tables(struct source_db *db, const char *database, struct cancel *cancel,
                       struct arena *arena, struct mysql_tables *out_tables,
                       struct fault *fault)
{
    AUTO(arena_freep) struct arena *scratch = arena_new(ARENA_CEILING_BYTES);
    const struct reading r = {
        .db = mysql_source_of(db),
        .cancel = cancel,
        .scratch = scratch,
        .arena = arena,
        .database = database,
        .fault = fault,
        .what = arena_printf(scratch, "listing the tables of %s", database)};
    struct rows tables;
    struct rows keys;
    struct stmt *t = mysql_source_stmt(&r);
    struct stmt *k = mysql_source_stmt(&r);

    stmt_text(t, "SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE, ENGINE, TABLE_ROWS FROM "
                 "information_schema.TABLES WHERE TABLE_SCHEMA = ");
    stmt_str(t, sv_from(database));
    stmt_text(t, " ORDER BY TABLE_NAME LIMIT ");
    stmt_int(t, DB_ROWS_MAX);
    stmt_text(k, "SELECT TABLE_NAME, SEQ_IN_INDEX, COLUMN_NAME FROM "
                 "information_schema.STATISTICS WHERE TABLE_SCHEMA = ");
    stmt_str(k, sv_from(database));
    stmt_text(k, " AND INDEX_NAME = 'PRIMARY'");
    if (!ask_cached(&r) || !mysql_source_read(&r, t, &tables) ||
        !mysql_source_read(&r, k, &keys)) {
        return false;
    }
    mysql_rows_list_keys(&tables, &keys, arena, out_tables);
    return true;
}

bool mysql_list_unparseable(struct source_db *db, const char *database,
                            struct cancel *cancel, struct arena *arena,
                            struct strlist *out_columns, struct fault *fault)
{
    AUTO(arena_freep) struct arena *scratch = arena_new(ARENA_CEILING_BYTES);
    const struct reading r = {
        .db = mysql_source_of(db),
        .cancel = cancel,
        .scratch = scratch,
        .arena = arena,
        .database = database,
        .fault = fault,
        .what = arena_printf(scratch, "looking for unusual types in %s", database)};
    struct strlist columns = {0};
    struct rows rows = {0};
    struct stmt *s = mysql_source_stmt(&r);

    stmt_text(s, "SELECT TABLE_NAME, COLUMN_NAME, DATA_TYPE FROM "
                 "information_schema.COLUMNS WHERE TABLE_SCHEMA = ");
    stmt_str(s, sv_from(database));
    stmt_text(s, " AND DATA_TYPE IN ('uuid', 'inet4', 'inet6') ORDER BY TABLE_NAME, "
                 "COLUMN_NAME LIMIT ");
    stmt_int(s, SOURCE_TABLES_MAX);
    /* MySQL has none of these types. */
    if (r.db->flavor == MYSQL_MARIADB && !mysql_source_read(&r, s, &rows)) {
        return false;
    }
    mysql_rows_column_names(&rows, arena, &columns);
    *out_columns = columns;
    return true;
}

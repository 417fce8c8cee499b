/* mysql_list: tables by a part of their name; a table that was swapped out is found so.
 */
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

static bool list_tables(const struct reading *r, const char *part, struct rows *out_rows)
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

    if (!mysql_source_prepare(&r) || !list_tables(&r, part, &tables)) {
        return false;
    }
    if (rows_count(&tables) > 0 && !list_columns(&r, &tables, &columns)) {
        return false;
    }
    mysql_rows_list(&tables, &columns, r.db->flavor, arena, out_tables);
    return true;
}

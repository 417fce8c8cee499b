/*
 * mysql_binlog: does the server still have what a reader has yet to read? RisingWave does
 * not say when it has not: it retries for ever (verified 1).
 */
#include "db/mysql_source_private.h"

/* GTIDs decide where there are some: files may be gone all of whose transactions were
 * read. MariaDB's are others, and RisingWave saves none of them. */
static void ask_gtids(struct stmt *s, const struct binlog_position *at)
{
    stmt_text(s, "SELECT GTID_SUBSET(@@GLOBAL.gtid_purged, ");
    stmt_str(s, sv_from(at->gtids));
    stmt_text(s, ") AS is_read");
}

bool mysql_binlog_lost(struct source_db *db, const struct binlog_position *at,
                       struct cancel *cancel, struct arena *arena,
                       struct binlog_answer *out_answer, struct fault *fault)
{
    AUTO(arena_freep) struct arena *scratch = arena_new(ARENA_CEILING_BYTES);
    struct fault refused = FAULT_INIT;
    const struct reading r = {.db = mysql_source_of(db),
                              .cancel = cancel,
                              .scratch = scratch,
                              .arena = arena,
                              .what = "reading which binary logs there are",
                              .fault = &refused};
    struct rows rows;
    struct stmt *s = mysql_source_stmt(&r);
    bool by_gtids = at->gtids != NULL && r.db->flavor == MYSQL_ORACLE;

    *out_answer = (struct binlog_answer){0};
    if (at->file == NULL) {
        return true;
    }
    if (by_gtids) {
        ask_gtids(s, at);
    } else {
        stmt_text(s, "SHOW BINARY LOGS");
    }
    if (!mysql_source_read(&r, s, &rows)) {
        *fault = refused;
        return refused.class == FAULT_DENIED || refused.class == FAULT_REFUSED;
    }
    if (by_gtids) {
        out_answer->lost = rows_int(&rows, 0, "is_read", 1) == 0;
    } else {
        mysql_rows_binlogs(&rows, at, arena, out_answer);
    }
    return true;
}

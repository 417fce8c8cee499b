/*
 * lite: the few things the audit asks of SQLite, each with a fault that names the file.
 * Private to this room. Statements are declared AUTO(lite_stmt_freep).
 */
#ifndef AUDIT_LITE_H
#define AUDIT_LITE_H

#include "audit/audit.h"
#include "base/buf.h"

#include <pthread.h>
#include <sqlite3.h>

#define LITE_BUSY_MS 5000

struct audit {
    struct arena *arena; /* holds this struct and its strings */
    const char *path;
    const struct clock *clock;
    struct audit_options options;
    sqlite3 *db;
    int writer_fd; /* carries the writer's lock; -1 for readers and :memory: */
    pthread_mutex_t lock;
};

/* Takes the lock until the variable leaves scope: AUTO(lite_unlockp) ... = lite_lock(a).
 */
pthread_mutex_t *lite_lock(struct audit *a);
void lite_unlockp(pthread_mutex_t **held);

void lite_stmt_freep(sqlite3_stmt **s);
MUST_CHECK bool lite_prepare(struct audit *a, const char *sql, sqlite3_stmt **out_stmt,
                             struct fault *fault);
void lite_bind_int(sqlite3_stmt *s, int index, int64_t value);
/* NULL binds NULL. The text must live until the statement is done. */
void lite_bind_text(sqlite3_stmt *s, int index, const char *text);
/* The bytes must live until the statement is done. */
void lite_bind_blob(sqlite3_stmt *s, int index, struct sv bytes);
/* Steps to a row: *out_row says whether there was one. */
MUST_CHECK bool lite_step(struct audit *a, sqlite3_stmt *s, bool *out_row,
                          struct fault *fault);
/* Runs a statement to its end and reports how many rows it changed; out_changed may be
 * NULL. */
MUST_CHECK bool lite_run(struct audit *a, sqlite3_stmt *s, int64_t *out_changed,
                         struct fault *fault);
/* Statements without parameters, separated by ';'. */
MUST_CHECK bool lite_exec(struct audit *a, const char *sql, struct fault *fault);
/* The first column of the first row, for PRAGMAs and counts; 0 when there is no row. */
MUST_CHECK bool lite_int(struct audit *a, const char *sql, int64_t *out_value,
                         struct fault *fault);
/* Sets the fault for a result code of SQLite on this file. Always false. */
bool lite_fault(const struct audit *a, int code, struct fault *fault);
/* "" for NULL. */
const char *lite_column(struct arena *arena, sqlite3_stmt *s, int index);

#endif

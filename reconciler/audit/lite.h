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

struct care;

#define LITE_BUSY_MS 5000
/* A writer's: so long, once, somebody else's lock holds up a worker. */
#define LITE_WRITER_BUSY_MS 1000
/* So long a worker waits for another one whose record hangs in the disk. */
#define LITE_LOCK_MS 2000

/* What a call is for: a record that is not made is missed, and counted. */
enum lite_purpose { LITE_OTHER, LITE_RECORD };

struct audit {
    struct arena *arena; /* holds this struct and its strings */
    const char *path;
    const struct clock *clock;
    struct audit_options options;
    pthread_mutex_t lock; /* guards what follows */
    sqlite3 *db;          /* NULL: a tolerant audit whose file cannot be opened */
    int writer_fd;        /* carries the writer's lock; -1 for readers and :memory: */
    struct fault sick;    /* the error since the lock was taken; FAULT_NONE: none */
    enum lite_purpose purpose; /* of who holds the lock */
    bool opened; /* once already: what is open in it is this process's own */
    int64_t last_run, last_step; /* numbers given out, whatever file they stand in */
    int64_t lost_run, lost_step; /* those up to here stand in a file that is gone */
    struct care *care;           /* care.h: has a lock of its own */
};

/*
 * Takes the lock until the variable leaves scope: AUTO(lite_leavep) struct audit *held.
 * Errors of SQLite in between decide then what becomes of the file (care.h). Faults, of a
 * tolerant audit alone: FAULT_UNAVAILABLE "AuditDegraded".
 */
MUST_CHECK bool lite_enter(struct audit *a, enum lite_purpose purpose,
                           struct audit **out_held, struct fault *fault);
void lite_leavep(struct audit **held);
int lite_busy_ms(const struct audit *a);

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
/* Sets the fault for a result code of SQLite on this file, and remembers it for the end.
 * Always false. */
bool lite_fault(struct audit *a, int code, struct fault *fault);
/* The file's content is not what SQLite wrote. Always false. */
bool lite_fault_damaged(const struct audit *a, const char *said, struct fault *fault);
/* "" for NULL. */
const char *lite_column(struct arena *arena, sqlite3_stmt *s, int index);

#endif

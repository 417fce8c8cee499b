#include "audit/schema.h"

#include <stdio.h>

/* "TSNC" in the file's header: nobody's other database is taken for an audit. */
#define APPLICATION_ID 1414745667

/*
 * Row n brings a file of version n to version n + 1; a row that was released never
 * changes.
 *
 * task_runs.run_id is the public random name of a run, task_steps.run_id and
 * task_logs.run_id are its number (task_runs.id). Times are Unix milliseconds. NULL: not
 * known yet. AUTOINCREMENT: a number that retention freed is never given to another run.
 */
static const char *const migrations[] = {
    "CREATE TABLE task_runs ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " run_id TEXT NOT NULL,"
    " kind TEXT NOT NULL,"
    " cr_uid TEXT NOT NULL,"
    " ns TEXT NOT NULL,"
    " name TEXT NOT NULL,"
    " generation INTEGER NOT NULL,"
    " \"trigger\" TEXT NOT NULL,"
    " plan_hash TEXT,"
    " result TEXT,"
    " error_class TEXT,"
    " message TEXT,"
    " started_at INTEGER NOT NULL,"
    " finished_at INTEGER"
    ") STRICT;"
    "CREATE INDEX task_runs_object ON task_runs (ns, name, kind, id);"
    "CREATE INDEX task_runs_finished ON task_runs (finished_at);"
    "CREATE TABLE task_steps ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " run_id INTEGER NOT NULL REFERENCES task_runs (id) ON DELETE CASCADE,"
    " seq INTEGER NOT NULL,"
    " target TEXT NOT NULL,"
    " statement_redacted TEXT NOT NULL,"
    " result TEXT,"
    " code TEXT,"
    " message TEXT,"
    " started_at INTEGER NOT NULL,"
    " duration_ms INTEGER,"
    " UNIQUE (run_id, seq)"
    ") STRICT;"
    "CREATE INDEX task_steps_open ON task_steps (id) WHERE result IS NULL;"
    "CREATE TABLE task_logs ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " run_id INTEGER NOT NULL REFERENCES task_runs (id) ON DELETE CASCADE,"
    " at INTEGER NOT NULL,"
    " level TEXT NOT NULL,"
    " message TEXT NOT NULL"
    ") STRICT;"
    "CREATE INDEX task_logs_run ON task_logs (run_id);",
    /* vault.h. size_bytes tells a ciphertext that was cut from one that was changed. */
    "CREATE TABLE kept_credentials ("
    " ns TEXT NOT NULL,"
    " name TEXT NOT NULL,"
    " uid TEXT NOT NULL,"
    " key_id TEXT NOT NULL,"
    " nonce BLOB NOT NULL,"
    " ciphertext BLOB NOT NULL,"
    " size_bytes INTEGER NOT NULL,"
    " stored_at INTEGER NOT NULL,"
    " PRIMARY KEY (ns, name)"
    ") STRICT;",
};

#define VERSION ((int64_t)COUNT_OF(migrations))

static bool check_integrity(struct audit *a, struct fault *fault)
{
    AUTO(lite_stmt_freep) sqlite3_stmt *s = NULL;
    bool row = false;

    if (!lite_prepare(a, "PRAGMA quick_check(1)", &s, fault) ||
        !lite_step(a, s, &row, fault)) {
        return false;
    }
    const char *said = row ? (const char *)sqlite3_column_text(s, 0) : NULL;
    if (said != NULL && sv_eq(sv_from(said), SV("ok"))) {
        return true;
    }
    return lite_fault_damaged(a, said == NULL ? "the check said nothing" : said, fault);
}

static bool fault_foreign(const struct audit *a, struct fault *fault)
{
    return fault_set(
        fault, FAULT_UNAVAILABLE, "AuditForeign",
        "'%s' is a database of another program: name another file for the audit",
        a->path);
}

/* The file's version; 0 for an empty one. Faults on files that are not ours or too new.
 */
static bool read_version(struct audit *a, int64_t *out_version, struct fault *fault)
{
    int64_t application = 0;
    int64_t version = 0;
    int64_t tables = 0;

    if (!lite_int(a, "PRAGMA application_id", &application, fault) ||
        !lite_int(a, "PRAGMA user_version", &version, fault) ||
        !lite_int(a, "SELECT count(*) FROM sqlite_schema", &tables, fault)) {
        return false;
    }
    if (application != APPLICATION_ID &&
        (tables > 0 || version != 0 || application != 0)) {
        return fault_foreign(a, fault);
    }
    if (version > VERSION) {
        return fault_set(
            fault, FAULT_UNAVAILABLE, "AuditTooNew",
            "the audit database '%s' has version %lld, this program knows %lld: "
            "use the newer program, or another file; this one is left as it is",
            a->path, (long long)version, (long long)VERSION);
    }
    *out_version = version;
    return true;
}

static bool migrate_one(struct audit *a, int64_t from, struct fault *fault)
{
    char stamp[100];

    (void)snprintf(stamp, sizeof(stamp),
                   "PRAGMA application_id = %d; PRAGMA user_version = %lld; COMMIT",
                   APPLICATION_ID, (long long)from + 1);
    if (lite_exec(a, "BEGIN IMMEDIATE", fault) && lite_exec(a, migrations[from], fault) &&
        lite_exec(a, stamp, fault)) {
        return true;
    }
    (void)sqlite3_exec(a->db, "ROLLBACK", NULL, NULL, NULL);
    return fault_wrap(fault, "migrating the audit to version %lld", (long long)from + 1);
}

static bool close_open_steps(struct audit *a, struct fault *fault)
{
    return lite_exec(
        a,
        "UPDATE task_steps SET result = 'Interrupted', message = 'the controller "
        "stopped before the result of this statement was known' "
        "WHERE result IS NULL",
        fault);
}

static bool close_open_runs(struct audit *a, int64_t now_ms, struct fault *fault)
{
    AUTO(lite_stmt_freep) sqlite3_stmt *s = NULL;

    if (!lite_prepare(a,
                      "UPDATE task_runs SET result = 'Interrupted', finished_at = ?1, "
                      "message = 'the controller stopped while this run was open' "
                      "WHERE finished_at IS NULL",
                      &s, fault)) {
        return false;
    }
    lite_bind_int(s, 1, now_ms);
    return lite_run(a, s, NULL, fault);
}

static bool interrupt_open(struct audit *a, struct fault *fault)
{
    int64_t now_ms = clock_wall_ms(a->clock);

    if (lite_exec(a, "BEGIN IMMEDIATE", fault) && close_open_runs(a, now_ms, fault) &&
        close_open_steps(a, fault) && lite_exec(a, "COMMIT", fault)) {
        return true;
    }
    (void)sqlite3_exec(a->db, "ROLLBACK", NULL, NULL, NULL);
    return false;
}

/* A number that was given out, be it in a file that is gone, is not given out again. */
static bool continue_numbers(struct audit *a, const char *table, int64_t *last,
                             struct fault *fault)
{
    AUTO(lite_stmt_freep) sqlite3_stmt *read = NULL;
    AUTO(lite_stmt_freep) sqlite3_stmt *drop = NULL;
    AUTO(lite_stmt_freep) sqlite3_stmt *put = NULL;
    bool row = false;
    int64_t here = 0;

    if (!lite_prepare(a, "SELECT seq FROM sqlite_sequence WHERE name = ?1", &read,
                      fault)) {
        return false;
    }
    lite_bind_text(read, 1, table);
    if (!lite_step(a, read, &row, fault)) {
        return false;
    }
    here = row ? sqlite3_column_int64(read, 0) : 0;
    if (here >= *last) {
        *last = here;
        return true;
    }
    lite_stmt_freep(&read);
    if (!lite_prepare(a, "DELETE FROM sqlite_sequence WHERE name = ?1", &drop, fault) ||
        !lite_prepare(a, "INSERT INTO sqlite_sequence (name, seq) VALUES (?1, ?2)", &put,
                      fault)) {
        return false;
    }
    lite_bind_text(drop, 1, table);
    lite_bind_text(put, 1, table);
    lite_bind_int(put, 2, *last);
    return lite_run(a, drop, NULL, fault) && lite_run(a, put, NULL, fault);
}

bool schema_bring_up(struct audit *a, struct fault *fault)
{
    int64_t version = 0;

    /* Checked once: whoever tries again every few seconds must not read the whole file.
     */
    if (!read_version(a, &version, fault) || (!a->opened && !check_integrity(a, fault))) {
        return false;
    }
    /* auto_vacuum counts only before the first table. Without journal_size_limit one long
     * reader would leave a large WAL behind for good. secure_delete: a credential that
     * was replaced or erased must not be found in the file, not even encrypted.
     * cache_size (KiB): a log that is written and hardly ever read needs no more, and
     * SQLite's own 2 MB are a third of what an idle controller has. */
    if (!lite_exec(a,
                   "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL;"
                   "PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON;"
                   "PRAGMA journal_size_limit = 4194304; PRAGMA secure_delete = ON;"
                   "PRAGMA cache_size = -512",
                   fault)) {
        return false;
    }
    for (; version < VERSION; version++) {
        if (!migrate_one(a, version, fault)) {
            return false;
        }
    }
    if (!a->opened && !interrupt_open(a, fault)) {
        return false;
    }
    a->opened = true;
    return continue_numbers(a, "task_runs", &a->last_run, fault) &&
           continue_numbers(a, "task_steps", &a->last_step, fault);
}

bool schema_check(struct audit *a, struct fault *fault)
{
    int64_t version = 0;

    if (!read_version(a, &version, fault)) {
        return false;
    }
    if (version < VERSION) {
        return fault_set(
            fault, FAULT_UNAVAILABLE, "AuditTooOld",
            "the audit database '%s' has version %lld, this program reads %lld: "
            "start the controller once, it brings the file up to date",
            a->path, (long long)version, (long long)VERSION);
    }
    return true;
}

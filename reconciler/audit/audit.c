#include "audit/audit.h"
#include "audit/lite.h"
#include "audit/schema.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define URI_MAX_BYTES ((size_t)64 * 1024)
#define FILE_MODE (S_IRUSR | S_IWUSR)

static bool is_memory(const struct audit *a)
{
    return sv_eq(sv_from(a->path), SV(":memory:"));
}

static bool fault_file(const struct audit *a, const char *what, int error,
                       struct fault *fault)
{
    return fault_set(fault, FAULT_UNAVAILABLE, "AuditUnavailable",
                     "the audit database '%s' cannot be %s: %s", a->path, what,
                     strerrordesc_np(error));
}

/*
 * Creates the file before SQLite does, so that nobody else ever could read it (SQLite
 * gives its WAL the same mode), and keeps the descriptor: its lock is what makes this
 * process the only writer. A second controller on the same file would close the runs of
 * the first.
 */
static bool claim_file(struct audit *a, struct fault *fault)
{
    a->writer_fd = open(a->path, O_RDWR | O_CREAT | O_CLOEXEC, FILE_MODE);
    if (a->writer_fd < 0) {
        return fault_file(a, "opened for writing", errno, fault);
    }
    if (flock(a->writer_fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
        return fault_set(
            fault, FAULT_UNAVAILABLE, "AuditBusy",
            "the audit database '%s' is in use by another controller: stop it, or "
            "name another file",
            a->path);
    }
    if (fchmod(a->writer_fd, FILE_MODE) != 0) {
        return fault_file(a, "made private", errno, fault);
    }
    return true;
}

static bool exists(const struct audit *a, const char *suffix)
{
    struct stat info;

    return stat(arena_printf(a->arena, "%s%s", a->path, suffix), &info) == 0;
}

/* The path as a URI, with the bytes escaped that mean something in one. */
static const char *uri_of(const struct audit *a, const char *parameters)
{
    AUTO(buf_deinit) struct buf uri = {0};

    buf_init(&uri, URI_MAX_BYTES);
    buf_addz(&uri, "file:");
    for (const char *p = a->path; *p != '\0'; p++) {
        if (*p == '?' || *p == '#' || *p == '%') {
            buf_addf(&uri, "%%%02X", (unsigned)*p);
        } else {
            buf_addc(&uri, *p);
        }
    }
    buf_addz(&uri, parameters);
    must(!buf_overflowed(&uri));
    return buf_take(&uri, a->arena);
}

/*
 * A reader makes no files. A live writer has its -shm file, which readonly_shm takes as
 * it is; without -wal and -shm nobody writes, and the file alone is the whole database.
 */
static bool reader_uri(const struct audit *a, const char **out_uri, struct fault *fault)
{
    bool has_shm = exists(a, "-shm");

    if (!exists(a, "")) {
        return fault_file(a, "read", errno, fault);
    }
    if (!has_shm && exists(a, "-wal")) {
        return fault_set(
            fault, FAULT_UNAVAILABLE, "AuditUnavailable",
            "the audit database '%s' has a -wal file but no -shm file: start the "
            "controller on it once, or copy all three files",
            a->path);
    }
    *out_uri = uri_of(a, has_shm ? "?readonly_shm=1" : "?immutable=1");
    return true;
}

static bool open_db(struct audit *a, struct fault *fault)
{
    const char *name = a->path;
    int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;

    if (a->options.read_only) {
        flags |= SQLITE_OPEN_READONLY | SQLITE_OPEN_URI;
        if (!reader_uri(a, &name, fault)) {
            return false;
        }
    } else {
        flags |= SQLITE_OPEN_READWRITE | (is_memory(a) ? SQLITE_OPEN_CREATE : 0);
        if (!is_memory(a) && !claim_file(a, fault)) {
            return false;
        }
    }
    int code = sqlite3_open_v2(name, &a->db, flags, NULL);
    if (code != SQLITE_OK) {
        return lite_fault(a, code, fault);
    }
    (void)sqlite3_busy_timeout(a->db, LITE_BUSY_MS);
    return a->options.read_only ? schema_check(a, fault) : schema_bring_up(a, fault);
}

bool audit_open(const struct audit_options *options, const struct clock *clock,
                struct audit **out_audit, struct fault *fault)
{
    struct arena *arena = arena_new(ARENA_CEILING_BYTES);
    AUTO(audit_closep) struct audit *a = ARENA_NEW(arena, struct audit);

    *a = (struct audit){
        .arena = arena, .clock = clock, .options = *options, .db = NULL, .writer_fd = -1};
    a->path = arena_strdup(arena, options->path);
    must(pthread_mutex_init(&a->lock, NULL) == 0);
    if (a->path == NULL || a->path[0] == '\0') {
        return fault_set(fault, FAULT_UNAVAILABLE, "AuditUnavailable",
                         "no file is named for the audit database");
    }
    if (strlen(a->path) >= 4096) {
        return fault_set(fault, FAULT_UNAVAILABLE, "AuditUnavailable",
                         "the path of the audit database is longer than 4095 bytes");
    }
    if (!open_db(a, fault)) {
        return false;
    }
    *out_audit = TAKE(a);
    return true;
}

void audit_close(struct audit *audit)
{
    if (audit == NULL) {
        return;
    }
    /* Before our own descriptor: closing any descriptor of a file drops SQLite's locks.
     */
    must(sqlite3_close(audit->db) == SQLITE_OK);
    if (audit->writer_fd >= 0) {
        (void)close(audit->writer_fd);
    }
    must(pthread_mutex_destroy(&audit->lock) == 0);
    arena_free(audit->arena);
}

void audit_closep(struct audit **audit)
{
    audit_close(TAKE(*audit));
}

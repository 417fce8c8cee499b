#include "audit/disk.h"

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
#define NAMES_MAX 1000 /* files set aside in the same second */

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

static bool exists(const char *path, const char *suffix, struct arena *arena)
{
    struct stat info;

    return stat(arena_printf(arena, "%s%s", path, suffix), &info) == 0;
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
    bool has_shm = exists(a->path, "-shm", a->arena);

    if (!exists(a->path, "", a->arena)) {
        return fault_file(a, "read", errno, fault);
    }
    if (!has_shm && exists(a->path, "-wal", a->arena)) {
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
    (void)sqlite3_busy_timeout(a->db, lite_busy_ms(a));
    return a->options.read_only ? schema_check(a, fault) : schema_bring_up(a, fault);
}

bool disk_open(struct audit *a, struct fault *fault)
{
    if (open_db(a, fault)) {
        return true;
    }
    disk_close(a, true);
    return false;
}

void disk_close(struct audit *a, bool as_it_is)
{
    if (as_it_is && a->db != NULL) {
        (void)sqlite3_db_config(a->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    }
    /* Before our own descriptor: closing any descriptor of a file drops SQLite's locks.
     */
    must(sqlite3_close(a->db) == SQLITE_OK);
    a->db = NULL;
    if (a->writer_fd >= 0) {
        (void)close(a->writer_fd);
        a->writer_fd = -1;
    }
}

/* A name that is free: the time, and a number when that is not enough. */
static const char *free_name(const struct audit *a, struct arena *arena)
{
    char at[CLOCK_RFC3339_SIZE];
    const char *base = NULL;
    const char *name = NULL;

    clock_format_rfc3339(clock_wall_ms(a->clock), at);
    base = arena_printf(arena, "%s.corrupt-%s", a->path, at);
    name = base;
    for (int i = 2; i < NAMES_MAX && exists(name, "", arena); i++) {
        name = arena_printf(arena, "%s-%d", base, i);
    }
    return name;
}

bool disk_set_aside(struct audit *a, struct arena *arena, const char **out_name,
                    struct fault *fault)
{
    /* The database last: its successor must not find a WAL that is not its own. */
    static const char *const suffixes[] = {"-wal", "-shm", ""};
    const char *name = free_name(a, arena);

    disk_close(a, true);
    for (size_t i = 0; i < COUNT_OF(suffixes); i++) {
        const char *from = arena_printf(arena, "%s%s", a->path, suffixes[i]);
        const char *to = arena_printf(arena, "%s%s", name, suffixes[i]);

        if (rename(from, to) != 0 && errno != ENOENT) {
            return fault_file(a, "set aside, which it must be for it is damaged", errno,
                              fault);
        }
    }
    *out_name = name;
    return true;
}

bool disk_was_replaced(const struct audit *a)
{
    struct stat open_file, at_path;

    if (a->writer_fd < 0 || fstat(a->writer_fd, &open_file) != 0) {
        return false;
    }
    return stat(a->path, &at_path) != 0
               ? errno == ENOENT
               : open_file.st_ino != at_path.st_ino || open_file.st_dev != at_path.st_dev;
}

#include "audit/lite.h"

#include "audit/care.h"
#include "audit/mend.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#ifdef __SANITIZE_THREAD__
#include <sanitizer/tsan_interface.h>
#endif

#define READONLY_TRIES 200
#define READONLY_PAUSE_MS 5

static bool lock_until(pthread_mutex_t *lock, const struct timespec *until)
{
    bool locked = false;

#ifdef __SANITIZE_THREAD__ /* GCC 12's knows every other way to lock */
    __tsan_mutex_pre_lock(lock, __tsan_mutex_try_lock);
#endif
    locked = pthread_mutex_clocklock(lock, CLOCK_MONOTONIC, until) == 0;
#ifdef __SANITIZE_THREAD__
    __tsan_mutex_post_lock(
        lock, __tsan_mutex_try_lock | (locked ? 0 : __tsan_mutex_try_lock_failed), 0);
#endif
    return locked;
}

/* While somebody hangs in the disk, nobody queues up behind: the first who waited in vain
 * says so for all. */
static bool take_lock(struct audit *a)
{
    struct timespec until;

    if (pthread_mutex_trylock(&a->lock) == 0) {
        return true;
    }
    if (!a->options.tolerant) {
        must(pthread_mutex_lock(&a->lock) == 0);
        return true;
    }
    if (care_hangs(a)) {
        return false;
    }
    must(clock_gettime(CLOCK_MONOTONIC, &until) == 0);
    until.tv_sec += LITE_LOCK_MS / 1000;
    return lock_until(&a->lock, &until);
}

bool lite_enter(struct audit *a, enum lite_purpose purpose, struct audit **out_held,
                struct fault *fault)
{
    if (!take_lock(a)) {
        return care_hung(a, purpose, fault);
    }
    if (a->options.tolerant && care_is_degraded(a, purpose, fault)) {
        must(pthread_mutex_unlock(&a->lock) == 0);
        return false;
    }
    a->sick = (struct fault)FAULT_INIT;
    a->purpose = purpose;
    *out_held = a;
    return true;
}

void lite_leavep(struct audit **held)
{
    struct audit *a = TAKE(*held);

    if (a == NULL) {
        return;
    }
    if (a->options.tolerant && a->sick.class != FAULT_NONE) {
        mend_after(a);
    }
    must(pthread_mutex_unlock(&a->lock) == 0);
}

int lite_busy_ms(const struct audit *a)
{
    return a->options.read_only ? LITE_BUSY_MS : LITE_WRITER_BUSY_MS;
}

void lite_stmt_freep(sqlite3_stmt **s)
{
    /* Repeats the error of the last step, which has been reported already. */
    (void)sqlite3_finalize(TAKE(*s));
}

static bool is_ours(int code)
{
    return code == SQLITE_CONSTRAINT || code == SQLITE_MISUSE || code == SQLITE_RANGE ||
           code == SQLITE_MISMATCH || code == SQLITE_TOOBIG || code == SQLITE_ERROR;
}

bool lite_fault_damaged(const struct audit *a, const char *said, struct fault *fault)
{
    return fault_set(fault, FAULT_UNAVAILABLE, "AuditCorrupt",
                     "the audit database '%s' is damaged: %s%s", a->path, said,
                     a->options.tolerant ? ""
                                         : "; the controller sets it aside at its next "
                                           "start, and begins a new one");
}

bool lite_fault(struct audit *a, int code, struct fault *fault)
{
    int primary = code & 0xFF;
    const char *said = a->db == NULL ? sqlite3_errstr(code) : sqlite3_errmsg(a->db);
    int system_error = a->db == NULL ? 0 : sqlite3_system_errno(a->db);
    bool from_system = primary == SQLITE_CANTOPEN || primary == SQLITE_IOERR;

    if (is_ours(primary)) {
        (void)fault_set(fault, FAULT_BUG, NULL,
                        "the audit database '%s' cannot be used: %s", a->path, said);
        return fault_code(fault, "%d", code);
    }
    if (primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB) {
        (void)lite_fault_damaged(a, said, fault);
    } else {
        (void)fault_set(fault, FAULT_UNAVAILABLE, "AuditUnavailable",
                        "the audit database '%s' cannot be used: %s%s%s", a->path, said,
                        from_system && system_error != 0 ? ": " : "",
                        from_system && system_error != 0 ? strerrordesc_np(system_error)
                                                         : "");
        (void)fault_code(fault, "%d", code);
    }
    a->sick = *fault;
    return false;
}

/*
 * A reader that comes in the very moment in which the writer changes the -shm header
 * takes it for broken and wants to repair it, which it may not. A moment later it is
 * whole.
 */
static bool comes_again(const struct audit *a, int code, int *tries)
{
    if (!a->options.read_only || (code & 0xFF) != SQLITE_READONLY ||
        *tries >= READONLY_TRIES) {
        return false;
    }
    (*tries)++;
    (void)sqlite3_sleep(READONLY_PAUSE_MS);
    return true;
}

bool lite_prepare(struct audit *a, const char *sql, sqlite3_stmt **out_stmt,
                  struct fault *fault)
{
    sqlite3_stmt *s = NULL;
    int code = SQLITE_OK, tries = 0;

    do {
        code = sqlite3_prepare_v2(a->db, sql, -1, &s, NULL);
    } while (comes_again(a, code, &tries));
    if (code != SQLITE_OK) {
        return lite_fault(a, code, fault);
    }
    *out_stmt = s;
    return true;
}

void lite_bind_int(sqlite3_stmt *s, int index, int64_t value)
{
    must(sqlite3_bind_int64(s, index, value) == SQLITE_OK);
}

void lite_bind_text(sqlite3_stmt *s, int index, const char *text)
{
    must((text == NULL
              ? sqlite3_bind_null(s, index)
              : sqlite3_bind_text(s, index, text, -1, SQLITE_STATIC)) == SQLITE_OK);
}

void lite_bind_blob(sqlite3_stmt *s, int index, struct sv bytes)
{
    must(sqlite3_bind_blob64(s, index, bytes.p == NULL ? "" : bytes.p, bytes.n,
                             SQLITE_STATIC) == SQLITE_OK);
}

bool lite_step(struct audit *a, sqlite3_stmt *s, bool *out_row, struct fault *fault)
{
    int code = sqlite3_step(s), tries = 0;

    while (comes_again(a, code, &tries)) {
        (void)sqlite3_reset(s);
        code = sqlite3_step(s);
    }
    if (code != SQLITE_ROW && code != SQLITE_DONE) {
        return lite_fault(a, sqlite3_extended_errcode(a->db), fault);
    }
    *out_row = code == SQLITE_ROW;
    return true;
}

bool lite_run(struct audit *a, sqlite3_stmt *s, int64_t *out_changed, struct fault *fault)
{
    bool row = true;

    while (row) {
        if (!lite_step(a, s, &row, fault)) {
            return false;
        }
    }
    if (out_changed != NULL) {
        *out_changed = sqlite3_changes64(a->db);
    }
    return true;
}

bool lite_exec(struct audit *a, const char *sql, struct fault *fault)
{
    int code = sqlite3_exec(a->db, sql, NULL, NULL, NULL);

    return code == SQLITE_OK ? true
                             : lite_fault(a, sqlite3_extended_errcode(a->db), fault);
}

bool lite_int(struct audit *a, const char *sql, int64_t *out_value, struct fault *fault)
{
    AUTO(lite_stmt_freep) sqlite3_stmt *s = NULL;
    bool row = false;

    if (!lite_prepare(a, sql, &s, fault) || !lite_step(a, s, &row, fault)) {
        return false;
    }
    *out_value = row ? sqlite3_column_int64(s, 0) : 0;
    return true;
}

const char *lite_column(struct arena *arena, sqlite3_stmt *s, int index)
{
    const unsigned char *text = sqlite3_column_text(s, index);

    return text == NULL
               ? ""
               : arena_copy(arena, (struct sv){(const char *)text,
                                               (size_t)sqlite3_column_bytes(s, index)});
}

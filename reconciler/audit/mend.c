#include "audit/mend.h"

#include "audit/care.h"
#include "audit/disk.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define REOPEN_EVERY 4 /* tries with an open file before it is opened anew */
#define GAP_BYTES ((size_t)4096)

/* --- damage --- */

static bool is_damage(const struct fault *fault)
{
    return strcmp(fault->reason, "AuditCorrupt") == 0;
}

/* A disk that damages every file would be filled with them. */
static bool may_set_aside(struct audit *a)
{
    int64_t now_ms = clock_monotonic_ms(a->clock);
    AUTO(care_unlockp) struct care *care = care_lock(a);

    return care->set_aside_ms == 0 || now_ms - care->set_aside_ms >= CARE_SET_ASIDE_MS;
}

/* What was open in the file that is gone cannot be ended any more. */
static void forget_file(struct audit *a)
{
    AUTO(care_unlockp) struct care *care = care_lock(a);

    a->lost_run = a->last_run;
    a->lost_step = a->last_step;
    a->opened = false;
    care->runs.n = care->steps.n = 0;
}

/* A run of the controller's own, for whoever reads the log later. */
static bool write_note(struct audit *a, const char *message, struct fault *fault)
{
    AUTO(lite_stmt_freep) sqlite3_stmt *run = NULL;
    AUTO(lite_stmt_freep) sqlite3_stmt *line = NULL;

    if (!lite_prepare(a,
                      "INSERT INTO task_runs (run_id, kind, cr_uid, ns, name, "
                      "generation, \"trigger\", result, error_class, message, "
                      "started_at, finished_at) VALUES ('', 'Audit', '', '', '', 0, "
                      "'Startup', 'Failed', 'Unavailable', ?1, ?2, ?2)",
                      &run, fault) ||
        !lite_prepare(a,
                      "INSERT INTO task_logs (run_id, at, level, message) "
                      "VALUES (last_insert_rowid(), ?2, 'error', ?1)",
                      &line, fault)) {
        return false;
    }
    lite_bind_text(run, 1, message);
    lite_bind_int(run, 2, clock_wall_ms(a->clock));
    lite_bind_text(line, 1, message);
    lite_bind_int(line, 2, clock_wall_ms(a->clock));
    return lite_run(a, run, NULL, fault) && lite_run(a, line, NULL, fault);
}

/* Sets the damaged file aside and begins another one, which says so. */
static bool begin_anew(struct audit *a, const struct fault *why, struct fault *fault)
{
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);
    const char *name = NULL;

    if (!may_set_aside(a)) {
        disk_close(a, true);
        *fault = *why;
        return false;
    }
    if (!disk_set_aside(a, arena, &name, fault)) {
        return false;
    }
    forget_file(a);
    {
        int64_t now_ms = clock_monotonic_ms(a->clock);
        AUTO(care_unlockp) struct care *care = care_lock(a);

        care->set_aside_ms = now_ms == 0 ? 1 : now_ms;
        care_tell(care, AUDIT_SET_ASIDE,
                  "%s. It is now '%s', nothing in it was deleted, and a new file begins. "
                  "Credentials that were kept in it cannot be used; they are kept anew "
                  "when each connection's login works",
                  why->text, name);
    }
    return disk_open(a, fault) &&
           write_note(a,
                      arena_printf(arena, "what was recorded before is in '%s': %s", name,
                                   why->text),
                      fault);
}

/* Opens the file; if it is damaged, another one in its place. */
static bool open_or_begin_anew(struct audit *a, struct fault *fault)
{
    struct fault why = FAULT_INIT;

    if (disk_open(a, &why)) {
        return true;
    }
    if (!is_damage(&why)) {
        *fault = why;
        return false;
    }
    return begin_anew(a, &why, fault);
}

void mend_open(struct audit *a)
{
    struct fault fault = FAULT_INIT;

    if (!open_or_begin_anew(a, &fault)) {
        care_degrade(a, &fault, false);
    }
}

void mend_after(struct audit *a)
{
    struct fault why = a->sick;
    struct fault fault = FAULT_INIT;

    if (a->purpose == LITE_RECORD) {
        care_missed(a);
    }
    if (!is_damage(&why)) {
        care_degrade(a, &why, false);
    } else if (!begin_anew(a, &why, &fault)) {
        care_degrade(a, &fault, false);
    }
}

/* --- recovery --- */

/* What is to be written when the file is back, as it was at one moment. */
struct gap {
    struct care_unfinished runs, steps;
    int64_t missed;
    char text[GAP_BYTES];
};

static void gap_read(struct audit *a, struct gap *gap)
{
    char from[CLOCK_RFC3339_SIZE], to[CLOCK_RFC3339_SIZE];
    int64_t now_ms = clock_wall_ms(a->clock);
    AUTO(care_unlockp) struct care *care = care_lock(a);
    bool any = care->missed > 0;

    gap->runs = care->runs;
    gap->steps = care->steps;
    gap->missed = care->missed;
    clock_format_rfc3339(any ? care->missed_first_ms : care->since_ms, from);
    clock_format_rfc3339(any ? care->missed_last_ms : now_ms, to);
    (void)snprintf(gap->text, GAP_BYTES,
                   "%" PRId64 " records were missed between %s and %s: %s", gap->missed,
                   from, to, care->last.text);
}

static bool close_unfinished(struct audit *a, const char *sql,
                             const struct care_unfinished *list, struct fault *fault)
{
    for (size_t i = 0; i < list->n; i++) {
        AUTO(lite_stmt_freep) sqlite3_stmt *s = NULL;

        if (!lite_prepare(a, sql, &s, fault)) {
            return false;
        }
        lite_bind_int(s, 1, list->ids[i]);
        lite_bind_int(s, 2, clock_wall_ms(a->clock));
        if (!lite_run(a, s, NULL, fault)) {
            return false;
        }
    }
    return true;
}

static bool gap_write(struct audit *a, const struct gap *gap, struct fault *fault)
{
    return lite_exec(a, "BEGIN IMMEDIATE", fault) &&
           close_unfinished(a,
                            "UPDATE task_steps SET result = 'Interrupted', message = "
                            "'the result was not recorded: the audit could not be "
                            "written' WHERE id = ?1 AND result IS NULL AND ?2 > 0",
                            &gap->steps, fault) &&
           close_unfinished(a,
                            "UPDATE task_runs SET result = 'Interrupted', finished_at = "
                            "?2, message = 'the end was not recorded: the audit could "
                            "not be written' WHERE id = ?1 AND finished_at IS NULL",
                            &gap->runs, fault) &&
           write_note(a, gap->text, fault) && lite_exec(a, "COMMIT", fault);
}

static void drop_first(struct care_unfinished *list, size_t count)
{
    list->n = list->n < count ? 0 : list->n - count;
    memmove(list->ids, list->ids + count, list->n * sizeof(list->ids[0]));
}

static void gap_over(struct audit *a, const struct gap *gap)
{
    AUTO(care_unlockp) struct care *care = care_lock(a);

    care->degraded = care->hangs = false;
    care->tries = 0;
    /* Others may have missed something meanwhile. */
    care->missed -= gap->missed;
    drop_first(&care->runs, gap->runs.n);
    drop_first(&care->steps, gap->steps.n);
    care_tell(care, AUDIT_RECOVERED, "the audit database '%s' is written again: %s",
              a->path, gap->text);
}

/* The record of what was missed is the proof that it is over. */
static bool recover(struct audit *a, struct fault *fault)
{
    struct gap gap;
    bool written = false;

    if (a->db != NULL && a->care->tries % REOPEN_EVERY == 0) {
        disk_close(a, true);
    }
    if (a->db == NULL && !open_or_begin_anew(a, fault)) {
        return false;
    }
    (void)sqlite3_busy_timeout(a->db, 0);
    gap_read(a, &gap);
    written = gap_write(a, &gap, fault);
    if (!written) {
        (void)sqlite3_exec(a->db, "ROLLBACK", NULL, NULL, NULL);
    }
    (void)sqlite3_busy_timeout(a->db, lite_busy_ms(a));
    if (written) {
        gap_over(a, &gap);
    } else if (is_damage(fault)) {
        disk_close(a, true); /* the next opening sets it aside */
    }
    return written;
}

static bool is_due(struct audit *a)
{
    int64_t now_ms = clock_monotonic_ms(a->clock);
    AUTO(care_unlockp) struct care *care = care_lock(a);

    return care->degraded && now_ms >= care->retry_at_ms;
}

/* Writing into a file without a name would be writing for nobody. */
static bool look_for_file(struct audit *a, struct fault *fault)
{
    if (a->db == NULL || !disk_was_replaced(a)) {
        return true;
    }
    disk_close(a, true);
    forget_file(a);
    {
        AUTO(care_unlockp) struct care *care = care_lock(a);

        care_tell(care, AUDIT_REPLACED,
                  "the audit database '%s' was removed or replaced by somebody while it "
                  "was written: what it held is lost to the controller, which goes on "
                  "with the file that is at that path, or a new one",
                  a->path);
    }
    return open_or_begin_anew(a, fault);
}

void audit_tend(struct audit *audit)
{
    struct fault fault = FAULT_INIT;

    /* Who holds the lock is at work on the file; there is a next time. */
    if (!audit->options.tolerant || pthread_mutex_trylock(&audit->lock) != 0) {
        return;
    }
    if (!look_for_file(audit, &fault) || (is_due(audit) && !recover(audit, &fault))) {
        care_degrade(audit, &fault, false);
    }
    must(pthread_mutex_unlock(&audit->lock) == 0);
}

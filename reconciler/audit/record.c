/* What the loop writes: runs, steps, log lines. Each call is one transaction. */
#include "audit/audit.h"
#include "audit/care.h"
#include "audit/lite.h"

#include <stdio.h>
#include <string.h>

#define MARK_BYTES 48

/* Storage for a text that had to be cut. */
struct cut {
    char p[AUDIT_TEXT_MAX + 1];
};

static const char *bounded(const char *text, struct cut *storage)
{
    size_t n = text == NULL ? 0 : strlen(text);

    if (n <= AUDIT_TEXT_MAX) {
        return text;
    }
    size_t kept = sv_utf8_prefix((struct sv){text, n}, AUDIT_TEXT_MAX - MARK_BYTES).n;
    memcpy(storage->p, text, kept);
    (void)snprintf(storage->p + kept, MARK_BYTES, "... (cut, %zu bytes)", n);
    return storage->p;
}

static const char *or_empty(const char *text)
{
    return text == NULL ? "" : text;
}

/* It stands in a file that is gone: nothing more can be said of it. */
static bool is_lost(struct audit *a, int64_t id, int64_t lost, struct fault *fault)
{
    if (id > lost) {
        return false;
    }
    care_missed(a);
    (void)fault_set(fault, FAULT_UNAVAILABLE, "AuditDegraded",
                    "the audit database in which this began is gone");
    return true;
}

static bool fault_not_open(const char *what, int64_t id, struct fault *fault)
{
    return fault_set(fault, FAULT_BUG, NULL, "audit: %s %lld does not exist or is closed",
                     what, (long long)id);
}

bool audit_run_begin(struct audit *audit, const struct audit_run_start *start,
                     int64_t *out_id, struct fault *fault)
{
    int64_t now_ms = clock_wall_ms(audit->clock);
    AUTO(lite_leavep) struct audit *held = NULL;
    AUTO(lite_stmt_freep) sqlite3_stmt *s = NULL;

    if (!lite_enter(audit, LITE_RECORD, &held, fault) ||
        !lite_prepare(
            audit,
            "INSERT INTO task_runs (run_id, kind, cr_uid, ns, name, generation, "
            "\"trigger\", plan_hash, started_at) "
            "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            &s, fault)) {
        return false;
    }
    lite_bind_text(s, 1, or_empty(start->run_id));
    lite_bind_text(s, 2, or_empty(start->kind));
    lite_bind_text(s, 3, or_empty(start->uid));
    lite_bind_text(s, 4, or_empty(start->namespace));
    lite_bind_text(s, 5, or_empty(start->name));
    lite_bind_int(s, 6, start->generation);
    lite_bind_text(s, 7, or_empty(start->trigger));
    lite_bind_text(s, 8, start->plan_hash);
    lite_bind_int(s, 9, now_ms);
    if (!lite_run(audit, s, NULL, fault)) {
        return false;
    }
    *out_id = audit->last_run = sqlite3_last_insert_rowid(audit->db);
    return true;
}

static bool end_run(struct audit *audit, int64_t run, const char *result,
                    const char *error_class, const char *message, struct fault *fault)
{
    struct cut cut;
    int64_t now_ms = clock_wall_ms(audit->clock);
    int64_t changed = 0;
    AUTO(lite_leavep) struct audit *held = NULL;
    AUTO(lite_stmt_freep) sqlite3_stmt *s = NULL;

    if (!lite_enter(audit, LITE_RECORD, &held, fault) ||
        is_lost(audit, run, audit->lost_run, fault) ||
        !lite_prepare(audit,
                      "UPDATE task_runs SET result = ?2, error_class = ?3, message = ?4, "
                      "finished_at = ?5 WHERE id = ?1 AND finished_at IS NULL",
                      &s, fault)) {
        return false;
    }
    lite_bind_int(s, 1, run);
    lite_bind_text(s, 2, or_empty(result));
    lite_bind_text(s, 3, error_class);
    lite_bind_text(s, 4, bounded(message, &cut));
    lite_bind_int(s, 5, now_ms);
    if (!lite_run(audit, s, &changed, fault)) {
        return false;
    }
    return changed == 1 ? true : fault_not_open("run", run, fault);
}

bool audit_run_end(struct audit *audit, int64_t run, const char *result,
                   const char *error_class, const char *message, struct fault *fault)
{
    if (end_run(audit, run, result, error_class, message, fault)) {
        return true;
    }
    care_unfinished_run(audit, run);
    return false;
}

bool audit_step_intent(struct audit *audit, int64_t run, const char *target,
                       const char *statement_redacted, int64_t *out_step,
                       struct fault *fault)
{
    struct cut cut;
    int64_t now_ms = clock_wall_ms(audit->clock);
    int64_t changed = 0;
    AUTO(lite_leavep) struct audit *held = NULL;
    AUTO(lite_stmt_freep) sqlite3_stmt *s = NULL;

    if (!lite_enter(audit, LITE_RECORD, &held, fault) ||
        is_lost(audit, run, audit->lost_run, fault) ||
        !lite_prepare(audit,
                      "INSERT INTO task_steps (run_id, seq, target, statement_redacted, "
                      "started_at) SELECT id, (SELECT coalesce(max(seq), 0) + 1 "
                      "FROM task_steps WHERE run_id = ?1), ?2, ?3, ?4 "
                      "FROM task_runs WHERE id = ?1 AND finished_at IS NULL",
                      &s, fault)) {
        return false;
    }
    lite_bind_int(s, 1, run);
    lite_bind_text(s, 2, or_empty(target));
    lite_bind_text(s, 3, or_empty(bounded(statement_redacted, &cut)));
    lite_bind_int(s, 4, now_ms);
    if (!lite_run(audit, s, &changed, fault)) {
        return false;
    }
    if (changed != 1) {
        return fault_not_open("run", run, fault);
    }
    *out_step = audit->last_step = sqlite3_last_insert_rowid(audit->db);
    return true;
}

static bool end_step(struct audit *audit, int64_t step, const char *result,
                     const char *code, const char *message, int64_t duration_ms,
                     struct fault *fault)
{
    struct cut cut;
    int64_t changed = 0;
    AUTO(lite_leavep) struct audit *held = NULL;
    AUTO(lite_stmt_freep) sqlite3_stmt *s = NULL;

    if (!lite_enter(audit, LITE_RECORD, &held, fault) ||
        is_lost(audit, step, audit->lost_step, fault) ||
        !lite_prepare(audit,
                      "UPDATE task_steps SET result = ?2, code = ?3, message = ?4, "
                      "duration_ms = ?5 WHERE id = ?1 AND result IS NULL",
                      &s, fault)) {
        return false;
    }
    lite_bind_int(s, 1, step);
    lite_bind_text(s, 2, or_empty(result));
    lite_bind_text(s, 3, code);
    lite_bind_text(s, 4, bounded(message, &cut));
    lite_bind_int(s, 5, duration_ms);
    if (!lite_run(audit, s, &changed, fault)) {
        return false;
    }
    return changed == 1 ? true : fault_not_open("step", step, fault);
}

bool audit_step_result(struct audit *audit, int64_t step, const char *result,
                       const char *code, const char *message, int64_t duration_ms,
                       struct fault *fault)
{
    if (end_step(audit, step, result, code, message, duration_ms, fault)) {
        return true;
    }
    care_unfinished_step(audit, step);
    return false;
}

bool audit_log(struct audit *audit, int64_t run, const char *level, const char *message,
               struct fault *fault)
{
    struct cut cut;
    int64_t now_ms = clock_wall_ms(audit->clock);
    int64_t changed = 0;
    AUTO(lite_leavep) struct audit *held = NULL;
    AUTO(lite_stmt_freep) sqlite3_stmt *s = NULL;

    if (!lite_enter(audit, LITE_RECORD, &held, fault) ||
        is_lost(audit, run, audit->lost_run, fault) ||
        !lite_prepare(audit,
                      "INSERT INTO task_logs (run_id, at, level, message) "
                      "SELECT id, ?2, ?3, ?4 FROM task_runs WHERE id = ?1",
                      &s, fault)) {
        return false;
    }
    lite_bind_int(s, 1, run);
    lite_bind_int(s, 2, now_ms);
    lite_bind_text(s, 3, or_empty(level));
    lite_bind_text(s, 4, or_empty(bounded(message, &cut)));
    if (!lite_run(audit, s, &changed, fault)) {
        return false;
    }
    return changed == 1 ? true : fault_not_open("run", run, fault);
}

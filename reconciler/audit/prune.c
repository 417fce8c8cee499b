/*
 * Retention. The lock is given back between batches, so that no reconcile waits for more
 * than one of them.
 */
#include "audit/audit.h"
#include "audit/lite.h"

#define BATCH 500
#define BATCHES_MAX 200 /* what is left after that many waits for the next call */

/* ?1 is the limit of the rule, ?2 the batch. Open runs are never deleted. */
static const char delete_old[] =
    "DELETE FROM task_runs WHERE id IN (SELECT id FROM task_runs "
    "WHERE finished_at IS NOT NULL AND finished_at < ?1 ORDER BY finished_at LIMIT ?2)";
static const char delete_surplus[] =
    "DELETE FROM task_runs WHERE id IN (SELECT id FROM (SELECT id, finished_at, "
    "row_number() OVER (PARTITION BY ns, name, kind ORDER BY id DESC) AS nth "
    "FROM task_runs) WHERE nth > ?1 AND finished_at IS NOT NULL ORDER BY id LIMIT ?2)";

static bool delete_batch(struct audit *a, const char *sql, int64_t limit,
                         int64_t *out_deleted, struct fault *fault)
{
    AUTO(lite_leavep) struct audit *held = NULL;
    AUTO(lite_stmt_freep) sqlite3_stmt *s = NULL;

    if (!lite_enter(a, LITE_OTHER, &held, fault) || !lite_prepare(a, sql, &s, fault)) {
        return false;
    }
    lite_bind_int(s, 1, limit);
    lite_bind_int(s, 2, BATCH);
    return lite_run(a, s, out_deleted, fault);
}

static bool delete_all(struct audit *a, const char *sql, int64_t limit, int64_t *deleted,
                       struct fault *fault)
{
    int64_t batch = BATCH;

    for (int i = 0; i < BATCHES_MAX && batch == BATCH; i++) {
        if (!delete_batch(a, sql, limit, &batch, fault)) {
            return false;
        }
        *deleted += batch;
    }
    return true;
}

bool audit_prune(struct audit *audit, int64_t *out_deleted, struct fault *fault)
{
    int64_t deleted = 0;

    if (audit->options.keep_ms > 0) {
        int64_t oldest_ms = clock_wall_ms(audit->clock) - audit->options.keep_ms;
        if (!delete_all(audit, delete_old, oldest_ms, &deleted, fault)) {
            return false;
        }
    }
    if (audit->options.keep_runs_per_object > 0 &&
        !delete_all(audit, delete_surplus, audit->options.keep_runs_per_object, &deleted,
                    fault)) {
        return false;
    }
    AUTO(lite_leavep) struct audit *held = NULL;
    if (!lite_enter(audit, LITE_OTHER, &held, fault) ||
        !lite_exec(audit, "PRAGMA incremental_vacuum(2000)", fault)) {
        return false;
    }
    /* PASSIVE waits for no reader; what it cannot copy stays in the WAL until the next.
     */
    (void)sqlite3_wal_checkpoint_v2(audit->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL,
                                    NULL);
    *out_deleted = deleted;
    return true;
}

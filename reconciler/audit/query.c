/* What the `runs` and `logs` commands read. */
#include "audit/query.h"

#include "audit/lite.h"

#define LIMIT_DEFAULT 50
#define LIMIT_MAX 100000
/* Texts of one answer; the rest is for a narrower question. */
#define ANSWER_BYTES_MAX ((size_t)64 * 1024 * 1024)
#define KIB ((size_t)1024)

#define MATCHING_RUNS                                                                    \
    " FROM task_runs WHERE (?1 IS NULL OR ns = ?1) AND (?2 IS NULL OR name = ?2)"        \
    " AND (?3 = 0 OR id = ?3) AND (?5 = 0 OR id < ?5) ORDER BY id DESC LIMIT ?4"

static const char select_runs[] = "SELECT id, run_id, kind, cr_uid, ns, name, "
                                  "\"trigger\", plan_hash, result, error_class, "
                                  "message, generation, started_at, finished_at, "
                                  "(SELECT count(*) FROM task_steps WHERE "
                                  "task_steps.run_id = task_runs.id)" MATCHING_RUNS;
static const char select_steps[] =
    "SELECT id, run_id, seq, started_at, duration_ms, target, statement_redacted, "
    "result, code, "
    "message FROM task_steps WHERE run_id IN (SELECT id" MATCHING_RUNS ") ORDER BY id";
static const char select_lines[] =
    "SELECT id, run_id, at, level, message FROM task_logs "
    "WHERE run_id IN (SELECT id" MATCHING_RUNS ") ORDER BY id";

/* One answer being read: rows are added until the end or the ceiling. */
struct reading {
    struct audit *audit;
    struct arena *arena;
    size_t had_bytes, max_bytes;
    sqlite3_stmt *s;
};

static struct reading reading_of(struct audit *audit, const struct audit_filter *filter,
                                 struct arena *arena)
{
    return (struct reading){.audit = audit,
                            .arena = arena,
                            .had_bytes = arena_used_bytes(arena),
                            .max_bytes = filter->bytes_max == 0 ? ANSWER_BYTES_MAX
                                                                : filter->bytes_max};
}

static void reading_deinit(struct reading *r)
{
    lite_stmt_freep(&r->s);
}

static bool reading_begin(struct reading *r, const char *sql,
                          const struct audit_filter *filter, struct fault *fault)
{
    int64_t limit = filter->limit <= 0 ? LIMIT_DEFAULT : filter->limit;

    lite_stmt_freep(&r->s);
    if (!lite_prepare(r->audit, sql, &r->s, fault)) {
        return false;
    }
    lite_bind_text(r->s, 1, filter->namespace);
    lite_bind_text(r->s, 2, filter->name);
    lite_bind_int(r->s, 3, filter->run);
    lite_bind_int(r->s, 4, limit < LIMIT_MAX ? limit : LIMIT_MAX);
    lite_bind_int(r->s, 5, filter->before);
    return true;
}

static bool reading_next(struct reading *r, bool *out_row, struct fault *fault)
{
    if (arena_used_bytes(r->arena) - r->had_bytes > r->max_bytes) {
        return fault_set(
            fault, FAULT_SPEC, "AnswerTooLarge",
            "the answer has more than %zu KiB: ask for one object or one run, or "
            "for fewer runs",
            r->max_bytes / KIB);
    }
    return lite_step(r->audit, r->s, out_row, fault);
}

bool audit_query_runs(struct audit *audit, const struct audit_filter *filter,
                      struct arena *arena, struct audit_runs *out_runs,
                      struct fault *fault)
{
    AUTO(lite_leavep) struct audit *held = NULL;
    AUTO(reading_deinit)
    struct reading r = reading_of(audit, filter, arena);
    struct audit_runs runs = {0};
    bool row = true;

    if (!lite_enter(audit, LITE_OTHER, &held, fault) ||
        !reading_begin(&r, select_runs, filter, fault)) {
        return false;
    }
    for (;;) {
        if (!reading_next(&r, &row, fault)) {
            return false;
        }
        if (!row) {
            break;
        }
        VEC_PUSH(arena, &runs.runs,
                 (struct audit_run){
                     .id = sqlite3_column_int64(r.s, 0),
                     .run_id = lite_column(arena, r.s, 1),
                     .kind = lite_column(arena, r.s, 2),
                     .uid = lite_column(arena, r.s, 3),
                     .namespace = lite_column(arena, r.s, 4),
                     .name = lite_column(arena, r.s, 5),
                     .trigger = lite_column(arena, r.s, 6),
                     .plan_hash = lite_column(arena, r.s, 7),
                     .result = lite_column(arena, r.s, 8),
                     .error_class = lite_column(arena, r.s, 9),
                     .message = lite_column(arena, r.s, 10),
                     .generation = sqlite3_column_int64(r.s, 11),
                     .started_ms = sqlite3_column_int64(r.s, 12),
                     .finished_ms = sqlite3_column_int64(r.s, 13),
                     .steps = sqlite3_column_int64(r.s, 14),
                 });
    }
    *out_runs = runs;
    return true;
}

/* Two queries see the same runs: a reader's snapshot begins with the first of them. */
static bool moment_begin(struct audit *audit, struct fault *fault)
{
    return !audit->options.read_only || lite_exec(audit, "BEGIN", fault);
}

/* For AUTO(): also after a fault, and then there may be none. */
static void moment_endp(struct audit **audit)
{
    if ((*audit)->options.read_only && sqlite3_get_autocommit((*audit)->db) == 0) {
        (void)sqlite3_exec((*audit)->db, "COMMIT", NULL, NULL, NULL);
    }
}

static bool read_steps(struct reading *r, struct audit_details *details,
                       struct fault *fault)
{
    for (bool row = true;;) {
        if (!reading_next(r, &row, fault)) {
            return false;
        }
        if (!row) {
            return true;
        }
        VEC_PUSH(r->arena, &details->steps,
                 (struct audit_step){
                     .id = sqlite3_column_int64(r->s, 0),
                     .run = sqlite3_column_int64(r->s, 1),
                     .seq = sqlite3_column_int64(r->s, 2),
                     .started_ms = sqlite3_column_int64(r->s, 3),
                     .duration_ms = sqlite3_column_int64(r->s, 4),
                     .target = lite_column(r->arena, r->s, 5),
                     .statement = lite_column(r->arena, r->s, 6),
                     .result = lite_column(r->arena, r->s, 7),
                     .code = lite_column(r->arena, r->s, 8),
                     .message = lite_column(r->arena, r->s, 9),
                 });
    }
}

static bool read_lines(struct reading *r, struct audit_details *details,
                       struct fault *fault)
{
    for (bool row = true;;) {
        if (!reading_next(r, &row, fault)) {
            return false;
        }
        if (!row) {
            return true;
        }
        VEC_PUSH(r->arena, &details->lines,
                 (struct audit_line){
                     .id = sqlite3_column_int64(r->s, 0),
                     .run = sqlite3_column_int64(r->s, 1),
                     .at_ms = sqlite3_column_int64(r->s, 2),
                     .level = lite_column(r->arena, r->s, 3),
                     .message = lite_column(r->arena, r->s, 4),
                 });
    }
}

bool audit_query_details(struct audit *audit, const struct audit_filter *filter,
                         struct arena *arena, struct audit_details *out_details,
                         struct fault *fault)
{
    AUTO(lite_leavep) struct audit *held = NULL;
    AUTO(moment_endp) struct audit *moment = audit;
    AUTO(reading_deinit)
    struct reading r = reading_of(audit, filter, arena);
    struct audit_details details = {0};

    if (!lite_enter(audit, LITE_OTHER, &held, fault) || !moment_begin(moment, fault) ||
        !reading_begin(&r, select_steps, filter, fault) ||
        !read_steps(&r, &details, fault) ||
        !reading_begin(&r, select_lines, filter, fault) ||
        !read_lines(&r, &details, fault)) {
        return false;
    }
    *out_details = details;
    return true;
}

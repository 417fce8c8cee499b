/* query: reading the audit, also while it is written. */
#ifndef AUDIT_QUERY_H
#define AUDIT_QUERY_H

#include "audit/audit.h"
#include "base/vec.h"

/* Strings live in the arena; "" and 0 when not (yet) set. Times are Unix ms. */
struct audit_run {
    int64_t id;
    const char *run_id, *kind, *uid, *namespace, *name, *trigger, *plan_hash, *result,
        *error_class, *message;
    int64_t generation, started_ms, finished_ms, steps;
};
struct audit_step {
    int64_t id, run, seq, started_ms, duration_ms;
    const char *target, *statement, *result, *code, *message;
};
struct audit_line {
    int64_t id, run, at_ms;
    const char *level, *message;
};
struct audit_filter {
    const char *namespace; /* NULL: any */
    const char *name;      /* NULL: any */
    int64_t run;           /* 0: any */
    int64_t limit;         /* newest first; 0 = 50 */
    int64_t before;   /* runs with a smaller number only, for the next page; 0: any */
    size_t bytes_max; /* of texts in one answer; 0 = 64 MiB */
};
struct audit_runs {
    VEC(struct audit_run) runs;
};
struct audit_details {
    VEC(struct audit_step) steps; /* oldest first */
    VEC(struct audit_line) lines;
};
/*
 * A connection of its own, for reading, to the file that `audit` writes: queries through
 * it take no lock of the writer's and never hold up a record. The caller closes it.
 * Faults: FAULT_UNAVAILABLE, "AuditWaits" for one that has not begun.
 */
MUST_CHECK bool audit_open_reader(struct audit *audit, struct audit **out_reader,
                                  struct fault *fault);
MUST_CHECK bool audit_query_runs(struct audit *audit, const struct audit_filter *filter,
                                 struct arena *arena, struct audit_runs *out_runs,
                                 struct fault *fault);
/* Steps and log lines of the runs that match, oldest first; both of one moment. */
MUST_CHECK bool audit_query_details(struct audit *audit,
                                    const struct audit_filter *filter,
                                    struct arena *arena,
                                    struct audit_details *out_details,
                                    struct fault *fault);

#endif

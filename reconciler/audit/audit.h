/*
 * audit: the SQLite record of every task run. A log, never a source of truth: losing the
 * file loses history and nothing else.
 *
 * One run per reconcile that did or tried something; one step per statement, written as
 * an intent before the statement is sent and completed with its result after, so that a
 * crash in between shows which statement to look at. Levels of log lines: info, error.
 * WAL mode: the `runs` and `logs` commands read while the controller writes. One writer
 * (this process), any number of readers.
 *
 * Thread-safe: one private lock around the writer's connection. Statements given to it
 * are already redacted. The audit never stops reconciling: a failing write is reported to
 * the caller, who counts it and goes on; a tolerant audit also opens whatever the state
 * of its file, and mends what can be mended (care.h says how).
 */
#ifndef AUDIT_AUDIT_H
#define AUDIT_AUDIT_H

#include "base/arena.h"
#include "base/clock.h"
#include "base/fault.h"

#include <stdint.h>

#define AUDIT_TEXT_MAX 16384 /* longer statements and messages are cut, and say so */

struct audit;

struct audit_options {
    const char *path; /* ":memory:" for tests */
    int64_t keep_ms;  /* age after which finished runs are deleted; 0 = for ever */
    int64_t keep_runs_per_object; /* newest runs kept per resource; 0 = all */
    bool read_only;               /* for the runs/logs commands; needs an existing file */
    bool tolerant;                /* a writer whose file may fail: see audit_state() */
    bool later; /* of a tolerant one: no file is touched before audit_begin() */
};

/*
 * Opens or creates the file, brings its schema to this version (PRAGMA user_version; a
 * newer file than ours is a fault "AuditTooNew"), checks integrity, and closes runs a
 * crash left open as Interrupted (read-write only). Faults: FAULT_UNAVAILABLE with path
 * and reason; of a tolerant audit only that no file is named.
 */
MUST_CHECK bool audit_open(const struct audit_options *options, const struct clock *clock,
                           struct audit **out_audit, struct fault *fault);
void audit_close(struct audit *audit);
void audit_closep(struct audit **audit);

/* Opens the file of an audit that was to be opened later, if that was not done yet. */
void audit_begin(struct audit *audit);
/* How a tolerant audit fares. Never blocks, not even on a disk that hangs. */
struct audit_state {
    bool degraded;     /* records are dropped, and so it stays until a try succeeds */
    bool waits;        /* for audit_begin() */
    int64_t since_ms;  /* Unix ms */
    int64_t missed;    /* records since then */
    struct fault last; /* the fault that did it */
};
void audit_state(struct audit *audit, struct audit_state *out_state);
/* What a person should hear of, once each: three times the same change is told thrice. */
struct audit_news {
    enum audit_change {
        AUDIT_DEGRADED = 1,
        AUDIT_RECOVERED,
        AUDIT_SET_ASIDE, /* was damaged: renamed, a new one begun */
        AUDIT_REPLACED   /* was removed or replaced by somebody: the one there is taken */
    } change;
    char text[1500];
};
/* Two may hear each piece of news (the log and an Event); false: there is no more. */
enum audit_listener { AUDIT_TO_LOG, AUDIT_TO_EVENT, AUDIT_LISTENERS };
bool audit_take_news(struct audit *audit, enum audit_listener listener,
                     struct audit_news *out_news);
/*
 * To be called every second or so, by a thread that may wait for the disk: looks whether
 * the file is still there, and tries again when it is time to. Records never do, so that
 * no worker waits.
 */
void audit_tend(struct audit *audit);

struct audit_run_start {
    const char *kind; /* "TableSync" or "DatabaseConnection" */
    const char *uid;
    const char *namespace;
    const char *name;
    int64_t generation;
    const char *trigger;   /* Spec, Secret, Drift, Retry, Deletion, Startup, Manual */
    const char *plan_hash; /* may be NULL */
    const char *run_id;    /* short random hex: also in logs, events and SQL comments */
};

/* Result tokens: Succeeded, Failed, Interrupted (set by the next start), Cancelled. */
MUST_CHECK bool audit_run_begin(struct audit *audit, const struct audit_run_start *start,
                                int64_t *out_id, struct fault *fault);
MUST_CHECK bool audit_run_end(struct audit *audit, int64_t run, const char *result,
                              const char *error_class, const char *message,
                              struct fault *fault);
/* target: "RisingWave", "StarRocks", "MySQL" or "Kubernetes". Returns the step's id. */
MUST_CHECK bool audit_step_intent(struct audit *audit, int64_t run, const char *target,
                                  const char *statement_redacted, int64_t *out_step,
                                  struct fault *fault);
/* result: Succeeded, Failed; code: the server's, may be NULL. */
MUST_CHECK bool audit_step_result(struct audit *audit, int64_t step, const char *result,
                                  const char *code, const char *message,
                                  int64_t duration_ms, struct fault *fault);
MUST_CHECK bool audit_log(struct audit *audit, int64_t run, const char *level,
                          const char *message, struct fault *fault);
/* Deletes what is past retention, in bounded batches, and checkpoints the WAL. */
MUST_CHECK bool audit_prune(struct audit *audit, int64_t *out_deleted,
                            struct fault *fault);

#endif

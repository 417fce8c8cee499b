/*
 * plan_parts: what the files of the planner share, in the order in which they work:
 * plan_find.c looks up what exists, plan_check.c refuses what must not be touched,
 * plan_change.c carries changes of the MySQL table into the definition as the policy
 * allows, plan_target.c decides what becomes of the target table, plan_rw.c, plan_sink.c,
 * plan_sr.c and plan_swap.c write the statements, plan.c puts them in order.
 */
#ifndef DDL_PLAN_PARTS_H
#define DDL_PLAN_PARTS_H

#include "ddl/plan.h"

enum target_fate {
    TARGET_KEEP = 0, /* it exists and is used as it is */
    TARGET_CREATE,
    TARGET_MARK,     /* a table of others becomes ours */
    TARGET_TRUNCATE, /* emptied (and marked, if it was not ours) */
    TARGET_RECREATE  /* dropped and created */
};

struct planner {
    const struct desired *wanted; /* from the spec and MySQL alone */
    struct desired d;             /* the same after policies, with kept columns */
    const struct rw_catalog *rw;
    const struct sr_catalog *sr;
    struct arena *arena;
    struct plan *plan;

    const struct rw_source *source;
    VEC(const struct rw_table *) tables; /* every CDC table of ours, newest first */
    VEC(const struct rw_sink *) sinks;   /* every sink of ours, newest first */
    const struct rw_table *table;        /* the one to use; NULL: to be made */
    int64_t table_version;
    const struct ident *table_ident;
    struct mark mark;           /* of `table`; zero: none */
    const struct rw_sink *sink; /* the one that is as wanted; NULL: to be made */
    int64_t sink_version;
    const struct ident *sink_ident;
    const char *sink_hash;
    bool rotates, resumed; /* a retired sink was resumed by hand (plan_account.c) */
    int64_t after;         /* sinks up to this version are retired; 0: none */
    const struct sr_table *target;
    enum target_fate fate;
    bool adopts;      /* the target's mark says, or will say, that it was adopted */
    bool rebuild;     /* the CDC table must be loaded anew under another version */
    bool retires;     /* values in the target are lost by the next sink (approval) */
    VEC(size_t) adds; /* of d.cdc: missing in the CDC table */
    VEC(size_t) target_adds;     /* of d.columns: missing in the target */
    VEC(size_t) target_widens;   /* of d.columns: too narrow in the target */
    struct strlist target_drops; /* target columns to drop, and of the CDC table */
    struct strlist cdc_drops;
};

/* --- plan_find.c --- */
MUST_CHECK bool plan_find(struct planner *p, struct fault *fault);
/* Once the definition is final: which sink is as wanted, or which version to make. */
MUST_CHECK bool plan_find_sink(struct planner *p, struct fault *fault);
/* The sink that was made from the definition as it is now; NULL: there is none. */
const struct rw_sink *plan_marked_sink(const struct planner *p);
int64_t plan_version_of(const struct planner *p, const struct rw_sink *sink);
const struct rw_column *plan_rw_column(const struct rw_table *table, struct sv name);
const struct sr_column *plan_sr_column(const struct sr_table *table, struct sv name);
/* A sink reads the CDC table that is to stay. */
bool plan_is_delivered(const struct planner *p);
/* Whether a resync that empties or remakes the target is still to come to that. */
bool plan_clears_target(const struct planner *p);

/* --- plan_account.c --- */
/* Which sinks give way because their address or account is another one. */
void plan_rotation(struct planner *p);
MUST_CHECK bool plan_rw_source(struct planner *p, struct fault *fault);
const char *plan_ssl_mode(enum tls_mode mode); /* as CREATE SOURCE takes it */

/* --- plan_check.c --- */
#define PLAN_REPORT_BYTES_MAX ((size_t)900) /* leaves room for the sentence around */
MUST_CHECK bool plan_check(struct planner *p, struct fault *fault);
MUST_CHECK bool plan_check_sink(const struct planner *p, struct fault *fault);
/* Adds "; <difference>". A report that is too long keeps its beginning. */
void plan_report(struct buf *out, const char *format, ...) PRINTF_LIKE(2, 3);

/* --- plan_change.c, plan_kept.c --- */
MUST_CHECK bool plan_changes(struct planner *p, struct fault *fault);
/* Adds a sentence to plan.changes. */
void plan_changed(struct planner *p, const char *format, ...) PRINTF_LIKE(2, 3);
/* Columns of the CDC table that MySQL no longer has, as the policy says. */
MUST_CHECK bool plan_kept(struct planner *p, struct fault *fault);
/* "ChangeBlockedByPolicy" or "ChangeUnsupported" with the offer of a re-sync. */
bool plan_blocked(const struct planner *p, const char *change, struct fault *fault);
bool plan_unsupported(const struct planner *p, const char *change, const char *way_out,
                      struct fault *fault);
const struct column_override *plan_override(const struct planner *p, const char *column);
void plan_remove_column(struct desired *d, size_t index);

/* --- plan_target.c, plan_widen.c --- */
MUST_CHECK bool plan_target(struct planner *p, struct fault *fault);
/* Target columns that are missing or too narrow, and what can be done about each. */
MUST_CHECK bool plan_widen(struct planner *p, struct fault *fault);
/* What no ALTER of ours could change: model, key, columns that nothing fills. */
void plan_compare_shape(const struct planner *p, struct buf *out);
/* Everything that keeps the sink from delivering into the table as it is. */
void plan_compare_target(const struct planner *p, struct buf *out);

/* --- statements --- */
#define PLAN_COMMIT_INTERVAL 10 /* RisingWave's default, with decoupled sinks */
/* A number as WITH takes it: quoted. */
void plan_rw_int(struct stmt *s, int64_t value);
MUST_CHECK bool plan_rw_push(struct planner *p, struct plan_step step,
                             const struct ident *name, struct fault *fault);
MUST_CHECK bool plan_rw_objects(struct planner *p, struct fault *fault);
MUST_CHECK bool plan_rw_mark(struct planner *p, struct fault *fault);
MUST_CHECK bool plan_rw_sink(struct planner *p, enum plan_wait wait, const char *wait_for,
                             struct fault *fault);
MUST_CHECK bool plan_rw_rate(struct planner *p, const char *sink, bool paused,
                             enum plan_wait wait, const char *wait_for,
                             struct fault *fault);
MUST_CHECK bool plan_rw_interval(struct planner *p, int64_t interval,
                                 struct fault *fault);
MUST_CHECK bool plan_rw_drop_column(struct planner *p, const char *column,
                                    struct fault *fault);
MUST_CHECK bool plan_rw_drop(struct planner *p, enum plan_kind kind, const char *name,
                             enum plan_wait wait, const char *wait_for,
                             struct fault *fault);
MUST_CHECK bool plan_rw_add_columns(struct planner *p, enum plan_wait wait,
                                    struct fault *fault);
MUST_CHECK bool plan_sr_objects(struct planner *p, struct fault *fault);
MUST_CHECK bool plan_sr_clear(struct planner *p, enum plan_wait wait,
                              const char *wait_for, struct fault *fault);
MUST_CHECK bool plan_sr_drop_columns(struct planner *p, struct fault *fault);
/* `first`: waits until the successor is seen paused. */
MUST_CHECK bool plan_sr_ghosts(struct planner *p, const struct rw_sink *sink, bool first,
                               struct fault *fault);
/* What replaces sinks that cannot deliver any more (plan_rotate.c). */
MUST_CHECK bool plan_rotate(struct planner *p, enum plan_wait wait, struct fault *fault);
/* The successor is paused, with its backfill done. */
bool plan_is_settled(const struct planner *p);
/* Everything from the mark to the last old object dropped. */
MUST_CHECK bool plan_swap(struct planner *p, struct fault *fault);

/* Of its system, kind and redacted statement. */
const char *plan_step_id(const struct plan_step *step, struct arena *arena);
/* Checks the statement, and gives the step its id if it has none. */
MUST_CHECK bool plan_push(struct plan *plan, struct arena *arena, struct plan_step step,
                          struct fault *fault);
void plan_finish(struct plan *plan, struct arena *arena); /* the hash */

const char *plan_key_names(const struct desired *d, struct arena *arena); /* "a,b" */
char *plan_object(struct arena *arena, const struct ident *outer,
                  const struct ident *inner);

#endif

/*
 * attempt: everything one attempt at one TableSync knows, from the key to the report. It
 * lives in one arena and dies with the attempt; the next one starts from nothing.
 */
#ifndef LOOP_ATTEMPT_H
#define LOOP_ATTEMPT_H

#include "ddl/plan.h"
#include "ddl/preflight.h"
#include "kube/conditions.h"
#include "loop/loop.h"
#include "loop/secrets.h"
#include "model/conditions.h"
#include "model/status.h"

/* One of the three servers: its resource, its login and a session. */
struct binding {
    const char *kept_for; /* why the last-known-good is used (keep.h); NULL: it is not */
    struct dbconn conn;
    struct credentials credentials;
    struct db_endpoint endpoint;
    struct lane *lane;
    bool unopened; /* there is a lane, and no session yet */
    struct session session;
};

enum binding_role { BIND_SOURCE, BIND_RISINGWAVE, BIND_TARGET, BIND_COUNT };

struct attempt {
    struct loop *loop;
    struct arena *arena;
    struct cancel cancel;
    const char *key;            /* queue key */
    const char *run_id;         /* 8 hex: in logs, events, status, audit and SQL */
    const char *now;            /* RFC 3339 */
    int64_t started_ms;         /* monotonic */
    struct kube_object *object; /* as read; NULL: gone */
    struct json *fresh;         /* what a write answered; owned; replaces object->json */
    struct tablesync sync;
    struct fault *spec_fault; /* what is wrong with the object as read; NULL: nothing */
    struct tsync_status before, status;
    struct kube_conditions conditions, conditions_before;
    const char *trigger;
    struct binding bindings[BIND_COUNT];
    struct observation *mysql, *rw, *sr;
    struct mysql_table *table;
    struct strlist replica_ids;
    struct findings findings; /* of the pre-flight, if it looked */
    struct rw_offset offset;  /* how far the source has read; zeros: unknown */
    struct {        /* of the sink, exactly; status shows steps of it; -1: unknown */
        bool known; /* the backlog was read */
        int64_t lag_s, undelivered;
    } measured;
    struct desired desired;
    struct plan plan;
    bool planned, paused_reconcile, offset_lost; /* MySQL lacks what comes after offset */
    bool preview;        /* nothing may be written anywhere: `tablesync plan` */
    bool checks_only;    /* what the pre-flight finds stops nothing: `tablesync check` */
    bool drifted;        /* the plan undoes what others did to what was in place */
    bool held;           /* ... and the policy leaves it as it is: no statement runs */
    bool unapproved;     /* nothing runs before somebody approves the plan */
    bool resynced;       /* the re-sync was found complete */
    const char *working; /* what is still to be done, for messages; NULL: nothing */

    int64_t run;          /* audit run; 0 = none opened */
    int64_t steps;        /* statements sent */
    bool event_heals;     /* what failed heals with a change that wakes it, not by time */
    int64_t requeue_ms;   /* 0: nothing asked for */
    int64_t calm_look_ms; /* 0: as ever; otherwise the next look at what is Ready */
    int64_t look_ms;      /* 0: whenever; otherwise the next look is no later */
    enum tally_verdict verdict; /* of a count that ended; 0: none did */
    const struct step *step;    /* the one that ran last */
    enum condition failed; /* of the statement that failed; CONDITION_NONE: none did */
};

/* The object to read from: the freshest the attempt has. */
const struct json *attempt_object(const struct attempt *a);
/* Takes what a write answered (NULL is ignored) and puts a copy into the store. */
void attempt_refresh(struct attempt *a, struct json *answered);

/* Sets a condition for this attempt's generation; message as printf. */
void attempt_condition(struct attempt *a, enum condition condition, const char *reason,
                       const char *format, ...) PRINTF_LIKE(4, 5);
/* The same for a status that the table of reasons does not give; text is copied. */
void attempt_force_condition(struct attempt *a, enum condition condition,
                             enum kube_truth status, const char *reason,
                             const char *message);
/* Emits an Event on the resource; failures are counted, never faults. */
void attempt_event(struct attempt *a, bool warning, const char *reason,
                   const char *action, const char *note);

/* Opens the audit run if none is open yet. */
void attempt_audit_begin(struct attempt *a);
void attempt_audit_log(struct attempt *a, const char *level, const char *format, ...)
    PRINTF_LIKE(3, 4);
void attempt_audit_missed(struct attempt *a, const struct fault *fault);

/* No statement for this resource ever came through: a re-sync token means nothing yet. By
 * status as it was read, and only by what belongs to this resource alone. */
bool attempt_first_run(const struct attempt *a);
/* The same of the target table alone: its mark was never seen to be ours. */
bool attempt_first_target(const struct attempt *a);
/* This very definition once existed as a whole: what it lacks now, somebody took away. */
bool attempt_was_applied(const struct attempt *a);
/* It did at the last look, and the spec is still the same. */
bool attempt_was_converged(const struct attempt *a);
/* The observed target table; NULL: not there. */
const struct sr_table *attempt_target(const struct attempt *a);
/* The target's mark says that this resource adopted the table. */
bool attempt_adopted(const struct attempt *a);
/* Makes the plan from the observations at hand, lists in status what there is. */
MUST_CHECK bool attempt_plan(struct attempt *a, struct fault *fault);

/* --- apply.c --- */
/*
 * Runs a plan: for each statement audit intent, the statement, audit result, Event; stops
 * at the first failure, and in front of a statement that must wait for something, unless
 * it is the first: that one's wait is the caller's business. Wants the bindings'
 * sessions. Observations are out of date after it.
 */
MUST_CHECK bool attempt_apply(struct attempt *a, const struct plan *plan,
                              struct fault *fault);

/* --- bindings (connect.c) --- */
/* Looks up connection, Secret and lane; _open: and opens a session. */
MUST_CHECK bool binding_find(struct attempt *a, enum binding_role role,
                             struct fault *fault);
MUST_CHECK bool binding_open(struct attempt *a, enum binding_role role,
                             struct fault *fault);
/* RisingWave's schema, or StarRocks' database, at most so old; as lane_observe(). */
MUST_CHECK bool binding_catalog(struct attempt *a, enum binding_role role, int64_t age_ms,
                                struct observation **out, struct fault *fault);
void binding_close(struct attempt *a, enum binding_role role, const struct fault *fault);
const char *binding_role_name(
    enum binding_role role); /* "source", "risingWave", "target" */
/* What to log in with; points into both. */
struct db_endpoint connection_endpoint(const struct dbconn *conn,
                                       const struct credentials *credentials);
/* Reads the resource and its Secrets, of any key; the connection reconcile's too. */
MUST_CHECK bool connection_resolve(struct loop *loop, const struct json *object,
                                   struct arena *arena, struct cancel *cancel,
                                   struct dbconn *out_conn,
                                   struct credentials *out_credentials,
                                   struct lane **out_lane, struct fault *fault);

/* --- status entries (report.c) --- */
struct status_object *attempt_status_object(struct attempt *a, const char *kind,
                                            const char *name);

#endif

/*
 * plan: desired x observed -> ordered statements with their risk. A pure function; an
 * empty plan means converged. Observing, planning and applying again after each attempt
 * makes every step repeatable.
 */
#ifndef DDL_PLAN_H
#define DDL_PLAN_H

#include "ddl/desired.h"
#include "ddl/observed.h"

enum plan_system { PLAN_RISINGWAVE = 1, PLAN_STARROCKS };
enum plan_kind {
    PLAN_CREATE_SCHEMA = 1,
    PLAN_CREATE_SOURCE,
    PLAN_ALTER_SOURCE, /* address and account: RisingWave tries them, then its reader
                          restarts, which takes about two minutes (verified 12, 37) */
    PLAN_RESET_SOURCE, /* forgets its position, goes on from MySQL's newest */
    PLAN_CREATE_TABLE,
    PLAN_COMMENT_TABLE,
    PLAN_CREATE_DATABASE,
    PLAN_CREATE_TARGET,
    PLAN_CREATE_SINK,
    PLAN_ALTER_SINK, /* rate limit: pause and resume; commit interval */
    PLAN_ADD_COLUMN, /* of the CDC table */
    PLAN_DROP_COLUMN,
    PLAN_ALTER_TARGET, /* add and widen columns */
    PLAN_DROP_TARGET_COLUMN,
    PLAN_TRUNCATE_TARGET,
    PLAN_DELETE_GHOSTS,  /* not a statement but many: see plan_step.ghosts_of */
    PLAN_COMMENT_TARGET, /* the ownership mark of an adopted table */
    PLAN_DROP_SINK,
    PLAN_DROP_TABLE,
    PLAN_DROP_SOURCE,
    PLAN_DROP_TARGET,
    PLAN_KIND_MAX
};
enum plan_risk {
    RISK_SAFE = 1,
    RISK_ASKED,      /* loses data, and the spec asks for exactly that */
    RISK_DESTRUCTIVE /* loses data: waits for approval of this plan's hash */
};

/* What must be true before a step may run; whoever applies the plan finds out. */
enum plan_wait {
    WAIT_NONE = 0,
    WAIT_TARGET_ALTER, /* no schema change of the target runs, and its effect shows */
    WAIT_SNAPSHOT,     /* CDC table `wait_for` has loaded all rows */
    WAIT_BACKFILL,     /* sink `wait_for` is created: its backfill is done */
    WAIT_PAUSED,       /* sink `wait_for` is seen paused in the catalog */
    WAIT_DELIVERED,    /* sink `wait_for` has delivered all that is older than the moment
                          at which its successor was first seen paused */
    PLAN_WAIT_MAX
};

/* What a plan is about, for messages and for the policies that hold it back. */
enum plan_purpose {
    PURPOSE_NOTHING = 0, /* no steps */
    PURPOSE_PROVISION,   /* nothing was delivered yet */
    PURPOSE_SETTINGS,    /* pause, resume, commit interval, mark, source's account */
    PURPOSE_ROTATE,      /* the sink delivers to another address or account */
    PURPOSE_REPAIR,      /* something that was applied is missing */
    PURPOSE_EVOLVE,      /* the MySQL table or spec.columns changed */
    PURPOSE_RESYNC,
    PLAN_PURPOSE_MAX
};

struct plan_step {
    enum plan_system system;
    enum plan_kind kind;
    enum plan_risk risk;
    const struct stmt *stmt;
    const char *object;   /* "tablesync.t_shop_orders_5d21aaaa" */
    const char *sentence; /* "create the CDC table" */
    enum plan_wait wait;
    const char *wait_for; /* RisingWave object's name without schema; else NULL */
    const char *id;       /* 12 hex of system, kind and redacted statement */
    /* PLAN_DELETE_GHOSTS: the sink (without schema) whose undelivered deletions are done
     * by ghosts.h; `stmt` only tells people so. NULL otherwise. */
    const char *ghosts_of;
    /* RisingWave session settings the driver applies first: */
    bool background;     /* SET background_ddl = true */
    int64_t parallelism; /* SET streaming_parallelism; 0 = leave */
};

struct plan {
    VEC(struct plan_step) steps;
    enum plan_purpose purpose;
    const char *hash; /* "sha256:<64 hex>" over the redacted statements */
    /* What should exist once it is carried out: names without schema. */
    const char *table, *sink;
    const struct desired *definition; /* what is delivered then, after policies */
    const char *sink_hash;            /* as the CDC table's mark has it then */
    int64_t table_version, sink_version;
    bool postponed;         /* more is to be done once spec.state is Running again */
    bool adopted;           /* the target table was not made by us: it is never dropped */
    struct strlist changes; /* upstream changes found, in words; empty: none */
    struct strlist kept;    /* MySQL columns that are gone and go on being delivered */
    struct strlist unloaded; /* columns that this plan adds to a loaded CDC table */
    struct strlist ignored;  /* new MySQL columns that policy Ignore leaves out */
    struct strlist notes;    /* what the user should know, for events */
    /* What of the source's settings differs and cannot be altered, in words, or why it is
     * left as it is; NULL: nothing. Shown in SourceReady, never a fault. */
    const char *source_differs;
    int64_t server_id; /* of the source that exists or is to be created */
};

/*
 * All that is left to do, through to the end: later steps may have to wait (plan_wait),
 * and the plan made after some were run is the rest of this one. So an approval of the
 * whole covers each part.
 *
 * Faults say why nothing may be done: FAULT_REFUSED AlreadyExists, OwnedByAnother (naming
 * the uid), IncompatibleSchema (which column differs, how), TargetDrift (the same, after
 * it was right), CreateForbidden, DatabaseMissing (with the statement to run),
 * ServerIdConflict (range exhausted), NoBackends, DefinitionChanged,
 * ChangeBlockedByPolicy (an upstream change that spec.schemaChange.policy holds back),
 * ChangeUnsupported (one that no policy carries, with the way out). Order: schema,
 * source, target database and table, CDC table, mark, sink, retirement of what is old.
 */
MUST_CHECK bool plan_make(const struct desired *desired, const struct rw_catalog *rw,
                          const struct sr_catalog *sr, struct arena *arena,
                          struct plan *out_plan, struct fault *fault);

/*
 * What deletion under `policy` drops: sinks (every version), CDC table, the source when
 * nobody else uses it; with Delete also the target table if its mark is ours. Only
 * objects that carry our uid. `sr` may be NULL unless the policy is Delete. Dependants of
 * others: FAULT_REFUSED DependantsExist naming them.
 */
struct plan_drop_input {
    const struct tablesync *sync;
    enum deletion_policy policy;
    const char *rw_schema;
    struct strlist rw_sources; /* "schema.name" recorded in status; may be empty */
};
MUST_CHECK bool plan_drop(const struct plan_drop_input *input,
                          const struct rw_catalog *rw, const struct sr_catalog *sr,
                          struct arena *arena, struct plan *out_plan,
                          struct fault *fault);

const char *plan_kind_name(enum plan_kind kind);
const char *plan_system_name(enum plan_system system);

#endif

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
    PLAN_CREATE_TABLE,
    PLAN_COMMENT_TABLE,
    PLAN_CREATE_DATABASE,
    PLAN_CREATE_TARGET,
    PLAN_CREATE_SINK,
    PLAN_ALTER_SINK, /* rate limit: pause and resume; commit interval */
    PLAN_DROP_SINK,
    PLAN_DROP_TABLE,
    PLAN_DROP_SOURCE,
    PLAN_DROP_TARGET,
    PLAN_KIND_MAX
};
enum plan_risk { RISK_SAFE = 1, RISK_DESTRUCTIVE };

struct plan_step {
    enum plan_system system;
    enum plan_kind kind;
    enum plan_risk risk;
    const struct stmt *stmt;
    const char *object;   /* "tablesync.t_shop_orders_5d21aaaa" */
    const char *sentence; /* "create the CDC table" */
    /* RisingWave session settings the driver applies first: */
    bool background;     /* SET background_ddl = true */
    int64_t parallelism; /* SET streaming_parallelism; 0 = leave */
};

struct plan {
    VEC(struct plan_step) steps;
    const char *hash;  /* "sha256:<64 hex>" over the redacted statements */
    int64_t server_id; /* of the source that exists or is to be created */
};

/*
 * Faults say why nothing may be done: FAULT_REFUSED AlreadyExists, OwnedByAnother (naming
 * the uid), IncompatibleSchema (which column differs, how), CreateForbidden,
 * DatabaseMissing (with the statement to run), ServerIdConflict (range exhausted),
 * NoBackends. Order: schema, source, CDC table, comment, database, target table, sink.
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

/*
 * spec: what the user asked for, decoded and with defaults applied.
 *
 * The CRD's schema and CEL rules are the first gate; decoding validates everything again
 * and never trusts the API server's word. decode.c interprets one table of fields
 * (fields_*.c) that a test compares with the CRD YAML. Strings live in the given arena.
 */
#ifndef MODEL_SPEC_H
#define MODEL_SPEC_H

#include "base/arena.h"
#include "base/fault.h"
#include "base/json.h"
#include "base/vec.h"
#include "model/policies.h"

#define TSYNC_GROUP "tablesync.dev"
#define TSYNC_VERSION "v1alpha1"
#define TSYNC_FINALIZER "tablesync.dev/cleanup"
#define DBCONN_FINALIZER "tablesync.dev/in-use"
#define TSYNC_ANNOTATION_PAUSE "tablesync.dev/pause-reconcile" /* "true" */
#define TSYNC_ANNOTATION_ORPHAN "tablesync.dev/orphan"         /* "true" */
#define TSYNC_ANNOTATION_RUN "tablesync.dev/run-id"    /* of an Event: lastRun.runId */
#define TSYNC_ANNOTATION_RETRY "tablesync.dev/retry"   /* "now"; removed when seen */
#define TSYNC_ANNOTATION_VERIFY "tablesync.dev/verify" /* "now"; removed when seen */
#define TSYNC_ANNOTATION_APPROVE "tablesync.dev/approve-plan" /* status.plan.hash */
#define TSYNC_ANNOTATION_ADOPT "tablesync.dev/adopt" /* owner's uid, or "unowned" */

struct dbconn {
    const char *namespace, *name, *uid, *created; /* created: RFC 3339 */
    int64_t generation;
    enum dbconn_type type;
    const char *host;
    int64_t port;         /* 3306, 4566 or 9030 by type */
    const char *database; /* RisingWave: "dev"; others "" */
    const char *secret_name, *username_key, *password_key;
    enum tls_mode tls_mode;        /* Prefer */
    const char *tls_ca_secret;     /* NULL: the system's certificates */
    const char *tls_ca_key;        /* "ca.crt" */
    const char *tls_client_secret; /* NULL: none; keys tls.crt and tls.key */
    bool deleting;
    int64_t server_id_low, server_id_high; /* MySQL: 5400-6400 */
    const char *rw_schema;                 /* RisingWave: "tablesync" */
    int64_t http_port;                     /* StarRocks: 8030 */
};

struct property {
    const char *key, *value;
};

/* One entry of spec.columns.overrides; NULL: not given. */
struct column_override {
    const char *name;        /* the MySQL column */
    const char *target_name; /* the StarRocks column */
    const char *target_type; /* StarRocks' spelling: "VARCHAR(64)" (types.h) */
    const char *expression;  /* small grammar, see ddl/expr.h */
};

struct tablesync {
    const char *namespace, *name, *uid, *created;
    int64_t generation;
    const char *resource_version;
    bool deleting;
    bool annotation_pause, annotation_orphan;
    const char *annotation_retry;   /* NULL when absent */
    const char *annotation_verify;  /* NULL when absent */
    const char *annotation_approve; /* NULL when absent */
    const char *annotation_adopt;   /* NULL when absent */

    const char *source_connection, *source_database, *source_table;
    const char *rw_connection;
    int64_t parallelism; /* 1 */
    const char *target_connection, *target_database,
        *target_table;                  /* table: default source */
    enum create_policy target_create;   /* IfNotExists */
    enum create_policy create_database; /* Never */
    enum existing_policy existing;      /* Fail */
    VEC(struct property) properties;    /* StarRocks table PROPERTIES, sorted by key */
    struct strlist distributed_by;      /* target column names; empty: the key */
    int64_t buckets;                    /* 0 = StarRocks decides */
    const char *partition_by;           /* "": none; see ddl/choice.h for the grammar */
    struct strlist include, exclude;    /* MySQL names; include holds "*" by default */
    VEC(struct column_override) overrides;
    enum unsupported_policy unsupported;     /* Fail */
    int64_t bytes_per_character;             /* 0 = by the column's character set */
    struct strlist primary_key;              /* MySQL names; empty: upstream's key */
    enum data_loss_policy data_loss;         /* Warn */
    enum snapshot_mode snapshot_mode;        /* Initial */
    int64_t snapshot_rate_limit;             /* rows/s; 0 = none */
    int64_t snapshot_batch_size;             /* 1000 */
    int64_t commit_checkpoint_interval;      /* 10 */
    int64_t max_batch_bytes;                 /* 0 = unlimited */
    bool partial_update;                     /* false */
    enum schema_policy schema_policy;        /* AddOnly */
    enum drop_column_policy drop_column;     /* Keep */
    enum plan_mode plan_mode;                /* Auto */
    enum drift_policy drift_policy;          /* Correct */
    int64_t drift_interval_ms;               /* 60 s */
    enum verify_mode verify_mode;            /* None */
    const char *verify_schedule;             /* cron.h; "": none */
    int64_t verify_tolerance;                /* rows; 0 */
    int64_t verify_settle_s;                 /* 60 */
    const char *resync_token;                /* "": none */
    enum resync_mode resync_mode;            /* InPlace */
    enum run_state state;                    /* Running */
    int64_t backoff_base_ms, backoff_max_ms; /* 5 s, 10 min */
    enum deletion_policy deletion_policy;    /* Retain */
};

/*
 * Faults are FAULT_SPEC "InvalidSpec" and name the field by its path, what it holds and
 * what is allowed. All problems of one object are reported at once, joined by "; ".
 */
MUST_CHECK bool dbconn_decode(const struct json *object, struct arena *arena,
                              struct dbconn *out_conn, struct fault *fault);
MUST_CHECK bool tablesync_decode(const struct json *object, struct arena *arena,
                                 struct tablesync *out_sync, struct fault *fault);
/* The same, but for *out_sync, which is filled in any case as by the next one. */
MUST_CHECK bool tablesync_read(const struct json *object, struct arena *arena,
                               struct tablesync *out_sync, struct fault *fault);
/*
 * Identity and metadata only (namespace, name, uid, created, deleting, annotations,
 * deletion policy if it is legal, connection names if they are strings): never fails, so
 * that a resource whose spec went bad can still be reported on and deleted.
 */
void tablesync_decode_identity(const struct json *object, struct arena *arena,
                               struct tablesync *out_sync);
/* Less: namespace, name, uid, created, generation, deleting and annotations; nothing of
 * spec is looked at. */
void tablesync_decode_metadata(const struct json *object, struct arena *arena,
                               struct tablesync *out_sync);

/*
 * Go durations as Kubernetes writes them ("1h30m", "5s", "250ms") in ms; -1 when
 * malformed.
 */
int64_t duration_parse_ms(const char *text);

#endif

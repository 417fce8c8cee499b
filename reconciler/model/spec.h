/*
 * spec: what the user asked for, decoded and with defaults applied.
 *
 * The CRD's schema and CEL rules are the first gate; decoding validates everything again
 * and never trusts the API server's word. decode.c interprets one table of fields
 * (fields.c) that a test compares with the CRD YAML. Strings live in the given arena.
 */
#ifndef MODEL_SPEC_H
#define MODEL_SPEC_H

#include "base/arena.h"
#include "base/fault.h"
#include "base/json.h"
#include "base/vec.h"

#define TSYNC_GROUP "tablesync.dev"
#define TSYNC_VERSION "v1alpha1"
#define TSYNC_FINALIZER "tablesync.dev/cleanup"
#define TSYNC_ANNOTATION_PAUSE "tablesync.dev/pause-reconcile" /* "true" */
#define TSYNC_ANNOTATION_ORPHAN "tablesync.dev/orphan"         /* "true" */
#define TSYNC_ANNOTATION_RETRY "tablesync.dev/retry" /* "now"; removed when seen */

enum dbconn_type {
    DBCONN_MYSQL = 1,
    DBCONN_RISINGWAVE,
    DBCONN_STARROCKS,
    DBCONN_TYPE_MAX
};
enum tls_mode { TLS_DISABLE = 1, TLS_PREFER, TLS_REQUIRE, TLS_MODE_MAX };

struct dbconn {
    const char *namespace, *name, *uid, *created; /* created: RFC 3339 */
    int64_t generation;
    enum dbconn_type type;
    const char *host;
    int64_t port;         /* 3306, 4566 or 9030 by type */
    const char *database; /* RisingWave: "dev"; others "" */
    const char *secret_name, *username_key, *password_key;
    enum tls_mode tls_mode;                /* Prefer */
    int64_t server_id_low, server_id_high; /* MySQL: 5400-6400 */
    const char *rw_schema;                 /* RisingWave: "tablesync" */
    int64_t http_port;                     /* StarRocks: 8030 */
};

enum create_policy { CREATE_NEVER = 1, CREATE_IF_NOT_EXISTS, CREATE_POLICY_MAX };
enum snapshot_mode { SNAPSHOT_INITIAL = 1, SNAPSHOT_NEVER, SNAPSHOT_MODE_MAX };
enum run_state { STATE_RUNNING = 1, STATE_PAUSED, RUN_STATE_MAX };
enum deletion_policy {
    DELETION_RETAIN = 1,
    DELETION_DELETE_STREAM,
    DELETION_DELETE,
    DELETION_POLICY_MAX
};

struct property {
    const char *key, *value;
};

struct tablesync {
    const char *namespace, *name, *uid, *created;
    int64_t generation;
    const char *resource_version;
    bool deleting;
    bool annotation_pause, annotation_orphan;
    const char *annotation_retry; /* NULL when absent */

    const char *source_connection, *source_database, *source_table;
    const char *rw_connection;
    int64_t parallelism; /* 1 */
    const char *target_connection, *target_database,
        *target_table;                  /* table: default source */
    enum create_policy target_create;   /* IfNotExists */
    enum create_policy create_database; /* Never */
    VEC(struct property) properties;    /* StarRocks table PROPERTIES, sorted by key */
    enum snapshot_mode snapshot_mode;   /* Initial */
    int64_t snapshot_rate_limit;        /* rows/s; 0 = none */
    int64_t snapshot_batch_size;        /* 1000 */
    int64_t commit_checkpoint_interval; /* 10 */
    int64_t max_batch_bytes;            /* 0 = unlimited */
    enum run_state state;               /* Running */
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
/*
 * Identity and metadata only (namespace, name, uid, created, deleting, annotations,
 * deletion policy if it is legal, connection names if they are strings): never fails, so
 * that a resource whose spec went bad can still be reported on and deleted.
 */
void tablesync_decode_identity(const struct json *object, struct arena *arena,
                               struct tablesync *out_sync);

const char *dbconn_type_name(enum dbconn_type type); /* "MySQL" */
const char *tls_mode_name(enum tls_mode mode);
const char *deletion_policy_name(enum deletion_policy policy);

/*
 * Go durations as Kubernetes writes them ("1h30m", "5s", "250ms") in ms; -1 when
 * malformed.
 */
int64_t duration_parse_ms(const char *text);

#endif

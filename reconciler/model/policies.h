/*
 * policies: the fields of a spec that choose one of a few words. Each enum begins with 1,
 * in the order in which the CRD lists the words; the rows of the fields compare counts.
 */
#ifndef MODEL_POLICIES_H
#define MODEL_POLICIES_H

enum dbconn_type {
    DBCONN_MYSQL = 1,
    DBCONN_RISINGWAVE,
    DBCONN_STARROCKS,
    DBCONN_TYPE_MAX
};
/* TLS_VERIFY_CA: the certificate is signed by somebody who is trusted; TLS_VERIFY_FULL:
 * and it is this host's. */
enum tls_mode {
    TLS_DISABLE = 1,
    TLS_PREFER,
    TLS_REQUIRE,
    TLS_VERIFY_CA,
    TLS_VERIFY_FULL,
    TLS_MODE_MAX
};

enum create_policy { CREATE_NEVER = 1, CREATE_IF_NOT_EXISTS, CREATE_POLICY_MAX };
enum snapshot_mode { SNAPSHOT_INITIAL = 1, SNAPSHOT_NEVER, SNAPSHOT_MODE_MAX };
enum verify_mode { VERIFY_NONE = 1, VERIFY_COUNT, VERIFY_MODE_MAX };
enum run_state { STATE_RUNNING = 1, STATE_PAUSED, RUN_STATE_MAX };
enum deletion_policy {
    DELETION_RETAIN = 1,
    DELETION_DELETE_STREAM,
    DELETION_DELETE,
    DELETION_POLICY_MAX
};

/* What to do with a StarRocks table that exists before the first run. */
enum existing_policy {
    EXISTING_FAIL = 1,
    EXISTING_ADOPT,
    EXISTING_TRUNCATE,
    EXISTING_RECREATE,
    EXISTING_POLICY_MAX
};
enum unsupported_policy {
    UNSUPPORTED_FAIL = 1,
    UNSUPPORTED_SKIP,
    UNSUPPORTED_TO_STRING,
    UNSUPPORTED_POLICY_MAX
};
enum data_loss_policy { DATA_LOSS_WARN = 1, DATA_LOSS_FAIL, DATA_LOSS_POLICY_MAX };
enum schema_policy {
    SCHEMA_IGNORE = 1,
    SCHEMA_FAIL,
    SCHEMA_ADD_ONLY,
    SCHEMA_EVOLVE,
    SCHEMA_POLICY_MAX
};
enum drop_column_policy {
    DROP_COLUMN_KEEP = 1,
    DROP_COLUMN_DROP,
    DROP_COLUMN_POLICY_MAX
};
enum plan_mode { PLAN_AUTO = 1, PLAN_MANUAL, PLAN_MODE_MAX };
enum drift_policy { DRIFT_OBSERVE = 1, DRIFT_CORRECT, DRIFT_IGNORE, DRIFT_POLICY_MAX };
enum resync_mode {
    RESYNC_IN_PLACE = 1,
    RESYNC_TRUNCATE,
    RESYNC_RECREATE,
    RESYNC_MODE_MAX
};

const char *dbconn_type_name(enum dbconn_type type); /* "MySQL" */
const char *tls_mode_name(enum tls_mode mode);
const char *deletion_policy_name(enum deletion_policy policy);
const char *existing_policy_name(enum existing_policy policy);
const char *schema_policy_name(enum schema_policy policy);
const char *verify_mode_name(enum verify_mode mode);
const char *resync_mode_name(enum resync_mode mode);
enum resync_mode resync_mode_parse(const char *name); /* 0: none, also for NULL */

#endif

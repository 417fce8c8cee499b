#include "model/fields.h"

#include "base/attr.h"
#include "model/patterns.h"
#include "model/spec.h"

#include <string.h>

#define CHOICES(variable, ...)                                                           \
    static const char *const variable##_names[] = {__VA_ARGS__};                         \
    static const struct choices variable = {variable##_names, COUNT_OF(variable##_names)}

CHOICES(dbconn_types, "MySQL", "RisingWave", "StarRocks");
CHOICES(tls_modes, "Disable", "Prefer", "Require");
CHOICES(create_policies, "Never", "IfNotExists");
CHOICES(snapshot_modes, "Initial", "Never");
CHOICES(run_states, "Running", "Paused");
CHOICES(deletion_policies, "Retain", "DeleteStream", "Delete");

_Static_assert(COUNT_OF(dbconn_types_names) == DBCONN_TYPE_MAX - 1, "a name each");
_Static_assert(COUNT_OF(tls_modes_names) == TLS_MODE_MAX - 1, "a name each");
_Static_assert(COUNT_OF(create_policies_names) == CREATE_POLICY_MAX - 1, "a name each");
_Static_assert(COUNT_OF(snapshot_modes_names) == SNAPSHOT_MODE_MAX - 1, "a name each");
_Static_assert(COUNT_OF(run_states_names) == RUN_STATE_MAX - 1, "a name each");
_Static_assert(COUNT_OF(deletion_policies_names) == DELETION_POLICY_MAX - 1,
               "a name each");

#define OBJECT(wire, need)                                                               \
    {                                                                                    \
        .path = (wire), .type = FIELD_OBJECT, .required = (need),                        \
        .offset = FIELD_NOWHERE                                                          \
    }
/* What a name of the same kind needs everywhere. */
#define OBJECT_NAME                                                                      \
    .length_max = 253, .pattern = pattern_object_name,                                   \
    .allowed = "the name of an object in the same namespace (lower case letters, "       \
               "digits, '-' and '.')"
#define SECRET_KEY                                                                       \
    .length_max = 253, .pattern = pattern_secret_key,                                    \
    .allowed = "a key of the Secret's data (letters, digits, '-', '_' and '.')"
#define MYSQL_NAME                                                                       \
    .length_max = 64, .pattern = pattern_mysql_name,                                     \
    .allowed = "a MySQL name without back-quotes, control characters or a blank at "     \
               "its end"
#define DURATION_TEXT                                                                    \
    .length_max = 32, .pattern = pattern_duration,                                       \
    .allowed = "a duration such as 250ms, 5s or 1h30m"

#define IN(member) .offset = offsetof(struct dbconn, member)

static const struct field dbconn_fields[] = {
    {.path = "type",
     .type = FIELD_ENUM,
     IN(type),
     .required = true,
     .immutable = true,
     .choices = &dbconn_types},
    {.path = "host",
     .type = FIELD_STRING,
     IN(host),
     .required = true,
     .length_max = 253,
     .pattern = pattern_host,
     .allowed = "a host name or an IPv4 address alone, without scheme, port or path"},
    {.path = "port", .type = FIELD_INT, IN(port), .min = 1, .max = 65535},
    {.path = "database",
     .type = FIELD_STRING,
     IN(database),
     .length_max = 128,
     .pattern = pattern_rw_database,
     .allowed = "a name without quotes, backslashes or control characters"},
    OBJECT("credentialsSecretRef", true),
    {.path = "credentialsSecretRef.name",
     .type = FIELD_STRING,
     IN(secret_name),
     .required = true,
     OBJECT_NAME},
    {.path = "credentialsSecretRef.usernameKey",
     .type = FIELD_STRING,
     IN(username_key),
     .fallback = "username",
     SECRET_KEY},
    {.path = "credentialsSecretRef.passwordKey",
     .type = FIELD_STRING,
     IN(password_key),
     .fallback = "password",
     SECRET_KEY},
    OBJECT("tls", false),
    {.path = "tls.mode",
     .type = FIELD_ENUM,
     IN(tls_mode),
     .fallback = "Prefer",
     .choices = &tls_modes},
    OBJECT("mysql", false),
    {.path = "mysql.serverIdRange",
     .type = FIELD_STRING,
     .offset = FIELD_NOWHERE,
     .fallback = "5400-6400",
     .length_max = 21,
     .pattern = pattern_id_range,
     .allowed = "two numbers joined by '-', such as 5400-6400"},
    OBJECT("risingWave", false),
    {.path = "risingWave.schema",
     .type = FIELD_STRING,
     IN(rw_schema),
     .fallback = "tablesync",
     .length_max = 63,
     .pattern = pattern_rw_schema,
     .allowed = "lower case letters, digits and '_', not starting with a digit"},
    OBJECT("starRocks", false),
    {.path = "starRocks.httpPort",
     .type = FIELD_INT,
     IN(http_port),
     .fallback = "8030",
     .min = 1,
     .max = 65535},
};

#undef IN
#define IN(member) .offset = offsetof(struct tablesync, member)

static const struct field tablesync_fields[] = {
    OBJECT("source", true),
    OBJECT("source.connectionRef", true),
    {.path = "source.connectionRef.name",
     .type = FIELD_STRING,
     IN(source_connection),
     .required = true,
     .immutable = true,
     OBJECT_NAME},
    {.path = "source.database",
     .type = FIELD_STRING,
     IN(source_database),
     .required = true,
     .immutable = true,
     MYSQL_NAME},
    {.path = "source.table",
     .type = FIELD_STRING,
     IN(source_table),
     .required = true,
     .immutable = true,
     MYSQL_NAME},
    OBJECT("risingWave", true),
    OBJECT("risingWave.connectionRef", true),
    {.path = "risingWave.connectionRef.name",
     .type = FIELD_STRING,
     IN(rw_connection),
     .required = true,
     .immutable = true,
     OBJECT_NAME},
    {.path = "risingWave.parallelism",
     .type = FIELD_INT,
     IN(parallelism),
     .fallback = "1",
     .min = 1,
     .max = 64},
    OBJECT("target", true),
    OBJECT("target.connectionRef", true),
    {.path = "target.connectionRef.name",
     .type = FIELD_STRING,
     IN(target_connection),
     .required = true,
     .immutable = true,
     OBJECT_NAME},
    {.path = "target.database",
     .type = FIELD_STRING,
     IN(target_database),
     .required = true,
     .immutable = true,
     .length_max = 256,
     .pattern = pattern_sr_database,
     .allowed = "a StarRocks database name (a letter, or '_' and a letter or digit, then "
                "letters, digits and _-~!@#$%^&<>=+)"},
    {.path = "target.table",
     .type = FIELD_STRING,
     IN(target_table),
     .immutable = true,
     .length_max = 1024,
     .pattern = pattern_sr_table,
     .allowed = "a StarRocks table name without back-quotes or control characters"},
    {.path = "target.create",
     .type = FIELD_ENUM,
     IN(target_create),
     .fallback = "IfNotExists",
     .choices = &create_policies},
    {.path = "target.createDatabase",
     .type = FIELD_ENUM,
     IN(create_database),
     .fallback = "Never",
     .choices = &create_policies},
    {.path = "target.properties",
     .type = FIELD_MAP,
     .offset = FIELD_NOWHERE,
     .max = 32,
     .length_max = 1024},
    OBJECT("snapshot", false),
    {.path = "snapshot.mode",
     .type = FIELD_ENUM,
     IN(snapshot_mode),
     .fallback = "Initial",
     .choices = &snapshot_modes},
    {.path = "snapshot.rateLimit",
     .type = FIELD_INT,
     IN(snapshot_rate_limit),
     .fallback = "0",
     .min = 0,
     .max = 10000000},
    {.path = "snapshot.batchSize",
     .type = FIELD_INT,
     IN(snapshot_batch_size),
     .fallback = "1000",
     .min = 1,
     .max = 100000},
    OBJECT("sink", false),
    {.path = "sink.commitCheckpointInterval",
     .type = FIELD_INT,
     IN(commit_checkpoint_interval),
     .fallback = "10",
     .min = 1,
     .max = 1000},
    {.path = "sink.maxBatchBytes",
     .type = FIELD_INT,
     IN(max_batch_bytes),
     .fallback = "0",
     .min = 0,
     .max = 1073741824},
    {.path = "state",
     .type = FIELD_ENUM,
     IN(state),
     .fallback = "Running",
     .choices = &run_states},
    OBJECT("retry", false),
    {.path = "retry.backoffBase",
     .type = FIELD_DURATION,
     IN(backoff_base_ms),
     .fallback = "5s",
     .min = 100,
     .max = 3600000,
     DURATION_TEXT},
    {.path = "retry.backoffMax",
     .type = FIELD_DURATION,
     IN(backoff_max_ms),
     .fallback = "10m",
     .min = 1000,
     .max = 86400000,
     DURATION_TEXT},
    {.path = "deletionPolicy",
     .type = FIELD_ENUM,
     IN(deletion_policy),
     .fallback = "Retain",
     .choices = &deletion_policies},
};

const struct field *fields_dbconn(size_t *out_count)
{
    *out_count = COUNT_OF(dbconn_fields);
    return dbconn_fields;
}

const struct field *fields_tablesync(size_t *out_count)
{
    *out_count = COUNT_OF(tablesync_fields);
    return tablesync_fields;
}

const struct field *fields_find(const struct field *fields, size_t count, struct sv path)
{
    for (size_t i = 0; i < count; i++) {
        if (sv_eq(sv_from(fields[i].path), path)) {
            return &fields[i];
        }
    }
    return NULL;
}

const char *choices_name(const struct choices *choices, int value)
{
    return value >= 1 && value <= choices->count ? choices->names[value - 1] : "";
}

int choices_parse(const struct choices *choices, const char *name)
{
    for (int i = 0; i < choices->count; i++) {
        if (strcmp(choices->names[i], name) == 0) {
            return i + 1;
        }
    }
    return 0;
}

const char *dbconn_type_name(enum dbconn_type type)
{
    return choices_name(&dbconn_types, (int)type);
}

const char *tls_mode_name(enum tls_mode mode)
{
    return choices_name(&tls_modes, (int)mode);
}

const char *deletion_policy_name(enum deletion_policy policy)
{
    return choices_name(&deletion_policies, (int)policy);
}

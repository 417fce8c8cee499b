/* The rows of TableSync. */
#include "model/fields_rows.h"

CHOICES(create_policies, CREATE_POLICY_MAX, "Never", "IfNotExists");
CHOICES(existing_policies, EXISTING_POLICY_MAX, "Fail", "Adopt", "Truncate", "Recreate");
CHOICES(unsupported_policies, UNSUPPORTED_POLICY_MAX, "Fail", "Skip", "ToString");
CHOICES(data_loss_policies, DATA_LOSS_POLICY_MAX, "Warn", "Fail");
CHOICES(snapshot_modes, SNAPSHOT_MODE_MAX, "Initial", "Never");
CHOICES(schema_policies, SCHEMA_POLICY_MAX, "Ignore", "Fail", "AddOnly", "Evolve");
/* One way so far; it is a field so that resources can say that they mean it. */
CHOICES(unsupported_changes, 2, "Stall");
CHOICES(drop_column_policies, DROP_COLUMN_POLICY_MAX, "Keep", "Drop");
CHOICES(plan_modes, PLAN_MODE_MAX, "Auto", "Manual");
CHOICES(drift_policies, DRIFT_POLICY_MAX, "Observe", "Correct", "Ignore");
CHOICES(verify_modes, VERIFY_MODE_MAX, "None", "Count");
CHOICES(resync_modes, RESYNC_MODE_MAX, "InPlace", "Truncate", "Recreate");
CHOICES(run_states, RUN_STATE_MAX, "Running", "Paused");
CHOICES(deletion_policies, DELETION_POLICY_MAX, "Retain", "DeleteStream", "Delete");

#define IN(member) .offset = offsetof(struct column_override, member)

static const struct field override_fields[] = {
    {.path = "name", .type = FIELD_STRING, IN(name), .required = true, MYSQL_NAME},
    {.path = "targetName", .type = FIELD_STRING, IN(target_name), STARROCKS_COLUMN},
    {.path = "targetType",
     .type = FIELD_STRING,
     IN(target_type),
     .min = 1,
     .length_max = 64},
    {.path = "expression",
     .type = FIELD_STRING,
     IN(expression),
     .min = 1,
     .length_max = 1024},
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
    {.path = "target.existing",
     .type = FIELD_ENUM,
     IN(existing),
     .fallback = "Fail",
     .choices = &existing_policies},
    {.path = "target.properties",
     .type = FIELD_MAP,
     .offset = FIELD_NOWHERE,
     .max = 32,
     .length_max = 1024},
    {.path = "target.buckets",
     .type = FIELD_INT,
     IN(buckets),
     .fallback = "0",
     .min = 0,
     .max = 1024},
    {.path = "target.distributedBy",
     .type = FIELD_LIST,
     IN(distributed_by),
     .unique = true,
     .max = 32,
     STARROCKS_COLUMN},
    {.path = "target.partitionBy",
     .type = FIELD_STRING,
     IN(partition_by),
     .fallback = "",
     .length_max = 256},
    OBJECT("columns", false),
    {.path = "columns.include",
     .type = FIELD_LIST,
     IN(include),
     .fallback = "*",
     .min = 1,
     .max = 256,
     MYSQL_NAME},
    {.path = "columns.exclude", .type = FIELD_LIST, IN(exclude), .max = 256, MYSQL_NAME},
    {.path = "columns.overrides",
     .type = FIELD_OBJECTS,
     IN(overrides),
     .max = 256,
     .items = override_fields,
     .item_count = COUNT_OF(override_fields),
     .item_size_bytes = sizeof(struct column_override)},
    {.path = "columns.unsupported",
     .type = FIELD_ENUM,
     IN(unsupported),
     .fallback = "Fail",
     .choices = &unsupported_policies},
    {.path = "columns.charBytesPerCharacter",
     .type = FIELD_INT,
     IN(bytes_per_character),
     .min = 1,
     .max = 4},
    {.path = "primaryKey",
     .type = FIELD_LIST,
     IN(primary_key),
     .unique = true,
     .max = 32,
     MYSQL_NAME},
    {.path = "dataLoss",
     .type = FIELD_ENUM,
     IN(data_loss),
     .fallback = "Warn",
     .choices = &data_loss_policies},
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
    {.path = "sink.partialUpdate",
     .type = FIELD_BOOL,
     IN(partial_update),
     .fallback = "false"},
    OBJECT("schemaChange", false),
    {.path = "schemaChange.policy",
     .type = FIELD_ENUM,
     IN(schema_policy),
     .fallback = "AddOnly",
     .choices = &schema_policies},
    {.path = "schemaChange.onUnsupported",
     .type = FIELD_ENUM,
     .offset = FIELD_NOWHERE,
     .fallback = "Stall",
     .choices = &unsupported_changes},
    {.path = "schemaChange.dropColumn",
     .type = FIELD_ENUM,
     IN(drop_column),
     .fallback = "Keep",
     .choices = &drop_column_policies},
    OBJECT("plan", false),
    {.path = "plan.mode",
     .type = FIELD_ENUM,
     IN(plan_mode),
     .fallback = "Auto",
     .choices = &plan_modes},
    OBJECT("drift", false),
    {.path = "drift.policy",
     .type = FIELD_ENUM,
     IN(drift_policy),
     .fallback = "Correct",
     .choices = &drift_policies},
    {.path = "drift.interval",
     .type = FIELD_DURATION,
     IN(drift_interval_ms),
     .fallback = "60s",
     .min = 1000,
     .max = 86400000,
     DURATION_TEXT},
    OBJECT("verify", false),
    {.path = "verify.mode",
     .type = FIELD_ENUM,
     IN(verify_mode),
     .fallback = "None",
     .choices = &verify_modes},
    {.path = "verify.schedule",
     .type = FIELD_STRING,
     IN(verify_schedule),
     .fallback = "",
     .length_max = 128,
     .pattern = pattern_schedule,
     .allowed =
         "five fields of a crontab with blanks between them, such as \"0 3 * * *\""},
    {.path = "verify.tolerance",
     .type = FIELD_INT,
     IN(verify_tolerance),
     .fallback = "0",
     .min = 0,
     .max = 1000000000},
    {.path = "verify.settleSeconds",
     .type = FIELD_INT,
     IN(verify_settle_s),
     .fallback = "60",
     .min = 1,
     .max = 3600},
    {.path = "resyncToken",
     .type = FIELD_STRING,
     IN(resync_token),
     .fallback = "",
     .length_max = 128,
     .pattern = pattern_token,
     .allowed = "printable ASCII characters without blanks"},
    {.path = "resyncMode",
     .type = FIELD_ENUM,
     IN(resync_mode),
     .fallback = "InPlace",
     .choices = &resync_modes},
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

const struct field *fields_tablesync(size_t *out_count)
{
    *out_count = COUNT_OF(tablesync_fields);
    return tablesync_fields;
}

const char *deletion_policy_name(enum deletion_policy policy)
{
    return choices_name(&deletion_policies, (int)policy);
}

const char *existing_policy_name(enum existing_policy policy)
{
    return choices_name(&existing_policies, (int)policy);
}

const char *schema_policy_name(enum schema_policy policy)
{
    return choices_name(&schema_policies, (int)policy);
}

const char *verify_mode_name(enum verify_mode mode)
{
    return choices_name(&verify_modes, (int)mode);
}

const char *resync_mode_name(enum resync_mode mode)
{
    return choices_name(&resync_modes, (int)mode);
}

enum resync_mode resync_mode_parse(const char *name)
{
    return name == NULL ? (enum resync_mode)0
                        : (enum resync_mode)choices_parse(&resync_modes, name);
}

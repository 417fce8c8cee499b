//! The TableSync resource as crd/tablesyncs.yaml describes it: the whole spec, since a controller that decodes
//! only what it likes would cache less than its users wrote, and the part of the status that this peer writes.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One MySQL table that flows into one StarRocks table.
#[derive(CustomResource, Clone, Debug, Default, Deserialize, JsonSchema, Serialize)]
#[kube(group = "tablesync.dev", version = "v1alpha1", kind = "TableSync", namespaced)]
#[kube(status = "TableSyncStatus")]
#[serde(rename_all = "camelCase")]
pub struct TableSyncSpec {
    pub source: Source,
    pub rising_wave: RisingWave,
    pub target: Target,
    #[serde(default)]
    pub columns: Columns,
    #[serde(default)]
    pub primary_key: Vec<String>,
    pub data_loss: Option<String>,
    #[serde(default)]
    pub snapshot: Snapshot,
    #[serde(default)]
    pub sink: Sink,
    #[serde(default)]
    pub schema_change: SchemaChange,
    #[serde(default)]
    pub plan: Plan,
    #[serde(default)]
    pub drift: Drift,
    pub resync_token: Option<String>,
    pub resync_mode: Option<String>,
    pub state: Option<String>,
    #[serde(default)]
    pub retry: Retry,
    pub deletion_policy: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize, JsonSchema, Serialize)]
pub struct ConnectionRef {
    pub name: String,
}

#[derive(Clone, Debug, Default, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Source {
    pub connection_ref: ConnectionRef,
    pub database: String,
    pub table: String,
}

#[derive(Clone, Debug, Default, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RisingWave {
    pub connection_ref: ConnectionRef,
    pub parallelism: Option<i64>,
}

#[derive(Clone, Debug, Default, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Target {
    pub connection_ref: ConnectionRef,
    pub database: String,
    pub table: Option<String>,
    pub create: Option<String>,
    pub create_database: Option<String>,
    pub existing: Option<String>,
    #[serde(default)]
    pub properties: BTreeMap<String, String>,
    pub buckets: Option<i64>,
    #[serde(default)]
    pub distributed_by: Vec<String>,
    pub partition_by: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Columns {
    #[serde(default)]
    pub include: Vec<String>,
    #[serde(default)]
    pub exclude: Vec<String>,
    #[serde(default)]
    pub overrides: Vec<ColumnOverride>,
    pub unsupported: Option<String>,
    pub char_bytes_per_character: Option<i64>,
}

#[derive(Clone, Debug, Default, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ColumnOverride {
    pub name: String,
    pub target_name: Option<String>,
    pub target_type: Option<String>,
    pub expression: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Snapshot {
    pub mode: Option<String>,
    pub rate_limit: Option<i64>,
    pub batch_size: Option<i64>,
}

#[derive(Clone, Debug, Default, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Sink {
    pub commit_checkpoint_interval: Option<i64>,
    pub max_batch_bytes: Option<i64>,
    pub partial_update: Option<bool>,
}

#[derive(Clone, Debug, Default, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SchemaChange {
    pub policy: Option<String>,
    pub on_unsupported: Option<String>,
    pub drop_column: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize, JsonSchema, Serialize)]
pub struct Plan {
    pub mode: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize, JsonSchema, Serialize)]
pub struct Drift {
    pub policy: Option<String>,
    pub interval: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Retry {
    pub backoff_base: Option<String>,
    pub backoff_max: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TableSyncStatus {
    pub observed_generation: Option<i64>,
    pub phase: Option<String>,
    #[serde(default)]
    pub conditions: Vec<Condition>,
}

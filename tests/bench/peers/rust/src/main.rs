//! The peer on kube-rs: it watches every TableSync and says once, in its status, that the connection it names
//! does not exist. That is what tablesync itself has to say of the benchmark's resources, so that the three
//! controllers do the same work on the same API server.
//!
//! It is tuned as production controllers are: nothing is cached of managedFields and of kubectl's copy of the
//! object, the first list is streamed, status is a patch made only when it differs, and as many reconciles run
//! at once as in tablesync.

mod api;

use api::{TableSync, TableSyncStatus};
use futures::{StreamExt, TryStreamExt};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use k8s_openapi::jiff::Timestamp;
use kube::api::{Api, Patch, PatchParams};
use kube::runtime::controller::{Action, Config, Controller};
use kube::runtime::{WatchStreamExt, predicates, reflector, watcher};
use kube::{Client, ResourceExt};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

const WORKERS: u16 = 16;
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
const RETRY: Duration = Duration::from_secs(5);

struct Context {
    client: Client,
    resync: Duration,
}

async fn reconcile(sync: Arc<TableSync>, context: Arc<Context>) -> Result<Action, kube::Error> {
    let wanted = describe(&sync);
    if sync.status.as_ref() != Some(&wanted) {
        let namespace = sync.namespace().unwrap_or_default();
        let syncs: Api<TableSync> = Api::namespaced(context.client.clone(), &namespace);
        let patch = Patch::Merge(json!({ "status": wanted }));
        syncs
            .patch_status(&sync.name_any(), &PatchParams::default(), &patch)
            .await?;
    }
    Ok(Action::requeue(context.resync))
}

/// What is to be said of the spec; times of conditions that say the same as before stay.
fn describe(sync: &TableSync) -> TableSyncStatus {
    let missing = format!(
        "DatabaseConnection {:?} does not exist in namespace {}; create it",
        sync.spec.source.connection_ref.name,
        sync.namespace().unwrap_or_default()
    );
    let before = sync.status.as_ref().map_or(&[][..], |status| &status.conditions);
    let condition = |kind: &str, holds: &str| Condition {
        type_: kind.into(),
        status: holds.into(),
        reason: "ConnectionNotFound".into(),
        message: missing.clone(),
        observed_generation: sync.metadata.generation,
        last_transition_time: before
            .iter()
            .find(|one| one.type_ == kind && one.status == holds)
            .map_or_else(now, |one| one.last_transition_time.clone()),
    };
    TableSyncStatus {
        observed_generation: sync.metadata.generation,
        phase: Some("Pending".into()),
        conditions: vec![
            condition("Ready", "False"),
            condition("Reconciling", "True"),
            condition("Stalled", "False"),
            condition("ConnectionsReady", "False"),
        ],
    }
}

/// To the second, as the API keeps it.
fn now() -> Time {
    Time(Timestamp::from_second(Timestamp::now().as_second()).expect("this year has a timestamp"))
}

/// Runs before an object enters the cache.
fn strip(sync: &mut TableSync) {
    sync.managed_fields_mut().clear();
    sync.annotations_mut().remove(LAST_APPLIED);
}

/// Called behind the store. Store::wait_until_ready() would not do: it wakes the last of its waiters only, and the
/// controller is one.
fn report_synced(event: &watcher::Event<TableSync>) {
    if matches!(event, watcher::Event::InitDone) {
        println!("synced");
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    // One argument: the seconds after which each resource is looked at again.
    let resync = Duration::from_secs(std::env::args().nth(1).map_or(Ok(60), |text| text.parse())?);
    let client = Client::try_default().await?;
    let (reader, writer) = reflector::store();
    let changes = watcher(
        Api::<TableSync>::all(client.clone()),
        watcher::Config::default().streaming_lists(),
    )
    .modify(strip)
    .default_backoff()
    .reflect(writer)
    .inspect_ok(report_synced)
    .applied_objects()
    .predicate_filter(predicates::generation, Default::default());
    Controller::for_stream(changes, reader)
        .with_config(Config::default().concurrency(WORKERS))
        .shutdown_on_signal()
        .run(
            reconcile,
            |_, _, _| Action::requeue(RETRY),
            Arc::new(Context { client, resync }),
        )
        .for_each(|result| async move {
            if let Err(error) = result {
                eprintln!("{error}");
            }
        })
        .await;
    Ok(())
}

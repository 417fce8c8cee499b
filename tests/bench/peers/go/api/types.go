// Package api holds the TableSync resource as crd/tablesyncs.yaml describes it: the whole spec, since a
// controller that decodes only what it likes would cache less than its users wrote, and the part of the
// status that this peer writes.
//
// After a change: go run sigs.k8s.io/controller-tools/cmd/controller-gen@v0.23.0 object paths=./api
//
// +kubebuilder:object:generate=true
// +groupName=tablesync.dev
package api

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// GroupVersion is the version of the CRD that is served.
var GroupVersion = schema.GroupVersion{Group: "tablesync.dev", Version: "v1alpha1"}

// AddToScheme makes the kinds known to a client.
func AddToScheme(scheme *runtime.Scheme) error {
	scheme.AddKnownTypes(GroupVersion, &TableSync{}, &TableSyncList{})
	metav1.AddToGroupVersion(scheme, GroupVersion)
	return nil
}

// TableSync is one MySQL table that flows into one StarRocks table.
//
// +kubebuilder:object:root=true
type TableSync struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   TableSyncSpec   `json:"spec"`
	Status TableSyncStatus `json:"status,omitempty"`
}

// TableSyncList is what the API server lists.
//
// +kubebuilder:object:root=true
type TableSyncList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []TableSync `json:"items"`
}

type TableSyncSpec struct {
	Source         Source       `json:"source"`
	RisingWave     RisingWave   `json:"risingWave"`
	Target         Target       `json:"target"`
	Columns        Columns      `json:"columns,omitempty"`
	PrimaryKey     []string     `json:"primaryKey,omitempty"`
	DataLoss       string       `json:"dataLoss,omitempty"`
	Snapshot       Snapshot     `json:"snapshot,omitempty"`
	Sink           Sink         `json:"sink,omitempty"`
	SchemaChange   SchemaChange `json:"schemaChange,omitempty"`
	Plan           Plan         `json:"plan,omitempty"`
	Drift          Drift        `json:"drift,omitempty"`
	ResyncToken    string       `json:"resyncToken,omitempty"`
	ResyncMode     string       `json:"resyncMode,omitempty"`
	State          string       `json:"state,omitempty"`
	Retry          Retry        `json:"retry,omitempty"`
	DeletionPolicy string       `json:"deletionPolicy,omitempty"`
}

type ConnectionRef struct {
	Name string `json:"name"`
}

type Source struct {
	ConnectionRef ConnectionRef `json:"connectionRef"`
	Database      string        `json:"database"`
	Table         string        `json:"table"`
}

type RisingWave struct {
	ConnectionRef ConnectionRef `json:"connectionRef"`
	Parallelism   int64         `json:"parallelism,omitempty"`
}

type Target struct {
	ConnectionRef  ConnectionRef     `json:"connectionRef"`
	Database       string            `json:"database"`
	Table          string            `json:"table,omitempty"`
	Create         string            `json:"create,omitempty"`
	CreateDatabase string            `json:"createDatabase,omitempty"`
	Existing       string            `json:"existing,omitempty"`
	Properties     map[string]string `json:"properties,omitempty"`
	Buckets        int64             `json:"buckets,omitempty"`
	DistributedBy  []string          `json:"distributedBy,omitempty"`
	PartitionBy    string            `json:"partitionBy,omitempty"`
}

type Columns struct {
	Include               []string         `json:"include,omitempty"`
	Exclude               []string         `json:"exclude,omitempty"`
	Overrides             []ColumnOverride `json:"overrides,omitempty"`
	Unsupported           string           `json:"unsupported,omitempty"`
	CharBytesPerCharacter int64            `json:"charBytesPerCharacter,omitempty"`
}

type ColumnOverride struct {
	Name       string `json:"name"`
	TargetName string `json:"targetName,omitempty"`
	TargetType string `json:"targetType,omitempty"`
	Expression string `json:"expression,omitempty"`
}

type Snapshot struct {
	Mode      string `json:"mode,omitempty"`
	RateLimit int64  `json:"rateLimit,omitempty"`
	BatchSize int64  `json:"batchSize,omitempty"`
}

type Sink struct {
	CommitCheckpointInterval int64 `json:"commitCheckpointInterval,omitempty"`
	MaxBatchBytes            int64 `json:"maxBatchBytes,omitempty"`
	PartialUpdate            bool  `json:"partialUpdate,omitempty"`
}

type SchemaChange struct {
	Policy        string `json:"policy,omitempty"`
	OnUnsupported string `json:"onUnsupported,omitempty"`
	DropColumn    string `json:"dropColumn,omitempty"`
}

type Plan struct {
	Mode string `json:"mode,omitempty"`
}

type Drift struct {
	Policy   string `json:"policy,omitempty"`
	Interval string `json:"interval,omitempty"`
}

type Retry struct {
	BackoffBase string `json:"backoffBase,omitempty"`
	BackoffMax  string `json:"backoffMax,omitempty"`
}

type TableSyncStatus struct {
	ObservedGeneration int64              `json:"observedGeneration,omitempty"`
	Phase              string             `json:"phase,omitempty"`
	Conditions         []metav1.Condition `json:"conditions,omitempty"`
}

// The peer on controller-runtime: it watches every TableSync and says once, in its status, that the
// connection it names does not exist. That is what tablesync itself has to say of the benchmark's resources,
// so that the three controllers do the same work on the same API server.
//
// It is tuned as production controllers are: nothing is cached of managedFields and of kubectl's copy of the
// object, status is a patch of what differs, and as many workers run as in tablesync.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"tablesync.dev/tests/bench/peers/go/api"
)

const workers = 16

type reconciler struct {
	client.Client
	resync time.Duration
}

func (r *reconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	var sync api.TableSync
	if err := r.Get(ctx, request.NamespacedName, &sync); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	before := sync.DeepCopy()
	describe(&sync)
	if equality.Semantic.DeepEqual(before.Status, sync.Status) {
		return ctrl.Result{RequeueAfter: r.resync}, nil
	}
	return ctrl.Result{RequeueAfter: r.resync}, r.Status().Patch(ctx, &sync, client.MergeFrom(before))
}

// describe puts into the status what is to be said of the spec.
func describe(sync *api.TableSync) {
	missing := fmt.Sprintf("DatabaseConnection %q does not exist in namespace %s; create it",
		sync.Spec.Source.ConnectionRef.Name, sync.Namespace)
	sync.Status.ObservedGeneration = sync.Generation
	sync.Status.Phase = "Pending"
	for kind, holds := range map[string]metav1.ConditionStatus{
		"Ready":            metav1.ConditionFalse,
		"Reconciling":      metav1.ConditionTrue,
		"Stalled":          metav1.ConditionFalse,
		"ConnectionsReady": metav1.ConditionFalse,
	} {
		meta.SetStatusCondition(&sync.Status.Conditions, metav1.Condition{
			Type: kind, Status: holds, Reason: "ConnectionNotFound", Message: missing,
			ObservedGeneration: sync.Generation,
		})
	}
}

// strip runs before an object enters the cache.
func strip(in any) (any, error) {
	object, err := meta.Accessor(in)
	if err != nil {
		return in, nil
	}
	object.SetManagedFields(nil)
	delete(object.GetAnnotations(), corev1.LastAppliedConfigAnnotation)
	return in, nil
}

func run(probes, metrics string, resync time.Duration) error {
	scheme := runtime.NewScheme()
	if err := api.AddToScheme(scheme); err != nil {
		return err
	}
	config, err := ctrl.GetConfig()
	if err != nil {
		return err
	}
	mgr, err := ctrl.NewManager(config, ctrl.Options{
		Scheme:                 scheme,
		Cache:                  cache.Options{DefaultTransform: strip},
		HealthProbeBindAddress: probes,
		Metrics:                metricsserver.Options{BindAddress: metrics},
	})
	if err != nil {
		return err
	}
	err = ctrl.NewControllerManagedBy(mgr).
		For(&api.TableSync{}, builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		WithOptions(controller.Options{MaxConcurrentReconciles: workers}).
		Complete(&reconciler{Client: mgr.GetClient(), resync: resync})
	if err != nil {
		return err
	}
	if err := reportSynced(mgr); err != nil {
		return err
	}
	return mgr.Start(ctrl.SetupSignalHandler())
}

// reportSynced makes /readyz good once every TableSync is in the cache.
func reportSynced(mgr manager.Manager) error {
	var synced atomic.Bool
	err := mgr.Add(manager.RunnableFunc(func(ctx context.Context) error {
		if _, err := mgr.GetCache().GetInformer(ctx, &api.TableSync{}); err != nil {
			return err
		}
		synced.Store(true)
		return nil
	}))
	if err != nil {
		return err
	}
	return mgr.AddReadyzCheck("synced", func(*http.Request) error {
		if !synced.Load() {
			return errors.New("the cache is not filled yet")
		}
		return nil
	})
}

func main() {
	probes := flag.String("health-probe-bind-address", ":8081", "address of /healthz and /readyz")
	metrics := flag.String("metrics-bind-address", ":8080", "address of /metrics; 0: off")
	resync := flag.Duration("resync-interval", time.Minute, "how often each resource is looked at again")
	flag.Parse()
	ctrl.SetLogger(zap.New())
	if err := run(*probes, *metrics, *resync); err != nil {
		ctrl.Log.Error(err, "the controller ended")
		os.Exit(1)
	}
}

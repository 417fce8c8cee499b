#include "loop/manager.h"

#include "base/heap.h"
#include "loop/auditing.h"
#include "loop/introspect_serve.h"
#include "loop/keep.h"
#include "loop/metrics_rest.h"
#include "loop/workers.h"

#include <pthread.h>

#define HOUSEKEEPING_MS INT64_C(600000)
/* So many keys at once are a burst: what it needed is given back when it is over. */
#define BURST_KEYS 100

struct manager {
    struct loop *loop;
    const struct clock *clock;
    struct cancel *stop;
    struct reflector *reflectors; /* two for each namespace */
    size_t reflector_count;
    pthread_t *threads; /* the reflectors' and the housekeeper's */
    size_t started;     /* how many of them run */
    struct workers *workers;
    struct leader *leader;          /* NULL: no election */
    struct kube_transport *counted; /* ports.kube, and what goes through is counted */
    struct introspect introspect;
    struct introspect_server *server;
    const struct footprint *footprint; /* NULL: left as it is */
    bool synced, burst;                /* at the last look */
};

static void *reflector_thread(void *argument)
{
    struct reflector *r = argument;
    struct loop *loop = r->context;

    reflector_run(r, loop->stop);
    return NULL;
}

static void *keeper_thread(void *argument)
{
    struct manager *op = argument;
    struct loop *loop = op->loop;

    keep_rekey(loop);
    if (workers_wait_synced(loop)) {
        keep_sweep(loop, NULL);
    }
    while (cancel_sleep(op->stop, HOUSEKEEPING_MS)) {
        struct fault fault = FAULT_INIT;
        int64_t deleted = 0;

        keep_sweep(loop, NULL);
        if (loop->ports.audit != NULL &&
            !audit_prune(loop->ports.audit, &deleted, &fault)) {
            metrics_add(loop->metrics, METRIC_AUDIT_ERRORS, 1);
            if (!auditing_is_told(&fault)) {
                lg_error(loop->ports.lg, "audit retention failed",
                         LG_STR("error", fault.text));
            }
        }
    }
    return NULL;
}

/* --- start and stop --- */

static void reflector_setup(struct manager *op, const char *namespace,
                            const struct kube_resource *resource,
                            struct kube_store *store, kube_on_change *on_change)
{
    struct reflector *r = &op->reflectors[op->reflector_count++];

    *r = (struct reflector){.api = &op->loop->api,
                            .resource = resource,
                            .namespace = namespace,
                            .store = store,
                            .on_change = on_change,
                            .context = op->loop,
                            .lg = op->loop->ports.lg};
    rng_init(&r->rng, op->loop->ports.seed ^ op->reflector_count);
}

/* Both kinds of each namespace, or of all of them at once. */
static void reflectors_setup(struct manager *op)
{
    struct loop *loop = op->loop;
    const struct strlist *namespaces = &loop->options.namespaces;
    size_t count = namespaces->n == 0 ? 1 : namespaces->n;

    op->reflectors = heap_new(count * 2 * sizeof(struct reflector));
    op->threads = heap_new((count * 2 + 1) * sizeof(pthread_t));
    if (namespaces->n > 0) {
        kube_store_share(loop->syncs, namespaces);
        kube_store_share(loop->conns, namespaces);
    }
    for (size_t i = 0; i < count; i++) {
        const char *namespace = namespaces->n == 0 ? NULL : namespaces->v[i];

        reflector_setup(op, namespace, &loop_resource_sync, loop->syncs,
                        loop_sync_changed);
        reflector_setup(op, namespace, &loop_resource_conn, loop->conns,
                        loop_conn_changed);
    }
}

static bool start_thread(struct manager *op, void *(*run)(void *), void *argument,
                         struct fault *fault)
{
    if (pthread_create(&op->threads[op->started], NULL, run, argument) != 0) {
        return fault_set(fault, FAULT_UNAVAILABLE, NULL, "cannot start threads");
    }
    op->started++;
    return true;
}

/* What followers do as well. */
static bool start_watching(struct manager *op, struct fault *fault)
{
    for (size_t i = 0; i < op->reflector_count; i++) {
        if (!start_thread(op, reflector_thread, &op->reflectors[i], fault)) {
            return false;
        }
    }
    return op->leader == NULL || leader_start(op->leader, op->stop, fault);
}

/* What writes. */
static bool start_working(struct manager *op, struct fault *fault)
{
    if (op->loop->ports.audit != NULL) {
        audit_begin(op->loop->ports.audit);
    }
    return start_thread(op, keeper_thread, op, fault) &&
           workers_start(op->workers, fault);
}

static void stop_threads(struct manager *op)
{
    workers_stop(op->workers);
    for (size_t i = 0; i < op->started; i++) {
        (void)pthread_join(op->threads[i], NULL);
    }
}

/* At once without an election; a follower waits a moment for its turn. */
static bool may_work(struct manager *op)
{
    struct cancel moment;

    if (op->leader == NULL) {
        return true;
    }
    cancel_init_child(&moment, op->stop, AUDITING_TEND_MS);
    return leader_wait(op->leader, &moment);
}

/* Reading the collections and a burst of keys leave pages that nobody needs for long. */
static void trim(struct manager *op)
{
    bool synced = workers_synced(op->loop);
    int64_t depth = queue_numbers(op->loop->queue).depth;
    bool over = (synced && !op->synced) || (op->burst && depth == 0);

    op->synced = synced;
    op->burst = depth >= BURST_KEYS || (op->burst && depth > 0);
    if (over && op->footprint != NULL) {
        (void)footprint_trim(op->footprint);
    }
}

/* What this thread does until the stop. */
static bool tend(struct manager *op, struct fault *fault)
{
    bool good = true, works = false;

    while (good && !cancel_fired(op->stop)) {
        if (works) {
            auditing_tend(op->loop);
            (void)cancel_sleep(op->stop, AUDITING_TEND_MS);
        } else if (may_work(op)) {
            works = true;
            good = start_working(op, fault);
        }
        trim(op);
        lg_flush(op->loop->ports.lg);
    }
    return good;
}

bool manager_run(const struct loop_ports *ports, const struct manager_options *options,
                 struct cancel *stop, struct fault *fault)
{
    struct manager *op = HEAP_NEW(struct manager);
    struct introspect_ports listening = {0};
    bool good = false;

    op->clock = ports->clock;
    op->stop = stop;
    op->leader = options->leader;
    op->footprint = options->footprint;
    op->loop = loop_new(ports, &options->loop, stop);
    op->counted =
        metrics_rest_new(ports->kube, options->api_host, op->loop->metrics, ports->clock);
    op->loop->api.transport = op->counted;
    op->workers = workers_new(op->loop, options->workers);
    reflectors_setup(op);
    op->introspect = (struct introspect){.loop = op->loop,
                                         .reflectors = op->reflectors,
                                         .reflector_count = op->reflector_count,
                                         .workers = op->workers,
                                         .leader = op->leader,
                                         .per_resource = options->per_resource};
    good = introspect_serve(&op->introspect, options, &op->server, fault) &&
           start_watching(op, fault);
    if (good) {
        listening = introspect_ports(op->server);
        lg_info(
            ports->lg, "started", LG_INT("workers", options->workers),
            LG_STR("namespace", options->watched == NULL ? "(all)" : options->watched),
            LG_INT("metricsPort", listening.metrics),
            LG_INT("probePort", listening.probes), LG_INT("debugPort", listening.debug));
        good = tend(op, fault);
        lg_info(ports->lg, "stopping");
    }
    cancel_fire(stop);
    introspect_server_stop(op->server);
    stop_threads(op);
    loop_free(op->loop);
    heap_free(op->reflectors);
    heap_free(op->threads);
    kube_transport_free(op->counted);
    lg_info(ports->lg, "stopped");
    heap_free(op);
    return good;
}

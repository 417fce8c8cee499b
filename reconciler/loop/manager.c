#include "loop/manager.h"

#include "base/heap.h"
#include "kube/conditions.h"
#include "loop/http.h"
#include "loop/keep.h"
#include "model/conditions.h"

#include <pthread.h>

#define WORKERS_MAX 64
#define HOUSEKEEPING_MS INT64_C(600000)
/* A worker that has not turned for this long is stuck beyond every deadline it has. */
#define WORKER_STUCK_MS INT64_C(1800000)

struct worker {
    struct manager *manager;
    pthread_t thread;
    _Atomic int64_t busy_since_ms; /* 0: idle */
    bool started;
};

struct manager {
    struct loop *loop;
    const struct clock *clock;
    struct cancel *stop;
    struct reflector syncs, conns;
    pthread_t threads[3]; /* two reflectors and the housekeeper */
    size_t started;       /* how many of them run */
    struct worker workers[WORKERS_MAX];
    int worker_count;
    struct http *metrics, *probes;
    struct reviews *reviews; /* NULL: everybody may read metrics */
};

static void *reflector_thread(void *argument)
{
    struct reflector *r = argument;
    struct loop *loop = r->context;

    reflector_run(r, loop->stop);
    return NULL;
}

static void work(struct worker *worker)
{
    struct loop *loop = worker->manager->loop;
    char *key = NULL;

    while ((key = queue_take(loop->queue)) != NULL) {
        worker->busy_since_ms = clock_monotonic_ms(loop->ports.clock);
        metrics_add(loop->metrics, METRIC_ACTIVE_WORKERS, 1);
        loop_reconcile(loop, key);
        metrics_add(loop->metrics, METRIC_ACTIVE_WORKERS, -1);
        worker->busy_since_ms = 0;
        queue_done(loop->queue, key);
    }
}

/* Before both caches are complete, connections would seem missing. */
static bool wait_synced(struct loop *loop)
{
    while (!cancel_fired(loop->stop) &&
           !(kube_store_synced(loop->syncs) && kube_store_synced(loop->conns))) {
        (void)cancel_sleep(loop->stop, 50);
    }
    return !cancel_fired(loop->stop);
}

static void *worker_thread(void *argument)
{
    struct worker *worker = argument;

    if (wait_synced(worker->manager->loop)) {
        work(worker);
    }
    return NULL;
}

static void *keeper_thread(void *argument)
{
    struct manager *op = argument;
    struct loop *loop = op->loop;

    keep_rekey(loop);
    if (wait_synced(loop)) {
        keep_sweep(loop, NULL);
    }
    while (cancel_sleep(op->stop, HOUSEKEEPING_MS)) {
        struct fault fault = FAULT_INIT;
        int64_t deleted = 0;

        keep_sweep(loop, NULL);
        if (loop->ports.audit != NULL &&
            !audit_prune(loop->ports.audit, &deleted, &fault)) {
            metrics_add(loop->metrics, METRIC_AUDIT_ERRORS, 1);
            lg_error(loop->ports.lg, "audit retention failed",
                     LG_STR("error", fault.text));
        }
    }
    return NULL;
}

/* --- what HTTP asks --- */

static bool is_live(void *context)
{
    const struct manager *op = context;
    int64_t now_ms = clock_monotonic_ms(op->clock);

    for (int i = 0; i < op->worker_count; i++) {
        int64_t since_ms = op->workers[i].busy_since_ms;

        if (since_ms != 0 && now_ms - since_ms > WORKER_STUCK_MS) {
            return false;
        }
    }
    return true;
}

static bool is_ready(void *context)
{
    const struct manager *op = context;

    return kube_store_synced(op->loop->syncs) && kube_store_synced(op->loop->conns);
}

static void count_resources(struct loop *loop)
{
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);
    size_t count = 0;
    int64_t ready = 0, stalled = 0;
    struct kube_object **all = kube_store_all(loop->syncs, arena, &count);

    for (size_t i = 0; i < count; i++) {
        struct kube_conditions conditions = {0};
        const struct kube_condition *c = NULL;

        kube_conditions_read(
            &conditions, json_get(json_get(all[i]->json, "status"), "conditions"), arena);
        c = kube_conditions_find(&conditions, condition_type(CONDITION_READY));
        ready += c != NULL && c->status == KUBE_TRUE;
        c = kube_conditions_find(&conditions, condition_type(CONDITION_STALLED));
        stalled += c != NULL && c->status == KUBE_TRUE;
        kube_object_put(all[i]);
    }
    metrics_set(loop->metrics, METRIC_SYNCS, (int64_t)count);
    metrics_set(loop->metrics, METRIC_CONNS, (int64_t)kube_store_count(loop->conns));
    metrics_set(loop->metrics, METRIC_READY, ready);
    metrics_set(loop->metrics, METRIC_STALLED, stalled);
}

static void print_metrics(void *context, struct buf *out)
{
    const struct manager *op = context;
    struct queue_numbers numbers = queue_numbers(op->loop->queue);

    metrics_set(op->loop->metrics, METRIC_QUEUE_DEPTH, numbers.depth);
    metrics_set(op->loop->metrics, METRIC_QUEUE_ADDS, numbers.adds);
    metrics_set(op->loop->metrics, METRIC_QUEUE_RETRIES, numbers.retries);
    count_resources(op->loop);
    metrics_print(op->loop->metrics, out);
}

/* --- start and stop --- */

static void reflector_setup(struct manager *op, struct reflector *r,
                            const struct kube_resource *resource,
                            struct kube_store *store, kube_on_change *on_change,
                            uint64_t salt)
{
    *r = (struct reflector){.api = &op->loop->api,
                            .resource = resource,
                            .namespace = op->loop->options.namespace,
                            .store = store,
                            .on_change = on_change,
                            .context = op->loop,
                            .lg = op->loop->ports.lg};
    rng_init(&r->rng, op->loop->ports.seed ^ salt);
}

static bool start_threads(struct manager *op, struct fault *fault)
{
    const struct {
        void *(*run)(void *);
        void *argument;
    } jobs[] = {{reflector_thread, &op->syncs},
                {reflector_thread, &op->conns},
                {keeper_thread, op}};
    bool good = true;

    for (size_t i = 0; good && i < COUNT_OF(jobs); i++) {
        good = pthread_create(&op->threads[i], NULL, jobs[i].run, jobs[i].argument) == 0;
        op->started += good;
    }
    for (int i = 0; good && i < op->worker_count; i++) {
        op->workers[i].manager = op;
        good = pthread_create(&op->workers[i].thread, NULL, worker_thread,
                              &op->workers[i]) == 0;
        op->workers[i].started = good;
    }
    return good ? true
                : fault_set(fault, FAULT_UNAVAILABLE, NULL, "cannot start threads");
}

static void stop_threads(struct manager *op)
{
    queue_close(op->loop->queue);
    for (int i = 0; i < op->worker_count; i++) {
        if (op->workers[i].started) {
            (void)pthread_join(op->workers[i].thread, NULL);
        }
    }
    for (size_t i = 0; i < op->started; i++) {
        (void)pthread_join(op->threads[i], NULL);
    }
}

static bool start_http(struct manager *op, const struct manager_options *options,
                       struct fault *fault)
{
    struct http_checks checks = {
        .context = op, .live = is_live, .ready = is_ready, .metrics = print_metrics};
    struct http_listen probes = {.address = options->probe_address,
                                 .probes = true,
                                 .lg = op->loop->ports.lg,
                                 .clock = op->clock};
    struct http_listen metrics = {.address = options->metrics_address,
                                  .metrics = true,
                                  .cert_file = options->metrics_cert_file,
                                  .key_file = options->metrics_key_file,
                                  .lg = op->loop->ports.lg,
                                  .clock = op->clock};
    bool shared = strcmp(options->metrics_address, options->probe_address) == 0;

    if (shared && strcmp(options->probe_address, "0") != 0 &&
        (options->metrics_cert_file != NULL || options->metrics_review)) {
        return fault_set(fault, FAULT_SPEC, NULL,
                         "probes and metrics both listen on %s, and probes know neither "
                         "TLS nor tokens: give --health-probe-bind-address another port",
                         options->probe_address);
    }
    if (options->metrics_review) {
        op->reviews = reviews_new(&op->loop->api, op->loop->ports.seed);
        metrics.reviews = op->reviews;
    }
    probes.metrics = shared;
    return http_start(&probes, &checks, &op->probes, fault) &&
           (shared || http_start(&metrics, &checks, &op->metrics, fault));
}

bool manager_run(const struct loop_ports *ports, const struct manager_options *options,
                 struct cancel *stop, struct fault *fault)
{
    struct manager *op = HEAP_NEW(struct manager);
    bool good = false;

    op->clock = ports->clock;
    op->stop = stop;
    op->worker_count = options->workers > WORKERS_MAX ? WORKERS_MAX : options->workers;
    op->loop = loop_new(ports, &options->loop, stop);
    metrics_set(op->loop->metrics, METRIC_MAX_CONCURRENT, op->worker_count);
    reflector_setup(op, &op->syncs, &loop_resource_sync, op->loop->syncs,
                    loop_sync_changed, 1);
    reflector_setup(op, &op->conns, &loop_resource_conn, op->loop->conns,
                    loop_conn_changed, 2);
    good = start_http(op, options, fault) && start_threads(op, fault);
    if (good) {
        lg_info(ports->lg, "started", LG_INT("workers", op->worker_count),
                LG_STR("namespace", options->loop.namespace == NULL
                                        ? "(all)"
                                        : options->loop.namespace),
                LG_INT("metricsPort", http_port(op->metrics)),
                LG_INT("probePort", http_port(op->probes)));
        while (!cancel_fired(stop)) {
            (void)cancel_sleep(stop, 60000);
        }
        lg_info(ports->lg, "stopping");
    }
    cancel_fire(stop);
    http_stop(op->probes);
    http_stop(op->metrics);
    reviews_free(op->reviews);
    stop_threads(op);
    loop_free(op->loop);
    lg_info(ports->lg, "stopped");
    heap_free(op);
    return good;
}

#include "loop/manager.h"

#include "base/heap.h"
#include "loop/http.h"
#include "loop/introspect.h"
#include "loop/keep.h"
#include "loop/workers.h"

#include <pthread.h>

#define HOUSEKEEPING_MS INT64_C(600000)

struct manager {
    struct loop *loop;
    const struct clock *clock;
    struct cancel *stop;
    struct reflector syncs, conns;
    pthread_t threads[3]; /* two reflectors and the housekeeper */
    size_t started;       /* how many of them run */
    struct workers *workers;
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

    return !workers_stuck(op->workers);
}

static bool is_ready(void *context)
{
    const struct manager *op = context;

    return workers_synced(op->loop);
}

static void print_metrics(void *context, struct buf *out)
{
    const struct manager *op = context;

    introspect_metrics(op->loop, out);
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
    return good ? workers_start(op->workers, fault)
                : fault_set(fault, FAULT_UNAVAILABLE, NULL, "cannot start threads");
}

static void stop_threads(struct manager *op)
{
    workers_stop(op->workers);
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
    op->loop = loop_new(ports, &options->loop, stop);
    op->workers = workers_new(op->loop, options->workers);
    reflector_setup(op, &op->syncs, &loop_resource_sync, op->loop->syncs,
                    loop_sync_changed, 1);
    reflector_setup(op, &op->conns, &loop_resource_conn, op->loop->conns,
                    loop_conn_changed, 2);
    good = start_http(op, options, fault) && start_threads(op, fault);
    if (good) {
        lg_info(ports->lg, "started", LG_INT("workers", options->workers),
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

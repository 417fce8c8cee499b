#include "loop/introspect_serve.h"

#include "base/heap.h"
#include "loop/http.h"

struct introspect_server {
    const struct introspect *in;
    struct http *metrics, *probes, *debug;
    struct reviews *reviews; /* NULL: everybody may read metrics */
    /* What they ask through: a follower asks too, so without the loop's fence. */
    struct kube_api reviews_api;
};

/* --- what is answered --- */

static bool is_live(void *context)
{
    const struct introspect *in = context;

    return !workers_stuck(in->workers);
}

static bool is_leader_live(void *context)
{
    const struct introspect *in = context;

    return in->leader == NULL || leader_healthy(in->leader);
}

static bool is_ready(void *context)
{
    const struct introspect *in = context;

    return workers_synced(in->loop);
}

static void print_metrics(void *context, struct buf *out)
{
    introspect_metrics(context, out);
}

static void print_state(void *context, struct buf *out)
{
    introspect_state(context, out);
}

static bool print_audit(void *context, const struct audit_filter *filter, bool logs,
                        struct buf *out, struct fault *fault)
{
    return introspect_audit(context, filter, logs, out, fault);
}

static void count_certificate(void *context, bool good)
{
    const struct introspect *in = context;

    metrics_add(in->loop->metrics, METRIC_CERTIFICATE_READS, 1);
    metrics_add(in->loop->metrics, METRIC_CERTIFICATE_ERRORS, !good);
}

/* --- listeners --- */

static const struct http_answers ANSWERS = {
    .live = {{.name = "workers", .good = is_live},
             {.name = "leader-election", .good = is_leader_live}},
    .ready = {{.name = "caches", .good = is_ready},
              {.name = "audit", .detail = introspect_audit_detail}},
    .metrics = print_metrics,
    .state = print_state,
    .audit = print_audit,
    .certificate = count_certificate,
};

static bool start_all(struct introspect_server *server,
                      const struct manager_options *options,
                      const struct http_answers *answers, struct fault *fault)
{
    const struct loop_ports *ports = &server->in->loop->ports;
    bool shared = strcmp(options->metrics_address, options->probe_address) == 0;
    struct http_listen probes = {.address = options->probe_address,
                                 .probes = true,
                                 .metrics = shared,
                                 .lg = ports->lg,
                                 .clock = ports->clock};
    struct http_listen metrics = {.address = options->metrics_address,
                                  .metrics = true,
                                  .cert_file = options->metrics_cert_file,
                                  .key_file = options->metrics_key_file,
                                  .reviews = server->reviews,
                                  .lg = ports->lg,
                                  .clock = ports->clock};
    struct http_listen debug = {.address = options->debug_address,
                                .debug = true,
                                .lg = ports->lg,
                                .clock = ports->clock};

    return http_start(&debug, answers, &server->debug, fault) &&
           http_start(&probes, answers, &server->probes, fault) &&
           (shared || http_start(&metrics, answers, &server->metrics, fault));
}

bool introspect_serve(const struct introspect *in, const struct manager_options *options,
                      struct introspect_server **out_server, struct fault *fault)
{
    struct introspect_server *server = NULL;
    struct http_answers answers = ANSWERS;
    union {
        const struct introspect *in;
        void *out;
    } context = {.in = in};

    if (strcmp(options->metrics_address, options->probe_address) == 0 &&
        strcmp(options->probe_address, "0") != 0 &&
        (options->metrics_cert_file != NULL || options->metrics_review)) {
        return fault_set(fault, FAULT_SPEC, NULL,
                         "probes and metrics both listen on %s, and probes know neither "
                         "TLS nor tokens: give --health-probe-bind-address another port",
                         options->probe_address);
    }
    server = HEAP_NEW(struct introspect_server);
    server->in = in;
    answers.context = context.out;
    if (options->metrics_review) {
        server->reviews_api =
            (struct kube_api){.transport = in->loop->api.transport,
                              .clock = in->loop->ports.clock,
                              .call_timeout_ms = in->loop->api.call_timeout_ms};
        server->reviews = reviews_new(&server->reviews_api, in->loop->ports.seed);
    }
    if (!start_all(server, options, &answers, fault)) {
        introspect_server_stop(server);
        return false;
    }
    *out_server = server;
    return true;
}

void introspect_server_stop(struct introspect_server *server)
{
    if (server == NULL) {
        return;
    }
    http_stop(server->probes);
    http_stop(server->metrics);
    http_stop(server->debug);
    reviews_free(server->reviews);
    heap_free(server);
}

struct introspect_ports introspect_ports(const struct introspect_server *server)
{
    return (struct introspect_ports){.metrics = http_port(server->metrics),
                                     .probes = http_port(server->probes),
                                     .debug = http_port(server->debug)};
}

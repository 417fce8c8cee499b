#include "loop/metrics_rest.h"

#include "base/heap.h"

#include <stdio.h>

struct rest {
    struct kube_transport base;
    struct kube_transport *inner;
    struct metrics *metrics;
    const struct clock *clock;
    char *host;
};

static void count(struct rest *rest, const char *method, int status)
{
    char code[16] = "<error>";
    struct metrics_labels labels = {.n = 0};

    if (status > 0) {
        (void)snprintf(code, sizeof(code), "%d", status);
    }
    metrics_label_add(&labels, "code", code);
    metrics_label_add(&labels, "method", method);
    metrics_label_add(&labels, "host", rest->host);
    metrics_count(rest->metrics, METRIC_REST_REQUESTS, &labels, 1);
}

static bool rest_call(struct kube_transport *t, const struct kube_request *request,
                      struct cancel *cancel, struct kube_response *out_response,
                      struct fault *fault)
{
    struct rest *rest = (struct rest *)t;
    int64_t began_ms = clock_monotonic_ms(rest->clock);
    bool done = rest->inner->ops->call(rest->inner, request, cancel, out_response, fault);
    struct metrics_labels labels = metrics_label("verb", request->method);

    metrics_label_add(&labels, "host", rest->host);
    count(rest, request->method, done ? out_response->status : 0);
    metrics_observe(rest->metrics, METRIC_REST_DURATION, &labels,
                    clock_monotonic_ms(rest->clock) - began_ms);
    metrics_observe(rest->metrics, METRIC_REST_REQUEST_SIZE, &labels,
                    (int64_t)request->body.n);
    if (done) {
        metrics_observe(rest->metrics, METRIC_REST_RESPONSE_SIZE, &labels,
                        (int64_t)out_response->body.n);
    }
    return done;
}

/* A watch lasts minutes: it is counted when its first bytes come. */
struct stream {
    struct rest *rest;
    const char *method;
    kube_on_bytes *on_bytes;
    void *context;
    const int *status;
    bool counted;
};

static bool on_stream_bytes(void *context, struct sv bytes, struct fault *fault)
{
    struct stream *stream = context;

    if (!stream->counted) {
        stream->counted = true;
        count(stream->rest, stream->method, *stream->status);
    }
    return stream->on_bytes(stream->context, bytes, fault);
}

static bool rest_stream(struct kube_transport *t, const struct kube_request *request,
                        int64_t idle_ms, struct cancel *cancel, kube_on_bytes *on_bytes,
                        void *context, int *out_status, struct fault *fault)
{
    struct rest *rest = (struct rest *)t;
    struct stream stream = {.rest = rest,
                            .method = request->method,
                            .on_bytes = on_bytes,
                            .context = context,
                            .status = out_status};
    bool done = false;

    *out_status = 0;
    done = rest->inner->ops->stream(rest->inner, request, idle_ms, cancel,
                                    on_stream_bytes, &stream, out_status, fault);
    if (!stream.counted) {
        count(rest, request->method, *out_status);
    }
    return done;
}

static void rest_free(struct kube_transport *t)
{
    struct rest *rest = (struct rest *)t;

    heap_free(rest->host);
    heap_free(rest);
}

static const struct kube_transport_ops REST_OPS = {
    .call = rest_call, .stream = rest_stream, .free = rest_free};

struct kube_transport *metrics_rest_new(struct kube_transport *inner, const char *host,
                                        struct metrics *metrics,
                                        const struct clock *clock)
{
    struct rest *rest = HEAP_NEW(struct rest);

    rest->base.ops = &REST_OPS;
    rest->inner = inner;
    rest->metrics = metrics;
    rest->clock = clock;
    rest->host = heap_strdup(host);
    return &rest->base;
}

#include "fake_transport.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROWS_MAX 2048

struct fake_transport {
    struct kube_transport base;
    struct test_clock *clock;
    struct cancel *cancel;
    pthread_mutex_t lock;
    struct fake_row rows[ROWS_MAX];
    size_t row_count;
    struct fake_request requests[ROWS_MAX];
    size_t request_count;
};

static struct fake_transport *of(struct kube_transport *base)
{
    return (struct fake_transport *)(void *)base;
}

static char *copy(struct sv text)
{
    char *out = strndup(text.p == NULL ? "" : text.p, text.n);

    assert_non_null(out);
    return out;
}

/* Keeps the request and finds its row; false when the script is over. */
static bool take_row(struct fake_transport *fake, const char *method,
                     const struct kube_request *request, struct fake_row *out_row)
{
    assert_int_equal(pthread_mutex_lock(&fake->lock), 0);
    size_t n = fake->request_count;
    bool more = n < fake->row_count;
    if (more) {
        fake->request_count++;
        fake->requests[n] = (struct fake_request){
            .method = copy(sv_from(method)),
            .path = copy(sv_from(request->path)),
            .content_type = copy(sv_from(request->content_type)),
            .body = copy(request->body),
            .at_ms = fake->clock->now_ms,
        };
        *out_row = fake->rows[n];
        fake->clock->now_ms += out_row->lasts_ms;
    }
    assert_int_equal(pthread_mutex_unlock(&fake->lock), 0);
    if (!more) {
        cancel_fire(fake->cancel);
        return false;
    }
    assert_string_equal(method, out_row->method);
    if (out_row->path != NULL) {
        assert_contains(request->path, out_row->path);
    }
    return true;
}

static bool fake_call(struct kube_transport *base, const struct kube_request *request,
                      struct cancel *cancel, struct kube_response *out_response,
                      struct fault *fault)
{
    struct fake_row row = {0};

    if (!take_row(of(base), request->method, request, &row)) {
        return cancel_check(cancel, "fake", fault);
    }
    if (row.status == 0) {
        return fault_set(fault, FAULT_UNAVAILABLE,
                         row.broken == NULL ? "ConnectionRefused" : row.broken,
                         "API server fake:1: connection refused");
    }
    struct kube_response response = {.status = row.status,
                                     .retry_after_s = row.retry_after_s};
    buf_init(&response.body, KUBE_BODY_MAX);
    buf_addz(&response.body, row.body);
    *out_response = response;
    return true;
}

static bool fake_stream(struct kube_transport *base, const struct kube_request *request,
                        int64_t idle_ms, struct cancel *cancel, kube_on_bytes *on_bytes,
                        void *context, int *out_status, struct fault *fault)
{
    struct fake_row row = {0};

    assert_true(idle_ms > 0); /* no watch without a watchdog */
    assert_true(cancel_remaining_ms(cancel) < INT64_MAX);
    bool is_watch = strstr(request->path, "watch=1") != NULL;
    assert_true(is_watch != request->gzip); /* watches come as they are, lists packed */
    if (!take_row(of(base), is_watch ? "WATCH" : "GET", request, &row)) {
        return cancel_check(cancel, "fake", fault);
    }
    if (row.status == 0) {
        return fault_set(fault, FAULT_UNAVAILABLE,
                         row.broken == NULL ? "ConnectionRefused" : row.broken,
                         "API server fake:1: connection refused");
    }
    *out_status = row.status;
    if (request->out_retry_after_s != NULL) {
        *request->out_retry_after_s = row.retry_after_s;
    }
    struct sv rest = sv_from(row.body);
    size_t step = row.chunk_bytes == 0 ? rest.n : row.chunk_bytes;
    while (rest.n > 0) {
        /* A copy of its own size each time, so that reading past a chunk is seen. */
        struct sv part = sv_sub(rest, 0, step);
        char *bytes = copy(part);
        bool go_on = on_bytes(context, (struct sv){bytes, part.n}, fault);
        free(bytes);
        if (!go_on) {
            return false;
        }
        rest = sv_sub(rest, part.n, rest.n);
    }
    return row.broken == NULL ||
           fault_set(fault, FAULT_UNAVAILABLE, row.broken, "API server fake:1: broken");
}

static void fake_free(struct kube_transport *base)
{
    (void)base; /* the test owns the fake */
}

struct fake_transport *fake_transport_new(struct test_clock *clock, struct cancel *cancel)
{
    static const struct kube_transport_ops ops = {
        .call = fake_call, .stream = fake_stream, .free = fake_free};
    struct fake_transport *fake = calloc(1, sizeof(*fake));

    assert_non_null(fake);
    fake->base.ops = &ops;
    fake->clock = clock;
    fake->cancel = cancel;
    assert_int_equal(pthread_mutex_init(&fake->lock, NULL), 0);
    return fake;
}

void fake_transport_free(struct fake_transport *fake)
{
    for (size_t i = 0; i < fake->request_count; i++) {
        free(fake->requests[i].method);
        free(fake->requests[i].path);
        free(fake->requests[i].content_type);
        free(fake->requests[i].body);
    }
    assert_int_equal(pthread_mutex_destroy(&fake->lock), 0);
    free(fake);
}

struct kube_transport *fake_transport_port(struct fake_transport *fake)
{
    return &fake->base;
}

void fake_transport_add(struct fake_transport *fake, struct fake_row row)
{
    assert_true(fake->row_count < ROWS_MAX);
    fake->rows[fake->row_count++] = row;
}

const struct fake_request *fake_transport_request(struct fake_transport *fake, size_t n)
{
    assert_true(n < fake->request_count);
    return &fake->requests[n];
}

size_t fake_transport_count(struct fake_transport *fake)
{
    return fake->request_count;
}

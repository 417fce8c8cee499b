/* A transport and a local server, and what its tests share. */
#ifndef TRANSPORT_BENCH_H
#define TRANSPORT_BENCH_H

#include "http_server.h"
#include "kube/config.h"
#include "kube/transport.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

struct bench {
    struct shift_clock clock;
    struct cancel root;
    struct arena *arena;
    char *folder;
    struct http_server *server;
    struct kube_config config;
    struct kube_transport *transport;
    struct kube_response response;
    struct buf streamed;
    int status;
    int status_at_first_byte;
    struct fault fault;
};

static inline void setup(struct bench *b, http_serve *serve, void *context)
{
    *b = (struct bench){.folder = test_folder(), .arena = arena_new(ARENA_CEILING_BYTES)};
    shift_clock_init(&b->clock);
    assert_ok(cancel_init_root(&b->root, &b->clock.clock, &b->fault), b->fault);
    buf_init(&b->streamed, 1024 * 1024);
    int port = 0;
    if (serve != NULL) {
        b->server = http_server_start(serve, context, NULL, NULL);
        port = http_server_port(b->server);
    } else {
        port = http_closed_port();
    }
    b->config = (struct kube_config){
        .server = arena_printf(b->arena, "http://127.0.0.1:%d", port), .origin = "test"};
}

static inline void connect_now(struct bench *b)
{
    assert_ok(kube_transport_curl_new(&b->config, "tablesync/0 (test)", &b->clock.clock,
                                      &b->transport, &b->fault),
              b->fault);
}

static inline void teardown(struct bench *b)
{
    kube_transport_freep(&b->transport);
    if (b->server != NULL) {
        http_server_stop(b->server);
    }
    buf_deinit(&b->response.body);
    buf_deinit(&b->streamed);
    cancel_deinit(&b->root);
    arena_free(b->arena);
    test_folder_remove(b->folder);
}

#define BENCH(serve, context)                                                            \
    AUTO(teardown) struct bench b;                                                       \
    setup(&b, serve, context)

static inline bool call(struct bench *b, const struct kube_request *request)
{
    buf_deinit(&b->response.body);
    fault_clear(&b->fault);
    return b->transport->ops->call(b->transport, request, &b->root, &b->response,
                                   &b->fault);
}

static inline bool get(struct bench *b, const char *path)
{
    const struct kube_request request = {.method = "GET", .path = path};

    return call(b, &request);
}

static inline bool on_bytes(void *context, struct sv bytes, struct fault *fault)
{
    struct bench *b = context;

    if (b->streamed.n == 0) {
        b->status_at_first_byte = b->status;
    }
    buf_add(&b->streamed, bytes);
    return sv_contains(buf_sv(&b->streamed), SV("STOP"))
               ? fault_set(fault, FAULT_SPEC, "Stopped", "enough")
               : true;
}

static inline bool stream(struct bench *b, int64_t idle_ms)
{
    const struct kube_request request = {.method = "GET", .path = "/w?watch=1"};

    return b->transport->ops->stream(b->transport, &request, idle_ms, &b->root, on_bytes,
                                     b, &b->status, &b->fault);
}

#define RAW_BENCH(serve, answer)                                                         \
    struct http_raw raw_ = {answer};                                                     \
    BENCH(serve, &raw_)

static inline int global_setup(void **state)
{
    struct fault fault = FAULT_INIT;

    (void)state;
    return kube_curl_global_init(&fault) ? 0 : -1;
}

static inline int global_teardown(void **state)
{
    (void)state;
    kube_curl_global_deinit();
    return 0;
}

#endif

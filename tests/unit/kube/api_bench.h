/* An api over a fake transport, and what its tests share. */
#ifndef API_BENCH_H
#define API_BENCH_H

#include "fake_transport.h"
#include "kube/api.h"

static const struct kube_resource syncs = {"tablesync.dev", "v1alpha1", "tablesyncs",
                                           "TableSync"};

struct bench {
    struct test_clock clock;
    struct cancel root;
    struct fake_transport *fake;
    struct kube_api api;
    struct arena *arena;
    enum kube_outcome outcome;
    struct json *object;
    struct fault fault;
};

static inline void setup(struct bench *b)
{
    *b = (struct bench){0};
    test_clock_init(&b->clock, 1000);
    assert_ok(cancel_init_root(&b->root, &b->clock.clock, &b->fault), b->fault);
    b->fake = fake_transport_new(&b->clock, &b->root);
    b->arena = arena_new(ARENA_CEILING_BYTES);
    b->api = (struct kube_api){.transport = fake_transport_port(b->fake),
                               .clock = &b->clock.clock,
                               .call_timeout_ms = 5000};
}

static inline void teardown(struct bench *b)
{
    json_free(b->object);
    arena_free(b->arena);
    fake_transport_free(b->fake);
    cancel_deinit(&b->root);
}

#define BENCH                                                                            \
    AUTO(teardown) struct bench b;                                                       \
    setup(&b)

static inline bool get(struct bench *b)
{
    json_free(TAKE(b->object));
    fault_clear(&b->fault);
    return kube_get(&b->api, &syncs, "shop", "orders", &b->root, &b->outcome, &b->object,
                    &b->fault);
}

#define STATUS(code, reason, more)                                                       \
    "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"status\":\"Failure\",\"message\":"     \
    "\"server words\",\"reason\":\"" reason "\",\"code\":" #code more "}"

#endif

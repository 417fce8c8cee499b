/* A reflector over a fake transport, and what its tests share. */
#ifndef REFLECTOR_BENCH_H
#define REFLECTOR_BENCH_H

#include "fake_transport.h"
#include "kube/reflector.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static const struct kube_resource syncs = {"tablesync.dev", "v1alpha1", "tablesyncs",
                                           "TableSync"};

struct bench {
    struct test_clock clock;
    struct cancel root;
    struct fake_transport *fake;
    struct kube_api api;
    struct reflector r;
    struct buf changes; /* "+n/a " initial, "~n/a " later */
    int log_fd;
    struct fault fault;
};

static inline void on_change(void *context, const char *key, bool initial)
{
    struct bench *b = context;

    buf_addf(&b->changes, "%c%s ", initial ? '+' : '~', key);
}

static inline void setup(struct bench *b)
{
    *b = (struct bench){0};
    test_clock_init(&b->clock, 1000);
    assert_ok(cancel_init_root(&b->root, &b->clock.clock, &b->fault), b->fault);
    b->fake = fake_transport_new(&b->clock, &b->root);
    b->api = (struct kube_api){.transport = fake_transport_port(b->fake),
                               .clock = &b->clock.clock,
                               .call_timeout_ms = 5000};
    b->log_fd = memfd_create("log", 0);
    assert_true(b->log_fd >= 0);
    b->r = (struct reflector){.api = &b->api,
                              .resource = &syncs,
                              .store = kube_store_new(),
                              .on_change = on_change,
                              .context = b,
                              .lg = lg_new(b->log_fd, LG_INFO, &b->clock.clock),
                              .list_only = true,
                              .backoff_base_ms = 1};
    rng_init(&b->r.rng, 7);
    buf_init(&b->changes, 1024 * 1024);
}

static inline void teardown(struct bench *b)
{
    kube_store_free(b->r.store);
    lg_free(b->r.lg);
    (void)close(b->log_fd);
    buf_deinit(&b->changes);
    fake_transport_free(b->fake);
    cancel_deinit(&b->root);
}

#define BENCH                                                                            \
    AUTO(teardown) struct bench b;                                                       \
    setup(&b)

static inline void add_list(struct bench *b, int status, const char *body)
{
    fake_transport_add(b->fake, (struct fake_row){.method = "GET",
                                                  .status = status,
                                                  .path = "/tablesyncs?limit=500",
                                                  .body = body});
}

static inline void add_watch(struct bench *b, int status, const char *path,
                             const char *body)
{
    fake_transport_add(b->fake, (struct fake_row){.method = "WATCH",
                                                  .status = status,
                                                  .path = path,
                                                  .body = body,
                                                  .lasts_ms = 2000});
}

/* The whole store as "key=version " in order of the keys' arrival. */
static inline const char *dump(struct bench *b, struct buf *out)
{
    AUTO(arena_freep) struct arena *a = arena_new(ARENA_CEILING_BYTES);
    size_t count = 0;
    struct kube_object **all = kube_store_all(b->r.store, a, &count);

    buf_init(out, 1024 * 1024);
    for (size_t i = 0; i < count; i++) {
        buf_addf(out, "%s=%s ", all[i]->key, kube_resource_version(all[i]->json));
        kube_object_put(all[i]);
    }
    return buf_z(out);
}

#define assert_store(b, expected)                                                        \
    do {                                                                                 \
        AUTO(buf_deinit) struct buf dump_ = {0};                                         \
        assert_string_equal(dump(b, &dump_), expected);                                  \
    } while (0)

static inline void read_log(struct bench *b, struct buf *out)
{
    char chunk[4096];
    ssize_t n = 0;

    assert_int_equal(lseek(b->log_fd, 0, SEEK_SET), 0);
    buf_init(out, 1024 * 1024);
    while ((n = read(b->log_fd, chunk, sizeof(chunk))) > 0) {
        buf_add(out, (struct sv){chunk, (size_t)n});
    }
}

#define OBJ(name, version)                                                               \
    "{\"metadata\":{\"namespace\":\"n\",\"name\":\"" name "\",\"uid\":\"u-" name         \
    "\",\"resourceVersion\":\"" version "\"}}"
#define LIST(version, items)                                                             \
    "{\"kind\":\"TableSyncList\",\"metadata\":{\"resourceVersion\":\"" version           \
    "\"},\"items\":[" items "]}"
#define EVENT(type, name, version)                                                       \
    "{\"type\":\"" type "\",\"object\":" OBJ(name, version) "}\n"
#define BOOKMARK(version)                                                                \
    "{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":{\"resourceVersion\":\"" version    \
    "\"}}}\n"
#define ERROR(code, reason)                                                              \
    "{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"code\":" #code                \
    ",\"reason\":\"" reason "\",\"message\":\"server words\"}}\n"
#define STATUS(code, reason)                                                             \
    "{\"kind\":\"Status\",\"code\":" #code ",\"reason\":\"" reason                       \
    "\",\"message\":\"server words\"}"

/* What makes {a=1} into {a=12, d=14}. */
#define STREAM                                                                           \
    EVENT("ADDED", "b", "11")                                                            \
    EVENT("MODIFIED", "a", "12") EVENT("DELETED", "b", "13") EVENT("ADDED", "d", "14")

#endif

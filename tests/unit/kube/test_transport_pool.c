/* What saves bytes and connections: gzip, and the pool. */
#include "transport_bench.h"

#include <pthread.h>

static const unsigned char packed[] = {
    0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xab, 0x56, 0x2a, 0x48,
    0x4c, 0xce, 0x4e, 0x4d, 0x51, 0xb2, 0x52, 0xaa, 0x18, 0x05, 0xa3, 0x60, 0x14, 0x0c,
    0x7b, 0xa0, 0x54, 0x0b, 0x00, 0x8b, 0x46, 0x72, 0x76, 0xf5, 0x03, 0x00, 0x00};

static void serve_packed(struct http_peer *peer, void *context)
{
    AUTO(buf_deinit) struct buf request = {0};
    char head[128];

    (void)context;
    buf_init(&request, 65536);
    while (http_peer_read(peer, &request)) {
        bool asked = sv_contains(buf_sv(&request), SV("Accept-Encoding: gzip\r\n"));
        if (asked) {
            (void)snprintf(head, sizeof(head),
                           "HTTP/1.1 200 X\r\nContent-Encoding: gzip\r\n"
                           "Content-Length: %zu\r\n\r\n",
                           sizeof(packed));
            http_peer_write(peer, head);
            http_peer_write_bytes(peer,
                                  (struct sv){(const char *)packed, sizeof(packed)});
        } else {
            http_peer_answer(peer, 429, "Retry-After: 7\r\n", "{\"plain\":1}");
        }
        buf_clear(&request);
    }
}

static bool stream_list(struct bench *b, int *out_retry_after_s)
{
    const struct kube_request request = {.method = "GET",
                                         .path = "/list",
                                         .gzip = true,
                                         .out_retry_after_s = out_retry_after_s};

    return b->transport->ops->stream(b->transport, &request, 5000, &b->root, on_bytes, b,
                                     &b->status, &b->fault);
}

static void lists_and_objects_come_packed_and_are_read_unpacked(void **state)
{
    (void)state;
    BENCH(serve_packed, NULL);
    int retry_after_s = -1;

    connect_now(&b);
    assert_ok(get(&b, "/one"), b.fault);
    assert_int_equal(b.response.body.n, 1013);
    assert_ok(stream_list(&b, &retry_after_s), b.fault);
    assert_int_equal(b.streamed.n, 1013);
    assert_true(sv_starts(buf_sv(&b.streamed), SV("{\"packed\":\"xxx")));
    assert_int_equal(retry_after_s, 0);
}

static void watches_and_writes_do_not_ask_for_it(void **state)
{
    (void)state;
    BENCH(serve_packed, NULL);
    const struct kube_request patch = {
        .method = "PATCH", .path = "/p", .content_type = "x", .body = SV("{}")};

    connect_now(&b);
    assert_ok(stream(&b, 5000), b.fault);
    assert_string_equal(buf_z(&b.streamed), "{\"plain\":1}");
    assert_ok(call(&b, &patch), b.fault);
    assert_string_equal(buf_z(&b.response.body), "{\"plain\":1}");
}

static void the_kubeconfig_can_turn_it_off(void **state)
{
    (void)state;
    BENCH(serve_packed, NULL);
    int retry_after_s = -1;

    b.config.disable_compression = true;
    connect_now(&b);
    assert_ok(get(&b, "/one"), b.fault);
    assert_string_equal(buf_z(&b.response.body), "{\"plain\":1}");
    assert_ok(stream_list(&b, &retry_after_s), b.fault);
    assert_string_equal(buf_z(&b.streamed), "{\"plain\":1}");
    assert_int_equal(retry_after_s, 7);
}

#define WRITERS 16
#define WRITES 25

static void *write_often(void *context)
{
    struct bench *b = context;
    const struct kube_request request = {
        .method = "PATCH", .path = "/w", .content_type = "x", .body = SV("{}")};

    for (int i = 0; i < WRITES; i++) {
        struct kube_response response = {0};
        struct fault fault = FAULT_INIT;
        if (!b->transport->ops->call(b->transport, &request, &b->root, &response,
                                     &fault)) {
            return context;
        }
        buf_deinit(&response.body);
    }
    return NULL;
}

static void as_many_connections_as_call_at_once(void **state)
{
    (void)state;
    BENCH(http_serve_echo, NULL);
    pthread_t threads[WRITERS];

    connect_now(&b);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < WRITERS; i++) {
            assert_int_equal(pthread_create(&threads[i], NULL, write_often, &b), 0);
        }
        for (int i = 0; i < WRITERS; i++) {
            void *bad = NULL;
            assert_int_equal(pthread_join(threads[i], &bad), 0);
            assert_null(bad);
        }
    }
    assert_int_equal(http_server_requests(b.server), 2 * WRITERS * WRITES);
    assert_in_range(http_server_connections(b.server), 1, WRITERS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_and_objects_come_packed_and_are_read_unpacked),
        cmocka_unit_test(watches_and_writes_do_not_ask_for_it),
        cmocka_unit_test(the_kubeconfig_can_turn_it_off),
        cmocka_unit_test(as_many_connections_as_call_at_once),
    };

    return cmocka_run_group_tests_name("kube/transport_pool", tests, global_setup,
                                       global_teardown);
}

#include "transport_bench.h"

#include <pthread.h>
#include <stdlib.h>

static void one_connection_serves_many_calls(void **state)
{
    (void)state;
    BENCH(http_serve_echo, NULL);
    connect_now(&b);
    for (int i = 0; i < 5; i++) {
        assert_ok(get(&b, "/api/v1/x?limit=5"), b.fault);
        assert_int_equal(b.response.status, 200);
        assert_string_equal(buf_z(&b.response.body), "{\"ok\":true}");
    }
    assert_int_equal(http_server_requests(b.server), 5);
    assert_int_equal(http_server_connections(b.server), 1);
    assert_string_equal(http_server_request(b.server, 4),
                        arena_printf(b.arena,
                                     "GET /api/v1/x?limit=5 HTTP/1.1\r\n"
                                     "Host: 127.0.0.1:%d\r\n"
                                     "User-Agent: tablesync/0 (test)\r\n"
                                     "Accept-Encoding: gzip\r\n"
                                     "Accept: application/json\r\n\r\n",
                                     http_server_port(b.server)));
}

static void a_body_arrives_whole_with_its_type(void **state)
{
    (void)state;
    BENCH(http_serve_echo, NULL);
    AUTO(buf_deinit) struct buf body = {0};
    const char *methods[] = {"PATCH", "POST", "PUT", "DELETE"};

    buf_init(&body, 4 * 1024 * 1024);
    for (int i = 0; i < 1300; i++) {
        buf_addf(&body, "%01024d",
                 i); /* above libcurl's limit for Expect: 100-continue */
    }
    connect_now(&b);
    for (size_t i = 0; i < COUNT_OF(methods); i++) {
        const struct kube_request request = {.method = methods[i],
                                             .path = "/p",
                                             .content_type =
                                                 "application/json-patch+json",
                                             .body = buf_sv(&body)};
        assert_ok(call(&b, &request), b.fault);
        const char *seen = http_server_request(b.server, (int)i);
        assert_int_equal(strncmp(seen, methods[i], strlen(methods[i])), 0);
        assert_contains(seen, "\r\nContent-Type: application/json-patch+json\r\n");
        assert_lacks(seen, "Expect");
        assert_lacks(seen, "Transfer-Encoding");
        assert_string_equal(strstr(seen, "\r\n\r\n") + 4, buf_z(&body));
    }
    assert_int_equal(http_server_connections(b.server), 1);
    const struct kube_request bare = {.method = "DELETE", .path = "/p"};
    assert_ok(call(&b, &bare), b.fault);
    assert_contains(http_server_request(b.server, 4), "DELETE /p HTTP/1.1\r\n");
}

struct wait_for_request {
    struct http_server *server;
    struct cancel *cancel;
    _Atomic int64_t fired_ms;
};

static void *fire_when_asked(void *context)
{
    struct wait_for_request *w = context;

    http_server_wait_requests(w->server, 1);
    w->fired_ms = clock_monotonic_ms(clock_system());
    cancel_fire(w->cancel);
    return NULL;
}

static void a_cancel_ends_a_waiting_call_and_stream_at_once(void **state)
{
    (void)state;
    static const char silence[] = "";
    static const char half[] =
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n";

    for (int i = 0; i < 2; i++) {
        RAW_BENCH(http_serve_raw_and_hold, i == 0 ? silence : half);
        pthread_t thread;
        struct wait_for_request w = {.server = b.server, .cancel = &b.root};
        connect_now(&b);
        assert_int_equal(pthread_create(&thread, NULL, fire_when_asked, &w), 0);
        bool ok = i == 0 ? get(&b, "/x") : stream(&b, 60000);
        int64_t returned_ms = clock_monotonic_ms(clock_system());
        assert_int_equal(pthread_join(thread, NULL), 0);
        assert_false(ok);
        assert_int_equal(b.fault.class, FAULT_CANCELLED);
        assert_true(returned_ms - w.fired_ms < 100);
    }
}

static void a_deadline_ends_a_waiting_call(void **state)
{
    (void)state;
    static const char silence[] = "";
    RAW_BENCH(http_serve_raw_and_hold, silence);
    struct cancel child;
    const struct kube_request request = {.method = "GET", .path = "/x"};

    connect_now(&b);
    int64_t began_ms = clock_monotonic_ms(clock_system());
    cancel_init_child(&child, &b.root, 150);
    assert_false(
        b.transport->ops->call(b.transport, &request, &child, &b.response, &b.fault));
    int64_t took_ms = clock_monotonic_ms(clock_system()) - began_ms;
    assert_in_range(took_ms, 150, 1500);
    assert_int_equal(b.fault.class, FAULT_UNAVAILABLE);
    assert_string_equal(b.fault.reason, "Timeout");
    assert_contains(b.fault.text, "127.0.0.1:");
}

static void silence_on_a_stream_is_noticed(void **state)
{
    (void)state;
    static const char half[] =
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabc\n\r\n";
    static const char nothing[] = "";
    const char *texts[] = {half, nothing};

    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        RAW_BENCH(http_serve_raw_and_hold, texts[i]);
        connect_now(&b);
        int64_t began_ms = clock_monotonic_ms(clock_system());
        assert_false(stream(&b, 150));
        assert_in_range(clock_monotonic_ms(clock_system()) - began_ms, 150, 1500);
        assert_string_equal(b.fault.reason, "Idle");
        assert_int_equal(b.fault.class, FAULT_UNAVAILABLE);
        assert_string_equal(buf_z(&b.streamed), i == 0 ? "abc\n" : "");
        assert_int_equal(b.status, i == 0 ? 200 : 0);
    }
}

static void a_stream_gives_status_then_bytes_then_its_end(void **state)
{
    (void)state;
    static const char whole[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                                "2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n";
    static const char refused[] = "HTTP/1.1 410 Gone\r\nContent-Length: 4\r\n\r\ngone";
    static const char stopped[] = "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nxxSTOPxx";
    static const char interim[] = "HTTP/1.1 103 Early\r\nRetry-After: 9\r\n\r\n"
                                  "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    const struct {
        const char *text;
        bool ok;
        int status;
        const char *bytes;
    } rows[] = {{whole, true, 200, "abcde"},
                {refused, true, 410, "gone"},
                {stopped, false, 200, "xxSTOPxx"},
                {interim, true, 200, "ok"}};

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        RAW_BENCH(http_serve_raw, rows[i].text);
        connect_now(&b);
        assert_int_equal(stream(&b, 5000), rows[i].ok);
        assert_int_equal(b.status, rows[i].status);
        assert_int_equal(b.status_at_first_byte, rows[i].status);
        assert_string_equal(buf_z(&b.streamed), rows[i].bytes);
        if (!rows[i].ok) {
            assert_string_equal(b.fault.reason, "Stopped");
        }
    }
}

/* 401 unless the token is "two". */
static void serve_token_two(struct http_peer *peer, void *context)
{
    AUTO(buf_deinit) struct buf request = {0};

    (void)context;
    buf_init(&request, 64 * 1024);
    while (http_peer_read(peer, &request)) {
        bool good =
            sv_contains(buf_sv(&request), SV("\r\nAuthorization: Bearer two\r\n"));
        http_peer_answer(peer, good ? 200 : 401, "", good ? "welcome" : "who are you");
    }
}

static void a_401_re_reads_the_token_once(void **state)
{
    (void)state;
    for (int streams = 0; streams < 2; streams++) {
        BENCH(serve_token_two, NULL);
        char *token = test_file(b.folder, "token", "one");
        b.config.token_file = token;
        connect_now(&b);
        /* Nothing changed: the answer stands, after one request. */
        assert_true(streams == 0 ? get(&b, "/x") : stream(&b, 5000));
        assert_int_equal(streams == 0 ? b.response.status : b.status, 401);
        assert_string_equal(buf_z(streams == 0 ? &b.response.body : &b.streamed),
                            "who are you");
        assert_int_equal(http_server_requests(b.server), 1);
        /* Rotated: the second try carries the new token; nobody sees the first answer. */
        free(test_file(b.folder, "token", "two\n"));
        buf_clear(&b.streamed);
        assert_true(streams == 0 ? get(&b, "/x") : stream(&b, 5000));
        assert_int_equal(streams == 0 ? b.response.status : b.status, 200);
        assert_string_equal(buf_z(streams == 0 ? &b.response.body : &b.streamed),
                            "welcome");
        assert_int_equal(http_server_requests(b.server), 3);
        /* Wrong again: two tries and no more. */
        free(test_file(b.folder, "token", "three"));
        b.clock.shift_ms += 1;
        assert_true(streams == 0 ? get(&b, "/x") : stream(&b, 5000));
        assert_int_equal(http_server_requests(b.server), 4);
        b.clock.shift_ms += 20000; /* read again by time */
        assert_true(streams == 0 ? get(&b, "/x") : stream(&b, 5000));
        assert_int_equal(streams == 0 ? b.response.status : b.status, 401);
        assert_int_equal(http_server_requests(b.server), 5);
        free(token);
    }
}

/* Refuses everyone and rotates the token with each request. */
static void serve_and_rotate(struct http_peer *peer, void *context)
{
    AUTO(buf_deinit) struct buf request = {0};
    int count = 0;

    buf_init(&request, 64 * 1024);
    while (http_peer_read(peer, &request)) {
        FILE *token = fopen(context, "w");
        if (token == NULL || fprintf(token, "token-%d", ++count) < 0 ||
            fclose(token) != 0) {
            return; /* no answer: the test sees it */
        }
        http_peer_answer(peer, 401, "", "no");
    }
}

static void a_second_401_stands_whatever_the_token_does(void **state)
{
    (void)state;
    for (int streams = 0; streams < 2; streams++) {
        char *folder = test_folder();
        char *token = test_file(folder, "token", "one");
        BENCH(serve_and_rotate, token);
        b.config.token_file = token;
        connect_now(&b);
        assert_ok(streams == 0 ? get(&b, "/x") : stream(&b, 5000), b.fault);
        assert_int_equal(streams == 0 ? b.response.status : b.status, 401);
        assert_string_equal(buf_z(streams == 0 ? &b.response.body : &b.streamed), "no");
        assert_int_equal(http_server_requests(b.server), 2);
        free(token);
        test_folder_remove(folder);
    }
}

static void a_proxy_is_used_only_when_the_config_names_one(void **state)
{
    (void)state;
    BENCH(http_serve_echo, NULL);
    AUTO(buf_deinit) struct buf dead = {0};

    buf_init(&dead, 256);
    buf_addf(&dead, "http://127.0.0.1:%d", http_closed_port());
    assert_int_equal(setenv("http_proxy", buf_z(&dead), 1), 0);
    connect_now(&b);
    assert_ok(get(&b, "/direct"), b.fault);
    assert_int_equal(unsetenv("http_proxy"), 0);
    kube_transport_freep(&b.transport);
    b.config.proxy_url = b.config.server;
    b.config.server = "http://api.invalid:6443";
    connect_now(&b);
    assert_ok(get(&b, "/x"), b.fault);
    assert_contains(http_server_request(b.server, 1),
                    "GET http://api.invalid:6443/x HTTP/1.1\r\n");
}

static void a_path_in_the_server_address_stays(void **state)
{
    (void)state;
    BENCH(http_serve_echo, NULL);

    b.config.server = arena_printf(b.arena, "%s/k8s/clusters/c-1", b.config.server);
    connect_now(&b);
    assert_ok(get(&b, "/api/v1/x/%2E%2E/y"), b.fault);
    assert_contains(http_server_request(b.server, 0),
                    "GET /k8s/clusters/c-1/api/v1/x/%2E%2E/y HTTP/1.1\r\n");
}

#define THREADS 6
#define CALLS 25

static void *many_calls(void *context)
{
    struct bench *b = context;

    for (int i = 0; i < CALLS; i++) {
        struct kube_response response = {0};
        struct fault fault = FAULT_INIT;
        const struct kube_request request = {.method = i % 2 == 0 ? "GET" : "POST",
                                             .path = "/x",
                                             .content_type = i % 2 == 0 ? NULL : "x/y",
                                             .body = i % 2 == 0 ? SV_NULL : SV("{}")};
        bool ok =
            b->transport->ops->call(b->transport, &request, &b->root, &response, &fault);
        buf_deinit(&response.body);
        if (!ok || response.status != 200) {
            return context;
        }
    }
    return NULL;
}

static void threads_share_the_pool(void **state)
{
    (void)state;
    BENCH(http_serve_echo, NULL);
    pthread_t threads[THREADS];
    void *bad = NULL;
    char *token = test_file(b.folder, "token", "one");

    b.config.token_file = token;
    connect_now(&b);
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, many_calls, &b), 0);
    }
    for (int i = 0; i < 10; i++) {
        free(test_file(b.folder, "token", i % 2 == 0 ? "two" : "one"));
        b.clock.shift_ms += 10000; /* so that they are read while calls go on */
    }
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], &bad), 0);
        assert_null(bad);
    }
    assert_int_equal(http_server_requests(b.server), THREADS * CALLS);
    assert_true(http_server_connections(b.server) <= THREADS);
    free(token);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_connection_serves_many_calls),
        cmocka_unit_test(a_body_arrives_whole_with_its_type),
        cmocka_unit_test(a_cancel_ends_a_waiting_call_and_stream_at_once),
        cmocka_unit_test(a_deadline_ends_a_waiting_call),
        cmocka_unit_test(silence_on_a_stream_is_noticed),
        cmocka_unit_test(a_stream_gives_status_then_bytes_then_its_end),
        cmocka_unit_test(a_401_re_reads_the_token_once),
        cmocka_unit_test(a_second_401_stands_whatever_the_token_does),
        cmocka_unit_test(a_proxy_is_used_only_when_the_config_names_one),
        cmocka_unit_test(a_path_in_the_server_address_stays),
        cmocka_unit_test(threads_share_the_pool),
    };

    return cmocka_run_group_tests_name("kube/transport_curl", tests, global_setup,
                                       global_teardown);
}

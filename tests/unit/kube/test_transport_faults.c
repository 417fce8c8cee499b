#include "transport_bench.h"

#include <stdio.h>

static void broken_answers_are_faults(void **state)
{
    (void)state;
    static const char *const texts[][2] = {
        {"", "ConnectionLost"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
         "ConnectionLost"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n",
         "ConnectionLost"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nab", "ConnectionLost"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nab",
         "ConnectionLost"},
        {"hello\r\n\r\n", "BadAnswer"},
    };

    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        RAW_BENCH(http_serve_raw, texts[i][0]);
        connect_now(&b);
        bool ok = get(&b, "/x");
        if (ok || strcmp(b.fault.reason, texts[i][1]) != 0) {
            fail_msg("row %zu: %s %s", i, b.fault.reason, b.fault.text);
        }
        assert_int_equal(b.fault.class, FAULT_UNAVAILABLE);
        assert_contains(b.fault.text, "127.0.0.1:");
        assert_null(b.response.body.p);
        assert_int_equal(b.response.status, 0);
    }
}

static void an_answer_over_the_ceiling_is_a_fault(void **state)
{
    (void)state;
    static const char plain[] = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789";
    static const char chunked[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                                  "5\r\n01234\r\n5\r\n56789\r\n0\r\n\r\n";
    const char *texts[] = {plain, chunked};

    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        for (size_t max = 9; max <= 10; max++) {
            RAW_BENCH(http_serve_raw, texts[i]);
            const struct kube_request request = {
                .method = "GET", .path = "/", .response_max_bytes = max};
            connect_now(&b);
            assert_int_equal(call(&b, &request), max == 10);
            assert_string_equal(max == 10 ? "AnswerTooLarge" : b.fault.reason,
                                "AnswerTooLarge");
        }
    }
}

static void headers_have_a_ceiling(void **state)
{
    (void)state;
    for (int many = 0; many < 2; many++) {
        AUTO(buf_deinit) struct buf text = {0};
        buf_init(&text, 1024 * 1024);
        buf_addz(&text, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n");
        if (many == 1) {
            for (int i = 0; i < 200; i++) {
                buf_addf(&text, "X-%d: %01000d\r\n", i, 0);
            }
        } else {
            buf_addf(&text, "X: %020000d\r\n", 0);
        }
        buf_addz(&text, "\r\n");
        RAW_BENCH(http_serve_raw, text.p);
        connect_now(&b);
        assert_false(get(&b, "/x"));
        assert_string_equal(b.fault.reason, "HeadersTooLarge");
    }
}

static void retry_after_is_read_in_seconds_only(void **state)
{
    (void)state;
    static const struct {
        const char *header;
        int seconds;
    } rows[] = {{"Retry-After: 7\r\n", 7},
                {"retry-after:  12 \r\n", 12},
                {"Retry-After: Wed, 21 Oct 2026 07:28:00 GMT\r\n", 0},
                {"Retry-After: -3\r\n", 0},
                {"Retry-After: 99999999999\r\n", 3600},
                {"X-Retry-After: 7\r\n", 0}};

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char text[256];
        (void)snprintf(text, sizeof(text),
                       "HTTP/1.1 429 Slow\r\n%sContent-Length: 0\r\n\r\n",
                       rows[i].header);
        RAW_BENCH(http_serve_raw, text);
        connect_now(&b);
        assert_ok(get(&b, "/x"), b.fault);
        assert_int_equal(b.response.status, 429);
        assert_int_equal(b.response.retry_after_s, rows[i].seconds);
    }
}

static void a_redirect_is_not_followed(void **state)
{
    (void)state;
    static const char text[] = "HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\n"
                               "Content-Length: 0\r\n\r\n";
    RAW_BENCH(http_serve_raw, text);

    connect_now(&b);
    assert_ok(get(&b, "/x"), b.fault);
    assert_int_equal(b.response.status, 302);
    assert_int_equal(http_server_requests(b.server), 1);
}

static void nobody_listening_and_nobody_known_are_told_apart(void **state)
{
    (void)state;
    BENCH(NULL, NULL);

    connect_now(&b);
    assert_false(get(&b, "/x"));
    assert_int_equal(b.fault.class, FAULT_UNAVAILABLE);
    assert_string_equal(b.fault.reason, "ConnectionRefused");
    assert_contains(b.fault.text, b.config.server + strlen("http://"));
    assert_contains(b.fault.text, "check that it runs");
    assert_contains(b.fault.text, "(test)");
    kube_transport_freep(&b.transport);
    /* A label of 64 characters fails in the resolver itself: no name server is asked. */
    b.config.server =
        "http://xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
        ".test:6443";
    connect_now(&b);
    assert_false(get(&b, "/x"));
    assert_string_equal(b.fault.reason, "UnknownHost");
    assert_contains(b.fault.text, ".test:6443");
    assert_contains(b.fault.text, "DNS");
}

/* Answers the first request of a connection and hangs up on the second. */
static void serve_once_then_hang_up(struct http_peer *peer, void *context)
{
    AUTO(buf_deinit) struct buf request = {0};

    (void)context;
    buf_init(&request, 4 * 1024 * 1024);
    if (http_peer_read(peer, &request)) {
        http_peer_answer(peer, 200, "", "{}");
        (void)http_peer_read(peer, &request);
    }
}

static void a_write_is_never_sent_twice(void **state)
{
    (void)state;
    const struct kube_request requests[] = {
        {.method = "PATCH", .path = "/w", .content_type = "x/y", .body = SV("{\"a\":1}")},
        {.method = "DELETE", .path = "/w"},
    };

    for (size_t i = 0; i < COUNT_OF(requests); i++) {
        BENCH(serve_once_then_hang_up, NULL);
        connect_now(&b);
        assert_ok(get(&b, "/warm"), b.fault);
        bool ok = call(&b, &requests[i]);
        /* Without a body it may not go over a used connection at all. */
        assert_int_equal(ok, requests[i].body.n == 0);
        if (!ok) {
            assert_string_equal(b.fault.reason, "ConnectionLost");
        }
        assert_int_equal(http_server_requests(b.server), 2);
    }
}

static void a_kept_connection_that_was_closed_is_replaced(void **state)
{
    (void)state;
    static const char text[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
    RAW_BENCH(http_serve_raw, text);

    connect_now(&b);
    for (int i = 0; i < 3; i++) {
        assert_ok(get(&b, "/x"), b.fault);
    }
    assert_int_equal(http_server_connections(b.server), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(broken_answers_are_faults),
        cmocka_unit_test(an_answer_over_the_ceiling_is_a_fault),
        cmocka_unit_test(headers_have_a_ceiling),
        cmocka_unit_test(retry_after_is_read_in_seconds_only),
        cmocka_unit_test(a_redirect_is_not_followed),
        cmocka_unit_test(nobody_listening_and_nobody_known_are_told_apart),
        cmocka_unit_test(a_write_is_never_sent_twice),
        cmocka_unit_test(a_kept_connection_that_was_closed_is_replaced),
    };

    return cmocka_run_group_tests_name("kube/transport_faults", tests, global_setup,
                                       global_teardown);
}

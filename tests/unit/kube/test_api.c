#include "api_bench.h"

#include "kube/exchange.h"

#include <stdio.h>

static const struct errors_call get_sync = {.verb = "get", .resource = &syncs};

static void get_gives_the_object(void **state)
{
    (void)state;
    BENCH;
    fake_transport_add(
        b.fake,
        (struct fake_row){.method = "GET",
                          .status = 200,
                          .body = "{\"kind\":\"TableSync\",\"metadata\":{\"name\":"
                                  "\"orders\",\"generation\":4}}"});

    assert_ok(get(&b), b.fault);
    assert_int_equal(b.outcome, KUBE_OK);
    assert_int_equal(kube_generation(b.object), 4);
    assert_string_equal(fake_transport_request(b.fake, 0)->path,
                        "/apis/tablesync.dev/v1alpha1/namespaces/shop/tablesyncs/orders");
}

static void statuses_are_outcomes_or_faults(void **state)
{
    (void)state;
    const struct {
        int status;
        const char *body;
        enum kube_outcome outcome; /* 0: a fault */
        enum fault_class class;
        const char *reason;
    } rows[] = {
        {404, STATUS(404, "NotFound", ""), KUBE_NOT_FOUND, 0, NULL},
        {404, "404 page not found", 0, FAULT_UNAVAILABLE, "NotServed"},
        {409, STATUS(409, "AlreadyExists", ""), KUBE_EXISTS, 0, NULL},
        {409, STATUS(409, "Conflict", ""), KUBE_CONFLICT, 0, NULL},
        {410, STATUS(410, "Expired", ""), KUBE_GONE, 0, NULL},
        {422, STATUS(422, "Invalid", ""), KUBE_INVALID, 0, NULL},
        {400, STATUS(400, "BadRequest", ""), 0, FAULT_BUG, "BadRequest"},
        {401, STATUS(401, "Unauthorized", ""), 0, FAULT_DENIED, "Unauthorized"},
        {403, STATUS(403, "Forbidden", ""), 0, FAULT_DENIED, "Forbidden"},
        {418, "", 0, FAULT_BUG, "BadRequest"},
        {429, STATUS(429, "TooManyRequests", ""), 0, FAULT_UNAVAILABLE,
         "TooManyRequests"},
        {500, STATUS(500, "InternalError", ""), 0, FAULT_UNAVAILABLE, "ServerError"},
        {502, "<html>bad gateway</html>", 0, FAULT_UNAVAILABLE, "BadGateway"},
        {599, "", 0, FAULT_UNAVAILABLE, "ServerError"},
        {503, "", 0, FAULT_UNAVAILABLE, "Unavailable"},
        {504, STATUS(504, "Timeout", ""), 0, FAULT_UNAVAILABLE, "Timeout"},
        {302, "", 0, FAULT_UNAVAILABLE, "Redirected"},
        {199, "", 0, FAULT_UNAVAILABLE, "BadAnswer"},
        {0, "", 0, FAULT_UNAVAILABLE, "ConnectionRefused"},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        BENCH;
        fake_transport_add(b.fake, (struct fake_row){.method = "GET",
                                                     .status = rows[i].status,
                                                     .body = rows[i].body});
        bool ok = get(&b);
        if (ok != (rows[i].outcome != 0)) {
            fail_msg("status %d: %s", rows[i].status, b.fault.text);
        }
        assert_null(b.object);
        if (ok) {
            assert_int_equal(b.outcome, rows[i].outcome);
        } else {
            assert_int_equal(b.fault.class, rows[i].class);
            assert_string_equal(b.fault.reason, rows[i].reason);
            assert_contains(b.fault.text, "get tablesyncs.tablesync.dev shop/orders: ");
        }
    }
}

static void a_refusal_names_the_missing_rule(void **state)
{
    (void)state;
    BENCH;
    fake_transport_add(b.fake, (struct fake_row){.method = "GET",
                                                 .status = 403,
                                                 .body = STATUS(403, "Forbidden", "")});

    assert_false(get(&b));
    assert_contains(b.fault.text, "server words");
    assert_contains(b.fault.text, "{apiGroups: [\"tablesync.dev\"], resources: "
                                  "[\"tablesyncs\"], verbs: [\"get\"]}");
    assert_string_equal(b.fault.code, "403");
}

static void an_answer_that_is_no_object_is_a_fault(void **state)
{
    (void)state;
    const char *bodies[] = {"", "<html></html>", "[1]", "{\"a\":1} x", "null"};

    for (size_t i = 0; i < COUNT_OF(bodies); i++) {
        BENCH;
        fake_transport_add(
            b.fake, (struct fake_row){.method = "GET", .status = 200, .body = bodies[i]});
        assert_false(get(&b));
        assert_string_equal(b.fault.reason, "BadAnswer");
        assert_int_equal(b.fault.class, FAULT_UNAVAILABLE);
    }
}

static void retry_after_keeps_calls_at_home_until_it_is_over(void **state)
{
    (void)state;
    BENCH;
    fake_transport_add(b.fake,
                       (struct fake_row){.method = "GET",
                                         .status = 429,
                                         .retry_after_s = 7,
                                         .body = STATUS(429, "TooManyRequests", "")});
    fake_transport_add(b.fake, (struct fake_row){.method = "GET",
                                                 .status = 200,
                                                 .body = "{\"kind\":\"TableSync\"}"});

    assert_false(get(&b));
    assert_int_equal(exchange_pause_ms(&b.api, &get_sync), 7000);
    b.clock.now_ms += 6999;
    assert_false(get(&b));
    assert_string_equal(b.fault.reason, "TooManyRequests");
    assert_contains(b.fault.text, "not sent");
    assert_int_equal(fake_transport_count(b.fake), 1);
    b.clock.now_ms += 1;
    assert_int_equal(exchange_pause_ms(&b.api, &get_sync), 0);
    assert_ok(get(&b), b.fault);
    assert_int_equal(fake_transport_count(b.fake), 2);
}

/* Above all not the renewal of a Lease: who waits with it loses it. */
static void only_the_calls_that_were_asked_wait(void **state)
{
    (void)state;
    static const struct kube_resource conns = {
        "tablesync.dev", "v1alpha1", "databaseconnections", "DatabaseConnection"};
    static const struct kube_resource leases = {"coordination.k8s.io", "v1", "leases",
                                                "Lease"};
    const struct errors_call others[] = {
        {.verb = "list", .resource = &syncs},
        {.verb = "watch", .resource = &syncs},
        {.verb = "patch", .resource = &syncs},
        {.verb = "get", .resource = &syncs, .subresource = "status"},
        {.verb = "get", .resource = &conns},
        {.verb = "get", .resource = &leases},
        {.verb = "update", .resource = &leases},
    };
    const struct errors_call elsewhere = {
        .verb = "get", .resource = &syncs, .namespace = "x", .name = "y"};
    BENCH;

    exchange_pause(&b.api, &get_sync, 7);
    exchange_pause(&b.api, &others[0], 3);
    exchange_pause(&b.api, &others[1], 0);
    assert_int_equal(exchange_pause_ms(&b.api, &elsewhere), 7000);
    assert_int_equal(exchange_pause_ms(&b.api, &others[0]), 3000);
    for (size_t i = 1; i < COUNT_OF(others); i++) {
        assert_int_equal(exchange_pause_ms(&b.api, &others[i]), 0);
        assert_ok(exchange_allowed(&b.api, &others[i], &b.fault), b.fault);
    }
}

static void more_kinds_of_calls_than_expected_do_no_harm(void **state)
{
    (void)state;
    BENCH;
    char verb[16];

    for (int i = 0; i < 100; i++) {
        (void)snprintf(verb, sizeof(verb), "v%d", i);
        const struct errors_call call = {.verb = verb, .resource = &syncs};
        exchange_pause(&b.api, &call, 7);
        assert_int_equal(exchange_pause_ms(&b.api, &call), i < KUBE_PAUSES ? 7000 : 0);
    }
}

static void retry_after_has_a_ceiling_and_the_body_may_say_it(void **state)
{
    (void)state;
    const struct {
        int status, header_s;
        const char *body;
        int64_t expected_ms;
    } rows[] = {
        {429, 100000, "", 60000},
        {503, 0,
         STATUS(503, "ServiceUnavailable", ",\"details\":{\"retryAfterSeconds\":3}"),
         3000},
        {500, 2, "", 2000},
        {404, 9, "", 0},
        {429, 0, "", 0},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        BENCH;
        fake_transport_add(b.fake, (struct fake_row){.method = "GET",
                                                     .status = rows[i].status,
                                                     .retry_after_s = rows[i].header_s,
                                                     .body = rows[i].body});
        (void)!get(&b);
        assert_int_equal(exchange_pause_ms(&b.api, &get_sync), rows[i].expected_ms);
    }
}

static void create_posts_to_the_collection(void **state)
{
    (void)state;
    BENCH;
    AUTO(json_freep) struct json *object = test_json("{\"kind\":\"TableSync\"}");
    fake_transport_add(b.fake, (struct fake_row){.method = "POST",
                                                 .status = 201,
                                                 .body = "{\"kind\":\"TableSync\"}"});

    assert_ok(kube_create(&b.api, &syncs, "shop", object, &b.root, &b.outcome, &b.object,
                          &b.fault),
              b.fault);
    assert_int_equal(b.outcome, KUBE_OK);
    const struct fake_request *request = fake_transport_request(b.fake, 0);
    assert_string_equal(request->path,
                        "/apis/tablesync.dev/v1alpha1/namespaces/shop/tablesyncs"
                        "?fieldManager=tablesync-controller");
    assert_string_equal(request->content_type, "application/json");
    assert_string_equal(request->body, "{\"kind\":\"TableSync\"}");
}

static void an_object_too_large_is_not_sent(void **state)
{
    (void)state;
    BENCH;
    AUTO(json_freep) struct json *object = json_new_object();
    AUTO(buf_deinit) struct buf text = {0};

    buf_init(&text, 8 * 1024 * 1024);
    for (int i = 0; i < 4 * 1024; i++) {
        buf_addf(&text, "%01024d", 0);
    }
    json_set_string(object, "note", buf_z(&text));
    assert_false(kube_create(&b.api, &syncs, "shop", object, &b.root, &b.outcome,
                             &b.object, &b.fault));
    assert_string_equal(b.fault.reason, "ObjectTooLarge");
    assert_int_equal(fake_transport_count(b.fake), 0);
}

static bool apply(struct bench *b, const char **out_message)
{
    AUTO(json_freep) struct json *body = test_json("{\"status\":{\"phase\":\"X\"}}");

    return kube_apply_status(&b->api, &syncs, "shop", "orders", body, b->arena, &b->root,
                             &b->outcome, &b->object, out_message, &b->fault);
}

static void status_is_applied_on_its_subresource(void **state)
{
    (void)state;
    BENCH;
    const char *message = "untouched";
    fake_transport_add(b.fake, (struct fake_row){.method = "PATCH",
                                                 .status = 200,
                                                 .body = "{\"kind\":\"TableSync\"}"});

    assert_ok(apply(&b, &message), b.fault);
    assert_int_equal(b.outcome, KUBE_OK);
    assert_null(message);
    const struct fake_request *request = fake_transport_request(b.fake, 0);
    assert_string_equal(
        request->path,
        "/apis/tablesync.dev/v1alpha1/namespaces/shop/tablesyncs/orders/status"
        "?fieldManager=tablesync-controller&force=true");
    assert_string_equal(request->content_type, "application/apply-patch+yaml");
    assert_string_equal(request->body, "{\"status\":{\"phase\":\"X\"}}");
}

static void a_refused_status_comes_with_the_servers_words(void **state)
{
    (void)state;
    const struct {
        int status;
        const char *body;
        enum kube_outcome outcome;
    } rows[] = {
        {422, STATUS(422, "Invalid", ""), KUBE_INVALID},
        {409, STATUS(409, "Conflict", ""), KUBE_CONFLICT},
        {404, STATUS(404, "NotFound", ""), KUBE_NOT_FOUND},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        BENCH;
        const char *message = NULL;
        fake_transport_add(b.fake, (struct fake_row){.method = "PATCH",
                                                     .status = rows[i].status,
                                                     .body = rows[i].body});
        assert_ok(apply(&b, &message), b.fault);
        assert_int_equal(b.outcome, rows[i].outcome);
        assert_string_equal(message, "server words");
        assert_null(b.object);
    }
}

static void a_forbidden_status_names_the_subresource(void **state)
{
    (void)state;
    BENCH;
    const char *message = NULL;
    fake_transport_add(b.fake, (struct fake_row){.method = "PATCH",
                                                 .status = 403,
                                                 .body = STATUS(403, "Forbidden", "")});

    assert_false(apply(&b, &message));
    assert_contains(b.fault.text,
                    "resources: [\"tablesyncs/status\"], verbs: [\"patch\"]");
}

static void a_crd_from_before_is_named(void **state)
{
    (void)state;
    const struct {
        const char *body;
        bool older;
    } rows[] = {
        {"{\"kind\":\"Status\",\"code\":500,\"message\":\"failed to create typed patch "
         "object: .status.phase: field not declared in schema\"}",
         true},
        {STATUS(500, "InternalError", ""), false},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        BENCH;
        const char *message = NULL;
        fake_transport_add(
            b.fake,
            (struct fake_row){.method = "PATCH", .status = 500, .body = rows[i].body});
        assert_false(apply(&b, &message));
        assert_int_equal(b.fault.class, FAULT_UNAVAILABLE);
        assert_int_equal(strstr(b.fault.text, "CustomResourceDefinition of tablesyncs "
                                              "is older than this program") != NULL,
                         rows[i].older);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_crd_from_before_is_named),
        cmocka_unit_test(get_gives_the_object),
        cmocka_unit_test(statuses_are_outcomes_or_faults),
        cmocka_unit_test(a_refusal_names_the_missing_rule),
        cmocka_unit_test(an_answer_that_is_no_object_is_a_fault),
        cmocka_unit_test(retry_after_keeps_calls_at_home_until_it_is_over),
        cmocka_unit_test(only_the_calls_that_were_asked_wait),
        cmocka_unit_test(more_kinds_of_calls_than_expected_do_no_harm),
        cmocka_unit_test(retry_after_has_a_ceiling_and_the_body_may_say_it),
        cmocka_unit_test(create_posts_to_the_collection),
        cmocka_unit_test(an_object_too_large_is_not_sent),
        cmocka_unit_test(status_is_applied_on_its_subresource),
        cmocka_unit_test(a_refused_status_comes_with_the_servers_words),
        cmocka_unit_test(a_forbidden_status_names_the_subresource),
    };

    return cmocka_run_group_tests_name("kube/api", tests, NULL, NULL);
}

#include "fake_transport.h"
#include "kube/events.h"

#include <stdio.h>

static const struct kube_resource syncs = {"tablesync.dev", "v1alpha1", "tablesyncs",
                                           "TableSync"};

struct bench {
    struct test_clock clock;
    struct cancel root;
    struct fake_transport *fake;
    struct kube_api api;
    struct kube_events *events;
    struct json *object;
    struct fault fault;
};

static void setup(struct bench *b)
{
    *b = (struct bench){0};
    test_clock_init(&b->clock, 1767225600000); /* 2026-01-01T00:00:00Z */
    assert_ok(cancel_init_root(&b->root, &b->clock.clock, &b->fault), b->fault);
    b->fake = fake_transport_new(&b->clock, &b->root);
    b->api = (struct kube_api){.transport = fake_transport_port(b->fake),
                               .clock = &b->clock.clock,
                               .call_timeout_ms = 5000};
    b->events = kube_events_new(&b->api, "tablesync.dev/controller", "pod-1");
    b->object = test_json("{\"metadata\":{\"name\":\"orders\",\"namespace\":\"shop\","
                          "\"uid\":\"u1\",\"resourceVersion\":\"7\"}}");
}

static void teardown(struct bench *b)
{
    json_free(b->object);
    kube_events_free(b->events);
    fake_transport_free(b->fake);
    cancel_deinit(&b->root);
}

#define BENCH                                                                            \
    AUTO(teardown) struct bench b;                                                       \
    setup(&b)

static bool emit(struct bench *b, const char *reason, const char *note)
{
    const struct kube_event event = {.resource = &syncs,
                                     .object = b->object,
                                     .warning = true,
                                     .reason = reason,
                                     .action = "Reconcile",
                                     .note = note};

    fault_clear(&b->fault);
    return kube_event_emit(b->events, &event, &b->root, &b->fault);
}

#define NOT_FOUND "{\"kind\":\"Status\",\"reason\":\"NotFound\"}"

static void expect(struct bench *b, const char *method, int status)
{
    fake_transport_add(b->fake,
                       (struct fake_row){.method = method,
                                         .status = status,
                                         .body = status == 404 ? NOT_FOUND : "{}"});
}

static void an_event_says_what_about_whom(void **state)
{
    (void)state;
    BENCH;
    expect(&b, "POST", 201);

    assert_ok(emit(&b, "SyncFailed", "the sink is gone"), b.fault);
    assert_string_equal(fake_transport_request(b.fake, 0)->path,
                        "/apis/events.k8s.io/v1/namespaces/shop/events"
                        "?fieldManager=tablesync-controller");
    assert_string_equal(
        fake_transport_request(b.fake, 0)->body,
        "{\"apiVersion\":\"events.k8s.io/v1\",\"kind\":\"Event\",\"metadata\":{\"name\":"
        "\"orders.18867251edfa0000\",\"namespace\":\"shop\"},"
        "\"eventTime\":\"2026-01-01T00:00:00.000000Z\",\"type\":\"Warning\","
        "\"reportingController\":\"tablesync.dev/controller\","
        "\"reportingInstance\":\"pod-1\",\"reason\":\"SyncFailed\","
        "\"action\":\"Reconcile\",\"note\":\"the sink is gone\",\"regarding\":{"
        "\"apiVersion\":\"tablesync.dev/v1alpha1\",\"kind\":\"TableSync\","
        "\"namespace\":\"shop\",\"name\":\"orders\",\"uid\":\"u1\","
        "\"resourceVersion\":\"7\"}}");
}

static void an_annotation_goes_along(void **state)
{
    (void)state;
    BENCH;
    struct kube_event event = {.resource = &syncs,
                               .object = b.object,
                               .reason = "Streaming",
                               .action = "Reconcile",
                               .note = "rows flow",
                               .annotation = "tablesync.dev/run-id",
                               .annotation_value = "0a1b2c3d"};

    expect(&b, "POST", 201);
    expect(&b, "PATCH", 200);
    assert_ok(kube_event_emit(b.events, &event, &b.root, &b.fault), b.fault);
    assert_contains(fake_transport_request(b.fake, 0)->body,
                    "\"annotations\":{\"tablesync.dev/run-id\":\"0a1b2c3d\"}");
    event.annotation_value = "ffffffff"; /* another run says the same: one series */
    assert_ok(kube_event_emit(b.events, &event, &b.root, &b.fault), b.fault);
    assert_contains(fake_transport_request(b.fake, 1)->body, "\"count\":2");
}

static void a_repeated_note_counts_on_the_event_that_is_there(void **state)
{
    (void)state;
    BENCH;
    expect(&b, "POST", 201);
    expect(&b, "PATCH", 200);
    expect(&b, "POST", 201);
    expect(&b, "PATCH", 200);

    assert_ok(emit(&b, "SyncFailed", "gone"), b.fault);
    b.clock.now_ms += 1000;
    assert_ok(emit(&b, "SyncFailed", "gone"), b.fault);
    assert_ok(emit(&b, "SyncFailed", "another note"), b.fault);
    assert_ok(emit(&b, "SyncFailed", "gone"), b.fault);
    assert_contains(fake_transport_request(b.fake, 1)->path,
                    "/shop/events/orders.18867251edfa0000?");
    assert_string_equal(fake_transport_request(b.fake, 1)->body,
                        "{\"series\":{\"count\":2,\"lastObservedTime\":"
                        "\"2026-01-01T00:00:01.000000Z\"}}");
    assert_string_equal(fake_transport_request(b.fake, 1)->content_type,
                        "application/merge-patch+json");
    assert_contains(fake_transport_request(b.fake, 3)->body, "\"count\":3");
}

static void names_differ_within_one_millisecond(void **state)
{
    (void)state;
    BENCH;
    expect(&b, "POST", 201);
    expect(&b, "POST", 201);

    assert_ok(emit(&b, "A", "1"), b.fault);
    assert_ok(emit(&b, "A", "2"), b.fault);
    assert_contains(fake_transport_request(b.fake, 0)->body, "orders.18867251edfa0000");
    assert_contains(fake_transport_request(b.fake, 1)->body, "orders.18867251edfa0001");
}

static void a_series_ends_after_six_quiet_minutes(void **state)
{
    (void)state;
    BENCH;
    expect(&b, "POST", 201);
    expect(&b, "POST", 201);

    assert_ok(emit(&b, "A", "x"), b.fault);
    b.clock.now_ms += 360001;
    assert_ok(emit(&b, "A", "x"), b.fault);
    assert_int_equal(fake_transport_count(b.fake), 2);
}

static void an_expired_event_is_made_again(void **state)
{
    (void)state;
    BENCH;
    expect(&b, "POST", 201);
    expect(&b, "PATCH", 404);
    expect(&b, "POST", 201);
    expect(&b, "PATCH", 200);

    for (int i = 0; i < 3; i++) {
        assert_ok(emit(&b, "A", "x"), b.fault);
    }
    assert_int_equal(fake_transport_count(b.fake), 4);
}

static void a_bucket_holds_25_and_refills_one_in_300_seconds(void **state)
{
    (void)state;
    BENCH;
    char note[16];

    for (int i = 0; i < 28; i++) {
        expect(&b, "POST", 201);
    }
    for (int i = 0; i < 40; i++) {
        (void)snprintf(note, sizeof(note), "n%d", i);
        assert_ok(emit(&b, "A", note), b.fault);
    }
    assert_int_equal(fake_transport_count(b.fake), 25);
    b.clock.now_ms += 299999;
    assert_ok(emit(&b, "A", "late"), b.fault);
    assert_int_equal(fake_transport_count(b.fake), 25);
    b.clock.now_ms += 1;
    assert_ok(emit(&b, "A", "now"), b.fault);
    assert_int_equal(fake_transport_count(b.fake), 26);
    /* Another reason of the same object has its own. */
    assert_ok(emit(&b, "B", "now"), b.fault);
    assert_int_equal(fake_transport_count(b.fake), 27);
    b.object = (json_free(b.object),
                test_json("{\"metadata\":{\"name\":\"z\",\"uid\":\"u2\"}}"));
    assert_ok(emit(&b, "A", "now"), b.fault);
    assert_int_equal(fake_transport_count(b.fake), 28);
}

static void what_was_not_delivered_begins_anew(void **state)
{
    (void)state;
    BENCH;
    expect(&b, "POST", 500);
    expect(&b, "POST", 201);
    expect(&b, "PATCH", 200);

    assert_false(emit(&b, "A", "x"));
    assert_int_equal(b.fault.class, FAULT_UNAVAILABLE);
    assert_ok(emit(&b, "A", "x"), b.fault);
    assert_ok(emit(&b, "A", "x"), b.fault);
}

static void a_namespace_that_is_gone_is_no_failure_but_a_refusal_is(void **state)
{
    (void)state;
    BENCH;
    expect(&b, "POST", 404);
    fake_transport_add(
        b.fake,
        (struct fake_row){
            .method = "POST",
            .status = 422,
            .body =
                "{\"kind\":\"Status\",\"reason\":\"Invalid\",\"message\":\"bad note\"}"});

    assert_ok(emit(&b, "A", "x"), b.fault);
    assert_false(emit(&b, "A", "x"));
    assert_contains(b.fault.text, "bad note");
}

static void long_texts_are_cut_to_what_the_api_takes(void **state)
{
    (void)state;
    BENCH;
    AUTO(buf_deinit) struct buf text = {0};
    AUTO(buf_deinit) struct buf name = {0};

    buf_init(&text, 8192);
    buf_init(&name, 8192);
    for (int i = 0; i < 300; i++) {
        buf_addz(&text, "\xe4\xb8\xad\xe6\x96\x87");
        buf_addz(&name, i % 2 == 0 ? "a" : "-");
    }
    json_set_string(json_set_object(b.object, "metadata"), "name", buf_z(&name));
    expect(&b, "POST", 201);
    assert_ok(emit(&b, buf_z(&text), buf_z(&text)), b.fault);
    AUTO(json_freep)
    struct json *sent = test_json(fake_transport_request(b.fake, 0)->body);
    assert_int_equal(strlen(json_get_string(sent, "note")), 1023);
    assert_int_equal(strlen(json_get_string(sent, "reason")), 126);
    assert_string_equal(json_path_string(sent, "metadata.namespace"), "default");
    const char *event = json_path_string(sent, "metadata.name");
    assert_true(strlen(event) <= 253);
    assert_contains(event, "a.18867251edfa0000"); /* never "-." */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_says_what_about_whom),
        cmocka_unit_test(an_annotation_goes_along),
        cmocka_unit_test(a_repeated_note_counts_on_the_event_that_is_there),
        cmocka_unit_test(names_differ_within_one_millisecond),
        cmocka_unit_test(a_series_ends_after_six_quiet_minutes),
        cmocka_unit_test(an_expired_event_is_made_again),
        cmocka_unit_test(a_bucket_holds_25_and_refills_one_in_300_seconds),
        cmocka_unit_test(what_was_not_delivered_begins_anew),
        cmocka_unit_test(a_namespace_that_is_gone_is_no_failure_but_a_refusal_is),
        cmocka_unit_test(long_texts_are_cut_to_what_the_api_takes),
    };

    return cmocka_run_group_tests_name("kube/events", tests, NULL, NULL);
}

#include "reflector_bench.h"

#include "kube/exchange.h"

#include <pthread.h>
#include <stdlib.h>

static void failures_of_the_watch_keep_or_drop_the_version(void **state)
{
    (void)state;
    const struct {
        int status;
        const char *body;
        bool relist;
        const char *logged;
    } rows[] = {
        {0, "", false, "ConnectionRefused"},
        {429, STATUS(429, "TooManyRequests"), false, "TooManyRequests"},
        {503, "", false, "Unavailable"},
        {504, STATUS(504, "Timeout"), false, "Timeout"},
        {500, STATUS(500, "InternalError"), false, "ServerError"},
        {403, STATUS(403, "Forbidden"), false, "Forbidden"},
        {404, "404 page not found", true, "NotServed"},
        {200, ERROR(429, "TooManyRequests"), false, "TooManyRequests"},
        {200, ERROR(500, "InternalError"), true, "ServerError"},
        {200, ERROR(504, "Timeout"), false, "Timeout"},
        {200, ERROR(7, "Strange"), true, "ServerError"},
        {200, "garbage\n", true, "BadEvent"},
        {200, "{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"name\":\"x\"}}}\n", true,
         "BadEvent"},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        BENCH;
        AUTO(buf_deinit) struct buf log = {0};
        add_list(&b, 200, LIST("10", OBJ("a", "1")));
        add_watch(&b, 200, "resourceVersion=10&", EVENT("ADDED", "b", "11"));
        add_watch(&b, rows[i].status, "resourceVersion=11&", rows[i].body);
        if (rows[i].relist) {
            add_list(&b, 200, LIST("20", OBJ("a", "1")));
            add_watch(&b, 200, "resourceVersion=20&", "");
        } else {
            add_watch(&b, 200, "resourceVersion=11&", "");
        }
        reflector_run(&b.r, &b.root);
        assert_int_equal(b.r.errors, 1);
        assert_int_equal(b.r.lists, rows[i].relist ? 2 : 1);
        read_log(&b, &log);
        assert_contains(buf_z(&log), rows[i].logged);
        assert_contains(buf_z(&log), "\"step\":\"watch\"");
    }
}

static void good_events_before_a_bad_line_count(void **state)
{
    (void)state;
    BENCH;
    add_list(&b, 200, LIST("10", ""));
    add_watch(&b, 200, NULL,
              EVENT("ADDED", "b", "11") "garbage\n" EVENT("ADDED", "c", "12"));
    reflector_run(&b.r, &b.root);
    assert_store(&b, "n/b=11 ");
}

static void a_line_too_long_is_a_fault_and_a_list(void **state)
{
    (void)state;
    BENCH;
    char *line = malloc(KUBE_EVENT_LINE_MAX + 3);

    assert_non_null(line);
    memset(line, 'x', KUBE_EVENT_LINE_MAX + 1);
    memcpy(line + KUBE_EVENT_LINE_MAX + 1, "\n", 2);
    add_list(&b, 200, LIST("10", ""));
    fake_transport_add(b.fake, (struct fake_row){.method = "WATCH",
                                                 .status = 200,
                                                 .body = line,
                                                 .chunk_bytes = 65536,
                                                 .lasts_ms = 2000});
    add_list(&b, 200, LIST("11", ""));
    reflector_run(&b.r, &b.root);
    free(line);
    assert_int_equal(b.r.errors, 1);
    assert_int_equal(b.r.lists, 2);
}

static void a_list_that_fails_is_tried_again_for_ever(void **state)
{
    (void)state;
    const struct {
        int status;
        const char *body, *logged;
    } rows[] = {
        {0, "", "ConnectionRefused"},
        {403, STATUS(403, "Forbidden"), "verbs: [\\\"list\\\"]"},
        {404, "404 page not found", "install the project's CustomResourceDefinitions"},
        {401, "", "Unauthorized"},
        {500, "", "ServerError"},
        {200, "{}", "another kind"},
        {200, "{\"kind\":\"TableSyncList\"}", "the list has no items"},
        {200, "{\"kind\":\"TableSyncList\",\"items\":[]}", "resourceVersion"},
        {200, STATUS(500, "InternalError"), "a Status and not what was asked for"},
        {200, LIST("1", "7"), "items are no objects"},
        {200, "<html>", "a web page"},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        BENCH;
        AUTO(buf_deinit) struct buf log = {0};
        add_list(&b, rows[i].status, rows[i].body);
        add_list(&b, rows[i].status, rows[i].body);
        add_list(&b, 200, LIST("20", OBJ("a", "15")));
        reflector_run(&b.r, &b.root);
        assert_int_equal(b.r.errors, 2);
        assert_int_equal(b.r.lists, 1);
        assert_store(&b, "n/a=15 ");
        read_log(&b, &log);
        assert_contains(buf_z(&log), rows[i].logged);
        assert_contains(buf_z(&log), "\"level\":\"error\"");
    }
}

static void a_failed_list_leaves_the_store_alone(void **state)
{
    (void)state;
    BENCH;
    add_list(&b, 200, LIST("10", OBJ("a", "1")));
    add_watch(&b, 410, NULL, STATUS(410, "Expired"));
    add_list(&b, 500, "");
    reflector_run(&b.r, &b.root);
    assert_store(&b, "n/a=1 ");
}

static void a_short_watch_is_not_reopened_at_once(void **state)
{
    (void)state;
    const char *bodies[] = {"", EVENT("ADDED", "b", "11")};

    for (size_t i = 0; i < COUNT_OF(bodies); i++) {
        BENCH;
        AUTO(buf_deinit) struct buf log = {0};
        add_list(&b, 200, LIST("10", ""));
        fake_transport_add(b.fake, (struct fake_row){.method = "WATCH",
                                                     .status = 200,
                                                     .body = bodies[i],
                                                     .lasts_ms = 999});
        add_watch(&b, 200, i == 0 ? "resourceVersion=10&" : "resourceVersion=11&", "");
        reflector_run(&b.r, &b.root);
        assert_int_equal(b.r.errors, 1);
        read_log(&b, &log);
        assert_contains(buf_z(&log), "ShortWatch");
    }
}

static void silence_and_broken_streams_are_how_long_watches_end(void **state)
{
    (void)state;
    const char *reasons[] = {"Idle", "ConnectionLost", "Timeout"};

    for (size_t i = 0; i < COUNT_OF(reasons); i++) {
        BENCH;
        add_list(&b, 200, LIST("10", ""));
        fake_transport_add(b.fake, (struct fake_row){.method = "WATCH",
                                                     .status = 200,
                                                     .body = BOOKMARK("30"),
                                                     .broken = reasons[i],
                                                     .lasts_ms = 90000});
        add_watch(&b, 200, "resourceVersion=30&", "");
        reflector_run(&b.r, &b.root);
        assert_int_equal(b.r.errors, 0);
        assert_int_equal(b.r.watches, 3);
    }
}

static void an_old_deleted_event_does_not_remove_the_successor(void **state)
{
    (void)state;
    BENCH;
    add_list(&b, 200, LIST("10", ""));
    add_watch(&b, 200, NULL,
              "{\"type\":\"DELETED\",\"object\":{\"metadata\":{\"namespace\":\"n\","
              "\"name\":\"a\",\"uid\":\"first\",\"resourceVersion\":\"12\"}}}\n");
    kube_store_put(b.r.store,
                   test_json("{\"metadata\":{\"namespace\":\"n\",\"name\":\"a\","
                             "\"uid\":\"second\",\"resourceVersion\":\"15\"}}"));
    reflector_run(&b.r, &b.root);
    assert_store(&b, "n/a=15 ");
    assert_string_equal(buf_z(&b.changes), "");
}

static void unknown_events_are_passed_over(void **state)
{
    (void)state;
    BENCH;
    add_list(&b, 200, LIST("10", ""));
    add_watch(&b, 200, NULL,
              "{\"type\":\"FUTURE\",\"object\":{}}\n" EVENT("ADDED", "b", "11"));
    reflector_run(&b.r, &b.root);
    assert_store(&b, "n/b=11 ");
    assert_int_equal(b.r.errors, 0);
}

static void pauses_grow_and_have_a_cap(void **state)
{
    (void)state;
    BENCH;
    AUTO(buf_deinit) struct buf log = {0};
    int64_t last = 0;

    b.r.backoff_base_ms = 4;
    for (int i = 0; i < 5; i++) {
        add_list(&b, 500, "");
    }
    reflector_run(&b.r, &b.root);
    read_log(&b, &log);
    const char *at = buf_z(&log);
    for (int i = 0; i < 5; i++) {
        at = strstr(at, "\"retry_in_ms\":");
        assert_non_null(at);
        at += strlen("\"retry_in_ms\":");
        int64_t pause = atoll(at);
        assert_in_range(pause, 4 << i,
                        8 << i); /* the base doubled, plus as much by chance */
        assert_true(pause >= last);
        last = pause / 2;
    }
}

static void two_quiet_minutes_forget_old_failures(void **state)
{
    (void)state;
    BENCH;
    AUTO(buf_deinit) struct buf log = {0};

    b.r.backoff_base_ms = 4;
    for (int i = 0; i < 4; i++) {
        add_list(&b, 500, "");
    }
    add_list(&b, 200, LIST("1", ""));
    fake_transport_add(
        b.fake, (struct fake_row){
                    .method = "WATCH", .status = 200, .body = "", .lasts_ms = 200000});
    fake_transport_add(b.fake, (struct fake_row){.method = "WATCH", .status = 503});
    reflector_run(&b.r, &b.root);
    read_log(&b, &log);
    const char *at = strstr(buf_z(&log), "\"step\":\"watch\"");
    assert_non_null(at);
    at = strstr(at, "\"retry_in_ms\":");
    assert_in_range(atoll(at + strlen("\"retry_in_ms\":")), 4, 8);
}

static void retry_after_is_waited_for(void **state)
{
    (void)state;
    BENCH;
    const struct clock *real = clock_system();

    b.api.clock = real;
    fake_transport_add(
        b.fake, (struct fake_row){
                    .method = "GET", .status = 429, .retry_after_s = 1, .body = ""});
    add_list(&b, 200, LIST("1", ""));
    int64_t began_ms = clock_monotonic_ms(real);
    reflector_run(&b.r, &b.root);
    assert_true(clock_monotonic_ms(real) - began_ms >= 1000);
    assert_int_equal(b.r.lists, 1);
    assert_int_equal(b.r.errors, 1);
}

static void what_another_was_told_is_waited_for_without_a_failure(void **state)
{
    (void)state;
    BENCH;
    const struct clock *real = clock_system();
    int64_t began_ms = clock_monotonic_ms(real);

    b.api.clock = real;
    const struct errors_call list = {.verb = "list", .resource = &syncs};
    exchange_pause(&b.api, &list, 1);
    add_list(&b, 200, LIST("1", ""));
    reflector_run(&b.r, &b.root);
    assert_true(clock_monotonic_ms(real) - began_ms >= 1000);
    assert_int_equal(b.r.lists, 1);
    assert_int_equal(b.r.errors, 0);
}

static void *run(void *context)
{
    struct bench *b = context;

    reflector_run(&b->r, &b->root);
    return NULL;
}

static void a_pause_ends_with_the_cancel(void **state)
{
    (void)state;
    BENCH;
    pthread_t thread;
    int64_t began_ms = clock_monotonic_ms(clock_system());

    b.r.backoff_base_ms = 30000;
    add_list(&b, 500, "");
    assert_int_equal(pthread_create(&thread, NULL, run, &b), 0);
    while (b.r.errors == 0) {
        (void)sched_yield();
    }
    cancel_fire(&b.root);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true(clock_monotonic_ms(clock_system()) - began_ms < 5000);
}

static void readers_see_whole_states_while_it_runs(void **state)
{
    (void)state;
    BENCH;
    pthread_t thread;

    b.r.on_change = NULL;
    for (int i = 0; i < 100; i++) {
        add_list(&b, 200, LIST("10", OBJ("a", "1") "," OBJ("b", "2")));
        add_watch(&b, 200, NULL, STREAM);
        fake_transport_add(b.fake, (struct fake_row){.method = "WATCH",
                                                     .status = 410,
                                                     .body = STATUS(410, "Expired"),
                                                     .lasts_ms = 200000});
    }
    assert_int_equal(pthread_create(&thread, NULL, run, &b), 0);
    while (!cancel_fired(&b.root)) {
        bool synced = kube_store_synced(b.r.store);
        AUTO(kube_object_putp) struct kube_object *a = kube_store_get(b.r.store, "n/a");
        if (synced) { /* then every list and every watch holds it */
            assert_non_null(kube_name(a == NULL ? NULL : a->json));
        }
    }
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(b.r.lists, 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(failures_of_the_watch_keep_or_drop_the_version),
        cmocka_unit_test(good_events_before_a_bad_line_count),
        cmocka_unit_test(a_line_too_long_is_a_fault_and_a_list),
        cmocka_unit_test(a_list_that_fails_is_tried_again_for_ever),
        cmocka_unit_test(a_failed_list_leaves_the_store_alone),
        cmocka_unit_test(a_short_watch_is_not_reopened_at_once),
        cmocka_unit_test(silence_and_broken_streams_are_how_long_watches_end),
        cmocka_unit_test(an_old_deleted_event_does_not_remove_the_successor),
        cmocka_unit_test(unknown_events_are_passed_over),
        cmocka_unit_test(pauses_grow_and_have_a_cap),
        cmocka_unit_test(two_quiet_minutes_forget_old_failures),
        cmocka_unit_test(retry_after_is_waited_for),
        cmocka_unit_test(what_another_was_told_is_waited_for_without_a_failure),
        cmocka_unit_test(a_pause_ends_with_the_cancel),
        cmocka_unit_test(readers_see_whole_states_while_it_runs),
    };

    return cmocka_run_group_tests_name("kube/reflector_faults", tests, NULL, NULL);
}

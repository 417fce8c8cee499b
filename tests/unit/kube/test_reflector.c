#include "reflector_bench.h"

#include <stdlib.h>

static void pages_are_listed_then_watched(void **state)
{
    (void)state;
    BENCH;
    add_list(&b, 200,
             "{\"kind\":\"TableSyncList\",\"metadata\":{\"resourceVersion\":\"10\","
             "\"continue\":\"t+1\"},"
             "\"items\":[" OBJ("a", "1") "]}");
    fake_transport_add(b.fake, (struct fake_row){.method = "GET",
                                                 .path = "?limit=500&continue=t%2B1",
                                                 .status = 200,
                                                 .body = LIST("10", OBJ("b", "2"))});
    add_watch(&b, 200,
              "watch=1&allowWatchBookmarks=true&resourceVersion=10&timeoutSeconds=",
              EVENT("ADDED", "c", "11") EVENT("MODIFIED", "a", "12")
                  EVENT("DELETED", "b", "13") BOOKMARK("40"));
    add_watch(&b, 200, "resourceVersion=40&", "");

    assert_false(kube_store_synced(b.r.store));
    reflector_run(&b.r, &b.root);
    assert_true(kube_store_synced(b.r.store));
    assert_string_equal(buf_z(&b.changes), "+n/a +n/b ~n/c ~n/a ~n/b ");
    assert_store(&b, "n/a=12 n/c=11 ");
    assert_int_equal(b.r.lists, 1);
    assert_int_equal(b.r.events, 3);
    assert_int_equal(b.r.errors, 0);
    assert_int_equal(b.r.last_contact_ms, 3000);
    const char *watch =
        strstr(fake_transport_request(b.fake, 2)->path, "timeoutSeconds=");
    int seconds = atoi(watch + strlen("timeoutSeconds="));
    assert_in_range(seconds, 300, 600);
    AUTO(kube_object_putp) struct kube_object *a = kube_store_get(b.r.store, "n/a");
    assert_string_equal(json_get_string(a->json, "kind"), "TableSync");
}

static void one_object_by_name_is_selected_in_list_and_watch(void **state)
{
    (void)state;
    BENCH;
    b.r.namespace = "n";
    b.r.name = "pw";
    fake_transport_add(
        b.fake,
        (struct fake_row){
            .method = "GET",
            .status = 200,
            .body = LIST("1", ""),
            .path =
                "/namespaces/n/tablesyncs?limit=500&fieldSelector=metadata.name%3Dpw"});
    add_watch(&b, 200, "&fieldSelector=metadata.name%3Dpw", "");

    reflector_run(&b.r, &b.root);
    assert_int_equal(fake_transport_count(b.fake), 2);
    assert_true(kube_store_synced(b.r.store));
}

static void chunks_of_every_size_give_the_same_store(void **state)
{
    (void)state;
    for (size_t chunk = 1; chunk <= strlen(STREAM); chunk++) {
        BENCH;
        add_list(&b, 200, LIST("10", OBJ("a", "1")));
        fake_transport_add(b.fake, (struct fake_row){.method = "WATCH",
                                                     .status = 200,
                                                     .body = STREAM,
                                                     .chunk_bytes = chunk,
                                                     .lasts_ms = 2000});
        reflector_run(&b.r, &b.root);
        assert_store(&b, "n/a=12 n/d=14 ");
        assert_string_equal(buf_z(&b.changes), "+n/a ~n/b ~n/a ~n/b ~n/d ");
        assert_int_equal(b.r.errors, 0);
    }
}

static void a_stream_cut_at_every_byte_goes_on_where_it_was(void **state)
{
    (void)state;
    static const char *const lines[] = {
        EVENT("ADDED", "b", "11"), EVENT("MODIFIED", "a", "12"),
        EVENT("DELETED", "b", "13"), EVENT("ADDED", "d", "14")};

    for (size_t cut = 0; cut <= strlen(STREAM); cut++) {
        BENCH;
        AUTO(buf_deinit) struct buf head = {0};
        AUTO(buf_deinit) struct buf tail = {0};
        char path[64];
        size_t whole = 0;
        size_t end = 0;
        buf_init(&head, 4096);
        buf_init(&tail, 4096);
        buf_add(&head, sv_sub(sv_from(STREAM), 0, cut));
        while (whole < COUNT_OF(lines) && end + strlen(lines[whole]) <= cut) {
            end += strlen(lines[whole++]);
        }
        for (size_t i = whole; i < COUNT_OF(lines); i++) {
            buf_addz(&tail, lines[i]);
        }
        (void)snprintf(path, sizeof(path), "resourceVersion=%zu&", 10 + whole);
        add_list(&b, 200, LIST("10", OBJ("a", "1")));
        fake_transport_add(b.fake, (struct fake_row){.method = "WATCH",
                                                     .status = 200,
                                                     .body = buf_z(&head),
                                                     .broken = "ConnectionLost",
                                                     .lasts_ms = 2000});
        add_watch(&b, 200, path, buf_z(&tail));
        reflector_run(&b.r, &b.root);
        assert_store(&b, "n/a=12 n/d=14 ");
        assert_int_equal(b.r.lists, 1);
        assert_int_equal(b.r.errors, 0);
    }
}

static void a_version_that_is_gone_is_listed_at_once(void **state)
{
    (void)state;
    const struct {
        int status;
        const char *body;
    } rows[] = {
        {410, STATUS(410, "Expired")},
        {200, ERROR(410, "Expired")},
        {200, ERROR(410, "Gone")},
        {200, ERROR(0, "Expired")}, /* the reason decides */
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        BENCH;
        add_list(&b, 200, LIST("10", OBJ("a", "1") "," OBJ("b", "2")));
        add_watch(&b, rows[i].status, NULL, rows[i].body);
        add_list(&b, 200, LIST("90", OBJ("a", "80")));
        add_watch(&b, 200, "resourceVersion=90&", "");
        reflector_run(&b.r, &b.root);
        assert_store(&b, "n/a=80 ");
        assert_string_equal(buf_z(&b.changes), "+n/a +n/b ~n/a ~n/b ");
        assert_int_equal(b.r.lists, 2);
        assert_int_equal(b.r.errors, 0);
    }
}

static void one_gone_after_the_other_is_no_hot_loop(void **state)
{
    (void)state;
    BENCH;
    for (int i = 0; i < 3; i++) {
        add_list(&b, 200, LIST("10", ""));
        add_watch(&b, 410, NULL, STATUS(410, "Expired"));
    }
    add_list(&b, 200, LIST("10", ""));
    reflector_run(&b.r, &b.root);
    assert_int_equal(b.r.errors, 2);
}

static void a_restarted_server_is_listed_at_once_although_calls_failed(void **state)
{
    (void)state;
    BENCH;
    add_list(&b, 200, LIST("10", ""));
    add_watch(&b, 0, NULL, NULL);
    add_watch(&b, 503, NULL, "");
    add_watch(&b, 410, NULL, STATUS(410, "Expired"));
    add_list(&b, 200, LIST("20", ""));
    reflector_run(&b.r, &b.root);
    assert_int_equal(b.r.errors, 2);
    assert_int_equal(b.r.lists, 2);
}

static void an_expired_continue_token_begins_the_list_again(void **state)
{
    (void)state;
    BENCH;
    static const char *const page =
        "{\"kind\":\"TableSyncList\",\"metadata\":{\"resourceVersion\":\"10\","
        "\"continue\":\"t\"},\"items\":[" OBJ("old", "1") "]}";
    add_list(&b, 200, page);
    fake_transport_add(b.fake, (struct fake_row){.method = "GET",
                                                 .path = "continue=t",
                                                 .status = 410,
                                                 .body = STATUS(410, "Expired")});
    add_list(&b, 200, LIST("20", OBJ("new", "15")));
    add_watch(&b, 200, "resourceVersion=20&", "");

    reflector_run(&b.r, &b.root);
    assert_store(&b, "n/new=15 "); /* nothing of the broken list shows */
    assert_string_equal(buf_z(&b.changes), "+n/new ");
    assert_int_equal(b.r.errors, 0);
}

static void a_list_that_keeps_expiring_waits(void **state)
{
    (void)state;
    BENCH;
    static const char *const page =
        "{\"kind\":\"TableSyncList\",\"metadata\":{\"resourceVersion\":\"10\","
        "\"continue\":\"t\"},\"items\":[]}";
    for (int i = 0; i < 4; i++) {
        add_list(&b, 200, page);
        add_list(&b, 410, STATUS(410, "Expired"));
    }
    add_list(&b, 200, LIST("20", ""));
    reflector_run(&b.r, &b.root);
    assert_int_equal(b.r.errors, 1);
    assert_int_equal(b.r.lists, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_are_listed_then_watched),
        cmocka_unit_test(one_object_by_name_is_selected_in_list_and_watch),
        cmocka_unit_test(chunks_of_every_size_give_the_same_store),
        cmocka_unit_test(a_stream_cut_at_every_byte_goes_on_where_it_was),
        cmocka_unit_test(a_version_that_is_gone_is_listed_at_once),
        cmocka_unit_test(one_gone_after_the_other_is_no_hot_loop),
        cmocka_unit_test(a_restarted_server_is_listed_at_once_although_calls_failed),
        cmocka_unit_test(an_expired_continue_token_begins_the_list_again),
        cmocka_unit_test(a_list_that_keeps_expiring_waits),
    };

    return cmocka_run_group_tests_name("kube/reflector", tests, NULL, NULL);
}

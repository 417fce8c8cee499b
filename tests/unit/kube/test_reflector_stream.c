/* The collection as the beginning of a watch (WatchList). */
#include "reflector_bench.h"

#define END(version)                                                                     \
    "{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":{\"resourceVersion\":\"" version    \
    "\",\"annotations\":{\"k8s.io/initial-events-end\":\"true\"}}}}\n"
#define NEWEST                                                                           \
    "?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&resourceVersion=" \
    "&allowWatchBookmarks=true&timeoutSeconds="
#define NOT_OLDER(version)                                                               \
    "&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&resourceVersion=" version \
    "&"
#define FROM(version) "?watch=1&allowWatchBookmarks=true&resourceVersion=" version "&"

#define STREAM_BENCH                                                                     \
    BENCH;                                                                               \
    b.r.list_only = false

static void broken(struct bench *b, const char *path, const char *body,
                   const char *reason)
{
    fake_transport_add(b->fake, (struct fake_row){.method = "WATCH",
                                                  .status = 200,
                                                  .path = path,
                                                  .body = body,
                                                  .broken = reason,
                                                  .lasts_ms = 90000});
}

static void the_collection_and_what_follows_come_in_one_stream(void **state)
{
    (void)state;
    const size_t bytes = strlen(EVENT("ADDED", "a", "7") EVENT("ADDED", "b", "3")
                                    END("10") EVENT("MODIFIED", "a", "12"));

    for (size_t chunk = 1; chunk <= bytes; chunk += 7) {
        STREAM_BENCH;
        fake_transport_add(b.fake,
                           (struct fake_row){.method = "WATCH",
                                             .status = 200,
                                             .path = NEWEST,
                                             .chunk_bytes = chunk,
                                             .lasts_ms = 2000,
                                             .body = EVENT("ADDED", "a", "7")
                                                 EVENT("ADDED", "b", "3") END("10")
                                                     EVENT("MODIFIED", "a", "12")});
        add_watch(&b, 200, FROM("12"), "");
        reflector_run(&b.r, &b.root);
        assert_true(kube_store_synced(b.r.store));
        assert_store(&b, "n/a=12 n/b=3 ");
        assert_string_equal(buf_z(&b.changes), "+n/a +n/b ~n/a ");
        assert_int_equal(b.r.lists, 1);
        assert_int_equal(b.r.events, 1);
        assert_int_equal(b.r.errors, 0);
    }
}

static void nothing_shows_before_the_end_of_the_initial_events(void **state)
{
    (void)state;
    const char *reasons[] = {NULL, "ConnectionLost"};

    for (size_t i = 0; i < COUNT_OF(reasons); i++) {
        STREAM_BENCH;
        /* The versions seen so far are no place to go on from: all begins anew. */
        broken(&b, NEWEST, EVENT("ADDED", "a", "7") BOOKMARK("8"), reasons[i]);
        reflector_run(&b.r, &b.root);
        assert_false(kube_store_synced(b.r.store));
        assert_int_equal(kube_store_count(b.r.store), 0);
        assert_string_equal(buf_z(&b.changes), "");
        assert_int_equal(b.r.errors, 1);
    }
}

static void a_broken_beginning_starts_over(void **state)
{
    (void)state;
    STREAM_BENCH;
    broken(&b, NEWEST, EVENT("ADDED", "gone", "7"), "ConnectionLost");
    add_watch(&b, 200, NEWEST, EVENT("ADDED", "a", "9") END("9"));
    add_watch(&b, 200, FROM("9"), "");
    reflector_run(&b.r, &b.root);
    assert_store(&b, "n/a=9 ");
    assert_string_equal(buf_z(&b.changes), "+n/a ");
    assert_int_equal(b.r.errors, 1);
    assert_false(b.r.list_only);
}

static void changes_among_the_initial_events_count(void **state)
{
    (void)state;
    STREAM_BENCH;
    add_watch(&b, 200, NEWEST,
              EVENT("ADDED", "a", "7") EVENT("ADDED", "b", "8")
                  EVENT("MODIFIED", "a", "9") EVENT("DELETED", "b", "10") END("10"));
    reflector_run(&b.r, &b.root);
    assert_store(&b, "n/a=9 ");
    assert_string_equal(buf_z(&b.changes), "+n/a ");
}

static void a_server_without_it_is_listed_in_pages_for_good(void **state)
{
    (void)state;
    const struct {
        int status;
        const char *body;
    } rows[] = {
        {422, STATUS(422, "Invalid")},
        {400, STATUS(400, "BadRequest")},
        {200, ERROR(422, "Invalid")},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        STREAM_BENCH;
        AUTO(buf_deinit) struct buf log = {0};
        add_watch(&b, rows[i].status, NEWEST, rows[i].body);
        add_list(&b, 200, LIST("10", OBJ("a", "1")));
        add_watch(&b, 410, FROM("10"), STATUS(410, "Expired"));
        add_list(&b, 200, LIST("20", OBJ("a", "1")));
        add_watch(&b, 200, FROM("20"), "");
        reflector_run(&b.r, &b.root);
        assert_true(b.r.list_only);
        assert_store(&b, "n/a=1 ");
        assert_int_equal(b.r.errors, 0);
        read_log(&b, &log);
        const char *said = strstr(buf_z(&log), "does not stream collections");
        assert_non_null(said);
        assert_null(strstr(said + 1, "does not stream collections"));
    }
}

static void silence_after_the_objects_is_a_server_that_does_not_know_it(void **state)
{
    (void)state;
    STREAM_BENCH;
    broken(&b, NEWEST, EVENT("ADDED", "a", "7"), "Idle");
    add_list(&b, 200, LIST("10", OBJ("a", "7")));
    reflector_run(&b.r, &b.root);
    assert_true(b.r.list_only);
    assert_store(&b, "n/a=7 ");
}

static void other_refusals_are_not_taken_for_that(void **state)
{
    (void)state;
    const struct {
        int status;
        const char *body;
    } rows[] = {
        {403, STATUS(403, "Forbidden")},
        {404, "404 page not found"},
        {500, ""},
        {503, ""},
        {401, ""},
        {200, ERROR(500, "InternalError")},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        STREAM_BENCH;
        AUTO(buf_deinit) struct buf log = {0};
        add_watch(&b, rows[i].status, NEWEST, rows[i].body);
        add_watch(&b, 200, NEWEST, EVENT("ADDED", "a", "9") END("9"));
        reflector_run(&b.r, &b.root);
        assert_false(b.r.list_only);
        assert_store(&b, "n/a=9 ");
        assert_int_equal(b.r.errors, 1);
        read_log(&b, &log);
        assert_contains(buf_z(&log), "\"step\":\"list\"");
    }
}

static void an_expired_version_is_followed_by_a_state_not_older(void **state)
{
    (void)state;
    const struct {
        int status;
        const char *body;
    } rows[] = {
        {410, STATUS(410, "Expired")},
        {200, ERROR(410, "Expired")},
        {200, ERROR(0, "Gone")},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        STREAM_BENCH;
        add_watch(&b, 200, NEWEST,
                  EVENT("ADDED", "a", "1") EVENT("ADDED", "b", "2") END("10"));
        add_watch(&b, rows[i].status, FROM("10"), rows[i].body);
        add_watch(&b, 200, NOT_OLDER("10"), EVENT("ADDED", "a", "80") END("90"));
        add_watch(&b, 200, FROM("90"), "");
        reflector_run(&b.r, &b.root);
        assert_store(&b, "n/a=80 "); /* that b is gone nobody said */
        assert_string_equal(buf_z(&b.changes), "+n/a +n/b ~n/a ~n/b ");
        assert_int_equal(b.r.errors, 0);
    }
}

static void a_version_too_large_or_gone_is_followed_by_the_newest_state(void **state)
{
    (void)state;
    const struct {
        int status;
        const char *body;
    } rows[] = {
        {504, STATUS(504, "Timeout")},
        {410, STATUS(410, "Expired")},
        {400, STATUS(400, "BadRequest")},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        STREAM_BENCH;
        add_watch(&b, 200, NEWEST, EVENT("ADDED", "a", "1") END("1000"));
        add_watch(&b, 410, FROM("1000"), STATUS(410, "Expired"));
        add_watch(&b, rows[i].status, NOT_OLDER("1000"), rows[i].body);
        add_watch(&b, 200, NEWEST, EVENT("ADDED", "a", "5") END("7"));
        reflector_run(&b.r, &b.root);
        assert_store(&b, "n/a=5 "); /* the server was restored from a backup */
        assert_int_equal(b.r.errors, 0);
        assert_false(b.r.list_only);
    }
}

static void pages_also_ask_for_a_state_not_older_first(void **state)
{
    (void)state;
    BENCH;
    add_list(&b, 200, LIST("10", OBJ("a", "1")));
    add_watch(&b, 410, FROM("10"), STATUS(410, "Expired"));
    fake_transport_add(b.fake,
                       (struct fake_row){.method = "GET",
                                         .status = 504,
                                         .path = "?limit=500&resourceVersion=10"
                                                 "&resourceVersionMatch=NotOlderThan",
                                         .body = STATUS(504, "Timeout")});
    add_list(&b, 200, LIST("5", OBJ("a", "3")));
    reflector_run(&b.r, &b.root);
    assert_null(strstr(fake_transport_request(b.fake, 3)->path, "resourceVersion"));
    assert_store(&b, "n/a=3 ");
    assert_int_equal(b.r.errors, 0);
}

static void bookmarks_only_move_the_version(void **state)
{
    (void)state;
    STREAM_BENCH;
    add_watch(&b, 200, NEWEST, EVENT("ADDED", "a", "1") END("10") BOOKMARK("55"));
    broken(&b, FROM("55"), BOOKMARK("70"), "Idle");
    add_watch(&b, 200, FROM("70"), "");
    reflector_run(&b.r, &b.root);
    assert_string_equal(buf_z(&b.changes), "+n/a ");
    assert_int_equal(b.r.events, 0);
    assert_int_equal(b.r.lists, 1);
    assert_int_equal(b.r.errors, 0);
}

#define NAMELESS                                                                         \
    "{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"resourceVersion\":\"4\"}}}\n"

static void what_cannot_be_read_is_left_out_and_the_others_go_on(void **state)
{
    (void)state;
    STREAM_BENCH;
    AUTO(buf_deinit) struct buf log = {0};
    AUTO(buf_deinit) struct buf body = {0};

    buf_init(&body, 2 * KUBE_EVENT_LINE_MAX);
    buf_addz(&body, EVENT("ADDED", "a", "1") "garbage\n" NAMELESS);
    for (size_t i = 0; i <= KUBE_EVENT_LINE_MAX; i += 64) {
        buf_addf(&body, "%064d", 7);
    }
    buf_addz(&body, "\n" EVENT("ADDED", "c", "3") END("10"));
    /* The list met it, too: the watch does not list again for it. */
    buf_addz(&body, "{\"type\":\"ADDED\"}\n" EVENT("MODIFIED", "c", "11"));
    fake_transport_add(b.fake, (struct fake_row){.method = "WATCH",
                                                 .status = 200,
                                                 .path = NEWEST,
                                                 .chunk_bytes = 65536,
                                                 .lasts_ms = 2000,
                                                 .body = buf_z(&body)});
    add_watch(&b, 200, FROM("11"), "");
    reflector_run(&b.r, &b.root);
    assert_store(&b, "n/a=1 n/c=11 ");
    assert_int_equal(b.r.unreadable, 4);
    assert_int_equal(b.r.errors, 0);
    read_log(&b, &log);
    assert_contains(buf_z(&log), "\"bytes\":8388672,\"ceiling_bytes\":8388608");
}

static void a_line_that_broke_on_the_way_is_healed_by_one_list(void **state)
{
    (void)state;
    STREAM_BENCH;
    add_watch(&b, 200, NEWEST, EVENT("ADDED", "a", "1") END("10"));
    add_watch(&b, 200, FROM("10"), EVENT("MODIFIED", "a", "11") "{\"type\":\"MOD\n");
    add_watch(&b, 200, NEWEST, EVENT("ADDED", "a", "12") END("12"));
    add_watch(&b, 200, FROM("12"), "");
    reflector_run(&b.r, &b.root);
    assert_store(&b, "n/a=12 ");
    assert_int_equal(b.r.unreadable, 0);
    assert_int_equal(b.r.errors, 1);
}

static void pages_leave_out_what_cannot_be_read(void **state)
{
    (void)state;
    BENCH;
    add_list(&b, 200,
             LIST("10", OBJ("a", "1") ",{\"metadata\":{}},{\"x\":nul}," OBJ("c", "3")));
    reflector_run(&b.r, &b.root);
    assert_store(&b, "n/a=1 n/c=3 ");
    assert_int_equal(b.r.unreadable, 2);
    assert_int_equal(b.r.errors, 0);
}

static void stop(void *context, const char *key, bool initial)
{
    struct bench *b = context;

    assert_true(initial);
    assert_string_equal(key, "n/a");
    cancel_fire(&b->root);
}

static void a_server_that_says_when_is_asked_then(void **state)
{
    (void)state;
    STREAM_BENCH;
    const struct clock *real = clock_system();
    int64_t began_ms = clock_monotonic_ms(real);

    b.api.clock = real;
    b.r.backoff_base_ms = 30000; /* not what is waited for */
    fake_transport_add(
        b.fake, (struct fake_row){
                    .method = "WATCH", .status = 429, .retry_after_s = 1, .body = ""});
    add_watch(&b, 200, NEWEST, EVENT("ADDED", "a", "1") END("10"));
    b.r.on_change = stop;
    reflector_run(&b.r, &b.root);
    assert_in_range(clock_monotonic_ms(real) - began_ms, 1000, 10000);
    assert_true(kube_store_synced(b.r.store));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_collection_and_what_follows_come_in_one_stream),
        cmocka_unit_test(nothing_shows_before_the_end_of_the_initial_events),
        cmocka_unit_test(a_broken_beginning_starts_over),
        cmocka_unit_test(changes_among_the_initial_events_count),
        cmocka_unit_test(a_server_without_it_is_listed_in_pages_for_good),
        cmocka_unit_test(silence_after_the_objects_is_a_server_that_does_not_know_it),
        cmocka_unit_test(other_refusals_are_not_taken_for_that),
        cmocka_unit_test(an_expired_version_is_followed_by_a_state_not_older),
        cmocka_unit_test(a_version_too_large_or_gone_is_followed_by_the_newest_state),
        cmocka_unit_test(pages_also_ask_for_a_state_not_older_first),
        cmocka_unit_test(bookmarks_only_move_the_version),
        cmocka_unit_test(what_cannot_be_read_is_left_out_and_the_others_go_on),
        cmocka_unit_test(a_line_that_broke_on_the_way_is_healed_by_one_list),
        cmocka_unit_test(pages_leave_out_what_cannot_be_read),
        cmocka_unit_test(a_server_that_says_when_is_asked_then),
    };

    return cmocka_run_group_tests_name("kube/reflector_stream", tests, NULL, NULL);
}

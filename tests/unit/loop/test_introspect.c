#include "loop/gauges.h"
#include "loop/introspect.h"
#include "loop/lanes.h"
#include "loop_unit.h"

#include <stdio.h>
#include <time.h>

#define MANY 10000

struct bench {
    struct unit_clock clock;
    struct unit_kube kube;
    struct unit_db db;
    struct cancel stop;
    struct reflector syncs[2]; /* of two namespaces */
    struct introspect in;
    struct buf text;
};

static void setup(struct bench *b)
{
    struct fault fault = FAULT_INIT;
    const struct loop_options options = {.instance = "pod-1", .attempt_ms = 1000};
    struct loop_ports ports = {0};

    *b = (struct bench){.in = {.per_resource = 500}};
    unit_clock_init(&b->clock);
    unit_kube_init(&b->kube);
    unit_db_init(&b->db);
    assert_ok(cancel_init_root(&b->stop, &b->clock.base, &fault), fault);
    ports.kube = &b->kube.base;
    ports.databases = &b->db.base;
    ports.clock = &b->clock.base;
    b->in.loop = loop_new(&ports, &options, &b->stop);
    b->syncs[0] = (struct reflector){.resource = &loop_resource_sync,
                                     .namespace = "east",
                                     .store = b->in.loop->syncs,
                                     .lists = 3,
                                     .events = 12,
                                     .last_contact_ms = b->clock.now_ms};
    b->syncs[1] = b->syncs[0];
    b->in.reflectors = b->syncs;
    b->in.reflector_count = 1;
    buf_init(&b->text, 32 << 20);
}

static void teardown(struct bench *b)
{
    loop_free(b->in.loop);
    cancel_deinit(&b->stop);
    buf_deinit(&b->text);
}

#define BENCH                                                                            \
    AUTO(teardown) struct bench b;                                                       \
    (void)state;                                                                         \
    setup(&b)

static void put(struct bench *b, int number)
{
    static const struct gauges_row row = {.phase = PHASE_STREAMING,
                                          .ready = GAUGE_TRUE,
                                          .sink = "Running",
                                          .snapshot_rows = 5};
    char text[512], key[64];

    (void)snprintf(key, sizeof(key), "ns/sync-%05d", number);
    (void)snprintf(text, sizeof(text),
                   "{\"metadata\":{\"namespace\":\"ns\",\"name\":\"sync-%05d\",\"uid\":"
                   "\"u%d\",\"resourceVersion\":\"%d\"},\"spec\":{},\"status\":{"
                   "\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\",\"reason\":"
                   "\"Streaming\",\"message\":\"\"}]}}",
                   number, number, number + 1);
    kube_store_put(b->in.loop->syncs, unit_json(text));
    gauges_set(b->in.loop->gauges, key, &row);
}

static const char *metrics(struct bench *b)
{
    buf_clear(&b->text);
    introspect_metrics(&b->in, &b->text);
    assert_false(buf_overflowed(&b->text));
    return buf_z(&b->text);
}

static void what_others_hold_is_looked_up(void **state)
{
    BENCH;
    char *taken = NULL;

    put(&b, 1);
    queue_add(b.in.loop->queue, "TableSync/ns/a", QUEUE_NORMAL);
    queue_add(b.in.loop->queue, "TableSync/ns/b", QUEUE_LOW);
    queue_add(b.in.loop->queue, "TableSync/ns/c", QUEUE_NORMAL);
    queue_add(b.in.loop->queue, "TableSync/ns/d", QUEUE_URGENT);
    queue_add(b.in.loop->queue, "TableSync/ns/e", QUEUE_URGENT);
    queue_add(b.in.loop->queue, "TableSync/ns/f", QUEUE_URGENT);
    taken = queue_try_take(b.in.loop->queue);
    b.clock.now_ms += 2500;
    assert_contains(metrics(&b), "priority=\"100\"} 2\n");
    assert_contains(metrics(&b), "\nworkqueue_depth{name=\"tablesync\",controller="
                                 "\"tablesync\",priority=\"0\"} 2\n");
    assert_contains(metrics(&b), "priority=\"-100\"} 1\n");
    assert_contains(metrics(&b), "\nworkqueue_adds_total{name=\"tablesync\",controller="
                                 "\"tablesync\"} 6\n");
    assert_contains(metrics(&b), "\nworkqueue_longest_running_processor_seconds{name="
                                 "\"tablesync\",controller=\"tablesync\"} 2.5\n");
    assert_contains(metrics(&b), "\ntablesync_watch_last_event_seconds{resource="
                                 "\"tablesyncs\"} 2.5\n");
    assert_contains(metrics(&b), "\ntablesync_lists_total{resource=\"tablesyncs\"} 3\n");
    assert_contains(metrics(&b),
                    "\ntablesync_watch_events_total{resource=\"tablesyncs\"} 12\n");
    assert_contains(metrics(&b),
                    "\ntablesync_cache_objects{resource=\"tablesyncs\"} 1\n");
    assert_null(strstr(metrics(&b), "tablesync_cache_bytes{resource=\"tablesyncs\"} 0"));
    assert_contains(metrics(&b), "\ntablesync_ready_resources 1\n");
    assert_contains(metrics(&b), "\ntablesync_resources{kind=\"TableSync\"} 1\n");
    assert_contains(metrics(&b), "name=\"sync-00001\",type=\"Ready\",status=\"True\"} 1");
    assert_null(strstr(metrics(&b), "\ntablesync_binlog_runway_min_seconds "));
    gauges_set(b.in.loop->gauges, "ns/late",
               &(struct gauges_row){.retention_s = 3600,
                                    .position_ms = clock_wall_ms(&b.clock.base) - 60000});
    assert_contains(metrics(&b), "\ntablesync_binlog_runway_min_seconds 3540\n");
    queue_done(b.in.loop->queue, taken);
    assert_contains(metrics(&b), "\nworkqueue_work_duration_seconds_count{name="
                                 "\"tablesync\",controller=\"tablesync\"} 1\n");
}

/* Nobody is to feel a scrape, however many resources there are. */
static void ten_thousand_resources_cost_milliseconds(void **state)
{
    BENCH;
    struct timespec from, to;

    for (int i = 0; i < MANY; i++) {
        put(&b, i);
    }
    (void)metrics(&b);
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);
    (void)metrics(&b);
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to);
    assert_contains(buf_z(&b.text), "\ntablesync_resources{kind=\"TableSync\"} 10000\n");
    assert_contains(buf_z(&b.text), "\ntablesync_resources_without_series 9500\n");
    assert_contains(buf_z(&b.text), "\ntablesync_ready_resources 10000\n");
    /* Below 50 in a release; sanitizers and valgrind are slower. */
    assert_true((to.tv_sec - from.tv_sec) * 1000 + (to.tv_nsec - from.tv_nsec) / 1000000 <
                250);
    assert_true(b.text.n < 2 * 1024 * 1024);
}

static struct json *state_of(struct bench *b)
{
    struct json *root = NULL;
    struct fault fault = FAULT_INIT;

    buf_clear(&b->text);
    introspect_state(&b->in, &b->text);
    assert_ok(json_parse(buf_sv(&b->text), 32 << 20, &root, &fault), fault);
    return root;
}

static void the_state_is_json_and_bounded(void **state)
{
    BENCH;
    char key[64];
    char *taken = NULL;

    for (int i = 0; i < 3 * INTROSPECT_KEYS_MAX; i++) {
        (void)snprintf(key, sizeof(key), "TableSync/ns/later-%d", i);
        queue_add_after(b.in.loop->queue, key, 60000, QUEUE_NORMAL);
        (void)snprintf(key, sizeof(key), "TableSync/ns/\"now\\%d", i);
        queue_add(b.in.loop->queue, key, QUEUE_NORMAL);
    }
    taken = queue_try_take(b.in.loop->queue);
    b.clock.now_ms += 70;
    AUTO(json_freep) struct json *root = state_of(&b);
    const struct json *queue = json_get(root, "queue");
    assert_int_equal(json_path_int(queue, "ready", 0), 3 * INTROSPECT_KEYS_MAX - 1);
    assert_int_equal(json_path_int(queue, "delayed", 0), 3 * INTROSPECT_KEYS_MAX);
    assert_int_equal(json_size(json_get(queue, "waiting")), INTROSPECT_KEYS_MAX);
    assert_int_equal(json_size(json_get(queue, "later")), INTROSPECT_KEYS_MAX);
    const struct json *busy = json_at(json_path(root, "workers.processing"), 0);
    assert_string_equal(json_get_string(busy, "key"), taken);
    assert_int_equal(json_path_int(busy, "busyMs", 0), 70);
    assert_string_equal(json_path_string(root, "instance"), "pod-1");
    assert_int_equal(json_kind(json_path(root, "leader.election")), JSON_BOOL);
    /* How many they are, a sanitizer's allocator does not say. */
    assert_int_equal(json_kind(json_path(root, "memory.usedBytes")), JSON_NUMBER);
    assert_int_equal(json_path_int(json_at(json_get(root, "caches"), 0), "lists", 0), 3);
    queue_done(b.in.loop->queue, taken);
}

/* Of a kind that several namespaces bring there is one series: what they counted
 * together, and the age of the one that was silent for longest. */
static void namespaces_add_up(void **state)
{
    BENCH;
    b.in.reflector_count = 2;
    b.syncs[1].namespace = "west";
    b.syncs[1].lists = 4;
    b.clock.now_ms += 2500;
    b.syncs[1].last_contact_ms = b.clock.now_ms - 1000;
    assert_contains(metrics(&b), "\ntablesync_watch_last_event_seconds{resource="
                                 "\"tablesyncs\"} 2.5\n");
    b.syncs[0].last_contact_ms = b.clock.now_ms;
    assert_contains(metrics(&b), "\ntablesync_watch_last_event_seconds{resource="
                                 "\"tablesyncs\"} 1\n");
    assert_contains(metrics(&b), "\ntablesync_lists_total{resource=\"tablesyncs\"} 7\n");
    AUTO(json_freep) struct json *root = state_of(&b);
    const struct json *west = json_at(json_get(root, "caches"), 1);
    assert_string_equal(json_get_string(west, "namespace"), "west");
    assert_int_equal(json_path_int(west, "lists", 0), 4);
}

static bool refuses(struct unit_db *db, struct fault *fault)
{
    (void)db;
    return fault_set(fault, FAULT_DENIED, NULL, "'u' may not log in: \"***\"");
}

/* One whose login is refused, beside one that answers. */
static void connections_tell_how_they_are(void **state)
{
    BENCH;
    const struct dbconn conn = {.type = DBCONN_RISINGWAVE};
    const struct db_endpoint endpoint = {.conn = &conn, .user = "u"};
    struct lane *well = lane_get(b.in.loop->lanes, "ns/well", "1");
    struct lane *ill = lane_get(b.in.loop->lanes, "ns/ill", "1");
    struct session session = {0}, none = {0};
    struct fault fault = FAULT_INIT;

    assert_ok(session_open(well, &endpoint, "TableSync/ns/a", &b.stop, &session, &fault),
              fault);
    b.db.on_open = refuses;
    assert_false(session_open(ill, &endpoint, "TableSync/ns/a", &b.stop, &none, &fault));
    b.clock.now_ms += 400;
    AUTO(json_freep) struct json *root = state_of(&b);
    for (const struct json *c = json_first(json_get(root, "connections")); c != NULL;
         c = json_next(c)) {
        bool is_ill = strcmp(json_get_string(c, "connection"), "ns/ill") == 0;
        const char *at = json_get_string(c, "triesAgainAt");
        char due[CLOCK_RFC3339_SIZE];

        assert_string_equal(json_get_string(c, "breaker"), is_ill ? "open" : "closed");
        assert_int_equal(json_path_int(c, "sessionsInUse", -1), is_ill ? 0 : 1);
        assert_int_equal(json_path_int(c, "sessionsIdle", -1), 0);
        assert_int_equal(json_path_int(c, "triesAgainInMs", -1), is_ill ? 600 : -1);
        assert_int_equal(json_path_int(c, "lastFaultMsAgo", -1), is_ill ? 400 : -1);
        assert_int_equal(json_get(c, "lastFault") != NULL, is_ill);
        if (is_ill) {
            (void)clock_format_rfc3339(clock_wall_ms(&b.clock.base) + 600, due);
            assert_string_equal(at, due);
            assert_string_equal(json_get_string(c, "lastFault"), fault.text);
        }
    }
    assert_int_equal(json_size(json_get(root, "connections")), 2);
    b.clock.now_ms += 600;
    AUTO(json_freep) struct json *later = state_of(&b);
    assert_contains(buf_z(&b.text), "\"half-open\"");
    assert_contains(buf_z(&b.text), "\"trying\": false");
    session_close(&session, NULL);
    lane_put(well);
    lane_put(ill);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_others_hold_is_looked_up),
        cmocka_unit_test(namespaces_add_up),
        cmocka_unit_test(ten_thousand_resources_cost_milliseconds),
        cmocka_unit_test(the_state_is_json_and_bounded),
        cmocka_unit_test(connections_tell_how_they_are),
    };

    return cmocka_run_group_tests_name("loop/introspect", tests, NULL, NULL);
}

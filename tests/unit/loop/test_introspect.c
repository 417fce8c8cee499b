#include "loop/gauges.h"
#include "loop/introspect.h"
#include "loop_unit.h"

#include <stdio.h>
#include <time.h>

#define MANY 10000

struct bench {
    struct unit_clock clock;
    struct unit_kube kube;
    struct unit_db db;
    struct cancel stop;
    struct reflector syncs;
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
    b->syncs = (struct reflector){.resource = &loop_resource_sync,
                                  .store = b->in.loop->syncs,
                                  .lists = 3,
                                  .events = 12,
                                  .last_contact_ms = b->clock.now_ms};
    b->in.syncs = &b->syncs;
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_others_hold_is_looked_up),
        cmocka_unit_test(ten_thousand_resources_cost_milliseconds),
        cmocka_unit_test(the_state_is_json_and_bounded),
    };

    return cmocka_run_group_tests_name("loop/introspect", tests, NULL, NULL);
}

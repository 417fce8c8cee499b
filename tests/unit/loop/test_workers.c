/* Threads come with work and go with it. */
#include "loop_unit.h"

#include "base/heap.h"
#include "kube/store.h"
#include "loop/workers.h"

#include <dirent.h>
#include <stdio.h>

#define KEYS 12
#define WAIT_MS 10000
#define LEFT_MAX 4 /* two that stand ready, and whoever is just handing over */

struct scene {
    struct unit_kube kube;
    struct unit_db db;
    struct cancel root;
    struct loop *loop;
    struct workers *workers;
    struct flag arrived, may_go;
};

/* Every write of a status waits here, and is refused. */
static void answer(struct unit_kube *kube, const struct kube_request *request,
                   struct kube_response *response)
{
    struct scene *s = kube->context;

    (void)request;
    flag_raise(&s->arrived);
    (void)flag_wait(&s->may_go, 1, WAIT_MS);
    response->status = 404;
    buf_addz(&response->body, "{\"kind\":\"Status\",\"code\":404}");
}

static void sync_empty(struct kube_store *store)
{
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);
    AUTO(store_listing_freep)
    struct store_listing *listing = store_listing_new(store, NULL);
    struct store_keys keys = {0};
    bool first = false;

    store_listing_commit(listing, "1", arena, &keys, &first);
}

static int set_up(void **state)
{
    const struct loop_options options = {
        .instance = "unit", .resync_ms = 60000, .attempt_ms = 60000};
    struct scene *s = HEAP_NEW(struct scene);
    struct fault fault = FAULT_INIT;

    unit_kube_init(&s->kube);
    unit_db_init(&s->db);
    flag_init(&s->arrived);
    flag_init(&s->may_go);
    s->kube.context = s;
    s->kube.answer = answer;
    assert_ok(cancel_init_root(&s->root, clock_system(), &fault), fault);
    const struct loop_ports ports = {.kube = &s->kube.base,
                                     .databases = &s->db.base,
                                     .clock = clock_system(),
                                     .seed = 1};
    s->loop = loop_new(&ports, &options, &s->root);
    sync_empty(s->loop->syncs);
    sync_empty(s->loop->conns);
    s->workers = workers_new(s->loop, KEYS + 1);
    *state = s;
    return 0;
}

static int tear_down(void **state)
{
    struct scene *s = *state;

    workers_stop(s->workers);
    loop_free(s->loop);
    cancel_deinit(&s->root);
    flag_deinit(&s->arrived);
    flag_deinit(&s->may_go);
    heap_free(s);
    return 0;
}

static void put_sync(struct scene *s, int number)
{
    char text[512];

    (void)snprintf(
        text, sizeof(text),
        "{\"metadata\":{\"name\":\"t%d\",\"namespace\":\"ns\",\"uid\":\"u-%d\","
        "\"generation\":1,\"resourceVersion\":\"%d\"},\"spec\":{\"source\":{"
        "\"connectionRef\":{\"name\":\"my\"}},\"risingWave\":{\"connectionRef\":{"
        "\"name\":\"rw\"}},\"target\":{\"connectionRef\":{\"name\":\"sr\"}}}}",
        number, number, number + 2);
    kube_store_put(s->loop->syncs, unit_json(text));
    (void)snprintf(text, sizeof(text), LOOP_KEY_SYNC "ns/t%d", number);
    queue_add(s->loop->queue, text, QUEUE_NORMAL);
}

static size_t threads(void)
{
    DIR *folder = opendir("/proc/self/task");
    size_t count = 0;

    must(folder != NULL);
    for (const struct dirent *d = readdir(folder); d != NULL; d = readdir(folder)) {
        count += d->d_name[0] != '.';
    }
    (void)closedir(folder);
    return count;
}

static void test_a_burst_leaves_few_threads_behind(void **state)
{
    struct scene *s = *state;
    struct fault fault = FAULT_INIT;
    int64_t deadline_ms = 0;
    size_t before = threads();

    for (int i = 0; i < KEYS; i++) {
        put_sync(s, i);
    }
    assert_ok(workers_start(s->workers, &fault), fault);
    assert_true(flag_wait(&s->arrived, KEYS, WAIT_MS));
    assert_true(threads() >= before + KEYS);
    flag_raise(&s->may_go);
    deadline_ms = clock_monotonic_ms(clock_system()) + WAIT_MS;
    while (threads() > before + LEFT_MAX) {
        assert_true(clock_monotonic_ms(clock_system()) < deadline_ms);
        (void)cancel_sleep(&s->root, 1);
    }
}

static void test_a_second_burst_finds_threads_again(void **state)
{
    struct scene *s = *state;
    struct fault fault = FAULT_INIT;

    flag_raise(&s->may_go);
    assert_ok(workers_start(s->workers, &fault), fault);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < KEYS; i++) {
            put_sync(s, round * KEYS + i);
        }
        assert_true(flag_wait(&s->arrived, (int64_t)(round + 1) * KEYS, WAIT_MS));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_burst_leaves_few_threads_behind, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_a_second_burst_finds_threads_again, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Which changes of resources become work, and for whom. */
#include "loop_unit.h"

#include "base/heap.h"
#include "model/spec.h"

#include <stdio.h>

struct scene {
    struct unit_clock clock;
    struct unit_kube kube;
    struct unit_db db;
    struct cancel root;
    struct loop *loop;
    int64_t version;
};

static int set_up(void **state)
{
    const struct loop_options options = {.instance = "unit", .resync_ms = 60000};
    struct scene *s = HEAP_NEW(struct scene);
    struct fault fault = FAULT_INIT;

    unit_clock_init(&s->clock);
    unit_kube_init(&s->kube);
    unit_db_init(&s->db);
    assert_ok(cancel_init_root(&s->root, &s->clock.base, &fault), fault);
    const struct loop_ports ports = {.kube = &s->kube.base,
                                     .databases = &s->db.base,
                                     .clock = &s->clock.base,
                                     .seed = 1};
    s->loop = loop_new(&ports, &options, &s->root);
    *state = s;
    return 0;
}

static int tear_down(void **state)
{
    struct scene *s = *state;

    loop_free(s->loop);
    cancel_deinit(&s->root);
    heap_free(s);
    return 0;
}

static void put_sync(struct scene *s, const char *namespace, const char *name,
                     int generation, const char *more_metadata, const char *status)
{
    char text[1024];

    (void)snprintf(
        text, sizeof(text),
        "{\"metadata\":{\"name\":\"%s\",\"namespace\":\"%s\",\"uid\":\"u-%s\","
        "\"generation\":%d,\"resourceVersion\":\"%lld\"%s},\"spec\":{\"source\":{"
        "\"connectionRef\":{\"name\":\"my\"}},\"risingWave\":{\"connectionRef\":{"
        "\"name\":\"rw\"}},\"target\":{\"connectionRef\":{\"name\":\"sr\"}}},"
        "\"status\":{\"phase\":\"%s\"}}",
        name, namespace, name, generation, (long long)++s->version, more_metadata,
        status);
    kube_store_put(s->loop->syncs, unit_json(text));
}

static void put_conn(struct scene *s, const char *namespace, const char *name,
                     int generation)
{
    char text[1024];

    (void)snprintf(text, sizeof(text),
                   "{\"metadata\":{\"name\":\"%s\",\"namespace\":\"%s\",\"uid\":\"c-%s\","
                   "\"generation\":%d,\"resourceVersion\":\"%lld\"},\"spec\":{"
                   "\"credentialsSecretRef\":{\"name\":\"login\"}}}",
                   name, namespace, name, generation, (long long)++s->version);
    kube_store_put(s->loop->conns, unit_json(text));
}

/* Takes everything that is ready and counts how often `key` was among it. */
static int take_all(struct scene *s, const char *wanted)
{
    int count = 0;

    for (char *key = queue_try_take(s->loop->queue); key != NULL;
         key = queue_try_take(s->loop->queue)) {
        count += strcmp(key, wanted) == 0 ? 1 : 0;
        queue_done(s->loop->queue, key);
    }
    return count;
}

static int changed(struct scene *s, const char *key)
{
    char wanted[128];

    (void)snprintf(wanted, sizeof(wanted), LOOP_KEY_SYNC "%s", key);
    loop_sync_changed(s->loop, key, false);
    return take_all(s, wanted);
}

static void our_own_status_is_no_news(void **state)
{
    struct scene *s = *state;

    put_sync(s, "ns", "a", 1, "", "Pending");
    assert_int_equal(changed(s, "ns/a"), 1);
    assert_int_equal(changed(s, "ns/a"), 0);
    put_sync(s, "ns", "a", 1, "", "Streaming");
    assert_int_equal(changed(s, "ns/a"), 0);
}

static void what_a_user_does_is_news(void **state)
{
    struct scene *s = *state;

    put_sync(s, "ns", "a", 1, "", "Pending");
    assert_int_equal(changed(s, "ns/a"), 1);
    put_sync(s, "ns", "a", 2, "", "Pending");
    assert_int_equal(changed(s, "ns/a"), 1); /* spec */
    put_sync(s, "ns", "a", 2, ",\"annotations\":{\"tablesync.dev/retry\":\"now\"}",
             "Pending");
    assert_int_equal(changed(s, "ns/a"), 1);
    put_sync(s, "ns", "a", 2, ",\"deletionTimestamp\":\"2026-01-01T00:00:00Z\"",
             "Pending");
    assert_int_equal(changed(s, "ns/a"), 1);
    kube_store_remove(s->loop->syncs, "ns/a");
    assert_int_equal(changed(s, "ns/a"), 1);
}

static void a_new_user_is_told_to_its_connections(void **state)
{
    struct scene *s = *state;

    put_sync(s, "ns", "a", 1, "", "Pending");
    assert_int_equal(changed(s, "ns/a"), 1);
    s->clock.now_ms += 2000;
    assert_int_equal(take_all(s, LOOP_KEY_CONN "ns/rw"), 1);
}

/* Behind however many new resources and first looks. */
static void a_change_comes_before_newcomers(void **state)
{
    static const struct {
        const char *key;
        enum queue_priority taken_as;
    } wanted[] = {{LOOP_KEY_SYNC "ns/old", QUEUE_URGENT},
                  {LOOP_KEY_CONN "ns/idle", QUEUE_URGENT},
                  {LOOP_KEY_SYNC "ns/new", QUEUE_NORMAL},
                  {LOOP_KEY_SYNC "ns/calm", QUEUE_LOW}};
    struct scene *s = *state;

    put_sync(s, "ns", "calm", 1, "", "Pending");
    put_sync(s, "ns", "old", 1, "", "Pending");
    put_conn(s, "ns", "idle", 1);
    loop_conn_changed(s->loop, "ns/idle", true);
    loop_sync_changed(s->loop, "ns/calm", true);
    loop_sync_changed(s->loop, "ns/old", true);
    put_sync(s, "ns", "new", 1, "", "Pending");
    loop_sync_changed(s->loop, "ns/new", false);
    put_sync(s, "ns", "old", 2, "", "Pending");
    loop_sync_changed(s->loop, "ns/old", false);
    put_conn(s, "ns", "idle", 1);
    loop_conn_changed(s->loop, "ns/idle", false); /* our own write */
    assert_int_equal(queue_numbers(s->loop->queue).depth_of[QUEUE_LOW], 2);
    put_conn(s, "ns", "idle", 2);
    loop_conn_changed(s->loop, "ns/idle", false);
    for (size_t i = 0; i < COUNT_OF(wanted); i++) {
        char *key = queue_try_take(s->loop->queue);

        assert_string_equal(key, wanted[i].key);
        assert_int_equal(queue_taken_as(s->loop->queue, key), wanted[i].taken_as);
        queue_done(s->loop->queue, key);
    }
}

static void users_of_a_connection_follow_its_changes(void **state)
{
    struct scene *s = *state;

    put_sync(s, "ns", "a", 1, "", "Pending");
    put_sync(s, "other", "b", 1, "", "Pending");
    put_conn(s, "ns", "rw", 1);
    loop_conn_changed(s->loop, "ns/rw",
                      true); /* the first list: everybody comes anyway */
    assert_int_equal(take_all(s, LOOP_KEY_SYNC "ns/a"), 0);
    put_conn(s, "ns", "rw", 2);
    (void)queue_fail(s->loop->queue, LOOP_KEY_SYNC "ns/a");
    loop_conn_changed(s->loop, "ns/rw", false);
    assert_int_equal(take_all(s, LOOP_KEY_SYNC "ns/a"), 1);
    assert_int_equal(queue_fail(s->loop->queue, LOOP_KEY_SYNC "ns/a"),
                     0); /* a fresh start */
    put_conn(s, "ns", "rw", 3);
    loop_conn_changed(s->loop, "ns/rw", false);
    assert_int_equal(take_all(s, LOOP_KEY_SYNC "other/b"), 0); /* a namesake elsewhere */
    put_conn(s, "ns", "unused", 1);
    loop_conn_changed(s->loop, "ns/unused", false);
    assert_int_equal(take_all(s, LOOP_KEY_SYNC "ns/a"), 0);
}

static void a_secret_wakes_connections_and_their_users(void **state)
{
    struct scene *s = *state;

    put_sync(s, "ns", "a", 1, "", "Pending");
    put_conn(s, "ns", "rw", 1);
    put_conn(s, "other", "rw", 1);
    loop_secret_changed(s->loop, "ns/login");
    assert_int_equal(queue_numbers(s->loop->queue).depth, 2);
    assert_int_equal(take_all(s, LOOP_KEY_SYNC "ns/a"), 1);
    loop_secret_changed(s->loop, "ns/login");
    assert_int_equal(take_all(s, LOOP_KEY_CONN "ns/rw"), 1);
    loop_secret_changed(s->loop, "ns/another");
    assert_int_equal(queue_numbers(s->loop->queue).depth, 0);
}

static void put_held(struct scene *s, const char *name, const char *more_metadata,
                     const char *tls)
{
    char text[1024];

    (void)snprintf(text, sizeof(text),
                   "{\"metadata\":{\"name\":\"%s\",\"namespace\":\"ns\",\"uid\":\"c-%s\","
                   "\"generation\":1,\"resourceVersion\":\"%lld\"%s},\"spec\":{"
                   "\"credentialsSecretRef\":{\"name\":\"login\"},\"tls\":{%s}}}",
                   name, name, (long long)++s->version, more_metadata, tls);
    kube_store_put(s->loop->conns, unit_json(text));
}

/* What TLS verifies with is as good a reason to try again as a password. */
static void certificates_wake_connections_and_their_users(void **state)
{
    static const char *const NAMES[] = {"ns/authority", "ns/client"};
    struct scene *s = *state;

    put_sync(s, "ns", "a", 1, "", "Pending");
    put_held(s, "rw", "",
             "\"caSecretRef\":{\"name\":\"authority\"},\"clientCertSecretRef\":{"
             "\"name\":\"client\"}");
    for (size_t i = 0; i < COUNT_OF(NAMES); i++) {
        loop_secret_changed(s->loop, NAMES[i]);
        assert_int_equal(take_all(s, LOOP_KEY_CONN "ns/rw"), 1);
        loop_secret_changed(s->loop, NAMES[i]);
        assert_int_equal(take_all(s, LOOP_KEY_SYNC "ns/a"), 1);
    }
}

/* Nothing tells any more which connections it used. */
static void a_user_that_is_gone_is_told_to_those_that_are_held(void **state)
{
    struct scene *s = *state;

    put_held(s, "rw", ",\"finalizers\":[\"" DBCONN_FINALIZER "\"]", "");
    put_held(s, "free", "", "");
    put_sync(s, "ns", "a", 1, "", "Pending");
    assert_int_equal(changed(s, "ns/a"), 1);
    s->clock.now_ms += 2000;
    (void)take_all(s, "");
    kube_store_remove(s->loop->syncs, "ns/a");
    assert_int_equal(changed(s, "ns/a"), 1);
    s->clock.now_ms += 2000;
    assert_int_equal(queue_numbers(s->loop->queue).delayed, 1);
    assert_int_equal(take_all(s, LOOP_KEY_CONN "ns/rw"), 1);
}

/* Keys of what does not exist, or of no kind we know, do nothing. */
static void strange_keys_do_nothing(void **state)
{
    struct scene *s = *state;

    loop_reconcile(s->loop, LOOP_KEY_SYNC "ns/nobody");
    loop_reconcile(s->loop, LOOP_KEY_CONN "ns/nobody");
    loop_reconcile(s->loop, "Something/else");
    assert_int_equal(s->kube.calls, 0);
    assert_int_equal(s->db.opens, 0);
    assert_int_equal(queue_next_ms(s->loop->queue), INT64_MAX);
}

#define LOOP_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LOOP_TEST(our_own_status_is_no_news),
        LOOP_TEST(what_a_user_does_is_news),
        LOOP_TEST(a_new_user_is_told_to_its_connections),
        LOOP_TEST(a_change_comes_before_newcomers),
        LOOP_TEST(users_of_a_connection_follow_its_changes),
        LOOP_TEST(a_secret_wakes_connections_and_their_users),
        LOOP_TEST(certificates_wake_connections_and_their_users),
        LOOP_TEST(a_user_that_is_gone_is_told_to_those_that_are_held),
        LOOP_TEST(strange_keys_do_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

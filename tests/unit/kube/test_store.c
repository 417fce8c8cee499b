#include "kube/store.h"
#include "kube_unit.h"

#include <pthread.h>
#include <stdio.h>

static const struct kube_resource secrets = {"", "v1", "secrets", "Secret"};

static struct json *object_of(const char *namespace, const char *name, const char *uid,
                              const char *version)
{
    struct json *root = json_new_object();
    struct json *metadata = json_set_object(root, "metadata");

    json_set_string(metadata, "namespace", namespace);
    json_set_string(metadata, "name", name);
    json_set_string(metadata, "uid", uid);
    json_set_string(metadata, "resourceVersion", version);
    return root;
}

static struct json *object(const char *name, const char *uid, const char *version)
{
    return object_of("n", name, uid, version);
}

static void freep(struct kube_store **store)
{
    kube_store_free(*store);
}

static const char *version_of(struct kube_store *store, const char *key, char out[64])
{
    AUTO(kube_object_putp) struct kube_object *held = kube_store_get(store, key);

    (void)snprintf(out, 64, "%s",
                   held == NULL ? "absent" : kube_resource_version(held->json));
    return out;
}

#define assert_version(store, key, expected)                                             \
    do {                                                                                 \
        char version_[64];                                                               \
        assert_string_equal(version_of(store, key, version_), expected);                 \
    } while (0)

static bool delete (struct kube_store *store, const char *name, const char *uid,
                    const char *version)
{
    AUTO(json_freep) struct json *last = object(name, uid, version);

    return store_delete(store, last);
}

/* Commits a list of (name, uid, version) rows; returns how many keys are told. */
static size_t list(struct kube_store *store, const char *version, size_t count,
                   const char *const rows[][3])
{
    AUTO(store_listing_freep)
    struct store_listing *listing = store_listing_new(store, NULL);
    AUTO(arena_freep) struct arena *a = arena_new(ARENA_CEILING_BYTES);
    struct store_keys keys = {0};
    bool first = false;

    for (size_t i = 0; i < count; i++) {
        AUTO(json_freep) struct json *item = object(rows[i][0], rows[i][1], rows[i][2]);
        store_listing_add(listing, item, &secrets);
    }
    store_listing_commit(listing, version, a, &keys, &first);
    return keys.list.n;
}

static void older_never_replaces_newer(void **state)
{
    (void)state;
    AUTO(freep) struct kube_store *s = kube_store_new();

    kube_store_put(s, object("a", "u", "10"));
    kube_store_put(s, object("a", "u", "9"));
    assert_version(s, "n/a", "10");
    assert_false(store_apply(s, object("a", "u", "9")));
    assert_version(s, "n/a", "10");
    assert_true(store_apply(s, object("a", "u", "100")));
    assert_version(s, "n/a", "100"); /* as numbers, not as text */
    assert_int_equal(kube_store_count(s), 1);
}

static void versions_that_are_no_numbers_are_taken_as_they_come(void **state)
{
    (void)state;
    AUTO(freep) struct kube_store *s = kube_store_new();

    assert_true(store_apply(s, object("a", "u", "x9")));
    assert_true(store_apply(s, object("a", "u", "x1")));
    assert_version(s, "n/a", "x1");
    assert_false(store_apply(s, object("a", "u", "x1")));
}

static void the_echo_of_a_write_is_told_once(void **state)
{
    (void)state;
    AUTO(freep) struct kube_store *s = kube_store_new();

    kube_store_put(s, object("a", "u", "10"));
    assert_true(store_apply(s, object("a", "u", "10")));
    assert_false(store_apply(s, object("a", "u", "10")));

    const struct slim echo = {.namespace = SV("n"),
                              .name = SV("a"),
                              .uid = SV("u"),
                              .version = SV("11"),
                              .text = SV("{\"spec\":\"of the event\"}")};
    kube_store_put(s, object("a", "u", "11"));
    assert_true(store_apply_slim(s, &echo));
    assert_version(s, "n/a", "11"); /* what the write put, not what came after it */
    assert_false(store_apply_slim(s, &echo));
}

static void a_late_answer_does_not_bring_back_the_deleted(void **state)
{
    (void)state;
    AUTO(freep) struct kube_store *s = kube_store_new();

    assert_true(store_apply(s, object("a", "u1", "10")));
    assert_true(delete (s, "a", "u1", "12"));
    kube_store_put(s, object("a", "u1", "11"));
    assert_version(s, "n/a", "absent");
    kube_store_put(s, object("a", "u2", "13"));
    assert_version(s, "n/a", "13");
    kube_store_remove(s, "n/a");
    kube_store_put(s, object("a", "u2", "14"));
    assert_version(s, "n/a", "absent");
    /* The server's own word counts, though: a restored etcd brings objects back. */
    assert_true(store_apply(s, object("a", "u1", "5")));
    assert_version(s, "n/a", "5");
}

static void a_delete_of_the_predecessor_spares_the_namesake(void **state)
{
    (void)state;
    AUTO(freep) struct kube_store *s = kube_store_new();

    kube_store_put(s, object("a", "u2", "20"));
    assert_false(delete (s, "a", "u1", "19"));
    assert_version(s, "n/a", "20");
    assert_true(
        delete (s, "a", "u2", "18")); /* the same object, whatever state is shown */
    assert_version(s, "n/a", "absent");
    assert_false(delete (s, "a", "u2", "18"));
}

static void a_list_replaces_everything_and_tells_the_difference(void **state)
{
    (void)state;
    AUTO(freep) struct kube_store *s = kube_store_new();
    const char *const first[][3] = {{"a", "ua", "1"}, {"b", "ub", "2"}, {"c", "uc", "3"}};
    const char *const second[][3] = {
        {"a", "ua", "1"}, {"b", "ub", "7"}, {"d", "ud", "8"}};

    assert_false(kube_store_synced(s));
    assert_int_equal(list(s, "5", 3, first), 3);
    assert_true(kube_store_synced(s));
    assert_int_equal(list(s, "9", 3, second), 3); /* b changed, c vanished, d is new */
    assert_version(s, "n/c", "absent");
    assert_version(s, "n/b", "7");
    assert_int_equal(list(s, "9", 3, second), 0);
    assert_int_equal(list(s, "9", 0, second), 3);
    assert_int_equal(kube_store_count(s), 0);
}

static void a_list_from_a_restored_server_counts_although_it_is_older(void **state)
{
    (void)state;
    AUTO(freep) struct kube_store *s = kube_store_new();
    const char *const before[][3] = {{"a", "ua", "100"}, {"b", "ub", "101"}};
    const char *const after[][3] = {{"a", "ua", "7"}};

    (void)list(s, "101", 2, before);
    assert_int_equal(list(s, "9", 1, after), 2);
    assert_version(s, "n/a", "7");
    assert_version(s, "n/b", "absent");
}

static void a_write_newer_than_the_list_survives_one_list(void **state)
{
    (void)state;
    AUTO(freep) struct kube_store *s = kube_store_new();
    const char *const rows[][3] = {{"a", "ua", "1"}};

    (void)list(s, "1", 1, rows);
    kube_store_put(s, object("a", "ua", "10"));
    kube_store_put(s, object("new", "un", "11"));
    assert_int_equal(list(s, "9", 1, rows), 0);
    assert_version(s, "n/a", "10");
    assert_version(s, "n/new", "11");
    assert_int_equal(list(s, "9", 1, rows), 2);
    assert_version(s, "n/a", "1");
    assert_version(s, "n/new", "absent");
}

static void a_namesake_in_the_list_is_a_change(void **state)
{
    (void)state;
    AUTO(freep) struct kube_store *s = kube_store_new();
    const char *const one[][3] = {{"a", "u1", "5"}};
    const char *const two[][3] = {{"a", "u2", "8"}};

    (void)list(s, "5", 1, one);
    assert_int_equal(list(s, "9", 1, two), 1);
    kube_store_put(s, object("a", "u1", "12"));
    assert_version(s, "n/a", "8");
}

static void a_reference_outlives_store_and_change(void **state)
{
    (void)state;
    struct kube_store *s = kube_store_new();

    kube_store_put(s, object("a", "u", "1"));
    struct kube_object *held = kube_store_get(s, "n/a");
    assert_true(store_apply(s, object("a", "u", "2")));
    kube_store_free(s);
    assert_string_equal(kube_resource_version(held->json), "1");
    assert_string_equal(held->key, "n/a");
    kube_object_put(held);
}

static void ballast_is_not_stored(void **state)
{
    (void)state;
    AUTO(freep) struct kube_store *s = kube_store_new();
    AUTO(store_listing_freep) struct store_listing *listing = store_listing_new(s, NULL);
    AUTO(arena_freep) struct arena *a = arena_new(ARENA_CEILING_BYTES);
    AUTO(json_freep)
    struct json *fat = test_json(
        "{\"metadata\":{\"name\":\"a\",\"resourceVersion\":\"1\",\"managedFields\":[{}],"
        "\"annotations\":{\"kubectl.kubernetes.io/last-applied-configuration\":\"{}\","
        "\"mine\":\"yes\"}},\"data\":{\"k\":\"dg==\"}}");
    AUTO(buf_deinit) struct buf text = {0};
    struct store_keys keys = {0};
    bool first = false;

    buf_init(&text, 4096);
    store_listing_add(listing, fat, &secrets);
    store_listing_commit(listing, "1", a, &keys, &first);
    AUTO(kube_object_putp) struct kube_object *held = kube_store_get(s, "a");
    json_print(held->json, &text);
    assert_string_equal(buf_z(&text),
                        "{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"metadata\":{"
                        "\"name\":\"a\",\"resourceVersion\":\"1\",\"annotations\":{"
                        "\"mine\":\"yes\"}},\"data\":{\"k\":\"dg==\"}}");
    kube_store_put(s, test_json("{\"metadata\":{\"name\":\"b\",\"resourceVersion\":\"2\","
                                "\"managedFields\":[]}}"));
    AUTO(kube_object_putp) struct kube_object *put = kube_store_get(s, "b");
    assert_null(json_path(put->json, "metadata.managedFields"));
}

/* Commits a list of one namespace with one object, or none; whether it was the first. */
static bool list_of(struct kube_store *store, const char *namespace, const char *name,
                    size_t *out_told)
{
    AUTO(store_listing_freep)
    struct store_listing *listing = store_listing_new(store, namespace);
    AUTO(arena_freep) struct arena *a = arena_new(ARENA_CEILING_BYTES);
    struct store_keys keys = {0};
    bool first = false;

    if (name != NULL) {
        AUTO(json_freep) struct json *item = object_of(namespace, name, name, "5");
        store_listing_add(listing, item, &secrets);
    }
    store_listing_commit(listing, "7", a, &keys, &first);
    *out_told = keys.list.n;
    return first;
}

static bool has(struct kube_store *store, const char *key)
{
    AUTO(kube_object_putp) struct kube_object *held = kube_store_get(store, key);

    return held != NULL;
}

/* A list of one namespace says nothing of the others. */
static void namespaces_share_a_store(void **state)
{
    (void)state;
    const char *names[] = {"east", "west"};
    const struct strlist namespaces = {.v = names, .n = 2};
    AUTO(freep) struct kube_store *s = kube_store_new();
    size_t told = 0;

    kube_store_share(s, &namespaces);
    assert_true(list_of(s, "east", "a", &told));
    assert_int_equal(told, 1);
    assert_false(kube_store_synced(s));
    assert_false(list_of(s, "east", "a", &told)); /* twice the same is not both */
    assert_int_equal(told, 0);
    assert_false(kube_store_synced(s));
    assert_true(list_of(s, "west", "b", &told));
    assert_int_equal(told, 1);
    assert_true(kube_store_synced(s));
    assert_true(has(s, "east/a") && has(s, "west/b"));
    assert_false(list_of(s, "west", NULL, &told));
    assert_int_equal(told, 1);
    assert_true(has(s, "east/a") && !has(s, "west/b"));
}

static void a_status_is_not_an_object(void **state)
{
    (void)state;
    AUTO(freep) struct kube_store *s = kube_store_new();

    kube_store_put(s, test_json("{\"kind\":\"Status\",\"metadata\":{}}"));
    assert_int_equal(kube_store_count(s), 0);
}

/* Readers, writers and lists at once: for the sanitizers, and that no reference is lost.
 */

#define ROUNDS 300

static void *reader(void *context)
{
    struct kube_store *s = context;

    for (int i = 0; i < ROUNDS; i++) {
        AUTO(arena_freep) struct arena *a = arena_new(ARENA_CEILING_BYTES);
        AUTO(kube_object_putp) struct kube_object *one = kube_store_get(s, "n/a");
        size_t count = 0;
        struct kube_object **all = kube_store_all(s, a, &count);
        if (one != NULL && strcmp(one->key, "n/a") != 0) {
            return context;
        }
        for (size_t k = 0; k < count; k++) {
            if (kube_name(all[k]->json) == NULL) {
                return context;
            }
            kube_object_put(all[k]);
        }
        (void)kube_store_count(s);
        (void)kube_store_synced(s);
    }
    return NULL;
}

static void *writer(void *context)
{
    char version[32];

    for (int i = 0; i < ROUNDS; i++) {
        (void)snprintf(version, sizeof(version), "%d", i);
        kube_store_put(context, object("a", "ua", version));
        kube_store_put(context, object("b", "ub", version));
        kube_store_remove(context, "n/b");
    }
    return NULL;
}

static void threads_share_the_store(void **state)
{
    (void)state;
    AUTO(freep) struct kube_store *s = kube_store_new();
    pthread_t threads[4];
    void *(*const work[])(void *) = {reader, reader, writer, writer};
    const char *const rows[][3] = {{"a", "ua", "150"}, {"c", "uc", "2"}};
    void *bad = NULL;

    kube_store_pack(s);
    for (size_t i = 0; i < COUNT_OF(threads); i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, work[i], s), 0);
    }
    for (int i = 0; i < ROUNDS; i++) {
        (void)list(s, "200", 2, rows);
        (void)store_apply(s, object("c", "uc", "3"));
        (void)delete (s, "c", "uc", "4");
    }
    for (size_t i = 0; i < COUNT_OF(threads); i++) {
        assert_int_equal(pthread_join(threads[i], &bad), 0);
        assert_null(bad);
    }
    assert_version(s, "n/b", "absent");
    assert_version(s, "n/c", "absent");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(older_never_replaces_newer),
        cmocka_unit_test(versions_that_are_no_numbers_are_taken_as_they_come),
        cmocka_unit_test(the_echo_of_a_write_is_told_once),
        cmocka_unit_test(a_late_answer_does_not_bring_back_the_deleted),
        cmocka_unit_test(a_delete_of_the_predecessor_spares_the_namesake),
        cmocka_unit_test(a_list_replaces_everything_and_tells_the_difference),
        cmocka_unit_test(a_list_from_a_restored_server_counts_although_it_is_older),
        cmocka_unit_test(a_write_newer_than_the_list_survives_one_list),
        cmocka_unit_test(a_namesake_in_the_list_is_a_change),
        cmocka_unit_test(a_reference_outlives_store_and_change),
        cmocka_unit_test(ballast_is_not_stored),
        cmocka_unit_test(namespaces_share_a_store),
        cmocka_unit_test(a_status_is_not_an_object),
        cmocka_unit_test(threads_share_the_store),
    };

    return cmocka_run_group_tests_name("kube/store", tests, NULL, NULL);
}

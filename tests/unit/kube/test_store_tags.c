/* What a store knows of its objects without parsing them. */
#include "kube/store.h"
#include "kube_unit.h"

#include <stdio.h>

static struct json *object(const char *name, const char *uid, const char *version)
{
    struct json *root = json_new_object();
    struct json *metadata = json_set_object(root, "metadata");

    json_set_string(metadata, "namespace", "n");
    json_set_string(metadata, "name", name);
    json_set_string(metadata, "uid", uid);
    json_set_string(metadata, "resourceVersion", version);
    return root;
}

static void freep(struct kube_store **store)
{
    kube_store_free(*store);
}

static bool delete (struct kube_store *store, const char *name, const char *uid,
                    const char *version)
{
    AUTO(json_freep) struct json *last = object(name, uid, version);

    return store_delete(store, last);
}

/* Two tags: the value of `data.t`, of which objects may have several, and the name. */
static void tagger(struct sv text, struct kube_tags *out)
{
    static const char *const paths[] = {"metadata.name", "data.t"};
    struct sv raw[2];

    json_pick(text, paths, 2, raw);
    struct sv name = json_cursor_plain(raw[0]), t = json_cursor_plain(raw[1]);
    kube_tags_add(out, kube_tag("name", &name, 1));
    kube_tags_add(out, kube_tag("name", &name, 1)); /* counts once */
    if (t.n > 0) {
        kube_tags_add(out, kube_tag("t", &t, 1));
    }
    out->fingerprint = t.n + 1;
}

static struct json *tagged(const char *name, const char *version, const char *t)
{
    struct json *root = object(name, name, version);

    if (t != NULL) {
        json_set_string(json_set_object(root, "data"), "t", t);
    }
    return root;
}

/* The names of the objects with the tag, the latest come first. */
static const char *found(struct kube_store *s, const char *t, struct arena *a)
{
    struct sv part = sv_from(t);
    size_t count = 0;
    const char **keys = kube_store_find(s, kube_tag("t", &part, 1), a, &count);
    const char *all = "";

    for (size_t i = 0; i < count; i++) {
        all = arena_printf(a, "%s%s ", all, keys[i]);
    }
    return all;
}

static void objects_are_found_by_tags_after_every_kind_of_change(void **state)
{
    (void)state;
    AUTO(freep) struct kube_store *s = kube_store_new();
    AUTO(arena_freep) struct arena *a = arena_new(ARENA_CEILING_BYTES);
    uint64_t print = 0;

    kube_store_tag_with(s, tagger);
    assert_string_equal(found(s, "x", a), "");
    kube_store_put(s, tagged("a", "1", "x"));
    assert_true(store_apply(s, tagged("b", "2", "x")));
    assert_true(store_apply(s, tagged("c", "3", "y")));
    assert_string_equal(found(s, "x", a), "n/b n/a ");
    assert_true(store_apply(s, tagged("b", "4", "y"))); /* tags change */
    assert_true(store_apply(s, tagged("c", "5", "y"))); /* and stay */
    assert_string_equal(found(s, "x", a), "n/a ");
    assert_string_equal(found(s, "y", a), "n/b n/c ");
    assert_false(store_apply(s, tagged("c", "4", "x"))); /* older: nothing */
    kube_store_put(s, tagged("c", "6", NULL));
    assert_string_equal(found(s, "y", a), "n/b ");
    assert_true(delete (s, "b", "b", "9"));
    kube_store_remove(s, "n/a");
    assert_string_equal(found(s, "x", a), "");
    assert_string_equal(found(s, "y", a), "");
    assert_true(kube_store_fingerprint(s, "n/c", &print));
    assert_int_equal(print, 1);
    assert_false(kube_store_fingerprint(s, "n/a", &print));
}

static void a_list_brings_its_tags(void **state)
{
    (void)state;
    AUTO(freep) struct kube_store *s = kube_store_new();
    AUTO(store_listing_freep) struct store_listing *listing = NULL;
    AUTO(arena_freep) struct arena *a = arena_new(ARENA_CEILING_BYTES);
    AUTO(json_freep) struct json *new = tagged("new", "2", "x");
    AUTO(json_freep) struct json *same = tagged("same", "1", "x");
    struct store_keys keys = {0};
    bool first = false;

    kube_store_tag_with(s, tagger);
    assert_true(store_apply(s, tagged("same", "1", "x")));
    assert_true(store_apply(s, tagged("gone", "1", "x")));
    kube_store_put(s, tagged("put", "9", "x"));
    listing = store_listing_new(s, NULL);
    store_listing_add(listing, new, NULL);
    store_listing_add(listing, same, NULL);
    store_listing_commit(listing, "5", a, &keys, &first);
    assert_string_equal(found(s, "x", a), "n/put n/same n/new ");
}

#define MANY 5000

static void come_and_go(bool packed, size_t bytes_max)
{
    AUTO(freep) struct kube_store *s = kube_store_new();
    AUTO(arena_freep) struct arena *a = arena_new(ARENA_CEILING_BYTES);
    struct sv x = SV("x");
    size_t count = 0;
    char name[32];

    if (packed) {
        kube_store_pack(s);
    }
    kube_store_tag_with(s, tagger);
    size_t empty_bytes = kube_store_bytes(s);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < MANY; i++) {
            (void)snprintf(name, sizeof(name), "o%d", i);
            assert_true(store_apply(s, tagged(name, "1", i % 2 == 0 ? "x" : "y")));
        }
        assert_int_equal(kube_store_count(s), MANY);
        const char **keys = kube_store_find(s, kube_tag("t", &x, 1), a, &count);
        assert_int_equal(count, MANY / 2);
        assert_string_equal(keys[0], "n/o4998");
        for (int i = 0; i < MANY; i++) {
            AUTO(kube_object_putp) struct kube_object *o = NULL;
            (void)snprintf(name, sizeof(name), "n/o%d", i);
            o = kube_store_get(s, name);
            assert_non_null(o);
            assert_string_equal(o->key, name);
        }
        size_t full_bytes = kube_store_bytes(s);
        assert_in_range(full_bytes - empty_bytes, MANY * 60, MANY * bytes_max);
        for (int i = 0; i < MANY; i++) {
            (void)snprintf(name, sizeof(name), "n/o%d", i);
            kube_store_remove(s, name);
        }
        assert_int_equal(kube_store_count(s), 0);
        (void)kube_store_find(s, kube_tag("t", &x, 1), a, &count);
        assert_int_equal(count, 0);
        assert_true(kube_store_bytes(s) < full_bytes - MANY * 60);
    }
}

static void many_objects_come_and_go_and_are_all_found(void **state)
{
    (void)state;
    come_and_go(false, 600);
    come_and_go(true, 400);
}

static void strings_are_picked_without_the_rest(void **state)
{
    (void)state;
    AUTO(freep) struct kube_store *s = kube_store_new();
    AUTO(arena_freep) struct arena *a = arena_new(ARENA_CEILING_BYTES);
    static const char *const paths[] = {"data.a", "data.b", "data.c", "data.none"};
    const char *out[4] = {NULL};

    kube_store_put(s, test_json("{\"metadata\":{\"name\":\"o\"},\"data\":{\"a\":\"x\","
                                "\"b\":\"q\\\"\\u00fc\",\"c\":7}}"));
    assert_true(kube_store_pick(s, "o", paths, 4, a, out));
    assert_string_equal(out[0], "x");
    assert_string_equal(out[1], "q\"\xc3\xbc");
    assert_null(out[2]);
    assert_null(out[3]);
    assert_false(kube_store_pick(s, "p", paths, 4, a, out));
}

static void only_annotations_asked_for_are_kept(void **state)
{
    (void)state;
    AUTO(freep) struct kube_store *s = kube_store_new();

    kube_store_keep_annotations(s, "mine.dev/");
    kube_store_put(s, test_json("{\"metadata\":{\"name\":\"o\",\"annotations\":{"
                                "\"mine.dev/a\":\"1\",\"theirs.dev/a\":\"2\"}}}"));
    AUTO(kube_object_putp) struct kube_object *o = kube_store_get(s, "o");
    assert_string_equal(kube_annotation(o->json, "mine.dev/a"), "1");
    assert_null(kube_annotation(o->json, "theirs.dev/a"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(objects_are_found_by_tags_after_every_kind_of_change),
        cmocka_unit_test(a_list_brings_its_tags),
        cmocka_unit_test(many_objects_come_and_go_and_are_all_found),
        cmocka_unit_test(strings_are_picked_without_the_rest),
        cmocka_unit_test(only_annotations_asked_for_are_kept),
    };

    return cmocka_run_group_tests_name("kube/store_tags", tests, NULL, NULL);
}

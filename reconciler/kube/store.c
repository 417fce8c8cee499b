#include "kube/store_private.h"

#include "base/heap.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define KEY_BYTES_MAX KUBE_EVENT_LINE_MAX
void store_lock(struct kube_store *store)
{
    must(pthread_mutex_lock(&store->lock) == 0);
}

void store_unlock(struct kube_store *store)
{
    must(pthread_mutex_unlock(&store->lock) == 0);
}

int store_version_compare(struct sv a, struct sv b)
{
    uint64_t left = 0;
    uint64_t right = 0;

    if (sv_eq(a, b)) {
        return 0;
    }
    if (!sv_uint64(a, &left) || !sv_uint64(b, &right)) {
        return 1;
    }
    return left < right ? -1 : left > right;
}

static struct sv version_of(const struct held *held)
{
    return sv_from(held_version(held));
}

static struct sv uid_of(const struct held *held)
{
    return sv_from(held_uid(held));
}

void store_bury(struct kube_store *store, struct sv uid)
{
    if (uid.n == 0) {
        return;
    }
    char *grave = store->graves[store->next_grave];
    store->next_grave = (store->next_grave + 1) % STORE_GRAVES;
    (void)snprintf(grave, STORE_UID_SIZE, "%.*s", SV_ARGS(uid));
}

static bool is_buried(const struct kube_store *store, const char *uid)
{
    for (size_t i = 0; uid[0] != '\0' && i < STORE_GRAVES; i++) {
        if (strncmp(store->graves[i], uid, STORE_UID_SIZE - 1) == 0) {
            return true;
        }
    }
    return false;
}

struct kube_store *kube_store_new(void)
{
    struct kube_store *store = heap_new(sizeof(*store));

    must(pthread_mutex_init(&store->lock, NULL) == 0);
    store->objects = shelf_new(rng_seed_from_system());
    return store;
}

void kube_store_tag_with(struct kube_store *store, kube_tagger *tagger)
{
    store->tagger = tagger;
}

void kube_store_keep_annotations(struct kube_store *store, const char *prefix)
{
    store->annotations = prefix;
}

const char *store_annotations(const struct kube_store *store)
{
    return store->annotations;
}

void kube_store_free(struct kube_store *store)
{
    if (store == NULL) {
        return;
    }
    shelf_free(store->objects);
    (void)pthread_mutex_destroy(&store->lock);
    heap_free(store);
}

/* --- taking objects --- */

/* The tree and the key in what is handed out: it lives as long as its taker wants. */
struct taken {
    struct kube_object object; /* first: the public view */
    char key[];
};

static struct kube_object *take(struct held *held)
{
    struct sv key = sv_from(held_key(held));
    struct taken *taken = heap_new(sizeof(*taken) + key.n + 1);
    struct fault fault = FAULT_INIT;

    memcpy(taken->key, key.p, key.n);
    taken->object.key = taken->key;
    /* What stands in a store was checked by the same rules when it came. */
    must(json_parse(held_text(held), held->text_bytes, &taken->object.json, &fault));
    held_put(held);
    return &taken->object;
}

struct kube_object *kube_store_get(struct kube_store *store, const char *key)
{
    store_lock(store);
    struct held *held = shelf_find(store->objects, sv_from(key));
    if (held != NULL) {
        held_ref(held);
    }
    store_unlock(store);
    return held == NULL ? NULL : take(held);
}

void kube_object_put(struct kube_object *object)
{
    if (object != NULL) {
        json_free(object->json);
        heap_free(object);
    }
}

void kube_object_putp(struct kube_object **object)
{
    kube_object_put(TAKE(*object));
}

struct kube_object **kube_store_all(struct kube_store *store, struct arena *arena,
                                    size_t *out_count)
{
    struct held *held = NULL;
    size_t at = 0;
    size_t count = 0;

    store_lock(store);
    size_t room = shelf_count(store->objects);
    struct held **all_held = arena_alloc_array(arena, room, sizeof(struct held *));
    while ((held = shelf_next(store->objects, &at)) != NULL) {
        all_held[count++] = held_ref(held);
    }
    store_unlock(store);
    struct kube_object **all =
        arena_alloc_array(arena, count, sizeof(struct kube_object *));
    for (size_t i = 0; i < count; i++) {
        all[i] = take(all_held[i]);
    }
    *out_count = count;
    return all;
}

const char **kube_store_find(struct kube_store *store, uint64_t tag, struct arena *arena,
                             size_t *out_count)
{
    struct held *held = NULL;
    uint32_t at = SHELF_FIRST;
    size_t count = 0;

    store_lock(store);
    while (shelf_next_tagged(store->objects, tag, &at) != NULL) {
        count++;
    }
    const char **keys = arena_alloc_array(arena, count, sizeof(const char *));
    at = SHELF_FIRST;
    for (size_t i = 0; i < count; i++) {
        held = shelf_next_tagged(store->objects, tag, &at);
        keys[i] = arena_strdup(arena, held_key(held));
    }
    store_unlock(store);
    *out_count = count;
    return keys;
}

static const char *string_of(struct sv raw, struct arena *arena)
{
    AUTO(json_freep) struct json *value = NULL;
    struct sv plain = json_cursor_plain(raw);
    struct fault fault = FAULT_INIT;

    if (plain.p != NULL) {
        return arena_copy(arena, plain);
    }
    return raw.n > 0 && raw.p[0] == '"' && json_parse(raw, raw.n, &value, &fault)
               ? arena_strdup(arena, json_string(value))
               : NULL;
}

bool kube_store_pick(struct kube_store *store, const char *key, const char *const *paths,
                     size_t count, struct arena *arena, const char **out_strings)
{
    store_lock(store);
    struct held *held = shelf_find(store->objects, sv_from(key));
    if (held != NULL) {
        held_ref(held);
    }
    store_unlock(store);
    if (held == NULL) {
        return false;
    }
    struct sv *raw = arena_alloc_array(arena, count, sizeof(*raw));
    json_pick(held_text(held), paths, count, raw);
    for (size_t i = 0; i < count; i++) {
        out_strings[i] = string_of(raw[i], arena);
    }
    held_put(held);
    return true;
}

bool kube_store_fingerprint(struct kube_store *store, const char *key,
                            uint64_t *out_fingerprint)
{
    store_lock(store);
    const struct held *held = shelf_find(store->objects, sv_from(key));
    if (held != NULL) {
        *out_fingerprint = held->fingerprint;
    }
    store_unlock(store);
    return held != NULL;
}

size_t kube_store_count(struct kube_store *store)
{
    store_lock(store);
    size_t count = shelf_count(store->objects);
    store_unlock(store);
    return count;
}

size_t kube_store_bytes(struct kube_store *store)
{
    store_lock(store);
    size_t bytes = shelf_bytes(store->objects);
    store_unlock(store);
    return bytes;
}

bool kube_store_synced(struct kube_store *store)
{
    store_lock(store);
    bool synced = store->synced;
    store_unlock(store);
    return synced;
}

/* --- writing --- */

struct held *store_hold(struct kube_store *store, const struct json *json,
                        const struct kube_resource *resource, bool local)
{
    const struct slim_rules rules = {.resource = resource,
                                     .annotations = store->annotations};
    AUTO(buf_deinit) struct buf printed = {0};
    AUTO(buf_deinit) struct buf text = {0};
    struct fault fault = FAULT_INIT;
    struct slim slim;

    buf_init(&printed, KUBE_BODY_MAX);
    buf_init(&text, KUBE_BODY_MAX + SLIM_ROOM);
    json_print(json, &printed);
    if (buf_overflowed(&printed) || sv_from(kube_name(json)).n == 0 ||
        !slim_parse(buf_sv(&printed), &rules, &text, &slim, &fault)) {
        return NULL;
    }
    /* As it reads, not as it is written: a name from a file may need escapes. */
    slim.name = sv_from(kube_name(json));
    slim.namespace = sv_from(kube_namespace(json));
    return held_new(&slim, store->tagger, local);
}

void kube_store_put(struct kube_store *store, struct json *json)
{
    kube_store_copy(store, json);
    json_free(json);
}

void kube_store_copy(struct kube_store *store, const struct json *json)
{
    struct held *fresh = store_hold(store, json, NULL, true);
    struct held *old = NULL;

    if (fresh == NULL) {
        return; /* a Status, say: not an object to be kept */
    }
    store_lock(store);
    struct held *now = shelf_find(store->objects, sv_from(held_key(fresh)));
    if ((now != NULL && store_version_compare(version_of(fresh), version_of(now)) <= 0) ||
        is_buried(store, held_uid(fresh))) {
        old = fresh;
    } else {
        old = shelf_put(store->objects, fresh);
    }
    store_unlock(store);
    held_put(old);
}

void kube_store_remove(struct kube_store *store, const char *key)
{
    store_lock(store);
    struct held *old = shelf_remove(store->objects, sv_from(key));
    if (old != NULL) {
        store_bury(store, uid_of(old));
    }
    store_unlock(store);
    held_put(old);
}

static bool apply(struct kube_store *store, struct held *fresh)
{
    struct held *old = NULL;
    bool tell = true;

    if (fresh == NULL) {
        return false;
    }
    store_lock(store);
    struct held *now = shelf_find(store->objects, sv_from(held_key(fresh)));
    int order =
        now == NULL ? 1 : store_version_compare(version_of(fresh), version_of(now));
    if (order > 0) {
        old = shelf_put(store->objects, fresh);
    } else {
        /*
         * The echo of our own write is told once: the write's answer may have carried
         * somebody else's change, too, whose own event is now older than the store.
         */
        tell = order == 0 && now->local;
        now->local = now->local && order != 0;
        old = fresh;
    }
    store_unlock(store);
    held_put(old);
    return tell;
}

bool store_apply(struct kube_store *store, struct json *json)
{
    struct held *fresh = store_hold(store, json, NULL, false);

    json_free(json);
    return apply(store, fresh);
}

bool store_apply_slim(struct kube_store *store, const struct slim *slim)
{
    return apply(store, held_new(slim, store->tagger, false));
}

bool store_delete_slim(struct kube_store *store, const struct slim *slim)
{
    AUTO(buf_deinit) struct buf key = {0};
    struct held *old = NULL;

    buf_init(&key, KEY_BYTES_MAX);
    slim_key(slim, &key);
    store_lock(store);
    struct held *now = shelf_find(store->objects, buf_sv(&key));
    /* The store may already hold a namesake that was created after this one's end. */
    if (now != NULL && (sv_eq(slim->uid, uid_of(now)) ||
                        store_version_compare(slim->version, version_of(now)) >= 0)) {
        old = shelf_remove(store->objects, buf_sv(&key));
    }
    store_bury(store, slim->uid);
    store_unlock(store);
    held_put(old);
    return old != NULL;
}

bool store_delete(struct kube_store *store, const struct json *json)
{
    const struct slim slim = {.namespace = sv_from(kube_namespace(json)),
                              .name = sv_from(kube_name(json)),
                              .uid = sv_from(kube_uid(json)),
                              .version = sv_from(kube_resource_version(json))};

    return store_delete_slim(store, &slim);
}

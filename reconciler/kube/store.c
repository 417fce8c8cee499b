#include "kube/store.h"

#include "base/heap.h"
#include "base/map.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#define KEY_BYTES_MAX KUBE_EVENT_LINE_MAX
#define GRAVES                                                                           \
    512 /* uids remembered as deleted: longer than any answer is on its way              \
         */
#define UID_SIZE 64

struct held {
    struct kube_object object; /* first: the public view */
    atomic_uint references;
    bool local; /* put by a write; the server's own event is still to come. Under the lock
                 */
    char key[];
};

struct kube_store {
    pthread_mutex_t lock;
    struct map *objects; /* key -> struct held */
    bool synced;
    char graves[GRAVES][UID_SIZE];
    size_t next_grave;
};

struct store_listing {
    struct kube_store *store;
    struct map *objects;
};

static struct held *held_of(struct kube_object *object)
{
    return (struct held *)(void *)object;
}

static struct held *held_new(struct json *json, struct sv key, bool local)
{
    struct held *held = heap_new(sizeof(*held) + key.n + 1);

    memcpy(held->key, key.p, key.n);
    atomic_init(&held->references, 1);
    held->object = (struct kube_object){.json = json, .key = held->key};
    held->local = local;
    return held;
}

static struct held *held_ref(struct held *held)
{
    atomic_fetch_add(&held->references, 1);
    return held;
}

static void held_put(struct held *held)
{
    if (held == NULL || atomic_fetch_sub(&held->references, 1) != 1) {
        return;
    }
    json_free(held->object.json);
    heap_free(held);
}

static void map_release(struct map *objects)
{
    struct sv key = SV_NULL;
    void *value = NULL;
    size_t at = 0;

    while (map_next(objects, &at, &key, &value)) {
        held_put(value);
    }
    map_free(objects);
}

static void lock(struct kube_store *store)
{
    must(pthread_mutex_lock(&store->lock) == 0);
}

static void unlock(struct kube_store *store)
{
    must(pthread_mutex_unlock(&store->lock) == 0);
}

/* -1, 0, 1; versions that are not numbers are only equal or unknown (then 1: take it). */
static int version_compare(const char *a, const char *b)
{
    uint64_t left = 0;
    uint64_t right = 0;

    if (sv_eq(sv_from(a), sv_from(b))) {
        return 0;
    }
    if (!sv_uint64(sv_from(a), &left) || !sv_uint64(sv_from(b), &right)) {
        return 1;
    }
    return left < right ? -1 : left > right;
}

static int compare(const struct json *a, const struct json *b)
{
    return version_compare(kube_resource_version(a), kube_resource_version(b));
}

static bool same_uid(const struct json *a, const struct json *b)
{
    return sv_eq(sv_from(kube_uid(a)), sv_from(kube_uid(b)));
}

static void bury(struct kube_store *store, const char *uid)
{
    if (uid == NULL) {
        return;
    }
    char *grave = store->graves[store->next_grave];
    store->next_grave = (store->next_grave + 1) % GRAVES;
    (void)snprintf(grave, UID_SIZE, "%s", uid);
}

static bool is_buried(const struct kube_store *store, const char *uid)
{
    for (size_t i = 0; uid != NULL && uid[0] != '\0' && i < GRAVES; i++) {
        if (strncmp(store->graves[i], uid, UID_SIZE - 1) == 0) {
            return true;
        }
    }
    return false;
}

struct kube_store *kube_store_new(void)
{
    struct kube_store *store = heap_new(sizeof(*store));

    must(pthread_mutex_init(&store->lock, NULL) == 0);
    store->objects = map_new(rng_seed_from_system());
    return store;
}

void kube_store_free(struct kube_store *store)
{
    if (store == NULL) {
        return;
    }
    map_release(store->objects);
    (void)pthread_mutex_destroy(&store->lock);
    heap_free(store);
}

struct kube_object *kube_store_get(struct kube_store *store, const char *key)
{
    lock(store);
    struct held *held = map_find(store->objects, sv_from(key));
    if (held != NULL) {
        held_ref(held);
    }
    unlock(store);
    return held == NULL ? NULL : &held->object;
}

void kube_object_put(struct kube_object *object)
{
    if (object != NULL) {
        held_put(held_of(object));
    }
}

void kube_object_putp(struct kube_object **object)
{
    kube_object_put(TAKE(*object));
}

struct kube_object **kube_store_all(struct kube_store *store, struct arena *arena,
                                    size_t *out_count)
{
    struct sv key = SV_NULL;
    void *value = NULL;
    size_t at = 0;
    size_t count = 0;

    lock(store);
    struct kube_object **all =
        arena_alloc_array(arena, map_count(store->objects), sizeof(struct kube_object *));
    while (map_next(store->objects, &at, &key, &value)) {
        all[count++] = &held_ref(value)->object;
    }
    unlock(store);
    *out_count = count;
    return all;
}

size_t kube_store_count(struct kube_store *store)
{
    lock(store);
    size_t count = map_count(store->objects);
    unlock(store);
    return count;
}

bool kube_store_synced(struct kube_store *store)
{
    lock(store);
    bool synced = store->synced;
    unlock(store);
    return synced;
}

void kube_store_put(struct kube_store *store, struct json *json)
{
    AUTO(buf_deinit) struct buf key = {0};
    struct held *old = NULL;

    if (kube_name(json) == NULL) {
        json_free(json); /* a Status, say: not an object to be kept */
        return;
    }
    buf_init(&key, KEY_BYTES_MAX);
    store_key(json, &key);
    struct held *fresh = held_new(store_slim(json, NULL), buf_sv(&key), true);
    json_free(json);
    lock(store);
    struct held *now = map_find(store->objects, buf_sv(&key));
    if ((now != NULL && compare(fresh->object.json, now->object.json) <= 0) ||
        is_buried(store, kube_uid(fresh->object.json))) {
        old = fresh;
    } else {
        old = map_put(store->objects, buf_sv(&key), fresh);
    }
    unlock(store);
    held_put(old);
}

void kube_store_remove(struct kube_store *store, const char *key)
{
    lock(store);
    struct held *old = map_remove(store->objects, sv_from(key));
    if (old != NULL) {
        bury(store, kube_uid(old->object.json));
    }
    unlock(store);
    held_put(old);
}

bool store_apply(struct kube_store *store, struct json *json)
{
    AUTO(buf_deinit) struct buf key = {0};
    struct held *old = NULL;
    bool tell = true;

    buf_init(&key, KEY_BYTES_MAX);
    store_key(json, &key);
    struct held *fresh = held_new(json, buf_sv(&key), false);
    lock(store);
    struct held *now = map_find(store->objects, buf_sv(&key));
    int order = now == NULL ? 1 : compare(json, now->object.json);
    if (order > 0) {
        old = map_put(store->objects, buf_sv(&key), fresh);
    } else {
        /*
         * The echo of our own write is told once: the write's answer may have carried
         * somebody else's change, too, whose own event is now older than the store.
         */
        tell = order == 0 && now->local;
        now->local = now->local && order != 0;
        old = fresh;
    }
    unlock(store);
    held_put(old);
    return tell;
}

bool store_delete(struct kube_store *store, const struct json *json)
{
    AUTO(buf_deinit) struct buf key = {0};
    struct held *old = NULL;

    buf_init(&key, KEY_BYTES_MAX);
    store_key(json, &key);
    lock(store);
    struct held *now = map_find(store->objects, buf_sv(&key));
    /* The store may already hold a namesake that was created after this one's end. */
    if (now != NULL &&
        (same_uid(json, now->object.json) || compare(json, now->object.json) >= 0)) {
        old = map_remove(store->objects, buf_sv(&key));
    }
    bury(store, kube_uid(json));
    unlock(store);
    held_put(old);
    return old != NULL;
}

struct store_listing *store_listing_new(struct kube_store *store)
{
    struct store_listing *listing = heap_new(sizeof(*listing));

    listing->store = store;
    listing->objects = map_new(rng_seed_from_system());
    return listing;
}

void store_listing_free(struct store_listing *listing)
{
    if (listing != NULL) {
        map_release(listing->objects);
        heap_free(listing);
    }
}

void store_listing_freep(struct store_listing **listing)
{
    store_listing_free(TAKE(*listing));
}

size_t store_listing_count(const struct store_listing *listing)
{
    return map_count(listing->objects);
}

void store_listing_add(struct store_listing *listing, const struct json *object,
                       const struct kube_resource *resource)
{
    AUTO(buf_deinit) struct buf key = {0};
    struct held *held = NULL;

    buf_init(&key, KEY_BYTES_MAX);
    store_key(object, &key);
    lock(listing->store);
    struct held *now = map_find(listing->store->objects, buf_sv(&key));
    if (now != NULL && !now->local && same_uid(object, now->object.json) &&
        compare(object, now->object.json) == 0) {
        held = held_ref(now); /* a relist mostly finds what is here: no second copy */
    }
    unlock(listing->store);
    if (held == NULL) {
        held = held_new(store_slim(object, resource), buf_sv(&key), false);
    }
    held_put(map_put(listing->objects, buf_sv(&key), held));
}

/* What the list lacks has vanished, or a write put it after the list was made. */
static void keep_or_bury(struct store_listing *listing, struct held *held,
                         const char *list_version, struct arena *arena,
                         struct store_keys *out_keys)
{
    struct held *listed = map_find(listing->objects, sv_from(held->key));
    const char *version = kube_resource_version(held->object.json);
    const char *against =
        listed == NULL ? list_version : kube_resource_version(listed->object.json);

    if (held->local && version_compare(against, version) < 0) {
        held->local = false; /* once: the watch will have confirmed it by the next list */
        held_put(map_put(listing->objects, sv_from(held->key), held_ref(held)));
        return;
    }
    if (listed == NULL || !same_uid(listed->object.json, held->object.json)) {
        bury(listing->store, kube_uid(held->object.json));
    }
    if (listed != held) {
        VEC_PUSH(arena, &out_keys->list, arena_strdup(arena, held->key));
    }
}

void store_listing_commit(struct store_listing *listing, const char *resource_version,
                          struct arena *arena, struct store_keys *out_keys,
                          bool *out_first)
{
    struct kube_store *store = listing->store;
    struct sv key = SV_NULL;
    void *value = NULL;
    size_t at = 0;

    lock(store);
    while (map_next(store->objects, &at, &key, &value)) {
        keep_or_bury(listing, value, resource_version, arena, out_keys);
    }
    at = 0;
    while (map_next(listing->objects, &at, &key, &value)) {
        if (map_find(store->objects, key) == NULL) {
            VEC_PUSH(arena, &out_keys->list, arena_copy(arena, key));
        }
    }
    struct map *old = store->objects;
    store->objects = listing->objects;
    listing->objects = old;
    *out_first = !store->synced;
    store->synced = true;
    unlock(store);
}

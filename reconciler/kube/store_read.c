/* What a store answers: copies of objects, keys by tag, single values. See reflector.h.
 */
#include "base/heap.h"
#include "kube/store_private.h"

#include <string.h>

/* The tree and the key in what is handed out: it lives as long as its taker wants. */
struct taken {
    struct kube_object object; /* first: the public view */
    char key[];
};

static struct kube_object *take(struct held *held)
{
    struct sv key = sv_from(held_key(held));
    struct taken *taken = heap_new(sizeof(*taken) + key.n + 1);
    AUTO(heap_freep) char *text = held_text(held);
    struct fault fault = FAULT_INIT;

    memcpy(taken->key, key.p, key.n);
    taken->object.key = taken->key;
    /* What stands in a store was checked by the same rules when it came. */
    must(json_parse((struct sv){text, held->text_bytes}, held->text_bytes,
                    &taken->object.json, &fault));
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
    AUTO(heap_freep) char *text = held_text(held);
    struct sv *raw = arena_alloc_array(arena, count, sizeof(*raw));
    json_pick((struct sv){text, held->text_bytes}, paths, count, raw);
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
    bool synced = store->awaited == 0;
    store_unlock(store);
    return synced;
}

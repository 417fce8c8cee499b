/* A list being gathered, and how a store becomes it. */
#include "kube/store_private.h"

#include "base/heap.h"

#define KEY_BYTES_MAX KUBE_EVENT_LINE_MAX

struct store_listing {
    struct kube_store *store;
    struct shelf *objects;
    const char *namespace; /* NULL: all */
};

struct store_listing *store_listing_new(struct kube_store *store, const char *namespace)
{
    struct store_listing *listing = heap_new(sizeof(*listing));

    listing->store = store;
    listing->namespace = namespace;
    listing->objects = shelf_new(rng_seed_from_system());
    return listing;
}

void store_listing_free(struct store_listing *listing)
{
    if (listing != NULL) {
        shelf_free(listing->objects);
        heap_free(listing);
    }
}

void store_listing_freep(struct store_listing **listing)
{
    store_listing_free(TAKE(*listing));
}

size_t store_listing_count(const struct store_listing *listing)
{
    return shelf_count(listing->objects);
}

/* What the store holds of the same object in the same version, or NULL. */
static struct held *known(struct store_listing *listing, const struct slim *slim)
{
    AUTO(buf_deinit) struct buf key = {0};
    struct held *same = NULL;

    buf_init(&key, KEY_BYTES_MAX);
    slim_key(slim, &key);
    store_lock(listing->store);
    struct held *now = shelf_find(listing->store->objects, buf_sv(&key));
    if (now != NULL && !now->local && sv_eq(slim->uid, sv_from(held_uid(now))) &&
        sv_eq(slim->version, sv_from(held_version(now)))) {
        same = held_ref(now);
    }
    store_unlock(listing->store);
    return same;
}

static bool add(struct store_listing *listing, struct held *held)
{
    if (held == NULL) {
        return false;
    }
    held_put(shelf_put(listing->objects, held));
    return true;
}

bool store_listing_add_slim(struct store_listing *listing, const struct slim *slim)
{
    const struct kube_store *store = listing->store;
    struct held *held = known(listing, slim); /* a relist mostly finds what is here */

    return add(listing,
               held != NULL ? held : held_new(slim, store->tagger, store->packer, false));
}

void store_listing_add(struct store_listing *listing, const struct json *object,
                       const struct kube_resource *resource)
{
    (void)add(listing, store_hold(listing->store, object, resource, false));
}

void store_listing_drop(struct store_listing *listing, const struct slim *slim)
{
    AUTO(buf_deinit) struct buf key = {0};

    buf_init(&key, KEY_BYTES_MAX);
    slim_key(slim, &key);
    held_put(shelf_remove(listing->objects, buf_sv(&key)));
    store_lock(listing->store);
    store_bury(listing->store, slim->uid);
    store_unlock(listing->store);
}

static bool is_same(const struct held *a, const struct held *b)
{
    return a == b || (sv_eq(sv_from(held_uid(a)), sv_from(held_uid(b))) &&
                      sv_eq(sv_from(held_version(a)), sv_from(held_version(b))));
}

static bool covers(const struct store_listing *listing, const struct held *held)
{
    struct sv key = sv_from(held_key(held));

    return listing->namespace == NULL ||
           sv_eq(sv_cut(&key, '/'), sv_from(listing->namespace));
}

/* The bit of the list that a namespace has in `awaited`. */
static uint64_t bit_of(const struct store_listing *listing)
{
    const struct strlist *namespaces = listing->store->namespaces;

    for (size_t i = 0; namespaces != NULL && i < namespaces->n; i++) {
        if (strcmp(namespaces->v[i], listing->namespace) == 0) {
            return UINT64_C(1) << i;
        }
    }
    return 1;
}

/* What the list lacks has vanished, or a write put it after the list was made. */
static void keep_or_bury(struct store_listing *listing, struct held *held,
                         const char *list_version, struct arena *arena,
                         struct store_keys *out_keys)
{
    struct held *listed = NULL;
    const char *against = NULL;

    if (!covers(listing, held)) {
        held_put(shelf_put(listing->objects, held_ref(held)));
        return;
    }
    listed = shelf_find(listing->objects, sv_from(held_key(held)));
    against = listed == NULL ? list_version : held_version(listed);

    if (held->local &&
        store_version_compare(sv_from(against), sv_from(held_version(held))) < 0) {
        held->local = false; /* once: the watch will have confirmed it by the next list */
        held_put(shelf_put(listing->objects, held_ref(held)));
        return;
    }
    if (listed == NULL || !sv_eq(sv_from(held_uid(listed)), sv_from(held_uid(held)))) {
        store_bury(listing->store, sv_from(held_uid(held)));
    }
    if (listed == NULL || held->local || !is_same(listed, held)) {
        VEC_PUSH(arena, &out_keys->list, arena_strdup(arena, held_key(held)));
    }
}

void store_listing_commit(struct store_listing *listing, const char *resource_version,
                          struct arena *arena, struct store_keys *out_keys,
                          bool *out_first)
{
    struct kube_store *store = listing->store;
    struct held *held = NULL;
    size_t at = 0;

    store_lock(store);
    while ((held = shelf_next(store->objects, &at)) != NULL) {
        keep_or_bury(listing, held, resource_version, arena, out_keys);
    }
    at = 0;
    while ((held = shelf_next(listing->objects, &at)) != NULL) {
        if (shelf_find(store->objects, sv_from(held_key(held))) == NULL) {
            VEC_PUSH(arena, &out_keys->list, arena_strdup(arena, held_key(held)));
        }
    }
    struct shelf *old = store->objects;
    store->objects = listing->objects;
    listing->objects = old;
    *out_first = (store->awaited & bit_of(listing)) != 0;
    store->awaited &= ~bit_of(listing);
    store_unlock(store);
}

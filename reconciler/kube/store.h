/*
 * store: the reflector's side of a kube_store. Private to the room; the public side is in
 * reflector.h.
 *
 * Two hands write: the reflector, which has the server's word, and kube_store_put(),
 * which is quicker by one round trip. Hence the rules: older never replaces newer
 * (numbers, KEP-5504; other versions are taken as they come); what a write put and the
 * list does not know yet survives one list; a uid seen to be deleted never comes back by
 * kube_store_put().
 */
#ifndef KUBE_STORE_H
#define KUBE_STORE_H

#include "base/vec.h"
#include "kube/reflector.h"

/* ADDED or MODIFIED. True when somebody should be told. Takes `json`. */
bool store_apply(struct kube_store *store, struct json *json);
/* DELETED. True when the object was there. */
bool store_delete(struct kube_store *store, const struct json *json);

/* A list being gathered; nothing of it shows before the commit. */
struct store_listing;

struct store_listing *store_listing_new(struct kube_store *store);
void store_listing_free(struct store_listing *listing);
void store_listing_freep(struct store_listing **listing);
void store_listing_add(struct store_listing *listing, const struct json *object,
                       const struct kube_resource *resource);
size_t store_listing_count(const struct store_listing *listing);

struct store_keys {
    VEC(const char *) list;
};
/*
 * The store becomes the list of `resource_version`; keys of what was added, changed or
 * vanished go to out_keys. *out_first: the store was not synced before.
 */
void store_listing_commit(struct store_listing *listing, const char *resource_version,
                          struct arena *arena, struct store_keys *out_keys,
                          bool *out_first);

/* "namespace/name", or "name" without a namespace. */
void store_key(const struct json *object, struct buf *out);

/*
 * A copy without managedFields and the last-applied annotation, which nobody reads and
 * which are most of an object's bytes. `resource` fills in apiVersion and kind, which
 * lists of built-in types leave out; NULL: as they are.
 */
struct json *store_slim(const struct json *object, const struct kube_resource *resource);

#endif

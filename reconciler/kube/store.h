/*
 * store: the reflector's side of a kube_store. Private to the room; the public side is in
 * reflector.h.
 *
 * Objects are kept as slim JSON text (slim.h), one allocation each, and parsed when one
 * is taken: the tree of an object is five times its text.
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
#include "kube/slim.h"

/* ADDED or MODIFIED. True when somebody should be told. */
bool store_apply_slim(struct kube_store *store, const struct slim *slim);
bool store_apply(struct kube_store *store, struct json *json); /* takes `json` */
/* DELETED. True when the object was there. */
bool store_delete_slim(struct kube_store *store, const struct slim *slim);
bool store_delete(struct kube_store *store, const struct json *json);

/* Which annotations the store keeps: see struct slim_rules. */
const char *store_annotations(const struct kube_store *store);

/* A list being gathered; nothing of it shows before the commit. */
struct store_listing;

/* `namespace`: what the list covers, objects elsewhere stay; NULL: everything. */
struct store_listing *store_listing_new(struct kube_store *store, const char *namespace);
void store_listing_free(struct store_listing *listing);
void store_listing_freep(struct store_listing **listing);
/* false: the identity is monstrous, nothing is added. */
bool store_listing_add_slim(struct store_listing *listing, const struct slim *slim);
void store_listing_add(struct store_listing *listing, const struct json *object,
                       const struct kube_resource *resource);
/* A deletion that came while the list was gathered. */
void store_listing_drop(struct store_listing *listing, const struct slim *slim);
size_t store_listing_count(const struct store_listing *listing);

struct store_keys {
    VEC(const char *) list;
};
/*
 * The store becomes the list of `resource_version`; keys of what was added, changed or
 * vanished go to out_keys. *out_first: no list of this namespace came before.
 */
void store_listing_commit(struct store_listing *listing, const char *resource_version,
                          struct arena *arena, struct store_keys *out_keys,
                          bool *out_first);

/*
 * A copy without managedFields and the last-applied annotation. `resource` fills in
 * apiVersion and kind, which lists of built-in types leave out; NULL: as they are. For
 * those who hold a tree; the reflector slims text.
 */
struct json *store_slim(const struct json *object, const struct kube_resource *resource);

#endif

/*
 * reflector: keeps a local store equal to one collection of the API server (all objects
 * of a type, of a namespace, or one object by name).
 *
 * Where the server offers it the collection comes as a stream that goes on as the watch
 * (WatchList, Kubernetes 1.34 and newer by default); where it does not, in pages of 500
 * that are read as they arrive, so that no list is ever held whole. Both ask for the
 * newest state: a server's cache that lags behind (resourceVersion=0) may show what this
 * process itself has changed or deleted since. Only after a version has expired is a
 * state not older than it enough, because the server answers that from its cache.
 *
 * Bookmarks, jittered timeoutSeconds (5-10 min), reconnect from the last resourceVersion,
 * relist on 410 in its three forms (HTTP status, ERROR event, expired continue token),
 * backoff 800 ms x2 cap 30 s with jitter, an idle watchdog for half-open connections.
 *
 * Lines, objects and collections have ceilings. An object that cannot be read is logged,
 * counted and left out, and the others go on: a list that meets it goes on behind it, a
 * watch first lists again, once, because a broken line may have been an accident.
 *
 * One thread runs reflector_run() per reflector until cancelled. The store is shared.
 */
#ifndef KUBE_REFLECTOR_H
#define KUBE_REFLECTOR_H

#include "base/log.h"
#include "base/vec.h"
#include "kube/api.h"

/* Bookmarks come each minute: longer silence is a dead peer. */
#define REFLECTOR_IDLE_MS 90000
#define KUBE_EVENT_LINE_MAX ((size_t)8 * 1024 * 1024)

/* An object as last seen, parsed for its taker alone. */
struct kube_object {
    struct json *json;
    const char *key; /* "namespace/name" */
};

struct kube_store; /* thread-safe */

struct kube_store *kube_store_new(void);
/*
 * The store is filled by one reflector for each of these namespaces, 1 to
 * KUBE_NAMESPACES_MAX, and synced when each has listed. Before the first object comes;
 * the list lives as long as the store.
 */
#define KUBE_NAMESPACES_MAX 64
void kube_store_share(struct kube_store *store, const struct strlist *namespaces);
void kube_store_free(struct kube_store *store);

/*
 * What a store knows of an object without parsing it, worked out once as it comes. Tags
 * are hashes that objects are found by; two texts may share one, so whoever finds an
 * object looks at it again. Equal fingerprints:
 * nothing changed that the owner of the store cares for.
 */
#define KUBE_TAGS_MAX 6
struct kube_tags {
    uint64_t tag[KUBE_TAGS_MAX];
    size_t count;
    uint64_t fingerprint;
};
uint64_t kube_tag(const char *kind, const struct sv *parts, size_t count);
void kube_tags_add(struct kube_tags *tags, uint64_t tag); /* once each */
/* `text`: the object as it is kept, valid JSON. Called by any thread. */
typedef void kube_tagger(struct sv text, struct kube_tags *out_tags);
/* Both before the first object comes; `prefix` lives as long as the store. */
void kube_store_tag_with(struct kube_store *store, kube_tagger *tagger);
void kube_store_keep_annotations(struct kube_store *store, const char *prefix);
/*
 * Texts are kept packed: for many objects that are much alike. Not for Secrets, since the
 * text of one object lives on in what others are packed with. Before the first object.
 */
void kube_store_pack(struct kube_store *store);

/* Keys of the objects with a tag, the latest come first, in an arena array. */
const char **kube_store_find(struct kube_store *store, uint64_t tag, struct arena *arena,
                             size_t *out_count);
/*
 * Strings at dotted paths of one object, in the arena (NULL: absent, or no string),
 * without parsing the rest. false: there is no such object.
 */
bool kube_store_pick(struct kube_store *store, const char *key, const char *const *paths,
                     size_t count, struct arena *arena, const char **out_strings);
/* false: there is no such object. */
bool kube_store_fingerprint(struct kube_store *store, const char *key,
                            uint64_t *out_fingerprint);

/* NULL when absent; give back with kube_object_put(). */
struct kube_object *kube_store_get(struct kube_store *store, const char *key);
void kube_object_put(struct kube_object *object);
void kube_object_putp(struct kube_object **object);
/* All objects, parsed, each to be given back, in an arena array of *out_count: for small
 * collections. */
struct kube_object **kube_store_all(struct kube_store *store, struct arena *arena,
                                    size_t *out_count);
size_t kube_store_count(struct kube_store *store);
size_t kube_store_bytes(struct kube_store *store); /* of memory, not counting its heap */
bool kube_store_synced(struct kube_store *store);  /* the first lists are complete */
/*
 * Puts what a write answered (takes `json`), so that our own write is seen at once;
 * ignored when the store already holds a newer resourceVersion. Also how fakes fill a
 * store.
 */
void kube_store_put(struct kube_store *store, struct json *json);
void kube_store_copy(struct kube_store *store, const struct json *json); /* the same */
void kube_store_remove(struct kube_store *store, const char *key);

/* Told after the store has changed; from the reflector's thread; must not block. */
typedef void kube_on_change(void *context, const char *key, bool initial);

struct reflector {
    struct kube_api *api;
    const struct kube_resource *resource;
    const char *namespace; /* NULL: all namespaces */
    const char *name;      /* NULL: all names; else fieldSelector metadata.name */
    struct kube_store *store;
    kube_on_change *on_change;
    void *context;
    struct lg *lg;
    struct rng rng;
    int64_t backoff_base_ms; /* the first pause after a failure; 0: 800 ms */
    /* As the api's, for this collection; set by the thread when the server cannot. */
    bool list_only;
    /* For metrics and health; written by the thread. `lists`: also streamed ones.
     * `unreadable`: objects that were left out. */
    _Atomic int64_t lists, watches, events, errors, unreadable, last_contact_ms;
};

/* Returns when `cancel` fires. */
void reflector_run(struct reflector *r, struct cancel *cancel);

#endif

/*
 * reflector: keeps a local store equal to one collection of the API server (all objects
 * of a type, of a namespace, or one object by name), by list-then-watch.
 *
 * Pages of 500, bookmarks, jittered timeoutSeconds (5-10 min), reconnect from the last
 * resourceVersion, relist on 410 in its three forms (HTTP status, ERROR event, expired
 * continue token), backoff 800 ms x2 cap 30 s with jitter, an idle watchdog for half-open
 * connections. Lines, objects and pages have ceilings. managedFields and the last-applied
 * annotation are never stored.
 *
 * One thread runs reflector_run() per reflector until cancelled. The store is shared.
 */
#ifndef KUBE_REFLECTOR_H
#define KUBE_REFLECTOR_H

#include "base/log.h"
#include "kube/api.h"

#define KUBE_EVENT_LINE_MAX ((size_t)8 * 1024 * 1024)

/* A refcounted, immutable object as last seen. */
struct kube_object {
    struct json *json;
    const char *key; /* "namespace/name" */
};

struct kube_store; /* thread-safe */

struct kube_store *kube_store_new(void);
void kube_store_free(struct kube_store *store);
/* NULL when absent; give back with kube_object_put(). */
struct kube_object *kube_store_get(struct kube_store *store, const char *key);
void kube_object_put(struct kube_object *object);
void kube_object_putp(struct kube_object **object);
/* All objects, each to be given back, in an arena array of *out_count. */
struct kube_object **kube_store_all(struct kube_store *store, struct arena *arena,
                                    size_t *out_count);
size_t kube_store_count(struct kube_store *store);
bool kube_store_synced(struct kube_store *store); /* the first list is complete */
/*
 * Puts what a write answered (takes `json`), so that our own write is seen at once;
 * ignored when the store already holds a newer resourceVersion. Also how fakes fill a
 * store.
 */
void kube_store_put(struct kube_store *store, struct json *json);
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
    /* For metrics and health; written by the thread. */
    _Atomic int64_t lists, watches, events, errors, last_contact_ms;
};

/* Returns when `cancel` fires. */
void reflector_run(struct reflector *r, struct cancel *cancel);

#endif

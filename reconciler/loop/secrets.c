#include "loop/secrets_private.h"

#include "base/heap.h"
#include "base/map.h"
#include "loop/loop.h"

#include <pthread.h>

#define WATCH_STACK_BYTES ((size_t)512 * 1024)

/* One watched Secret: its reflector, its thread and the store of at most one object. */
struct watched {
    char *key, *namespace, *name;
    struct kube_store *store;
    struct reflector reflector;
    struct cancel cancel;
    pthread_t thread;
    struct secrets *owner;
    int64_t used_ms; /* monotonic: the last time somebody asked */
    char *given; /* the version handed out before the first list; "": it was missing */
};

struct secrets *secrets_new(struct kube_api *api, struct lg *lg, uint64_t seed,
                            bool watch, void (*on_change)(void *context, const char *key),
                            void *context)
{
    struct secrets *secrets = HEAP_NEW(struct secrets);

    secrets->api = api;
    secrets->lg = lg;
    secrets->watch = watch;
    secrets->on_change = on_change;
    secrets->context = context;
    secrets->by_key = map_new(seed);
    rng_init(&secrets->rng, seed);
    must(pthread_mutex_init(&secrets->lock, NULL) == 0);
    return secrets;
}

static void watched_free(struct watched *w)
{
    if (w == NULL) {
        return;
    }
    cancel_fire(&w->cancel);
    (void)pthread_join(w->thread, NULL);
    cancel_deinit(&w->cancel);
    kube_store_free(w->store);
    heap_free(w->key);
    heap_free(w->namespace);
    heap_free(w->name);
    heap_free(w->given);
    heap_free(w);
}

void secrets_free(struct secrets *secrets)
{
    size_t at = 0;
    struct sv key;
    void *value = NULL;

    if (secrets == NULL) {
        return;
    }
    while (map_next(secrets->by_key, &at, &key, &value)) {
        cancel_fire(&((struct watched *)value)->cancel);
    }
    at = 0;
    while (map_next(secrets->by_key, &at, &key, &value)) {
        watched_free(value);
    }
    map_free(secrets->by_key);
    (void)pthread_mutex_destroy(&secrets->lock);
    heap_free(secrets);
}

static void *watch_thread(void *argument)
{
    struct watched *w = argument;

    reflector_run(&w->reflector, &w->cancel);
    return NULL;
}

/* Does the first list hold another Secret than the one that was read while it ran? */
static bool differs_from_given(struct watched *w, const char *key)
{
    AUTO(kube_object_putp) struct kube_object *object = kube_store_get(w->store, key);
    const char *version = object == NULL ? "" : kube_resource_version(object->json);
    bool differs = false;

    (void)pthread_mutex_lock(&w->owner->lock);
    differs = w->given != NULL && strcmp(w->given, version) != 0;
    (void)pthread_mutex_unlock(&w->owner->lock);
    return differs;
}

static void changed(void *context, const char *key, bool initial)
{
    struct watched *w = context;

    if (!initial || differs_from_given(w, key)) {
        w->owner->on_change(w->owner->context, key);
    }
}

void secrets_note_given(struct secrets *secrets, const char *key, const char *version)
{
    struct watched *w = NULL;

    (void)pthread_mutex_lock(&secrets->lock);
    w = map_find(secrets->by_key, sv_from(key));
    if (w != NULL) {
        heap_free(w->given);
        w->given = heap_strdup(version);
    }
    (void)pthread_mutex_unlock(&secrets->lock);
}

/* Starts a watch; the lock is held. A failing start only means reading at each use. */
static struct watched *watch_start(struct secrets *secrets, const char *key,
                                   const char *namespace, const char *name)
{
    struct watched *w = HEAP_NEW(struct watched);
    struct fault fault = FAULT_INIT;
    pthread_attr_t attributes;
    bool started = false;

    if (!cancel_init_root(&w->cancel, secrets->api->clock, &fault)) {
        heap_free(w);
        return NULL;
    }
    w->owner = secrets;
    w->key = heap_strdup(key);
    w->namespace = heap_strdup(namespace);
    w->name = heap_strdup(name);
    w->store = kube_store_new();
    w->reflector = (struct reflector){.api = secrets->api,
                                      .resource = &loop_resource_secret,
                                      .namespace = w->namespace,
                                      .name = w->name,
                                      .store = w->store,
                                      .on_change = changed,
                                      .context = w,
                                      .lg = secrets->lg};
    rng_init(&w->reflector.rng, rng_next(&secrets->rng));
    must(pthread_attr_init(&attributes) == 0);
    must(pthread_attr_setstacksize(&attributes, WATCH_STACK_BYTES) == 0);
    started = pthread_create(&w->thread, &attributes, watch_thread, w) == 0;
    (void)pthread_attr_destroy(&attributes);
    if (!started) {
        cancel_deinit(&w->cancel);
        kube_store_free(w->store);
        heap_free(w->key);
        heap_free(w->namespace);
        heap_free(w->name);
        heap_free(w);
        return NULL;
    }
    (void)map_put(secrets->by_key, sv_from(key), w);
    return w;
}

/* A watch nobody asked for lately, out of the map; the caller frees it. Lock held. */
static struct watched *take_idle(struct secrets *secrets, int64_t now_ms)
{
    size_t at = 0;
    struct sv key;
    void *value = NULL;

    while (map_next(secrets->by_key, &at, &key, &value)) {
        struct watched *w = value;

        if (now_ms - w->used_ms > SECRETS_IDLE_MS) {
            return map_remove(secrets->by_key, sv_from(w->key));
        }
    }
    return NULL;
}

struct kube_object *secrets_watched(struct secrets *secrets, const char *key,
                                    const char *namespace, const char *name)
{
    int64_t now_ms = clock_monotonic_ms(secrets->api->clock);
    struct kube_object *object = NULL;
    struct watched *w = NULL, *idle = NULL;

    if (!secrets->watch) {
        return NULL;
    }
    (void)pthread_mutex_lock(&secrets->lock);
    idle = take_idle(secrets, now_ms);
    w = map_find(secrets->by_key, sv_from(key));
    if (w == NULL && map_count(secrets->by_key) < SECRETS_WATCHED_MAX) {
        w = watch_start(secrets, key, namespace, name);
    }
    if (w != NULL) {
        w->used_ms = now_ms;
        object = kube_store_synced(w->store) ? kube_store_get(w->store, key) : NULL;
    }
    (void)pthread_mutex_unlock(&secrets->lock);
    watched_free(idle);
    return object;
}

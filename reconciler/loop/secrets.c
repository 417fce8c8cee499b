#include "loop/secrets.h"

#include "base/heap.h"
#include "base/map.h"
#include "kube/base64.h"
#include "loop/loop.h"

#include <pthread.h>
#include <stdio.h>

#define SECRET_VALUE_MAX ((size_t)64 * 1024)
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

struct secrets {
    struct kube_api *api;
    struct lg *lg;
    struct rng rng;
    bool watch;
    void (*on_change)(void *context, const char *key);
    void *context;
    pthread_mutex_t lock;
    struct map *by_key;
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

void credentials_deinit(struct credentials *credentials)
{
    heap_free(credentials->username);
    secret_free(credentials->password);
    heap_free(credentials->version);
    memset(credentials, 0, sizeof(*credentials));
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

/* Remembers what a read past the watch answered, for the watch's first list. */
static void note_given(struct secrets *secrets, const char *key, const char *version)
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

/* The watched copy, when there is one that has synced. */
static struct kube_object *watched_get(struct secrets *secrets, const char *key,
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

static bool decode_key(const struct json *object, const char *key, const char *where,
                       struct buf *out, struct fault *fault)
{
    const char *text = json_string(json_get(json_get(object, "data"), key));

    if (text == NULL) {
        return fault_set(fault, FAULT_DENIED, "SecretKeyMissing",
                         "Secret '%s' has no key '%s': add it, or name another key in "
                         "spec.credentialsSecretRef",
                         where, key);
    }
    if (!base64_parse(sv_from(text), out) || buf_overflowed(out) ||
        !sv_is_utf8(buf_sv(out)) || memchr(buf_z(out), 0, out->n) != NULL) {
        return fault_set(fault, FAULT_DENIED, "SecretKeyMissing",
                         "key '%s' of Secret '%s' is not UTF-8 text of at most %zu bytes "
                         "without NUL",
                         key, where, SECRET_VALUE_MAX);
    }
    return true;
}

static bool extract(const struct json *object, const char *where,
                    const char *username_key, const char *password_key,
                    struct credentials *out_credentials, struct fault *fault)
{
    AUTO(buf_deinit_zero) struct buf user = {0};
    AUTO(buf_deinit_zero) struct buf password = {0};
    char version[256];

    buf_init(&user, SECRET_VALUE_MAX);
    buf_init(&password, SECRET_VALUE_MAX);
    if (!decode_key(object, username_key, where, &user, fault) ||
        !decode_key(object, password_key, where, &password, fault)) {
        return false;
    }
    if (user.n == 0) {
        return fault_set(fault, FAULT_DENIED, "SecretKeyMissing",
                         "key '%s' of Secret '%s' is empty", username_key, where);
    }
    (void)snprintf(version, sizeof(version), "%s/%s", kube_uid(object),
                   kube_resource_version(object));
    out_credentials->username = heap_strdup(buf_z(&user));
    out_credentials->password = secret_new(buf_sv(&password));
    out_credentials->version = heap_strdup(version);
    return true;
}

bool secrets_read(struct secrets *secrets, const char *namespace, const char *name,
                  const char *username_key, const char *password_key,
                  struct cancel *cancel, struct credentials *out_credentials,
                  struct fault *fault)
{
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);
    const char *key = arena_printf(arena, "%s/%s", namespace, name);
    AUTO(kube_object_putp) struct kube_object *seen = NULL;
    AUTO(json_freep) struct json *read = NULL;
    enum kube_outcome outcome = KUBE_OK;

    seen = watched_get(secrets, key, namespace, name);
    if (seen != NULL) {
        return extract(seen->json, key, username_key, password_key, out_credentials,
                       fault);
    }
    if (!kube_get(secrets->api, &loop_resource_secret, namespace, name, cancel, &outcome,
                  &read, fault)) {
        return fault_wrap(fault, "read Secret '%s'", key);
    }
    note_given(secrets, key, outcome == KUBE_OK ? kube_resource_version(read) : "");
    /* Did the first list come in meanwhile? It knew nothing of this note. */
    seen = watched_get(secrets, key, namespace, name);
    if (seen != NULL) {
        return extract(seen->json, key, username_key, password_key, out_credentials,
                       fault);
    }
    if (outcome != KUBE_OK) {
        return fault_set(fault, FAULT_DENIED, "SecretNotFound",
                         "there is no Secret '%s': create it with the keys '%s' and '%s'",
                         key, username_key, password_key);
    }
    return extract(read, key, username_key, password_key, out_credentials, fault);
}

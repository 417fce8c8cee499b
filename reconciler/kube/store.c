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
    store->awaited = 1;
    return store;
}

void kube_store_share(struct kube_store *store, const struct strlist *namespaces)
{
    must(namespaces->n > 0 && namespaces->n <= KUBE_NAMESPACES_MAX);
    store->namespaces = namespaces;
    store->awaited = UINT64_MAX >> (KUBE_NAMESPACES_MAX - namespaces->n);
}

void kube_store_tag_with(struct kube_store *store, kube_tagger *tagger)
{
    store->tagger = tagger;
}

void kube_store_keep_annotations(struct kube_store *store, const char *prefix)
{
    store->annotations = prefix;
}

void kube_store_pack(struct kube_store *store)
{
    must(store->packer == NULL);
    store->packer = packer_new();
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
    packer_free(store->packer);
    (void)pthread_mutex_destroy(&store->lock);
    heap_free(store);
}

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
    return held_new(&slim, store->tagger, store->packer, local);
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

/*
 * The echo of our own write is told once: the write's answer may have carried somebody
 * else's change, too, whose own event is now older than the store.
 */
static bool take_echo(struct held *now, struct sv version)
{
    if (!now->local || store_version_compare(version, version_of(now)) != 0) {
        return false;
    }
    now->local = false;
    return true;
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
        tell = take_echo(now, version_of(fresh));
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

/* The most frequent event, for which nothing needs to be built. */
static bool is_echo(struct kube_store *store, const struct slim *slim)
{
    AUTO(buf_deinit) struct buf key = {0};

    buf_init(&key, KEY_BYTES_MAX);
    slim_key(slim, &key);
    store_lock(store);
    struct held *now = shelf_find(store->objects, buf_sv(&key));
    bool echo = now != NULL && take_echo(now, slim->version);
    store_unlock(store);
    return echo;
}

bool store_apply_slim(struct kube_store *store, const struct slim *slim)
{
    return is_echo(store, slim) ||
           apply(store, held_new(slim, store->tagger, store->packer, false));
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

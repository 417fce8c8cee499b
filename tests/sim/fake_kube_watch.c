/*
 * The watch of fake_kube: how what has changed comes to the controller's stores. At once,
 * or late, twice and out of order, or not at all until it lists again; and a list may be
 * of some moments ago, as a cache of the API server that lags behind serves it.
 */
#include "fake_kube.h"

#include "kube/api.h"
#include "kube/store.h"
#include "sim.h"

#define SCATTER_MS 4000
#define STALE_MS 30000 /* no list is older */

/* When the last event of this object that is under way arrives. */
static int64_t last_on_the_way_ms(const struct fake_kube *kube, const char *uid)
{
    int64_t last_ms = 0;

    for (VEC_EACH(const struct fake_delivery, d, &kube->deliveries)) {
        if (strcmp(kube_uid(d->json), uid) == 0 && d->at_ms > last_ms) {
            last_ms = d->at_ms;
        }
    }
    return last_ms;
}

static void send_one(struct fake_kube *kube, const struct fake_object *o, bool deleted)
{
    struct sim *sim = kube->sim;
    int64_t last_ms = last_on_the_way_ms(kube, kube_uid(o->json));
    struct fake_delivery delivery = {
        .at_ms = sim->clock.now_ms,
        .plural = o->plural,
        .key = arena_printf(sim->arena, "%s/%s", o->namespace, o->name),
        .json = json_clone(o->json),
        .deleted = deleted};

    if (sim->options.scatter) {
        delivery.at_ms += (int64_t)rng_below(&sim->rng, SCATTER_MS);
    }
    /* Whatever else happens on the way: nothing of an object comes after its end. */
    if (deleted && delivery.at_ms < last_ms) {
        delivery.at_ms = last_ms;
    }
    VEC_PUSH(sim->arena, &kube->deliveries, delivery);
}

/* What a cache that lags behind would still show is kept. */
static void show(struct fake_kube *kube, struct fake_object *o)
{
    json_free(o->before);
    o->before = TAKE(o->shown);
    o->shown = json_clone(o->json);
    o->shown_ms = kube->sim->clock.now_ms;
}

void fake_kube_remember(struct fake_kube *kube, struct fake_object *o)
{
    o->shown_ms = kube->sim->clock.now_ms;
    VEC_PUSH(kube->sim->arena, &kube->graves, o);
}

void fake_kube_announce(struct fake_kube *kube, struct fake_object *o, bool deleted)
{
    if (strcmp(o->plural, "secrets") == 0) {
        return; /* read with GET here */
    }
    if (!deleted) {
        show(kube, o);
    }
    send_one(kube, o, deleted);
    if (kube->sim->options.scatter && rng_below(&kube->sim->rng, 4) == 0) {
        send_one(kube, o, deleted);
    }
}

/* As reflector_watch.c does with one event. */
static void deliver(struct fake_kube *kube, struct fake_delivery *d)
{
    struct loop *loop = kube->sim->loop;
    bool is_sync = strcmp(d->plural, "tablesyncs") == 0;
    struct kube_store *store = is_sync ? loop->syncs : loop->conns;
    bool tell = false;

    if (d->deleted) {
        tell = store_delete(store, d->json);
        json_free(d->json);
    } else {
        tell = store_apply(store, store_slim(d->json, NULL));
        json_free(d->json);
    }
    d->json = NULL;
    if (tell && is_sync) {
        loop_sync_changed(loop, d->key, false);
    } else if (tell) {
        loop_conn_changed(loop, d->key, false);
    }
}

int64_t fake_kube_deliver(struct fake_kube *kube)
{
    int64_t next_ms = INT64_MAX;
    size_t kept = 0;

    for (size_t i = 0; i < kube->deliveries.n; i++) {
        struct fake_delivery *d = &kube->deliveries.v[i];

        if (!kube->holds && d->at_ms <= kube->sim->clock.now_ms) {
            deliver(kube, d);
            continue;
        }
        next_ms = !kube->holds && d->at_ms < next_ms ? d->at_ms : next_ms;
        kube->deliveries.v[kept++] = *d;
    }
    kube->deliveries.n = kept;
    return next_ms;
}

static void lose_deliveries(struct fake_kube *kube)
{
    for (VEC_EACH(struct fake_delivery, d, &kube->deliveries)) {
        json_free(d->json);
    }
    kube->deliveries.n = 0;
    kube->holds = false;
}

/* Whether this list shows the object as it was before its last change. */
static bool is_behind(const struct fake_kube *kube, const struct fake_object *o)
{
    const struct sim *sim = kube->sim;

    return sim->options.scatter && sim->clock.now_ms - o->shown_ms < STALE_MS &&
           rng_below(&kube->sim->rng, 2) == 0;
}

struct list_entry { /* of a list: the object as it is shown */
    struct fake_object *object;
    const struct json *json;
};
struct list_entries {
    VEC(struct list_entry) list;
};

/* What a list holds; what it does not show yet is on its way. */
static void gather(struct fake_kube *kube, struct arena *arena,
                   struct list_entries *out_entries)
{
    for (size_t i = 0; i < kube->objects.n; i++) {
        struct fake_object *o = kube->objects.v[i];
        bool behind = strcmp(o->plural, "secrets") != 0 && is_behind(kube, o);

        if (strcmp(o->plural, "secrets") == 0) {
            continue;
        }
        if (behind) {
            send_one(kube, o, false);
        }
        if (!behind || o->before != NULL) {
            VEC_PUSH(arena, &out_entries->list,
                     (struct list_entry){o, behind ? o->before : o->json});
        }
    }
}

/* The dead, as they were, unless their name lives on. */
static void gather_dead(struct fake_kube *kube, struct arena *arena,
                        struct list_entries *out_entries)
{
    for (size_t i = 0; i < kube->graves.n; i++) {
        struct fake_object *o = kube->graves.v[i];

        if (o->shown != NULL && is_behind(kube, o) &&
            fake_kube_object(kube, o->plural, o->namespace, o->name) == NULL) {
            o->json = o->shown;
            send_one(kube, o, true);
            o->json = NULL;
            VEC_PUSH(arena, &out_entries->list, (struct list_entry){o, o->shown});
        }
    }
}

static void tell(struct loop *loop, bool is_sync, const char *key, bool initial)
{
    if (is_sync) {
        loop_sync_changed(loop, key, initial);
    } else {
        loop_conn_changed(loop, key, initial);
    }
}

void fake_kube_list(struct fake_kube *kube)
{
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);
    struct loop *loop = kube->sim->loop;
    struct list_entries entries = {0};

    lose_deliveries(kube);
    gather(kube, arena, &entries);
    gather_dead(kube, arena, &entries);
    for (VEC_EACH(const struct list_entry, e, &entries.list)) {
        bool is_sync = strcmp(e->object->plural, "tablesyncs") == 0;

        (void)store_apply(is_sync ? loop->syncs : loop->conns, store_slim(e->json, NULL));
        tell(loop, is_sync,
             arena_printf(arena, "%s/%s", e->object->namespace, e->object->name), true);
    }
}

static void relist(struct fake_kube *kube, bool syncs)
{
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);
    struct loop *loop = kube->sim->loop;
    AUTO(store_listing_freep)
    struct store_listing *listing =
        store_listing_new(syncs ? loop->syncs : loop->conns, NULL);
    struct store_keys keys = {0};
    bool first = false;

    for (size_t i = 0; i < kube->objects.n; i++) {
        const struct fake_object *o = kube->objects.v[i];

        if (strcmp(o->plural, syncs ? "tablesyncs" : "databaseconnections") == 0) {
            store_listing_add(listing, o->json, NULL);
        }
    }
    store_listing_commit(listing, arena_printf(arena, "%lld", (long long)kube->version),
                         arena, &keys, &first);
    for (size_t i = 0; i < keys.list.n; i++) {
        tell(loop, syncs, keys.list.v[i], first);
    }
}

void fake_kube_relist(struct fake_kube *kube)
{
    lose_deliveries(kube);
    relist(kube, true);
    relist(kube, false);
}

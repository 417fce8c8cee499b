#include "loop/loop.h"

#include "base/heap.h"
#include "loop/conn.h"
#include "loop/gauges.h"
#include "loop/memo.h"
#include "loop/quarantine.h"
#include "loop/secrets.h"
#include "loop/seen.h"
#include "loop/tags.h"
#include "loop/tallies.h"
#include "loop/wake.h"
#include "model/spec.h"

#define API_TIMEOUT_MS 15000

const struct kube_resource loop_resource_sync = {TSYNC_GROUP, TSYNC_VERSION, "tablesyncs",
                                                 "TableSync"};
const struct kube_resource loop_resource_conn = {
    TSYNC_GROUP, TSYNC_VERSION, "databaseconnections", "DatabaseConnection"};
const struct kube_resource loop_resource_secret = {"", "v1", "secrets", "Secret"};

static void on_secret(void *context, const char *key)
{
    loop_secret_changed(context, key);
}

struct loop *loop_new(const struct loop_ports *ports, const struct loop_options *options,
                      struct cancel *stop)
{
    struct loop *loop = HEAP_NEW(struct loop);

    loop->ports = *ports;
    loop->options = *options;
    loop->stop = stop;
    loop->api = (struct kube_api){.transport = ports->kube,
                                  .clock = ports->clock,
                                  .call_timeout_ms = API_TIMEOUT_MS,
                                  .watch_idle_ms = options->watch_idle_ms,
                                  .list_only = options->list_only,
                                  .fence = ports->fence};
    loop->events =
        kube_events_new(&loop->api, TSYNC_GROUP "/controller", options->instance);
    loop->syncs = kube_store_new();
    loop->conns = kube_store_new();
    kube_store_tag_with(loop->syncs, tags_of_sync);
    kube_store_tag_with(loop->conns, tags_of_conn);
    kube_store_keep_annotations(loop->syncs, TSYNC_GROUP "/");
    kube_store_keep_annotations(loop->conns, TSYNC_GROUP "/");
    kube_store_pack(loop->syncs);
    kube_store_pack(loop->conns);
    loop->queue = queue_new(ports->clock, ports->seed);
    loop->lanes = lanes_new(ports->databases, ports->clock, ports->seed);
    wake_listen(loop);
    loop->metrics = metrics_new(ports->clock);
    loop->gauges = gauges_new();
    loop->seen = seen_new(ports->seed);
    loop->memo = memo_new(ports->seed);
    loop->tallies = tallies_new(ports->seed);
    loop->secrets = secrets_new(&loop->api, ports->lg, ports->seed,
                                options->watch_secrets, on_secret, loop);
    return loop;
}

void loop_free(struct loop *loop)
{
    if (loop == NULL) {
        return;
    }
    secrets_free(loop->secrets);
    lanes_free(loop->lanes);
    queue_free(loop->queue);
    kube_store_free(loop->syncs);
    kube_store_free(loop->conns);
    kube_events_free(loop->events);
    metrics_free(loop->metrics);
    gauges_free(loop->gauges);
    memo_free(loop->memo);
    tallies_free(loop->tallies);
    seen_free(loop->seen);
    heap_free(loop);
}

/* Returns whether the object still exists. */
static bool enqueue_if_changed(struct loop *loop, struct kube_store *store,
                               const char *queue_key, const char *key, bool initial,
                               bool *out_changed)
{
    uint64_t fingerprint = 0;
    bool exists = kube_store_fingerprint(store, key, &fingerprint);
    /* Somebody waits for what comes of a change, more than for a new resource. */
    enum queue_priority priority = initial                              ? QUEUE_LOW
                                   : seen_before(loop->seen, queue_key) ? QUEUE_URGENT
                                                                        : QUEUE_NORMAL;

    *out_changed = seen_changed(loop->seen, queue_key, fingerprint);
    if (*out_changed) {
        /* Failures of what was there before are forgotten with their generation. */
        queue_add(loop->queue, queue_key, priority);
    }
    return exists;
}

static void enqueue_connections(struct loop *loop, const char *namespace,
                                const char *const names[3])
{
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);

    for (size_t i = 0; i < 3; i++) {
        if (names[i] != NULL) {
            queue_add_after(
                loop->queue,
                arena_printf(arena, LOOP_KEY_CONN "%s/%s", namespace, names[i]), 1000,
                QUEUE_NORMAL);
        }
    }
}

void loop_enqueue_connections(struct loop *loop, const struct tablesync *sync)
{
    const char *const names[] = {sync->source_connection, sync->rw_connection,
                                 sync->target_connection};

    enqueue_connections(loop, sync->namespace, names);
}

void loop_sync_changed(void *context, const char *key, bool initial)
{
    static const char *const paths[] = {
        "spec.source.connectionRef.name",
        "spec.risingWave.connectionRef.name",
        "spec.target.connectionRef.name",
    };
    struct loop *loop = context;
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);
    const char *queue_key = arena_printf(arena, LOOP_KEY_SYNC "%s", key);
    const char *names[COUNT_OF(paths)] = {NULL};
    struct sv name = sv_from(key);
    struct sv namespace = sv_cut(&name, '/');
    bool changed = false;

    bool exists =
        enqueue_if_changed(loop, loop->syncs, queue_key, key, initial, &changed);
    if (!changed) {
        return;
    }
    if (!exists) {
        conn_enqueue_held(loop, namespace);
    } else if (kube_store_pick(loop->syncs, key, paths, COUNT_OF(paths), arena, names)) {
        enqueue_connections(loop, arena_copy(arena, namespace), names);
    }
}

static bool uses(const struct tablesync *sync, const char *namespace, const char *name)
{
    const char *const names[] = {sync->source_connection, sync->rw_connection,
                                 sync->target_connection};

    if (strcmp(sync->namespace, namespace) != 0) {
        return false;
    }
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (names[i] != NULL && strcmp(names[i], name) == 0) {
            return true;
        }
    }
    return false;
}

bool loop_watches(const struct loop *loop, const char *namespace)
{
    const struct strlist *namespaces = &loop->options.namespaces;

    for (size_t i = 0; i < namespaces->n; i++) {
        if (strcmp(namespaces->v[i], namespace) == 0) {
            return true;
        }
    }
    return namespaces->n == 0;
}

bool loop_connection_is_used(struct loop *loop, const char *namespace, const char *name)
{
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);
    size_t count = 0;
    const char **keys =
        kube_store_find(loop->syncs, tags_connection(namespace, name), arena, &count);
    bool used = false;

    for (size_t i = 0; i < count && !used; i++) {
        AUTO(kube_object_putp)
        struct kube_object *object = kube_store_get(loop->syncs, keys[i]);
        const char *queue_key = arena_printf(arena, LOOP_KEY_SYNC "%s", keys[i]);
        struct tablesync sync = {0};
        struct fault held = FAULT_INIT;

        if (object != NULL && !quarantine_admits(loop, queue_key, &held)) {
            used = true; /* so its tag says; more is not worth a crash */
        } else if (object != NULL) {
            struct crash_subject before = quarantine_enter(loop, queue_key);
            tablesync_decode_identity(object->json, arena, &sync);
            used = uses(&sync, namespace, name);
            crash_leave(before);
        }
    }
    return used;
}

void loop_enqueue_users(struct loop *loop, struct sv namespace, struct sv name)
{
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);
    uint64_t tag = tags_connection(arena_copy(arena, namespace), arena_copy(arena, name));
    size_t count = 0;
    const char **keys = kube_store_find(loop->syncs, tag, arena, &count);
    size_t woken = 0;

    /* The oldest first. One that only shares the hash gets an attempt too many. */
    for (size_t i = count; i > 0; i--) {
        const char *key = arena_printf(arena, LOOP_KEY_SYNC "%s", keys[i - 1]);

        queue_forget(loop->queue, key);
        queue_add_after(loop->queue, key, queue_spread_ms(woken++), QUEUE_NORMAL);
    }
}

void loop_conn_changed(void *context, const char *key, bool initial)
{
    struct loop *loop = context;
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);
    const char *queue_key = arena_printf(arena, LOOP_KEY_CONN "%s", key);
    struct sv name = sv_from(key), namespace;
    bool changed = false;

    (void)enqueue_if_changed(loop, loop->conns, queue_key, key, initial, &changed);
    if (changed && !initial) {
        namespace = sv_cut(&name, '/');
        loop_enqueue_users(loop, namespace, name);
    }
}

/* The login, or what TLS verifies with. */
static bool names_secret(const struct json *connection, struct sv secret)
{
    static const char *const FIELDS[] = {"spec.credentialsSecretRef.name",
                                         "spec.tls.caSecretRef.name",
                                         "spec.tls.clientCertSecretRef.name"};

    for (size_t i = 0; i < COUNT_OF(FIELDS); i++) {
        if (sv_eq(sv_from(json_path_string(connection, FIELDS[i])), secret)) {
            return true;
        }
    }
    return false;
}

void loop_secret_changed(void *context, const char *key)
{
    struct loop *loop = context;
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);
    struct sv secret = sv_from(key);
    struct sv namespace = sv_cut(&secret, '/');
    size_t count = 0;
    struct kube_object **all = kube_store_all(loop->conns, arena, &count);

    for (size_t i = 0; i < count; i++) {
        const struct json *o = all[i]->json;

        if (sv_eq(sv_from(kube_namespace(o)), namespace) && names_secret(o, secret)) {
            queue_add(loop->queue, arena_printf(arena, LOOP_KEY_CONN "%s", all[i]->key),
                      QUEUE_NORMAL);
            loop_enqueue_users(loop, namespace, sv_from(kube_name(o)));
        }
        kube_object_put(all[i]);
    }
}

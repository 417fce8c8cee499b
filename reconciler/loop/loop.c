#include "loop/loop.h"

#include "base/hash.h"
#include "base/heap.h"
#include "loop/conn.h"
#include "loop/memo.h"
#include "loop/secrets.h"
#include "loop/seen.h"
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
                                  .call_timeout_ms = API_TIMEOUT_MS};
    loop->events =
        kube_events_new(&loop->api, TSYNC_GROUP "/controller", options->instance);
    loop->syncs = kube_store_new();
    loop->conns = kube_store_new();
    loop->queue = queue_new(ports->clock, ports->seed);
    loop->lanes = lanes_new(ports->databases, ports->clock, ports->seed);
    loop->metrics = metrics_new(ports->clock);
    loop->seen = seen_new(ports->seed);
    loop->memo = memo_new(ports->seed);
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
    memo_free(loop->memo);
    seen_free(loop->seen);
    heap_free(loop);
}

/*
 * Everything of an object whose change deserves an attempt: not its status, not its
 * managed fields. Generation covers spec; the server raises it for a deletion too.
 */
static void fingerprint(const struct json *object, char out_hex[HASH_HEX_SIZE])
{
    AUTO(hash_freep) struct hash *h = hash_new();
    const struct json *metadata = json_get(object, "metadata");
    struct buf text;

    buf_init(&text, KUBE_BODY_MAX);
    hash_addz(h, kube_uid(object));
    hash_add_int(h, kube_generation(object));
    hash_add_int(h, kube_deleting(object) ? 1 : 0);
    json_print(json_get(metadata, "annotations"), &text);
    hash_add(h, buf_sv(&text));
    buf_deinit(&text);
    hash_finish(h, out_hex);
}

static void enqueue_if_changed(struct loop *loop, struct kube_store *store,
                               const char *prefix, const char *key, bool *out_changed)
{
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);
    AUTO(kube_object_putp) struct kube_object *object = kube_store_get(store, key);
    const char *queue_key = arena_printf(arena, "%s%s", prefix, key);
    char hex[HASH_HEX_SIZE] = "gone";

    if (object != NULL) {
        fingerprint(object->json, hex);
    }
    *out_changed = seen_changed(loop->seen, queue_key, hex);
    if (*out_changed) {
        /* What failed before may be what was just changed: no backoff from then. */
        queue_forget(loop->queue, queue_key);
        queue_add(loop->queue, queue_key);
    }
}

void loop_enqueue_connections(struct loop *loop, const struct tablesync *sync)
{
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);
    const char *const names[] = {sync->source_connection, sync->rw_connection,
                                 sync->target_connection};

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (names[i] != NULL) {
            queue_add_after(
                loop->queue,
                arena_printf(arena, LOOP_KEY_CONN "%s/%s", sync->namespace, names[i]),
                1000);
        }
    }
}

void loop_sync_changed(void *context, const char *key, bool initial)
{
    struct loop *loop = context;
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);
    AUTO(kube_object_putp) struct kube_object *object = kube_store_get(loop->syncs, key);
    struct tablesync sync = {0};
    bool changed = false;

    (void)initial;
    enqueue_if_changed(loop, loop->syncs, LOOP_KEY_SYNC, key, &changed);
    if (changed && object == NULL) {
        struct sv name = sv_from(key);

        conn_enqueue_held(loop, sv_cut(&name, '/'));
    }
    if (!changed || object == NULL) {
        return;
    }
    tablesync_decode_identity(object->json, arena, &sync);
    loop_enqueue_connections(loop, &sync);
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

bool loop_connection_is_used(struct loop *loop, const char *namespace, const char *name)
{
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);
    size_t count = 0;
    struct kube_object **all = kube_store_all(loop->syncs, arena, &count);
    bool used = false;

    for (size_t i = 0; i < count; i++) {
        struct tablesync sync = {0};

        tablesync_decode_identity(all[i]->json, arena, &sync);
        used = used || uses(&sync, namespace, name);
        kube_object_put(all[i]);
    }
    return used;
}

void loop_enqueue_users(struct loop *loop, struct sv namespace, struct sv name)
{
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);
    size_t count = 0;
    struct kube_object **all = kube_store_all(loop->syncs, arena, &count);
    const char *in = arena_copy(arena, namespace), *of = arena_copy(arena, name);

    for (size_t i = 0; i < count; i++) {
        struct tablesync sync = {0};

        tablesync_decode_identity(all[i]->json, arena, &sync);
        if (uses(&sync, in, of)) {
            const char *key = arena_printf(arena, LOOP_KEY_SYNC "%s", all[i]->key);

            queue_forget(loop->queue, key);
            queue_add(loop->queue, key);
        }
        kube_object_put(all[i]);
    }
}

void loop_conn_changed(void *context, const char *key, bool initial)
{
    struct loop *loop = context;
    struct sv name = sv_from(key), namespace;
    bool changed = false;

    enqueue_if_changed(loop, loop->conns, LOOP_KEY_CONN, key, &changed);
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
            queue_add(loop->queue, arena_printf(arena, LOOP_KEY_CONN "%s", all[i]->key));
            loop_enqueue_users(loop, namespace, sv_from(kube_name(o)));
        }
        kube_object_put(all[i]);
    }
}

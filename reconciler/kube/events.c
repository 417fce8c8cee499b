/*
 * Events: a bucket per object and reason keeps a flapping resource from flooding etcd,
 * and a note that was just sent becomes a count on the event that is there.
 *
 * Both memories are fixed tables whose least recently used row gives way, keyed by
 * hashes: a collision merely shares a bucket. Numbers: client-go v0.36
 * tools/record/events_cache.go (burst 25, one in 300 s) and tools/events (a series ends
 * after 6 min of silence).
 */
#include "kube/events.h"

#include "base/heap.h"
#include "kube/exchange.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>

#define BUCKETS 1024
#define SERIES 1024
#define BURST 25
#define REFILL_MS 300000
#define SERIES_QUIET_MS 360000
#define CALL_TIMEOUT_MS 5000
#define NOTE_BYTES_MAX ((size_t)1024)
#define FIELD_BYTES_MAX ((size_t)128) /* reason, action, reportingInstance */
#define NAME_BYTES_MAX ((size_t)253)
#define SUFFIX_SIZE 20
#define TEXT_BYTES_MAX ((size_t)4096)

struct bucket {
    uint64_t key;
    int64_t tokens;
    int64_t refilled_ms;
    int64_t used_ms;
};

struct series {
    uint64_t key;
    uint64_t suffix; /* of the event's name */
    int64_t count;
    int64_t used_ms; /* 0: free */
};

struct kube_events {
    struct kube_api *api;
    struct arena *arena;
    const char *controller;
    const char *instance;
    pthread_mutex_t lock; /* guards what follows; never held during a call */
    struct bucket buckets[BUCKETS];
    struct series series[SERIES];
    uint64_t last_suffix;
};

static const struct kube_resource events_resource = {
    .group = "events.k8s.io", .version = "v1", .plural = "events", .kind = "Event"};

struct kube_events *kube_events_new(struct kube_api *api, const char *controller,
                                    const char *instance)
{
    struct kube_events *events = heap_new(sizeof(*events));

    events->api = api;
    events->arena = arena_new(KUBE_BODY_MAX);
    events->controller = arena_strdup(events->arena, controller);
    events->instance =
        arena_copy(events->arena, sv_utf8_prefix(sv_from(instance), FIELD_BYTES_MAX));
    must(pthread_mutex_init(&events->lock, NULL) == 0);
    return events;
}

void kube_events_free(struct kube_events *events)
{
    if (events == NULL) {
        return;
    }
    (void)pthread_mutex_destroy(&events->lock);
    arena_free(events->arena);
    heap_free(events);
}

/* FNV-1a over NUL-terminated fields; not for hostile keys: a collision costs an event. */
static uint64_t hash_fields(const char *const *fields, size_t count)
{
    uint64_t hash = UINT64_C(14695981039346656037);

    for (size_t i = 0; i < count; i++) {
        const char *p = fields[i] == NULL ? "" : fields[i];
        do {
            hash = (hash ^ (unsigned char)*p) * UINT64_C(1099511628211);
        } while (*p++ != '\0');
    }
    return hash;
}

static bool bucket_take(struct kube_events *events, uint64_t key, int64_t now_ms)
{
    struct bucket *row = &events->buckets[0];

    for (size_t i = 0; i < BUCKETS; i++) {
        struct bucket *each = &events->buckets[i];
        if (each->used_ms != 0 && each->key == key) {
            row = each;
            break;
        }
        row = each->used_ms < row->used_ms ? each : row;
    }
    if (row->used_ms == 0 || row->key != key) {
        *row = (struct bucket){.key = key, .tokens = BURST, .refilled_ms = now_ms};
    }
    int64_t earned = (now_ms - row->refilled_ms) / REFILL_MS;
    row->tokens = row->tokens + earned > BURST ? BURST : row->tokens + earned;
    row->refilled_ms += earned * REFILL_MS;
    row->used_ms = now_ms;
    if (row->tokens == 0) {
        return false;
    }
    row->tokens--;
    return true;
}

/* The running series of this note, or a row to begin one in (count 0). */
static struct series *series_find(struct kube_events *events, uint64_t key,
                                  int64_t now_ms)
{
    struct series *row = &events->series[0];

    for (size_t i = 0; i < SERIES; i++) {
        struct series *each = &events->series[i];
        if (each->used_ms != 0 && each->key == key) {
            row = each;
            break;
        }
        row = each->used_ms < row->used_ms ? each : row;
    }
    if (row->used_ms == 0 || row->key != key || now_ms - row->used_ms > SERIES_QUIET_MS) {
        *row = (struct series){.key = key};
    }
    return row;
}

/* What to do about one event, decided under the lock. count 0: nothing; 1: create. */
static struct series decide(struct kube_events *events, const struct kube_event *event)
{
    /* Never 0, which means free; a monotonic clock may start there. */
    int64_t now_ms = clock_monotonic_ms(events->api->clock) + 1;
    const char *const about[] = {kube_uid(event->object), kube_namespace(event->object),
                                 kube_name(event->object), event->reason, event->note};
    struct series decided = {0};

    must(pthread_mutex_lock(&events->lock) == 0);
    if (bucket_take(events, hash_fields(about, COUNT_OF(about) - 1), now_ms)) {
        struct series *row =
            series_find(events, hash_fields(about, COUNT_OF(about)), now_ms);
        if (row->count == 0) {
            uint64_t suffix = (uint64_t)clock_wall_ms(events->api->clock) * 1000000;
            suffix = suffix > events->last_suffix ? suffix : events->last_suffix + 1;
            events->last_suffix = suffix;
            row->suffix = suffix;
        }
        row->count++;
        row->used_ms = now_ms;
        decided = *row;
    }
    must(pthread_mutex_unlock(&events->lock) == 0);
    return decided;
}

/* The event never arrived or is gone: the next of its kind begins anew. */
static void forget(struct kube_events *events, uint64_t key)
{
    must(pthread_mutex_lock(&events->lock) == 0);
    for (size_t i = 0; i < SERIES; i++) {
        if (events->series[i].key == key) {
            events->series[i] = (struct series){0};
        }
    }
    must(pthread_mutex_unlock(&events->lock) == 0);
}

static bool is_alphanumeric(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* "<object>.<hex>", which must stay a DNS subdomain: no part may end in '-' or '.'. */
static char *event_name(const struct kube_event *event, uint64_t suffix,
                        struct arena *arena)
{
    struct sv name =
        sv_sub(sv_from(kube_name(event->object)), 0, NAME_BYTES_MAX - SUFFIX_SIZE);

    while (name.n > 0 && !is_alphanumeric(name.p[name.n - 1])) {
        name.n--;
    }
    return arena_printf(arena, "%.*s.%016" PRIx64, SV_ARGS(name), suffix);
}

static const char *event_namespace(const struct kube_event *event)
{
    const char *namespace = kube_namespace(event->object);

    return namespace == NULL ? "default" : namespace;
}

static void set_cut(struct json *object, const char *key, const char *text,
                    size_t max_bytes)
{
    AUTO(buf_deinit) struct buf cut = {0};

    buf_init(&cut, max_bytes);
    buf_add(&cut, sv_utf8_prefix(sv_from(text), max_bytes));
    json_set_string(object, key, buf_z(&cut));
}

static void set_regarding(struct json *root, const struct kube_event *event)
{
    const struct kube_resource *resource = event->resource;
    struct json *regarding = json_set_object(root, "regarding");
    AUTO(buf_deinit) struct buf version = {0};
    const struct {
        const char *key;
        const char *value;
    } parts[] = {
        {"namespace", kube_namespace(event->object)},
        {"name", kube_name(event->object)},
        {"uid", kube_uid(event->object)},
        {"resourceVersion", kube_resource_version(event->object)},
    };

    buf_init(&version, TEXT_BYTES_MAX);
    buf_addf(&version, "%s%s%s", resource->group, resource->group[0] == '\0' ? "" : "/",
             resource->version);
    json_set_string(regarding, "apiVersion", buf_z(&version));
    json_set_string(regarding, "kind", resource->kind);
    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        if (parts[i].value != NULL) {
            json_set_string(regarding, parts[i].key, parts[i].value);
        }
    }
}

static struct json *event_json(const struct kube_events *events,
                               const struct kube_event *event, const char *name,
                               const char *now)
{
    struct json *root = json_new_object();

    json_set_string(root, "apiVersion", "events.k8s.io/v1");
    json_set_string(root, "kind", events_resource.kind);
    struct json *metadata = json_set_object(root, "metadata");
    json_set_string(metadata, "name", name);
    json_set_string(metadata, "namespace", event_namespace(event));
    if (event->annotation != NULL) {
        json_set_string(json_set_object(metadata, "annotations"), event->annotation,
                        event->annotation_value);
    }
    json_set_string(root, "eventTime", now);
    json_set_string(root, "type", event->warning ? "Warning" : "Normal");
    json_set_string(root, "reportingController", events->controller);
    json_set_string(root, "reportingInstance", events->instance);
    set_cut(root, "reason", event->reason, FIELD_BYTES_MAX);
    set_cut(root, "action", event->action, FIELD_BYTES_MAX);
    set_cut(root, "note", event->note, NOTE_BYTES_MAX);
    set_regarding(root, event);
    return root;
}

static bool send_event(struct kube_events *events, const struct kube_event *event,
                       const struct series *decided, struct cancel *cancel,
                       enum kube_outcome *out_outcome, struct fault *fault)
{
    AUTO(arena_freep) struct arena *arena = arena_new(KUBE_BODY_MAX);
    AUTO(json_freep) struct json *body = NULL;
    AUTO(json_freep) struct json *answer = NULL;
    AUTO(buf_deinit) struct buf words = {0};
    const char *name = event_name(event, decided->suffix, arena);
    bool create = decided->count == 1;
    char now[CLOCK_RFC3339_SIZE];

    buf_init(&words, KUBE_BODY_MAX);
    clock_format_micro(clock_wall_ms(events->api->clock), now);
    if (create) {
        body = event_json(events, event, name, now);
    } else {
        body = json_new_object();
        struct json *series = json_set_object(body, "series");
        json_set_int(series, "count", decided->count);
        json_set_string(series, "lastObservedTime", now);
    }
    const char *namespace = event_namespace(event);
    const struct exchange exchange = {
        .method = create ? "POST" : "PATCH",
        .path = kube_path_query(
            arena,
            kube_path(arena, &events_resource, namespace, create ? NULL : name, NULL),
            "fieldManager", KUBE_FIELD_MANAGER, NULL),
        .content_type = create ? EXCHANGE_JSON : EXCHANGE_MERGE_PATCH,
        .body = body,
        .call = {.verb = create ? "create" : "patch",
                 .resource = &events_resource,
                 .namespace = namespace,
                 .name = create ? NULL : name},
        .out_message = &words,
    };
    enum kube_outcome outcome = KUBE_OK;
    if (!exchange_run(events->api, &exchange, cancel, &outcome, &answer, fault)) {
        return false;
    }
    if (outcome == KUBE_INVALID) {
        return fault_set(fault, FAULT_BUG, NULL, "the API server refuses an event: %s",
                         buf_z(&words));
    }
    *out_outcome = outcome;
    return true;
}

bool kube_event_emit(struct kube_events *events, const struct kube_event *event,
                     struct cancel *cancel, struct fault *fault)
{
    struct series decided = decide(events, event);
    enum kube_outcome outcome = KUBE_OK;
    struct cancel child;
    bool sent = true;

    if (decided.count == 0) {
        return true; /* the bucket is empty */
    }
    cancel_init_child(&child, cancel, CALL_TIMEOUT_MS);
    sent = send_event(events, event, &decided, &child, &outcome, fault);
    if (sent && outcome == KUBE_NOT_FOUND && decided.count > 1) {
        /* The server let the event expire: begin the series again. */
        decided.count = 1;
        sent = send_event(events, event, &decided, &child, &outcome, fault);
    } else if (!sent || outcome != KUBE_OK) {
        forget(events, decided.key);
    }
    cancel_deinit(&child);
    return sent;
}

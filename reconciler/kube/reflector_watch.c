#include "kube/exchange.h"
#include "kube/reflector_pass.h"
#include "kube/store.h"
#include "kube/watch.h"

#include <inttypes.h>

#define WATCH_SECONDS_MIN 300 /* client-go draws from 5 to 10 minutes */
#define WATCH_SECONDS_SPREAD 301
#define MARGIN_MS 10000 /* after the server's own deadline we end the watch ourselves */
#define IDLE_MS 90000   /* bookmarks come each minute: longer silence is a dead peer */
#define SHORT_MS 1000   /* a watch that ends sooner must not be reopened at once */
#define ERROR_BODY_MAX ((size_t)64 * 1024)
#define ARENA_BYTES ((size_t)64 * 1024 * 1024)

struct watch {
    struct reflector_pass *pass;
    struct watch_frame frame;
    struct buf error_body; /* of an answer other than 200 */
    int status;
    enum reflector_end verdict; /* 0: the stream says nothing itself about its end */
    int64_t began_ms;
};

static const char *watch_path(struct reflector *r, const char *version, uint64_t seconds,
                              struct arena *arena)
{
    const char *path = kube_path(arena, r->resource, r->namespace, NULL, NULL);
    const char *selector = reflector_selector(r, arena);

    return kube_path_query(arena, path, "watch", "1", "allowWatchBookmarks", "true",
                           "resourceVersion", version, "timeoutSeconds",
                           arena_printf(arena, "%" PRIu64, seconds),
                           selector == NULL ? NULL : "fieldSelector", selector, NULL);
}

static void tell(struct reflector *r, const struct json *object)
{
    AUTO(buf_deinit) struct buf key = {0};

    buf_init(&key, KUBE_EVENT_LINE_MAX);
    store_key(object, &key);
    if (r->on_change != NULL) {
        r->on_change(r->context, buf_z(&key), false);
    }
}

/* What a Status says, as an HTTP status or within the stream, about how to go on. */
static enum reflector_end judge(struct reflector *r, int code, struct sv body,
                                struct fault *fault)
{
    const struct errors_call call = reflector_call(r, "watch");
    const struct errors_answer answer = {.status = code, .body = body};
    AUTO(buf_deinit) struct buf words = {0};
    enum kube_outcome outcome = KUBE_OK;
    int retry_after_s = 0;

    buf_init(&words, KUBE_EVENT_LINE_MAX);
    if (!errors_classify(&call, &answer, &outcome, &words, &retry_after_s, fault)) {
        exchange_note_retry_after(r->api, retry_after_s);
        return code == 429 || code == 502 || code == 503 ? REFLECTOR_RETRY
                                                         : REFLECTOR_RELIST;
    }
    bool gone = outcome == KUBE_GONE;
    fault_set(fault, FAULT_UNAVAILABLE, gone ? "Gone" : "WatchFailed", "watch %s: %s",
              r->resource->plural, buf_z(&words));
    return gone ? REFLECTOR_GONE : REFLECTOR_RELIST;
}

static bool on_error_event(struct watch *watch, const struct json *status,
                           struct fault *fault)
{
    AUTO(buf_deinit) struct buf body = {0};
    int64_t code = json_path_int(status, "code", 0);
    struct sv reason = sv_from(json_get_string(status, "reason"));

    buf_init(&body, KUBE_EVENT_LINE_MAX);
    json_print(status, &body);
    if (sv_eq(reason, SV("Expired")) || sv_eq(reason, SV("Gone"))) {
        code = 410; /* the reason decides: old servers send other codes with it */
    }
    watch->verdict = judge(watch->pass->r, code < 400 || code > 599 ? 500 : (int)code,
                           buf_sv(&body), fault);
    return false;
}

static bool on_line(void *context, struct sv line, struct fault *fault)
{
    struct watch *watch = context;
    struct reflector *r = watch->pass->r;
    AUTO(watch_event_deinit) struct watch_event event = {0};
    bool changed = false;

    if (!watch_event_parse(line, &event, fault)) {
        watch->verdict = REFLECTOR_RELIST;
        return false;
    }
    switch (event.kind) {
    case WATCH_ADDED:
    case WATCH_MODIFIED:
        changed = store_apply(r->store, store_slim(event.object, r->resource));
        break;
    case WATCH_DELETED:
        changed = store_delete(r->store, event.object);
        break;
    case WATCH_ERROR:
        return on_error_event(watch, event.object, fault);
    case WATCH_UNKNOWN:
        lg_info(r->lg, "watch event of an unknown type passed over",
                LG_STR("resource", r->resource->plural));
        return true;
    case WATCH_BOOKMARK:
    case WATCH_KIND_MAX:
        break;
    }
    if (event.kind != WATCH_BOOKMARK) {
        r->events++;
    }
    if (changed) {
        tell(r, event.object);
    }
    if (!reflector_move(watch->pass, event.object, fault)) {
        watch->verdict = REFLECTOR_RELIST;
        return false;
    }
    return true;
}

static bool on_bytes(void *context, struct sv bytes, struct fault *fault)
{
    struct watch *watch = context;
    struct reflector *r = watch->pass->r;

    r->last_contact_ms = clock_monotonic_ms(r->api->clock);
    if (watch->status != 200) {
        buf_add(&watch->error_body,
                sv_sub(bytes, 0, ERROR_BODY_MAX - watch->error_body.n));
        return true;
    }
    if (!watch_frame_feed(&watch->frame, bytes, on_line, watch, fault)) {
        if (watch->verdict == 0) {
            watch->verdict = REFLECTOR_RELIST; /* a line too long */
        }
        return false;
    }
    return true;
}

/* client-go: an end, also a broken one, is how watches end; only a short life is a fault.
 */
static enum reflector_end judge_end(struct watch *watch, bool orderly,
                                    struct fault *fault)
{
    struct reflector *r = watch->pass->r;
    int64_t lived_ms = clock_monotonic_ms(r->api->clock) - watch->began_ms;

    if (watch->verdict != 0) {
        return watch->verdict;
    }
    if (orderly && watch->status != 200) {
        return judge(r, watch->status, buf_sv(&watch->error_body), fault);
    }
    if (watch->status == 200 && lived_ms >= SHORT_MS) {
        return REFLECTOR_REOPEN;
    }
    if (orderly) {
        fault_set(fault, FAULT_UNAVAILABLE, "ShortWatch",
                  "the API server ended the watch of %s after %" PRId64 " ms",
                  r->resource->plural, lived_ms);
    }
    return REFLECTOR_RETRY;
}

static void watch_deinit(struct watch *watch)
{
    watch_frame_deinit(&watch->frame);
    buf_deinit(&watch->error_body);
}

enum reflector_end reflector_watch(struct reflector_pass *pass, struct fault *fault)
{
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_BYTES);
    AUTO(watch_deinit) struct watch watch = {.pass = pass};
    struct reflector *r = pass->r;
    struct kube_transport *transport = r->api->transport;
    uint64_t seconds = WATCH_SECONDS_MIN + rng_below(&r->rng, WATCH_SECONDS_SPREAD);
    const struct errors_call call = reflector_call(r, "watch");
    struct cancel child;

    if (!exchange_allowed(r->api, &call, fault)) {
        return REFLECTOR_RETRY;
    }
    const struct kube_request request = {
        .method = "GET", .path = watch_path(r, pass->resource_version, seconds, arena)};
    watch_frame_init(&watch.frame, KUBE_EVENT_LINE_MAX);
    buf_init(&watch.error_body, ERROR_BODY_MAX);
    watch.began_ms = clock_monotonic_ms(r->api->clock);
    r->watches++;
    cancel_init_child(&child, pass->cancel, (int64_t)seconds * 1000 + MARGIN_MS);
    bool orderly = transport->ops->stream(transport, &request, IDLE_MS, &child, on_bytes,
                                          &watch, &watch.status, fault);
    cancel_deinit(&child);
    return judge_end(&watch, orderly, fault);
}

#include "kube/exchange.h"
#include "kube/reflector_pass.h"
#include "kube/store.h"
#include "kube/watch.h"

#include <inttypes.h>
#include <string.h>

#define WATCH_SECONDS_MIN 300 /* client-go draws from 5 to 10 minutes */
#define WATCH_SECONDS_SPREAD 301
#define MARGIN_MS 10000 /* after the server's own deadline we end the watch ourselves */
#define SHORT_MS 1000   /* a watch that ends sooner must not be reopened at once */
#define ERROR_BODY_MAX ((size_t)64 * 1024)
#define ARENA_BYTES ((size_t)64 * 1024 * 1024)

struct watch {
    struct reflector_pass *pass;
    struct watch_frame frame;
    struct store_listing *listing; /* NULL once the initial events are over */
    struct buf error_body;         /* of an answer other than 200 */
    int status;
    enum reflector_end verdict; /* 0: the stream says nothing itself about its end */
    int64_t began_ms;
};

static const char *watch_path(struct reflector_pass *pass, uint64_t seconds,
                              struct arena *arena)
{
    struct reflector *r = pass->r;
    const char *path = kube_path(arena, r->resource, r->namespace, NULL, NULL);
    const char *selector = reflector_selector(r, arena);
    const char *selector_key = selector == NULL ? NULL : "fieldSelector";
    const char *timeout = arena_printf(arena, "%" PRIu64, seconds);

    if (!pass->initial) {
        return kube_path_query(arena, path, "watch", "1", "allowWatchBookmarks", "true",
                               "resourceVersion", pass->resource_version,
                               "timeoutSeconds", timeout, selector_key, selector, NULL);
    }
    /* An empty resourceVersion: the newest state. */
    return kube_path_query(arena, path, "watch", "1", "sendInitialEvents", "true",
                           "resourceVersionMatch", "NotOlderThan", "resourceVersion",
                           pass->not_older ? pass->resource_version : "",
                           "allowWatchBookmarks", "true", "timeoutSeconds", timeout,
                           selector_key, selector, NULL);
}

static void tell(struct reflector *r, const struct slim *object)
{
    AUTO(buf_deinit) struct buf key = {0};

    buf_init(&key, KUBE_EVENT_LINE_MAX);
    slim_key(object, &key);
    if (r->on_change != NULL) {
        r->on_change(r->context, buf_z(&key), false);
    }
}

/* Statuses with which a server says that it does not know sendInitialEvents. */
static bool is_unsupported(const struct watch *watch, int code)
{
    return watch->listing != NULL && !watch->pass->not_older &&
           (code == 400 || code == 422);
}

static enum reflector_end list_instead(struct watch *watch, const char *why)
{
    struct reflector *r = watch->pass->r;

    r->list_only = true;
    lg_info(r->lg, "the API server does not stream collections; they are listed in pages",
            LG_STR("resource", r->resource->plural), LG_STR("error", why));
    return REFLECTOR_LIST;
}

/* What a Status says, as an HTTP status or within the stream, about how to go on. */
static enum reflector_end judge(struct watch *watch, int code, int retry_after_s,
                                struct sv body, struct fault *fault)
{
    struct reflector *r = watch->pass->r;
    const struct errors_call call = reflector_call(r, "watch");
    const struct errors_answer answer = {
        .status = code, .retry_after_s = retry_after_s, .body = body};
    AUTO(buf_deinit) struct buf words = {0};
    enum kube_outcome outcome = KUBE_OK;
    struct fault told = FAULT_INIT;

    buf_init(&words, KUBE_EVENT_LINE_MAX);
    bool classified =
        errors_classify(&call, &answer, &outcome, &words, &retry_after_s, &told);
    if (is_unsupported(watch, code)) {
        return list_instead(watch, classified ? buf_z(&words) : told.text);
    }
    if (!classified) {
        *fault = told;
        exchange_pause(r->api, &call, retry_after_s);
        return errors_keeps_version(&answer, watch->status == 200) ? REFLECTOR_RETRY
                                                                   : REFLECTOR_RELIST;
    }
    bool gone = outcome == KUBE_GONE;
    fault_set(fault, FAULT_UNAVAILABLE, gone ? "Gone" : "WatchFailed", "watch %s: %s",
              r->resource->plural, buf_z(&words));
    return gone ? REFLECTOR_GONE : REFLECTOR_RELIST;
}

static bool on_error_event(struct watch *watch, struct sv raw, struct fault *fault)
{
    static const char *const paths[] = {"code", "reason"};
    struct sv found[COUNT_OF(paths)];
    int64_t code = 0;

    json_pick(raw, paths, COUNT_OF(paths), found);
    struct sv reason = json_cursor_plain(found[1]);
    (void)sv_int64(found[0], &code);
    if (sv_eq(reason, SV("Expired")) || sv_eq(reason, SV("Gone"))) {
        code = 410; /* the reason decides: old servers send other codes with it */
    }
    watch->verdict =
        judge(watch, code < 400 || code > 599 ? 500 : (int)code, 0, raw, fault);
    return false;
}

/* false: the verdict is set. */
static bool take_version(struct watch *watch, struct sv version, struct fault *fault)
{
    if (reflector_move(watch->pass, version, fault)) {
        return true;
    }
    watch->verdict = REFLECTOR_RELIST;
    return false;
}

/*
 * The events that make up the collection. Their versions are no place to go on from: they
 * come in the order of names.
 */
static bool on_initial(struct watch *watch, const struct watch_event *event,
                       struct fault *fault)
{
    struct store_listing *listing = watch->listing;

    if (event->kind == WATCH_DELETED) {
        store_listing_drop(listing, &event->object);
    } else if (event->kind == WATCH_ADDED || event->kind == WATCH_MODIFIED) {
        if (!store_listing_add_slim(listing, &event->object)) {
            reflector_skip(watch->pass, "list", event->raw.n, "its name is too long");
        }
        if (!reflector_check_count(watch->pass, listing, fault)) {
            watch->verdict = REFLECTOR_RELIST;
            return false;
        }
    } else if (event->kind == WATCH_BOOKMARK && event->object.initial_end) {
        if (!take_version(watch, event->object.version, fault)) {
            return false;
        }
        reflector_commit(watch->pass, listing);
        store_listing_free(TAKE(watch->listing));
    }
    return true;
}

static bool on_event(struct watch *watch, const struct watch_event *event,
                     struct fault *fault)
{
    struct reflector *r = watch->pass->r;
    bool changed = false;

    if (event->kind == WATCH_DELETED) {
        changed = store_delete_slim(r->store, &event->object);
    } else if (event->kind != WATCH_BOOKMARK) {
        changed = store_apply_slim(r->store, &event->object);
    }
    r->events += event->kind != WATCH_BOOKMARK;
    if (changed) {
        tell(r, &event->object);
    }
    return take_version(watch, event->object.version, fault);
}

/*
 * A line that cannot be read may be an accident on the way, which a list heals; what the
 * list could not read either is there to stay, and must not hold up the others.
 */
static bool on_unreadable(struct watch *watch, size_t bytes, const char *why,
                          struct fault *fault)
{
    struct reflector_pass *pass = watch->pass;

    if (watch->listing != NULL || pass->has_unreadable) {
        reflector_skip(pass, watch->listing != NULL ? "list" : "watch", bytes, why);
        return true;
    }
    watch->verdict = REFLECTOR_RELIST;
    return fault_set(fault, FAULT_UNAVAILABLE, "BadEvent",
                     "the watch sent a line of %zu bytes that cannot be read: %s", bytes,
                     why);
}

static bool on_line(void *context, struct sv line, struct fault *fault)
{
    struct watch *watch = context;
    struct reflector *r = watch->pass->r;
    const struct slim_rules rules = reflector_rules(r);
    struct watch_event event;
    struct fault bad = FAULT_INIT;

    if (line.p == NULL) {
        return on_unreadable(watch, line.n, "it is above the ceiling", fault);
    }
    if (!watch_event_parse(line, &rules, &watch->pass->text, &event, &bad)) {
        return on_unreadable(watch, line.n, bad.text, fault);
    }
    if (event.kind == WATCH_ERROR) {
        return on_error_event(watch, event.raw, fault);
    }
    if (event.kind == WATCH_UNKNOWN) {
        lg_info(r->lg, "watch event of an unknown type passed over",
                LG_STR("resource", r->resource->plural));
        return true;
    }
    return watch->listing != NULL ? on_initial(watch, &event, fault)
                                  : on_event(watch, &event, fault);
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
        must(watch->verdict != 0);
        return false;
    }
    return true;
}

/* The stream is over and the collection is not. */
static enum reflector_end judge_cut(struct watch *watch, bool orderly,
                                    struct fault *fault)
{
    if (!orderly && watch->status == 200 && strcmp(fault->reason, "Idle") == 0) {
        /* The last of the objects came and nothing said so: a server that passes over
         * parameters it does not know. */
        return list_instead(watch, "the end of the initial events was not told");
    }
    if (orderly) {
        fault_set(fault, FAULT_UNAVAILABLE, "InitialEventsCut",
                  "the API server ended the stream of %s before its initial events",
                  watch->pass->r->resource->plural);
    }
    return REFLECTOR_RELIST;
}

/* client-go: an end, also a broken one, is how watches end; only a short life is a fault.
 */
static enum reflector_end judge_end(struct watch *watch, bool orderly, int retry_after_s,
                                    struct fault *fault)
{
    struct reflector *r = watch->pass->r;
    int64_t lived_ms = clock_monotonic_ms(r->api->clock) - watch->began_ms;

    if (watch->verdict != 0) {
        return watch->verdict;
    }
    if (orderly && watch->status != 200) {
        return judge(watch, watch->status, retry_after_s, buf_sv(&watch->error_body),
                     fault);
    }
    if (watch->listing != NULL) {
        return judge_cut(watch, orderly, fault);
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
    store_listing_free(watch->listing);
    buf_deinit(&watch->error_body);
}

static void watch_init(struct watch *watch, struct reflector_pass *pass)
{
    *watch = (struct watch){.pass = pass};
    watch_frame_init(&watch->frame, KUBE_EVENT_LINE_MAX);
    buf_init(&watch->error_body, ERROR_BODY_MAX);
    watch->began_ms = clock_monotonic_ms(pass->r->api->clock);
    if (pass->initial) {
        watch->listing = store_listing_new(pass->r->store, pass->r->namespace);
        pass->has_unreadable = false;
    }
}

enum reflector_end reflector_watch(struct reflector_pass *pass, struct fault *fault)
{
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_BYTES);
    AUTO(watch_deinit) struct watch watch = {.pass = NULL};
    struct reflector *r = pass->r;
    struct kube_transport *transport = r->api->transport;
    uint64_t seconds = WATCH_SECONDS_MIN + rng_below(&r->rng, WATCH_SECONDS_SPREAD);
    const struct errors_call call = reflector_call(r, "watch");
    struct cancel child;
    int retry_after_s = 0;

    if (!exchange_allowed(r->api, &call, fault)) {
        return REFLECTOR_RETRY;
    }
    const struct kube_request request = {.method = "GET",
                                         .path = watch_path(pass, seconds, arena),
                                         .out_retry_after_s = &retry_after_s};
    watch_init(&watch, pass);
    r->watches++;
    cancel_init_child(&child, pass->cancel, (int64_t)seconds * 1000 + MARGIN_MS);
    bool orderly = transport->ops->stream(
        transport, &request,
        r->api->watch_idle_ms > 0 ? r->api->watch_idle_ms : REFLECTOR_IDLE_MS, &child,
        on_bytes, &watch, &watch.status, fault);
    cancel_deinit(&child);
    return judge_end(&watch, orderly, retry_after_s, fault);
}

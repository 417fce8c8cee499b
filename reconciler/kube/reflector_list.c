/* The list in pages, each read while it arrives: for servers that do not stream. */
#include "kube/exchange.h"
#include "kube/page.h"
#include "kube/reflector_pass.h"

#define PAGE_OBJECTS "500"
#define PAGE_MS 60000 /* for the whole of a page, however it trickles */
#define CONTINUE_BYTES_MAX ((size_t)64 * 1024)
#define ERROR_BODY_MAX ((size_t)64 * 1024)
#define RESTARTS_MAX 3 /* of one list, when its continue token expires between pages */
#define ARENA_BYTES ((size_t)256 * 1024 * 1024)

struct list {
    struct reflector_pass *pass;
    struct store_listing *listing;
    struct page page;
    struct buf error_body; /* of an answer other than 200 */
    int status;
};

static const char *page_path(const struct reflector_pass *pass, const char *token,
                             struct arena *arena)
{
    const struct reflector *r = pass->r;
    const char *path = kube_path(arena, r->resource, r->namespace, NULL, NULL);
    const char *selector = reflector_selector(r, arena);
    const char *selector_key = selector == NULL ? NULL : "fieldSelector";

    if (token != NULL) {
        return kube_path_query(arena, path, "limit", PAGE_OBJECTS, "continue", token,
                               selector_key, selector, NULL);
    }
    if (pass->not_older) {
        return kube_path_query(arena, path, "limit", PAGE_OBJECTS, "resourceVersion",
                               pass->resource_version, "resourceVersionMatch",
                               "NotOlderThan", selector_key, selector, NULL);
    }
    /* Without resourceVersion: the newest state, whatever the server's caches lag behind.
     */
    return kube_path_query(arena, path, "limit", PAGE_OBJECTS, selector_key, selector,
                           NULL);
}

static bool on_item(void *context, struct sv item, struct fault *fault)
{
    struct list *list = context;
    struct reflector_pass *pass = list->pass;
    const struct slim_rules rules = reflector_rules(pass->r);
    struct fault bad = FAULT_INIT;
    struct slim slim;

    if (item.p == NULL) {
        reflector_skip(pass, "list", item.n, "it is above the ceiling");
        return true;
    }
    if (!slim_parse(item, &rules, &pass->text, &slim, &bad)) {
        reflector_skip(pass, "list", item.n, bad.text);
        return true;
    }
    if (slim.name.n == 0 || slim.version.n == 0) {
        reflector_skip(pass, "list", item.n, "it has no name or no resourceVersion");
    } else if (!store_listing_add_slim(list->listing, &slim)) {
        reflector_skip(pass, "list", item.n, "its name is too long");
    }
    return reflector_check_count(pass, list->listing, fault);
}

static bool on_bytes(void *context, struct sv bytes, struct fault *fault)
{
    struct list *list = context;
    struct reflector *r = list->pass->r;

    r->last_contact_ms = clock_monotonic_ms(r->api->clock);
    if (list->status != 200) {
        buf_add(&list->error_body, sv_sub(bytes, 0, ERROR_BODY_MAX - list->error_body.n));
        return true;
    }
    return page_feed(&list->page, bytes, fault);
}

/* The next page's token; NULL after the last. */
static bool next_token(const struct json *rest, struct arena *arena,
                       const char **out_token, struct fault *fault)
{
    struct sv token = sv_from(json_path_string(rest, "metadata.continue"));

    if (token.n > CONTINUE_BYTES_MAX) {
        return fault_set(fault, FAULT_UNAVAILABLE, "BadAnswer",
                         "the list's continue token is larger than %zu bytes",
                         CONTINUE_BYTES_MAX);
    }
    *out_token = token.n == 0 ? NULL : arena_copy(arena, token);
    return true;
}

static bool fault_of_outcome(const struct reflector *r, enum kube_outcome outcome,
                             const char *words, struct fault *fault)
{
    const struct errors_call call = reflector_call(r, "list");
    AUTO(buf_deinit) struct buf what = {0};

    buf_init(&what, KUBE_BODY_MAX);
    errors_describe(&call, &what);
    if (outcome == KUBE_NOT_FOUND) {
        return fault_set(fault, FAULT_UNAVAILABLE, "NotServed",
                         "%s: %s; the server does not know this type: install the "
                         "project's CustomResourceDefinitions",
                         buf_z(&what), words);
    }
    return fault_set(fault, FAULT_UNAVAILABLE, "ListFailed", "%s: %s", buf_z(&what),
                     words);
}

static void list_deinit(struct list *list)
{
    page_deinit(&list->page);
    buf_deinit(&list->error_body);
}

/* false with the fault: not answered, or with something else than a list. */
static bool judge(struct list *list, int retry_after_s, bool *out_gone,
                  struct fault *fault)
{
    struct reflector *r = list->pass->r;
    const struct errors_call call = reflector_call(r, "list");
    const struct errors_answer answer = {.status = list->status,
                                         .retry_after_s = retry_after_s,
                                         .body = buf_sv(&list->error_body)};
    AUTO(buf_deinit) struct buf words = {0};
    enum kube_outcome outcome = KUBE_OK;

    buf_init(&words, KUBE_BODY_MAX);
    bool classified =
        errors_classify(&call, &answer, &outcome, &words, &retry_after_s, fault);
    exchange_pause(r->api, &call, retry_after_s);
    if (!classified) {
        return false;
    }
    *out_gone = outcome == KUBE_GONE;
    return outcome == KUBE_OK ? true : fault_of_outcome(r, outcome, buf_z(&words), fault);
}

static bool wrap(const struct errors_call *call, struct fault *fault)
{
    AUTO(buf_deinit) struct buf what = {0};

    buf_init(&what, KUBE_BODY_MAX);
    errors_describe(call, &what);
    return fault_wrap(fault, "%s", buf_z(&what));
}

/* What the answer is says more than what it lacks. */
static bool finish(const struct list *list, const struct errors_call *call,
                   struct json **out_rest, struct fault *fault)
{
    AUTO(json_freep) struct json *around = NULL;
    struct fault ignored = FAULT_INIT;
    struct sv text = buf_sv(&list->page.rest);

    if (!json_parse(text, PAGE_REST_MAX, &around, &ignored)) {
        around = NULL;
    }
    if ((around != NULL || !list->page.in_items) &&
        !errors_check_body(call, text, around, fault)) {
        return false;
    }
    return page_finish(&list->page, out_rest, fault) ? true : wrap(call, fault);
}

/* One page; *token becomes that of the next. *out_gone: the server said 410. */
static bool list_page(struct reflector_pass *pass, struct store_listing *listing,
                      struct arena *arena, const char **token, bool *out_gone,
                      struct fault *fault)
{
    struct reflector *r = pass->r;
    struct kube_transport *transport = r->api->transport;
    AUTO(list_deinit) struct list list = {.pass = pass, .listing = listing};
    AUTO(json_freep) struct json *rest = NULL;
    const struct errors_call call = reflector_call(r, "list");
    struct cancel child;
    int retry_after_s = 0;

    page_init(&list.page, KUBE_EVENT_LINE_MAX, on_item, &list);
    buf_init(&list.error_body, ERROR_BODY_MAX);
    if (!exchange_allowed(r->api, &call, fault)) {
        return false;
    }
    const struct kube_request request = {.method = "GET",
                                         .path = page_path(pass, *token, arena),
                                         .gzip = true,
                                         .out_retry_after_s = &retry_after_s};
    cancel_init_child(&child, pass->cancel, PAGE_MS);
    bool done = transport->ops->stream(transport, &request, r->api->call_timeout_ms,
                                       &child, on_bytes, &list, &list.status, fault);
    cancel_deinit(&child);
    r->last_contact_ms = clock_monotonic_ms(r->api->clock);
    if (!done) {
        return wrap(&call, fault);
    }
    if (!judge(&list, retry_after_s, out_gone, fault)) {
        return false;
    }
    if (!finish(&list, &call, &rest, fault)) {
        return false;
    }
    if (!next_token(rest, arena, token, fault)) {
        return wrap(&call, fault);
    }
    struct sv version = sv_from(json_path_string(rest, "metadata.resourceVersion"));
    return reflector_move(pass, version, fault) || wrap(&call, fault);
}

/* All pages into `listing`. *out_expired: the list must begin again. */
static bool list_pages(struct reflector_pass *pass, struct store_listing *listing,
                       struct arena *arena, bool *out_expired, struct fault *fault)
{
    const char *token = NULL;

    do {
        bool first = token == NULL;
        bool gone = false;

        if (!list_page(pass, listing, arena, &token, &gone, fault)) {
            *out_expired = gone && !first;
            return false;
        }
    } while (token != NULL);
    return true;
}

bool reflector_list(struct reflector_pass *pass, struct fault *fault)
{
    bool expired = true;

    pass->has_unreadable = false;
    for (int restart = 0; expired && restart <= RESTARTS_MAX; restart++) {
        AUTO(arena_freep) struct arena *arena = arena_new(ARENA_BYTES);
        AUTO(store_listing_freep)
        struct store_listing *listing =
            store_listing_new(pass->r->store, pass->r->namespace);
        expired = false;
        if (list_pages(pass, listing, arena, &expired, fault)) {
            reflector_commit(pass, listing);
            return true;
        }
    }
    return false;
}

#include "kube/exchange.h"
#include "kube/reflector_pass.h"
#include "kube/store.h"

#define PAGE_OBJECTS "500"
#define OBJECTS_MAX ((size_t)1000 * 1000)
#define CONTINUE_BYTES_MAX ((size_t)64 * 1024)
#define RESTARTS_MAX 3 /* of one list, when its continue token expires between pages */
#define ARENA_BYTES ((size_t)256 * 1024 * 1024)

static const char *page_path(const struct reflector *r, const char *token,
                             struct arena *arena)
{
    const char *path = kube_path(arena, r->resource, r->namespace, NULL, NULL);
    const char *selector = reflector_selector(r, arena);
    const char *selector_key = selector == NULL ? NULL : "fieldSelector";

    /* Without resourceVersion: the newest state, whatever the server's caches lag behind.
     */
    return token == NULL ? kube_path_query(arena, path, "limit", PAGE_OBJECTS,
                                           selector_key, selector, NULL)
                         : kube_path_query(arena, path, "limit", PAGE_OBJECTS, "continue",
                                           token, selector_key, selector, NULL);
}

static bool add_page(struct store_listing *listing, const struct reflector *r,
                     const struct json *page, struct fault *fault)
{
    const struct json *items = json_get(page, "items");

    if (json_kind(items) != JSON_ARRAY && json_kind(items) != JSON_NULL) {
        return fault_set(fault, FAULT_UNAVAILABLE, "BadAnswer", "the list has no items");
    }
    for (const struct json *item = json_first(items); item != NULL;
         item = json_next(item)) {
        if (kube_name(item) == NULL || kube_resource_version(item) == NULL) {
            return fault_set(fault, FAULT_UNAVAILABLE, "BadAnswer",
                             "the list holds an object without name or resourceVersion");
        }
        store_listing_add(listing, item, r->resource);
    }
    if (store_listing_count(listing) > OBJECTS_MAX) {
        return fault_set(fault, FAULT_REFUSED, "TooManyObjects",
                         "there are more than %zu %s; watch fewer namespaces",
                         OBJECTS_MAX, r->resource->plural);
    }
    return true;
}

/* The next page's token; NULL after the last. */
static bool next_token(const struct json *page, struct arena *arena,
                       const char **out_token, struct fault *fault)
{
    struct sv token = sv_from(json_path_string(page, "metadata.continue"));

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
    bool missing = outcome == KUBE_NOT_FOUND;
    AUTO(buf_deinit) struct buf what = {0};

    buf_init(&what, KUBE_BODY_MAX);
    errors_describe(&call, &what);
    return fault_set(fault, FAULT_UNAVAILABLE, missing ? "NotServed" : "ListFailed",
                     "%s: %s%s", buf_z(&what), words,
                     missing
                         ? "; the server does not know this type: install the project's "
                           "CustomResourceDefinitions"
                         : "");
}

/* All pages into `listing`. *out_expired: the list must begin again. */
static bool list_pages(struct reflector_pass *pass, struct store_listing *listing,
                       struct arena *arena, bool *out_expired, struct fault *fault)
{
    struct reflector *r = pass->r;
    const char *token = NULL;

    do {
        AUTO(json_freep) struct json *page = NULL;
        AUTO(buf_deinit) struct buf words = {0};
        enum kube_outcome outcome = KUBE_OK;
        buf_init(&words, KUBE_BODY_MAX);
        const struct exchange exchange = {
            .method = "GET",
            .path = page_path(r, token, arena),
            .call = reflector_call(r, "list"),
            .out_message = &words,
        };
        if (!exchange_run(r->api, &exchange, pass->cancel, &outcome, &page, fault)) {
            return false;
        }
        r->last_contact_ms = clock_monotonic_ms(r->api->clock);
        if (outcome == KUBE_GONE && token != NULL) {
            *out_expired = true;
        }
        if (outcome != KUBE_OK) {
            return fault_of_outcome(r, outcome, buf_z(&words), fault);
        }
        if (!add_page(listing, r, page, fault) ||
            !next_token(page, arena, &token, fault) ||
            !reflector_move(pass, page, fault)) {
            return false;
        }
    } while (token != NULL);
    return true;
}

static void commit(struct reflector_pass *pass, struct store_listing *listing,
                   struct arena *arena)
{
    struct reflector *r = pass->r;
    struct store_keys keys = {0};
    bool first = false;

    store_listing_commit(listing, pass->resource_version, arena, &keys, &first);
    r->lists++;
    for (size_t i = 0; i < keys.list.n && r->on_change != NULL; i++) {
        r->on_change(r->context, keys.list.v[i], first);
    }
}

bool reflector_list(struct reflector_pass *pass, struct fault *fault)
{
    bool expired = true;

    for (int restart = 0; expired && restart <= RESTARTS_MAX; restart++) {
        AUTO(arena_freep) struct arena *arena = arena_new(ARENA_BYTES);
        AUTO(store_listing_freep)
        struct store_listing *listing = store_listing_new(pass->r->store);
        expired = false;
        if (list_pages(pass, listing, arena, &expired, fault)) {
            commit(pass, listing, arena);
            return true;
        }
    }
    return false;
}

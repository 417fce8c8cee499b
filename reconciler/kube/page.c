#include "kube/page.h"

#include <string.h>

#define KEY_BYTES_MAX ((size_t)64)
#define KEEP_BYTES ((size_t)64 * 1024)
#define ITEMS_DEPTH 2U /* the list and its array */

void page_init(struct page *page, size_t item_bytes_max, page_on_item *on_item,
               void *context)
{
    *page = (struct page){.on_item = on_item, .context = context};
    buf_init(&page->item, item_bytes_max);
    buf_init(&page->rest, PAGE_REST_MAX);
    buf_init(&page->key, KEY_BYTES_MAX);
}

void page_deinit(struct page *page)
{
    buf_deinit(&page->item);
    buf_deinit(&page->rest);
    buf_deinit(&page->key);
}

static bool is_in_item(const struct page *page)
{
    return page->in_items && page->depth > ITEMS_DEPTH;
}

/* A piece of the item at hand, whose end it is if `whole`. */
static bool add_to_item(struct page *page, struct sv part, bool whole,
                        struct fault *fault)
{
    struct buf *item = &page->item;

    if (page->dropped > 0 || item->n + part.n > item->ceiling_bytes) {
        struct sv told = {NULL, page->dropped + item->n + part.n};
        buf_deinit(item);
        page->dropped = whole ? 0 : told.n;
        return !whole || page->on_item(page->context, told, fault);
    }
    if (whole && item->n == 0) {
        return page->on_item(page->context, part, fault); /* nothing is copied */
    }
    buf_add(item, part);
    if (!whole) {
        return true;
    }
    bool good = page->on_item(page->context, buf_sv(item), fault);
    if (item->capacity > KEEP_BYTES) {
        buf_deinit(item);
    } else {
        buf_clear(item);
    }
    return good;
}

/* How far a string goes on within `bytes`. */
static size_t string_bytes(struct page *page, struct sv bytes)
{
    size_t at = 0;

    while (at < bytes.n && page->in_string) {
        char c = bytes.p[at++];
        if (page->escaped) {
            page->escaped = false;
        } else if (c == '\\') {
            page->escaped = true;
        } else if (c == '"') {
            page->in_string = false;
        }
    }
    return at;
}

/* How far there are neither strings nor brackets. */
static size_t plain_bytes(struct sv bytes)
{
    size_t at = 0;

    while (at < bytes.n && bytes.p[at] != '"' && (bytes.p[at] | 0x20) != '{' &&
           (bytes.p[at] | 0x20) != '}') {
        at++;
    }
    return at;
}

static bool is_items(const struct page *page)
{
    return page->depth == 1 && sv_eq(buf_sv(&page->key), SV("\"items\""));
}

/* One byte outside of strings and, mostly, of items. */
static void note(struct page *page, char c)
{
    if (c == '"') {
        page->in_string = true;
        if (page->depth == 1 && page->wants_key) {
            buf_clear(&page->key);
        }
    } else if (c == '{' || c == '[') {
        page->in_items = page->in_items || (c == '[' && is_items(page));
        page->depth++;
        page->wants_key = c == '{';
    } else if (c == '}' || c == ']') {
        page->depth -= page->depth > 0;
        page->in_items = page->in_items && page->depth >= ITEMS_DEPTH;
    } else if (c == ',') {
        page->wants_key = true;
    } else if (c == ':') {
        page->wants_key = false;
    }
}

/* Takes from the front of `bytes` what lies within an item. */
static bool feed_item(struct page *page, struct sv *bytes, struct fault *fault)
{
    size_t at = 0;

    if (!is_in_item(page)) { /* at its first byte */
        page->depth++;
        at++;
    }
    while (at < bytes->n && is_in_item(page)) {
        struct sv left = sv_sub(*bytes, at, bytes->n);
        if (page->in_string) {
            at += string_bytes(page, left);
            continue;
        }
        at += plain_bytes(left);
        if (at < bytes->n) {
            char c = bytes->p[at++];
            page->in_string = c == '"';
            page->depth += c == '{' || c == '[';
            page->depth -= c == '}' || c == ']';
        }
    }
    struct sv part = sv_sub(*bytes, 0, at);
    *bytes = sv_sub(*bytes, at, bytes->n);
    return add_to_item(page, part, !is_in_item(page), fault);
}

/* Takes from the front what is around the items: little, hence byte by byte. */
static bool feed_rest(struct page *page, struct sv *bytes, struct fault *fault)
{
    while (bytes->n > 0) {
        char c = bytes->p[0];
        bool is_key = page->in_string || c == '"';
        bool between = page->in_items && page->depth == ITEMS_DEPTH && !page->in_string;

        if (between && (c == '{' || c == '[')) {
            return feed_item(page, bytes, fault);
        }
        if (page->in_string) {
            (void)string_bytes(page, (struct sv){bytes->p, 1});
        } else {
            note(page, c);
        }
        if (page->depth == 1 && is_key && page->wants_key) {
            buf_addc(&page->key, c);
        }
        if (!between || c != ',') {
            buf_addc(&page->rest, c);
        }
        *bytes = sv_sub(*bytes, 1, bytes->n);
    }
    return true;
}

bool page_feed(struct page *page, struct sv bytes, struct fault *fault)
{
    while (bytes.n > 0) {
        if (is_in_item(page) ? !feed_item(page, &bytes, fault)
                             : !feed_rest(page, &bytes, fault)) {
            return false;
        }
    }
    return !buf_overflowed(&page->rest) ||
           fault_set(fault, FAULT_UNAVAILABLE, "BadAnswer",
                     "the list has more than %zu bytes around its items", PAGE_REST_MAX);
}

bool page_finish(const struct page *page, struct json **out_rest, struct fault *fault)
{
    AUTO(json_freep) struct json *rest = NULL;
    struct fault bad = FAULT_INIT;

    if (is_in_item(page)) {
        return fault_set(fault, FAULT_UNAVAILABLE, "BadAnswer",
                         "the list ends within an item");
    }
    if (!json_parse(buf_sv(&page->rest), PAGE_REST_MAX, &rest, &bad)) {
        return fault_set(fault, FAULT_UNAVAILABLE, "BadAnswer",
                         "the answer is not a JSON object: %s", bad.text);
    }
    const struct json *items = json_get(rest, "items");
    if ((json_kind(items) != JSON_ARRAY && json_kind(items) != JSON_NULL) ||
        json_first(items) != NULL) {
        return fault_set(fault, FAULT_UNAVAILABLE, "BadAnswer",
                         json_first(items) == NULL ? "the list has no items"
                                                   : "the list's items are no objects");
    }
    *out_rest = TAKE(rest);
    return true;
}

/*
 * page: reads the JSON document of a list while it arrives, item by item. Private to the
 * room.
 *
 * Only the item at hand and what stands around the items (metadata with the continue
 * token) are in memory. The split looks at brackets and strings alone; whether an item is
 * JSON is for its reader to find out, and what is around the items is parsed at the end.
 */
#ifndef KUBE_PAGE_H
#define KUBE_PAGE_H

#include "base/buf.h"
#include "base/json.h"

/* One item as it is written; one above the ceiling comes without bytes (p is NULL) and
 * with its size. */
typedef bool page_on_item(void *context, struct sv item, struct fault *fault);

struct page {
    struct buf item; /* the beginning of an item whose end has not come yet */
    struct buf rest; /* the document without its items */
    struct buf key;  /* of the member of the outermost object */
    size_t dropped;  /* bytes so far of an item above the ceiling */
    unsigned depth;  /* of brackets */
    bool in_string, escaped;
    bool wants_key; /* the next string of the outermost object is a key */
    bool in_items;  /* within "items" */
    page_on_item *on_item;
    void *context;
};

#define PAGE_REST_MAX ((size_t)1024 * 1024)

void page_init(struct page *page, size_t item_bytes_max, page_on_item *on_item,
               void *context);
void page_deinit(struct page *page);

/* false as soon as on_item says so, or FAULT_UNAVAILABLE "BadAnswer". */
MUST_CHECK bool page_feed(struct page *page, struct sv bytes, struct fault *fault);

/* The document without its items, when all has come; the caller frees it.
 * FAULT_UNAVAILABLE "BadAnswer": not a JSON object, or one without items. */
MUST_CHECK bool page_finish(const struct page *page, struct json **out_rest,
                            struct fault *fault);

#endif

/*
 * json_cursor: walks through JSON text without building a tree, checking it by RFC 8259
 * as it goes: what it has passed is valid, UTF-8 and nesting included. For texts that
 * are looked at once and kept as they are: json_scan.h and kube/slim.h.
 *
 * Once something is wrong `problem` says what and `at` where, and every further call
 * returns false.
 */
#ifndef BASE_JSON_CURSOR_H
#define BASE_JSON_CURSOR_H

#include "base/sv.h"

struct json_cursor {
    const char *p;
    size_t n;
    size_t at;
    size_t nodes_left;   /* how many more values may come */
    const char *problem; /* static text; NULL while all is well */
};

void json_cursor_init(struct json_cursor *c, struct sv text, size_t nodes_max);

/* One value of at most `depth_max` levels and the white space around it; *out_raw: the
 * value alone. */
bool json_cursor_value(struct json_cursor *c, unsigned depth_max, struct sv *out_raw);

/* The first byte of what comes next, white space passed over; -1 at the end. */
int json_cursor_peek(struct json_cursor *c);

/*
 * Opens an object ('{') or an array ('['), which must come next; then
 * `bool begun = false; while (json_cursor_next(c, '}', &begun, &key))`, each time
 * followed by exactly one value. The key comes without quotes and as it is written,
 * escapes included; of an array it is empty. false at the closing bracket and on a
 * problem.
 */
bool json_cursor_open(struct json_cursor *c, char bracket);
bool json_cursor_next(struct json_cursor *c, char close, bool *begun, struct sv *out_key);

/* Whether nothing but white space is left; else a problem. */
bool json_cursor_end(struct json_cursor *c);

/* The content of a raw string without its quotes; empty when it is another value or has
 * escapes in it. */
struct sv json_cursor_plain(struct sv raw);

/*
 * One pass over `object`, which was checked before, for several dotted paths
 * ("spec.target.table"): out_raw[i] is the raw value of paths[i], empty when absent. At
 * most 32 paths.
 */
void json_pick(struct sv object, const char *const *paths, size_t count,
               struct sv *out_raw);

#endif

/*
 * json: reading and building JSON trees. The parser behind it (cJSON) shows nowhere else.
 *
 * Getters are forgiving: a NULL object, a missing key or a value of another type gives
 * the default, so that a chain of getters needs no checks. Numbers are exact up to 2^53.
 * A tree has one owner: json_free() on the root frees everything below.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "base/buf.h"
#include "base/fault.h"
#include "base/sv.h"

#include <stdbool.h>
#include <stdint.h>

#define JSON_DEPTH_MAX 64
#define JSON_NODES_MAX 2000000

struct json;

enum json_kind {
    JSON_MISSING = 0,
    JSON_NULL,
    JSON_BOOL,
    JSON_NUMBER,
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT
};

/*
 * Parses exactly one document (RFC 8259, no leniency); anything but white space after it
 * is a fault, as are more than max_bytes, JSON_DEPTH_MAX levels or JSON_NODES_MAX values,
 * invalid UTF-8 and NUL, also as an escape (FAULT_SPEC, reason "InvalidJSON", with the
 * offset). Of duplicate keys the last counts, as in Kubernetes. The caller owns
 * *out_root.
 */
MUST_CHECK bool json_parse(struct sv text, size_t max_bytes, struct json **out_root,
                           struct fault *fault);
void json_free(struct json *root);
void json_freep(struct json **root);
struct json *json_clone(const struct json *node);

enum json_kind json_kind(const struct json *node);
const struct json *json_get(const struct json *object, const char *key);
/* Dotted path without array steps: json_path(o, "spec.source.database"). */
const struct json *json_path(const struct json *object, const char *path);
size_t json_size(const struct json *node);                          /* array or object */
const struct json *json_at(const struct json *array, size_t index); /* linear walk */
const struct json *json_first(const struct json *container); /* first child or NULL */
const struct json *json_next(const struct json *child);      /* next sibling or NULL */
const char *json_key(const struct json *child);              /* NULL in arrays */

/* NULL when missing or not a string. Valid as long as the tree is. */
const char *json_string(const struct json *node);
const char *json_get_string(const struct json *object, const char *key);
const char *json_path_string(const struct json *object, const char *path);
int64_t json_int(const struct json *node, int64_t otherwise); /* fractions are cut off */
double json_number(const struct json *node, double otherwise);
int64_t json_path_int(const struct json *object, const char *path, int64_t otherwise);
bool json_bool(const struct json *node, bool otherwise);
bool json_path_bool(const struct json *object, const char *path, bool otherwise);

/* Building. The object owns what is put into it; setting an existing key replaces it. A
 * text of NULL is the empty string. */
struct json *json_new_object(void);
struct json *json_new_array(void);
struct json *json_new_string(const char *text);
struct json *json_new_number(double value);
struct json *json_new_bool(bool value);
struct json *json_new_null(void);
void json_set(struct json *object, const char *key, struct json *value); /* takes value */
void json_set_string(struct json *object, const char *key, const char *text);
void json_set_int(struct json *object, const char *key, int64_t value);
void json_set_bool(struct json *object, const char *key, bool value);
struct json *json_set_object(struct json *object,
                             const char *key); /* returns the child */
struct json *json_set_array(struct json *object, const char *key);
/* As json_set(), for a key that is known to be new: no search, so n keys cost n steps. */
void json_add(struct json *object, const char *key, struct json *value);
void json_remove(struct json *object, const char *key);
void json_push(struct json *array, struct json *value); /* takes value */
void json_push_string(struct json *array, const char *text);
struct json *json_push_object(struct json *array);

/* Compact text appended to `out` (whose ceiling holds). */
void json_print(const struct json *node, struct buf *out);
void json_print_pretty(const struct json *node, struct buf *out); /* two-space indent */
/* Appends `text` as a JSON string, quotes included; invalid UTF-8 becomes U+FFFD. */
void json_quote(struct sv text, struct buf *out);
bool json_equal(const struct json *a,
                const struct json *b); /* key order does not matter */

#endif

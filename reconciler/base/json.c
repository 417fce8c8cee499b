/*
 * A struct json is a cJSON node under another name; the casts below are the only place
 * where the two meet.
 */
#include "base/json.h"
#include "base/json_scan.h"
#include "base/map.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <string.h>

/* From here on a hash is cheaper than looking at every pair of keys. */
#define FEW_KEYS 16

static cJSON *raw(struct json *node)
{
    return (cJSON *)node;
}

static const cJSON *look(const struct json *node)
{
    return (const cJSON *)node;
}

static struct json *made(cJSON *node)
{
    must(node != NULL);
    return (struct json *)node;
}

static struct json *child_of(cJSON *node)
{
    return (struct json *)node;
}

/* Drops all but the last child of each name. */
static void drop_duplicates(cJSON *object)
{
    AUTO(map_freep) struct map *seen = map_new((uint64_t)(uintptr_t)object);

    for (cJSON *child = object->child; child != NULL; child = child->next) {
        cJSON *earlier = map_put(seen, sv_from(child->string), child);
        if (earlier != NULL) {
            cJSON_Delete(cJSON_DetachItemViaPointer(object, earlier));
        }
    }
}

static bool has_few_unique_keys(const cJSON *object)
{
    int count = 0;

    for (const cJSON *child = object->child; child != NULL;
         child = child->next, count++) {
        if (count >= FEW_KEYS) {
            return false;
        }
        for (const cJSON *other = child->next; other != NULL; other = other->next) {
            if (strcmp(child->string, other->string) == 0) {
                return false;
            }
        }
    }
    return true;
}

/* Depth is bounded by the scan. false when a number is beyond what a double holds. */
static bool settle(cJSON *node)
{
    if (cJSON_IsNumber(node) && !isfinite(node->valuedouble)) {
        return false;
    }
    if (cJSON_IsObject(node) && !has_few_unique_keys(node)) {
        drop_duplicates(node);
    }
    for (cJSON *child = node->child; child != NULL; child = child->next) {
        if (!settle(child)) {
            return false;
        }
    }
    return true;
}

bool json_parse(struct sv text, size_t max_bytes, struct json **out_root,
                struct fault *fault)
{
    if (text.n > max_bytes) {
        return fault_set(fault, FAULT_SPEC, "InvalidJSON",
                         "the JSON text has %zu bytes, more than the %zu allowed", text.n,
                         max_bytes);
    }
    struct json_scan scan = json_scan(text, JSON_DEPTH_MAX, JSON_NODES_MAX);
    if (scan.problem != NULL) {
        return fault_set(fault, FAULT_SPEC, "InvalidJSON",
                         "the JSON text is invalid at offset %zu: %s", scan.offset,
                         scan.problem);
    }
    AUTO(json_freep) struct json *root = child_of(cJSON_ParseWithLength(text.p, text.n));
    if (root == NULL) {
        return fault_set(fault, FAULT_SPEC, "InvalidJSON",
                         "the JSON text cannot be parsed");
    }
    if (!settle(raw(root))) {
        return fault_set(fault, FAULT_SPEC, "InvalidJSON",
                         "the JSON text holds a number that is too large");
    }
    *out_root = TAKE(root);
    return true;
}

void json_free(struct json *root)
{
    cJSON_Delete(raw(root));
}

void json_freep(struct json **root)
{
    json_free(TAKE(*root));
}

struct json *json_clone(const struct json *node)
{
    cJSON *copy = node == NULL ? NULL : cJSON_Duplicate(look(node), true);

    if (copy != NULL) { /* a copy belongs nowhere yet, so it has no key */
        cJSON_free(copy->string);
        copy->string = NULL;
    }
    return node == NULL ? NULL : made(copy);
}

enum json_kind json_kind(const struct json *node)
{
    switch (node == NULL ? cJSON_Invalid : look(node)->type & 0xFF) {
    case cJSON_NULL:
        return JSON_NULL;
    case cJSON_True:
    case cJSON_False:
        return JSON_BOOL;
    case cJSON_Number:
        return JSON_NUMBER;
    case cJSON_String:
        return JSON_STRING;
    case cJSON_Array:
        return JSON_ARRAY;
    case cJSON_Object:
        return JSON_OBJECT;
    default:
        return JSON_MISSING;
    }
}

static const struct json *get(const struct json *object, struct sv key)
{
    if (json_kind(object) != JSON_OBJECT || key.p == NULL) {
        return NULL;
    }
    for (const cJSON *child = look(object)->child; child != NULL; child = child->next) {
        if (strncmp(child->string, key.p, key.n) == 0 && child->string[key.n] == '\0') {
            return (const struct json *)child;
        }
    }
    return NULL;
}

const struct json *json_get(const struct json *object, const char *key)
{
    return get(object, sv_from(key));
}

const struct json *json_path(const struct json *object, const char *path)
{
    struct sv left = sv_from(path);

    while (object != NULL && left.n > 0) {
        object = get(object, sv_cut(&left, '.'));
    }
    return object;
}

const struct json *json_first(const struct json *container)
{
    enum json_kind kind = json_kind(container);

    return kind == JSON_ARRAY || kind == JSON_OBJECT ? child_of(look(container)->child)
                                                     : NULL;
}

const struct json *json_next(const struct json *child)
{
    return child == NULL ? NULL : child_of(look(child)->next);
}

const char *json_key(const struct json *child)
{
    return child == NULL ? NULL : look(child)->string;
}

size_t json_size(const struct json *node)
{
    size_t count = 0;

    for (const struct json *child = json_first(node); child != NULL;
         child = json_next(child)) {
        count++;
    }
    return count;
}

const struct json *json_at(const struct json *array, size_t index)
{
    const struct json *child = json_first(array);

    while (child != NULL && index > 0) {
        child = json_next(child);
        index--;
    }
    return child;
}

const char *json_string(const struct json *node)
{
    return json_kind(node) == JSON_STRING ? look(node)->valuestring : NULL;
}

const char *json_get_string(const struct json *object, const char *key)
{
    return json_string(json_get(object, key));
}

const char *json_path_string(const struct json *object, const char *path)
{
    return json_string(json_path(object, path));
}

double json_number(const struct json *node, double otherwise)
{
    return json_kind(node) == JSON_NUMBER ? look(node)->valuedouble : otherwise;
}

int64_t json_int(const struct json *node, int64_t otherwise)
{
    double value = json_number(node, NAN);

    /* -2^63 and 2^63 are exact as doubles; outside of them the cast is undefined. */
    return value >= -0x1p63 && value < 0x1p63 ? (int64_t)value : otherwise;
}

int64_t json_path_int(const struct json *object, const char *path, int64_t otherwise)
{
    return json_int(json_path(object, path), otherwise);
}

bool json_bool(const struct json *node, bool otherwise)
{
    return json_kind(node) == JSON_BOOL ? cJSON_IsTrue(look(node)) != 0 : otherwise;
}

bool json_path_bool(const struct json *object, const char *path, bool otherwise)
{
    return json_bool(json_path(object, path), otherwise);
}

struct json *json_new_object(void)
{
    return made(cJSON_CreateObject());
}

struct json *json_new_array(void)
{
    return made(cJSON_CreateArray());
}

struct json *json_new_string(const char *text)
{
    return made(cJSON_CreateString(text == NULL ? "" : text));
}

struct json *json_new_number(double value)
{
    return made(cJSON_CreateNumber(value));
}

struct json *json_new_bool(bool value)
{
    return made(cJSON_CreateBool(value));
}

struct json *json_new_null(void)
{
    return made(cJSON_CreateNull());
}

void json_add(struct json *object, const char *key, struct json *value)
{
    must(json_kind(object) == JSON_OBJECT && key != NULL && value != NULL);
    must(cJSON_AddItemToObject(raw(object), key, raw(value)));
}

void json_set(struct json *object, const char *key, struct json *value)
{
    must(value != NULL);
    if (json_get(object, key) != NULL) {
        must(cJSON_ReplaceItemInObjectCaseSensitive(raw(object), key, raw(value)));
    } else {
        json_add(object, key, value);
    }
}

void json_set_string(struct json *object, const char *key, const char *text)
{
    json_set(object, key, json_new_string(text));
}

void json_set_int(struct json *object, const char *key, int64_t value)
{
    json_set(object, key, json_new_number((double)value));
}

void json_set_bool(struct json *object, const char *key, bool value)
{
    json_set(object, key, json_new_bool(value));
}

struct json *json_set_object(struct json *object, const char *key)
{
    struct json *child = json_new_object();

    json_set(object, key, child);
    return child;
}

struct json *json_set_array(struct json *object, const char *key)
{
    struct json *child = json_new_array();

    json_set(object, key, child);
    return child;
}

void json_remove(struct json *object, const char *key)
{
    if (json_kind(object) == JSON_OBJECT) {
        cJSON_DeleteItemFromObjectCaseSensitive(raw(object), key);
    }
}

void json_push(struct json *array, struct json *value)
{
    must(json_kind(array) == JSON_ARRAY && value != NULL);
    must(cJSON_AddItemToArray(raw(array), raw(value)));
}

void json_push_string(struct json *array, const char *text)
{
    json_push(array, json_new_string(text));
}

struct json *json_push_object(struct json *array)
{
    struct json *child = json_new_object();

    json_push(array, child);
    return child;
}

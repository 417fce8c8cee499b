#include "model/decode_parts.h"

#include <inttypes.h>
#include <string.h>

#define PATH_MAX_BYTES 256
#define KEY_SHOWN_BYTES 64

/* Both parts as one text, cut where the room ends. A resource has many fields, and each
 * has a path: printf would be a good part of what it costs to decode one. */
static void join(char path[static PATH_MAX_BYTES], const char *head, struct sv tail)
{
    size_t length = strnlen(head, PATH_MAX_BYTES - 1);
    size_t more =
        tail.n < PATH_MAX_BYTES - 1 - length ? tail.n : PATH_MAX_BYTES - 1 - length;

    memcpy(path, head, length);
    if (more > 0) {
        memcpy(path + length, tail.p, more);
    }
    path[length + more] = '\0';
}

static bool check_entries(const struct decoding *d, const struct field *field,
                          const char *path, const struct json *node)
{
    size_t count = json_size(node);
    if (count > (size_t)field->max) {
        problems_add(d->problems, "%s has %zu entries, must have at most %" PRId64, path,
                     count, field->max);
        return false;
    }
    if (count < (size_t)field->min) {
        problems_add(d->problems, "%s has %zu entries, must have at least %" PRId64, path,
                     count, field->min);
        return false;
    }
    return true;
}

static bool check_list(const struct decoding *d, const struct field *field,
                       const char *path, const struct json *node)
{
    if (json_kind(node) != JSON_ARRAY) {
        decode_wrong_type(d, path, node, "a list");
        return false;
    }
    return check_entries(d, field, path, node);
}

static void check_unique(const struct decoding *d, const char *path,
                         const struct strlist *list)
{
    for (size_t i = 1; i < list->n; i++) {
        for (size_t k = 0; k < i; k++) {
            if (sv_eq_nocase(sv_from(list->v[i]), sv_from(list->v[k]))) {
                problems_add(d->problems,
                             "%s must not name a column twice, it has \"%s\" again", path,
                             list->v[i]);
                return;
            }
        }
    }
}

static void decode_list(const struct decoding *d, const struct field *field,
                        const char *path, const struct json *node)
{
    struct strlist list = {0};
    size_t at = 0;
    if (!check_list(d, field, path, node)) {
        return;
    }
    for (const struct json *item = json_first(node); item != NULL;
         item = json_next(item)) {
        const char *below = arena_printf(d->arena, "%s[%zu]", path, at++);
        if (decode_check_text(d, field, below, item)) {
            VEC_PUSH(d->arena, &list, arena_strdup(d->arena, json_string(item)));
        }
    }
    if (field->unique) {
        check_unique(d, path, &list);
    }
    decode_store(d, field, &list, sizeof(list));
}

static void decode_rows(const struct decoding *d, const struct json *object);

/* Every VEC has this shape, whatever it holds. */
struct items {
    void *v;
    size_t n;
    size_t capacity;
};

static void decode_objects(const struct decoding *d, const struct field *field,
                           const char *path, const struct json *node)
{
    struct items items = {0};
    if (!check_list(d, field, path, node) || json_size(node) == 0) {
        return;
    }
    items.capacity = json_size(node);
    items.v = arena_alloc_array(d->arena, items.capacity, field->item_size_bytes);
    for (const struct json *item = json_first(node); item != NULL;
         item = json_next(item)) {
        const char *below = arena_printf(d->arena, "%s[%zu]", path, items.n);
        char *out = (char *)items.v + items.n++ * field->item_size_bytes;
        struct decoding inner = {.fields = field->items,
                                 .count = field->item_count,
                                 .prefix = arena_printf(d->arena, "%s.", below),
                                 .arena = d->arena,
                                 .out = out,
                                 .problems = d->problems};
        if (json_kind(item) == JSON_OBJECT) {
            decode_rows(&inner, item);
        } else {
            decode_wrong_type(d, below, item, "an object");
        }
    }
    decode_store(d, field, &items, sizeof(items));
}

static void decode_value(const struct decoding *d, const struct field *field,
                         const char *path, const struct json *node)
{
    switch (field->type) {
    case FIELD_OBJECT:
        if (json_kind(node) != JSON_OBJECT) {
            decode_wrong_type(d, path, node, "an object");
        }
        break;
    case FIELD_STRING:
        decode_string(d, field, path, node);
        break;
    case FIELD_INT:
        decode_int(d, field, path, node);
        break;
    case FIELD_BOOL:
        decode_bool(d, field, path, node);
        break;
    case FIELD_ENUM:
        decode_enum(d, field, path, node);
        break;
    case FIELD_DURATION:
        decode_duration(d, field, path, node);
        break;
    case FIELD_MAP:
        if (json_kind(node) != JSON_OBJECT) {
            decode_wrong_type(d, path, node, "a map");
        } else {
            (void)check_entries(d, field, path, node);
        }
        break;
    case FIELD_LIST:
        decode_list(d, field, path, node);
        break;
    case FIELD_OBJECTS:
        decode_objects(d, field, path, node);
        break;
    case FIELD_TYPE_MAX:
        break;
    }
}

/* An absent object is complained about once, not once more for each field inside. */
static bool parent_is_there(const struct json *spec, const char *path)
{
    const char *dot = strrchr(path, '.');
    if (dot == NULL) {
        return json_kind(spec) == JSON_OBJECT;
    }
    char parent[PATH_MAX_BYTES];
    size_t length = (size_t)(dot - path);
    must(length < sizeof(parent));
    memcpy(parent, path, length);
    parent[length] = '\0';
    return json_kind(json_path(spec, parent)) == JSON_OBJECT;
}

static void decode_field(const struct decoding *d, const struct field *field,
                         const struct json *object)
{
    char path[PATH_MAX_BYTES];
    decode_fallback(d, field);
    const struct json *node = json_path(object, field->path);
    enum json_kind kind = json_kind(node);
    if (kind != JSON_MISSING && kind != JSON_NULL) {
        join(path, d->prefix, sv_from(field->path));
        decode_value(d, field, path, node);
    } else if (field->required && parent_is_there(object, field->path)) {
        problems_add(d->problems, "%s%s is required", d->prefix, field->path);
    }
}

/* The API server prunes what it does not know; a file given to `plan` comes unpruned, and
 * a misspelt field must not be taken for an absent one. */
static void refuse_unknown(const struct decoding *d, const struct json *object,
                           const char *parent)
{
    for (const struct json *child = json_first(object); child != NULL;
         child = json_next(child)) {
        char path[PATH_MAX_BYTES];
        struct sv key = sv_utf8_prefix(sv_from(json_key(child)), KEY_SHOWN_BYTES);
        join(path, parent, key);
        const struct field *field = fields_find(d->fields, d->count, sv_from(path));
        if (field == NULL) {
            problems_add(d->problems, "%s%s is not a field of this version", d->prefix,
                         path);
        } else if (field->type == FIELD_OBJECT) {
            join(path, field->path, SV("."));
            refuse_unknown(d, child, path);
        }
    }
}

static void decode_rows(const struct decoding *d, const struct json *object)
{
    for (size_t i = 0; i < d->count; i++) {
        decode_field(d, &d->fields[i], object);
    }
    refuse_unknown(d, object, "");
}

void decode_fields(const struct field *fields, size_t count, const struct json *spec,
                   struct arena *arena, void *out, struct problems *problems)
{
    struct decoding d = {.fields = fields,
                         .count = count,
                         .prefix = "spec.",
                         .arena = arena,
                         .out = out,
                         .problems = problems};
    if (json_kind(spec) != JSON_OBJECT) {
        problems_add(problems, "spec is required");
    }
    decode_rows(&d, spec);
}

#include "model/decode.h"

#include "model/spec.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define METADATA_MAX 1024
#define PATH_MAX_BYTES 256
#define KEY_SHOWN_BYTES 64

struct decoding {
    const struct field *fields;
    size_t count;
    struct arena *arena;
    char *out;
    struct problems *problems;
};

static void store(const struct decoding *d, const struct field *field, const void *value,
                  size_t size_bytes)
{
    if (field->offset != FIELD_NOWHERE) {
        memcpy(d->out + field->offset, value, size_bytes);
    }
}

static void store_fallback(const struct decoding *d, const struct field *field)
{
    if (field->fallback == NULL) {
        return;
    }
    int64_t number = 0;
    int choice = 0;
    switch (field->type) {
    case FIELD_STRING:
        store(d, field, &field->fallback, sizeof(field->fallback));
        break;
    case FIELD_INT:
        must(sv_int64(sv_from(field->fallback), &number));
        store(d, field, &number, sizeof(number));
        break;
    case FIELD_DURATION:
        number = duration_parse_ms(field->fallback);
        store(d, field, &number, sizeof(number));
        break;
    case FIELD_ENUM:
        choice = choices_parse(field->choices, field->fallback);
        store(d, field, &choice, sizeof(choice));
        break;
    case FIELD_OBJECT:
    case FIELD_MAP:
    case FIELD_TYPE_MAX:
        break;
    }
}

static void wrong_type(const struct decoding *d, const struct field *field,
                       const struct json *node, const char *wanted)
{
    char shown[PROBLEM_VALUE_MAX];
    problem_value(node, shown);
    problems_add(d->problems, "spec.%s is %s, must be %s", field->path, shown, wanted);
}

static bool check_text(const struct decoding *d, const struct field *field,
                       const struct json *node)
{
    const char *text = json_string(node);
    if (text == NULL) {
        wrong_type(d, field, node, "a string");
        return false;
    }
    size_t length = sv_utf8_length(sv_from(text));
    if (length > field->length_max) {
        problems_add(d->problems, "spec.%s has %zu characters, must have at most %zu",
                     field->path, length, field->length_max);
        return false;
    }
    if (field->pattern != NULL && !field->pattern(sv_from(text))) {
        wrong_type(d, field, node, field->allowed);
    }
    return true;
}

static void decode_string(const struct decoding *d, const struct field *field,
                          const struct json *node)
{
    if (check_text(d, field, node)) {
        const char *copy = arena_strdup(d->arena, json_string(node));
        store(d, field, &copy, sizeof(copy));
    }
}

static void decode_int(const struct decoding *d, const struct field *field,
                       const struct json *node)
{
    /* Printed and read again, for a fraction must not pass as the number it starts with.
     */
    struct buf printed AUTO(buf_deinit) = {0};
    buf_init(&printed, 64);
    int64_t value = 0;
    if (json_kind(node) == JSON_NUMBER) {
        json_print(node, &printed);
    }
    if (!sv_int64(buf_sv(&printed), &value)) {
        wrong_type(d, field, node, "a whole number");
    } else if (value < field->min || value > field->max) {
        problems_add(d->problems,
                     "spec.%s is %" PRId64 ", must be from %" PRId64 " to %" PRId64,
                     field->path, value, field->min, field->max);
    } else {
        store(d, field, &value, sizeof(value));
    }
}

static void decode_enum(const struct decoding *d, const struct field *field,
                        const struct json *node)
{
    const char *text = json_string(node);
    int value = text == NULL ? 0 : choices_parse(field->choices, text);
    if (value != 0) {
        store(d, field, &value, sizeof(value));
        return;
    }
    struct buf names AUTO(buf_deinit) = {0};
    buf_init(&names, 256);
    for (int i = 1; i <= field->choices->count; i++) {
        buf_addf(&names, "%s%s", i == 1 ? "one of " : ", ",
                 choices_name(field->choices, i));
    }
    wrong_type(d, field, node, buf_z(&names));
}

static void decode_duration(const struct decoding *d, const struct field *field,
                            const struct json *node)
{
    if (!check_text(d, field, node)) {
        return;
    }
    int64_t value_ms = duration_parse_ms(json_string(node));
    if (value_ms >= field->min && value_ms <= field->max) {
        store(d, field, &value_ms, sizeof(value_ms));
    } else if (value_ms >= 0) {
        char shown[PROBLEM_VALUE_MAX];
        problem_value(node, shown);
        problems_add(d->problems,
                     "spec.%s is %s, must be from %" PRId64 " ms to %" PRId64 " s",
                     field->path, shown, field->min, field->max / 1000);
    }
}

static void decode_map(const struct decoding *d, const struct field *field,
                       const struct json *node)
{
    if (json_kind(node) != JSON_OBJECT) {
        wrong_type(d, field, node, "a map");
    } else if (json_size(node) > (size_t)field->max) {
        problems_add(d->problems, "spec.%s has %zu entries, must have at most %" PRId64,
                     field->path, json_size(node), field->max);
    }
}

static void decode_value(const struct decoding *d, const struct field *field,
                         const struct json *node)
{
    switch (field->type) {
    case FIELD_OBJECT:
        if (json_kind(node) != JSON_OBJECT) {
            wrong_type(d, field, node, "an object");
        }
        break;
    case FIELD_STRING:
        decode_string(d, field, node);
        break;
    case FIELD_INT:
        decode_int(d, field, node);
        break;
    case FIELD_ENUM:
        decode_enum(d, field, node);
        break;
    case FIELD_DURATION:
        decode_duration(d, field, node);
        break;
    case FIELD_MAP:
        decode_map(d, field, node);
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
                         const struct json *spec)
{
    store_fallback(d, field);
    const struct json *node = json_path(spec, field->path);
    enum json_kind kind = json_kind(node);
    if (kind != JSON_MISSING && kind != JSON_NULL) {
        decode_value(d, field, node);
    } else if (field->required && parent_is_there(spec, field->path)) {
        problems_add(d->problems, "spec.%s is required", field->path);
    }
}

/* The API server prunes what it does not know; a file given to `plan` comes unpruned, and
 * a misspelt field must not be taken for an absent one. */
static void refuse_unknown(const struct decoding *d, const struct json *object,
                           const char *prefix)
{
    for (const struct json *child = json_first(object); child != NULL;
         child = json_next(child)) {
        char path[PATH_MAX_BYTES];
        struct sv key = sv_utf8_prefix(sv_from(json_key(child)), KEY_SHOWN_BYTES);
        (void)snprintf(path, sizeof(path), "%s%.*s", prefix, SV_ARGS(key));
        const struct field *field = fields_find(d->fields, d->count, sv_from(path));
        if (field == NULL) {
            problems_add(d->problems, "spec.%s is not a field of this version", path);
        } else if (field->type == FIELD_OBJECT) {
            (void)snprintf(path, sizeof(path), "%s.", field->path);
            refuse_unknown(d, child, path);
        }
    }
}

void decode_fields(const struct field *fields, size_t count, const struct json *spec,
                   struct arena *arena, void *out, struct problems *problems)
{
    struct decoding d = {.fields = fields,
                         .count = count,
                         .arena = arena,
                         .out = out,
                         .problems = problems};
    if (json_kind(spec) != JSON_OBJECT) {
        problems_add(problems, "spec is required");
    }
    for (size_t i = 0; i < count; i++) {
        decode_field(&d, &fields[i], spec);
    }
    refuse_unknown(&d, spec, "");
}

const char *decode_metadata(const struct json *object, const char *key,
                            struct arena *arena)
{
    const char *text = json_get_string(json_get(object, "metadata"), key);
    return text == NULL || strlen(text) > METADATA_MAX ? "" : arena_strdup(arena, text);
}

const char *decode_annotation(const struct json *object, const char *key,
                              struct arena *arena)
{
    /* Not json_path(): the key has dots of its own. */
    const struct json *metadata = json_get(object, "metadata");
    const char *text = json_get_string(json_get(metadata, "annotations"), key);
    if (text == NULL) {
        return NULL;
    }
    return arena_copy(arena, sv_utf8_prefix(sv_from(text), DECODE_ANNOTATION_MAX));
}

void decode_kind(const struct json *object, const char *kind, struct problems *problems)
{
    char shown[PROBLEM_VALUE_MAX];
    const char *version = TSYNC_GROUP "/" TSYNC_VERSION;
    const struct json *node = json_get(object, "kind");
    if (node != NULL && !sv_eq(sv_from(json_string(node)), sv_from(kind))) {
        problem_value(node, shown);
        problems_add(problems, "kind is %s, must be %s", shown, kind);
    }
    node = json_get(object, "apiVersion");
    if (node != NULL && !sv_eq(sv_from(json_string(node)), sv_from(version))) {
        problem_value(node, shown);
        problems_add(problems, "apiVersion is %s, must be %s", shown, version);
    }
}

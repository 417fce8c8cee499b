/* Single values: defaults, and the types that hold no others. */
#include "model/decode_parts.h"

#include <inttypes.h>
#include <string.h>

void decode_store(const struct decoding *d, const struct field *field, const void *value,
                  size_t size_bytes)
{
    if (field->offset != FIELD_NOWHERE) {
        memcpy(d->out + field->offset, value, size_bytes);
    }
}

void decode_fallback(const struct decoding *d, const struct field *field)
{
    if (field->fallback == NULL) {
        return;
    }
    int64_t number = 0;
    int choice = 0;
    bool truth = false;
    struct strlist list = {0};
    switch (field->type) {
    case FIELD_STRING:
        decode_store(d, field, &field->fallback, sizeof(field->fallback));
        break;
    case FIELD_INT:
        must(sv_int64(sv_from(field->fallback), &number));
        decode_store(d, field, &number, sizeof(number));
        break;
    case FIELD_DURATION:
        number = duration_parse_ms(field->fallback);
        decode_store(d, field, &number, sizeof(number));
        break;
    case FIELD_ENUM:
        choice = choices_parse(field->choices, field->fallback);
        decode_store(d, field, &choice, sizeof(choice));
        break;
    case FIELD_BOOL:
        truth = strcmp(field->fallback, "true") == 0;
        decode_store(d, field, &truth, sizeof(truth));
        break;
    case FIELD_LIST:
        VEC_PUSH(d->arena, &list, field->fallback);
        decode_store(d, field, &list, sizeof(list));
        break;
    case FIELD_OBJECT:
    case FIELD_MAP:
    case FIELD_OBJECTS:
    case FIELD_TYPE_MAX:
        break;
    }
}

void decode_wrong_type(const struct decoding *d, const char *path,
                       const struct json *node, const char *wanted)
{
    char shown[PROBLEM_VALUE_MAX];
    problem_value(node, shown);
    problems_add(d->problems, "%s is %s, must be %s", path, shown, wanted);
}

bool decode_check_text(const struct decoding *d, const struct field *field,
                       const char *path, const struct json *node)
{
    const char *text = json_string(node);
    if (text == NULL) {
        decode_wrong_type(d, path, node, "a string");
        return false;
    }
    size_t length = sv_utf8_length(sv_from(text));
    if (length > field->length_max) {
        problems_add(d->problems, "%s has %zu characters, must have at most %zu", path,
                     length, field->length_max);
        return false;
    }
    if (field->type == FIELD_STRING && (int64_t)length < field->min) {
        problems_add(d->problems, "%s has %zu characters, must have at least %" PRId64,
                     path, length, field->min);
    } else if (field->pattern != NULL && !field->pattern(sv_from(text))) {
        decode_wrong_type(d, path, node, field->allowed);
    }
    return true;
}

void decode_string(const struct decoding *d, const struct field *field, const char *path,
                   const struct json *node)
{
    if (decode_check_text(d, field, path, node)) {
        const char *copy = arena_strdup(d->arena, json_string(node));
        decode_store(d, field, &copy, sizeof(copy));
    }
}

void decode_int(const struct decoding *d, const struct field *field, const char *path,
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
        decode_wrong_type(d, path, node, "a whole number");
    } else if (value < field->min || value > field->max) {
        problems_add(d->problems,
                     "%s is %" PRId64 ", must be from %" PRId64 " to %" PRId64, path,
                     value, field->min, field->max);
    } else {
        decode_store(d, field, &value, sizeof(value));
    }
}

void decode_bool(const struct decoding *d, const struct field *field, const char *path,
                 const struct json *node)
{
    if (json_kind(node) != JSON_BOOL) {
        decode_wrong_type(d, path, node, "true or false");
        return;
    }
    bool value = json_bool(node, false);
    decode_store(d, field, &value, sizeof(value));
}

void decode_enum(const struct decoding *d, const struct field *field, const char *path,
                 const struct json *node)
{
    const char *text = json_string(node);
    int value = text == NULL ? 0 : choices_parse(field->choices, text);
    if (value != 0) {
        decode_store(d, field, &value, sizeof(value));
        return;
    }
    struct buf names AUTO(buf_deinit) = {0};
    buf_init(&names, 256);
    for (int i = 1; i <= field->choices->count; i++) {
        const char *before = field->choices->count == 1 ? "" : "one of ";
        buf_addf(&names, "%s%s", i == 1 ? before : ", ", choices_name(field->choices, i));
    }
    decode_wrong_type(d, path, node, buf_z(&names));
}

void decode_duration(const struct decoding *d, const struct field *field,
                     const char *path, const struct json *node)
{
    if (!decode_check_text(d, field, path, node)) {
        return;
    }
    int64_t value_ms = duration_parse_ms(json_string(node));
    if (value_ms >= field->min && value_ms <= field->max) {
        decode_store(d, field, &value_ms, sizeof(value_ms));
    } else if (value_ms >= 0) {
        char shown[PROBLEM_VALUE_MAX];
        problem_value(node, shown);
        problems_add(d->problems,
                     "%s is %s, must be from %" PRId64 " ms to %" PRId64 " s", path,
                     shown, field->min, field->max / 1000);
    }
}

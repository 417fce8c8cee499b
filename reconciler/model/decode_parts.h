/*
 * decode_parts: what decode.c (rows, lists and objects) and decode_scalar.c (single
 * values) share. Private to these two.
 */
#ifndef MODEL_DECODE_PARTS_H
#define MODEL_DECODE_PARTS_H

#include "model/decode.h"
#include "model/spec.h"

/* One set of rows over one object: the spec, or an item of a list in it. */
struct decoding {
    const struct field *fields;
    size_t count;
    const char *prefix; /* of paths in messages: "spec.", "spec.columns.overrides[3]." */
    struct arena *arena;
    char *out;
    struct problems *problems;
};

/* `path` is the whole path of the value, as messages show it. */
void decode_wrong_type(const struct decoding *d, const char *path,
                       const struct json *node, const char *wanted);
/* false: no string, or too long to be kept; true with a problem: merely not allowed. */
bool decode_check_text(const struct decoding *d, const struct field *field,
                       const char *path, const struct json *node);
void decode_store(const struct decoding *d, const struct field *field, const void *value,
                  size_t size_bytes);
void decode_fallback(const struct decoding *d, const struct field *field);

void decode_string(const struct decoding *d, const struct field *field, const char *path,
                   const struct json *node);
void decode_int(const struct decoding *d, const struct field *field, const char *path,
                const struct json *node);
void decode_bool(const struct decoding *d, const struct field *field, const char *path,
                 const struct json *node);
void decode_enum(const struct decoding *d, const struct field *field, const char *path,
                 const struct json *node);
void decode_duration(const struct decoding *d, const struct field *field,
                     const char *path, const struct json *node);

#endif

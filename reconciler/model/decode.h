/*
 * decode: one interpreter for the rows of fields_*.c. Private to the room.
 */
#ifndef MODEL_DECODE_H
#define MODEL_DECODE_H

#include "base/arena.h"
#include "base/json.h"
#include "model/fields.h"
#include "model/problems.h"

/*
 * Checks `spec` against the rows and stores what they say in `out` (a struct dbconn or
 * struct tablesync). A value that is missing or wrong leaves the default there; a string
 * that is merely not allowed is stored all the same, so that a resource whose spec went
 * bad can still be found by its references. Fields without a row are problems too.
 */
void decode_fields(const struct field *fields, size_t count, const struct json *spec,
                   struct arena *arena, void *out, struct problems *problems);

/* A value of metadata; "" when missing or longer than any that Kubernetes allows. */
const char *decode_metadata(const struct json *object, const char *key,
                            struct arena *arena);
/* NULL when absent; at most DECODE_ANNOTATION_MAX bytes of it. */
const char *decode_annotation(const struct json *object, const char *key,
                              struct arena *arena);
#define DECODE_ANNOTATION_MAX 256
/* apiVersion and kind, where they are given (items of a list may come without). */
void decode_kind(const struct json *object, const char *kind, struct problems *problems);

#endif

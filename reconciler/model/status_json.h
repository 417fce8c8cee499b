/*
 * status_json: what reading and writing both kinds' status share. Private to the room.
 *
 * Ceilings are those of the CRD's status schema: a value that is too long would make the
 * API server refuse the whole status for ever, so it is cut here, on both ways.
 */
#ifndef MODEL_STATUS_JSON_H
#define MODEL_STATUS_JSON_H

#include "base/arena.h"
#include "base/json.h"
#include "base/vec.h"

#define STATUS_NAME_MAX 1400   /* "database.table" at their longest, and other names */
#define STATUS_TOKEN_MAX 128   /* states, hashes, versions, times, tokens of ours */
#define STATUS_HANDLED_MAX 256 /* an annotation's value */
#define STATUS_OBJECTS_MAX 32
#define STATUS_KEY_MAX 32 /* key columns; MySQL allows 16 */
#define STATUS_SOURCES_MAX 256
#define STATUS_USERS_MAX 50
#define STATUS_FEATURES_MAX 64
#define STATUS_OBJECT_MAX 253   /* a Kubernetes object's name */
#define STATUS_COLUMN_MAX 256   /* a MySQL name: 64 characters of up to 4 bytes */
#define STATUS_COLUMNS_MAX 1024 /* InnoDB allows 1017 */
#define STATUS_STATEMENTS_MAX 50
#define STATUS_SQL_MAX 2048

/* A copy cut at max_bytes; NULL when absent. */
const char *status_get(const struct json *object, const char *key, size_t max_bytes,
                       struct arena *arena);
/* NULL and "" are left out. */
void status_put(struct json *object, const char *key, const char *text, size_t max_bytes);
void status_push(struct json *array, const char *text, size_t max_bytes);
/* As status_put(), with an ellipsis where the end is missing. */
void status_put_cut(struct json *object, const char *key, const char *text,
                    size_t max_bytes);
/* A list of strings; an empty one is left out. */
void status_put_list(struct json *object, const char *key, const struct strlist *list,
                     size_t max_entries, size_t max_bytes);
void status_get_list(const struct json *object, const char *key, size_t max_entries,
                     size_t max_bytes, struct arena *arena, struct strlist *out_list);
/* Negative values are unknown, and left out. */
void status_put_known(struct json *object, const char *key, int64_t value);
/* Zero says nothing either. */
void status_put_count(struct json *object, const char *key, int64_t value);
void status_drop_empty(struct json *object, const char *key);

#endif

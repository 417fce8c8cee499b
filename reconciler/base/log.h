/*
 * log: one JSON line per event on a file descriptor, keys as controller-runtime writes
 * them (level, ts, logger, msg, then the event's own). Thread-safe; a line is one
 * write().
 *
 *   lg_info(lg, "table created", LG_STR("table", name), LG_INT("rows", 3));
 *
 * There is no way to pass a secret: values are strings and numbers, and struct secret is
 * neither. Values are cut at LG_VALUE_MAX bytes.
 *
 * Of error lines that are alike (the same msg and the same LG_GROUP values) the first
 * LG_ALIKE_MAX of a minute are written. The others are counted, and one line tells how
 * many there were: ten thousand resources behind one dead server say it once, not in
 * gigabytes.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/buf.h"
#include "base/clock.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LG_VALUE_MAX 4096
#define LG_ALIKE_MAX 100
#define LG_ALIKE_MS INT64_C(60000)

enum lg_level { LG_DEBUG = 1, LG_INFO, LG_ERROR, LG_LEVEL_MAX };

/* Appends whole members, each with its comma in front: `,"name":"x","namespace":"y"`. */
typedef void lg_expand(struct buf *line, const char *text);

struct lg_field {
    const char *key;
    const char *text; /* NULL: the number counts */
    int64_t number;
    bool groups;       /* error lines that differ in it are not alike */
    lg_expand *expand; /* writes the members instead; NULL: "key":"text" */
};

#define LG_STR(k, v) ((struct lg_field){.key = (k), .text = (v) == NULL ? "" : (v)})
#define LG_INT(k, v) ((struct lg_field){.key = (k), .number = (int64_t)(v)})
#define LG_GROUP(k, v)                                                                   \
    ((struct lg_field){.key = (k), .text = (v) == NULL ? "" : (v), .groups = true})
#define LG_MEMBERS(function, v)                                                          \
    ((struct lg_field){.key = "", .text = (v) == NULL ? "" : (v), .expand = (function)})

struct lg; /* a sink with a level; shared by all threads */

struct lg *lg_new(int fd, enum lg_level level, const struct clock *clock);
void lg_free(struct lg *lg); /* tells first what was suppressed */
void lg_set_level(struct lg *lg, enum lg_level level);
enum lg_level lg_get_level(const struct lg *lg); /* of NULL: LG_LEVEL_MAX */
/* From debug to info, from anything else to debug. Async-signal-safe. */
void lg_toggle_debug(struct lg *lg);
bool lg_enabled(const struct lg *lg, enum lg_level level);
/* lg may be NULL: nothing is written. */
void lg_write(struct lg *lg, enum lg_level level, const char *logger, const char *msg,
              const struct lg_field *fields, size_t count);
/* Tells what was suppressed in minutes that are over; every line does so too. */
void lg_flush(struct lg *lg);
bool lg_level_parse(const char *text, enum lg_level *out_level); /* debug, info, error */
const char *lg_level_name(enum lg_level level);

struct lg_numbers { /* since the start, for metrics */
    int64_t lines[LG_LEVEL_MAX], suppressed;
};
struct lg_numbers lg_numbers(const struct lg *lg);

#define LG_WRITE_(lg, level, msg, ...)                                                   \
    do {                                                                                 \
        const struct lg_field lg_fields_[] = {{0}, ##__VA_ARGS__};                       \
        lg_write((lg), (level), "tablesync", (msg), lg_fields_ + 1,                      \
                 sizeof(lg_fields_) / sizeof(lg_fields_[0]) - 1);                        \
    } while (0)
#define lg_debug(lg, msg, ...) LG_WRITE_(lg, LG_DEBUG, msg, ##__VA_ARGS__)
#define lg_info(lg, msg, ...) LG_WRITE_(lg, LG_INFO, msg, ##__VA_ARGS__)
#define lg_error(lg, msg, ...) LG_WRITE_(lg, LG_ERROR, msg, ##__VA_ARGS__)

#endif

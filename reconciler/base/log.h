/*
 * log: one JSON line per event on a file descriptor, keys as controller-runtime writes
 * them (level, ts, logger, msg, then the event's own). Thread-safe; a line is one
 * write().
 *
 *   lg_info(lg, "table created", LG_STR("table", name), LG_INT("rows", 3));
 *
 * There is no way to pass a secret: values are strings and numbers, and struct secret is
 * neither. Values are cut at LG_VALUE_MAX bytes.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/clock.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LG_VALUE_MAX 4096

enum lg_level { LG_DEBUG = 1, LG_INFO, LG_ERROR, LG_LEVEL_MAX };

struct lg_field {
    const char *key;
    const char *text; /* NULL: the number counts */
    int64_t number;
};

#define LG_STR(k, v) ((struct lg_field){.key = (k), .text = (v) == NULL ? "" : (v)})
#define LG_INT(k, v) ((struct lg_field){.key = (k), .number = (int64_t)(v)})

struct lg; /* a sink with a level; shared by all threads */

struct lg *lg_new(int fd, enum lg_level level, const struct clock *clock);
void lg_free(struct lg *lg);
void lg_set_level(struct lg *lg, enum lg_level level);
bool lg_enabled(const struct lg *lg, enum lg_level level);
/* lg may be NULL: nothing is written. */
void lg_write(struct lg *lg, enum lg_level level, const char *logger, const char *msg,
              const struct lg_field *fields, size_t count);
bool lg_level_parse(const char *text, enum lg_level *out_level); /* debug, info, error */

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

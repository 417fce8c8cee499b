/*
 * log_limit: how many error lines that are alike were written lately. Private to log.c,
 * which calls it under its lock. A fixed table whose least recently used row gives way; a
 * row that must tell of suppressed lines first is told of before it is reused.
 */
#ifndef BASE_LOG_LIMIT_H
#define BASE_LOG_LIMIT_H

#include "base/log.h"

#define LOG_LIMIT_ROWS 128
#define LOG_LIMIT_TEXT 96

struct log_limit_row {
    uint64_t key; /* 0: free */
    int64_t began_ms, used_ms, lines, suppressed;
    char msg[LOG_LIMIT_TEXT], group[LOG_LIMIT_TEXT];
};

struct log_limit {
    struct log_limit_row rows[LOG_LIMIT_ROWS];
    int64_t suppressed; /* rows that have something to tell */
};

/*
 * Whether a line may be written at `now_ms`. *out_ended gets a row whose minute ended, or
 * that gives way, and that has lines to tell of (suppressed 0: none).
 */
bool log_limit_pass(struct log_limit *limit, const char *msg,
                    const struct lg_field *fields, size_t count, int64_t now_ms,
                    struct log_limit_row *out_ended);
/* Takes a row with lines to tell of whose minute is over, or any such row (`all`). */
bool log_limit_take(struct log_limit *limit, int64_t now_ms, bool all,
                    struct log_limit_row *out_ended);

#endif

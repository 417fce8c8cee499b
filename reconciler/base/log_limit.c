#include "base/log_limit.h"

#include <stdio.h>
#include <string.h>

/* FNV-1a; not for hostile keys: two kinds of line that meet share one limit. */
static uint64_t mix(uint64_t hash, const char *text)
{
    do {
        hash = (hash ^ (unsigned char)*text) * UINT64_C(1099511628211);
    } while (*text++ != '\0');
    return hash;
}

static uint64_t key_of(const char *msg, const struct lg_field *fields, size_t count)
{
    uint64_t hash = mix(UINT64_C(14695981039346656037), msg);

    for (size_t i = 0; i < count; i++) {
        if (fields[i].groups) {
            hash = mix(hash, fields[i].text);
        }
    }
    return hash == 0 ? 1 : hash;
}

static void name_row(struct log_limit_row *row, const char *msg,
                     const struct lg_field *fields, size_t count)
{
    size_t at = 0;

    (void)snprintf(row->msg, sizeof(row->msg), "%s", msg);
    for (size_t i = 0; i < count && at < sizeof(row->group); i++) {
        if (fields[i].groups && fields[i].text[0] != '\0') {
            int n = snprintf(row->group + at, sizeof(row->group) - at, "%s%s",
                             at == 0 ? "" : " ", fields[i].text);
            at += n < 0 ? 0 : (size_t)n;
        }
    }
}

/* The row of this key, or the one that gives way to it. */
static struct log_limit_row *row_of(struct log_limit *limit, uint64_t key)
{
    struct log_limit_row *oldest = &limit->rows[0];

    for (size_t i = 0; i < COUNT_OF(limit->rows); i++) {
        struct log_limit_row *row = &limit->rows[i];

        if (row->key == key) {
            return row;
        }
        if (row->key == 0 || (oldest->key != 0 && row->used_ms < oldest->used_ms)) {
            oldest = row->key == 0 && oldest->key == 0 ? oldest : row;
        }
    }
    return oldest;
}

static void end_row(struct log_limit *limit, struct log_limit_row *row,
                    struct log_limit_row *out_ended)
{
    if (row->suppressed > 0) {
        *out_ended = *row;
        limit->suppressed--;
    }
    *row = (struct log_limit_row){0};
}

bool log_limit_pass(struct log_limit *limit, const char *msg,
                    const struct lg_field *fields, size_t count, int64_t now_ms,
                    struct log_limit_row *out_ended)
{
    uint64_t key = key_of(msg, fields, count);
    struct log_limit_row *row = row_of(limit, key);

    if (row->key != key || now_ms - row->began_ms >= LG_ALIKE_MS) {
        end_row(limit, row, out_ended);
        row->key = key;
        row->began_ms = now_ms;
        name_row(row, msg, fields, count);
    }
    row->used_ms = now_ms;
    if (++row->lines <= LG_ALIKE_MAX) {
        return true;
    }
    limit->suppressed += row->suppressed++ == 0;
    return false;
}

bool log_limit_take(struct log_limit *limit, int64_t now_ms, bool all,
                    struct log_limit_row *out_ended)
{
    for (size_t i = 0; limit->suppressed > 0 && i < COUNT_OF(limit->rows); i++) {
        struct log_limit_row *row = &limit->rows[i];

        if (row->suppressed > 0 && (all || now_ms - row->began_ms >= LG_ALIKE_MS)) {
            end_row(limit, row, out_ended);
            return true;
        }
    }
    return false;
}

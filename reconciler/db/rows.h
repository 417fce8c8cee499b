/*
 * rows: a result set as text, whichever server it came from. The drivers fill it, the
 * parsers (mysql_rows, risingwave_rows, starrocks_rows) read it by heading; a test writes
 * one by hand.
 *
 * Ceilings hold while it is filled: DB_ROWS_MAX rows, DB_VALUE_MAX bytes a value and
 * ROWS_BYTES_MAX in all, so that a server cannot fill the memory.
 */
#ifndef DB_ROWS_H
#define DB_ROWS_H

#include "base/arena.h"
#include "base/fault.h"
#include "base/sv.h"
#include "base/vec.h"

#include <stdbool.h>
#include <stdint.h>

#define ROWS_BYTES_MAX ((size_t)64 * 1024 * 1024)
#define ROWS_COLUMNS_MAX 256

struct rows {
    struct arena *arena;
    struct strlist columns;  /* headings as the server wrote them */
    VEC(const char **) data; /* a row is one array of cells; NULL is SQL's NULL */
    size_t filled;           /* cells of the last row; a whole row starts the next */
    size_t bytes;            /* what all of it costs */
};

void rows_init(struct rows *rows, struct arena *arena);
MUST_CHECK bool rows_add_column(struct rows *rows, struct sv heading,
                                struct fault *fault);
/*
 * Adds the next cell. Bytes that are not text (a NUL inside, invalid UTF-8, as in a
 * BINARY column's default) are kept as "0x" and upper-case hex. FAULT_REFUSED past a
 * ceiling.
 */
MUST_CHECK bool rows_add(struct rows *rows, struct sv value, struct fault *fault);
MUST_CHECK bool rows_add_null(struct rows *rows, struct fault *fault);

/* Zeroes every cell: an answer that held passwords is not left in freed memory. */
void rows_wipe(struct rows *rows);

size_t rows_count(const struct rows *rows); /* whole rows */
/* MySQL 8 answers information_schema with upper-case headings whatever was asked for, so
 * headings are compared without case. */
bool rows_has(const struct rows *rows, const char *heading);
/* NULL: SQL's NULL, or there is no such heading. Valid as long as the arena is. */
const char *rows_get(const struct rows *rows, size_t row, const char *heading);
const char *rows_text(const struct rows *rows, size_t row, const char *heading); /* "" */
/* A whole number; `otherwise` for NULL, a missing heading, or anything else. */
int64_t rows_int(const struct rows *rows, size_t row, const char *heading,
                 int64_t otherwise);
/* true for "t", "true", "1", "YES", "ON" in any case. */
bool rows_bool(const struct rows *rows, size_t row, const char *heading);

#endif

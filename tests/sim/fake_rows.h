/*
 * fake_rows: rows as far as a test must tell them apart: a key from 1 on and a version,
 * which each change of the MySQL table raises. A row that lags behind, a row that MySQL
 * deleted and the target still has, a row that never arrived: all show.
 */
#ifndef FAKE_ROWS_H
#define FAKE_ROWS_H

#include "base/arena.h"
#include "base/vec.h"

#include <stdbool.h>
#include <stdint.h>

#define FAKE_NO_ROW INT64_C(-1) /* as a version: deleted, or never there */

struct fake_rows {
    VEC(int64_t) versions; /* of key 1, 2, ... */
    int64_t count;         /* rows that are there */
};

struct fake_change { /* on its way through a sink */
    int64_t key, version, at_ms;
};

struct fake_difference {
    int64_t missing, ghosts, stale; /* not there; there for nothing; an older version */
};

int64_t fake_rows_get(const struct fake_rows *rows, int64_t key);
void fake_rows_put(struct fake_rows *rows, struct arena *arena, int64_t key,
                   int64_t version);
void fake_rows_clear(struct fake_rows *rows);
void fake_rows_copy(struct fake_rows *to, const struct fake_rows *from,
                    struct arena *arena); /* what `to` held is gone */
/* Writes all of `from` over what is there. */
void fake_rows_merge(struct fake_rows *to, const struct fake_rows *from,
                     struct arena *arena);
/* How `target` differs from `truth`; false: not at all. */
bool fake_rows_differ(const struct fake_rows *truth, const struct fake_rows *target,
                      struct fake_difference *out_difference);

#endif

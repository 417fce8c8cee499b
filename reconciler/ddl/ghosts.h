/*
 * ghosts: rows of the target that only an undelivered deletion would remove.
 *
 * A sink that can no longer deliver (its password is dead, its host has moved) keeps what
 * it did not deliver in its log store (verified 36). Its successor sends every row the
 * CDC table holds and every change from then on, but no deletion from before it was made:
 * such a row would stay in StarRocks for ever. So, while the successor is paused, the
 * keys that the log store holds as deletions and that the CDC table does not have are
 * deleted from the target. A key that comes back meanwhile lies in the successor's own
 * log store, and arrives when it is resumed. Pure: only statements are made here.
 */
#ifndef DDL_GHOSTS_H
#define DDL_GHOSTS_H

#include "ddl/desired.h"
#include "ddl/stmt.h"

#define GHOSTS_PAGE_ROWS 10000 /* keys read at once */
#define GHOSTS_DELETE_ROWS 500 /* keys per DELETE */

struct ghosts_query {
    const struct stmt *stmt; /* RisingWave; one row per key, in the order of the keys */
    size_t width;            /* key columns */
};
struct ghost_keys {
    size_t width;
    VEC(const char *) cells; /* width for each key */
};

/*
 * The query for up to GHOSTS_PAGE_ROWS keys behind the first `offset` ones. `table`: the
 * CDC table without schema; `log_table`: the internal table of the old sink;
 * `log_columns`: its columns behind the four of its own (stream_db_ops.log_columns).
 * Faults: FAULT_REFUSED when the log store lacks a key column.
 */
MUST_CHECK bool ghosts_query(const struct desired *desired, const char *table,
                             const char *log_table, const struct strlist *log_columns,
                             int64_t offset, struct arena *arena,
                             struct ghosts_query *out_query, struct fault *fault);
/*
 * DELETE of keys [first, first + count) from the target table, for StarRocks; redacted it
 * shows how many keys but no values, for rows do not belong in an audit. Faults:
 * FAULT_REFUSED when a cell is not a value of its column's type.
 */
MUST_CHECK bool ghosts_delete(const struct desired *desired,
                              const struct ghost_keys *keys, size_t first, size_t count,
                              struct arena *arena, const struct stmt **out_stmt,
                              struct fault *fault);

#endif

/*
 * watch: what nobody tells about a living MySQL table. RisingWave passes over TRUNCATE,
 * RENAME TABLE swaps and DROP + CREATE in silence and keeps the old rows, and a column
 * added to a CDC table is NULL in the rows loaded before (verified 2, product.md 2.8).
 * The decisions stand here, apart from the questions that they need answered.
 */
#ifndef LOOP_WATCH_H
#define LOOP_WATCH_H

#include "loop/attempt.h"

/* Rows are counted up to this: more cannot be told apart. */
#define WATCH_ROWS_MAX INT64_C(1000000)
/* A difference must outlast changes that are merely on their way through RisingWave. */
#define WATCH_APART_MS INT64_C(10000)
/* The same where RisingWave holds too many rows to see whether they are getting fewer. */
#define WATCH_CAPPED_MS INT64_C(300000)

enum watch_rows {
    WATCH_ROWS_AGREE = 1,
    WATCH_ROWS_FEWER, /* in MySQL than in RisingWave */
    WATCH_ROWS_MORE   /* by more than 1 % and more than 1000 rows */
};

/* `whole`: the CDC table was loaded with all rows; else it may hold fewer. */
enum watch_rows watch_rows_compare(int64_t source_rows, int64_t stream_rows, bool whole);

/*
 * The table among `siblings` that `table` was called before it was exchanged; NULL: none.
 * MySQL 8 keeps CREATE_TIME in RENAME TABLE, so the old table has the remembered one.
 * MySQL before 8 and MariaDB renew it (it is a file's time), so the old and the new table
 * were created in the same moment (seen on MariaDB 10.11). It must also have all columns
 * of the CDC table but `kept`, which MySQL has dropped already.
 */
const struct mysql_table *watch_swapped(const struct mysql_server *server,
                                        const struct mysql_table *table,
                                        const char *remembered,
                                        const struct mysql_tables *siblings,
                                        const struct rw_table *stream,
                                        const struct strlist *kept);

/*
 * What the rows that a check found mean for the target: "in 12 rows 't' (time) lies
 * outside 00:00:00 to 23:59:59 and is delivered as NULL".
 */
const char *watch_loss_text(const struct column_map *map, int64_t rows,
                            struct arena *arena);

/* The newest CDC table of this resource in the catalog that was read, or the one that a
 * re-sync in progress makes; NULL: not there. */
const struct rw_table *watch_table(const struct attempt *a);
/* The CDC table is not the one of the last attempt: nothing known of that one counts. */
bool watch_table_is_new(const struct attempt *a, const struct rw_table *table);

/* --- columns that were added after the snapshot --- */
/* Before a plan is applied: says in SchemaInSync which change of the MySQL table it
 * carries through, and remembers its new columns as not loaded in status. */
void watch_unloaded(struct attempt *a);
/*
 * After it was: forgets those that need no loading, because no row holds a value or a new
 * CDC table was loaded since, and tells of those that remain. MySQL is asked, and the
 * Event emitted, once for each list of columns.
 */
MUST_CHECK bool watch_loaded(struct attempt *a, struct fault *fault);
/* What SchemaInSync says of those that remain. */
const char *watch_unloaded_text(struct attempt *a);

/* "'a', 'b' and 3 more": names of a list for a message. */
const char *watch_names(const struct strlist *names, struct arena *arena);
/*
 * Ends the source session after a fault that broke it and logs in again; does nothing
 * after other faults. For questions whose failure must not fail the attempt.
 */
MUST_CHECK bool watch_reconnect(struct attempt *a, const struct fault *broken,
                                struct fault *fault);

#endif

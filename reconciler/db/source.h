/* source: the port to MySQL and MariaDB, which is read and never written. See db.h. */
#ifndef DB_SOURCE_H
#define DB_SOURCE_H

#include "base/cancel.h"
#include "db/binlog.h"
#include "ddl/schema.h"
#include "ddl/tally.h"
#include "ddl/types.h"

/* What counting may take of the server's time; then the count is not known. */
#define SOURCE_COUNT_TIMEOUT_MS 3000
#define SOURCE_TABLES_MAX 50 /* that list_like() names */

/* One question about a column's values (ddl/types.h loss_kind). LOSS_NONE asks for rows
 * that are not NULL. */
struct loss_check {
    const char *column;
    enum loss_kind kind;
    int64_t limit; /* LOSS_LENGTH: bytes */
};
struct mysql_tables {
    VEC(struct mysql_table) tables; /* only what the call that fills it says */
};

struct source_db;
struct source_db_ops {
    bool (*probe)(struct source_db *db, struct cancel *cancel, struct arena *arena,
                  struct mysql_server *out_server, struct fault *fault);
    /* *out_table NULL: no such table; *out_database_exists tells which was missing. */
    bool (*read_table)(struct source_db *db, const char *database, const char *table,
                       struct cancel *cancel, struct arena *arena,
                       struct mysql_table **out_table, bool *out_database_exists,
                       struct fault *fault);
    /*
     * How many rows each check concerns, among at most rows_max rows of the table and
     * for at most SOURCE_COUNT_TIMEOUT_MS of the server's time. out_counts is parallel to
     * checks; -1: it took too long. *out_complete: all rows were looked at (a table of
     * exactly rows_max rows counts as not).
     */
    bool (*count_losses)(struct source_db *db, const struct loss_check *checks,
                         size_t count, const char *database, const char *table,
                         int64_t rows_max, struct cancel *cancel, struct arena *arena,
                         int64_t *out_counts, bool *out_complete, struct fault *fault);
    /* Rows of the table, counted up to rows_max (then it is rows_max); -1: it took longer
     * than SOURCE_COUNT_TIMEOUT_MS. */
    bool (*count_rows)(struct source_db *db, const char *database, const char *table,
                       int64_t rows_max, struct cancel *cancel, int64_t *out_rows,
                       struct fault *fault);
    /* All rows of a table; -1: it took longer than the query allows. */
    bool (*count_all)(struct source_db *db, const struct tally_query *query,
                      struct cancel *cancel, int64_t *out_rows, struct fault *fault);
    /* Tables of the database whose name contains `part`, with CREATE_TIME, column names
     * and types: a swapped-out table is among them. At most SOURCE_TABLES_MAX. */
    bool (*list_like)(struct source_db *db, const char *database, const char *part,
                      struct cancel *cancel, struct arena *arena,
                      struct mysql_tables *out_tables, struct fault *fault);
    /* Databases that the account may see, without MySQL's own; sorted. */
    bool (*list_databases)(struct source_db *db, struct cancel *cancel,
                           struct arena *arena, struct strlist *out_names,
                           struct fault *fault);
    /* Tables of the database (name, type, row_estimate, primary_key), sorted by name; at
     * most DB_ROWS_MAX. */
    bool (*list_tables)(struct source_db *db, const char *database, struct cancel *cancel,
                        struct arena *arena, struct mysql_tables *out_tables,
                        struct fault *fault);
    /* "table.column (type)" of the database's columns whose definition the connector
     * cannot parse (verified 8): MariaDB's uuid, inet4, inet6. At most
     * SOURCE_TABLES_MAX. */
    bool (*list_unparseable)(struct source_db *db, const char *database,
                             struct cancel *cancel, struct arena *arena,
                             struct strlist *out_columns, struct fault *fault);
    /* server ids of registered replicas; empty when not permitted to know */
    bool (*replica_ids)(struct source_db *db, struct cancel *cancel, struct arena *arena,
                        struct strlist *out_ids, struct fault *fault);
    /* Whether a reader that stands at `at` can read on. A server that does not say (no
     * right, no binary log) counts as one that has all. */
    bool (*binlog_lost)(struct source_db *db, const struct binlog_position *at,
                        struct cancel *cancel, struct arena *arena,
                        struct binlog_answer *out_answer, struct fault *fault);
    void (*close)(struct source_db *db);
};
struct source_db {
    const struct source_db_ops *ops;
};

#endif

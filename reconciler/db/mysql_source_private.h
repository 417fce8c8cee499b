/* What the two halves of the MySQL driver share: what a table is (mysql_source.c) and how
 * many of its rows are like this or that (mysql_count.c), and what is named alike
 * (mysql_list.c). */
#ifndef DB_MYSQL_SOURCE_PRIVATE_H
#define DB_MYSQL_SOURCE_PRIVATE_H

#include "db/db.h"
#include "db/mysql_rows.h"
#include "db/mysql_wire.h"

struct mysql_source {
    struct source_db base;
    struct mysql_wire *wire;
    enum mysql_flavor flavor;
    bool fresh_statistics; /* information_schema answers from the engine, not from a cache
                            */
    bool utc;              /* the session's time zone never jumps */
    int64_t lower_case_table_names; /* -1: not asked yet */
};

/* One call: what it works with. Rows live in a scratch arena, results in the caller's. */
struct reading {
    struct mysql_source *db;
    struct cancel *cancel;
    struct arena *scratch;
    struct arena *arena;
    const char *database, *table;
    const char *what;
    struct fault *fault;
};

struct mysql_source *mysql_source_of(struct source_db *db);
struct stmt *mysql_source_stmt(const struct reading *r);
MUST_CHECK bool mysql_source_read(const struct reading *r, const struct stmt *stmt,
                                  struct rows *out);
/* A setting of the session; a refused one is done without. */
MUST_CHECK bool mysql_source_set(const struct reading *r, const struct stmt *s);
/* 80039 for MySQL 8.0.39, 101106 for MariaDB 10.11.6. */
int64_t mysql_source_version(const struct mysql_source *db);
/* Before information_schema is asked: fresh statistics, times in UTC, whether names
 * differ by case. */
MUST_CHECK bool mysql_source_prepare(const struct reading *r);

/* The source_db operations that count and list. */
MUST_CHECK bool mysql_count_losses(struct source_db *db, const struct loss_check *checks,
                                   size_t count, const char *database, const char *table,
                                   int64_t rows_max, struct cancel *cancel,
                                   struct arena *arena, int64_t *out_counts,
                                   bool *out_complete, struct fault *fault);
MUST_CHECK bool mysql_count_rows(struct source_db *db, const char *database,
                                 const char *table, int64_t rows_max,
                                 struct cancel *cancel, int64_t *out_rows,
                                 struct fault *fault);
MUST_CHECK bool mysql_count_all(struct source_db *db, const struct tally_query *query,
                                struct cancel *cancel, int64_t *out_rows,
                                struct fault *fault);
MUST_CHECK bool mysql_list_like(struct source_db *db, const char *database,
                                const char *part, struct cancel *cancel,
                                struct arena *arena, struct mysql_tables *out_tables,
                                struct fault *fault);
MUST_CHECK bool mysql_list_databases(struct source_db *db, struct cancel *cancel,
                                     struct arena *arena, struct strlist *out_names,
                                     struct fault *fault);
MUST_CHECK bool mysql_list_tables(struct source_db *db, const char *database,
                                  struct cancel *cancel, struct arena *arena,
                                  struct mysql_tables *out_tables, struct fault *fault);
MUST_CHECK bool mysql_list_unparseable(struct source_db *db, const char *database,
                                       struct cancel *cancel, struct arena *arena,
                                       struct strlist *out_columns, struct fault *fault);

/* The source_db operation about a reader's position. */
MUST_CHECK bool mysql_binlog_lost(struct source_db *db, const struct binlog_position *at,
                                  struct cancel *cancel, struct arena *arena,
                                  struct binlog_answer *out_answer, struct fault *fault);

/* What the account must show at a login (mysql_server.require), from SHOW GRANTS' rows or
 * by asking. */
MUST_CHECK bool mysql_read_require(const struct reading *r, const struct rows *grants,
                                   const char **out_require);

#endif

/* stream: the port to RisingWave. See db.h. */
#ifndef DB_STREAM_H
#define DB_STREAM_H

#include "base/cancel.h"
#include "db/binlog.h"
#include "ddl/ghosts.h"
#include "ddl/observed.h"
#include "ddl/plan.h"

struct db_result;

struct rw_snapshot { /* the CDC table's internal progress row */
    bool present, finished;
    int64_t rows;
};
struct rw_backlog { /* the sink's log store */
    bool present;
    int64_t undelivered; /* rows; -1 unknown */
    int64_t oldest_ms;   /* Unix ms of the oldest epoch; 0 unknown */
    int64_t now_ms;      /* the server's clock, for the difference */
};
struct rw_offset { /* the source's saved position */
    struct binlog_position at;
    int64_t event_ms; /* Unix ms of the event or heartbeat it stands at; 0 unknown */
};
struct stream_db;
struct stream_db_ops {
    bool (*probe)(struct stream_db *db, struct cancel *cancel, struct arena *arena,
                  struct rw_server *out_server, struct fault *fault);
    bool (*catalog)(struct stream_db *db, const char *schema, struct cancel *cancel,
                    struct arena *arena, struct rw_catalog *out_catalog,
                    struct fault *fault);
    bool (*snapshot)(struct stream_db *db, const char *schema, const char *internal_table,
                     struct cancel *cancel, struct rw_snapshot *out_snapshot,
                     struct fault *fault);
    bool (*backlog)(struct stream_db *db, const char *schema, const char *internal_table,
                    struct cancel *cancel, struct rw_backlog *out_backlog,
                    struct fault *fault);
    /* Rows of a CDC table of ours, counted up to rows_max (then it is rows_max). */
    bool (*count_rows)(struct stream_db *db, const char *schema, const char *table,
                       int64_t rows_max, struct cancel *cancel, int64_t *out_rows,
                       struct fault *fault);
    bool (*source_offset)(struct stream_db *db, const char *schema,
                          const char *internal_table, struct cancel *cancel,
                          struct arena *arena, struct rw_offset *out_offset,
                          struct fault *fault);
    /* Column names of a sink's log store behind the four of its own: what the sink
     * delivers, in its order (verified 36). */
    bool (*log_columns)(struct stream_db *db, const char *schema,
                        const char *internal_table, struct cancel *cancel,
                        struct arena *arena, struct strlist *out_columns,
                        struct fault *fault);
    /* Runs ghosts_query(): keys as text, query->width cells each, none of them NULL. */
    bool (*ghost_keys)(struct stream_db *db, const struct ghosts_query *query,
                       struct cancel *cancel, struct arena *arena,
                       struct ghost_keys *out_keys, struct fault *fault);
    bool (*apply)(struct stream_db *db, const struct plan_step *step, const char *tag,
                  struct cancel *cancel, struct arena *arena,
                  struct db_result *out_result, struct fault *fault);
    void (*close)(struct stream_db *db);
};
struct stream_db {
    const struct stream_db_ops *ops;
};

#endif

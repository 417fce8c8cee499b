/* What the parts of the RisingWave driver share: doing (risingwave.c), who is asked
 * (risingwave_probe.c) and reading (risingwave_read.c). */
#ifndef DB_RISINGWAVE_PRIVATE_H
#define DB_RISINGWAVE_PRIVATE_H

#include "db/risingwave.h"
#include "db/risingwave_rows.h"
#include "db/risingwave_wire.h"

struct risingwave {
    struct stream_db base;
    struct risingwave_wire *wire;
    /* What the session's variables are, so that they are set only when they must change.
     */
    bool background;
    int64_t parallelism; /* 0: default */
    char traced[128];    /* application_name */
};

/* One call: what it works with. Rows live in a scratch arena, results in the caller's. */
struct asking {
    struct risingwave *db;
    struct cancel *cancel;
    struct arena *scratch;
    struct arena *arena;
    const char *schema;
    const char *what;
    struct fault *fault;
};

struct risingwave *risingwave_of(struct stream_db *db);
struct stmt *risingwave_stmt(const struct asking *a);
MUST_CHECK bool risingwave_read(const struct asking *a, const struct stmt *stmt,
                                struct rows *out_rows);

/* A read whose text is a literal; true when *out holds the answer. */
#define RISINGWAVE_READ(a, out, sql)                                                     \
    __extension__({                                                                      \
        struct stmt *read_ = risingwave_stmt(a);                                         \
        stmt_text(read_, sql);                                                           \
        risingwave_read((a), read_, (out));                                              \
    })

/* The stream_db operations that only read. */
MUST_CHECK bool risingwave_probe(struct stream_db *db, struct cancel *cancel,
                                 struct arena *arena, struct rw_server *out_server,
                                 struct fault *fault);
MUST_CHECK bool risingwave_catalog(struct stream_db *db, const char *schema,
                                   struct cancel *cancel, struct arena *arena,
                                   struct rw_catalog *out_catalog, struct fault *fault);
MUST_CHECK bool risingwave_snapshot(struct stream_db *db, const char *schema,
                                    const char *internal_table, struct cancel *cancel,
                                    struct rw_snapshot *out_snapshot,
                                    struct fault *fault);
MUST_CHECK bool risingwave_backlog(struct stream_db *db, const char *schema,
                                   const char *internal_table, struct cancel *cancel,
                                   struct rw_backlog *out_backlog, struct fault *fault);
MUST_CHECK bool risingwave_count_rows(struct stream_db *db, const char *schema,
                                      const char *table, int64_t rows_max,
                                      struct cancel *cancel, int64_t *out_rows,
                                      struct fault *fault);
MUST_CHECK bool risingwave_source_offset(struct stream_db *db, const char *schema,
                                         const char *internal_table,
                                         struct cancel *cancel, struct arena *arena,
                                         struct rw_offset *out_offset,
                                         struct fault *fault);
MUST_CHECK bool risingwave_log_columns(struct stream_db *db, const char *schema,
                                       const char *internal_table, struct cancel *cancel,
                                       struct arena *arena, struct strlist *out_columns,
                                       struct fault *fault);
MUST_CHECK bool risingwave_ghost_keys(struct stream_db *db,
                                      const struct ghosts_query *query,
                                      struct cancel *cancel, struct arena *arena,
                                      struct ghost_keys *out_keys, struct fault *fault);

#endif

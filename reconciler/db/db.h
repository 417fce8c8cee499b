/*
 * db: the ports to the three databases, and the factory that opens them.
 *
 * A session is one connection used by one thread at a time. Every call takes a cancel
 * (stop signal and deadline) and an arena for what it returns.
 *
 * Faults carry the server's code and its own words, redacted; the class and reason come
 * from one classification table per engine (classify.c): AuthFailed, NotPermitted
 * (DENIED) · Unreachable, UnknownHost, TLSFailed, Timeout (UNAVAILABLE) · Recovering
 * (UNAVAILABLE) · MissingGrant (DENIED) · what the server refuses (REFUSED). After a
 * fault of class UNAVAILABLE or CANCELLED the session is broken: close it.
 */
#ifndef DB_DB_H
#define DB_DB_H

#include "base/cancel.h"
#include "base/fault.h"
#include "base/secret.h"
#include "ddl/observed.h"
#include "ddl/plan.h"
#include "ddl/schema.h"
#include "model/spec.h"

#define DB_CONNECT_TIMEOUT_MS 10000
#define DB_QUERY_TIMEOUT_MS 60000
#define DB_DDL_TIMEOUT_MS 600000 /* StarRocks waits up to 600 s for tablets */
#define DB_ROWS_MAX 200000       /* per result; more is a fault */
#define DB_VALUE_MAX ((size_t)1024 * 1024)

struct db_endpoint {
    const struct dbconn *conn;
    const char *user;
    const struct secret *password;
};

struct db_result {
    int64_t affected;
    const char *tag;        /* RisingWave's command tag; NULL otherwise */
    struct strlist notices; /* redacted */
};

/* --- MySQL: read-only --- */
struct source_db;
struct source_db_ops {
    bool (*probe)(struct source_db *db, struct cancel *cancel, struct arena *arena,
                  struct mysql_server *out_server, struct fault *fault);
    /* *out_table NULL: no such table; *out_database_exists tells which was missing. */
    bool (*read_table)(struct source_db *db, const char *database, const char *table,
                       struct cancel *cancel, struct arena *arena,
                       struct mysql_table **out_table, bool *out_database_exists,
                       struct fault *fault);
    /* server ids of registered replicas; empty when not permitted to know */
    bool (*replica_ids)(struct source_db *db, struct cancel *cancel, struct arena *arena,
                        struct strlist *out_ids, struct fault *fault);
    void (*close)(struct source_db *db);
};
struct source_db {
    const struct source_db_ops *ops;
};

/* --- RisingWave --- */
struct rw_server {
    const char *version; /* "3.0.3" out of version() */
    const char *user, *database;
    int64_t users; /* unused sessions etc. are not counted; -1 unknown */
    bool recovering;
};
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
    /* "mysql-bin.000067" of the source's saved position; NULL when there is none yet. */
    bool (*source_offset)(struct stream_db *db, const char *schema,
                          const char *internal_table, struct cancel *cancel,
                          struct arena *arena, const char **out_file,
                          struct fault *fault);
    bool (*apply)(struct stream_db *db, const struct plan_step *step, const char *tag,
                  struct cancel *cancel, struct arena *arena,
                  struct db_result *out_result, struct fault *fault);
    void (*close)(struct stream_db *db);
};
struct stream_db {
    const struct stream_db_ops *ops;
};

/* --- StarRocks --- */
struct sr_server {
    const char *version;   /* "4.1.0-26a4a59" */
    int64_t live_backends; /* -1: not permitted to know */
};
struct target_db;
struct target_db_ops {
    bool (*probe)(struct target_db *db, struct cancel *cancel, struct arena *arena,
                  struct sr_server *out_server, struct fault *fault);
    bool (*catalog)(struct target_db *db, const char *database, struct cancel *cancel,
                    struct arena *arena, struct sr_catalog *out_catalog,
                    struct fault *fault);
    bool (*apply)(struct target_db *db, const struct plan_step *step, const char *tag,
                  struct cancel *cancel, struct arena *arena,
                  struct db_result *out_result, struct fault *fault);
    void (*close)(struct target_db *db);
};
struct target_db {
    const struct target_db_ops *ops;
};

/* `tag` (NULL: none) lets a DBA trace a run: a comment in front of the statement, in
 * RisingWave the application_name. What could end a comment is taken out of it. */
struct db_factory;
struct db_factory_ops {
    bool (*open_source)(struct db_factory *f, const struct db_endpoint *endpoint,
                        struct cancel *cancel, struct source_db **out_db,
                        struct fault *fault);
    bool (*open_stream)(struct db_factory *f, const struct db_endpoint *endpoint,
                        struct cancel *cancel, struct stream_db **out_db,
                        struct fault *fault);
    bool (*open_target)(struct db_factory *f, const struct db_endpoint *endpoint,
                        struct cancel *cancel, struct target_db **out_db,
                        struct fault *fault);
};
struct db_factory {
    const struct db_factory_ops *ops;
};

/* The real ones. db_library_init() comes before threads start. */
MUST_CHECK bool db_library_init(struct fault *fault);
void db_library_deinit(void);
struct db_factory *db_factory_real(void);

#endif

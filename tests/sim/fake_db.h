/*
 * fake_db: MySQL, RisingWave and StarRocks in memory, behind struct db_factory.
 *
 * They read the statements that the planner writes (sql.h), keep catalogs, refuse orders
 * the real ones refuse and let time pass: a snapshot takes seconds, a sink is being
 * created before it is there, what is written upstream waits in the sink until StarRocks
 * takes it. Servers are found by host name; each can be down.
 */
#ifndef FAKE_DB_H
#define FAKE_DB_H

#include "db/db.h"
#include "sim_call.h"

struct sim;

struct fake_upstream { /* a MySQL table */
    struct mysql_table table;
    int64_t rows;
};

struct fake_mysql {
    const char *host;
    bool down, refuses_login;
    struct mysql_server server;
    VEC(struct fake_upstream *) tables;
};

enum fake_kind { FAKE_SOURCE = 1, FAKE_TABLE, FAKE_SINK, FAKE_VIEW };

struct fake_stream_object { /* anything in RisingWave */
    enum fake_kind kind;
    int64_t id, uses; /* uses: the id of what it reads; 0: nothing */
    const char *schema, *name;
    /* source */
    const char *hostname, *port, *username, *database, *server_id, *ssl_mode;
    /* table */
    const char *comment, *upstream; /* upstream: "db.table" */
    VEC(struct rw_column) columns;
    int64_t rows, loaded_ms; /* when the snapshot is done */
    bool live;               /* it is done and rows were counted */
    /* sink */
    const char *target_host, *mysql_port, *http_port, *user, *target_database,
        *target_table, *primary_key, *interval;
    int64_t built_ms, rate_limit, pending, pending_since_ms;
    bool built;
};

struct fake_rw {
    const char *host;
    bool down, recovering, refuses_login;
    bool cut_off; /* from StarRocks: its sinks deliver nothing, and say nothing */
    enum plan_kind refuses; /* every statement of this kind */
    enum plan_kind forgets; /* statements of this kind succeed and do nothing */
    int64_t last_id;
    struct strlist schemas;
    VEC(struct fake_stream_object *) objects;
    VEC(struct rw_event) events;
};

struct fake_sr_table {
    const char *database;
    struct sr_table table;
    int64_t rows;
};

struct fake_sr {
    const char *host;
    bool down, refuses_login, hides_backends;
    int64_t live_backends;
    struct strlist databases;
    VEC(struct fake_sr_table *) tables;
};

struct fake_db {
    struct db_factory base;
    struct sim *sim;
    int64_t open_sessions;
    int64_t snapshot_ms, build_ms; /* how long snapshots and new sinks take */
    VEC(struct fake_mysql *) mysql;
    VEC(struct fake_rw *) rw;
    VEC(struct fake_sr *) sr;
};

struct fake_db *fake_db_new(struct sim *sim);

struct fake_mysql *fake_db_add_mysql(struct fake_db *db, const char *host,
                                     const char *uuid);
struct fake_rw *fake_db_add_rw(struct fake_db *db, const char *host);
struct fake_sr *fake_db_add_sr(struct fake_db *db, const char *host,
                               const char *database);
struct fake_mysql *fake_db_mysql(struct fake_db *db, const char *host);
struct fake_rw *fake_db_rw(struct fake_db *db, const char *host);
struct fake_sr *fake_db_sr(struct fake_db *db, const char *host);

/* id BIGINT key, name VARCHAR(80), amount DECIMAL(10,2), created DATETIME, note TEXT. */
void fake_mysql_add_table(struct fake_db *db, struct fake_mysql *mysql,
                          const char *database, const char *name, int64_t rows);
/* Rows written upstream: they pass every sink of that table. */
void fake_mysql_write(struct fake_db *db, struct fake_mysql *mysql, const char *database,
                      const char *name, int64_t rows);

/* --- RisingWave's objects --- */
struct fake_stream_object *fake_rw_find(const struct fake_rw *rw, const char *schema,
                                        const char *name);
struct fake_stream_object *fake_rw_by_id(const struct fake_rw *rw, int64_t id);
struct fake_stream_object *fake_rw_add(struct fake_db *db, struct fake_rw *rw,
                                       enum fake_kind kind, const char *schema,
                                       const char *name, int64_t uses);
/* The first object that reads `id`; NULL: none. */
struct fake_stream_object *fake_rw_user_of(const struct fake_rw *rw, int64_t id);
void fake_rw_remove(struct fake_rw *rw, const struct fake_stream_object *object);
size_t fake_rw_count(const struct fake_rw *rw, enum fake_kind kind, const char *schema);
/* Drops it with everything that reads it, as a person with CASCADE does. */
void fake_rw_drop_cascade(struct fake_rw *rw, const struct fake_stream_object *object);

struct fake_sr_table *fake_sr_find(const struct fake_sr *sr, const char *database,
                                   const char *table);
void fake_sr_remove(struct fake_sr *sr, const struct fake_sr_table *table);

/* --- shared by fake_*.c --- */
void fake_db_tick(struct fake_db *db); /* lets the rows flow up to now */
bool fake_rw_open(struct db_factory *f, const struct db_endpoint *endpoint,
                  struct cancel *cancel, struct stream_db **out_db, struct fault *fault);
bool fake_sr_open(struct db_factory *f, const struct db_endpoint *endpoint,
                  struct cancel *cancel, struct target_db **out_db, struct fault *fault);
bool fake_rw_apply(struct fake_db *db, struct fake_rw *rw, const struct plan_step *step,
                   struct arena *arena, struct fault *fault);
/* "BIGINT" -> "bigint", as the catalog shows it; NULL: no such type. */
const char *fake_rw_catalog_type(const char *written);

#endif

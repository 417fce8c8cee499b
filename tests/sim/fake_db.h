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
#include "fake_mysql.h"
#include "sim_call.h"

struct sim;

enum fake_kind { FAKE_SOURCE = 1, FAKE_TABLE, FAKE_SINK, FAKE_VIEW };

struct fake_held { /* a change that a source has not read yet */
    int64_t table, key, version;
};

struct fake_stream_object { /* anything in RisingWave */
    enum fake_kind kind;
    int64_t id, uses; /* uses: the id of what it reads; 0: nothing */
    const char *schema, *name;
    const char *password; /* of sources and sinks */
    /* source */
    const char *hostname, *port, *username, *database, *server_id, *ssl_mode;
    struct fake_mysql *server;  /* who answered under hostname when it was made */
    int64_t back_ms;            /* its reader restarts until then */
    int64_t read_ms;            /* up to where it has read: the moment of that event */
    int64_t read_log;           /* ... in this one of the server's binary logs */
    bool nowhere;               /* it was reset and has not read since */
    VEC(struct fake_held) held; /* changes that wait for the reader */
    /* table */
    const char *comment, *upstream; /* upstream: "db.table" */
    VEC(struct rw_column) columns;
    int64_t rows, loaded_ms; /* data.count; when the snapshot is done */
    struct fake_rows data;
    bool live;        /* it is done */
    bool no_snapshot; /* it was not asked for one */
    /* sink */
    const char *target_host, *mysql_port, *http_port, *user, *target_database,
        *target_table, *primary_key, *interval;
    struct strlist reads, writes; /* columns of its table, of the target */
    int64_t made_ms, built_ms, rate_limit;
    int64_t lag_ms;  /* how long a change waits in it */
    int64_t pending; /* rows that it has not delivered: of `backfill` and `changes` */
    struct fake_rows backfill; /* the table as it was when the sink was made */
    bool built, backfilled;
    VEC(struct fake_change) changes;
    size_t delivered; /* so many of the changes, from the front */
};

struct fake_rw {
    const char *host;
    bool down, recovering, refuses_login;
    bool cut_off; /* from StarRocks: its sinks deliver nothing, and say nothing */
    enum plan_kind refuses; /* every statement of this kind */
    enum plan_kind forgets; /* statements of this kind succeed and do nothing */
    int64_t last_id;
    int64_t tables_made, sinks_made;        /* ever */
    int64_t sources_altered, sources_reset; /* ever */
    struct strlist schemas;
    VEC(struct fake_stream_object *) objects;
    VEC(struct rw_event) events;
};

struct fake_sr_table {
    const char *database;
    struct sr_table table;
    int64_t rows; /* data.count */
    struct fake_rows data;
    int64_t altered_ms; /* when the job that changes `wanted` ends; 0: no job */
    VEC(struct sr_column) wanted;
};

struct fake_sr {
    const char *host;
    bool down, refuses_login, hides_backends;
    const char *password; /* of its only account; NULL: any but none */
    int64_t live_backends;
    int64_t tables_made;      /* ever */
    const char *fails_alters; /* jobs are cancelled with this message; NULL: they work */
    struct strlist databases;
    VEC(struct fake_sr_table *) tables;
};

struct fake_db {
    struct db_factory base;
    struct sim *sim;
    int64_t open_sessions;
    /* how long snapshots, new sinks, StarRocks' jobs and a source's restart take */
    int64_t snapshot_ms, build_ms, alter_ms, restart_ms;
    VEC(struct fake_mysql *) mysql;
    VEC(struct fake_rw *) rw;
    VEC(struct fake_sr *) sr;
};

struct fake_db *fake_db_new(struct sim *sim);
/* Whether an account with this password may log in where `right` is the password. */
bool fake_db_accepts(const char *right, const char *password);
/* What is really sent, passwords and all. */
const char *fake_db_sql(const struct stmt *stmt, struct arena *arena);

struct fake_mysql *fake_db_add_mysql(struct fake_db *db, const char *host,
                                     const char *uuid);
struct fake_rw *fake_db_add_rw(struct fake_db *db, const char *host);
struct fake_sr *fake_db_add_sr(struct fake_db *db, const char *host,
                               const char *database);
struct fake_mysql *fake_db_mysql(struct fake_db *db, const char *host);
struct fake_rw *fake_db_rw(struct fake_db *db, const char *host);
struct fake_sr *fake_db_sr(struct fake_db *db, const char *host);

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
bool fake_sr_altering(const struct fake_sr_table *table);

/* --- shared by fake_*.c --- */
void fake_rw_list(const struct fake_rw *rw, const char *schema, struct arena *arena,
                  struct rw_catalog *out_catalog);
/* The internal table of an object: progress, position or log store. */
const char *fake_rw_internal(const struct fake_stream_object *o, struct arena *arena);
void fake_db_tick(struct fake_db *db); /* lets the rows flow up to now */
/* A change of a MySQL table, on its way from now on. */
void fake_rw_pass(struct fake_db *db, const struct fake_upstream *table, int64_t key,
                  int64_t version);
void fake_rw_tick(struct fake_db *db, struct fake_rw *rw);
/* It restarts, or its server is not where it looks for it. */
bool fake_rw_is_away(const struct fake_db *db, const struct fake_stream_object *source);
/* How many keys a sink has not deleted that its CDC table does not hold, from `offset`
 * on. */
void fake_rw_ghosts(const struct fake_rw *rw, const struct fake_stream_object *sink,
                    int64_t offset, struct arena *arena, struct ghost_keys *out_keys);
/* The MySQL table that a CDC table reads; NULL: there is none of that name. */
struct fake_upstream *fake_rw_upstream(const struct fake_rw *rw,
                                       const struct fake_stream_object *table);
void fake_sr_tick(struct fake_db *db, struct fake_sr *sr);
bool fake_rw_open(struct db_factory *f, const struct db_endpoint *endpoint,
                  struct cancel *cancel, struct stream_db **out_db, struct fault *fault);
bool fake_sr_open(struct db_factory *f, const struct db_endpoint *endpoint,
                  struct cancel *cancel, struct target_db **out_db, struct fault *fault);
bool fake_rw_apply(struct fake_db *db, struct fake_rw *rw, const struct plan_step *step,
                   struct arena *arena, struct fault *fault);

#endif

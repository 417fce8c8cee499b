/*
 * observed: what exists in RisingWave and StarRocks, as the db room read it. Pure data,
 * in an arena, whole schemas at a time: one read serves every TableSync of a connection.
 */
#ifndef DDL_OBSERVED_H
#define DDL_OBSERVED_H

#include "base/json.h"
#include "base/vec.h"

#include <stdint.h>

struct rw_source {
    int64_t id;
    const char *schema, *name;
    /* From connector_props, parsed; never the definition text, never the password. */
    const char *connector, *hostname, *port, *username, *database, *server_id, *ssl_mode;
    const char *password_digest; /* secret_digest() of it; NULL: not shown */
};

struct rw_column {
    const char *name, *type; /* "character varying" */
    bool primary_key;
};

struct rw_table {
    int64_t id;
    const char *name;
    const char *comment;           /* the ownership mark; NULL: none */
    VEC(struct rw_column) columns; /* hidden ones left out */
};

struct rw_sink {
    int64_t id;
    const char *name;
    const char *host, *mysql_port, *http_port, *user, *database, *table, *primary_key;
    const char *commit_checkpoint_interval; /* NULL: default */
    const char *password_digest;            /* secret_digest() of it; NULL: not shown */
    bool creating;      /* streaming job status is not CREATED: backfill runs */
    int64_t rate_limit; /* -1 none, 0 paused */
};

struct rw_edge { /* rw_depend: object uses referenced */
    int64_t object, referenced;
};

struct rw_relation { /* any relation of the database, to name dependants */
    int64_t id;
    const char *schema, *name, *kind; /* "table", "sink", "materialized view", ... */
};

struct rw_internal {
    int64_t job;
    const char *name; /* "__internal_t_..._streamcdcscan_5" */
};

struct rw_event {                      /* SINK_FAIL and friends, newest first */
    const char *type, *object, *error; /* error: redacted */
    int64_t object_id, at_ms;
};

/* What RisingWave says of itself and of the account that is logged in. */
struct rw_server {
    const char *version; /* "3.0.3" out of version() */
    const char *user, *database;
    int64_t users; /* unused sessions etc. are not counted; -1 unknown */
    bool recovering;
    bool superuser;
    int may_create, may_connect; /* CREATE and CONNECT on the database; -1 unknown */
    const char *license;         /* tier, in rw_features' terms; NULL unknown */
    struct strlist unavailable_features; /* by rw_features */
    int64_t actors, parallelism; /* running actors, and units they share; -1 unknown */
};

/* What StarRocks says of itself and of the account that is logged in. */
struct sr_server {
    const char *version;     /* "4.1.0-26a4a59" */
    int64_t live_backends;   /* -1: not permitted to know */
    struct strlist grants;   /* SHOW GRANTS' third column, line by line */
    bool grants_known, root; /* grants is all there is, even if empty; may do all */
};

struct rw_catalog {
    bool schema_exists;
    VEC(struct rw_source) sources; /* of the whole database: server ids must not clash */
    VEC(struct rw_table) tables;   /* of our schema */
    VEC(struct rw_sink) sinks;     /* of our schema */
    VEC(struct rw_edge) edges;
    VEC(struct rw_relation) relations;
    VEC(struct rw_internal) internals;
    VEC(struct rw_event) events;
};

const struct rw_source *rw_catalog_source(const struct rw_catalog *catalog,
                                          const char *schema, const char *name);
const struct rw_table *rw_catalog_table(const struct rw_catalog *catalog,
                                        const char *name);
const struct rw_sink *rw_catalog_sink(const struct rw_catalog *catalog, const char *name);
/* Names ("sink tablesync.k_x", ...) of what uses `id`; empty list: nothing. */
void rw_catalog_users(const struct rw_catalog *catalog, int64_t id, struct arena *arena,
                      struct strlist *out_names);
/* The internal table of `job` whose name contains `infix` ("_streamcdcscan_", "_sink_",
 * "_source_"); NULL: none. */
const char *rw_catalog_internal(const struct rw_catalog *catalog, int64_t job,
                                const char *infix);

struct sr_column {
    const char *name, *type; /* COLUMN_TYPE */
    bool nullable, key;
    const char *default_value; /* COLUMN_DEFAULT; NULL: none */
    const char *comment;
};

struct sr_table {
    const char *name;
    bool is_view;
    const char *comment; /* the ownership mark may stand in it */
    const char *model;   /* "PRIMARY_KEYS"; NULL when tables_config could not be read */
    struct strlist primary_key;
    VEC(struct sr_column) columns;
    bool altering;            /* a schema change of it runs (SHOW ALTER TABLE COLUMN) */
    const char *alter_failed; /* why the newest schema change was cancelled; NULL: not */
};

struct sr_catalog { /* of one database */
    bool database_exists;
    int64_t live_backends; /* -1: not permitted to know */
    VEC(struct sr_table) tables;
};

const struct sr_table *sr_catalog_table(const struct sr_catalog *catalog,
                                        const char *name);

/*
 * "tablesync:v1 uid=<uid> hash=<12 hex>", anywhere in a comment; on a CDC table
 * " sink=<n>" follows: the hash is the definition of sink version n. On a target table
 * that was not created but adopted " adopted" follows. " after=<m>" behind the sink's
 * version: sink version m was paused before version n was made, for it could not deliver
 * any more; what it holds as deletions is deleted by us (ghosts.h).
 */
struct mark {
    struct sv uid, hash;
    int64_t sink;  /* 0: not told */
    int64_t after; /* 0: not told */
    bool adopted;
    struct sv whole; /* the mark's place in the comment */
};
bool mark_parse(const char *comment, struct mark *out_mark);

#endif

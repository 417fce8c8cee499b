/*
 * desired: everything that should exist for one TableSync, computed from the spec, the
 * connections and the MySQL schema, and nothing else. Pure.
 */
#ifndef DDL_DESIRED_H
#define DDL_DESIRED_H

#include "ddl/types.h"
#include "model/spec.h"

struct desired_input {
    const struct tablesync *sync;
    const struct dbconn *source, *rw, *target;
    const struct mysql_server *server;
    const struct mysql_table *table;
    const char *source_user, *target_user;
    const struct secret *source_password, *target_password;
    int64_t sink_version; /* 1 unless a newer one exists */
    /* server ids taken by others besides RisingWave's sources and the MySQL server itself
     * (its replicas, sources of other clusters), as decimal text; may be empty. */
    struct strlist used_server_ids;
};

struct desired {
    struct desired_input in;
    const char *mark; /* "tablesync:v1 uid=... hash=..." */
    const char *hash; /* 12 hex of the definition, as in the mark */
    const struct ident *rw_schema;
    const struct ident *source_name; /* src_<db>_<h8> */
    const struct ident *table_name;  /* t_<db>_<table>_<h8> */
    const struct ident *sink_name;   /* k_<db>_<table>_<h8>_v<n> */
    const char *sink_prefix;         /* the sink's name without its version number */
    const struct ident *target_database, *target_table;
    VEC(struct column_map) columns; /* target order: key columns first, in key order */
    VEC(const struct ident *) rw_columns, sr_columns; /* parallel to columns */
    size_t key_count;
    struct strlist notes; /* what may be lost, for an event */
};

/*
 * Faults: FAULT_REFUSED NoPrimaryKey, NotABaseTable, UnsupportedType, UnsupportedKey,
 * UnsupportedName. Upstream table names RisingWave cannot stream (space, $, non-ASCII:
 * verified 6) or crash on (') are refused here, before anything is created. Secrets and
 * the input's objects must outlive the result.
 */
MUST_CHECK bool desired_build(const struct desired_input *input, struct arena *arena,
                              struct desired *out_desired, struct fault *fault);

/*
 * Names from identity alone, also for deletion when MySQL is gone: a lower-case ASCII
 * slug of database and table, cut so that the whole is at most 63 bytes, then 8 hex of a
 * hash. The source's hash covers namespace, MySQL identity (server_uuid, else host:port)
 * and database; table and sink hash the resource's uid.
 */
char *name_source(struct arena *arena, const char *namespace, const char *mysql_identity,
                  const char *database);
char *name_table(struct arena *arena, const char *uid, const char *database,
                 const char *table);
char *name_sink_prefix(struct arena *arena, const char *uid, const char *database,
                       const char *table); /* "k_..._v" */
const char *mysql_identity(const struct mysql_server *server, const struct dbconn *conn,
                           struct arena *arena);
/* First candidate server.id in [low, high] for a source name; probe upwards, wrapping. */
int64_t server_id_start(const char *source_name, int64_t low, int64_t high);

#endif

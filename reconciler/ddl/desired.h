/*
 * desired: everything that should exist for one TableSync, computed from the spec, the
 * connections and the MySQL schema, and nothing else. Pure.
 *
 * Two column lists, because they may differ: the CDC table holds what is selected, the
 * upstream key and what expressions read; the target holds what is delivered, under its
 * own names, its own key columns first.
 */
#ifndef DDL_DESIRED_H
#define DDL_DESIRED_H

#include "ddl/partition.h"
#include "ddl/types.h"
#include "model/spec.h"

struct desired_input {
    const struct tablesync *sync;
    const struct dbconn *source, *rw, *target;
    const struct mysql_server *server;
    const struct mysql_table *table;
    const char *source_user, *target_user;
    const struct secret *source_password, *target_password;
    const char *rw_version, *starrocks_version; /* NULL: 3.0.3, 4.1 */
    /* server ids taken by others besides RisingWave's sources and the MySQL server itself
     * (its replicas, sources of other clusters), as decimal text; may be empty. */
    struct strlist used_server_ids;
    /* The shared source takes its address and account from this connection: of all
     * connections that TableSyncs with this source use it is the oldest. Two connections
     * may rightly name one server; altering it to and fro would stop it for minutes. */
    bool source_follows;
    /* What RisingWave has yet to read is gone from MySQL's binary log, and nothing that
     * was loaded depends on it: the source goes on from where MySQL is now. */
    bool resets_source;
    /* Nothing was ever applied: a name in spec.columns or spec.primaryKey that the table
     * lacks is a mistake. Afterwards it may be a column that was dropped, and is only
     * noted. */
    bool first_run;
    /* No target table was ever ours: spec.target.existing counts. */
    bool first_target;
    /* A re-sync in progress; table_version is the CDC table that it makes. 0: none. */
    enum resync_mode resync;
    int64_t table_version;
    struct strlist kept_columns; /* MySQL names already known to be dropped */
};

struct cdc_column {
    const struct mysql_column *source; /* NULL: kept, MySQL no longer has it */
    const struct ident *name;
    enum rw_type type;
    bool key;
};

struct desired {
    struct desired_input in;
    const struct ident *rw_schema;
    const struct ident *source_name; /* src_<db>_<h8> */
    const struct ident *table_name;  /* t_<db>_<table>_<h8>, the first version */
    const char *sink_prefix;         /* "k_<db>_<table>_<h8>_v" */
    const struct ident *target_database, *target_table;
    VEC(struct cdc_column) cdc;     /* upstream key columns first, in key order */
    VEC(struct column_map) columns; /* target order: key columns first, in key order */
    /* Parallel to columns. rw_columns: the CDC column that feeds it, NULL with
     * SINK_CUSTOM, whose expression counts columns as in.table does (expr_uses). aliases
     * and sr_columns: its name in the target, once for each dialect. */
    VEC(const struct ident *) rw_columns, aliases, sr_columns;
    size_t cdc_key_count, key_count;
    VEC(const struct ident *) distribution; /* key columns of the target */
    struct partition partition;
    struct strlist skipped; /* MySQL names left out by unsupported: Skip, with the why */
    struct strlist notes;   /* what may be lost, for an event */
    const char *hash; /* 12 hex of all of the above but notes, and of the table's buckets
                         and properties */
};

/*
 * Faults: FAULT_REFUSED NoPrimaryKey, NotABaseTable, UnsupportedType, UnsupportedKey,
 * UnsupportedName, InvalidColumns (a bad combination in spec.columns, spec.primaryKey or
 * the target's distribution; the server's own rule is quoted), InvalidOverride. Upstream
 * table names RisingWave cannot stream (space, $, non-ASCII: verified 6) or crash on (')
 * are refused here, before anything is created. Secrets and the input's objects must
 * outlive the result.
 */
MUST_CHECK bool desired_build(const struct desired_input *input, struct arena *arena,
                              struct desired *out_desired, struct fault *fault);

/* The hash over columns and names; also after a planner changed them. */
void desired_hash(struct desired *desired, struct arena *arena);
/* 12 hex over what a sink over CDC table `table_version` is: its SELECT, its key and
 * where it delivers, but not the width of target columns. */
const char *desired_sink_hash(const struct desired *desired, int64_t table_version,
                              struct arena *arena);

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
/* "t_..." for version 1, "t_..._v2" and so on for what a re-sync makes. */
char *name_table_version(struct arena *arena, struct sv first, int64_t version);
/* The version of `name` if it is one of `first`'s names, else 0. */
int64_t name_table_version_of(struct sv first, struct sv name);
char *name_sink_prefix(struct arena *arena, const char *uid, const char *database,
                       const char *table); /* "k_..._v" */
/* The version of sink `name`, 0 if it does not begin with the prefix. */
int64_t name_sink_version_of(struct sv prefix, struct sv name);
const char *mysql_identity(const struct mysql_server *server, const struct dbconn *conn,
                           struct arena *arena);
/* First candidate server.id in [low, high] for a source name; probe upwards, wrapping. */
int64_t server_id_start(const char *source_name, int64_t low, int64_t high);

#endif

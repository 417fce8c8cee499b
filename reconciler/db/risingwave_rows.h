/*
 * risingwave_rows: RisingWave's catalogs as structures. Pure: rows in, structures out;
 * strings are copied into `arena`.
 *
 * Passwords stand in plain text in connector_props, definitions and events (verified 16):
 * definitions are never asked for, of the rest only the wanted keys are taken, and a
 * password only as its digest.
 * Sources: contract risingwave.md 5, verified.md 1, 11, 16, 17, 35, 36, transcripts.
 */
#ifndef DB_RISINGWAVE_ROWS_H
#define DB_RISINGWAVE_ROWS_H

#include "db/db.h"
#include "db/peer.h"
#include "db/rows.h"

/* "PostgreSQL 13.14.0-RisingWave-3.0.3 (unknown)" -> "3.0.3"; the whole text otherwise.
 */
const char *risingwave_rows_version(const char *text, struct arena *arena);
/* rw_recovery_info: database_name, recovery_state, in_global_recovering. */
bool risingwave_rows_recovering(const struct rows *info, const char *database);

/* rw_schemas (id, name) names the schemas of the others. */
void risingwave_rows_sources(const struct rows *sources, const struct rows *schemas,
                             struct arena *arena, struct rw_catalog *catalog);
void risingwave_rows_relations(const struct rows *relations, const struct rows *schemas,
                               struct arena *arena, struct rw_catalog *catalog);
/* rw_tables of the schema: id, name. */
void risingwave_rows_tables(const struct rows *tables, struct arena *arena,
                            struct rw_catalog *catalog);
/* rw_description: objoid, objsubid, description; only whole tables' (objsubid NULL). */
void risingwave_rows_comments(const struct rows *descriptions, struct arena *arena,
                              struct rw_catalog *catalog);
/* rw_columns: relation_id, name, data_type, is_hidden, is_primary_key, by position. */
void risingwave_rows_columns(const struct rows *columns, struct arena *arena,
                             struct rw_catalog *catalog);
/* rw_sinks of the schema: id, name, connector_props. */
void risingwave_rows_sinks(const struct rows *sinks, struct arena *arena,
                           struct rw_catalog *catalog);
/* rw_streaming_jobs: id, status; rw_rate_limit: table_id, node_name, rate_limit. */
void risingwave_rows_jobs(const struct rows *jobs, const struct rows *limits,
                          struct rw_catalog *catalog);
/* rw_depend: objid, refobjid; rw_internal_tables: job_id, name. */
void risingwave_rows_edges(const struct rows *depend, struct arena *arena,
                           struct rw_catalog *catalog);
void risingwave_rows_internals(const struct rows *internals, struct arena *arena,
                               struct rw_catalog *catalog);
/* rw_event_logs: event_type, timestamp, info; newest first; errors redacted by the peer.
 */
void risingwave_rows_events(const struct rows *events, const struct peer *peer,
                            struct arena *arena, struct rw_catalog *catalog);

/* The CDC table's progress: row_count, backfill_finished; several splits add up. */
struct rw_snapshot risingwave_rows_snapshot(const struct rows *progress);
/* undelivered, oldest, now (seconds with a fraction), one row. */
struct rw_backlog risingwave_rows_backlog(const struct rows *backlog);
/* offset_info's binlog file and time; no file when no position is saved. */
struct rw_offset risingwave_rows_offset(const struct rows *offsets, struct arena *arena);
/* The headings of a log store behind those of its own, which begin with kv_log_store_. */
void risingwave_rows_log_columns(const struct rows *log, struct arena *arena,
                                 struct strlist *out_columns);

/*
 * What the account may do. server->user and ->database are known.
 * rw_users: id, name, is_super; rw_databases: name, owner, acl, a list of
 * "name=letters/grantor" with C for CREATE, c for CONNECT and a star for the grant option
 * (RisingWave 3.0.3 acl/mod.rs, rw_databases.rs). An answer that lacks the account or the
 * database leaves "unknown".
 */
void risingwave_rows_account(const struct rows *users, const struct rows *databases,
                             struct rw_server *server);
/* rw_features: name, available. It shows no tier, but what the licence opens: "all
 * features", "some features" or "no licensed features". */
void risingwave_rows_features(const struct rows *features, struct arena *arena,
                              struct rw_server *server);
/*
 * Actors by worker (worker_id, actors) and rw_worker_nodes (id, state, parallelism,
 * is_streaming). RisingWave compares worker by worker (3.0.3 cluster_limit.rs), so the
 * numbers are those of the worker that has the most actors for its parallelism. Above 100
 * for each unit CREATE prints a NOTICE, above 400 it is refused (verified 18).
 */
void risingwave_rows_actors(const struct rows *actors, const struct rows *workers,
                            struct rw_server *server);

/* "2026-11-23 02:39:44.989+00:00" in Unix ms; 0 when it is no such text. */
int64_t risingwave_rows_time_ms(const char *text);

#endif

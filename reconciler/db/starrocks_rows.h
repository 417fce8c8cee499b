/*
 * starrocks_rows: what a StarRocks FE answers about itself and a database, as structures.
 * Pure: rows in, structures out; strings are copied into `arena`.
 * Sources: contract starrocks.md 4, verified.md 29 and 32, transcripts.
 */
#ifndef DB_STARROCKS_ROWS_H
#define DB_STARROCKS_ROWS_H

#include "db/peer.h"
#include "db/rows.h"
#include "ddl/observed.h"

/* Rows of SHOW BACKENDS or SHOW COMPUTE NODES whose Alive is true. */
int64_t starrocks_rows_alive(const struct rows *nodes);
/* SHOW DATABASES: StarRocks compares database names with case. */
bool starrocks_rows_database(const struct rows *databases, const char *name);

/* SHOW GRANTS: the lines of its column Grants; also whether a line gives the role root,
 * as "GRANT 'root', 'r2' TO 'u'@'%'". */
void starrocks_rows_grants(const struct rows *grants, struct arena *arena,
                           struct strlist *out_lines, bool *out_root_role);
/* CURRENT_ROLE(): whether root is among the active roles, "root, r2". */
bool starrocks_rows_root(const struct rows *roles);

/* information_schema.tables of one database. */
void starrocks_rows_tables(const struct rows *tables, struct arena *arena,
                           struct sr_catalog *catalog);
/* information_schema.columns, ordered by table and position; unknown tables are left out.
 */
void starrocks_rows_columns(const struct rows *columns, struct arena *arena,
                            struct sr_catalog *catalog);
/* information_schema.tables_config: model and primary key. */
void starrocks_rows_config(const struct rows *config, struct arena *arena,
                           struct sr_catalog *catalog);
/*
 * SHOW ALTER TABLE COLUMN of the database, headings by name: which tables a schema change
 * runs on, and whose newest one (by JobId) was cancelled and why, redacted by the peer. A
 * job has a row for each of its indexes (contract starrocks.md 3.6 and 3.7).
 */
void starrocks_rows_alters(const struct rows *jobs, const struct peer *peer,
                           struct arena *arena, struct sr_catalog *catalog);
/* SHOW FULL COLUMNS of one table: what the FE alone knows while no backend is alive. */
void starrocks_rows_show(const struct rows *columns, struct arena *arena,
                         struct sr_table *table);
/* The PRIMARY_KEY text "`a`, `b`" as names. */
void starrocks_rows_key(const char *text, struct arena *arena, struct strlist *out_names);

#endif

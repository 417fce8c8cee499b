/*
 * mysql_rows: what a MySQL or MariaDB server answers about itself and its tables, as
 * structures. Pure: rows in, structures out; strings are copied into `arena`.
 *
 * Dialects (contract verified.md, cluster/README.md): MySQL 8 writes information_schema's
 * headings in upper case, integers without display width, and EXTRA "DEFAULT_GENERATED";
 * MySQL 5.6 has no GENERATION_EXPRESSION; MariaDB quotes string defaults and prints an
 * absent default of a nullable column as the word NULL.
 */
#ifndef DB_MYSQL_ROWS_H
#define DB_MYSQL_ROWS_H

#include "db/rows.h"
#include "db/source.h"
#include "ddl/schema.h"

/* SHOW GLOBAL VARIABLES: Variable_name, Value; missing ones leave "unknown" behind. */
void mysql_rows_server(const struct rows *variables, struct arena *arena,
                       struct mysql_server *out_server);
/* CURRENT_USER()'s "cdc@%" as 'cdc'@'%', which GRANT takes. */
const char *mysql_rows_account(const char *current_user, struct arena *arena);
/* SHOW GRANTS of old servers and MariaDB, SHOW CREATE USER of others: the word behind
 * REQUIRE in the first column, as it is written there; NULL: none, or NONE. */
const char *mysql_rows_require(const struct rows *lines, struct arena *arena);
/* SHOW GRANTS: the first column, credentials after IDENTIFIED replaced by '***'. */
void mysql_rows_grants(const struct rows *grants, struct arena *arena,
                       struct strlist *out_grants);

/*
 * Row of the exact name among those the server's collation let through; names compare
 * without case only where the server itself does (lower_case_table_names not 0) and no
 * exact one is there. SIZE_MAX: none.
 */
size_t mysql_rows_named(const struct rows *rows, const char *heading, const char *name,
                        int64_t lower_case_table_names);
/* information_schema.TABLES, one row; name and database as the server spells them. */
struct mysql_table *mysql_rows_table(const struct rows *tables, size_t row,
                                     struct arena *arena);
/* information_schema.COLUMNS of that table and database, any order. */
void mysql_rows_columns(const struct rows *columns, enum mysql_flavor flavor,
                        struct arena *arena, struct mysql_table *table);
/* information_schema.STATISTICS: the key columns of PRIMARY in key order. */
void mysql_rows_primary_key(const struct rows *statistics, struct arena *arena,
                            struct mysql_table *table);
/*
 * The same of all unique indexes, with SUB_PART and NULLABLE: the table's other keys, by
 * name. Left out are those in which a column may be NULL, counts with its first
 * characters only, or is an expression (COLUMN_NAME is NULL then).
 */
void mysql_rows_unique_keys(const struct rows *statistics, struct arena *arena,
                            struct mysql_table *table);
/* Tables as list_like() returns them: one for each row of information_schema.TABLES, with
 * the columns that are theirs. */
void mysql_rows_list(const struct rows *tables, const struct rows *columns,
                     enum mysql_flavor flavor, struct arena *arena,
                     struct mysql_tables *out_tables);
/* Tables as list_tables() returns them: name, type, row_estimate and, out of
 * information_schema.STATISTICS, the primary key; sorted by name. */
void mysql_rows_list_keys(const struct rows *tables, const struct rows *statistics,
                          struct arena *arena, struct mysql_tables *out_tables);
/* information_schema.SCHEMATA without MySQL's own; sorted. */
void mysql_rows_databases(const struct rows *schemata, struct arena *arena,
                          struct strlist *out_names);
/* information_schema.COLUMNS as "table.column (type)". */
void mysql_rows_column_names(const struct rows *columns, struct arena *arena,
                             struct strlist *out_columns);
/* An unsigned number: -1 when over 2^63-1, `otherwise` when NULL or no number. */
int64_t mysql_rows_unsigned(const char *text, int64_t otherwise);
/*
 * SHOW BINARY LOGS: Log_name, File_size. Lost is a position in a file that is not listed,
 * or behind its end: the log began anew (RESET MASTER). No rows: nothing is known.
 */
void mysql_rows_binlogs(const struct rows *logs, const struct binlog_position *at,
                        struct arena *arena, struct binlog_answer *out_answer);
/* SHOW SLAVE HOSTS / SHOW REPLICAS: Server_id. */
void mysql_rows_replicas(const struct rows *hosts, struct arena *arena,
                         struct strlist *out_ids);

#endif

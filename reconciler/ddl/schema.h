/*
 * schema: what MySQL says about a server and a table. Filled by the db room from
 * information_schema, or read from a JSON file for offline plans. Pure data.
 */
#ifndef DDL_SCHEMA_H
#define DDL_SCHEMA_H

#include "base/arena.h"
#include "base/fault.h"
#include "base/json.h"
#include "base/vec.h"

enum mysql_flavor { MYSQL_ORACLE = 1, MYSQL_MARIADB };

struct mysql_server {
    const char *version; /* "8.0.39", "10.11.6-MariaDB" */
    enum mysql_flavor flavor;
    const char *server_uuid; /* NULL on MariaDB: use host and port */
    uint64_t server_id;
    bool log_bin;
    const char *binlog_format, *binlog_row_image; /* "ROW", "FULL" */
    int64_t binlog_expire_seconds;                /* -1 unknown, 0 = never purged */
    bool gtid;
    int64_t lower_case_table_names;
    const char *current_user; /* 'cdc'@'%' */
    struct strlist grants;    /* SHOW GRANTS lines, passwords removed */
    const char *require; /* what a login must show: "SSL", "X509", ...; NULL: nothing, or
                            unknown */
};

/* 80039 for "8.0.39", 101106 for "10.11.6-MariaDB"; 0: no version. */
int64_t mysql_version_number(const char *version);

struct mysql_column {
    const char *name;
    int64_t ordinal;
    const char *data_type;   /* lower case: "bigint" */
    const char *column_type; /* "bigint(20) unsigned", "enum('a','b')" */
    bool nullable;
    const char *key;                 /* "PRI", "UNI", "MUL", "" */
    const char *default_value;       /* NULL: none or NULL; as the server printed it */
    const char *extra;               /* lower case */
    const char *charset, *collation; /* NULL when not text */
    const char *comment;
    const char *generation_expression; /* NULL when not generated */
    int64_t char_max_length, numeric_precision, numeric_scale,
        datetime_precision; /* -1 */
    /* BIGINT UNSIGNED key columns only: MAX(column), from the source; -1 = over 2^63-1,
     * 0 = empty table or not a key of that type. */
    int64_t key_max;
};

struct mysql_key { /* a UNIQUE index over NOT NULL columns, whole columns only */
    const char *name;
    struct strlist columns;
};

struct mysql_table {
    const char *database, *name;
    const char *type;   /* "BASE TABLE", "VIEW" */
    const char *engine; /* NULL for views */
    const char *comment;
    int64_t row_estimate;              /* -1 unknown */
    int64_t auto_increment;            /* next value; 0 = none; -1 = over 2^63-1 */
    VEC(struct mysql_column) columns;  /* by ordinal */
    struct strlist primary_key;        /* in key order */
    VEC(struct mysql_key) unique_keys; /* without the primary key; by name */
    const char
        *created_at; /* CREATE_TIME as MySQL prints it; NULL unknown. Not in hash */
};

const struct mysql_column *mysql_table_find(const struct mysql_table *table,
                                            const char *column);
/* SHA-256 over everything that matters to replication; "sha256:<64 hex>". */
const char *mysql_table_hash(const struct mysql_table *table, struct arena *arena);

/*
 * Offline form: {"server": {...}, "table": {"database":..,"name":..,"columns":[...],
 * "primaryKey":[...]}}, keys as the fields above in camelCase. Faults name the path.
 */
MUST_CHECK bool mysql_schema_read(const struct json *root, struct arena *arena,
                                  struct mysql_server *out_server,
                                  struct mysql_table *out_table, struct fault *fault);
void mysql_schema_write(const struct mysql_server *server,
                        const struct mysql_table *table, struct json *object);
/*
 * Server settings and grants that CDC needs, for one database; an empty one asks for the
 * server-wide part only (RisingWave 3.0.3 MySqlValidator, plus what
 * it does not check). One fault lists everything that is missing, with the statement or
 * variable to set. Reasons: BinlogOff, BinlogNotRow, RowImageNotFull, MissingGrant.
 */
MUST_CHECK bool mysql_server_check(const struct mysql_server *server,
                                   const char *database, struct fault *fault);

#endif

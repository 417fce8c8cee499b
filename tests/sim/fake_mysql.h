/* fake_mysql: MySQL servers whose tables live: rows come, change and go, and so do
 * columns, keys and whole tables. Part of fake_db.h. */
#ifndef FAKE_MYSQL_H
#define FAKE_MYSQL_H

#include "ddl/schema.h"
#include "ddl/types.h"
#include "fake_rows.h"

#define FAKE_LOG_FILE "mysql-bin.%06lld"

struct fake_db;

struct fake_loss { /* what count_losses() finds */
    const char *column;
    enum loss_kind kind;
    int64_t rows;
};

struct fake_upstream { /* a MySQL table */
    struct mysql_table table;
    int64_t rows; /* data.count, for those who only count */
    int64_t last_version;
    struct fake_rows data;
    VEC(struct fake_loss) losses;
};

struct fake_mysql {
    const char *host;
    bool down, refuses_login;
    const char *password;   /* of its only account; NULL: any but none */
    bool slow;              /* counting takes too long */
    int64_t log, first_log; /* binary logs: the one being written, the oldest there is */
    struct mysql_server server;
    VEC(struct fake_upstream *) tables;
};

/* id BIGINT key, name VARCHAR(80), amount DECIMAL(10,2), created DATETIME, note TEXT. */
void fake_mysql_add_table(struct fake_db *db, struct fake_mysql *mysql,
                          const char *database, const char *name, int64_t rows);
struct fake_upstream *fake_mysql_find(const struct fake_mysql *mysql,
                                      const char *database, const char *name);
void fake_mysql_drop_table(struct fake_mysql *mysql, const struct fake_upstream *table);

/* --- rows: each change passes every CDC table and sink of the table --- */
void fake_mysql_write(struct fake_db *db, struct fake_mysql *mysql, const char *database,
                      const char *name, int64_t rows); /* so many new ones */
/* A row of a key that has none (any more). */
void fake_mysql_insert(struct fake_db *db, struct fake_upstream *table, int64_t key);
void fake_mysql_update(struct fake_db *db, struct fake_upstream *table, int64_t key);
void fake_mysql_delete(struct fake_db *db, struct fake_upstream *table, int64_t key);

/* Deletes all binary logs but a new one: what a source had not read is lost to it, and
 * it says nothing (verified 1). */
void fake_mysql_purge(struct fake_db *db, struct fake_mysql *mysql);

/* --- what RisingWave does not notice (verified 2): another CREATE_TIME, mostly --- */
/* On MariaDB only the counter of AUTO_INCREMENT tells. */
void fake_mysql_truncate(struct fake_db *db, struct fake_upstream *table);
/* An index more, or OPTIMIZE: only the time changes. */
void fake_mysql_rebuild(struct fake_db *db, struct fake_upstream *table);
/* At the end; ordinal, extra and comment are filled in. */
void fake_mysql_add_column(struct fake_db *db, struct fake_upstream *table,
                           struct mysql_column column);
void fake_mysql_drop_column(struct fake_db *db, struct fake_upstream *table,
                            const char *name);
void fake_mysql_rename_column(struct fake_db *db, struct fake_upstream *table,
                              const char *from, const char *to);
/* The column of that name becomes this one. */
void fake_mysql_modify_column(struct fake_db *db, struct fake_upstream *table,
                              struct mysql_column column);
/* PRIMARY KEY (these columns, separated by commas). */
void fake_mysql_set_key(struct fake_db *db, struct fake_upstream *table,
                        const char *columns);
/* RENAME TABLE a TO x, b TO a, x TO b: what online schema changes end with. The tables
 * keep their CREATE_TIME, but on MariaDB get a new one. */
void fake_mysql_swap(struct fake_db *db, struct fake_upstream *a,
                     struct fake_upstream *b);

#endif

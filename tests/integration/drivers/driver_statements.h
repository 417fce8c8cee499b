/* The few statements driver_probe applies, made by the typed builder from a call's JSON.
 */
#ifndef DRIVERS_DRIVER_STATEMENTS_H
#define DRIVERS_DRIVER_STATEMENTS_H

#include "base/json.h"
#include "ddl/stmt.h"

#include <string.h>

struct making {
    const struct json *in;
    struct stmt *stmt;
    struct arena *arena;
    struct fault *fault;
};

static inline struct sv making_text(const struct making *m, const char *key)
{
    return sv_from(json_get_string(m->in, key));
}

static inline bool making_name(const struct making *m, const char *key,
                               enum ident_kind kind)
{
    const struct ident *ident = NULL;

    if (!ident_parse(m->arena, making_text(m, key), stmt_dialect(m->stmt), kind, &ident,
                     m->fault)) {
        return false;
    }
    stmt_ident(m->stmt, ident);
    return true;
}

static inline bool make_schema(const struct making *m)
{
    stmt_text(m->stmt, "CREATE SCHEMA IF NOT EXISTS ");
    return making_name(m, "name", IDENT_SCHEMA);
}

static inline bool make_source(const struct making *m)
{
    stmt_text(m->stmt, "CREATE SOURCE ");
    if (!making_name(m, "schema", IDENT_SCHEMA)) {
        return false;
    }
    stmt_text(m->stmt, ".");
    if (!making_name(m, "name", IDENT_TABLE)) {
        return false;
    }
    stmt_text(m->stmt, " WITH (connector='mysql-cdc', hostname=");
    stmt_str(m->stmt, making_text(m, "sourceHost"));
    stmt_text(m->stmt, ", port=");
    stmt_str(m->stmt, making_text(m, "sourcePort"));
    stmt_text(m->stmt, ", username=");
    stmt_str(m->stmt, making_text(m, "sourceUser"));
    stmt_text(m->stmt, ", password=");
    stmt_str(m->stmt, making_text(m, "sourcePassword"));
    stmt_text(m->stmt, ", database.name=");
    stmt_str(m->stmt, making_text(m, "sourceDatabase"));
    stmt_text(m->stmt, ", server.id='5733', "
                       "debezium.bigint.unsigned.handling.mode='precise', "
                       "debezium.schema.history.internal.skip.unparseable.ddl='true')");
    return true;
}

static inline bool make_database(const struct making *m)
{
    stmt_text(m->stmt, "CREATE DATABASE ");
    return making_name(m, "name", IDENT_DATABASE);
}

static inline bool make_table(const struct making *m)
{
    stmt_text(m->stmt, "CREATE TABLE ");
    if (!making_name(m, "database", IDENT_DATABASE)) {
        return false;
    }
    stmt_text(m->stmt, ".");
    if (!making_name(m, "name", IDENT_TABLE)) {
        return false;
    }
    stmt_text(m->stmt, " (`id` BIGINT NOT NULL, ");
    if (!making_name(m, "column", IDENT_COLUMN)) {
        return false;
    }
    stmt_text(m->stmt, " DECIMAL(10, 2) NULL) PRIMARY KEY (`id`) COMMENT ");
    stmt_str(m->stmt, making_text(m, "comment"));
    stmt_text(m->stmt, " DISTRIBUTED BY HASH (`id`) PROPERTIES ('replication_num' = ");
    stmt_str(m->stmt, making_text(m, "replicas"));
    stmt_text(m->stmt, ")");
    return true;
}

/* "ALTER TABLE outer.name ", for either server. */
static inline bool make_alter(const struct making *m)
{
    bool stream = stmt_dialect(m->stmt) == SQL_RISINGWAVE;

    stmt_text(m->stmt, "ALTER TABLE ");
    if (!making_name(m, stream ? "schema" : "database",
                     stream ? IDENT_SCHEMA : IDENT_DATABASE)) {
        return false;
    }
    stmt_text(m->stmt, ".");
    return making_name(m, "name", IDENT_TABLE);
}

static inline bool make_add_column(const struct making *m)
{
    if (!make_alter(m)) {
        return false;
    }
    stmt_text(m->stmt, " ADD COLUMN ");
    if (!making_name(m, "column", IDENT_COLUMN)) {
        return false;
    }
    if (stmt_dialect(m->stmt) == SQL_RISINGWAVE) {
        stmt_text(m->stmt, " CHARACTER VARYING");
    } else {
        stmt_text(m->stmt, " VARCHAR(64) NULL DEFAULT 'x'");
    }
    return true;
}

static inline bool make_drop_column(const struct making *m)
{
    if (!make_alter(m)) {
        return false;
    }
    stmt_text(m->stmt, " DROP COLUMN ");
    return making_name(m, "column", IDENT_COLUMN);
}

static inline bool make_widen_column(const struct making *m)
{
    if (!make_alter(m)) {
        return false;
    }
    stmt_text(m->stmt, " MODIFY COLUMN ");
    if (!making_name(m, "column", IDENT_COLUMN)) {
        return false;
    }
    stmt_text(m->stmt, " VARCHAR(");
    stmt_int(m->stmt, json_path_int(m->in, "bytes", 128));
    stmt_text(m->stmt, ") NULL DEFAULT 'x'");
    return true;
}

static inline bool make_comment(const struct making *m)
{
    if (!make_alter(m)) {
        return false;
    }
    stmt_text(m->stmt, " COMMENT = ");
    stmt_str(m->stmt, making_text(m, "comment"));
    return true;
}

static inline bool make_statement(const struct making *m)
{
    static const struct {
        const char *op;
        bool (*make)(const struct making *m);
    } makers[] = {{"createSchema", make_schema},      {"createSource", make_source},
                  {"createDatabase", make_database},  {"createTable", make_table},
                  {"addColumn", make_add_column},     {"dropColumn", make_drop_column},
                  {"widenColumn", make_widen_column}, {"commentTable", make_comment}};
    const char *op = json_get_string(m->in, "op");

    for (size_t i = 0; op != NULL && i < COUNT_OF(makers); i++) {
        if (strcmp(makers[i].op, op) == 0) {
            return makers[i].make(m);
        }
    }
    return fault_set(m->fault, FAULT_BUG, NULL, "no such statement");
}

#endif

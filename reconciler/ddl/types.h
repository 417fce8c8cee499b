/*
 * types: the type table. One row per MySQL type and attribute (types.def): RisingWave
 * column type, expression in the sink's SELECT, StarRocks type, as key or not.
 * Sources: contract starrocks.md 2.5, risingwave.md 3, verified.md "Types accepted end to
 * end" (each row was seen on real servers).
 */
#ifndef DDL_TYPES_H
#define DDL_TYPES_H

#include "ddl/schema.h"
#include "ddl/stmt.h"

enum rw_type {
    RW_UNSET = 0,
    RW_BOOLEAN,
    RW_SMALLINT,
    RW_INTEGER,
    RW_BIGINT,
    RW_DECIMAL,
    RW_REAL,
    RW_DOUBLE,
    RW_VARCHAR,
    RW_DATE,
    RW_TIME,
    RW_TIMESTAMP,
    RW_TIMESTAMPTZ,
    RW_BYTEA,
    RW_JSONB,
    RW_TYPE_MAX
};

/* How the sink's SELECT turns the RisingWave column into what StarRocks takes. */
enum sink_expr {
    SINK_PASS = 1,     /* "c" */
    SINK_CAST_BIGINT,  /* "c"::BIGINT */
    SINK_CAST_VARCHAR, /* "c"::VARCHAR */
    SINK_CAST_JSONB,   /* "c"::JSONB */
    SINK_AT_UTC,       /* "c" AT TIME ZONE 'UTC' */
    SINK_HEX,          /* encode("c", 'hex') */
    SINK_EXPR_MAX
};

enum sr_kind {
    SR_UNSET = 0,
    SR_BOOLEAN,
    SR_SMALLINT,
    SR_INT,
    SR_BIGINT,
    SR_DECIMAL,
    SR_FLOAT,
    SR_DOUBLE,
    SR_VARCHAR,
    SR_DATE,
    SR_DATETIME,
    SR_JSON,
    SR_KIND_MAX
};

struct sr_type {
    enum sr_kind kind;
    int64_t length;           /* VARCHAR: bytes */
    int64_t precision, scale; /* DECIMAL */
};

struct column_map {
    const struct mysql_column *source;
    enum rw_type rw;
    enum sink_expr expr;
    struct sr_type sr;
    bool key;
    const char *note; /* what may be lost or capped; NULL: nothing */
};

/*
 * Maps one column. FAULT_REFUSED "UnsupportedType" (or "UnsupportedKey") names column,
 * its COLUMN_TYPE, why, and the way out.
 */
MUST_CHECK bool types_map(const struct mysql_column *column, bool key,
                          struct arena *arena, struct column_map *out_map,
                          struct fault *fault);

const char *rw_type_name(enum rw_type type); /* "BIGINT" as written in CREATE TABLE */
const char *rw_type_catalog(
    enum rw_type type); /* "bigint" as rw_columns.data_type says */
void types_stmt_rw(struct stmt *s, enum rw_type type);
void types_stmt_sr(struct stmt *s, const struct sr_type *type);
/* The text information_schema.columns.COLUMN_TYPE shows: "decimal(10, 2)". */
const char *sr_type_catalog(const struct sr_type *type, struct arena *arena);
/* Compares in a normal form (blanks, case, boolean = tinyint(1), display widths). */
bool sr_type_same(const struct sr_type *type, struct sv column_type);
/* The same, or wide enough for every value of `type`: a longer VARCHAR, more digits. */
bool sr_type_holds(const struct sr_type *type, struct sv column_type);

/* The rows for `tablesync types` and the README. */
struct type_row {
    const char *mysql, *rw, *expr, *starrocks, *as_key, *note;
};
const struct type_row *types_rows(size_t *out_count);

#endif

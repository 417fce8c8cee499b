/*
 * types: the type table. One row per MySQL type and attribute (types.def): RisingWave
 * column type, expression in the sink's SELECT, StarRocks type, as key or not.
 * Sources: contract starrocks.md 2.5, risingwave.md 3, verified.md "Types accepted end to
 * end" (each row was seen on real servers).
 */
#ifndef DDL_TYPES_H
#define DDL_TYPES_H

#include "ddl/schema.h"
#include "ddl/sr_type.h"
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
    SINK_CUSTOM,       /* column_map.custom: an override's expression */
    SINK_EXPR_MAX
};

/* What the pipeline would change without a word (verified 4-6); the source can be asked
 * how many rows it concerns. */
enum loss_kind {
    LOSS_NONE = 0,
    LOSS_TIME_RANGE, /* below 0 or from 24 h on: NULL */
    LOSS_DIGITS,     /* more than 28 digits: NULL */
    LOSS_ZERO_DATE,  /* zero dates, zero months and days: NULL */
    LOSS_LENGTH,     /* longer than the target column can be: stops the sink */
    LOSS_BOOLEAN,    /* other numbers than 0 and 1 in a column delivered as BOOLEAN */
    LOSS_KIND_MAX
};

struct expr;

struct column_map {
    const struct mysql_column *source; /* NULL: a kept column that MySQL no longer has */
    enum rw_type rw;                   /* of the CDC column */
    enum sink_expr expr;
    const struct expr *custom; /* with SINK_CUSTOM */
    enum rw_type delivered;    /* what the sink's own type check sees */
    struct sr_type sr;
    bool key;                  /* of the target */
    const char *default_value; /* of the StarRocks column, unquoted; NULL: none */
    enum loss_kind loss;
    int64_t loss_limit; /* LOSS_LENGTH: bytes of the MySQL value that still fit */
    const char *note;   /* what may be lost or capped; NULL: nothing */
};

/* What spec.columns says about all columns, and what the servers can hold. */
struct types_options {
    enum mysql_flavor flavor;    /* decides how defaults are spelled */
    const char *mysql_version;   /* "8.0.39", "10.11.6-MariaDB" */
    int64_t bytes_per_character; /* 0 = by character set */
    bool to_string; /* UNSUPPORTED_TO_STRING: text where there is no faithful type */
    const char *rw_version;        /* "3.0.3"; NULL: that */
    const char *starrocks_version; /* "4.1.0-..."; NULL: 4.1 */
};

/*
 * Maps one column. FAULT_REFUSED "UnsupportedType" (or "UnsupportedKey") names column,
 * its COLUMN_TYPE, why, and the way out.
 */
MUST_CHECK bool types_map(const struct mysql_column *column, bool key,
                          const struct types_options *options, struct arena *arena,
                          struct column_map *out_map, struct fault *fault);
/*
 * How a column that MySQL dropped goes on being delivered: from what the CDC table and
 * the target hold. false: the pair fits no row of the table (an override once made it).
 */
bool types_map_kept(enum rw_type rw, struct sv column_type, struct column_map *out_map);
/*
 * What RisingWave's StarRocks sink says about delivering `type` into a column whose
 * COLUMN_TYPE is `column_type`: its own check, by substring (RisingWave 3.0.3
 * starrocks.rs check_and_correct_column_type; timestamptz passes from 3.1 on). NULL: it
 * accepts; else its reason in words.
 */
const char *types_sink_refusal(enum rw_type type, struct sv column_type,
                               const char *rw_version);
enum rw_type rw_type_of_catalog(struct sv data_type); /* RW_UNSET: unknown */

const char *rw_type_name(enum rw_type type); /* "BIGINT" as written in CREATE TABLE */
const char *rw_type_catalog(
    enum rw_type type); /* "bigint" as rw_columns.data_type says */
void types_stmt_rw(struct stmt *s, enum rw_type type);
/* The rows for `tablesync types` and the README. */
struct type_row {
    const char *mysql, *rw, *expr, *starrocks, *as_key, *note;
};
const struct type_row *types_rows(size_t *out_count);

#endif

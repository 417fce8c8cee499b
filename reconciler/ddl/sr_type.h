/*
 * sr_type: StarRocks' column types: as statements write them, as its catalog shows them,
 * and which of them can become which.
 */
#ifndef DDL_SR_TYPE_H
#define DDL_SR_TYPE_H

#include "ddl/stmt.h"

enum sr_kind {
    SR_UNSET = 0,
    SR_BOOLEAN,
    SR_TINYINT, /* only by override or in tables of others, as is LARGEINT */
    SR_SMALLINT,
    SR_INT,
    SR_BIGINT,
    SR_LARGEINT,
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

/*
 * An override's targetType: BOOLEAN, TINYINT, SMALLINT, INT, BIGINT, LARGEINT, FLOAT,
 * DOUBLE, DECIMAL(p,s), VARCHAR(n), STRING, DATE, DATETIME, JSON; any case and blanks.
 * FAULT_REFUSED "InvalidOverride" names the text and what is allowed.
 */
MUST_CHECK bool sr_type_parse(struct sv text, struct sr_type *out_type,
                              struct fault *fault);
/* A COLUMN_TYPE of StarRocks' catalog, in its normal form; false: no type we know. */
bool sr_type_of_catalog(struct sv column_type, struct sr_type *out_type);
/* Whether StarRocks' MODIFY COLUMN takes `from` to `to` on a value column
 * (starrocks.md 3.4, SchemaChangeTypeCompatibility.java). The same type: true. */
bool sr_type_can_become(const struct sr_type *from, const struct sr_type *to);

/* The text information_schema.columns.COLUMN_TYPE shows: "decimal(10, 2)". */
const char *sr_type_catalog(const struct sr_type *type, struct arena *arena);
/* Compares in a normal form (blanks, case, boolean = tinyint(1), display widths). */
bool sr_type_same(const struct sr_type *type, struct sv column_type);
/* The same, or wide enough for every value of `type`: a longer VARCHAR, more digits. */
bool sr_type_holds(const struct sr_type *type, struct sv column_type);

void types_stmt_sr(struct stmt *s, const struct sr_type *type);

#endif

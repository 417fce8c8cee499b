/*
 * partition: spec.target.partitionBy, parsed. A small grammar, written again part by
 * part:
 *
 *   column {"," column}
 *   | date_trunc('unit', column)                  of a DATE or a DATETIME
 *   | time_slice(column, INTERVAL n unit)         of a DATETIME
 *   unit := hour | day | month | year             hour only of a DATETIME
 *
 * where every column is a key column of the target, by its name there, in double or back
 * quotes or in none (StarRocks: partition columns must be part of the primary key).
 */
#ifndef DDL_PARTITION_H
#define DDL_PARTITION_H

#include "base/vec.h"
#include "ddl/types.h"

#define PARTITION_BYTES_MAX ((size_t)1024)
#define PARTITION_SLICE_MAX ((int64_t)1000)

enum partition_kind {
    PARTITION_NONE = 0,
    PARTITION_COLUMNS,
    PARTITION_TRUNC,
    PARTITION_SLICE
};

struct partition {
    enum partition_kind kind;
    VEC(const struct ident *) columns;
    const char *unit; /* one of a fixed list: "day" */
    int64_t count;    /* PARTITION_SLICE */
};

/* A column of the target. */
struct partition_column {
    const struct ident *ident; /* StarRocks' */
    enum sr_kind kind;
    bool key;
};

/* An empty text: PARTITION_NONE. FAULT_REFUSED "InvalidColumns" quotes the rule. */
MUST_CHECK bool partition_parse(const char *text, const struct partition_column *columns,
                                size_t count, struct arena *arena,
                                struct partition *out_partition, struct fault *fault);
/* " PARTITION BY ..."; nothing for PARTITION_NONE. */
void partition_write(struct stmt *s, const struct partition *partition);

#endif

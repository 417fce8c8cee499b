/* types_parts: what the files of the type table share; nobody else includes it. */
#ifndef DDL_TYPES_PARTS_H
#define DDL_TYPES_PARTS_H

#include "ddl/default.h"
#include "ddl/types.h"

#define TYPES_VARCHAR_MAX                                                                \
    ((int64_t)1048576) /* FE max_varchar_length (starrocks.md 2.2) */
/* RisingWave's 96-bit mantissa (risingwave.md 3.3) */
#define TYPES_RW_DIGITS ((int64_t)28)
#define RW_VERSION_ASSUMED "3.0.3"
#define TYPES_DECIMAL_EXTRA                                                              \
    ((int64_t)3) /* sign, point, the zero in front of the point                          \
                  */

enum type_attribute {
    ATTRIBUTE_ANY,
    ATTRIBUTE_SIGNED,
    ATTRIBUTE_UNSIGNED,
    ATTRIBUTE_ONE,
    ATTRIBUTE_MANY
};
enum type_rule {
    RULE_NONE,
    RULE_FIXED,
    RULE_DECIMAL,
    RULE_CHARS,
    RULE_TEXT,
    RULE_ENUM,
    RULE_HEX,
    RULE_HEX_BITS
};
enum type_key_rule {
    KEY_SAME,
    KEY_BIGINT_UNSIGNED,
    KEY_DECIMAL,
    KEY_NEVER_FLOAT,
    KEY_NEVER_TEXT,
    KEY_NEVER_JSON,
    KEY_NEVER_BYTES
};

struct type_def { /* one TYPE of types.def */
    const char *data_type, *note;
    int64_t limit;
    enum type_attribute attribute;
    enum rw_type rw;
    enum sink_expr expr;
    enum sr_kind kind;
    enum type_rule rule;
    enum type_key_rule key;
};
const struct type_def *types_defs(size_t *out_count);

/* What types_map works on. */
struct type_job {
    const struct mysql_column *column;
    const struct types_options *options;
    const struct type_def *def;
    struct arena *arena;
    bool key;
};

/* COLUMN_TYPE for a sentence, cut when long. */
const char *types_shown(const struct type_job *job);
/* Always false. The sentence ends with the ways out that are left. */
bool types_refuse(const struct type_job *job, const char *why, struct fault *fault);
/* The number in "name(12,...)", at most 2^32; -1: there is none. */
int64_t types_argument(const struct mysql_column *column, size_t index);
/* `known` from the catalog, else the argument; -1: neither. At most 2^32. */
int64_t types_known(int64_t known, const struct mysql_column *column, size_t index);

/* The StarRocks type's length or digits, what of the value may be lost, and the note. */
MUST_CHECK bool types_size(const struct type_job *job, struct column_map *map,
                           struct fault *fault);
/* What is different when the column is part of the key. */
MUST_CHECK bool types_key(const struct type_job *job, struct column_map *map,
                          struct fault *fault);

/*
 * The DEFAULT of the StarRocks column, to be written as a quoted literal; NULL: none.
 * RisingWave writes every column of every row, so no row depends on it: where StarRocks
 * might refuse one or read it differently, there is none. `map` is complete but for it.
 */
const char *types_default(const struct column_default *value,
                          const struct column_map *map, struct arena *arena);

/* What a sink expression makes of a type; RW_UNSET for SINK_CUSTOM. */
enum rw_type types_delivered(enum rw_type type, enum sink_expr expr);
/* Whether "4.1.0-9a3c5d1" is 4.0.0 or later; a text without a version counts as later. */
bool types_version_from(const char *version, int64_t major, int64_t minor, int64_t patch);

#endif

/* What is different about a column that is part of the key (starrocks.md 1.4). */
#include "ddl/types_parts.h"

#define BIGINT_UNSIGNED_DIGITS ((int64_t)20)

static bool refuse_key(const struct type_job *job, const char *why, struct fault *fault)
{
    return fault_set(
        fault, FAULT_REFUSED, "UnsupportedKey",
        "primary key column '%s' of type %s cannot be used as a key: %s; use a "
        "primary key of integer, date or short text columns",
        job->column->name, types_shown(job), why);
}

static bool key_decimal(const struct type_job *job, struct column_map *map,
                        struct fault *fault)
{
    int64_t precision = map->sr.precision;

    if (precision > TYPES_RW_DIGITS) {
        return refuse_key(job,
                          "RisingWave keeps 28 digits, and rows with longer keys would "
                          "be merged into one",
                          fault);
    }
    map->expr = SINK_CAST_VARCHAR;
    map->sr =
        (struct sr_type){.kind = SR_VARCHAR, .length = precision + TYPES_DECIMAL_EXTRA};
    map->note = "the key is text in StarRocks, which has no decimal keys";
    return true;
}

static void key_bigint_unsigned(const struct type_job *job, struct column_map *map)
{
    if (job->column->key_max != -1) {
        map->expr = SINK_CAST_BIGINT;
        map->sr = (struct sr_type){.kind = SR_BIGINT};
        map->note = "a key over 9223372036854775807 added later cannot be delivered";
        return;
    }
    map->expr = SINK_CAST_VARCHAR;
    map->sr = (struct sr_type){.kind = SR_VARCHAR, .length = BIGINT_UNSIGNED_DIGITS};
    map->note = "the key is text in StarRocks: it holds values over 9223372036854775807";
}

bool types_key(const struct type_job *job, struct column_map *map, struct fault *fault)
{
    switch (job->def->key) {
    case KEY_SAME:
        return true;
    case KEY_BIGINT_UNSIGNED:
        key_bigint_unsigned(job, map);
        return true;
    case KEY_DECIMAL:
        return key_decimal(job, map, fault);
    case KEY_NEVER_FLOAT:
        return refuse_key(job, "StarRocks has no floating point keys", fault);
    case KEY_NEVER_TEXT:
        return refuse_key(job, "only a prefix of it is unique in MySQL", fault);
    case KEY_NEVER_JSON:
        return refuse_key(job, "StarRocks has no JSON keys", fault);
    case KEY_NEVER_BYTES:
        return refuse_key(job, "RisingWave cannot page through a binary key", fault);
    }
    return true;
}

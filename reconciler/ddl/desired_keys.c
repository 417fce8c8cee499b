/* What follows from the key columns and from names: warnings, distribution, partitions.
 */
#include "ddl/desired_private.h"

#include <string.h>

#define KEY_BYTES_MAX ((int64_t)128) /* BE primary_key_limit_size (starrocks.md 1.5) */
#define BUCKETS_MAX ((int64_t)1024)  /* FE max_bucket_number_per_partition (1.3) */

#define INVALID(fault, ...)                                                              \
    fault_set((fault), FAULT_REFUSED, "InvalidColumns", __VA_ARGS__)

bool desired_is_plain(const char *name, const char *more)
{
    for (const char *c = name; *c != '\0'; c++) {
        bool letter = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z');
        if (!letter && (*c < '0' || *c > '9') && strchr(more, *c) == NULL) {
            return false;
        }
    }
    return true;
}

static int64_t varchar_bytes(const struct column_map *map)
{
    const struct mysql_column *source = map->source;

    /* An ENUM's column is wider than its labels, whose length MySQL tells. */
    if (source != NULL && sv_eq_nocase(sv_from(source->data_type), SV("enum")) &&
        source->char_max_length >= 0 && 4 * source->char_max_length < map->sr.length) {
        return 4 * source->char_max_length;
    }
    return map->sr.length;
}

static int64_t key_column_bytes(const struct column_map *map)
{
    switch (map->sr.kind) {
    case SR_BOOLEAN:
    case SR_TINYINT:
        return 1;
    case SR_SMALLINT:
        return 2;
    case SR_INT:
    case SR_DATE:
        return 4;
    case SR_BIGINT:
    case SR_DATETIME:
        return 8;
    case SR_LARGEINT:
        return 16;
    case SR_VARCHAR:
        return varchar_bytes(map);
    case SR_DECIMAL:
    case SR_FLOAT:
    case SR_DOUBLE:
    case SR_JSON:
    case SR_UNSET:
    case SR_KIND_MAX:
        break;
    }
    return 0;
}

static void note(struct desired *d, struct arena *arena, const char *text)
{
    VEC_PUSH(arena, &d->notes, text);
}

void desired_note_keys(struct desired *d, struct arena *arena)
{
    int64_t bytes = 0;

    for (size_t i = 0; i < d->key_count; i++) {
        const struct column_map *map = &d->columns.v[i];
        bool last = i + 1 == d->key_count;
        bytes += key_column_bytes(map) + (map->sr.kind == SR_VARCHAR && !last ? 2 : 0);
    }
    for (size_t i = 0; i < d->cdc_key_count; i++) {
        const char *name = d->cdc.v[i].source->name;
        if (!desired_is_plain(name, "_")) {
            note(d, arena,
                 arena_printf(arena,
                              "key column '%s': with other characters than letters, "
                              "digits and underscore it is not proven that RisingWave "
                              "can page through more than one batch of rows",
                              name));
        }
    }
    if (bytes > KEY_BYTES_MAX) {
        note(d, arena,
             arena_printf(arena,
                          "primary key: StarRocks stores at most %lld bytes of key per "
                          "row, and these columns may take %lld; a longer key stops the "
                          "sink",
                          (long long)KEY_BYTES_MAX, (long long)bytes));
    }
}

static bool is_ascii(struct sv text)
{
    for (size_t i = 0; i < text.n; i++) {
        if ((unsigned char)text.p[i] >= 0x80) {
            return false;
        }
    }
    return true;
}

/* Table and columns travel in HTTP headers; nobody has seen others than ASCII arrive in
 * real backends (starrocks.md 7.3: refuse or warn). */
void desired_note_names(struct desired *d, struct arena *arena)
{
    static const char unproven[] =
        "a name outside ASCII is not proven in StarRocks' loads; "
        "watch the first rows arrive";

    if (!is_ascii(ident_name(d->target_table))) {
        note(d, arena, arena_printf(arena, "target table: %s", unproven));
    }
    for (size_t i = 0; i < d->columns.n; i++) {
        struct sv name = ident_name(d->sr_columns.v[i]);
        if (!is_ascii(name)) {
            note(d, arena,
                 arena_printf(arena, "column '%.*s': %s", SV_ARGS(name), unproven));
        }
    }
}

static bool add_distribution(struct desired *d, const char *name, struct arena *arena,
                             struct fault *fault)
{
    for (size_t i = 0; i < d->columns.n; i++) {
        const struct ident *ident = d->sr_columns.v[i];
        if (!sv_eq_nocase(sv_from(name), ident_name(ident))) {
            continue;
        }
        if (i >= d->key_count) {
            return INVALID(fault,
                           "spec.target.distributedBy: StarRocks says 'Distribution "
                           "column[%s] is not key column': name columns of the target's "
                           "key",
                           name);
        }
        for (size_t k = 0; k < d->distribution.n; k++) {
            if (d->distribution.v[k] == ident) {
                return INVALID(fault, "spec.target.distributedBy names '%s' twice", name);
            }
        }
        VEC_PUSH(arena, &d->distribution, ident);
        return true;
    }
    return INVALID(fault,
                   "spec.target.distributedBy: StarRocks says 'Distribution column(%s) "
                   "doesn't exist.': name columns of the target's key, as they are "
                   "called in the target",
                   name);
}

static bool add_partition(struct desired *d, struct arena *arena, struct fault *fault)
{
    VEC(struct partition_column) columns = {0};

    for (size_t i = 0; i < d->columns.n; i++) {
        struct partition_column column = {d->sr_columns.v[i], d->columns.v[i].sr.kind,
                                          i < d->key_count};
        VEC_PUSH(arena, &columns, column);
    }
    if (!partition_parse(d->in.sync->partition_by, columns.v, columns.n, arena,
                         &d->partition, fault)) {
        return false;
    }
    if (d->partition.kind != PARTITION_NONE && d->in.sync->buckets > BUCKETS_MAX) {
        return INVALID(fault,
                       "spec.target.buckets is %lld with partitionBy; StarRocks (5510): "
                       "the number of buckets is too large, the maximum is %lld: write a "
                       "smaller number or 0",
                       (long long)d->in.sync->buckets, (long long)BUCKETS_MAX);
    }
    return true;
}

bool desired_distribute(struct desired *d, struct arena *arena, struct fault *fault)
{
    const struct strlist *names = &d->in.sync->distributed_by;

    for (size_t i = 0; names->n == 0 && i < d->key_count; i++) {
        VEC_PUSH(arena, &d->distribution, d->sr_columns.v[i]);
    }
    for (size_t i = 0; i < names->n; i++) {
        if (!add_distribution(d, names->v[i], arena, fault)) {
            return false;
        }
    }
    return add_partition(d, arena, fault);
}

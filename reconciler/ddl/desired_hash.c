/* What objects look like, in twelve characters. */
#include "base/hash.h"
#include "ddl/desired.h"
#include "ddl/expr.h"

#include <stdlib.h>
#include <string.h>

#define HASH_CHARS 12

static void add_ident(struct hash *h, const struct ident *ident)
{
    hash_addz(h, ident == NULL ? "none" : "ident");
    hash_add(h, ident == NULL ? SV_NULL : ident_name(ident));
}

/* One line of the sink's SELECT. */
static void add_selected(struct hash *h, const struct desired *d, size_t i,
                         struct arena *arena)
{
    const struct column_map *map = &d->columns.v[i];

    add_ident(h, d->rw_columns.v[i]);
    hash_add_int(h, map->expr);
    hash_addz(h, map->custom == NULL ? NULL : expr_text(map->custom, arena));
    add_ident(h, d->aliases.v[i]);
}

static const char *finish(struct hash *h, struct arena *arena)
{
    char hex[HASH_HEX_SIZE];

    hash_finish(h, hex);
    return arena_printf(arena, "%.*s", HASH_CHARS, hex);
}

static void add_target(struct hash *h, const struct desired *d)
{
    const struct tablesync *sync = d->in.sync;

    add_ident(h, d->target_database);
    add_ident(h, d->target_table);
    hash_add_int(h, (int64_t)d->distribution.n);
    for (size_t i = 0; i < d->distribution.n; i++) {
        add_ident(h, d->distribution.v[i]);
    }
    hash_add_int(h, sync->buckets);
    hash_add_int(h, d->partition.kind);
    hash_addz(h, d->partition.unit);
    hash_add_int(h, d->partition.count);
    hash_add_int(h, (int64_t)d->partition.columns.n);
    for (size_t i = 0; i < d->partition.columns.n; i++) {
        add_ident(h, d->partition.columns.v[i]);
    }
    hash_add_int(h, (int64_t)sync->properties.n);
    for (size_t i = 0; i < sync->properties.n; i++) {
        hash_addz(h, sync->properties.v[i].key);
        hash_addz(h, sync->properties.v[i].value);
    }
}

void desired_hash(struct desired *desired, struct arena *arena)
{
    AUTO(hash_freep) struct hash *h = hash_new();
    const struct desired *d = desired;

    hash_addz(h, "desired");
    hash_addz(h, d->in.table->database);
    hash_addz(h, d->in.table->name);
    add_target(h, d);
    hash_add_int(h, (int64_t)d->cdc_key_count);
    hash_add_int(h, (int64_t)d->cdc.n);
    for (size_t i = 0; i < d->cdc.n; i++) {
        add_ident(h, d->cdc.v[i].name);
        hash_add_int(h, d->cdc.v[i].type);
    }
    hash_add_int(h, (int64_t)d->key_count);
    hash_add_int(h, (int64_t)d->columns.n);
    for (size_t i = 0; i < d->columns.n; i++) {
        add_selected(h, d, i, arena);
        hash_addz(h, sr_type_catalog(&d->columns.v[i].sr, arena));
        hash_addz(h, d->columns.v[i].default_value);
    }
    hash_add_int(h, (int64_t)d->skipped.n);
    for (size_t i = 0; i < d->skipped.n; i++) {
        hash_addz(h, d->skipped.v[i]);
    }
    desired->hash = finish(h, arena);
}

struct selected {
    const char *alias;
    size_t index;
};

static int by_alias(const void *a, const void *b)
{
    const struct selected *x = a, *y = b;

    return strcmp(x->alias, y->alias);
}

/* Which columns, not in which order: a column that moves, or that is kept behind the
 * others, needs no other sink. */
static void add_select(struct hash *h, const struct desired *d, struct arena *arena)
{
    VEC(struct selected) list = {0};

    for (size_t i = 0; i < d->columns.n; i++) {
        VEC_PUSH(arena, &list,
                 (struct selected){arena_copy(arena, ident_name(d->aliases.v[i])), i});
    }
    if (list.n > d->key_count) {
        qsort(list.v + d->key_count, list.n - d->key_count, sizeof(*list.v), by_alias);
    }
    for (size_t i = 0; i < list.n; i++) {
        add_selected(h, d, list.v[i].index, arena);
    }
}

const char *desired_sink_hash(const struct desired *desired, int64_t table_version,
                              struct arena *arena)
{
    AUTO(hash_freep) struct hash *h = hash_new();
    const struct desired *d = desired;

    hash_addz(h, "sink");
    add_ident(h, d->rw_schema);
    add_ident(h, d->table_name);
    hash_add_int(h, table_version);
    add_ident(h, d->target_database);
    add_ident(h, d->target_table);
    hash_add_int(h, d->in.sync->partial_update ? 1 : 0);
    hash_add_int(h, (int64_t)d->key_count);
    hash_add_int(h, d->in.sync->max_batch_bytes); /* cannot be altered (verified 38) */
    add_select(h, d, arena);
    return finish(h, arena);
}

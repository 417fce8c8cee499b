#include "ddl/schema.h"

#include "base/hash.h"

#include <string.h>

/* Takes a leading number and the dot behind it. */
static int64_t take_number(struct sv *text)
{
    struct sv part = sv_cut(text, '.');
    size_t digits = 0;
    int64_t value = 0;

    while (digits < part.n && part.p[digits] >= '0' && part.p[digits] <= '9') {
        digits++;
    }
    (void)sv_int64(sv_sub(part, 0, digits), &value);
    return value < 100 ? value : 99;
}

int64_t mysql_version_number(const char *version)
{
    struct sv rest = sv_from(version);
    int64_t major = take_number(&rest);
    int64_t minor = take_number(&rest);

    return major * 10000 + minor * 100 + take_number(&rest);
}

const struct mysql_column *mysql_table_find(const struct mysql_table *table,
                                            const char *column)
{
    for (size_t i = 0; i < table->columns.n; i++) {
        /* MySQL compares column names without case. */
        if (sv_eq_nocase(sv_from(table->columns.v[i].name), sv_from(column))) {
            return &table->columns.v[i];
        }
    }
    return NULL;
}

/*
 * Display widths of integers went away in MySQL 8.0.19; an upgrade of the server must not
 * look like a change of the table.
 */
static void hash_type(struct hash *h, const struct mysql_column *column)
{
    static const char *const with_width[] = {"tinyint", "smallint", "mediumint",
                                             "int",     "bigint",   "year"};
    struct sv column_type = sv_from(column->column_type);

    for (size_t i = 0; i < COUNT_OF(with_width); i++) {
        if (sv_eq_nocase(sv_from(column->data_type), sv_from(with_width[i]))) {
            hash_addz(h, with_width[i]);
            hash_add_int(h, sv_find_nocase(column_type, SV("unsigned")) != SIZE_MAX);
            return;
        }
    }
    hash_add(h, column_type);
}

const char *mysql_table_hash(const struct mysql_table *table, struct arena *arena)
{
    AUTO(hash_freep) struct hash *h = hash_new();
    char hex[HASH_HEX_SIZE];

    hash_addz(h, table->database);
    hash_addz(h, table->name);
    hash_addz(h, table->type);
    hash_add_int(h, (int64_t)table->columns.n);
    for (size_t i = 0; i < table->columns.n; i++) {
        const struct mysql_column *column = &table->columns.v[i];
        bool is_virtual =
            sv_find_nocase(sv_from(column->extra), SV("virtual")) != SIZE_MAX;

        hash_addz(h, column->name);
        hash_type(h, column);
        hash_add_int(h, column->nullable);
        hash_addz(h, column->charset);
        hash_add_int(h, is_virtual);
    }
    hash_add_int(h, (int64_t)table->primary_key.n);
    for (size_t i = 0; i < table->primary_key.n; i++) {
        hash_addz(h, table->primary_key.v[i]);
    }
    hash_finish(h, hex);
    return arena_printf(arena, "sha256:%s", hex);
}

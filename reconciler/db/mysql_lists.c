/* mysql_lists: the part of mysql_rows.h that lists much and details little. */
#include "base/map.h"
#include "db/mysql_rows.h"

#include <stdlib.h>

static int by_text(const void *a, const void *b)
{
    return sv_cmp(sv_from(*(const char *const *)a), sv_from(*(const char *const *)b));
}

void mysql_rows_databases(const struct rows *schemata, struct arena *arena,
                          struct strlist *out_names)
{
    static const char *const own[] = {"information_schema", "mysql", "performance_schema",
                                      "sys"};

    for (size_t i = 0; i < rows_count(schemata); i++) {
        const char *name = rows_text(schemata, i, "SCHEMA_NAME");
        bool ours = true;
        for (size_t k = 0; k < COUNT_OF(own); k++) {
            ours = ours && !sv_eq_nocase(sv_from(name), sv_from(own[k]));
        }
        if (ours) {
            VEC_PUSH(arena, out_names, arena_strdup(arena, name));
        }
    }
    if (out_names->n > 1) {
        qsort(out_names->v, out_names->n, sizeof(*out_names->v), by_text);
    }
}

static int by_name(const void *a, const void *b)
{
    const struct mysql_table *left = a;
    const struct mysql_table *right = b;

    return sv_cmp(sv_from(left->name), sv_from(right->name));
}

struct key_part {
    size_t row;
    struct sv table;
    int64_t place;
};

static int by_table_and_place(const void *a, const void *b)
{
    const struct key_part *left = a;
    const struct key_part *right = b;
    int tables = sv_cmp(left->table, right->table);

    return tables != 0 ? tables
                       : (left->place > right->place) - (left->place < right->place);
}

/* Both lists may hold as many rows as an answer may: they are sorted and indexed, never
 * searched one in the other. */
static void add_keys(const struct rows *statistics, struct arena *arena,
                     struct mysql_tables *list)
{
    AUTO(map_freep) struct map *index = map_new(0);
    size_t count = rows_count(statistics);
    struct key_part *parts = arena_alloc_array(arena, count, sizeof(*parts));

    for (VEC_EACH(struct mysql_table, table, &list->tables)) {
        (void)map_put(index, sv_from(table->name), table);
    }
    for (size_t i = 0; i < count; i++) {
        parts[i] = (struct key_part){i, sv_from(rows_text(statistics, i, "TABLE_NAME")),
                                     rows_int(statistics, i, "SEQ_IN_INDEX", 0)};
    }
    if (count > 1) {
        qsort(parts, count, sizeof(*parts), by_table_and_place);
    }
    for (size_t i = 0; i < count; i++) {
        struct mysql_table *table = map_find(index, parts[i].table);
        const char *column = rows_get(statistics, parts[i].row, "COLUMN_NAME");
        if (table != NULL && column != NULL) {
            VEC_PUSH(arena, &table->primary_key, arena_strdup(arena, column));
        }
    }
}

void mysql_rows_list_keys(const struct rows *tables, const struct rows *statistics,
                          struct arena *arena, struct mysql_tables *out_tables)
{
    struct mysql_tables list = {0};

    for (size_t i = 0; i < rows_count(tables); i++) {
        VEC_PUSH(arena, &list.tables, *mysql_rows_table(tables, i, arena));
    }
    if (list.tables.n > 1) {
        qsort(list.tables.v, list.tables.n, sizeof(*list.tables.v), by_name);
    }
    add_keys(statistics, arena, &list);
    *out_tables = list;
}

void mysql_rows_column_names(const struct rows *columns, struct arena *arena,
                             struct strlist *out_columns)
{
    for (size_t i = 0; i < rows_count(columns); i++) {
        VEC_PUSH(arena, out_columns,
                 arena_printf(arena, "%s.%s (%s)", rows_text(columns, i, "TABLE_NAME"),
                              rows_text(columns, i, "COLUMN_NAME"),
                              rows_text(columns, i, "DATA_TYPE")));
    }
}

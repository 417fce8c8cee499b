/* mysql_tables: the second half of mysql_rows.h, tables with their columns and keys. */
#include "db/mysql_rows.h"

#include <stdlib.h>

#define KEY_COLUMNS_MAX 32 /* MariaDB's ceiling; MySQL's is 16 */

static char *lower(struct arena *arena, const char *text)
{
    char *copy = arena_strdup(arena, text == NULL ? "" : text);

    for (char *p = copy; *p != '\0'; p++) {
        if (*p >= 'A' && *p <= 'Z') {
            *p = (char)(*p - 'A' + 'a');
        }
    }
    return copy;
}

int64_t mysql_rows_unsigned(const char *text, int64_t otherwise)
{
    uint64_t value = 0;

    if (text == NULL || !sv_uint64(sv_from(text), &value)) {
        return otherwise;
    }
    return value > INT64_MAX ? -1 : (int64_t)value;
}

struct mysql_table *mysql_rows_table(const struct rows *tables, size_t row,
                                     struct arena *arena)
{
    struct mysql_table *table = ARENA_NEW(arena, struct mysql_table);

    table->database = arena_strdup(arena, rows_text(tables, row, "TABLE_SCHEMA"));
    table->name = arena_strdup(arena, rows_text(tables, row, "TABLE_NAME"));
    table->type = arena_strdup(arena, rows_text(tables, row, "TABLE_TYPE"));
    table->engine = arena_strdup(arena, rows_get(tables, row, "ENGINE"));
    table->comment = arena_strdup(arena, rows_text(tables, row, "TABLE_COMMENT"));
    table->row_estimate = rows_int(tables, row, "TABLE_ROWS", -1);
    table->auto_increment =
        mysql_rows_unsigned(rows_get(tables, row, "AUTO_INCREMENT"), 0);
    table->created_at = arena_strdup(arena, rows_get(tables, row, "CREATE_TIME"));
    return table;
}

static struct mysql_column read_column(const struct rows *columns, size_t row,
                                       enum mysql_flavor flavor, struct arena *arena)
{
    const char *expression = rows_get(columns, row, "GENERATION_EXPRESSION");
    const char *default_value = rows_get(columns, row, "COLUMN_DEFAULT");
    bool absent = flavor == MYSQL_MARIADB && sv_eq(sv_from(default_value), SV("NULL"));

    return (struct mysql_column){
        .name = arena_strdup(arena, rows_text(columns, row, "COLUMN_NAME")),
        .ordinal = rows_int(columns, row, "ORDINAL_POSITION", 0),
        .data_type = lower(arena, rows_text(columns, row, "DATA_TYPE")),
        .column_type = arena_strdup(arena, rows_text(columns, row, "COLUMN_TYPE")),
        .nullable = rows_bool(columns, row, "IS_NULLABLE"),
        .key = arena_strdup(arena, rows_text(columns, row, "COLUMN_KEY")),
        .default_value = absent ? NULL : arena_strdup(arena, default_value),
        .extra = lower(arena, rows_text(columns, row, "EXTRA")),
        .charset = arena_strdup(arena, rows_get(columns, row, "CHARACTER_SET_NAME")),
        .collation = arena_strdup(arena, rows_get(columns, row, "COLLATION_NAME")),
        .comment = arena_strdup(arena, rows_text(columns, row, "COLUMN_COMMENT")),
        .generation_expression = expression == NULL || expression[0] == '\0'
                                     ? NULL
                                     : arena_strdup(arena, expression),
        .char_max_length = rows_int(columns, row, "CHARACTER_MAXIMUM_LENGTH", -1),
        .numeric_precision = rows_int(columns, row, "NUMERIC_PRECISION", -1),
        .numeric_scale = rows_int(columns, row, "NUMERIC_SCALE", -1),
        .datetime_precision = rows_int(columns, row, "DATETIME_PRECISION", -1),
    };
}

static int by_ordinal(const void *a, const void *b)
{
    const struct mysql_column *left = a;
    const struct mysql_column *right = b;

    return (left->ordinal > right->ordinal) - (left->ordinal < right->ordinal);
}

/* The collation lets through names that differ in case or accents: these are others. */
static bool of_table(const struct rows *rows, size_t row, const struct mysql_table *table)
{
    return sv_eq(sv_from(rows_get(rows, row, "TABLE_SCHEMA")),
                 sv_from(table->database)) &&
           sv_eq(sv_from(rows_get(rows, row, "TABLE_NAME")), sv_from(table->name));
}

void mysql_rows_columns(const struct rows *columns, enum mysql_flavor flavor,
                        struct arena *arena, struct mysql_table *table)
{
    for (size_t i = 0; i < rows_count(columns); i++) {
        if (of_table(columns, i, table)) {
            VEC_PUSH(arena, &table->columns, read_column(columns, i, flavor, arena));
        }
    }
    if (table->columns.n > 1) {
        qsort(table->columns.v, table->columns.n, sizeof(*table->columns.v), by_ordinal);
    }
}

static bool is_primary(const char *index)
{
    return sv_eq_nocase(sv_from(index), SV("PRIMARY"));
}

void mysql_rows_primary_key(const struct rows *statistics, struct arena *arena,
                            struct mysql_table *table)
{
    for (int64_t place = 1; place <= KEY_COLUMNS_MAX; place++) {
        for (size_t i = 0; i < rows_count(statistics); i++) {
            const char *column = rows_get(statistics, i, "COLUMN_NAME");
            if (column != NULL && of_table(statistics, i, table) &&
                is_primary(rows_get(statistics, i, "INDEX_NAME")) &&
                rows_int(statistics, i, "SEQ_IN_INDEX", 0) == place) {
                VEC_PUSH(arena, &table->primary_key, arena_strdup(arena, column));
            }
        }
    }
}

/* A part that lets two rows be alike where the key says they are not. */
static bool is_loose(const struct rows *statistics, size_t row)
{
    return rows_get(statistics, row, "COLUMN_NAME") == NULL ||
           rows_get(statistics, row, "SUB_PART") != NULL ||
           rows_bool(statistics, row, "NULLABLE");
}

static void add_columns(const struct rows *statistics, const struct mysql_table *table,
                        struct arena *arena, struct mysql_key *key, bool *out_loose)
{
    bool loose = false;

    for (int64_t place = 1; place <= KEY_COLUMNS_MAX; place++) {
        for (size_t i = 0; i < rows_count(statistics); i++) {
            if (of_table(statistics, i, table) &&
                sv_eq(sv_from(rows_get(statistics, i, "INDEX_NAME")),
                      sv_from(key->name)) &&
                rows_int(statistics, i, "SEQ_IN_INDEX", 0) == place) {
                loose = loose || is_loose(statistics, i);
                VEC_PUSH(arena, &key->columns,
                         arena_strdup(arena, rows_text(statistics, i, "COLUMN_NAME")));
            }
        }
    }
    *out_loose = loose;
}

static int by_name(const void *a, const void *b)
{
    const struct mysql_key *left = a;
    const struct mysql_key *right = b;

    return sv_cmp(sv_from(left->name), sv_from(right->name));
}

void mysql_rows_unique_keys(const struct rows *statistics, struct arena *arena,
                            struct mysql_table *table)
{
    for (size_t i = 0; i < rows_count(statistics); i++) {
        const char *name = rows_text(statistics, i, "INDEX_NAME");
        struct mysql_key key = {.name = arena_strdup(arena, name)};
        bool loose = false;

        /* Each index has one first column. */
        if (!of_table(statistics, i, table) || is_primary(name) ||
            rows_int(statistics, i, "SEQ_IN_INDEX", 0) != 1) {
            continue;
        }
        add_columns(statistics, table, arena, &key, &loose);
        if (!loose) {
            VEC_PUSH(arena, &table->unique_keys, key);
        }
    }
    if (table->unique_keys.n > 1) {
        qsort(table->unique_keys.v, table->unique_keys.n, sizeof(*table->unique_keys.v),
              by_name);
    }
}

void mysql_rows_list(const struct rows *tables, const struct rows *columns,
                     enum mysql_flavor flavor, struct arena *arena,
                     struct mysql_tables *out_tables)
{
    struct mysql_tables list = {0};

    for (size_t i = 0; i < rows_count(tables); i++) {
        struct mysql_table *table = mysql_rows_table(tables, i, arena);

        mysql_rows_columns(columns, flavor, arena, table);
        VEC_PUSH(arena, &list.tables, *table);
    }
    *out_tables = list;
}

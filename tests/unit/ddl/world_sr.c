/* StarRocks' half of the world. */
#include "reader.h"

#include <string.h>

/* COLUMN_TYPE as the FE prints it (verified 32). */
static const char *sr_catalog_type(struct reader *r)
{
    static const char *const widths[][2] = {{"BOOLEAN", "tinyint(1)"},
                                            {"TINYINT", "tinyint(4)"},
                                            {"SMALLINT", "smallint(6)"},
                                            {"INT", "int(11)"},
                                            {"BIGINT", "bigint(20)"},
                                            {"LARGEINT", "bigint(20) unsigned"},
                                            {"FLOAT", "float"},
                                            {"DOUBLE", "double"},
                                            {"DATE", "date"},
                                            {"DATETIME", "datetime"},
                                            {"JSON", "json"}};
    const char *name = reader_take(r, TOKEN_WORD);

    for (size_t i = 0; i < COUNT_OF(widths); i++) {
        if (strcmp(widths[i][0], name) == 0) {
            return widths[i][1];
        }
    }
    reader_expect(r, "(");
    const char *first = reader_take(r, TOKEN_NUMBER);
    int64_t length = 0;
    assert_true(sv_int64(sv_from(first), &length));
    if (strcmp(name, "DECIMAL") == 0) {
        reader_expect(r, ",");
        const char *second = reader_take(r, TOKEN_NUMBER);
        reader_expect(r, ")");
        assert_in_range(length, 1, 76);
        return arena_printf(r->w->arena, "decimal(%s, %s)", first, second);
    }
    assert_string_equal(name, "VARCHAR");
    reader_expect(r, ")");
    assert_in_range(length, 1, 1048576);
    return arena_printf(r->w->arena, "varchar(%s)", first);
}

/* BOOLEAN, SMALLINT, INT, BIGINT, VARCHAR, DATE, DATETIME: starrocks.md 1.4. */
static void check_key_type(const struct sr_column *column)
{
    if (strstr(column->type, "decimal") != NULL ||
        strstr(column->type, "float") != NULL || strstr(column->type, "double") != NULL ||
        strstr(column->type, "json") != NULL) {
        fail_msg("primary key column[%s] type not supported: %s", column->name,
                 column->type);
    }
}

/* `c` TYPE [NOT] NULL [DEFAULT "x"] [COMMENT "y"]: in this order only. */
static struct sr_column column_definition(struct reader *r)
{
    struct sr_column column = {.name = reader_take(r, TOKEN_IDENT)};

    column.type = sr_catalog_type(r);
    column.nullable = !reader_accept(r, "NOT");
    reader_expect(r, "NULL");
    if (reader_accept(r, "DEFAULT")) {
        column.default_value = reader_take(r, TOKEN_STRING);
    }
    column.comment = reader_accept(r, "COMMENT") ? reader_take(r, TOKEN_STRING) : "";
    return column;
}

/* Partition columns are key columns; the two functions take one. */
static void partition_by(struct reader *r, const struct strlist *key)
{
    bool call = reader_accept(r, "date_trunc") || reader_accept(r, "time_slice");

    reader_expect(r, "(");
    do {
        if (r->next.kind == TOKEN_IDENT) {
            assert_true(reader_listed(key, reader_take(r, TOKEN_IDENT)));
        } else {
            assert_true(call);
            reader_advance(r);
        }
        if (call && reader_accept(r, "INTERVAL")) {
            (void)reader_take(r, TOKEN_NUMBER);
            (void)reader_take(r, TOKEN_WORD);
        }
    } while (reader_accept(r, ","));
    reader_expect(r, ")");
}

static struct sr_table *target_of(struct reader *r)
{
    const struct sr_table *seen =
        sr_catalog_table(&r->w->sr, reader_qualified(r, r->w->database));

    assert_non_null(seen);
    return &r->w->sr.tables.v[seen - r->w->sr.tables.v];
}

static struct sr_column *column_of_target(struct sr_table *table, const char *name)
{
    for (size_t i = 0; i < table->columns.n; i++) {
        if (sv_eq_nocase(sv_from(table->columns.v[i].name), sv_from(name))) {
            return &table->columns.v[i];
        }
    }
    return NULL;
}

static void modify_column(struct sr_table *table, const struct sr_column *column)
{
    struct sr_column *seen = column_of_target(table, column->name);
    struct sr_type from, to;

    assert_non_null(seen);
    if (seen->key) {
        fail_msg("Can not modify key column: %s for primary key table", column->name);
    }
    assert_true(sr_type_of_catalog(sv_from(seen->type), &from));
    assert_true(sr_type_of_catalog(sv_from(column->type), &to));
    if (!sr_type_can_become(&from, &to)) {
        fail_msg("Can not change %s to %s", seen->type, column->type);
    }
    assert_true(column->nullable || !seen->nullable);
    if ((seen->default_value == NULL) != (column->default_value == NULL) ||
        (seen->default_value != NULL &&
         strcmp(seen->default_value, column->default_value) != 0)) {
        fail_msg("Can not change default value: %s", column->name);
    }
    *seen = *column;
}

static void alter_target(struct reader *r)
{
    struct world *w = r->w;
    struct sr_table *table = target_of(r);

    if (table->altering) {
        fail_msg("A schema change operation is in progress on the table %s", table->name);
    }
    if (reader_accept(r, "COMMENT")) {
        reader_expect(r, "=");
        table->comment = reader_take(r, TOKEN_STRING);
        return;
    }
    do {
        if (reader_accept(r, "ADD")) {
            struct sr_column column;
            reader_expect(r, "COLUMN");
            column = column_definition(r);
            assert_null(column_of_target(table, column.name));
            assert_true(column.nullable);
            VEC_PUSH(w->arena, &table->columns, column);
        } else if (reader_accept(r, "MODIFY")) {
            struct sr_column column;
            reader_expect(r, "COLUMN");
            column = column_definition(r);
            modify_column(table, &column);
        } else {
            struct sr_column *seen = NULL;
            reader_expect(r, "DROP COLUMN");
            seen = column_of_target(table, reader_take(r, TOKEN_IDENT));
            assert_non_null(seen);
            assert_false(seen->key);
            REMOVE(&table->columns, (size_t)(seen - table->columns.v));
            w->dropped_columns++;
        }
    } while (reader_accept(r, ","));
}

static void create_target(struct reader *r)
{
    struct world *w = r->w;
    struct sr_table table = {.model = "PRIMARY_KEYS"};
    struct strlist hash = {0};

    table.name = reader_qualified(r, w->database);
    assert_null(sr_catalog_table(&w->sr, table.name));
    reader_expect(r, "(");
    do {
        VEC_PUSH(w->arena, &table.columns, column_definition(r));
    } while (reader_accept(r, ","));
    reader_expect(r, ") PRIMARY KEY");
    reader_idents(r, &table.primary_key);
    reader_expect(r, "COMMENT");
    table.comment = reader_take(r, TOKEN_STRING);
    if (reader_accept(r, "PARTITION")) {
        reader_expect(r, "BY");
        partition_by(r, &table.primary_key);
    }
    reader_expect(r, "DISTRIBUTED BY HASH");
    reader_idents(r, &hash);
    for (size_t i = 0; i < hash.n; i++) {
        assert_true(reader_listed(&table.primary_key, hash.v[i]));
    }
    if (reader_accept(r, "BUCKETS")) {
        (void)reader_take(r, TOKEN_NUMBER);
    }
    for (size_t i = 0; i < table.primary_key.n; i++) {
        /* The first few columns of the schema, in the order of the key. */
        assert_string_equal(table.primary_key.v[i], table.columns.v[i].name);
        assert_false(table.columns.v[i].nullable);
        check_key_type(&table.columns.v[i]);
        table.columns.v[i].key = true;
    }
    if (reader_accept(r, "PROPERTIES")) {
        reader_expect(r, "(");
        do {
            (void)reader_take(r, TOKEN_STRING);
            reader_expect(r, "=");
            (void)reader_take(r, TOKEN_STRING);
        } while (reader_accept(r, ","));
        reader_expect(r, ")");
    }
    VEC_PUSH(w->arena, &w->sr.tables, table);
}

void world_apply_sr(struct reader *r)
{
    if (reader_accept(r, "DROP")) {
        reader_expect(r, "TABLE IF EXISTS");
        const struct sr_table *seen =
            sr_catalog_table(&r->w->sr, reader_qualified(r, r->w->database));
        assert_non_null(seen);
        REMOVE(&r->w->sr.tables, (size_t)(seen - r->w->sr.tables.v));
        return;
    }
    if (reader_accept(r, "ALTER")) {
        reader_expect(r, "TABLE");
        alter_target(r);
        return;
    }
    if (reader_accept(r, "TRUNCATE")) {
        reader_expect(r, "TABLE");
        (void)target_of(r);
        r->w->truncated++;
        return;
    }
    reader_expect(r, "CREATE");
    if (reader_accept(r, "DATABASE")) {
        reader_expect(r, "IF NOT EXISTS");
        assert_string_equal(reader_take(r, TOKEN_IDENT), r->w->database);
        r->w->sr.database_exists = true;
        return;
    }
    reader_expect(r, "TABLE");
    assert_true(r->w->sr.database_exists);
    create_target(r);
}

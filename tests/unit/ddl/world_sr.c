/* StarRocks' half of the world. */
#include "reader.h"

#include <string.h>

/* COLUMN_TYPE as the FE prints it (verified 32). */
static const char *sr_catalog_type(struct reader *r)
{
    static const char *const widths[][2] = {
        {"BOOLEAN", "tinyint(1)"}, {"SMALLINT", "smallint(6)"}, {"INT", "int(11)"},
        {"BIGINT", "bigint(20)"},  {"FLOAT", "float"},          {"DOUBLE", "double"},
        {"DATE", "date"},          {"DATETIME", "datetime"},    {"JSON", "json"}};
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
        assert_in_range(length, 1, 38);
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

static void create_target(struct reader *r)
{
    struct world *w = r->w;
    struct sr_table table = {.model = "PRIMARY_KEYS"};
    struct strlist hash = {0};

    table.name = reader_qualified(r, w->database);
    assert_null(sr_catalog_table(&w->sr, table.name));
    reader_expect(r, "(");
    do {
        struct sr_column column = {.name = reader_take(r, TOKEN_IDENT)};
        column.type = sr_catalog_type(r);
        column.nullable = !reader_accept(r, "NOT");
        reader_expect(r, "NULL");
        column.comment = reader_accept(r, "COMMENT") ? reader_take(r, TOKEN_STRING) : "";
        VEC_PUSH(w->arena, &table.columns, column);
    } while (reader_accept(r, ","));
    reader_expect(r, ") PRIMARY KEY");
    reader_idents(r, &table.primary_key);
    reader_expect(r, "COMMENT");
    table.comment = reader_take(r, TOKEN_STRING);
    reader_expect(r, "DISTRIBUTED BY HASH");
    reader_idents(r, &hash);
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

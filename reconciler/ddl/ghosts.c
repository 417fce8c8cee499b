#include "ddl/ghosts.h"

#include "ddl/sink_value.h"

#include <string.h>

/* The number of a key column as a name: k1, k2, ... */
static bool key_name(size_t index, struct arena *arena, const struct ident **out_name,
                     struct fault *fault)
{
    return ident_parse(arena, sv_from(arena_printf(arena, "k%zu", index + 1)),
                       SQL_RISINGWAVE, IDENT_COLUMN, out_name, fault);
}

/* --- keys --- */

struct ghost_query {
    const struct desired *d;
    struct arena *arena;
    struct stmt *s;
    const struct ident *table, *log;
    VEC(const struct ident *) names;   /* k1, k2, ... */
    VEC(const struct ident *) columns; /* of the log store, for each key column */
};

/* A log store's columns follow the sink's SELECT, whose first ones are the key. */
static bool name_columns(struct ghost_query *q, const struct strlist *log_columns,
                         const char *log_table, struct fault *fault)
{
    if (log_columns->n < q->d->key_count) {
        return fault_set(fault, FAULT_REFUSED, NULL,
                         "RisingWave's log store %s has %zu columns, which is less than "
                         "the key of %zu: set a new spec.resyncToken with "
                         "spec.resyncMode Truncate",
                         log_table, log_columns->n, q->d->key_count);
    }
    for (size_t i = 0; i < q->d->key_count; i++) {
        const struct ident *name = NULL, *column = NULL;

        if (!key_name(i, q->arena, &name, fault) ||
            !ident_parse(q->arena, sv_from(log_columns->v[i]), SQL_RISINGWAVE,
                         IDENT_COLUMN, &column, fault)) {
            return false;
        }
        VEC_PUSH(q->arena, &q->names, name);
        VEC_PUSH(q->arena, &q->columns, column);
    }
    return true;
}

static void log_value(struct ghost_query *q, size_t i)
{
    stmt_text(q->s, "l.");
    stmt_ident(q->s, q->columns.v[i]);
    stmt_text(q->s, "::VARCHAR");
}

/* The keys of the CDC table, as its sink would deliver them. */
static void living(struct ghost_query *q)
{
    stmt_text(q->s, "(SELECT ");
    for (size_t i = 0; i < q->d->key_count; i++) {
        if (i > 0) {
            stmt_text(q->s, ", ");
        }
        stmt_text(q->s, "(");
        sink_value(q->s, &q->d->columns.v[i], q->d->rw_columns.v[i]);
        stmt_text(q->s, ")::VARCHAR AS ");
        stmt_ident(q->s, q->names.v[i]);
    }
    stmt_text(q->s, " FROM ");
    stmt_qualified(q->s, q->d->rw_schema, q->table);
    stmt_text(q->s, ") AS c");
}

/*
 * Both sides as text: the same values have the same text, also when a key column was
 * delivered as a number once and is text by now.
 */
static void write_query(struct ghost_query *q, int64_t offset)
{
    struct stmt *s = q->s;

    stmt_text(s, "SELECT DISTINCT ");
    for (size_t i = 0; i < q->d->key_count; i++) {
        if (i > 0) {
            stmt_text(s, ", ");
        }
        log_value(q, i);
        stmt_text(s, " AS ");
        stmt_ident(s, q->names.v[i]);
    }
    stmt_text(s, " FROM ");
    stmt_qualified(s, q->d->rw_schema, q->log);
    stmt_text(s, " AS l LEFT JOIN ");
    living(q);
    for (size_t i = 0; i < q->d->key_count; i++) {
        if (i == 0) {
            stmt_text(s, " ON c.");
        } else {
            stmt_text(s, " AND c.");
        }
        stmt_ident(s, q->names.v[i]);
        stmt_text(s, " = ");
        log_value(q, i);
    }
    /* 2: a deletion, with the row that was (verified 36); 4: the half of an update that
     * takes the old row away. 1 and 3 bring rows, 6 is a barrier. */
    stmt_text(s, " WHERE l.kv_log_store_row_op IN (2, 4) AND c.");
    stmt_ident(s, q->names.v[0]);
    stmt_text(s, " IS NULL ORDER BY ");
    for (size_t i = 0; i < q->d->key_count; i++) {
        if (i > 0) {
            stmt_text(s, ", ");
        }
        stmt_int(s, (int64_t)i + 1);
    }
    stmt_text(s, " LIMIT ");
    stmt_int(s, GHOSTS_PAGE_ROWS);
    stmt_text(s, " OFFSET ");
    stmt_int(s, offset);
}

bool ghosts_query(const struct desired *desired, const char *table, const char *log_table,
                  const struct strlist *log_columns, int64_t offset, struct arena *arena,
                  struct ghosts_query *out_query, struct fault *fault)
{
    struct ghost_query q = {
        .d = desired, .arena = arena, .s = stmt_new(arena, SQL_RISINGWAVE)};

    must(desired->key_count > 0 && offset >= 0);
    if (!name_columns(&q, log_columns, log_table, fault) ||
        !ident_parse(arena, sv_from(table), SQL_RISINGWAVE, IDENT_TABLE, &q.table,
                     fault) ||
        !ident_parse(arena, sv_from(log_table), SQL_RISINGWAVE, IDENT_TABLE, &q.log,
                     fault)) {
        return false;
    }
    write_query(&q, offset);
    if (!stmt_check(q.s, fault)) {
        return false;
    }
    *out_query = (struct ghosts_query){.stmt = q.s, .width = desired->key_count};
    return true;
}

/* --- deletions --- */

static bool is_made_of(struct sv text, struct sv characters)
{
    for (size_t i = 0; i < text.n; i++) {
        if (memchr(characters.p, text.p[i], characters.n) == NULL) {
            return false;
        }
    }
    return text.n > 0;
}

static bool is_whole_number(struct sv text)
{
    bool negative = sv_starts(text, SV("-"));

    return is_made_of(sv_sub(text, negative ? 1 : 0, text.n), SV("0123456789"));
}

static bool is_true(struct sv text)
{
    return sv_eq(text, SV("true")) || sv_eq(text, SV("t"));
}

static bool is_false(struct sv text)
{
    return sv_eq(text, SV("false")) || sv_eq(text, SV("f"));
}

static bool write_integer(struct stmt *s, struct sv cell)
{
    int64_t value = 0;

    if (!is_whole_number(cell)) {
        return false;
    }
    if (sv_int64(cell, &value)) {
        stmt_int(s, value);
    } else { /* LARGEINT */
        stmt_str(s, cell);
    }
    return true;
}

/* false: no value of this type. */
static bool write_value(struct stmt *s, enum sr_kind kind, struct sv cell)
{
    bool valid = true;

    switch (kind) {
    case SR_BOOLEAN:
        if (is_true(cell)) {
            stmt_text(s, "TRUE");
        } else {
            stmt_text(s, "FALSE");
        }
        return is_true(cell) || is_false(cell);
    case SR_TINYINT:
    case SR_SMALLINT:
    case SR_INT:
    case SR_BIGINT:
    case SR_LARGEINT:
        return write_integer(s, cell);
    case SR_DECIMAL:
        valid = is_made_of(cell, SV("-.0123456789"));
        break;
    case SR_DATE:
        valid = is_made_of(cell, SV("-0123456789"));
        break;
    case SR_DATETIME:
        valid = is_made_of(cell, SV("-.: 0123456789"));
        break;
    case SR_VARCHAR:
        break;
    case SR_FLOAT: /* none of these can be a key (starrocks.md 1.4) */
    case SR_DOUBLE:
    case SR_JSON:
    case SR_UNSET:
    case SR_KIND_MAX:
        return false;
    }
    stmt_str(s, cell);
    return valid;
}

static bool write_cell(struct stmt *s, const struct desired *d, size_t i,
                       const char *cell, struct fault *fault)
{
    return (cell != NULL && write_value(s, d->columns.v[i].sr.kind, sv_from(cell))) ||
           fault_set(fault, FAULT_REFUSED, NULL,
                     "an undelivered deletion cannot be done: what RisingWave's log "
                     "store holds for key column '%.*s' is no value of its type; set a "
                     "new spec.resyncToken with spec.resyncMode Truncate",
                     SV_ARGS(ident_name(d->sr_columns.v[i])));
}

static bool write_key(struct stmt *s, const struct desired *d, const char *const *cells,
                      struct fault *fault)
{
    stmt_text(s, "(");
    for (size_t i = 0; i < d->key_count; i++) {
        if (i > 0) {
            stmt_text(s, " AND ");
        }
        stmt_ident(s, d->sr_columns.v[i]);
        stmt_text(s, " = ");
        if (!write_cell(s, d, i, cells[i], fault)) {
            return false;
        }
    }
    stmt_text(s, ")");
    return true;
}

bool ghosts_delete(const struct desired *desired, const struct ghost_keys *keys,
                   size_t first, size_t count, struct arena *arena,
                   const struct stmt **out_stmt, struct fault *fault)
{
    const struct desired *d = desired;
    struct stmt *s = stmt_new(arena, SQL_STARROCKS);
    bool single = d->key_count == 1;

    must(keys->width == d->key_count && count > 0 &&
         (first + count) * keys->width <= keys->cells.n);
    stmt_text(s, "DELETE FROM ");
    stmt_qualified(s, d->target_database, d->target_table);
    stmt_text(s, " WHERE ");
    if (single) {
        stmt_ident(s, d->sr_columns.v[0]);
        stmt_text(s, " IN (");
    }
    stmt_private_begin(s, count);
    for (size_t row = first; row < first + count; row++) {
        const char *const *cells = keys->cells.v + row * keys->width;

        if (row > first && single) {
            stmt_text(s, ", ");
        } else if (row > first) {
            stmt_text(s, " OR ");
        }
        if (!(single ? write_cell(s, d, 0, cells[0], fault)
                     : write_key(s, d, cells, fault))) {
            return false;
        }
    }
    stmt_private_end(s);
    if (single) {
        stmt_text(s, ")");
    }
    if (!stmt_check(s, fault)) {
        return false;
    }
    *out_stmt = s;
    return true;
}

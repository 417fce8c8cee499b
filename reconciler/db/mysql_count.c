/*
 * mysql_count: questions about a table's rows, each with a ceiling on the rows that are
 * looked at and on the server's time. Names go through the typed builder, conditions are
 * literals.
 */
#include "db/mysql_source_private.h"

/* In one statement: an answer's columns have a ceiling. */
#define CHECKS_MAX ((size_t)200)
/* The server's own limit comes first; the kill is for those that have none (MySQL 5.6).
 */
#define KILL_GRACE_MS 500
#define KILL_AFTER_MS (SOURCE_COUNT_TIMEOUT_MS + KILL_GRACE_MS)

struct counting {
    struct reading r;
    const struct ident *database, *table;
    int64_t rows_max;
};

static bool counting_init(struct counting *c)
{
    const struct reading *r = &c->r;

    return ident_parse(r->scratch, sv_from(r->database), SQL_MYSQL, IDENT_DATABASE,
                       &c->database, r->fault) &&
           ident_parse(r->scratch, sv_from(r->table), SQL_MYSQL, IDENT_TABLE, &c->table,
                       r->fault);
}

static void add_select(const struct counting *c, struct stmt *s)
{
    tally_select(s, c->r.db->flavor, mysql_source_version(c->r.db),
                 SOURCE_COUNT_TIMEOUT_MS);
}

static void add_rows_of(const struct counting *c, struct stmt *s)
{
    stmt_text(s, " FROM ");
    stmt_qualified(s, c->database, c->table);
    stmt_text(s, " LIMIT ");
    stmt_int(s, c->rows_max);
    stmt_text(s, ") AS part");
}

/* More than 28 digits as they are stored, zeros in front not counted (verified 5). */
static void add_digits(struct stmt *s, const struct ident *column)
{
    stmt_text(s, "LENGTH(TRIM(LEADING '0' FROM REPLACE(REPLACE(CAST(");
    stmt_ident(s, column);
    stmt_text(s, " AS CHAR), '-', ''), '.', ''))) > 28");
}

/* 1 for a row that the check concerns. A date is looked at as text: compared as a date, a
 * zero one is an error or NULL, as sql_mode has it. */
static void add_condition(struct stmt *s, const struct ident *column,
                          const struct loss_check *check)
{
    switch (check->kind) {
    case LOSS_NONE:
        stmt_ident(s, column);
        stmt_text(s, " IS NOT NULL");
        break;
    case LOSS_TIME_RANGE:
        stmt_ident(s, column);
        stmt_text(s, " < '00:00:00' OR ");
        stmt_ident(s, column);
        stmt_text(s, " >= '24:00:00'");
        break;
    case LOSS_DIGITS:
        add_digits(s, column);
        break;
    case LOSS_ZERO_DATE:
        stmt_text(s, "LEFT(CAST(");
        stmt_ident(s, column);
        stmt_text(s, " AS CHAR), 10) LIKE '%-00%'");
        break;
    case LOSS_LENGTH:
        stmt_text(s, "LENGTH(");
        stmt_ident(s, column);
        stmt_text(s, ") > ");
        stmt_int(s, check->limit);
        break;
    case LOSS_BOOLEAN:
        stmt_ident(s, column);
        stmt_text(s, " NOT IN (0, 1)");
        break;
    case LOSS_KIND_MAX:
        must(!"loss kind");
    }
}

/* The inner SELECT names what the outer one sums up: l0, l1, ... */
static bool add_checks(const struct counting *c, struct stmt *s,
                       const struct loss_check *checks, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct ident *column = NULL;

        if (!ident_parse(c->r.scratch, sv_from(checks[i].column), SQL_MYSQL, IDENT_COLUMN,
                         &column, c->r.fault)) {
            return false;
        }
        if (i > 0) {
            stmt_text(s, ", ");
        }
        stmt_text(s, "(");
        add_condition(s, column, &checks[i]);
        stmt_text(s, ") AS l");
        stmt_int(s, (int64_t)i);
    }
    return true;
}

static bool ask(const struct counting *c, const struct stmt *s, struct rows *out_rows,
                bool *out_late)
{
    return mysql_wire_read_within(c->r.db->wire, s, c->r.what, KILL_AFTER_MS, c->r.cancel,
                                  c->r.scratch, out_rows, out_late, c->r.fault);
}

/* One statement's worth of checks. */
static bool count_some(const struct counting *c, const struct loss_check *checks,
                       size_t count, int64_t *out_counts, bool *out_complete)
{
    struct rows rows;
    struct stmt *s = mysql_source_stmt(&c->r);
    bool late = false;

    add_select(c, s);
    stmt_text(s, "COUNT(*) AS looked");
    for (size_t i = 0; i < count; i++) {
        stmt_text(s, ", SUM(l");
        stmt_int(s, (int64_t)i);
        stmt_text(s, ") AS n");
        stmt_int(s, (int64_t)i);
    }
    stmt_text(s, " FROM (SELECT ");
    if (!add_checks(c, s, checks, count)) {
        return false;
    }
    add_rows_of(c, s);
    if (!ask(c, s, &rows, &late)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        const char *heading = arena_printf(c->r.scratch, "n%zu", i);
        out_counts[i] = late ? -1 : rows_int(&rows, 0, heading, 0);
    }
    *out_complete = !late && rows_int(&rows, 0, "looked", c->rows_max) < c->rows_max;
    return true;
}

bool mysql_count_losses(struct source_db *db, const struct loss_check *checks,
                        size_t count, const char *database, const char *table,
                        int64_t rows_max, struct cancel *cancel, struct arena *arena,
                        int64_t *out_counts, bool *out_complete, struct fault *fault)
{
    AUTO(arena_freep) struct arena *scratch = arena_new(ARENA_CEILING_BYTES);
    struct counting c = {
        .r = {.db = mysql_source_of(db),
              .cancel = cancel,
              .scratch = scratch,
              .arena = arena,
              .database = database,
              .table = table,
              .fault = fault,
              .what = arena_printf(scratch, "counting values of %s.%s", database, table)},
        .rows_max = rows_max};
    int64_t *counts = arena_alloc_array(scratch, count, sizeof(*counts));
    bool complete = true;

    if (!counting_init(&c)) {
        return false;
    }
    for (size_t done = 0; done < count; done += CHECKS_MAX) {
        size_t some = count - done < CHECKS_MAX ? count - done : CHECKS_MAX;
        bool whole = false;
        if (!count_some(&c, checks + done, some, counts + done, &whole)) {
            return false;
        }
        complete = complete && whole;
    }
    if (count > 0) {
        memcpy(out_counts, counts, count * sizeof(*counts));
    }
    *out_complete = complete;
    return true;
}

bool mysql_count_rows(struct source_db *db, const char *database, const char *table,
                      int64_t rows_max, struct cancel *cancel, int64_t *out_rows,
                      struct fault *fault)
{
    AUTO(arena_freep) struct arena *scratch = arena_new(ARENA_CEILING_BYTES);
    struct counting c = {
        .r = {.db = mysql_source_of(db),
              .cancel = cancel,
              .scratch = scratch,
              .database = database,
              .table = table,
              .fault = fault,
              .what = arena_printf(scratch, "counting rows of %s.%s", database, table)},
        .rows_max = rows_max};
    struct rows rows;
    bool late = false;

    if (!counting_init(&c)) {
        return false;
    }
    struct stmt *s = mysql_source_stmt(&c.r);
    add_select(&c, s);
    stmt_text(s, "COUNT(*) AS n FROM (SELECT 1 AS one");
    add_rows_of(&c, s);
    if (!ask(&c, s, &rows, &late)) {
        return false;
    }
    *out_rows = late ? -1 : rows_int(&rows, 0, "n", -1);
    return true;
}

bool mysql_count_all(struct source_db *db, const struct tally_query *query,
                     struct cancel *cancel, int64_t *out_rows, struct fault *fault)
{
    AUTO(arena_freep) struct arena *scratch = arena_new(ARENA_CEILING_BYTES);
    const char *what =
        arena_printf(scratch, "counting rows of %s.%s", query->database, query->table);
    struct rows rows;
    bool late = false;

    if (!mysql_wire_read_within(mysql_source_of(db)->wire, query->stmt, what,
                                query->limit_ms + KILL_GRACE_MS, cancel, scratch, &rows,
                                &late, fault)) {
        return false;
    }
    *out_rows = late ? -1 : rows_int(&rows, 0, "n", -1);
    return true;
}

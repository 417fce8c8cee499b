#include "ddl/partition.h"

#include <string.h>

#define INVALID(fault, ...)                                                              \
    fault_set((fault), FAULT_REFUSED, "InvalidColumns",                                  \
              "spec.target.partitionBy: " __VA_ARGS__)

static const char *const units[] = {"hour", "day", "month", "year"};

struct reader {
    struct sv rest;
    const struct partition_column *columns;
    size_t count;
    struct arena *arena;
    struct fault *fault;
};

static void skip_blanks(struct reader *r)
{
    while (r->rest.n > 0 && strchr(" \t\r\n", r->rest.p[0]) != NULL) {
        r->rest = sv_sub(r->rest, 1, r->rest.n);
    }
}

static bool take_char(struct reader *r, char c)
{
    skip_blanks(r);
    if (r->rest.n == 0 || r->rest.p[0] != c) {
        return false;
    }
    r->rest = sv_sub(r->rest, 1, r->rest.n);
    return true;
}

static bool need_char(struct reader *r, char c)
{
    if (take_char(r, c)) {
        return true;
    }
    return INVALID(r->fault,
                   "'%c' must stand before '%.*s'; write columns of the key, "
                   "date_trunc('day', column) or time_slice(column, INTERVAL 1 day)",
                   c, SV_ARGS(sv_utf8_prefix(r->rest, 40)));
}

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '_' || (unsigned char)c >= 0x80;
}

/* A word; empty when there is none. */
static struct sv take_word(struct reader *r)
{
    size_t n = 0;

    skip_blanks(r);
    while (n < r->rest.n && is_name_char(r->rest.p[n])) {
        n++;
    }
    struct sv word = sv_sub(r->rest, 0, n);
    r->rest = sv_sub(r->rest, n, r->rest.n);
    return word;
}

/* What stands between two of `quote`; false: no such thing. */
static bool take_quoted(struct reader *r, char quote, struct sv *out_text)
{
    skip_blanks(r);
    if (r->rest.n == 0 || r->rest.p[0] != quote) {
        return false;
    }
    struct sv rest = sv_sub(r->rest, 1, r->rest.n);
    struct sv text = sv_cut(&rest, quote);
    if (text.n + 2 > r->rest.n) {
        return false; /* not closed */
    }
    r->rest = rest;
    *out_text = text;
    return true;
}

static bool find_column(struct reader *r, struct sv name,
                        const struct partition_column **out_column)
{
    for (size_t i = 0; i < r->count; i++) {
        if (!sv_eq_nocase(name, ident_name(r->columns[i].ident))) {
            continue;
        }
        if (!r->columns[i].key) {
            (void)INVALID(r->fault,
                          "column '%.*s' is not part of the key; StarRocks: partition "
                          "columns must be part of the primary key",
                          SV_ARGS(name));
            return false;
        }
        *out_column = &r->columns[i];
        return true;
    }
    (void)INVALID(r->fault,
                  "the target has no column '%.*s'; name key columns as they are "
                  "called in the target",
                  SV_ARGS(sv_utf8_prefix(name, 80)));
    return false;
}

static bool take_column(struct reader *r, const struct partition_column **out_column)
{
    struct sv name;

    if (!take_quoted(r, '"', &name) && !take_quoted(r, '`', &name)) {
        name = take_word(r);
    }
    if (name.n == 0) {
        (void)INVALID(r->fault, "a column's name must stand before '%.*s'",
                      SV_ARGS(sv_utf8_prefix(r->rest, 40)));
        return false;
    }
    return find_column(r, name, out_column);
}

static bool find_unit(struct reader *r, struct sv word, enum sr_kind kind,
                      struct partition *partition)
{
    for (size_t i = 0; i < COUNT_OF(units); i++) {
        if (!sv_eq_nocase(word, sv_from(units[i]))) {
            continue;
        }
        if (i == 0 && kind != SR_DATETIME) {
            return INVALID(r->fault, "StarRocks cuts only a DATETIME to hours, and this "
                                     "column is no DATETIME");
        }
        partition->unit = units[i];
        return true;
    }
    return INVALID(r->fault,
                   "'%.*s' is no unit StarRocks partitions by: write hour, "
                   "day, month or year",
                   SV_ARGS(sv_utf8_prefix(word, 40)));
}

static bool read_trunc(struct reader *r, struct partition *partition)
{
    const struct partition_column *column = NULL;
    struct sv unit;

    if (!need_char(r, '(')) {
        return false;
    }
    if (!take_quoted(r, '\'', &unit) && !take_quoted(r, '"', &unit)) {
        return INVALID(r->fault, "date_trunc begins with a unit in quotes: "
                                 "date_trunc('day', column)");
    }
    if (!need_char(r, ',') || !take_column(r, &column) || !need_char(r, ')')) {
        return false;
    }
    if (column->kind != SR_DATE && column->kind != SR_DATETIME) {
        return INVALID(r->fault,
                       "date_trunc needs a column of type DATE or DATETIME, "
                       "and '%.*s' is neither",
                       SV_ARGS(ident_name(column->ident)));
    }
    partition->kind = PARTITION_TRUNC;
    VEC_PUSH(r->arena, &partition->columns, column->ident);
    return find_unit(r, unit, column->kind, partition);
}

static bool read_slice(struct reader *r, struct partition *partition)
{
    const struct partition_column *column = NULL;

    if (!need_char(r, '(') || !take_column(r, &column) || !need_char(r, ',')) {
        return false;
    }
    if (column->kind != SR_DATETIME) {
        return INVALID(r->fault,
                       "time_slice needs a column of type DATETIME, and '%.*s' is none",
                       SV_ARGS(ident_name(column->ident)));
    }
    if (!sv_eq_nocase(take_word(r), SV("interval"))) {
        return INVALID(r->fault, "time_slice ends with INTERVAL n unit");
    }
    struct sv number = take_word(r);
    if (!sv_int64(number, &partition->count) || partition->count < 1 ||
        partition->count > PARTITION_SLICE_MAX) {
        return INVALID(r->fault, "INTERVAL takes a whole number from 1 to %lld",
                       (long long)PARTITION_SLICE_MAX);
    }
    partition->kind = PARTITION_SLICE;
    VEC_PUSH(r->arena, &partition->columns, column->ident);
    return find_unit(r, take_word(r), column->kind, partition) && need_char(r, ')');
}

static bool read_columns(struct reader *r, struct partition *partition)
{
    partition->kind = PARTITION_COLUMNS;
    do {
        const struct partition_column *column = NULL;
        if (!take_column(r, &column)) {
            return false;
        }
        for (size_t i = 0; i < partition->columns.n; i++) {
            if (partition->columns.v[i] == column->ident) {
                return INVALID(r->fault, "column '%.*s' is named twice",
                               SV_ARGS(ident_name(column->ident)));
            }
        }
        VEC_PUSH(r->arena, &partition->columns, column->ident);
    } while (take_char(r, ','));
    return true;
}

/* A column may be called date_trunc: only a parenthesis makes it the function. */
static bool at_function(const struct reader *r, const char *name)
{
    struct reader ahead = *r;
    struct sv word = take_word(&ahead);

    return sv_eq_nocase(word, sv_from(name)) && take_char(&ahead, '(');
}

bool partition_parse(const char *text, const struct partition_column *columns,
                     size_t count, struct arena *arena, struct partition *out_partition,
                     struct fault *fault)
{
    struct reader r = {sv_trim(sv_from(text)), columns, count, arena, fault};
    struct partition partition = {.kind = PARTITION_NONE};
    bool ok = true;

    if (r.rest.n > PARTITION_BYTES_MAX || !sv_is_utf8(r.rest)) {
        return INVALID(fault, "it is longer than %zu bytes or not valid UTF-8",
                       PARTITION_BYTES_MAX);
    }
    if (r.rest.n > 0) {
        bool trunc = at_function(&r, "date_trunc");
        bool slice = at_function(&r, "time_slice");
        if (trunc || slice) {
            (void)take_word(&r);
        }
        ok = trunc   ? read_trunc(&r, &partition)
             : slice ? read_slice(&r, &partition)
                     : read_columns(&r, &partition);
        skip_blanks(&r);
    }
    if (ok && r.rest.n > 0) {
        return INVALID(fault,
                       "'%.*s' cannot stand there; write columns of the key, "
                       "date_trunc('day', column) or time_slice(column, INTERVAL 1 day)",
                       SV_ARGS(sv_utf8_prefix(r.rest, 40)));
    }
    if (ok) {
        *out_partition = partition;
    }
    return ok;
}

void partition_write(struct stmt *s, const struct partition *partition)
{
    if (partition->kind == PARTITION_NONE) {
        return;
    }
    stmt_text(s, " PARTITION BY ");
    if (partition->kind == PARTITION_TRUNC) {
        stmt_text(s, "date_trunc(");
        stmt_str(s, sv_from(partition->unit));
        stmt_text(s, ", ");
        stmt_ident(s, partition->columns.v[0]);
    } else if (partition->kind == PARTITION_SLICE) {
        stmt_text(s, "time_slice(");
        stmt_ident(s, partition->columns.v[0]);
        stmt_text(s, ", INTERVAL ");
        stmt_int(s, partition->count);
        if (partition->unit == units[0]) {
            stmt_text(s, " hour");
        } else if (partition->unit == units[1]) {
            stmt_text(s, " day");
        } else if (partition->unit == units[2]) {
            stmt_text(s, " month");
        } else {
            stmt_text(s, " year");
        }
    } else {
        stmt_text(s, "(");
        for (size_t i = 0; i < partition->columns.n; i++) {
            if (i > 0) {
                stmt_text(s, ", ");
            }
            stmt_ident(s, partition->columns.v[i]);
        }
    }
    stmt_text(s, ")");
}

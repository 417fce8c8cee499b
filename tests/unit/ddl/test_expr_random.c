/* Properties of the expression language over generated and over spoilt expressions. */
#include "lexer.h"
#include "unit.h"

#include "ddl/expr.h"

#include <string.h>

#define GENERATED 20000
#define SPOILT 100000

static const struct {
    const char *name;
    enum rw_type type;
} table[] = {
    {"id", RW_INTEGER},       {"small", RW_SMALLINT}, {"price", RW_DECIMAL},
    {"d", RW_DOUBLE},         {"name", RW_VARCHAR},   {"a'b;--", RW_VARCHAR},
    {"or", RW_BOOLEAN},       {"列 $x$", RW_VARCHAR}, {"day", RW_DATE},
    {"moment", RW_TIMESTAMP}, {"tz", RW_TIMESTAMPTZ}, {"doc", RW_JSONB},
    {"raw", RW_BYTEA},
};

struct maker {
    uint64_t state;
    struct buf text;
};

/* xorshift64*: the same expressions on every machine. */
static unsigned pick(struct maker *m, unsigned count)
{
    m->state ^= m->state >> 12;
    m->state ^= m->state << 25;
    m->state ^= m->state >> 27;
    return (unsigned)((m->state * 2685821657736338717u) >> 33) % count;
}

static void make(struct maker *m, char kind, unsigned depth);

static void add(struct maker *m, const char *text)
{
    buf_addz(&m->text, text);
}

static void make_text(struct maker *m)
{
    static const char *const texts[] = {
        "''",      "'x'",   "'it''s'",    "'\\'",
        "'a;--b'", "'$$'",  "'/* \" */'", "'é列\xf0\x9f\x98\x80'",
        "''''",    "'\n\t'"};

    add(m, texts[pick(m, COUNT_OF(texts))]);
}

/* Rules of one kind each: a capital letter stands for something of that kind. */
static const struct {
    char kind;
    const char *shape;
} shapes[] = {
    {'N', "N + N"},
    {'N', "N-N"},
    {'N', "(N) * N"},
    {'N', "- N"},
    {'N', "length(V)"},
    {'N', "abs(N)"},
    {'N', "CASE WHEN B THEN N ELSE N END"},
    {'N', "round(price, 2)"},
    {'N', "coalesce(N, N)"},
    {'N', "(N)::bigint"},
    {'N', "greatest(N, N, NULL::int)"},
    {'N', "nullif(N, N)"},
    {'N', "strpos(V, V)"},
    {'N', "(J ->> 'k')::int"},
    {'V', "V || V"},
    {'V', "V||N"},
    {'V', "lower(V)"},
    {'V', "substring(V, 1, 2)"},
    {'V', "trim( V )"},
    {'V', "concat_ws(V, N, B, V)"},
    {'V', "cast(N as varchar)"},
    {'V', "case when B then V when B then NULL end"},
    {'V', "J ->> 'it''s'"},
    {'V', "encode(sha256(convert_to(V, 'UTF8')), 'hex')"},
    {'V', "to_char(T, 'YYYY-MM-DD')"},
    {'V', "replace(V, V, V)"},
    {'B', "N = N"},
    {'B', "V<>V"},
    {'B', "B AND B"},
    {'B', "B or B"},
    {'B', "not B"},
    {'B', "(V) is null"},
    {'B', "N>=N"},
    {'B', "(N) IS NOT NULL"},
    {'B', "starts_with(V, V)"},
    {'T', "date_trunc('day', T)"},
    {'T', "T"},
    {'T', "coalesce(T, T)"},
    {'T', "day::timestamp"},
    {'J', "J -> 'a'"},
    {'J', "J->0"},
    {'J', "V::jsonb"},
};

static void make_leaf(struct maker *m, char kind)
{
    static const char *const numbers[] = {
        "id",         "small", "price", "\"d\"", "0", "1.50", "9223372036854775808",
        "7::smallint"};
    static const char *const texts[] = {"name", "\"a'b;--\"", "\"列 $x$\"", "NAME"};
    static const char *const moments[] = {"moment", "tz AT TIME ZONE 'UTC'",
                                          "'2024-01-31 10:00:00'::timestamp"};
    static const char *const truths[] = {"\"or\"", "TRUE", "false"};

    if (kind == 'V' && pick(m, 2) == 0) {
        make_text(m);
    } else if (kind == 'V') {
        add(m, texts[pick(m, COUNT_OF(texts))]);
    } else if (kind == 'N') {
        add(m, numbers[pick(m, COUNT_OF(numbers))]);
    } else if (kind == 'T') {
        add(m, moments[pick(m, COUNT_OF(moments))]);
    } else if (kind == 'B') {
        add(m, truths[pick(m, COUNT_OF(truths))]);
    } else {
        add(m, "doc");
    }
}

/* Letters of a shape that are kinds are alone between signs and blanks. */
static bool is_kind(const char *shape, const char *at)
{
    static const char inside[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

    return strchr("NVBTJ", *at) != NULL &&
           (at == shape || strchr(inside, at[-1]) == NULL) &&
           (at[1] == '\0' || strchr(inside, at[1]) == NULL);
}

static void make(struct maker *m, char kind, unsigned depth)
{
    size_t rows[COUNT_OF(shapes)], count = 0;

    for (size_t i = 0; i < COUNT_OF(shapes); i++) {
        if (shapes[i].kind == kind) {
            rows[count++] = i;
        }
    }
    if (depth == 0 || pick(m, 4) == 0) {
        make_leaf(m, kind);
        return;
    }
    const char *shape = shapes[rows[pick(m, (unsigned)count)]].shape;
    for (const char *c = shape; *c != '\0'; c++) {
        if (is_kind(shape, c)) {
            make(m, *c, depth - 1);
        } else {
            buf_addc(&m->text, *c);
        }
    }
}

static struct expr_column *columns_of(struct arena *arena)
{
    struct expr_column *columns =
        arena_alloc_array(arena, COUNT_OF(table), sizeof(struct expr_column));

    for (size_t i = 0; i < COUNT_OF(table); i++) {
        struct fault fault = FAULT_INIT;
        columns[i] = (struct expr_column){table[i].name, table[i].type, NULL};
        ASSERT_OK(ident_parse(arena, sv_from(table[i].name), SQL_RISINGWAVE, IDENT_COLUMN,
                              &columns[i].ident, &fault),
                  &fault);
    }
    return columns;
}

static bool is_our_word(struct sv word, struct arena *arena)
{
    static const char *const words[] = {
        "OR",     "AND",     "NOT",      "IS",        "NULL",        "CASE",    "WHEN",
        "THEN",   "ELSE",    "END",      "TRUE",      "FALSE",       "AT",      "TIME",
        "ZONE",   "BOOLEAN", "SMALLINT", "INTEGER",   "BIGINT",      "DECIMAL", "REAL",
        "DOUBLE", "VARCHAR", "DATE",     "TIMESTAMP", "TIMESTAMPTZ", "JSONB",   "BYTEA"};
    struct sv functions = sv_from(expr_functions(arena));

    for (size_t i = 0; i < COUNT_OF(words); i++) {
        if (sv_eq(word, sv_from(words[i]))) {
            return true;
        }
    }
    while (functions.n > 0) {
        if (sv_eq(sv_trim(sv_cut(&functions, ',')), word)) {
            return true;
        }
    }
    return false;
}

/* RisingWave's lexer sees our words, our columns, whole literals and nothing else. */
static void lexes_to_our_words(const char *written, const char *text, struct arena *arena)
{
    struct sv rest = sv_from(written);

    for (;;) {
        struct token token = lexer_next(SQL_RISINGWAVE, &rest, arena);
        bool known = token.kind != TOKEN_WORD || is_our_word(token.text, arena);
        if (token.kind == TOKEN_END) {
            break;
        }
        if (token.kind == TOKEN_IDENT) {
            known = false;
            for (size_t i = 0; i < COUNT_OF(table); i++) {
                known = known || sv_eq(token.text, sv_from(table[i].name));
            }
        }
        if (token.kind == TOKEN_BAD) { /* operators, which that lexer has no name for */
            known = token.text.n == 1 && strchr("+-*/%<>|", token.text.p[0]) != NULL;
            known = known && !(token.text.p[0] == '-' && sv_starts(rest, SV("-")));
            known = known && !(token.text.p[0] == '/' && sv_starts(rest, SV("*")));
        }
        if (!known || (token.kind == TOKEN_PUNCT && sv_eq(token.text, SV(".")))) {
            fail_msg("%.*s in %s, written for %s", SV_ARGS(token.text), written, text);
        }
    }
}

/* Taken or not: no crash; and what is taken is written in a form that stays. */
static bool holds(const char *text, const struct expr_column *columns,
                  struct arena *arena)
{
    const struct expr *first = NULL, *second = NULL;
    struct fault fault = FAULT_INIT;

    if (!expr_parse(text, columns, COUNT_OF(table), arena, &first, &fault)) {
        assert_string_equal(fault.reason, "InvalidOverride");
        assert_null(first);
        return false;
    }
    const char *written = expr_text(first, arena);
    lexes_to_our_words(written, text, arena);
    if (strlen(written) > EXPR_BYTES_MAX) {
        return true;
    }
    if (!expr_parse(written, columns, COUNT_OF(table), arena, &second, &fault)) {
        fail_msg("%s, written for %s: %s", written, text, fault.text);
    }
    assert_string_equal(expr_text(second, arena), written);
    assert_int_equal(expr_type(second), expr_type(first));
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        assert_int_equal(expr_uses(first, i), expr_uses(second, i));
    }
    return true;
}

static void writes_what_it_reads_again(void **state)
{
    struct maker m = {.state = 20240131};
    size_t taken = 0;

    (void)state;
    buf_init(&m.text, 1 << 16);
    for (unsigned i = 0; i < GENERATED; i++) {
        struct arena *arena = arena_new(ARENA_CEILING_BYTES);
        buf_clear(&m.text);
        make(&m, "NVBTJ"[i % 5], i % 6);
        taken += holds(buf_z(&m.text), columns_of(arena), arena) ? 1 : 0;
        arena_freep(&arena);
    }
    buf_deinit(&m.text);
    assert_true(taken > GENERATED / 2);
}

/* Bytes of good expressions exchanged, left out, doubled and cut off. */
static void survives_spoilt_text(void **state)
{
    static const char bytes[] = "()'\"-:,.;$*/|=<> \\`0aE\n\xc3\xff";
    struct maker m = {.state = 42};
    size_t taken = 0;

    (void)state;
    buf_init(&m.text, 1 << 16);
    for (unsigned i = 0; i < SPOILT; i++) {
        struct arena *arena = arena_new(ARENA_CEILING_BYTES);
        buf_clear(&m.text);
        make(&m, "NVBTJ"[i % 5], 1 + i % 3);
        for (unsigned k = pick(&m, 4); k > 0 && m.text.n > 0; k--) {
            m.text.p[pick(&m, (unsigned)m.text.n)] = bytes[pick(&m, sizeof(bytes) - 1)];
        }
        char *text = arena_copy(arena, buf_sv(&m.text));
        if (pick(&m, 5) == 0) {
            text[pick(&m, (unsigned)strlen(text) + 1)] = '\0';
        }
        taken += holds(text, columns_of(arena), arena) ? 1 : 0;
        arena_freep(&arena);
    }
    buf_deinit(&m.text);
    assert_in_range(taken, SPOILT / 10, SPOILT - SPOILT / 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_what_it_reads_again),
        cmocka_unit_test(survives_spoilt_text),
    };

    return cmocka_run_group_tests_name("expr_random", tests, NULL, NULL);
}

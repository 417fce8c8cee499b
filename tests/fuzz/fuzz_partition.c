/*
 * spec.target.partitionBy. The input is one, over a target with key columns of hostile
 * names. What is accepted must come out as a PARTITION BY clause over key columns, and
 * as nothing else.
 */
#include "fuzz.h"
#include "relex.h"

#include "ddl/partition.h"

#include <string.h>

#define INPUT_BYTES_MAX ((size_t)2048)

static const struct {
    const char *name;
    enum sr_kind kind;
    bool key;
} table[] = {
    {"day", SR_DATE, true},          {"at", SR_DATETIME, true},
    {"id", SR_BIGINT, true},         {"date_trunc", SR_DATE, true},
    {"select", SR_DATETIME, true},   {"it's", SR_DATETIME, true},
    {"x;y--", SR_VARCHAR, true},     {"a \"b\" c", SR_DATE, true},
    {"\u540d\u524d", SR_DATE, true}, {"amount", SR_DECIMAL, false},
    {"seen", SR_DATETIME, false},
};

static size_t column_of(struct relex *lexer)
{
    struct relex_token token = relex_next(lexer);
    size_t i = 0;

    fuzz_require(token.kind == RELEX_IDENT, "%.*s", SV_ARGS(token.text));
    while (i < COUNT_OF(table) && !sv_eq(token.text, sv_from(table[i].name))) {
        i++;
    }
    fuzz_require(i < COUNT_OF(table) && table[i].key, "column %.*s", SV_ARGS(token.text));
    return i;
}

static void check_unit(struct sv unit, size_t column)
{
    bool days =
        sv_eq(unit, SV("day")) || sv_eq(unit, SV("month")) || sv_eq(unit, SV("year"));
    bool hours = sv_eq(unit, SV("hour"));

    fuzz_require((days && table[column].kind == SR_DATE) ||
                     ((days || hours) && table[column].kind == SR_DATETIME),
                 "%.*s of %s", SV_ARGS(unit), table[column].name);
}

static void check_trunc(struct relex *lexer)
{
    relex_expect(lexer, RELEX_WORD, SV("date_trunc"));
    relex_expect(lexer, RELEX_PUNCT, SV("("));
    struct relex_token unit = relex_next(lexer);
    fuzz_require(unit.kind == RELEX_STRING, "%.*s", SV_ARGS(unit.text));
    relex_expect(lexer, RELEX_PUNCT, SV(","));
    check_unit(unit.text, column_of(lexer));
    relex_expect(lexer, RELEX_PUNCT, SV(")"));
}

static void check_slice(struct relex *lexer)
{
    int64_t count = 0;

    relex_expect(lexer, RELEX_WORD, SV("time_slice"));
    relex_expect(lexer, RELEX_PUNCT, SV("("));
    size_t column = column_of(lexer);
    fuzz_require(table[column].kind == SR_DATETIME, "%s", table[column].name);
    relex_expect(lexer, RELEX_PUNCT, SV(","));
    relex_expect(lexer, RELEX_WORD, SV("INTERVAL"));
    struct relex_token number = relex_next(lexer);
    fuzz_require(number.kind == RELEX_NUMBER && sv_int64(number.text, &count) &&
                     count >= 1 && count <= PARTITION_SLICE_MAX,
                 "%.*s", SV_ARGS(number.text));
    struct relex_token unit = relex_next(lexer);
    fuzz_require(unit.kind == RELEX_WORD, "%.*s", SV_ARGS(unit.text));
    check_unit(unit.text, column);
    relex_expect(lexer, RELEX_PUNCT, SV(")"));
}

static void check_columns(struct relex *lexer, size_t count)
{
    bool seen[COUNT_OF(table)] = {false};

    relex_expect(lexer, RELEX_PUNCT, SV("("));
    for (size_t i = 0; i < count; i++) {
        size_t column = column_of(lexer);
        fuzz_require(!seen[column], "%s twice", table[column].name);
        seen[column] = true;
        relex_expect(lexer, RELEX_PUNCT, i + 1 < count ? SV(",") : SV(")"));
    }
}

static struct sv written(const struct partition *partition, struct arena *arena)
{
    AUTO(buf_deinit) struct buf text = {0};
    struct stmt *s = stmt_new(arena, SQL_STARROCKS);
    struct fault fault = FAULT_INIT;

    partition_write(s, partition);
    fuzz_require(stmt_check(s, &fault), "%s", fault.text);
    buf_init(&text, STMT_BYTES_MAX);
    stmt_render(s, &text);
    return sv_from(buf_take(&text, arena));
}

/* The clause; without its first words, and the parentheses of columns, it is an input. */
static struct sv check_written(const struct partition *partition, struct arena *arena)
{
    struct sv text = written(partition, arena);
    struct relex lexer = {SQL_STARROCKS, text, arena};

    if (partition->kind == PARTITION_NONE) {
        fuzz_require(text.n == 0, "%.*s", SV_ARGS(text));
        return text;
    }
    fuzz_reached();
    relex_expect(&lexer, RELEX_WORD, SV("PARTITION"));
    relex_expect(&lexer, RELEX_WORD, SV("BY"));
    text = sv_trim(lexer.rest);
    if (partition->kind == PARTITION_TRUNC) {
        check_trunc(&lexer);
    } else if (partition->kind == PARTITION_SLICE) {
        check_slice(&lexer);
    } else {
        check_columns(&lexer, partition->columns.n);
        text = sv_sub(text, 1, text.n - 2);
    }
    relex_expect(&lexer, RELEX_END, SV_NULL);
    return text;
}

static void parse_columns(struct arena *arena, struct partition_column *out_columns)
{
    struct fault fault = FAULT_INIT;

    for (size_t i = 0; i < COUNT_OF(table); i++) {
        out_columns[i].kind = table[i].kind;
        out_columns[i].key = table[i].key;
        fuzz_require(ident_parse(arena, sv_from(table[i].name), SQL_STARROCKS,
                                 IDENT_COLUMN, &out_columns[i].ident, &fault),
                     "%s", fault.text);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
    AUTO(arena_freep) struct arena *arena = NULL;
    struct partition_column columns[COUNT_OF(table)] = {0};
    struct partition partition, untouched, again = {0};
    struct fault fault = FAULT_INIT;

    if (size_bytes > INPUT_BYTES_MAX) {
        return -1;
    }
    arena = arena_new(ARENA_CEILING_BYTES);
    parse_columns(arena, columns);
    const char *text = fuzz_text(arena, (struct sv){(const char *)data, size_bytes});
    memset(&untouched, 0x5a, sizeof(untouched));
    memcpy(&partition, &untouched, sizeof(partition));
    if (!partition_parse(text, columns, COUNT_OF(table), arena, &partition, &fault)) {
        fuzz_refusal(&fault, "InvalidColumns");
        fuzz_require(memcmp(&partition, &untouched, sizeof(partition)) == 0,
                     "output written on failure");
        return 0;
    }
    const char *clause = arena_copy(arena, check_written(&partition, arena));
    fuzz_require(partition_parse(clause, columns, COUNT_OF(table), arena, &again, &fault),
                 "%s: %s", clause, fault.text);
    fuzz_require(sv_eq(written(&partition, arena), written(&again, arena)), "%s", clause);
    return 0;
}

/*
 * Expressions of spec.columns.overrides. The input is one, over columns of every type
 * and of hostile names. What is accepted must come out as one value made of these
 * columns: no second column, no comment, no word that the language does not have. The
 * same bytes as a text literal must come out as that text, of type VARCHAR.
 */
#include "fuzz.h"
#include "relex.h"

#include "ddl/expr.h"

#include <string.h>

#define INPUT_BYTES_MAX ((size_t)2048)

static const struct {
    const char *name;
    enum rw_type type;
} table[] = {
    {"id", RW_BIGINT},        {"name", RW_VARCHAR},
    {"price", RW_DECIMAL},    {"qty", RW_INTEGER},
    {"small", RW_SMALLINT},   {"flag", RW_BOOLEAN},
    {"ratio", RW_DOUBLE},     {"f", RW_REAL},
    {"day", RW_DATE},         {"at", RW_TIMESTAMP},
    {"seen", RW_TIMESTAMPTZ}, {"clock", RW_TIME},
    {"raw", RW_BYTEA},        {"doc", RW_JSONB},
    {"geo", RW_UNSET},        {"select", RW_VARCHAR},
    {"x;y--", RW_VARCHAR},    {"it's", RW_VARCHAR},
    {"/*c*/", RW_INTEGER},    {"\u540d\u524d", RW_VARCHAR},
    {" a b ", RW_BIGINT},
};

struct scene {
    struct arena *arena;
    struct expr_column columns[COUNT_OF(table)];
    const char *functions; /* ", abs, btrim, " */
};

/* What a token may stand between. */
struct reading {
    struct relex lexer;
    int depth, deepest; /* of parentheses */
    bool after_value;   /* a second value here would be an alias */
    bool names_type;    /* a type must follow */
    bool names_zone;
    bool opens; /* a parenthesis must follow */
    bool used[COUNT_OF(table)];
};

static bool in_list(struct sv word, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (sv_eq(word, sv_from(list[i]))) {
            return true;
        }
    }
    return false;
}

static bool is_type(struct sv word)
{
    for (enum rw_type type = RW_UNSET + 1; type < RW_TYPE_MAX; type++) {
        if (sv_eq(word, sv_from(rw_type_name(type)))) {
            return true;
        }
    }
    return false;
}

static void read_word(struct reading *r, const struct scene *scene, struct sv word)
{
    static const char *const values[] = {"TRUE", "FALSE", "NULL", "END"};
    static const char *const starts[] = {"CASE", "NOT"};
    static const char *const joints[] = {"AND",  "OR",   "IS",   "AT", "TIME",
                                         "WHEN", "THEN", "ELSE", "AS", "ZONE"};
    const char *call = arena_printf(scene->arena, ", %.*s, ", SV_ARGS(word));

    if (r->names_type) {
        fuzz_require(is_type(word), "type %.*s", SV_ARGS(word));
        r->names_type = false;
        r->after_value = true;
    } else if (in_list(word, values, COUNT_OF(values))) {
        fuzz_require(!r->after_value || sv_eq(word, SV("END")), "%.*s after a value",
                     SV_ARGS(word));
        r->after_value = true;
    } else if (in_list(word, joints, COUNT_OF(joints))) {
        r->names_type = sv_eq(word, SV("AS"));
        r->names_zone = sv_eq(word, SV("ZONE"));
        fuzz_require(!r->names_type || r->depth > 0, "an alias");
        r->after_value = false;
    } else if (in_list(word, starts, COUNT_OF(starts))) {
        fuzz_require(!r->after_value, "%.*s after a value", SV_ARGS(word));
    } else {
        fuzz_require(!r->after_value &&
                         (sv_eq(word, SV("CAST")) || strstr(scene->functions, call)),
                     "word %.*s", SV_ARGS(word));
        r->opens = true;
    }
}

static void read_punct(struct reading *r, struct sv punct)
{
    static const char *const operators[] = {"+", "-", "*",  "/",  "%",  "||", "=",
                                            "<", ">", "<>", "<=", ">=", "->", "->>"};

    if (sv_eq(punct, SV("("))) {
        fuzz_require(!r->after_value, "a call of what is no function");
        r->depth++;
        r->deepest = r->depth > r->deepest ? r->depth : r->deepest;
    } else if (sv_eq(punct, SV(")"))) {
        r->depth--;
        r->after_value = true;
        fuzz_require(r->depth >= 0, "the statement's own parenthesis");
    } else if (sv_eq(punct, SV(","))) {
        fuzz_require(r->depth > 0, "a second column");
        r->after_value = false;
    } else if (sv_eq(punct, SV("::"))) {
        fuzz_require(r->after_value, "a cast of nothing");
        r->names_type = true;
    } else {
        fuzz_require(in_list(punct, operators, COUNT_OF(operators)), "%.*s",
                     SV_ARGS(punct));
        r->after_value = false;
    }
}

static void read_name(struct reading *r, struct sv name)
{
    size_t i = 0;

    while (i < COUNT_OF(table) && !sv_eq(name, sv_from(table[i].name))) {
        i++;
    }
    fuzz_require(i < COUNT_OF(table) && table[i].type != RW_UNSET, "column %.*s",
                 SV_ARGS(name));
    fuzz_require(!r->after_value, "alias %.*s", SV_ARGS(name));
    r->used[i] = true;
    r->after_value = true;
}

/* One token; false: it was the last. */
static bool read_token(struct reading *r, const struct scene *scene)
{
    struct relex_token token = relex_next(&r->lexer);
    bool opens = r->opens, names_type = r->names_type, names_zone = r->names_zone;

    fuzz_require(!opens || (token.kind == RELEX_PUNCT && sv_eq(token.text, SV("("))),
                 "a name without quotes");
    fuzz_require(!names_type || token.kind == RELEX_WORD, "a type that is no word");
    fuzz_require(!names_zone || token.kind == RELEX_STRING, "a zone that is no text");
    r->opens = r->names_zone = false;
    switch (token.kind) {
    case RELEX_END:
        return false;
    case RELEX_WORD:
        read_word(r, scene, token.text);
        return true;
    case RELEX_IDENT:
        read_name(r, token.text);
        return true;
    case RELEX_STRING:
    case RELEX_NUMBER:
        fuzz_require(!r->after_value, "%.*s after a value", SV_ARGS(token.text));
        r->after_value = true;
        return true;
    case RELEX_PUNCT:
        read_punct(r, token.text);
        return true;
    case RELEX_COMMENT:
    case RELEX_BAD:
        break;
    }
    fuzz_require(false, "token of kind %d: %.*s", (int)token.kind, SV_ARGS(token.text));
    return false;
}

static struct sv written(const struct expr *expr, struct arena *arena)
{
    AUTO(buf_deinit) struct buf text = {0};
    struct stmt *s = stmt_new(arena, SQL_RISINGWAVE);
    struct fault fault = FAULT_INIT;

    expr_write(s, expr);
    fuzz_require(stmt_check(s, &fault), "%s", fault.text);
    buf_init(&text, STMT_BYTES_MAX);
    stmt_render(s, &text);
    return sv_from(buf_take(&text, arena));
}

/* How deep its parentheses go. */
static int check_tokens(const struct expr *expr, struct sv text,
                        const struct scene *scene)
{
    struct reading r = {.lexer = {SQL_RISINGWAVE, text, scene->arena}};

    while (read_token(&r, scene)) {
    }
    fuzz_require(r.depth == 0 && r.after_value, "not a whole value: %.*s", SV_ARGS(text));
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        fuzz_require(r.used[i] == expr_uses(expr, i), "column %s in %.*s", table[i].name,
                     SV_ARGS(text));
    }
    return r.deepest;
}

/* Writing and reading again changes nothing, nor does a cast on top confuse it. */
static void check_again(const struct expr *expr, const struct scene *scene, bool casts)
{
    const struct expr *again = NULL;
    struct fault fault = FAULT_INIT;
    const char *text = expr_text(expr, scene->arena);
    struct sv sql = written(expr, scene->arena);

    int deepest = check_tokens(expr, sql, scene);
    if (!expr_parse(text, scene->columns, COUNT_OF(table), scene->arena, &again,
                    &fault)) {
        /* What is written again has more parentheses and casts than what users write,
         * and only that has limits. */
        bool deep = strstr(fault.text, "levels deep") && deepest > EXPR_DEPTH_MAX / 2;
        fuzz_require(deep || strlen(text) > EXPR_BYTES_MAX, "%s: %s", text, fault.text);
        return;
    }
    const char *again_text = expr_text(again, scene->arena);
    fuzz_require(strcmp(text, again_text) == 0, "%s became %s", text, again_text);
    struct sv again_sql = written(again, scene->arena);
    fuzz_require(sv_eq(sql, again_sql), "%.*s became %.*s", SV_ARGS(sql),
                 SV_ARGS(again_sql));
    fuzz_require(expr_type(expr) == expr_type(again), "another type: %s", text);
    for (enum rw_type to = RW_UNSET + 1; casts && to < RW_TYPE_MAX; to++) {
        if (expr_type(expr) != RW_UNSET && expr_can_cast(expr_type(expr), to)) {
            const struct expr *cast = expr_cast(expr, to, scene->arena);
            fuzz_require(expr_type(cast) == to, "%s to %s", text, rw_type_name(to));
            check_again(cast, scene, false);
        }
    }
}

static void check_literal(struct sv value, const struct scene *scene)
{
    AUTO(buf_deinit) struct buf text = {0};
    const struct expr *expr = NULL;
    struct fault fault = FAULT_INIT;

    buf_init(&text, 2 * INPUT_BYTES_MAX + 3);
    buf_addc(&text, '\'');
    for (size_t i = 0; i < value.n; i++) {
        buf_add(&text, value.p[i] == '\'' ? SV("''") : sv_sub(value, i, 1));
    }
    buf_addc(&text, '\'');
    bool sound = fuzz_is_utf8(value) && text.n <= EXPR_BYTES_MAX;
    bool taken = expr_parse(buf_z(&text), scene->columns, COUNT_OF(table), scene->arena,
                            &expr, &fault);
    fuzz_require(taken == sound, "%s: %s", buf_z(&text), fault.text);
    if (taken) {
        struct relex lexer = {SQL_RISINGWAVE, written(expr, scene->arena), scene->arena};
        relex_expect(&lexer, RELEX_STRING, value);
        relex_expect(&lexer, RELEX_PUNCT, SV("::"));
        relex_expect(&lexer, RELEX_WORD, SV("VARCHAR"));
        relex_expect(&lexer, RELEX_END, SV_NULL);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
    AUTO(arena_freep) struct arena *arena = NULL;
    static const char untouched;
    const struct expr *const nothing = (const void *)&untouched;
    const struct expr *expr = nothing;
    struct fault fault = FAULT_INIT;
    struct scene scene = {0};

    if (size_bytes > INPUT_BYTES_MAX) {
        return -1;
    }
    scene.arena = arena = arena_new(ARENA_CEILING_BYTES);
    scene.functions = arena_printf(arena, ", %s, ", expr_functions(arena));
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        struct expr_column *column = &scene.columns[i];
        column->name = table[i].name;
        column->type = table[i].type;
        fuzz_require(column->type == RW_UNSET ||
                         ident_parse(arena, sv_from(column->name), SQL_RISINGWAVE,
                                     IDENT_COLUMN, &column->ident, &fault),
                     "%s", fault.text);
    }
    const char *text = fuzz_text(arena, (struct sv){(const char *)data, size_bytes});
    check_literal(sv_from(text), &scene);
    if (!expr_parse(text, scene.columns, COUNT_OF(table), arena, &expr, &fault)) {
        fuzz_refusal(&fault, "InvalidOverride");
        fuzz_require(expr == nothing, "output written on failure");
        return 0;
    }
    fuzz_reached();
    fuzz_require(strlen(text) <= EXPR_BYTES_MAX, "longer than allowed");
    check_again(expr, &scene, true);
    return 0;
}

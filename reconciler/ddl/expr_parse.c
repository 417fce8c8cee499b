/* Recursive descent over the words of an expression; the grammar stands in expr.h. */
#include "ddl/expr_token.h"

#include <string.h>

typedef bool parse_level(struct parser *p, const struct expr **out_expr);

bool parser_advance(struct parser *p)
{
    return lexer_take(&p->lexer, p->arena, &p->token, p->fault);
}

bool parser_at_symbol(const struct parser *p, const char *symbol)
{
    return p->token.kind == TOKEN_SYMBOL && sv_eq(p->token.text, sv_from(symbol));
}

bool parser_at_word(const struct parser *p, const char *word)
{
    return p->token.kind == TOKEN_WORD && sv_eq_nocase(p->token.text, sv_from(word));
}

/* Takes what must stand here. */
bool parser_take(struct parser *p, const char *text)
{
    if (!parser_at_symbol(p, text) && !parser_at_word(p, text)) {
        return token_refuse(&p->token, p->fault,
                            arena_printf(p->arena, "%s must stand here", text));
    }
    return parser_advance(p);
}

/* Says at which word a type rule was broken. */
bool parser_finished(struct parser *p, const struct token *at, bool ok,
                     const struct expr *expr)
{
    if (!ok) {
        return fault_wrap(p->fault, "at byte %zu", at->at + 1);
    }
    if (expr->depth > EXPR_DEPTH_MAX) {
        return token_refuse(at, p->fault,
                            arena_printf(p->arena,
                                         "the expression is nested more than "
                                         "%d levels deep",
                                         EXPR_DEPTH_MAX));
    }
    return true;
}

static bool make_binary(struct parser *p, const struct token *at,
                        enum expr_operator operation, const struct expr *left,
                        const struct expr *right, const struct expr **out_expr)
{
    struct expr *binary = expr_new(p->arena, EXPR_BINARY, RW_UNSET);

    binary->operation = operation;
    expr_add(p->arena, binary, left);
    expr_add(p->arena, binary, right);
    *out_expr = binary;
    return parser_finished(p, at, expr_finish_binary(p->arena, binary, p->fault), binary);
}

/* A level of operators that group from the left; each is followed by the next level. */
static bool parse_chain(struct parser *p, parse_level *next,
                        const enum expr_operator *operators, size_t count,
                        const struct expr **out_expr)
{
    if (!next(p, out_expr)) {
        return false;
    }
    for (size_t i = 0; i < count;) {
        struct sv text = sv_from(expr_operator_text(operators[i]));
        bool here = p->token.kind != TOKEN_TEXT && p->token.kind != TOKEN_NAME &&
                    sv_eq_nocase(p->token.text, text);
        const struct token at = p->token;
        const struct expr *right = NULL;
        if (!here) {
            i++;
            continue;
        }
        if (!parser_advance(p) || !next(p, &right) ||
            !make_binary(p, &at, operators[i], *out_expr, right, out_expr)) {
            return false;
        }
        i = 0;
    }
    return true;
}

static bool parse_zone(struct parser *p, const struct expr **out_expr)
{
    const struct token at = p->token;
    struct expr *zone = expr_new(p->arena, EXPR_ZONE, RW_UNSET);

    expr_add(p->arena, zone, *out_expr);
    if (!parser_advance(p) || !parser_take(p, "TIME") || !parser_take(p, "ZONE")) {
        return false;
    }
    if (p->token.kind != TOKEN_TEXT) {
        return token_refuse(&p->token, p->fault, "a time zone in quotes must stand here");
    }
    zone->text = p->token.text;
    *out_expr = zone;
    return parser_finished(p, &at, expr_finish_zone(zone, p->fault), zone) &&
           parser_advance(p);
}

/* Keys and places in arrays are literals: what is read does not depend on the row. */
static bool parse_json_key(struct parser *p, enum expr_operator operation,
                           const struct expr **out_expr)
{
    const struct token at = p->token;
    const struct expr *key = NULL;
    int64_t place;

    if (!parser_advance(p)) {
        return false;
    }
    bool number = p->token.kind == TOKEN_NUMBER && sv_int64(p->token.text, &place) &&
                  place <= INT32_MAX;
    if (!number && p->token.kind != TOKEN_TEXT) {
        return token_refuse(&p->token, p->fault,
                            "a key in quotes or a place in the array must stand here");
    }
    return parse_primary(p, &key) &&
           make_binary(p, &at, operation, *out_expr, key, out_expr);
}

static bool parse_cast(struct parser *p, const struct expr **out_expr)
{
    const struct token at = p->token;
    enum rw_type type;

    if (!parser_advance(p) || !parse_type(p, &type)) {
        return false;
    }
    bool ok = expr_make_cast(p->arena, *out_expr, type, out_expr, p->fault);
    return parser_finished(p, &at, ok, *out_expr);
}

static bool parse_postfix(struct parser *p, const struct expr **out_expr)
{
    bool ok = parse_primary(p, out_expr);

    for (;;) {
        if (!ok) {
            return false;
        }
        if (parser_at_symbol(p, "::")) {
            ok = parse_cast(p, out_expr);
        } else if (parser_at_word(p, "AT")) {
            ok = parse_zone(p, out_expr);
        } else if (parser_at_symbol(p, "->")) {
            ok = parse_json_key(p, OPERATOR_JSON, out_expr);
        } else if (parser_at_symbol(p, "->>")) {
            ok = parse_json_key(p, OPERATOR_JSON_TEXT, out_expr);
        } else {
            return true;
        }
    }
}

/* A sign or a NOT in front of what `next` parses. */
static bool parse_prefix(struct parser *p, enum expr_kind kind, parse_level *next,
                         const struct expr **out_expr)
{
    const struct token at = p->token;
    struct expr *expr = expr_new(p->arena, kind, RW_BOOLEAN);
    const struct expr *part = NULL;

    if (!parser_advance(p) || !next(p, &part)) {
        return false;
    }
    expr_add(p->arena, expr, part);
    *out_expr = expr;
    return parser_finished(p, &at,
                           kind == EXPR_NOT ? expr_need_boolean(part, "NOT", p->fault)
                                            : expr_finish_negation(expr, p->fault),
                           expr);
}

static bool parse_nested(struct parser *p, enum expr_kind kind, parse_level *next,
                         const struct expr **out_expr)
{
    if (p->nesting == NESTING_MAX) {
        return token_refuse(&p->token, p->fault, "the expression is nested too deep");
    }
    p->nesting++;
    bool ok = parse_prefix(p, kind, next, out_expr);
    p->nesting--;
    return ok;
}

static bool parse_unary(struct parser *p, const struct expr **out_expr)
{
    if (parser_at_symbol(p, "-")) {
        return parse_nested(p, EXPR_NEGATE, parse_unary, out_expr);
    }
    return parse_postfix(p, out_expr);
}

static bool parse_product(struct parser *p, const struct expr **out_expr)
{
    static const enum expr_operator operators[] = {OPERATOR_TIMES, OPERATOR_DIVIDE,
                                                   OPERATOR_MODULO};

    return parse_chain(p, parse_unary, operators, COUNT_OF(operators), out_expr);
}

static bool parse_sum(struct parser *p, const struct expr **out_expr)
{
    static const enum expr_operator operators[] = {OPERATOR_PLUS, OPERATOR_MINUS,
                                                   OPERATOR_CONCAT};

    return parse_chain(p, parse_product, operators, COUNT_OF(operators), out_expr);
}

static bool parse_is_null(struct parser *p, const struct expr **out_expr)
{
    const struct token at = p->token;

    if (!parser_advance(p)) {
        return false;
    }
    bool negated = parser_at_word(p, "NOT");
    if ((negated && !parser_advance(p)) || !parser_take(p, "NULL")) {
        return false;
    }
    struct expr *expr =
        expr_new(p->arena, negated ? EXPR_IS_NOT_NULL : EXPR_IS_NULL, RW_BOOLEAN);
    expr_add(p->arena, expr, *out_expr);
    if ((*out_expr)->kind == EXPR_NULL || (*out_expr)->kind == EXPR_TEXT) {
        return token_refuse(&at, p->fault, "a literal is NULL or not, whatever the row");
    }
    *out_expr = expr;
    return parser_finished(p, &at, true, expr);
}

static enum expr_operator comparison_at(const struct parser *p)
{
    for (enum expr_operator i = OPERATOR_EQUAL; i <= OPERATOR_GREATER_EQUAL; i++) {
        if (parser_at_symbol(p, expr_operator_text(i))) {
            return i;
        }
    }
    return OPERATOR_MAX;
}

static bool parse_comparison(struct parser *p, const struct expr **out_expr)
{
    if (!parse_sum(p, out_expr)) {
        return false;
    }
    if (parser_at_word(p, "IS")) {
        return parse_is_null(p, out_expr);
    }
    const struct token at = p->token;
    enum expr_operator operation = comparison_at(p);
    const struct expr *right = NULL;
    if (operation == OPERATOR_MAX) {
        return true;
    }
    if (!parser_advance(p) || !parse_sum(p, &right) ||
        !make_binary(p, &at, operation, *out_expr, right, out_expr)) {
        return false;
    }
    if (comparison_at(p) != OPERATOR_MAX || parser_at_word(p, "IS")) {
        return token_refuse(&p->token, p->fault,
                            "comparisons cannot be chained: join them with AND");
    }
    return true;
}

static bool parse_not(struct parser *p, const struct expr **out_expr)
{
    if (parser_at_word(p, "NOT")) {
        return parse_nested(p, EXPR_NOT, parse_not, out_expr);
    }
    return parse_comparison(p, out_expr);
}

static bool parse_and(struct parser *p, const struct expr **out_expr)
{
    static const enum expr_operator operators[] = {OPERATOR_AND};

    return parse_chain(p, parse_not, operators, COUNT_OF(operators), out_expr);
}

bool parse_expr(struct parser *p, const struct expr **out_expr)
{
    static const enum expr_operator operators[] = {OPERATOR_OR};

    if (p->nesting == NESTING_MAX) {
        return token_refuse(&p->token, p->fault, "the expression is nested too deep");
    }
    p->nesting++;
    bool ok = parse_chain(p, parse_and, operators, COUNT_OF(operators), out_expr);
    p->nesting--;
    return ok;
}

/* A literal alone gets its type spelled out, as anywhere else. */
static bool close_type(struct parser *p, const struct expr **in_out_expr)
{
    if ((*in_out_expr)->kind != EXPR_TEXT) {
        return true;
    }
    return expr_make_cast(p->arena, *in_out_expr, RW_VARCHAR, in_out_expr, p->fault);
}

bool expr_parse(const char *text, const struct expr_column *columns, size_t count,
                struct arena *arena, const struct expr **out_expr, struct fault *fault)
{
    struct parser p = {.lexer = {sv_from(text), 0},
                       .columns = columns,
                       .count = count,
                       .arena = arena,
                       .fault = fault};
    const struct expr *expr = NULL;

    if (p.lexer.text.n > EXPR_BYTES_MAX) {
        return REFUSE(fault, "the expression is longer than %zu bytes", EXPR_BYTES_MAX);
    }
    if (!sv_is_utf8(p.lexer.text)) {
        return REFUSE(fault, "the expression is not valid UTF-8");
    }
    if (!parser_advance(&p) || !parse_expr(&p, &expr)) {
        return false;
    }
    if (p.token.kind != TOKEN_END) {
        return token_refuse(&p.token, fault, "the expression should have ended here");
    }
    must(expr != NULL);
    if (!close_type(&p, &expr)) {
        return false;
    }
    *out_expr = expr;
    return true;
}

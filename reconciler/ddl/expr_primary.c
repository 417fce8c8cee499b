/* The smallest parts of an expression: columns, literals, casts, CASE and calls. */
#include "ddl/expr_token.h"

#include <string.h>

static bool find_column(struct parser *p, const struct expr **out_expr)
{
    AUTO(buf_deinit) struct buf names = {0};

    buf_init(&names, 400);
    for (size_t i = 0; i < p->count; i++) {
        const struct expr_column *column = &p->columns[i];
        if (sv_eq_nocase(p->token.text, sv_from(column->name))) {
            if (column->type == RW_UNSET) {
                return token_refuse(&p->token, p->fault,
                                    "RisingWave has no type for this column, so an "
                                    "expression cannot read it");
            }
            struct expr *expr = expr_new(p->arena, EXPR_COLUMN, column->type);
            expr->column = column;
            expr->index = i;
            *out_expr = expr;
            return parser_advance(p);
        }
        buf_addf(&names, "%s%s", i == 0 ? "" : ", ", column->name);
    }
    return token_refuse(
        &p->token, p->fault,
        arena_printf(p->arena, "the table has no such column; it has %s%s", buf_z(&names),
                     buf_overflowed(&names) ? ", ..." : ""));
}

static bool parse_number(struct parser *p, const struct expr **out_expr)
{
    struct token at = p->token;
    int64_t value;

    if (sv_int64(at.text, &value)) {
        struct expr *expr =
            expr_new(p->arena, EXPR_NUMBER, value > INT32_MAX ? RW_BIGINT : RW_INTEGER);
        expr->number = value;
        *out_expr = expr;
        return parser_advance(p);
    }
    struct expr *digits = expr_new(p->arena, EXPR_TEXT, RW_VARCHAR);
    digits->text = arena_sv(p->arena, at.text);
    return parser_finished(
               p, &at, expr_make_cast(p->arena, digits, RW_DECIMAL, out_expr, p->fault),
               digits) &&
           parser_advance(p);
}

static bool parse_text(struct parser *p, const struct expr **out_expr)
{
    struct expr *expr = expr_new(p->arena, EXPR_TEXT, RW_VARCHAR);

    expr->text = p->token.text;
    *out_expr = expr;
    return parser_advance(p);
}

/* Types have no arguments in RisingWave's SQL (risingwave.md 3.4). */
bool parse_type(struct parser *p, enum rw_type *out_type)
{
    enum rw_type type =
        p->token.kind == TOKEN_WORD ? expr_cast_type_find(p->token.text) : RW_UNSET;
    bool is_double = parser_at_word(p, "double");

    if (type == RW_UNSET) {
        return token_refuse(&p->token, p->fault,
                            "a type must stand here: boolean, smallint, int, bigint, "
                            "decimal, real, double, varchar, date, time, timestamp, "
                            "timestamptz, bytea or jsonb");
    }
    *out_type = type;
    if (!parser_advance(p) ||
        (is_double && parser_at_word(p, "precision") && !parser_advance(p))) {
        return false;
    }
    if (parser_at_symbol(p, "(")) {
        return token_refuse(&p->token, p->fault,
                            "RisingWave's types take no length and no precision: leave "
                            "it out and set targetType");
    }
    return true;
}

static bool parse_cast_call(struct parser *p, const struct expr **out_expr)
{
    const struct token at = p->token;
    enum rw_type type = RW_UNSET;

    if (!parser_advance(p) || !parser_take(p, "(") || !parse_expr(p, out_expr) ||
        !parser_take(p, "AS") || !parse_type(p, &type) || !parser_take(p, ")")) {
        return false;
    }
    bool ok = expr_make_cast(p->arena, *out_expr, type, out_expr, p->fault);
    return parser_finished(p, &at, ok, *out_expr);
}

static bool parse_case(struct parser *p, const struct expr **out_expr)
{
    const struct token at = p->token;
    struct expr *expr = expr_new(p->arena, EXPR_CASE, RW_UNSET);
    const struct expr *when = NULL, *then = NULL;

    if (!parser_advance(p)) {
        return false;
    }
    do {
        if (!parser_take(p, "WHEN") || !parse_expr(p, &when) || !parser_take(p, "THEN") ||
            !parse_expr(p, &then)) {
            return false;
        }
        expr_add(p->arena, expr, then);
        expr_add(p->arena, expr, when);
    } while (parser_at_word(p, "WHEN"));
    if (parser_at_word(p, "ELSE")) {
        if (!parser_advance(p) || !parse_expr(p, &then)) {
            return false;
        }
        expr_add(p->arena, expr, then);
    }
    *out_expr = expr;
    return parser_take(p, "END") &&
           parser_finished(p, &at, expr_finish_case(p->arena, expr, p->fault), expr);
}

static bool parse_call(struct parser *p, const struct token *name,
                       const struct expr **out_expr)
{
    struct expr *call = expr_new(p->arena, EXPR_CALL, RW_UNSET);

    call->function = expr_function_find(name->text);
    if (call->function == FUNCTION_MAX) {
        return token_refuse(name, p->fault,
                            arena_printf(p->arena,
                                         "there is no such function here; there are %s",
                                         expr_functions(p->arena)));
    }
    if (!parser_advance(p)) {
        return false;
    }
    while (!parser_at_symbol(p, ")")) {
        const struct expr *argument = NULL;
        if ((call->parts.n > 0 && !parser_take(p, ",")) || !parse_expr(p, &argument)) {
            return false;
        }
        expr_add(p->arena, call, argument);
    }
    *out_expr = call;
    return parser_advance(p) &&
           parser_finished(p, name, expr_finish_call(p->arena, call, p->fault), call);
}

/* A word is what its neighbours make of it: TRUE, a call, or a column of that name. */
static bool parse_word(struct parser *p, const struct expr **out_expr)
{
    static const struct {
        const char *word;
        enum expr_kind kind;
        enum rw_type type;
    } constants[] = {{"TRUE", EXPR_TRUE, RW_BOOLEAN},
                     {"FALSE", EXPR_FALSE, RW_BOOLEAN},
                     {"NULL", EXPR_NULL, RW_UNSET}};
    static const char *const reserved[] = {"AND",  "OR",   "NOT",    "IS",  "CASE",
                                           "WHEN", "THEN", "ELSE",   "END", "AS",
                                           "AT",   "CAST", "SELECT", "FROM"};

    for (size_t i = 0; i < COUNT_OF(constants); i++) {
        if (parser_at_word(p, constants[i].word)) {
            *out_expr = expr_new(p->arena, constants[i].kind, constants[i].type);
            return parser_advance(p);
        }
    }
    if (parser_at_word(p, "CASE")) {
        return parse_case(p, out_expr);
    }
    if (parser_at_word(p, "CAST")) {
        return parse_cast_call(p, out_expr);
    }
    for (size_t i = 0; i < COUNT_OF(reserved); i++) {
        if (parser_at_word(p, reserved[i])) {
            return token_refuse(&p->token, p->fault,
                                "a value must stand here; a column of this name is "
                                "written in double quotes");
        }
    }
    struct parser ahead = *p;
    if (!parser_advance(&ahead)) {
        return false;
    }
    if (!parser_at_symbol(&ahead, "(")) {
        return find_column(p, out_expr);
    }
    const struct token name = p->token;
    p->lexer = ahead.lexer;
    p->token = ahead.token;
    return parse_call(p, &name, out_expr);
}

bool parse_primary(struct parser *p, const struct expr **out_expr)
{
    switch (p->token.kind) {
    case TOKEN_WORD:
        return parse_word(p, out_expr);
    case TOKEN_NAME:
        return find_column(p, out_expr);
    case TOKEN_NUMBER:
        return parse_number(p, out_expr);
    case TOKEN_TEXT:
        return parse_text(p, out_expr);
    case TOKEN_SYMBOL:
        if (parser_at_symbol(p, "(")) {
            return parser_advance(p) && parse_expr(p, out_expr) && parser_take(p, ")");
        }
        break;
    case TOKEN_END:
        break;
    }
    return token_refuse(&p->token, p->fault, "a value must stand here");
}

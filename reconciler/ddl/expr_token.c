/* Words of the expression language. What is not a word of it is refused here. */
#include "ddl/expr_token.h"

#include <string.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Also what lies outside ASCII: MySQL has such names. */
static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           (unsigned char)c >= 0x80;
}

bool token_refuse(const struct token *token, struct fault *fault, const char *why)
{
    if (token->kind == TOKEN_END) {
        return REFUSE(fault, "at the end: %s", why);
    }
    struct sv shown = sv_utf8_prefix(token->text, 40);
    return REFUSE(fault, "at byte %zu, '%.*s': %s", token->at + 1, SV_ARGS(shown), why);
}

static bool refuse_char(const struct lexer *lexer, size_t n, const char *why,
                        struct fault *fault)
{
    struct token token = {TOKEN_SYMBOL, lexer->at, sv_sub(lexer->text, lexer->at, n)};

    return token_refuse(&token, fault, why);
}

static const char *symbol_advice(char c)
{
    switch (c) {
    case ';':
        return "an expression is one value, not a statement";
    case '.':
        return "schemas and tables cannot be named, and a number begins with a digit";
    case '`':
        return "write a name in double quotes";
    case '!':
        return "write <> for 'not equal'";
    case '$':
        return "there are no parameters and no dollar quotes; a name that holds it is "
               "written in double quotes";
    case '[':
    case '{':
        return "there are no arrays and structs here";
    default:
        return "no word of an expression begins with this";
    }
}

/* In single quotes for text, '' is one of them; a name has no such escape. */
static bool lex_quoted(struct lexer *lexer, struct arena *arena, struct token *out_token,
                       struct fault *fault)
{
    char quote = lexer->text.p[lexer->at];
    AUTO(buf_deinit) struct buf content = {0};
    size_t i = lexer->at + 1;

    buf_init(&content, EXPR_BYTES_MAX);
    for (; i < lexer->text.n; i++) {
        char c = lexer->text.p[i];
        bool doubled =
            c == quote && i + 1 < lexer->text.n && lexer->text.p[i + 1] == quote;
        if (c == quote && !doubled) {
            break;
        }
        if (doubled && quote == '"') {
            return refuse_char(lexer, i + 2 - lexer->at,
                               "RisingWave cannot write a name that holds a double quote",
                               fault);
        }
        buf_addc(&content, c);
        i += doubled ? 1 : 0;
    }
    if (i == lexer->text.n) {
        return refuse_char(lexer, lexer->text.n,
                           quote == '"' ? "the closing double quote is missing"
                                        : "the closing quote is missing",
                           fault);
    }
    *out_token = (struct token){quote == '"' ? TOKEN_NAME : TOKEN_TEXT, lexer->at,
                                sv_from(buf_take(&content, arena))};
    lexer->at = i + 1;
    return true;
}

static size_t run_of(const struct lexer *lexer, size_t from, bool names)
{
    size_t n = 0;

    while (from + n < lexer->text.n &&
           (is_digit(lexer->text.p[from + n]) ||
            (names && is_name_char(lexer->text.p[from + n])))) {
        n++;
    }
    return n;
}

static bool lex_number(struct lexer *lexer, struct token *out_token, struct fault *fault)
{
    size_t n = run_of(lexer, lexer->at, false);
    size_t after = lexer->at + n;

    if (after < lexer->text.n && lexer->text.p[after] == '.') {
        size_t fraction = run_of(lexer, after + 1, false);
        if (fraction == 0) {
            return refuse_char(lexer, n + 1, "digits must follow the point", fault);
        }
        n += 1 + fraction;
        after = lexer->at + n;
    }
    if (after < lexer->text.n &&
        (is_name_char(lexer->text.p[after]) || strchr(".$", lexer->text.p[after]))) {
        return refuse_char(lexer, n + 1,
                           "a number is digits with at most one point between them; "
                           "for powers of ten write a cast such as 1000::DOUBLE",
                           fault);
    }
    *out_token =
        (struct token){TOKEN_NUMBER, lexer->at, sv_sub(lexer->text, lexer->at, n)};
    lexer->at = after;
    return true;
}

static bool lex_symbol(struct lexer *lexer, struct token *out_token, struct fault *fault)
{
    static const char *const symbols[] = {"->>", "->", "<>", "<=", ">=", "||",
                                          "::",  "(",  ")",  ",",  "+",  "-",
                                          "*",   "/",  "%",  "=",  "<",  ">"};
    struct sv rest = sv_sub(lexer->text, lexer->at, lexer->text.n);

    if (sv_starts(rest, SV("--")) || sv_starts(rest, SV("/*"))) {
        return refuse_char(lexer, 2, "comments cannot stand in an expression", fault);
    }
    for (size_t i = 0; i < COUNT_OF(symbols); i++) {
        if (sv_starts(rest, sv_from(symbols[i]))) {
            size_t n = strlen(symbols[i]);
            *out_token = (struct token){TOKEN_SYMBOL, lexer->at, sv_sub(rest, 0, n)};
            lexer->at += n;
            return true;
        }
    }
    return refuse_char(lexer, 1, symbol_advice(rest.p[0]), fault);
}

bool lexer_take(struct lexer *lexer, struct arena *arena, struct token *out_token,
                struct fault *fault)
{
    while (lexer->at < lexer->text.n &&
           strchr(" \t\r\n", lexer->text.p[lexer->at]) != NULL) {
        lexer->at++;
    }
    if (lexer->at == lexer->text.n) {
        *out_token = (struct token){TOKEN_END, lexer->at, SV_NULL};
        return true;
    }
    char c = lexer->text.p[lexer->at];
    if (c == '\'' || c == '"') {
        return lex_quoted(lexer, arena, out_token, fault);
    }
    if (is_digit(c)) {
        return lex_number(lexer, out_token, fault);
    }
    if (!is_name_char(c)) {
        return lex_symbol(lexer, out_token, fault);
    }
    size_t n = run_of(lexer, lexer->at, true);
    *out_token = (struct token){TOKEN_WORD, lexer->at, sv_sub(lexer->text, lexer->at, n)};
    lexer->at += n;
    if (lexer->at == lexer->text.n) {
        return true;
    }
    if (lexer->text.p[lexer->at] == '$') {
        return refuse_char(lexer, 1, symbol_advice('$'), fault);
    }
    if (lexer->text.p[lexer->at] == '\'') {
        return refuse_char(lexer, 1, "a text literal has no letter in front of its quote",
                           fault);
    }
    return true;
}

/* expr_token: the words of an expression, one at a time, and the parser that eats them.
 */
#ifndef DDL_EXPR_TOKEN_H
#define DDL_EXPR_TOKEN_H

#include "base/buf.h"
#include "ddl/expr_private.h"

enum token_kind {
    TOKEN_END = 0,
    TOKEN_WORD, /* without quotes: a keyword, a function or a column */
    TOKEN_NAME, /* in double quotes: a column; text is what stands inside */
    TOKEN_NUMBER,
    TOKEN_TEXT, /* a literal; text is its value */
    TOKEN_SYMBOL
};

struct token {
    enum token_kind kind;
    size_t at; /* offset in bytes */
    struct sv text;
};

struct lexer {
    struct sv text;
    size_t at;
};

/* Takes the next token; values of literals and names live in the arena. */
MUST_CHECK bool lexer_take(struct lexer *lexer, struct arena *arena,
                           struct token *out_token, struct fault *fault);
/* Refuses with the place, what stands there and why. Always false. */
bool token_refuse(const struct token *token, struct fault *fault, const char *why);

/* Parentheses nest twice as deep as the tree may be: each level may write a pair. */
#define NESTING_MAX ((size_t)2 * EXPR_DEPTH_MAX)

struct parser {
    struct lexer lexer;
    struct token token; /* the one that comes next */
    const struct expr_column *columns;
    size_t count, nesting;
    struct arena *arena;
    struct fault *fault;
};

MUST_CHECK bool parser_advance(struct parser *p);
bool parser_at_symbol(const struct parser *p, const char *symbol);
bool parser_at_word(const struct parser *p, const char *word); /* any case, no quotes */
/* Takes the symbol or word that must stand here. */
MUST_CHECK bool parser_take(struct parser *p, const char *text);
/* Says at which token a type rule was broken, and holds the depth. */
MUST_CHECK bool parser_finished(struct parser *p, const struct token *at, bool ok,
                                const struct expr *expr);
MUST_CHECK bool parse_expr(struct parser *p, const struct expr **out_expr);
MUST_CHECK bool parse_type(struct parser *p, enum rw_type *out_type);
MUST_CHECK bool parse_primary(struct parser *p, const struct expr **out_expr);

#endif

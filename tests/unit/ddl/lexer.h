/* lexer: what RisingWave's and StarRocks' own lexers make of a statement, told by
 * contract. */
#ifndef UNIT_DDL_LEXER_H
#define UNIT_DDL_LEXER_H

#include "ddl/ident.h"

enum token_kind {
    TOKEN_END = 0,
    TOKEN_WORD,
    TOKEN_IDENT,
    TOKEN_STRING,
    TOKEN_NUMBER,
    TOKEN_PUNCT,
    TOKEN_BAD
};

struct token {
    enum token_kind kind;
    struct sv text; /* unquoted and unescaped */
};

/* Takes the next token off *rest. */
struct token lexer_next(enum sql_dialect dialect, struct sv *rest, struct arena *arena);

#endif

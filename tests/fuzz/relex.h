/*
 * relex: the tokens a server's lexer sees in a statement, written from the contract's
 * rules alone and stricter than the servers: what none of our statements has a reason to
 * hold (comments, hexadecimal numbers, E'' strings, bytes that a lexer drops) is a token
 * of its own kind, for a target to find.
 */
#ifndef FUZZ_RELEX_H
#define FUZZ_RELEX_H

#include "ddl/ident.h"

enum relex_kind {
    RELEX_END = 0,
    RELEX_WORD,
    RELEX_IDENT,
    RELEX_STRING,
    RELEX_NUMBER,
    RELEX_PUNCT,
    RELEX_COMMENT,
    RELEX_BAD
};

struct relex {
    enum sql_dialect dialect;
    struct sv rest;
    struct arena *arena;
};

struct relex_token {
    enum relex_kind kind;
    struct sv text; /* names and strings as the server reads them */
};

struct relex_token relex_next(struct relex *lexer);
/* Whether the next token is this one; fails the target if not. */
void relex_expect(struct relex *lexer, enum relex_kind kind, struct sv text);

#endif

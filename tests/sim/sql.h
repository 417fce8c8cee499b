/*
 * sql: reads the few statements that the planner writes, token by token, so that the fake
 * databases take columns, names and options from what would really be sent.
 */
#ifndef SQL_H
#define SQL_H

#include "base/arena.h"
#include "base/vec.h"
#include "ddl/ident.h"

enum sql_token { SQL_END = 1, SQL_WORD, SQL_NAME, SQL_TEXT, SQL_MARK };

struct sql {
    struct arena *arena;
    enum sql_dialect dialect;
    struct sv rest;
    enum sql_token token; /* the one to be taken next */
    const char *value;    /* its text, unquoted */
    bool broken;          /* something else was expected */
};

struct sql_option {
    const char *key, *value;
};
struct sql_options {
    VEC(struct sql_option) list;
};

void sql_init(struct sql *s, enum sql_dialect dialect, const char *text,
              struct arena *arena);
/* Takes the word (any case) or mark if it is next. */
bool sql_take(struct sql *s, const char *word);
/* The same, and anything else breaks the statement. */
void sql_want(struct sql *s, const char *words); /* several, separated by blanks */
const char *sql_want_name(struct sql *s);        /* quoted; "" when it is not there */
const char *sql_want_text(struct sql *s);        /* a string literal */
const char *sql_take_any(struct sql *s);         /* whatever is next */
void sql_qualified(struct sql *s, const char **out_outer, const char **out_inner);
/* (k='v', "k" = 'v', ...): keys may hold dots. */
void sql_options(struct sql *s, struct sql_options *out_options);
const char *sql_option(const struct sql_options *options, const char *key); /* or NULL */
/* True when all of it was read as expected. */
bool sql_done(const struct sql *s);

#endif

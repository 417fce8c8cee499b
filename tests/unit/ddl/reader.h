/* reader: a statement taken token by token; whatever does not fit fails the test. */
#ifndef UNIT_DDL_READER_H
#define UNIT_DDL_READER_H

#include "lexer.h"
#include "unit.h"
#include "world.h"

struct reader {
    struct world *w;
    const char *sql;
    enum sql_dialect dialect;
    struct sv rest;
    struct token next;
};

void reader_advance(struct reader *r);
bool reader_accept(struct reader *r, const char *text);
void reader_expect(struct reader *r, const char *text); /* words apart by one blank */
const char *reader_take(struct reader *r, enum token_kind kind);
const char *reader_qualified(struct reader *r, const char *outer); /* outer.NAME */
void reader_idents(struct reader *r, struct strlist *out);         /* (a, b) */
bool reader_listed(const struct strlist *list, const char *name);

void world_apply_rw(struct reader *r);
void world_apply_sr(struct reader *r);

#define REMOVE(vec, index)                                                               \
    do {                                                                                 \
        memmove(&(vec)->v[(index)], &(vec)->v[(index) + 1],                              \
                ((vec)->n - (index)-1) * sizeof((vec)->v[0]));                           \
        (vec)->n--;                                                                      \
    } while (0)

#endif

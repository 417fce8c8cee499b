/*
 * tally: do both sides hold the same number of rows? What is asked, and what follows from
 * the answers. Rows are on their way all the time, so that one look proves a match and
 * never a difference: only numbers that stay as they are, look after look, do.
 */
#ifndef DDL_TALLY_H
#define DDL_TALLY_H

#include "ddl/schema.h"
#include "ddl/stmt.h"

#include <stdint.h>

/* What one count may take of its server's time. */
#define TALLY_LIMIT_MS 30000
#define TALLY_LOOKS_MAX 5

/* Counts all rows of a table. */
struct tally_query {
    const char *database, *table;
    const struct stmt *stmt; /* its only row has the number in column n */
    int64_t limit_ms;
};

/*
 * "SELECT", with the server's own limit on its time: MySQL takes a hint from 5.7.8 on, to
 * 5.6 it is a comment; MariaDB (`version` as 101106) has a variable from 10.1 on, for one
 * statement.
 */
void tally_select(struct stmt *s, enum mysql_flavor flavor, int64_t version,
                  int64_t limit_ms);

/* In the arena. FAULT_REFUSED for a name that the server cannot have. */
MUST_CHECK bool tally_ask_mysql(const struct mysql_server *server, const char *database,
                                const char *table, struct arena *arena,
                                struct tally_query *out_query, struct fault *fault);
MUST_CHECK bool tally_ask_starrocks(const char *database, const char *table,
                                    struct arena *arena, struct tally_query *out_query,
                                    struct fault *fault);

/* What was seen so far; all zero before the first look. */
struct tally {
    int64_t looks, source, target; /* the last numbers */
    int64_t still; /* so many looks in a row found what the one before had found */
    bool source_moves, target_moves; /* at any of the looks */
};

enum tally_verdict {
    TALLY_MATCH = 1,
    TALLY_WITHIN, /* they differ by no more than the tolerance */
    TALLY_AGAIN,  /* rows may be on their way: look again after a while */
    TALLY_MISMATCH,
    TALLY_INCONCLUSIVE, /* they never stood still, or rows never stopped waiting */
    TALLY_VERDICT_MAX
};

/*
 * One more look. `arrived`: what was written before the look before has arrived, as far
 * as the stream tells. Numbers that differ and are what they were then are a mismatch.
 */
enum tally_verdict tally_look(struct tally *tally, int64_t source, int64_t target,
                              bool arrived, int64_t tolerance);

#endif

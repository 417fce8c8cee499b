/* counting: one look at the rows of both sides, and what people read about it. */
#ifndef LOOP_COUNTING_H
#define LOOP_COUNTING_H

#include "loop/attempt.h"

/* One look at both sides. */
struct counted {
    int64_t source, target; /* -1: unknown */
    const char *problem;    /* why one is; NULL: both are known */
};

/*
 * Counts the rows of MySQL's and then of StarRocks' table through the attempt's sessions,
 * each between two lines of the audit, and ends the turn that tallies_enter() gave. A
 * fault tells nothing about the tables: the attempt was given up, or an idle session had
 * been closed by its server.
 */
MUST_CHECK bool counting_look(struct attempt *a, struct counted *out,
                              struct fault *fault);

/* "MySQL table shop.orders holds 3 rows and StarRocks table ods.orders 4, 1 more" */
const char *counting_apart(struct attempt *a, const struct tally *t);
/* The sentence for a verdict; "" for TALLY_AGAIN. */
const char *counting_words(struct attempt *a, const struct tally *t,
                           enum tally_verdict verdict);

#endif

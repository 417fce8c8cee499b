/*
 * flow: rows that move through the world: from a CDC table into the log store of each
 * sink, and from there into the target, in order, as long as the sink is not paused and
 * its password is accepted. A backfill sends the keys in their order; a change of a key
 * that it has not come to yet is no news (verified 35, 36).
 */
#ifndef UNIT_DDL_FLOW_H
#define UNIT_DDL_FLOW_H

#include "base/clock.h"
#include "unit.h"
#include "world.h"

#define FLOW_KEYS 5

struct flow_change {
    size_t key;
    unsigned value; /* 0: deleted */
};
struct flow_sink {
    const char *name;
    VEC(struct flow_change) log;
    size_t delivered; /* of the log */
    bool slow;
    size_t backfilled; /* keys that the backfill has sent; FLOW_KEYS: it is done */
};
struct flow {
    struct world *w;
    struct rng *rng;
    unsigned table[FLOW_KEYS], target[FLOW_KEYS]; /* values; 0: no such row */
    unsigned newest;
    VEC(struct flow_sink) sinks;
    struct strlist accepted; /* digests of passwords that StarRocks accepts */
    const char *successor; /* the one that was seen paused, and what the old one had to */
    size_t until;          /* deliver then */
    unsigned ghosts;       /* rows that only the ghosts' deletion removed */
};

void flow_change(struct flow *f);  /* one row in MySQL */
void flow_deliver(struct flow *f); /* some of what each sink can deliver */
void flow_drain(struct flow *f);   /* all of it */
bool flow_accepts(const struct flow *f, const char *digest);
/* Whether what the step waits for has come true, as waits.c finds out. */
bool flow_may_run(struct flow *f, const struct plan_step *step);
void flow_apply(struct flow *f, const struct plan_step *step);

#endif

/*
 * world: a RisingWave and a StarRocks in memory. It reads each statement as the servers
 * would, token by token, keeps the catalogs that the planner observes, and enforces what
 * the contract says that they enforce; anything else fails the test.
 */
#ifndef UNIT_DDL_WORLD_H
#define UNIT_DDL_WORLD_H

#include "ddl/plan.h"

/* A column that a sink's SELECT reads: it cannot be dropped from the CDC table. */
struct world_read {
    int64_t sink;
    const char *column;
};

struct world {
    struct arena *arena;
    const char *schema, *database; /* the ones observed */
    struct rw_catalog rw;
    struct sr_catalog sr;
    VEC(struct world_read) reads;
    int64_t next_id;
    unsigned truncated, dropped_columns; /* how often rows of the target were lost */
};

void world_init(struct world *w, struct arena *arena, const char *schema,
                const char *database);
/* Carries out one step; fails the running test when the servers would refuse it. */
void world_apply(struct world *w, const struct plan_step *step);
/* Fills the catalogs from the JSON of a golden case (observed.json). */
void world_read(struct world *w, const struct json *root);
/* The digest of a password that a server shows; NULL stays NULL. */
const char *world_digest(struct world *w, const char *password);

#endif

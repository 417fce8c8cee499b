/* random_table: MySQL tables as nobody would make them, and what happens to them later.
 */
#ifndef UNIT_DDL_RANDOM_TABLE_H
#define UNIT_DDL_RANDOM_TABLE_H

#include "unit.h"

#include "base/clock.h"

/* Some odd name that ends in `index`, so that it is unique. */
const char *random_name(struct rng *rng, struct arena *arena, size_t index);
/* Fills f->table with columns and a key that can be replicated. */
void random_table(struct fixture *f, struct rng *rng);
/* One ALTER TABLE: adds, drops, renames or changes a column, or changes the key. */
void random_alter(struct fixture *f, struct rng *rng, size_t number);

#endif

/*
 * tallies: what is remembered of counts under way, from attempt to attempt, and whose
 * turn it is to count. A server counts for one resource at a time, and so many count at
 * once in all, so that a schedule that names one moment for a thousand tables neither
 * takes all workers nor the room in a connection's lane. Losing this memory makes a count
 * begin anew. Thread-safe behind one private lock.
 */
#ifndef LOOP_TALLIES_H
#define LOOP_TALLIES_H

#include "base/arena.h"
#include "ddl/tally.h"

#define TALLIES_AT_ONCE 4

struct tallies;

struct tallies *tallies_new(uint64_t seed);
void tallies_free(struct tallies *tallies);

/* The looks of this key so far, and when (monotonic ms) the next is due; false: there are
 * none. */
bool tallies_get(struct tallies *tallies, const char *key, struct tally *out_tally,
                 int64_t *out_due_ms);
void tallies_put(struct tallies *tallies, const char *key, const struct tally *tally,
                 int64_t due_ms);
/* Forgets the looks, and that the key waits for its turn. */
void tallies_forget(struct tallies *tallies, const char *key);

/*
 * Whether the key may count on these two servers (told apart by their addresses, which
 * are never followed). false: the key stands in line, and tallies_leave() calls it.
 */
bool tallies_enter(struct tallies *tallies, const char *key, const void *source,
                   const void *target);
/* Ends its turn. The key that may go on instead, in the arena; NULL: nobody waits. */
const char *tallies_leave(struct tallies *tallies, const char *key, struct arena *arena);

#endif

/*
 * history: one seeded life of the shop. Users, administrators, servers, the network and
 * fate act (chaos.h); the guard (guard.h) looks after every step; then peace: everything
 * must converge within a bounded time, rest without a write, and clean up behind itself.
 */
#ifndef HISTORY_H
#define HISTORY_H

#include <stdint.h>

struct history_counts {
    int64_t steps; /* of the simulation, and acts of chaos */
    int64_t reconciles, takeovers, restarts;
    uint64_t digest; /* equal for equal seeds */
};

/* The seed alone says what happens, and how much of it. Ends the process or the test
 * with a message when something does not hold. */
void history_run(uint64_t seed, struct history_counts *out_counts);

#endif

/* chaos: what may happen to the shop, drawn by lot, and the peace after it. */
#ifndef CHAOS_H
#define CHAOS_H

#include "sim.h"

/* One random event: by a user, a server, the network or fate. */
void chaos_step(struct sim *sim);
/* No more faults, every server up, nothing paused, no rival, nobody else's views. */
void chaos_end(struct sim *sim);
/* What a person has to clear away: what deleted resources retained, and what stands in
 * the way of living ones because somebody dropped half of it. */
void chaos_sweep(struct sim *sim);
/* Deletes every TableSync under Delete. */
void chaos_delete_all(struct sim *sim);
/* Objects of ours in RisingWave and StarRocks. */
size_t chaos_left(struct sim *sim);

#endif

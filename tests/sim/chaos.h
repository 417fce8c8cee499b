/* chaos: what may happen to the shop, drawn by lot, and the peace after it. */
#ifndef CHAOS_H
#define CHAOS_H

#include "sim.h"

/* One random event: by a user, a server, the network or fate. */
void chaos_step(struct sim *sim);
/* One random change of a MySQL table: its rows, its columns, all of it. */
void chaos_upstream(struct sim *sim);
/* One random edit about schema changes, drift, approval or re-syncs. */
void chaos_wish(struct sim *sim, const char *name);
/* Plans run and drift is put right, as by default. */
void chaos_wish_nothing(struct sim *sim);
/* Each is Ready and complete, or stalls and says how a person can help. Then a re-sync
 * loads it anew, which must be the end of all stalls and ghosts. */
void chaos_load_anew(struct sim *sim);
bool chaos_is_loaded(struct sim *sim);
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

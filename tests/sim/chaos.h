/* chaos: what may happen to the shop, drawn by lot, and the peace after it. */
#ifndef CHAOS_H
#define CHAOS_H

#include "sim.h"

/* One random event: by a user, a server, the network or fate. */
void chaos_step(struct sim *sim);
/* One random trouble for the controller itself: leaders change, the watch stalls, breaks
 * or lags behind, servers are slow or refuse, hands are at finalizers. */
void chaos_trouble(struct sim *sim);
/* A TableSync is gone, finalizers and all, and another one has its name. */
void chaos_namesake(struct sim *sim);
/* One random change of a MySQL table: its rows, its columns, all of it. */
void chaos_upstream(struct sim *sim);
/* One random edit about schema changes, drift, approval or re-syncs. */
void chaos_wish(struct sim *sim, const char *name);
/* Plans run and drift is put right, as by default. */
void chaos_wish_nothing(struct sim *sim);
/* It is Ready, or stalls and says how a person can help. */
bool chaos_is_settled(struct sim *sim, const char *name);
/* Its target is somebody else's: chaos_sweep() and guard_remove_strangers() help. */
bool chaos_is_in_the_way(struct sim *sim, const char *name);
/* Each is Ready and complete, or stalls and says how a person can help. Then a re-sync
 * loads it anew, which must be the end of all stalls and ghosts. */
void chaos_load_anew(struct sim *sim);
bool chaos_is_loaded(struct sim *sim);
/* No more faults, every server is up and knows its password. */
void chaos_heal(struct sim *sim);
/* The same; nothing paused, no rival, nobody else's views. */
void chaos_end(struct sim *sim);
/* What a person has to clear away: what deleted resources retained, and what stands in
 * the way of living ones because somebody dropped half of it. */
void chaos_sweep(struct sim *sim);
/* Deletes every TableSync under Delete. */
void chaos_delete_all(struct sim *sim);
/* Objects of ours in RisingWave and StarRocks. */
size_t chaos_left(struct sim *sim);

#endif

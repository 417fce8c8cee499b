/*
 * guard: what must hold after every step of a history, whatever happens in it.
 *
 * A statement touches only what belongs to the TableSync that its tag names, which holds
 * a finalizer unless hands took it off; nothing of
 * strangers changes ever; nothing is dropped or emptied for a TableSync that is not there
 * any more, nor against its deletionPolicy; what loses data has an approval of exactly
 * that, used once; a re-sync token is handled once; of two sinks the new one delivers
 * again only when the old one is gone; nobody claims to be Ready who could not deliver
 * when it was looked at; every audit run that began has ended. Each breach is a
 * violation. Fences and open sessions are watched by the fakes themselves.
 */
#ifndef GUARD_H
#define GUARD_H

#include "sim.h"

/* Sets the hooks of the sim. Lives as long as it does. */
void guard_begin(struct sim *sim);
/* After an act of chaos: what was made, approved or deleted is noted. */
void guard_look(struct sim *sim);

/* What belongs to others: a source and a CDC table in RisingWave, a table in StarRocks,
 * and one more that stands where a TableSync of the pool wants its target. */
void guard_add_strangers(struct sim *sim);
/* They are as they were, and go, as a person has them go before the end. */
void guard_remove_strangers(struct sim *sim);

#endif

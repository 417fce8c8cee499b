/* sim_call: one call that leaves the process, counted and perhaps broken. See sim.h. */
#ifndef SIM_CALL_H
#define SIM_CALL_H

struct sim;
struct fault;

enum sim_verdict { SIM_PASS = 1, SIM_BREAK, SIM_LOST };
enum sim_call_kind {
    SIM_CALL_NONE,
#define CALL(kind, lasts_ms, server, pattern) SIM_CALL_##kind,
#include "calls.def"
#undef CALL
    SIM_CALL_MAX
};

/* Counts it, lets it take its time and says whether it works. SIM_LOST: it takes effect,
 * and its answer does not arrive. */
enum sim_verdict sim_call(struct sim *sim, enum sim_call_kind kind);
/* The call has had its effect and its answer is about to arrive: where a leader may be
 * paused. The world may be another one when this returns. */
void sim_answered(struct sim *sim);
/* A write has reached a server: a violation when whoever sent it is not the leader. */
void sim_wrote(struct sim *sim, const char *what);
/* The fault of a call that was broken or whose answer was lost; always false. */
_Bool sim_broken(const struct sim *sim, const char *what, struct fault *fault);

#endif

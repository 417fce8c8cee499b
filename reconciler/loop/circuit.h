/*
 * circuit: how a lane's server is, and who may talk to it now; a part of lane, which
 * nobody else includes.
 */
#ifndef LOOP_CIRCUIT_H
#define LOOP_CIRCUIT_H

#include "loop/lane_private.h"

/* --- circuit.c; the lane's lock is held, unless it says otherwise --- */

/* Calls that are outstanding for too long, at one moment. Copied: nothing is followed. */
struct hung {
    size_t n;
    struct {
        const struct lane *lane;
        const char *key;
        int64_t began_ms;
        bool statement;
    } v[LANE_HUNG_MAX];
};
/* Before the lane's lock is taken: whom circuit_admit() and _serve() need not count. */
void circuit_look(struct lanes *lanes, struct hung *out_hung);

struct visitor {
    const char *key; /* of the attempt; NULL: a command */
    bool urgent;
};
enum circuit_turn { CIRCUIT_ENTER = 1, CIRCUIT_PARK, CIRCUIT_DOWN };
/* May this one talk to the server now? ENTER: it counts until circuit_leave(). DOWN:
 * *fault says why not. */
enum circuit_turn circuit_admit(struct lane *lane, const struct visitor *who,
                                const struct hung *hung, struct news *news,
                                struct fault *fault);
/* Calls whoever may enter now. */
void circuit_serve(struct lane *lane, const struct hung *hung, struct news *news);
/* Who entered has a session. */
void circuit_stay(struct lane *lane, struct door *door);
/* ... and has it no more (door NULL: it never got one). */
void circuit_leave(struct lane *lane, struct door *door, const char *key);
/* A login ended; `fault` NULL: well. */
void circuit_opened(struct lane *lane, const struct fault *fault, struct news *news);
/* A call ended. */
void circuit_called(struct lane *lane, const struct call *call, bool probes, bool done,
                    const struct fault *fault, struct news *news);
/* Another identity: nothing is known. */
void circuit_reset(struct lane *lane);
/* Everybody who is parked anywhere looks again. */
void circuit_disperse(struct lane *lane, struct news *news);
/* Takes the lock. */
struct lane_numbers circuit_numbers(struct lane *lane, const struct hung *hung);

/* A call to the server, in the list of those under way. No lock is held. */
void call_begin(struct call *call, struct lane *lane, const char *key, bool statement);
void call_drop(struct call *call);

/* --- circuit_call.c --- */
/* Puts a door in front of a newly opened session, whose ops close both. */
struct door *door_new(struct session *session);

#endif

/*
 * lanes: all lanes of the process together: who hears of them, and how they are.
 */
#ifndef LOOP_LANES_H
#define LOOP_LANES_H

#include "loop/lane.h"

/* Who hears of what happens in lanes; nothing of a lane is locked meanwhile. */
struct lanes_hooks {
    void *context;
    /* The queue key may be tried again, so much later; low: there is no hurry. */
    void (*wake)(void *context, const char *key, int64_t delay_ms, bool low);
    /* The server of connection "namespace/name" is down and spared for so long. */
    void (*fell)(void *context, const char *connection, int64_t pause_ms);
    void (*rose)(void *context, const char *connection);
};

enum lane_state { LANE_CLOSED, LANE_OPEN, LANE_HALF_OPEN }; /* of its circuit breaker */
struct lane_numbers {
    const char *connection; /* "namespace/name" */
    enum lane_state state;
    bool suspect; /* a call is outstanding for too long */
    int64_t inside, parked;
    int64_t pause_ms; /* left of it, while open */
};

/* Before anybody is parked; without hooks who is parked is never called. */
void lanes_listen(struct lanes *lanes, const struct lanes_hooks *hooks);
/* Calls to servers that are outstanding for long: workers that do not work. */
size_t lanes_held(struct lanes *lanes);
/* Every lane in turn, for metrics; `visit` may not call lanes. */
void lanes_visit(struct lanes *lanes,
                 void (*visit)(void *context, const struct lane_numbers *numbers),
                 void *context);

#endif

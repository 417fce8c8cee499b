/*
 * lanes: all lanes of the process together: who hears of them, and how they are.
 */
#ifndef LOOP_LANES_H
#define LOOP_LANES_H

#include "loop/lane.h"
#include "loop/queue.h"

/* Who hears of what happens in lanes; nothing of a lane is locked meanwhile. */
struct lanes_hooks {
    void *context;
    /* The queue key may be tried again, so much later. LOW: it was not called. */
    void (*wake)(void *context, const char *key, int64_t delay_ms,
                 enum queue_priority priority);
    /* Whether the attempt at this key is for a fresh change by somebody; NULL: none is.
     */
    bool (*urgent)(void *context, const char *key);
    /* The server of connection "namespace/name" is down and spared for so long. */
    void (*fell)(void *context, const char *connection, int64_t pause_ms);
    void (*rose)(void *context, const char *connection);
};

enum lane_state { LANE_CLOSED, LANE_OPEN, LANE_HALF_OPEN }; /* of its circuit breaker */
struct lane_numbers {
    const char *connection; /* "namespace/name" */
    enum lane_state state;
    bool suspect; /* a call is outstanding for too long */
    bool trying;  /* half-open, and somebody finds out */
    int64_t inside, parked;
    int64_t idle, in_use; /* sessions that are kept, and those that somebody has */
    int64_t pause_ms;     /* left of it, while open */
    int64_t fault_ago_ms; /* since the server last failed; -1: never */
    struct fault fault;   /* ... and how; redacted, as everywhere */
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

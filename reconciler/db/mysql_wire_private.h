/* What the two halves of mysql_wire share: connecting (mysql_wire.c), asking
 * (mysql_ask.c). */
#ifndef DB_MYSQL_WIRE_PRIVATE_H
#define DB_MYSQL_WIRE_PRIVATE_H

#include "db/mysql_wire.h"

/* After a shutdown of the socket a call ends within a few turns; more is the library's
 * fault, and its call is then left where it is. */
#define UNWIND_TURNS_MAX 1000

struct st_mysql; /* the library's handle; its header shows in mysql_*.c alone */

struct mysql_wire {
    struct peer *peer; /* its arena holds this structure too */
    struct st_mysql *handle;
    bool broken;
    const char *address; /* the one that answered */
};

/* What the library waits for, and how long we let it. */
struct mysql_wait {
    struct mysql_wire *wire;
    const struct cancel *cancel;
    const char *what;
    struct fault *fault;
    bool stopped; /* the wait was given up and the fault is set */
    /* For reads that may not take long: a child of `cancel`; past it the query is killed
     * and its answer awaited. NULL: no such limit. */
    const struct cancel *limit;
    bool killed;
};

/*
 * Waits for the events in `status`; returns those to go on with. When the cancel ends the
 * wait, the socket is shut down instead, so that the library's call unwinds by itself and
 * frees what it holds.
 */
int mysql_wait_events(struct mysql_wait *wait, int status);
short mysql_wait_poll_events(int status); /* for poll() */

/* false when a call that was given up does not unwind. */
bool mysql_wait_more(const struct mysql_wait *wait, int *turns);

/* Sets the fault out of the handle's last error; false. */
bool mysql_wire_failed(struct mysql_wire *wire, const char *what, struct fault *fault);
/* The session ends here: nothing the library does afterwards can wait for the server. */
void mysql_wire_break(struct mysql_wire *wire);
/* A handle connected to one numeric address of the wire's peer, as its own account. */
MUST_CHECK bool mysql_wire_reach(struct mysql_wire *wire, const char *address,
                                 const struct cancel *cancel, struct fault *fault);

#endif

/*
 * guard: ends a library call that waits on a socket without asking us.
 *
 * Connector/C's non-blocking connect still blocks inside the TLS handshake, for as long
 * as its own timeout (seen with 3.3). The guard is a thread that watches the cancel and,
 * when it fires or its time is up, shuts the socket down, which ends the wait at once.
 */
#ifndef DB_GUARD_H
#define DB_GUARD_H

#include "base/cancel.h"

struct guard;

/*
 * Watches `fd` (its own duplicate of it) until guard_stop(). NULL when there is no thread
 * or descriptor left: the call then goes unguarded, with the library's timeout.
 */
struct guard *guard_start(int fd, const struct cancel *cancel);
void guard_stop(struct guard *guard); /* NULL is fine; joins the thread */
void guard_stopp(struct guard **guard);

#endif

/*
 * conn: one attempt at a DatabaseConnection: log in, read the server's facts, say in
 * status whether it can be used and who uses it.
 */
#ifndef LOOP_CONN_H
#define LOOP_CONN_H

#include "loop/attempt.h"

/* `key` as "DatabaseConnection/namespace/name". Schedules its own next look. */
void conn_reconcile(struct loop *loop, const char *key);

#endif

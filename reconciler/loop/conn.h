/*
 * conn: one attempt at a DatabaseConnection: hold it while it is used, log in, read the
 * server's facts, say in status whether it can be used and who uses it.
 */
#ifndef LOOP_CONN_H
#define LOOP_CONN_H

#include "loop/attempt.h"

/* `key` as "DatabaseConnection/namespace/name". Schedules its own next look. */
void conn_reconcile(struct loop *loop, const char *key);
/* A TableSync of the namespace is gone, and nothing tells any more which connections it
 * used: those that are held are looked at. */
void conn_enqueue_held(struct loop *loop, struct sv namespace);

#endif

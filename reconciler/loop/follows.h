/*
 * follows: whose address and account a shared source takes. Several connections may name
 * one MySQL server, each with an account of its own, and their TableSyncs share one
 * source: the oldest of these connections decides, for as long as it is there.
 */
#ifndef LOOP_FOLLOWS_H
#define LOOP_FOLLOWS_H

#include "loop/attempt.h"

/*
 * Whether the attempt's own connection decides: nobody else's is older
 * (creationTimestamp, then name) of those that TableSyncs of this namespace name as their
 * source and whose status shows this very source in the same RisingWave connection. A
 * connection being deleted does not count while there is another one. Wants MySQL's
 * settings; only looks into the stores.
 */
bool follows_decides(struct attempt *a);

/* Whether a TableSync's status shows the source ("schema.name") among its objects. */
bool follows_source(const struct json *sync, const char *source);

#endif

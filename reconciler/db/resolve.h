/*
 * resolve: host names to addresses without a wait that cannot be ended.
 *
 * getaddrinfo() blocks for as long as the resolver likes, and both client libraries call
 * it inside their "non-blocking" connect. So it runs in a thread of its own and the
 * libraries get addresses. A cancelled look-up is left behind and ends by itself.
 */
#ifndef DB_RESOLVE_H
#define DB_RESOLVE_H

#include "base/arena.h"
#include "base/cancel.h"
#include "base/vec.h"

#define RESOLVE_ADDRESSES_MAX 8

/*
 * Numeric addresses of `host` in the resolver's order, without duplicates. Faults:
 * FAULT_UNAVAILABLE "UnknownHost", and those of cancel_poll(). `what` starts the
 * sentence.
 */
MUST_CHECK bool resolve_host(const char *host, const char *what,
                             const struct cancel *cancel, struct arena *arena,
                             struct strlist *out_addresses, struct fault *fault);

#endif

/*
 * introspect: what the process tells about itself: the gauges of /metrics that are
 * looked up when somebody asks, and /debug/state. Reads counters and short locks, never
 * an object of the cache and never a server; called from the HTTP server's threads.
 */
#ifndef LOOP_INTROSPECT_H
#define LOOP_INTROSPECT_H

#include "loop/http.h"
#include "loop/leader.h"
#include "loop/loop.h"
#include "loop/workers.h"

#define INTROSPECT_KEYS_MAX 1000 /* of each list in /debug/state */

/* Everything is optional but loop; all of it outlives the listeners. */
struct introspect {
    struct loop *loop;
    const struct reflector *syncs, *conns;
    struct workers *workers;
    const struct leader *leader; /* NULL: no election */
    int64_t per_resource;        /* TableSyncs with series of their own */
};

/* Appends /metrics. */
void introspect_metrics(const struct introspect *in, struct buf *out);
/* What /readyz?verbose says about the audit, which never makes a controller unready:
 * "degraded: ..."; nothing while it works. `in` is a struct introspect. */
void introspect_audit_detail(void *in, char out_text[HTTP_DETAIL_SIZE]);
/* Appends /debug/state: one JSON object. */
void introspect_state(const struct introspect *in, struct buf *out);

#endif

/*
 * introspect: what the process tells about itself: the gauges of /metrics that are
 * looked up when somebody asks, /debug/state and pages of the audit. Reads counters,
 * short locks and the audit's file, never an object of the cache and never a server;
 * called from the HTTP server's threads.
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
    const struct reflector *reflectors; /* of both kinds, for each namespace */
    size_t reflector_count;
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
/*
 * Appends one page of the audit log, read through a connection of its own: {"runs": [],
 * "next"} or {"steps": [], "logs": [], "next"}; "next" is what ?before= continues with,
 * absent on the last page. FAULT_SPEC: more than HTTP_AUDIT_BYTES_MAX.
 */
MUST_CHECK bool introspect_audit(const struct introspect *in,
                                 const struct audit_filter *filter, bool logs,
                                 struct buf *out, struct fault *fault);

#endif

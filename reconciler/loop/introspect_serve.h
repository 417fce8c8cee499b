/* introspect_serve: the listeners through which the process is asked about itself:
 * /metrics, the probes, and /debug for this machine. */
#ifndef LOOP_INTROSPECT_SERVE_H
#define LOOP_INTROSPECT_SERVE_H

#include "loop/introspect.h"
#include "loop/manager.h"

struct introspect_server;

/*
 * Everything given outlives it. A fault (an address in use or not allowed, no
 * certificate) leaves nothing running.
 */
MUST_CHECK bool introspect_serve(const struct introspect *in,
                                 const struct manager_options *options,
                                 struct introspect_server **out_server,
                                 struct fault *fault);
void introspect_server_stop(struct introspect_server *server); /* NULL is fine */

struct introspect_ports { /* 0: no listener */
    int metrics, probes, debug;
};
struct introspect_ports introspect_ports(const struct introspect_server *server);

#endif

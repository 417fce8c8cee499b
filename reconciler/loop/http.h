/*
 * http: /metrics, /healthz, /livez and /readyz. libmicrohttpd's own threads serve them;
 * handlers only read atomics and short locks. Not for the outside: no authentication
 * here.
 */
#ifndef LOOP_HTTP_H
#define LOOP_HTTP_H

#include "base/fault.h"
#include "loop/loop.h"

struct http;

/* Answers for the probes; read from the server's threads. */
struct http_checks {
    void *context;
    bool (*live)(void *context);  /* the process turns: restarting would not be in vain */
    bool (*ready)(void *context); /* caches are synced */
    void (*metrics)(void *context, struct buf *out);
};

/*
 * Listens on `address` ("host:port" or ":port"; "0" is off: *out_http is NULL then).
 * `probes` and `metrics` choose what this listener serves. Faults name the address.
 */
MUST_CHECK bool http_start(const char *address, bool probes, bool metrics,
                           const struct http_checks *checks, struct http **out_http,
                           struct fault *fault);
void http_stop(struct http *http); /* NULL is fine */
int http_port(const struct http *http);

#endif

/*
 * http: /metrics, /healthz, /livez and /readyz, by libmicrohttpd's own threads; handlers
 * only read atomics and short locks. Requests have no body, at most HTTP_HEAD_BYTES_MAX
 * of head and HTTP_REQUEST_MS from the connection to the answer; a connection carries
 * one.
 *
 * /metrics can be had over TLS, with a certificate that is read again when its files
 * change, and for bearers of a token that the API server allows (reviews.h).
 */
#ifndef LOOP_HTTP_H
#define LOOP_HTTP_H

#include "base/fault.h"
#include "loop/loop.h"
#include "loop/reviews.h"

#define HTTP_HEAD_BYTES_MAX ((size_t)24 * 1024) /* a bearer token may be long */
#define HTTP_REQUEST_MS INT64_C(15000)
#define HTTP_CONNECTIONS_MAX 64
#define HTTP_CERTIFICATE_POLL_MS INT64_C(10000)

struct http;

/* Answers for the probes; read from the server's threads. */
struct http_checks {
    void *context;
    bool (*live)(void *context);  /* the process turns: restarting would not be in vain */
    bool (*ready)(void *context); /* caches are synced */
    void (*metrics)(void *context, struct buf *out);
};

struct http_listen {
    const char *address; /* "host:port" or ":port"; "0" or "": no listener */
    bool probes, metrics;
    const char *cert_file, *key_file; /* PEM; NULL: plain HTTP */
    struct reviews *reviews;          /* who may read /metrics; NULL: everybody */
    struct lg *lg;                    /* NULL: silent */
    const struct clock *clock;
};

/*
 * *out_http is NULL without a listener. Everything in `listen` outlives it. Faults name
 * the address or the file.
 */
MUST_CHECK bool http_start(const struct http_listen *listen,
                           const struct http_checks *checks, struct http **out_http,
                           struct fault *fault);
void http_stop(struct http *http); /* NULL is fine */
int http_port(const struct http *http);

#endif

/*
 * http: /metrics, /healthz, /livez, /readyz and, on a listener of its own, /debug and
 * /audit, by
 * libmicrohttpd's own threads; handlers only read atomics and short locks. Requests have
 * no body (PUT /debug/log-level: a word), at most HTTP_HEAD_BYTES_MAX of head and
 * HTTP_REQUEST_MS from the connection to the answer; a connection carries one.
 *
 * /metrics can be had over TLS, with a certificate that is read again when its files
 * change, and for bearers of a token that the API server allows (reviews.h).
 *
 * Health is a list of named checks, as controller-runtime v0.24 pkg/healthz answers:
 * "ok", with ?verbose or on a failure a line for each; ?exclude=name leaves one out;
 * /readyz/name asks for one.
 *
 * /audit/runs and /audit/logs are pages of the audit log as `tablesync runs -o json` and
 * `logs -o json` print it: ?namespace= &name= &run= &limit= and &before=, a run's number,
 * for the next page.
 *
 * /debug listens on loopback addresses only and answers only requests whose Host is one:
 * a page in somebody's browser whose name was made to resolve to 127.0.0.1 has another.
 */
#ifndef LOOP_HTTP_H
#define LOOP_HTTP_H

#include "audit/query.h"
#include "base/fault.h"
#include "loop/loop.h"
#include "loop/reviews.h"

#define HTTP_HEAD_BYTES_MAX ((size_t)24 * 1024) /* a bearer token may be long */
#define HTTP_REQUEST_MS INT64_C(15000)
#define HTTP_CONNECTIONS_MAX 64
#define HTTP_CERTIFICATE_POLL_MS INT64_C(10000)
#define HTTP_CHECKS_MAX 8
#define HTTP_DETAIL_SIZE 128
#define HTTP_RUNS_MAX 1000 /* of one page */
#define HTTP_RUNS_DEFAULT 50
#define HTTP_AUDIT_BYTES_MAX ((size_t)4 * 1024 * 1024) /* of texts in one page */

struct http;

/* One row of /livez or /readyz. */
struct http_check {
    const char *name;
    bool (*good)(void *context); /* NULL: it never fails */
    /* What ?verbose adds behind the row, "degraded: ..."; NULL, or nothing written: none.
     */
    void (*detail)(void *context, char out_text[HTTP_DETAIL_SIZE]);
};

/* What is answered; called from the server's threads. */
struct http_answers {
    void *context;
    struct http_check live[HTTP_CHECKS_MAX], ready[HTTP_CHECKS_MAX]; /* name NULL: end */
    void (*metrics)(void *context, struct buf *out);
    void (*state)(void *context, struct buf *out); /* JSON */
    /* One page of runs, or of what they did, as JSON. FAULT_SPEC: it is too large. NULL:
     * there is no audit. */
    bool (*audit)(void *context, const struct audit_filter *filter, bool logs,
                  struct buf *out, struct fault *fault);
    /* A certificate was read, or could not be; NULL: nobody counts. */
    void (*certificate)(void *context, bool good);
};

struct http_listen {
    const char *address; /* "host:port" or ":port"; "0" or "": no listener */
    bool probes, metrics;
    bool debug;                       /* the address must be a loopback one */
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
                           const struct http_answers *answers, struct http **out_http,
                           struct fault *fault);
void http_stop(struct http *http); /* NULL is fine */
int http_port(const struct http *http);

#endif

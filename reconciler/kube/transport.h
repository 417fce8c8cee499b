/*
 * transport: the port through which the kube room reaches an API server.
 *
 * The real one is libcurl (transport_curl.c); tests replay recorded exchanges; the
 * simulation keeps a whole API server in memory. A transport knows requests, bytes and
 * status codes, nothing of Kubernetes. Thread-safe: any number of threads may call.
 */
#ifndef KUBE_TRANSPORT_H
#define KUBE_TRANSPORT_H

#include "base/buf.h"
#include "base/cancel.h"
#include "base/fault.h"
#include "base/fence.h"

#include <stdint.h>

#define KUBE_BODY_MAX ((size_t)64 * 1024 * 1024) /* one list page or one object */

struct kube_request {
    const char *method;       /* GET, PATCH, POST, PUT, DELETE */
    const char *path;         /* absolute, escaped, with query: built by kube_path_* */
    const char *content_type; /* of the body; NULL without one */
    struct sv body;
    size_t response_max_bytes; /* 0 = KUBE_BODY_MAX */
    /* Asked once more when the connection stands and the request is about to go out. A
     * transport that waits for nothing before may leave it. NULL: none. */
    const struct fence *fence;
    bool gzip;              /* a stream whose bytes may come compressed: no watch */
    int *out_retry_after_s; /* of a stream: Retry-After in seconds; may be NULL */
};

struct kube_response {
    int status;        /* HTTP status */
    int retry_after_s; /* Retry-After in seconds; 0 when absent */
    struct buf body;   /* the caller deinits it */
};

/* Receives a stream's bytes as they come; returning false ends the stream (fault set). */
typedef bool kube_on_bytes(void *context, struct sv bytes, struct fault *fault);

struct kube_transport;

struct kube_transport_ops {
    /*
     * One exchange. Any HTTP status is success; not reaching the server, a broken answer
     * or one over the ceiling is a fault (FAULT_UNAVAILABLE; FAULT_CANCELLED when fired).
     * Never retries a request itself, except once with re-read credentials: after 401,
     * and when the server was not trusted, before a byte of the request was sent.
     */
    bool (*call)(struct kube_transport *t, const struct kube_request *request,
                 struct cancel *cancel, struct kube_response *out_response,
                 struct fault *fault);
    /*
     * A streamed GET. *out_status is set as soon as the headers are in. Bodies of other
     * statuses than 200 are also given to on_bytes. Returns true when the server ended
     * the stream in an orderly way; silence longer than idle_ms is FAULT_UNAVAILABLE.
     */
    bool (*stream)(struct kube_transport *t, const struct kube_request *request,
                   int64_t idle_ms, struct cancel *cancel, kube_on_bytes *on_bytes,
                   void *context, int *out_status, struct fault *fault);
    void (*free)(struct kube_transport *t);
};

struct kube_transport {
    const struct kube_transport_ops *ops;
};

/* The stream of a transport through which nobody may watch: always FAULT_BUG. */
MUST_CHECK bool kube_stream_none(struct kube_transport *t,
                                 const struct kube_request *request, int64_t idle_ms,
                                 struct cancel *cancel, kube_on_bytes *on_bytes,
                                 void *context, int *out_status, struct fault *fault);

void kube_transport_free(struct kube_transport *t);
void kube_transport_freep(struct kube_transport **t);

struct kube_config; /* config.h */

/* Called once before threads start / after they end (library-wide state of libcurl).
 * SIGPIPE is ignored from then on unless it has a handler: OpenSSL writes to closed
 * sockets. */
MUST_CHECK bool kube_curl_global_init(struct fault *fault);
void kube_curl_global_deinit(void);

/*
 * HTTP/1.1 over TLS with keep-alive, one easy handle per thread in use (a small pool),
 * connect timeout, TCP keep-alive, cancel through curl_multi_poll's extra descriptors.
 * Takes a copy of what it needs from `config`; re-reads token, CA and client certificate
 * files when their content changes (checked at most every 10 s, and at once after a 401
 * and when the TLS handshake fails).
 * `user_agent` as "tablesync/1.2.3 (linux/amd64)".
 */
MUST_CHECK bool kube_transport_curl_new(const struct kube_config *config,
                                        const char *user_agent, const struct clock *clock,
                                        struct kube_transport **out_transport,
                                        struct fault *fault);

#endif

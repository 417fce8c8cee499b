/*
 * transport_curl: what the files of the libcurl transport share. Private to them.
 *
 * A channel is an easy handle with its own multi handle, hence its own connection: one
 * thread uses it at a time, and the pool keeps the idle ones alive.
 */
#ifndef KUBE_TRANSPORT_CURL_H
#define KUBE_TRANSPORT_CURL_H

#include "kube/credentials.h"
#include "kube/transport.h"

#define TRANSPORT_ERROR_SIZE 256 /* CURL_ERROR_SIZE */

/* Where requests go; strings live as long as the transport. */
struct transport_target {
    const char *url; /* scheme, name to verify, port and prefix; the path follows */
    const char *connect_to;  /* NULL, or "::host:port": where the name really is */
    const char *host_header; /* NULL, or "Host: host:port" of the real server */
    const char *endpoint;    /* "host:port" for sentences */
    const char *origin;
    const char *proxy; /* "": none, whatever the environment says */
    const char *user_agent;
    bool insecure_skip_tls_verify;
    bool disable_compression;
};

struct transport_channel {
    void *multi; /* CURLM */
    void *easy;  /* CURL */
    void *share; /* CURLSH: TLS sessions of all channels of a transport */
    struct credentials_set
        set; /* libcurl points into these: they live with the channel */
    char error[TRANSPORT_ERROR_SIZE];
};

/* One run of a request over a channel. */
struct transport_run {
    const struct transport_target *target;
    struct transport_channel *channel;
    const struct clock *clock;
    const struct kube_request *request;
    struct sv authorization; /* "Authorization: ..." or empty; NUL-terminated */
    int64_t idle_ms;         /* 0: no watchdog */
    bool gzip;               /* the answer may come compressed */
    struct cancel *cancel;
    struct buf *body;        /* where the answer goes, or */
    kube_on_bytes *on_bytes; /* who takes the bytes of a stream */
    void *context;
    int *out_status; /* set when the headers are in; may be NULL */

    int status;
    int retry_after_s;
    bool headers_done;
    size_t header_bytes;
    size_t sent_bytes;
    int64_t last_byte_ms;
    bool untrusted; /* the TLS handshake failed: nothing was sent */
    bool stopped;   /* a callback ended the run and *fault says why */
    struct fault *fault;
};

/* Sets the fault for a CURLcode; always false. */
bool transport_fault(struct transport_run *run, int result, struct fault *fault);

/* false: the fault is set and the channel must not be used again. */
MUST_CHECK bool transport_run(struct transport_run *run, struct fault *fault);

#endif

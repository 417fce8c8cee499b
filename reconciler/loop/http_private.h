/* http_private: what http.c (listening, routes), http_answer.c (bytes of an answer),
 * http_health.c, http_debug.c, http_audit.c and http_minder.c (how long a connection
 * lives, with which certificate) share. */
#ifndef LOOP_HTTP_PRIVATE_H
#define LOOP_HTTP_PRIVATE_H

#include "loop/http.h"

#include <pthread.h>

#define HTTP_PEM_BYTES_MAX ((size_t)256 * 1024)

struct MHD_Daemon;
struct MHD_Connection;

struct http_connection {
    struct MHD_Connection *connection; /* NULL: free */
    int fd;
    int64_t since_ms; /* monotonic */
};

struct http {
    struct http_listen listen;
    struct http_answers answers;
    int fd; /* listened on; a daemon has a duplicate, and goes when it is renewed */
    struct MHD_Daemon *daemon;
    struct cancel stop; /* ends the minder and requests to the API server */
    pthread_t minder;
    /* Open connections, so that one which never ends its request can be ended. */
    pthread_mutex_t lock;
    struct http_connection connections[HTTP_CONNECTIONS_MAX];
    struct buf cert, key; /* what the daemon serves; empty: plain HTTP */
};

/* --- http.c --- */
/* Serves http->cert and http->key on http->fd; NULL: there are no threads or sockets. */
struct MHD_Daemon *http_serve(struct http *http);
/* Whether the library would serve this certificate with this key. */
bool http_pair_fits(struct http *http, const struct buf *cert, const struct buf *key);

/* --- http_answer.c --- */
/* `type` NULL: plain text. Returns MHD's verdict on the connection. */
int http_answer(struct MHD_Connection *connection, unsigned status, const char *type,
                struct sv body);
/* Query argument; NULL: not there. "" when it has no value. */
const char *http_argument(struct MHD_Connection *connection, const char *name);

/* --- http_health.c --- */
/* Whether the path is one of health, which is then answered with *out_result. */
bool http_health(struct http *http, struct MHD_Connection *connection, struct sv path,
                 int *out_result);

/* --- http_debug.c --- */
#define HTTP_BODY_MAX 64
struct http_body { /* of a PUT, as it comes */
    char text[HTTP_BODY_MAX];
    size_t n;
    bool too_long;
};
/* "127.0.0.1:9090", "localhost:9090": whether only this machine reaches it. */
bool http_is_loopback(const char *address);
/* Whether a Host header names this machine: localhost, 127.0.0.1 or [::1], any port. */
bool http_host_is_local(const char *host);
/* Answers on the debug listener. */
int http_debug(struct http *http, struct MHD_Connection *connection, struct sv path,
               bool put, const struct http_body *body);

/* --- http_audit.c --- */
/* Whether the path is one of the audit log, which is then answered with *out_result. */
bool http_audit(struct http *http, struct MHD_Connection *connection, struct sv path,
                int *out_result);

/* --- http_minder.c --- */
/* Reads both files into empty buffers. Faults name the file. */
MUST_CHECK bool http_read_pair(const struct http *http, struct buf *out_cert,
                               struct buf *out_key, struct fault *fault);
void *http_minder(void *http);
/* MHD_NotifyConnectionCallback's two halves. */
void http_connection_began(struct http *http, struct MHD_Connection *connection, int fd);
void http_connection_ended(struct http *http, const struct MHD_Connection *connection);

#endif

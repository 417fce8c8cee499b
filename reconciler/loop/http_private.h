/* http_private: what http.c (who is answered what) and http_minder.c (how long a
 * connection lives, with which certificate) share. */
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
    struct http_checks checks;
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

/* --- http_minder.c --- */
/* Reads both files into empty buffers. Faults name the file. */
MUST_CHECK bool http_read_pair(const struct http *http, struct buf *out_cert,
                               struct buf *out_key, struct fault *fault);
void *http_minder(void *http);
/* MHD_NotifyConnectionCallback's two halves. */
void http_connection_began(struct http *http, struct MHD_Connection *connection, int fd);
void http_connection_ended(struct http *http, const struct MHD_Connection *connection);

#endif

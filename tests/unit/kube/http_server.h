/*
 * http_server: a small server on 127.0.0.1 inside the test, with or without TLS.
 *
 * Every connection runs the test's own function in a thread, so that a test says byte by
 * byte what a server does. No function here ends the test from another thread: they
 * answer false and the test looks at what was seen.
 */
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include "base/buf.h"
#include "kube_unit.h"

struct http_server;
struct http_peer;

typedef void http_serve(struct http_peer *peer, void *context);

struct tls_identity; /* tls_identity.h */

/* identity NULL: plain. client_ca NULL: no client certificate is asked for. */
struct http_server *http_server_start(http_serve *serve, void *context,
                                      const struct tls_identity *identity,
                                      const struct tls_identity *client_ca);
void http_server_stop(struct http_server *server);
int http_server_port(const struct http_server *server);
int http_server_connections(const struct http_server *server);
int http_server_requests(const struct http_server *server);
/* Waits until that many requests have been read; fails the test after 10 s. */
void http_server_wait_requests(const struct http_server *server, int count);
/* The nth request as it came, head and body; valid until the server stops. */
const char *http_server_request(const struct http_server *server, int n);
/* The server name the last TLS client asked for, and its certificate's common name. */
const char *http_server_sni(const struct http_server *server);
const char *http_server_client(const struct http_server *server);

/* For the serving function. */
bool http_peer_read(struct http_peer *peer, struct buf *out_request); /* head and body */
void http_peer_write(struct http_peer *peer, const char *text);
void http_peer_write_bytes(struct http_peer *peer, struct sv bytes);
void http_peer_answer(struct http_peer *peer, int status, const char *headers,
                      const char *body); /* with Content-Length */
void http_peer_wait_closed(struct http_peer *peer);

/* Ready-made servers: {"ok":true} to all; the context's text as it is, once; and then
 * open. */
struct http_raw {
    const char *text;
};
void http_serve_echo(struct http_peer *peer, void *context);
void http_serve_raw(struct http_peer *peer, void *context);
void http_serve_raw_and_hold(struct http_peer *peer, void *context);

/* A port on which nobody listens. */
int http_closed_port(void);

#endif

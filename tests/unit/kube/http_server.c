#include "http_server.h"

#include "tls_identity.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define PEERS_MAX 256
#define REQUESTS_MAX 1024
#define REQUEST_BYTES_MAX ((size_t)4 * 1024 * 1024)

struct http_peer {
    struct http_server *server;
    int fd;
    SSL *ssl;
    pthread_t thread;
    struct buf pending; /* read, not yet given out */
};

struct http_server {
    int fd;
    int port;
    SSL_CTX *tls;
    http_serve *serve;
    void *context;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct http_peer peers[PEERS_MAX];
    int peer_count;
    char *requests[REQUESTS_MAX];
    int request_count;
    bool stopping;
    char sni[256];
    char client[256];
};

static ssize_t peer_recv(struct http_peer *peer, char *bytes, size_t n)
{
    return peer->ssl != NULL ? SSL_read(peer->ssl, bytes, (int)n)
                             : recv(peer->fd, bytes, n, 0);
}

static bool peer_fill(struct http_peer *peer)
{
    char chunk[16384];
    ssize_t n = peer_recv(peer, chunk, sizeof(chunk));

    if (n > 0) {
        buf_add(&peer->pending, (struct sv){chunk, (size_t)n});
    }
    return n > 0;
}

static size_t content_length(struct sv head)
{
    size_t at = sv_find_nocase(head, SV("\r\ncontent-length:"));
    int64_t length = 0;

    if (at == SIZE_MAX) {
        return 0;
    }
    struct sv line = sv_sub(head, at + strlen("\r\ncontent-length:"), head.n);
    return sv_int64(sv_trim(sv_cut(&line, '\r')), &length) ? (size_t)length : 0;
}

static void remember(struct http_server *server, struct sv request)
{
    (void)pthread_mutex_lock(&server->lock);
    if (server->request_count < REQUESTS_MAX) {
        server->requests[server->request_count++] = strndup(request.p, request.n);
    }
    (void)pthread_cond_broadcast(&server->changed);
    (void)pthread_mutex_unlock(&server->lock);
}

bool http_peer_read(struct http_peer *peer, struct buf *out_request)
{
    size_t end = SIZE_MAX;

    while ((end = sv_find(buf_sv(&peer->pending), SV("\r\n\r\n"))) == SIZE_MAX) {
        if (!peer_fill(peer)) {
            return false;
        }
    }
    size_t whole = end + 4 + content_length(sv_sub(buf_sv(&peer->pending), 0, end + 2));
    while (peer->pending.n < whole) {
        if (!peer_fill(peer)) {
            return false;
        }
    }
    struct sv request = sv_sub(buf_sv(&peer->pending), 0, whole);
    buf_clear(out_request);
    buf_add(out_request, request);
    remember(peer->server, request);
    buf_drop_front(&peer->pending, whole);
    return true;
}

void http_peer_write(struct http_peer *peer, const char *text)
{
    http_peer_write_bytes(peer, sv_from(text));
}

void http_peer_write_bytes(struct http_peer *peer, struct sv rest)
{
    while (rest.n > 0) {
        ssize_t n = peer->ssl != NULL ? SSL_write(peer->ssl, rest.p, (int)rest.n)
                                      : send(peer->fd, rest.p, rest.n, MSG_NOSIGNAL);
        if (n <= 0) {
            return; /* the client has gone: what some tests are about */
        }
        rest = sv_sub(rest, (size_t)n, rest.n);
    }
}

void http_peer_answer(struct http_peer *peer, int status, const char *headers,
                      const char *body)
{
    AUTO(buf_deinit) struct buf text = {0};

    buf_init(&text, REQUEST_BYTES_MAX);
    buf_addf(&text, "HTTP/1.1 %d X\r\nContent-Length: %zu\r\n%s\r\n%s", status,
             strlen(body), headers, body);
    http_peer_write(peer, buf_z(&text));
}

void http_peer_wait_closed(struct http_peer *peer)
{
    while (peer_fill(peer)) {
        buf_clear(&peer->pending);
    }
}

static bool handshake(struct http_peer *peer)
{
    struct http_server *server = peer->server;
    char client[sizeof(server->client)] = "";

    peer->ssl = SSL_new(server->tls);
    if (peer->ssl == NULL || SSL_set_fd(peer->ssl, peer->fd) != 1 ||
        SSL_accept(peer->ssl) != 1) {
        return false;
    }
    const char *name = SSL_get_servername(peer->ssl, TLSEXT_NAMETYPE_host_name);
    X509 *certificate = SSL_get1_peer_certificate(peer->ssl);
    if (certificate != NULL) {
        (void)X509_NAME_get_text_by_NID(X509_get_subject_name(certificate),
                                        NID_commonName, client, sizeof(client));
        X509_free(certificate);
    }
    (void)pthread_mutex_lock(&server->lock);
    (void)snprintf(server->sni, sizeof(server->sni), "%s", name == NULL ? "" : name);
    (void)snprintf(server->client, sizeof(server->client), "%s", client);
    (void)pthread_mutex_unlock(&server->lock);
    return true;
}

static void *peer_run(void *context)
{
    struct http_peer *peer = context;

    if (peer->server->tls == NULL || handshake(peer)) {
        peer->server->serve(peer, peer->server->context);
    }
    (void)shutdown(peer->fd, SHUT_RDWR);
    return NULL;
}

static void *accept_run(void *context)
{
    struct http_server *server = context;

    for (;;) {
        int fd = accept4(server->fd, NULL, NULL, SOCK_CLOEXEC);
        (void)pthread_mutex_lock(&server->lock);
        bool take = fd >= 0 && !server->stopping && server->peer_count < PEERS_MAX;
        struct http_peer *peer = take ? &server->peers[server->peer_count] : NULL;
        if (take) {
            *peer = (struct http_peer){.server = server, .fd = fd};
            buf_init(&peer->pending, REQUEST_BYTES_MAX);
            take = pthread_create(&peer->thread, NULL, peer_run, peer) == 0;
            server->peer_count += take ? 1 : 0;
        }
        (void)pthread_mutex_unlock(&server->lock);
        if (!take) {
            if (fd >= 0) {
                (void)close(fd);
            }
            return NULL;
        }
    }
}

static int listen_on_free_port(int *out_port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)(void *)&address, size), 0);
    assert_int_equal(listen(fd, 64), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)(void *)&address, &size), 0);
    *out_port = ntohs(address.sin_port);
    return fd;
}

struct http_server *http_server_start(http_serve *serve, void *context,
                                      const struct tls_identity *identity,
                                      const struct tls_identity *client_ca)
{
    struct http_server *server = calloc(1, sizeof(*server));

    assert_non_null(server);
    server->serve = serve;
    server->context = context;
    server->fd = listen_on_free_port(&server->port);
    server->tls = identity == NULL ? NULL : tls_identity_server(identity, client_ca);
    assert_int_equal(pthread_mutex_init(&server->lock, NULL), 0);
    assert_int_equal(pthread_cond_init(&server->changed, NULL), 0);
    assert_int_equal(pthread_create(&server->thread, NULL, accept_run, server), 0);
    return server;
}

void http_server_stop(struct http_server *server)
{
    (void)pthread_mutex_lock(&server->lock);
    server->stopping = true;
    (void)pthread_mutex_unlock(&server->lock);
    (void)shutdown(server->fd, SHUT_RDWR);
    (void)pthread_join(server->thread, NULL);
    for (int i = 0; i < server->peer_count; i++) {
        struct http_peer *peer = &server->peers[i];
        (void)shutdown(peer->fd, SHUT_RDWR);
        (void)pthread_join(peer->thread, NULL);
        SSL_free(peer->ssl);
        (void)close(peer->fd);
        buf_deinit(&peer->pending);
    }
    for (int i = 0; i < server->request_count; i++) {
        free(server->requests[i]);
    }
    (void)close(server->fd);
    SSL_CTX_free(server->tls);
    (void)pthread_cond_destroy(&server->changed);
    (void)pthread_mutex_destroy(&server->lock);
    free(server);
}

int http_server_port(const struct http_server *server)
{
    return server->port;
}

static int locked_int(const struct http_server *server, const int *value)
{
    pthread_mutex_t *lock = (pthread_mutex_t *)(uintptr_t)&server->lock;

    (void)pthread_mutex_lock(lock);
    int seen = *value;
    (void)pthread_mutex_unlock(lock);
    return seen;
}

int http_server_connections(const struct http_server *server)
{
    return locked_int(server, &server->peer_count);
}

int http_server_requests(const struct http_server *server)
{
    return locked_int(server, &server->request_count);
}

void http_server_wait_requests(const struct http_server *server, int count)
{
    struct http_server *own = (struct http_server *)(uintptr_t)server;
    struct timespec until;
    int waited = 0;

    assert_int_equal(clock_gettime(CLOCK_REALTIME, &until), 0);
    until.tv_sec += 10;
    (void)pthread_mutex_lock(&own->lock);
    while (own->request_count < count && waited == 0) {
        waited = pthread_cond_timedwait(&own->changed, &own->lock, &until);
    }
    (void)pthread_mutex_unlock(&own->lock);
    assert_int_equal(waited, 0);
}

const char *http_server_request(const struct http_server *server, int n)
{
    assert_true(n < http_server_requests(server));
    return server->requests[n];
}

/* Whoever has an answer finds what the handshake before it wrote. */
static const char *written(const struct http_server *server, const char *text)
{
    struct http_server *own = (struct http_server *)(uintptr_t)server;

    (void)pthread_mutex_lock(&own->lock);
    (void)pthread_mutex_unlock(&own->lock);
    return text;
}

const char *http_server_sni(const struct http_server *server)
{
    return written(server, server->sni);
}

const char *http_server_client(const struct http_server *server)
{
    return written(server, server->client);
}

int http_closed_port(void)
{
    int port = 0;
    int fd = listen_on_free_port(&port);

    assert_int_equal(close(fd), 0);
    return port;
}

void http_serve_echo(struct http_peer *peer, void *context)
{
    AUTO(buf_deinit) struct buf request = {0};

    (void)context;
    buf_init(&request, REQUEST_BYTES_MAX);
    while (http_peer_read(peer, &request)) {
        http_peer_answer(peer, 200, "Content-Type: application/json\r\n",
                         "{\"ok\":true}");
    }
}

void http_serve_raw(struct http_peer *peer, void *context)
{
    const struct http_raw *raw = context;
    AUTO(buf_deinit) struct buf request = {0};

    buf_init(&request, REQUEST_BYTES_MAX);
    if (http_peer_read(peer, &request)) {
        http_peer_write(peer, raw->text);
    }
}

void http_serve_raw_and_hold(struct http_peer *peer, void *context)
{
    http_serve_raw(peer, context);
    http_peer_wait_closed(peer);
}

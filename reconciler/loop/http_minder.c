/* The thread beside a listener: it ends connections that take too long, and serves a
 * renewed certificate. */
#include "base/file.h"
#include "loop/http_private.h"

#include <microhttpd.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LOOK_MS 1000

void http_connection_began(struct http *http, struct MHD_Connection *connection, int fd)
{
    (void)pthread_mutex_lock(&http->lock);
    for (size_t i = 0; i < COUNT_OF(http->connections); i++) {
        if (http->connections[i].connection == NULL) {
            http->connections[i] = (struct http_connection){
                .connection = connection,
                .fd = fd,
                .since_ms = clock_monotonic_ms(http->listen.clock)};
            break;
        }
    }
    (void)pthread_mutex_unlock(&http->lock);
}

void http_connection_ended(struct http *http, const struct MHD_Connection *connection)
{
    (void)pthread_mutex_lock(&http->lock);
    for (size_t i = 0; i < COUNT_OF(http->connections); i++) {
        if (http->connections[i].connection == connection) {
            http->connections[i].connection = NULL;
        }
    }
    (void)pthread_mutex_unlock(&http->lock);
}

/* The library knows how long a connection was silent, not how long it drips. It is told
 * of the end before it closes the socket, so under the lock the number is still its. */
static void end_slow(struct http *http)
{
    int64_t now_ms = clock_monotonic_ms(http->listen.clock);

    (void)pthread_mutex_lock(&http->lock);
    for (size_t i = 0; i < COUNT_OF(http->connections); i++) {
        const struct http_connection *c = &http->connections[i];

        if (c->connection != NULL && now_ms - c->since_ms > HTTP_REQUEST_MS) {
            (void)shutdown(c->fd, SHUT_RDWR);
        }
    }
    (void)pthread_mutex_unlock(&http->lock);
}

static bool same(const struct buf *a, const struct buf *b)
{
    return sv_eq(buf_sv(a), buf_sv(b));
}

static bool read_pem(const char *path, const char *what, struct buf *out,
                     struct fault *fault)
{
    if (!file_read(path, out, fault)) {
        return fault_wrap(fault, "%s for metrics", what);
    }
    if (buf_overflowed(out) || sv_find(buf_sv(out), SV("-----BEGIN ")) == SIZE_MAX) {
        return fault_set(fault, FAULT_SPEC, NULL, "%s for metrics: %s holds no PEM", what,
                         path);
    }
    return true;
}

bool http_read_pair(const struct http *http, struct buf *out_cert, struct buf *out_key,
                    struct fault *fault)
{
    return read_pem(http->listen.cert_file, "certificate", out_cert, fault) &&
           read_pem(http->listen.key_file, "private key", out_key, fault);
}

/* Logs what stands in the way of a renewal once, not at each look. */
static void tell(struct http *http, const char *what, struct fault *told,
                 const struct fault *fault)
{
    if (strcmp(told->text, fault->text) != 0) {
        lg_error(http->listen.lg, what, LG_STR("error", fault->text));
        *told = *fault;
    }
}

static void swap(struct buf *a, struct buf *b)
{
    struct buf kept = *a;

    *a = *b;
    *b = kept;
}

/* The library takes a certificate when it begins to serve; the socket stays, so clients
 * that come meanwhile wait a moment. */
static void serve_anew(struct http *http, struct buf *cert, struct buf *key)
{
    if (http->daemon != NULL) {
        MHD_socket given = MHD_quiesce_daemon(http->daemon);

        MHD_stop_daemon(http->daemon);
        if (given != MHD_INVALID_SOCKET) {
            (void)close(given);
        }
    }
    swap(&http->cert, cert);
    swap(&http->key, key);
    http->daemon = http_serve(http);
    if (http->daemon != NULL) {
        lg_info(http->listen.lg, "new certificate served",
                LG_STR("file", http->listen.cert_file));
    } else {
        lg_error(http->listen.lg, "metrics not served, will retry",
                 LG_STR("address", http->listen.address));
    }
}

static void count_read(const struct http *http, bool good)
{
    if (http->answers.certificate != NULL) {
        http->answers.certificate(http->answers.context, good);
    }
}

/*
 * What is served stays until both files are there and fit: one of them may be written
 * before the other, and the next look will find both.
 */
static void renew(struct http *http, struct fault *told)
{
    AUTO(buf_deinit_zero) struct buf cert = {0};
    AUTO(buf_deinit_zero) struct buf key = {0};
    struct fault fault = FAULT_INIT;
    bool fits = false;

    buf_init(&cert, HTTP_PEM_BYTES_MAX);
    buf_init(&key, HTTP_PEM_BYTES_MAX);
    if (!http_read_pair(http, &cert, &key, &fault)) {
        count_read(http, false);
        tell(http, "certificate not read, the old one stays", told, &fault);
        return;
    }
    if (http->daemon != NULL && same(&cert, &http->cert) && same(&key, &http->key)) {
        fault_clear(told);
        return;
    }
    fits = http_pair_fits(http, &cert, &key);
    count_read(http, fits);
    if (!fits) {
        (void)fault_set(&fault, FAULT_SPEC, NULL,
                        "%s and %s are not a certificate and its private key",
                        http->listen.cert_file, http->listen.key_file);
        tell(http, "new certificate and key do not fit, the old ones stay", told, &fault);
        return;
    }
    fault_clear(told);
    serve_anew(http, &cert, &key);
}

void *http_minder(void *argument)
{
    struct http *http = argument;
    struct fault told = FAULT_INIT;
    int64_t renewed_ms = clock_monotonic_ms(http->listen.clock);

    while (cancel_sleep(&http->stop, LOOK_MS)) {
        int64_t now_ms = clock_monotonic_ms(http->listen.clock);

        end_slow(http);
        if (http->listen.cert_file != NULL &&
            now_ms - renewed_ms >= HTTP_CERTIFICATE_POLL_MS) {
            renewed_ms = now_ms;
            renew(http, &told);
        }
    }
    return NULL;
}

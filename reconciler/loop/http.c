#include "loop/http.h"

#include "base/heap.h"
#include "loop/http_private.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define METRICS_BYTES_MAX ((size_t)32 * 1024 * 1024)
#define IDLE_SECONDS 10U
/* No one client takes every place: probes and scrapers come from few addresses. */
#define CONNECTIONS_PER_ADDRESS 16U
/* A review of a token waits for the API server; others are answered meanwhile. */
#define REVIEWING_THREADS 4U
#define TLS_PRIORITIES "SECURE128:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

/* 0: may read; else the status to answer with. */
static unsigned refuse(struct http *http, struct MHD_Connection *connection)
{
    struct fault fault = FAULT_INIT;

    if (http->listen.reviews == NULL) {
        return 0;
    }
    switch (reviews_check(http->listen.reviews,
                          MHD_lookup_connection_value(connection, MHD_HEADER_KIND,
                                                      MHD_HTTP_HEADER_AUTHORIZATION),
                          "/metrics", &http->stop, &fault)) {
    case REVIEW_ALLOWED:
        return 0;
    case REVIEW_UNKNOWN:
        return MHD_HTTP_UNAUTHORIZED;
    case REVIEW_FORBIDDEN:
        return MHD_HTTP_FORBIDDEN;
    case REVIEW_FAILED:
        break;
    }
    lg_error(http->listen.lg, "reader of metrics not reviewed",
             LG_STR("error", fault.text));
    return MHD_HTTP_SERVICE_UNAVAILABLE;
}

static enum MHD_Result answer_text(struct MHD_Connection *connection, unsigned status,
                                   struct sv text)
{
    return (enum MHD_Result)http_answer(connection, status, NULL, text);
}

static enum MHD_Result answer_metrics(struct http *http,
                                      struct MHD_Connection *connection)
{
    AUTO(buf_deinit) struct buf text = {0};

    switch (refuse(http, connection)) {
    case 0:
        break;
    case MHD_HTTP_UNAUTHORIZED:
        return answer_text(connection, MHD_HTTP_UNAUTHORIZED,
                           SV("send a bearer token that the API server knows\n"));
    case MHD_HTTP_FORBIDDEN:
        return answer_text(connection, MHD_HTTP_FORBIDDEN,
                           SV("the token's user may not get the nonResourceURL "
                              "/metrics\n"));
    default:
        return answer_text(connection, MHD_HTTP_SERVICE_UNAVAILABLE,
                           SV("the API server cannot be asked about the token\n"));
    }
    buf_init(&text, METRICS_BYTES_MAX);
    http->answers.metrics(http->answers.context, &text);
    if (buf_overflowed(&text)) {
        return answer_text(connection, MHD_HTTP_INTERNAL_SERVER_ERROR,
                           SV("too many series: lower --metrics-per-resource\n"));
    }
    return (enum MHD_Result)http_answer(connection, MHD_HTTP_OK,
                                        "text/plain; version=0.0.4; charset=utf-8",
                                        buf_sv(&text));
}

/* The body of a PUT, which comes in pieces: true once it is whole. */
static bool take_body(const char *upload, size_t *upload_size, void **state)
{
    struct http_body *body = *state;

    if (body == NULL) {
        *state = HEAP_NEW(struct http_body);
        return false;
    }
    if (*upload_size == 0) {
        return true;
    }
    if (*upload_size > sizeof(body->text) - body->n) {
        body->too_long = true;
    } else {
        memcpy(body->text + body->n, upload, *upload_size);
        body->n += *upload_size;
    }
    *upload_size = 0;
    return false;
}

static void completed(void *context, struct MHD_Connection *connection, void **state,
                      enum MHD_RequestTerminationCode code)
{
    (void)context;
    (void)connection;
    (void)code;
    heap_free(*state);
    *state = NULL;
}

static enum MHD_Result handle(void *context, struct MHD_Connection *connection,
                              const char *url, const char *method, const char *version,
                              const char *upload, size_t *upload_size, void **state)
{
    struct http *http = context;
    struct sv path = sv_from(url);
    bool put = http->listen.debug && strcmp(method, "PUT") == 0;
    int result = MHD_NO;

    (void)version;
    if (!put && strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0) {
        return answer_text(connection, MHD_HTTP_METHOD_NOT_ALLOWED,
                           SV("only GET is served here\n"));
    }
    if (put && !take_body(upload, upload_size, state)) {
        return MHD_YES;
    }
    if (http->listen.debug) {
        return (enum MHD_Result)http_debug(http, connection, path, put, *state);
    }
    if (http->listen.probes && http_health(http, connection, path, &result)) {
        return (enum MHD_Result)result;
    }
    if (http->listen.metrics && sv_eq(path, SV("/metrics"))) {
        return answer_metrics(http, connection);
    }
    return answer_text(connection, MHD_HTTP_NOT_FOUND, SV("not found\n"));
}

static void notice(void *context, struct MHD_Connection *connection, void **socket_state,
                   enum MHD_ConnectionNotificationCode code)
{
    const union MHD_ConnectionInfo *info = NULL;

    (void)socket_state;
    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
        http_connection_ended(context, connection);
        return;
    }
    info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    if (info != NULL) {
        http_connection_began(context, connection, info->connect_fd);
    }
}

static bool parse_address(const char *address, struct sockaddr_in *out_address,
                          struct fault *fault)
{
    struct sv text = sv_from(address), port = SV_NULL;
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_ANY)}};
    const char *colon = strrchr(address, ':');
    int64_t number = -1;
    char host[64];

    if (colon != NULL) {
        port = sv_from(colon + 1);
        text.n = (size_t)(colon - address);
        (void)snprintf(host, sizeof(host), "%.*s", SV_ARGS(text));
    }
    if (colon != NULL && strcmp(host, "localhost") == 0) {
        (void)snprintf(host, sizeof(host), "127.0.0.1");
    }
    if (colon == NULL || !sv_int64(port, &number) || number < 0 || number > 65535 ||
        (text.n > 0 && inet_pton(AF_INET, host, &in.sin_addr) != 1)) {
        return fault_set(fault, FAULT_SPEC, NULL,
                         "'%s' is not an address to listen on: write ':8080' or "
                         "'127.0.0.1:8080', or '0' for none",
                         address);
    }
    in.sin_port = htons((uint16_t)number);
    *out_address = in;
    return true;
}

static bool bind_socket(struct http *http, const struct sockaddr_in *address,
                        struct fault *fault)
{
    const int on = 1;

    http->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (http->fd >= 0 &&
        setsockopt(http->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
        bind(http->fd, (const struct sockaddr *)address, sizeof(*address)) == 0 &&
        listen(http->fd, HTTP_CONNECTIONS_MAX) == 0) {
        return true;
    }
    return fault_set(fault, FAULT_UNAVAILABLE, NULL, "cannot listen on %s: %s",
                     http->listen.address, strerrordesc_np(errno));
}

bool http_pair_fits(struct http *http, const struct buf *cert, const struct buf *key)
{
    struct MHD_Daemon *trial =
        MHD_start_daemon(MHD_USE_TLS | MHD_USE_NO_LISTEN_SOCKET, 0, NULL, NULL, handle,
                         http, MHD_OPTION_HTTPS_MEM_CERT, cert->p,
                         MHD_OPTION_HTTPS_MEM_KEY, key->p, MHD_OPTION_END);

    if (trial == NULL) {
        return false;
    }
    MHD_stop_daemon(trial);
    return true;
}

struct MHD_Daemon *http_serve(struct http *http)
{
    bool tls = http->cert.n > 0;
    unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_AUTO | MHD_USE_ITC;
    char priorities[] = TLS_PRIORITIES;
    struct MHD_OptionItem options[] = {
        {MHD_OPTION_HTTPS_MEM_CERT, 0, http->cert.p},
        {MHD_OPTION_HTTPS_MEM_KEY, 0, http->key.p},
        {MHD_OPTION_HTTPS_PRIORITIES, 0, priorities},
        {MHD_OPTION_END, 0, NULL},
    };
    /* The library closes what it is given, also when it refuses to start. */
    int given = fcntl(http->fd, F_DUPFD_CLOEXEC, 0);

    if (given < 0) {
        return NULL;
    }
    return MHD_start_daemon(
        flags | (tls ? MHD_USE_TLS : 0), 0, NULL, NULL, handle, http,
        MHD_OPTION_LISTEN_SOCKET, given, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)HTTP_CONNECTIONS_MAX, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
        CONNECTIONS_PER_ADDRESS, MHD_OPTION_CONNECTION_TIMEOUT, IDLE_SECONDS,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, HTTP_HEAD_BYTES_MAX,
        MHD_OPTION_THREAD_POOL_SIZE,
        http->listen.reviews == NULL ? 0U : REVIEWING_THREADS,
        MHD_OPTION_NOTIFY_CONNECTION, notice, http, MHD_OPTION_NOTIFY_COMPLETED,
        completed, NULL, MHD_OPTION_ARRAY,
        tls ? options : &options[COUNT_OF(options) - 1], MHD_OPTION_END);
}

static void http_free(struct http *http)
{
    if (http->daemon != NULL) {
        MHD_stop_daemon(http->daemon);
    }
    if (http->fd >= 0) {
        (void)close(http->fd);
    }
    cancel_deinit(&http->stop);
    (void)pthread_mutex_destroy(&http->lock);
    buf_deinit_zero(&http->cert);
    buf_deinit_zero(&http->key);
    heap_free(http);
}

static bool prepare(struct http *http, struct fault *fault)
{
    const struct http_listen *listen = &http->listen;
    struct sockaddr_in address;

    if (listen->debug && !http_is_loopback(listen->address)) {
        return fault_set(fault, FAULT_SPEC, NULL,
                         "--debug-bind-address is '%s', and what it shows is for this "
                         "machine alone: write 'localhost:PORT' or '127.0.0.1:PORT', "
                         "or '0' for none",
                         listen->address);
    }
    if (!parse_address(listen->address, &address, fault) ||
        (listen->cert_file != NULL &&
         !http_read_pair(http, &http->cert, &http->key, fault))) {
        return false;
    }
    if (listen->cert_file != NULL && http->answers.certificate != NULL) {
        http->answers.certificate(http->answers.context, true);
    }
    if (listen->cert_file != NULL && !http_pair_fits(http, &http->cert, &http->key)) {
        return fault_set(fault, FAULT_SPEC, NULL,
                         "cannot serve TLS on %s: %s and %s are not a certificate and "
                         "its private key",
                         listen->address, listen->cert_file, listen->key_file);
    }
    if (!bind_socket(http, &address, fault)) {
        return false;
    }
    http->daemon = http_serve(http);
    return http->daemon != NULL ? true
                                : fault_set(fault, FAULT_UNAVAILABLE, NULL,
                                            "cannot serve on %s", listen->address);
}

bool http_start(const struct http_listen *listen, const struct http_answers *answers,
                struct http **out_http, struct fault *fault)
{
    struct http *http = NULL;

    if (strcmp(listen->address, "0") == 0 || listen->address[0] == '\0') {
        *out_http = NULL;
        return true;
    }
    http = HEAP_NEW(struct http);
    http->listen = *listen;
    http->answers = *answers;
    http->fd = -1;
    buf_init(&http->cert, HTTP_PEM_BYTES_MAX);
    buf_init(&http->key, HTTP_PEM_BYTES_MAX);
    if (!cancel_init_root(&http->stop, listen->clock, fault)) {
        heap_free(http);
        return false;
    }
    must(pthread_mutex_init(&http->lock, NULL) == 0);
    if (!prepare(http, fault)) {
        http_free(http);
        return false;
    }
    if (pthread_create(&http->minder, NULL, http_minder, http) != 0) {
        http_free(http);
        return fault_set(fault, FAULT_UNAVAILABLE, NULL, "cannot start a thread");
    }
    *out_http = http;
    return true;
}

void http_stop(struct http *http)
{
    if (http == NULL) {
        return;
    }
    cancel_fire(&http->stop);
    (void)pthread_join(http->minder, NULL);
    http_free(http);
}

int http_port(const struct http *http)
{
    struct sockaddr_in address = {0};
    socklen_t size = sizeof(address);

    return http == NULL || getsockname(http->fd, (struct sockaddr *)&address, &size) != 0
               ? 0
               : ntohs(address.sin_port);
}

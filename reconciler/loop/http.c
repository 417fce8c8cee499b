#include "loop/http.h"

#include "base/heap.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>

#define METRICS_BYTES_MAX ((size_t)4 * 1024 * 1024)
#define REQUEST_SECONDS 10U
#define CONNECTIONS_MAX 64U

struct http {
    struct MHD_Daemon *daemon;
    struct http_checks checks;
    bool probes, metrics;
};

static enum MHD_Result answer(struct MHD_Connection *connection, unsigned status,
                              const char *type, struct sv body)
{
    /* MHD copies the bytes and does not change them, whatever its signature says. */
    union {
        const char *in;
        char *out;
    } bytes = {.in = body.p == NULL ? "" : body.p};
    struct MHD_Response *response =
        MHD_create_response_from_buffer(body.n, bytes.out, MHD_RESPMEM_MUST_COPY);
    enum MHD_Result result = MHD_NO;

    if (response == NULL) {
        return MHD_NO;
    }
    (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result answer_check(struct MHD_Connection *connection, const char *name,
                                    bool good)
{
    char text[96];
    int n = snprintf(text, sizeof(text), good ? "[+]%s ok\n" : "[-]%s failed\n", name);

    return answer(connection, good ? MHD_HTTP_OK : MHD_HTTP_INTERNAL_SERVER_ERROR,
                  "text/plain; charset=utf-8", (struct sv){text, (size_t)n});
}

static enum MHD_Result answer_metrics(const struct http *http,
                                      struct MHD_Connection *connection)
{
    AUTO(buf_deinit) struct buf text = {0};

    buf_init(&text, METRICS_BYTES_MAX);
    http->checks.metrics(http->checks.context, &text);
    return answer(connection, MHD_HTTP_OK, "text/plain; version=0.0.4; charset=utf-8",
                  buf_sv(&text));
}

static enum MHD_Result handle(void *context, struct MHD_Connection *connection,
                              const char *url, const char *method, const char *version,
                              const char *upload, size_t *upload_size, void **state)
{
    const struct http *http = context;
    struct sv path = sv_from(url);

    (void)version;
    (void)upload;
    (void)upload_size;
    (void)state;
    if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0) {
        return answer(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "text/plain",
                      SV("only GET is served here\n"));
    }
    if (http->probes && (sv_eq(path, SV("/healthz")) || sv_eq(path, SV("/livez")))) {
        return answer_check(connection, "workers",
                            http->checks.live(http->checks.context));
    }
    if (http->probes && sv_eq(path, SV("/readyz"))) {
        return answer_check(connection, "caches",
                            http->checks.ready(http->checks.context));
    }
    if (http->metrics && sv_eq(path, SV("/metrics"))) {
        return answer_metrics(http, connection);
    }
    return answer(connection, MHD_HTTP_NOT_FOUND, "text/plain", SV("not found\n"));
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

bool http_start(const char *address, bool probes, bool metrics,
                const struct http_checks *checks, struct http **out_http,
                struct fault *fault)
{
    struct sockaddr_in in;
    struct http *http = NULL;

    if (strcmp(address, "0") == 0 || address[0] == '\0') {
        *out_http = NULL;
        return true;
    }
    if (!parse_address(address, &in, fault)) {
        return false;
    }
    http = HEAP_NEW(struct http);
    http->checks = *checks;
    http->probes = probes;
    http->metrics = metrics;
    http->daemon = MHD_start_daemon(
        MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_AUTO, 0, NULL, NULL, handle, http,
        MHD_OPTION_SOCK_ADDR, &in, MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MAX,
        MHD_OPTION_CONNECTION_TIMEOUT, REQUEST_SECONDS, MHD_OPTION_END);
    if (http->daemon == NULL) {
        heap_free(http);
        return fault_set(fault, FAULT_UNAVAILABLE, NULL,
                         "cannot listen on %s: is the address in use?", address);
    }
    *out_http = http;
    return true;
}

void http_stop(struct http *http)
{
    if (http != NULL) {
        MHD_stop_daemon(http->daemon);
        heap_free(http);
    }
}

int http_port(const struct http *http)
{
    const union MHD_DaemonInfo *info =
        http == NULL ? NULL
                     : MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_BIND_PORT);

    return info == NULL ? 0 : info->port;
}

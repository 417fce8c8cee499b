/*
 * One request over one channel: options, callbacks, the wait, and what its failure means.
 * HTTP/1.1 only (a watch needs a connection of its own anyway), no redirects, no signals,
 * gzip for answers that are no watch. libcurl 7.88.1 docs/libcurl.
 */
#include "kube/transport_curl.h"

#include <curl/curl.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

#define CONNECT_TIMEOUT_MS 10000L
#define KEEPALIVE_IDLE_S 30L
#define KEEPALIVE_INTERVAL_S 10L
#define UNACKNOWLEDGED_MS 45000 /* TCP_USER_TIMEOUT: a peer that vanished mid-request */
#define IDLE_CONNECTION_S 90L
#define CONNECTION_LIFETIME_S                                                            \
    1200L /* so that a moved server or a new address is noticed */
#define HEADER_LINE_MAX ((size_t)16 * 1024)
#define HEADERS_MAX ((size_t)128 * 1024)
#define RETRY_AFTER_MAX_S 3600
#define URL_BYTES_MAX ((size_t)9 * 1024 * 1024)

static bool stop(struct transport_run *run, const char *reason, const char *text)
{
    run->stopped = true;
    return fault_set(run->fault, FAULT_UNAVAILABLE, reason, "API server %s (%s): %s",
                     run->target->endpoint, run->target->origin, text);
}

static void read_retry_after(struct transport_run *run, struct sv line)
{
    static const struct sv name = {"retry-after:", 12};
    int64_t seconds = 0;

    if (!sv_starts_nocase(line, name) ||
        !sv_int64(sv_trim(sv_sub(line, name.n, line.n)), &seconds) || seconds < 0) {
        return;
    }
    run->retry_after_s = (int)(seconds > RETRY_AFTER_MAX_S ? RETRY_AFTER_MAX_S : seconds);
}

static size_t on_header(char *p, size_t size, size_t n, void *context)
{
    struct transport_run *run = context;
    struct sv line = {p, size * n};
    long status = 0;

    run->last_byte_ms = clock_monotonic_ms(run->clock);
    if (sv_starts(line, SV("HTTP/"))) { /* also what follows a 100 Continue */
        run->header_bytes = 0;
        run->retry_after_s = 0;
    }
    run->header_bytes += line.n;
    if (line.n > HEADER_LINE_MAX || run->header_bytes > HEADERS_MAX) {
        stop(run, "HeadersTooLarge",
             "the answer's headers are too large; check that the server address leads to "
             "a "
             "Kubernetes API server");
        return 0;
    }
    if (run->headers_done) {
        return line.n; /* a trailer */
    }
    read_retry_after(run, line);
    if (sv_trim(line).n == 0 &&
        curl_easy_getinfo(run->channel->easy, CURLINFO_RESPONSE_CODE, &status) ==
            CURLE_OK &&
        status >= 200) {
        run->headers_done = true;
        run->status = (int)status;
        if (run->out_status != NULL) {
            *run->out_status = run->status;
        }
    }
    return line.n;
}

static size_t on_body(char *p, size_t size, size_t n, void *context)
{
    struct transport_run *run = context;
    struct sv bytes = {p, size * n};

    run->last_byte_ms = clock_monotonic_ms(run->clock);
    if (run->body == NULL) {
        run->stopped = !run->on_bytes(run->context, bytes, run->fault);
        return run->stopped ? 0 : bytes.n;
    }
    buf_add(run->body, bytes);
    if (buf_overflowed(run->body)) {
        stop(run, "AnswerTooLarge",
             "the answer is larger than this request may be answered");
        return 0;
    }
    return bytes.n;
}

/*
 * The request's body. There is deliberately no way to rewind it: libcurl resends a
 * request whose kept-alive connection died, and without one it must fail instead, so that
 * a write is never sent twice.
 */
static size_t on_send(char *p, size_t size, size_t n, void *context)
{
    struct transport_run *run = context;
    struct sv left = sv_sub(run->request->body, run->sent_bytes, size * n);

    if (left.n > 0) {
        memcpy(p, left.p, left.n);
    }
    run->sent_bytes += left.n;
    return left.n;
}

/* The connection stands, perhaps after seconds, and the request goes out next. */
static int on_connected(void *context, char *remote, char *local, int remote_port,
                        int local_port)
{
    struct transport_run *run = context;

    (void)remote;
    (void)local;
    (void)remote_port;
    (void)local_port;
    run->stopped = !fence_check(run->request->fence, run->fault);
    return run->stopped ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

static int on_socket(void *context, curl_socket_t fd, curlsocktype purpose)
{
    unsigned timeout_ms = UNACKNOWLEDGED_MS;

    (void)context;
    (void)purpose;
    /* Best effort: on other sockets than TCP it fails and is not needed. */
    (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout_ms, sizeof(timeout_ms));
    return CURL_SOCKOPT_OK;
}

#define SET(easy, option, value) (curl_easy_setopt((easy), (option), (value)) == CURLE_OK)

static bool set_blob(CURL *easy, CURLoption option, const struct secret *pem)
{
    struct sv text = secret_reveal(pem);
    char *data = (char *)(uintptr_t)text.p; /* libcurl only reads it */
    struct curl_blob blob = {.data = data, .len = text.n, .flags = CURL_BLOB_NOCOPY};

    return pem == NULL || SET(easy, option, &blob);
}

static bool set_tls(CURL *easy, const struct transport_run *run)
{
    const struct credentials_set *set = &run->channel->set;
    bool verify = !run->target->insecure_skip_tls_verify;

    return SET(easy, CURLOPT_SSL_VERIFYPEER, verify ? 1L : 0L) &&
           SET(easy, CURLOPT_SSL_VERIFYHOST, verify ? 2L : 0L) &&
           SET(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) &&
           SET(easy, CURLOPT_CA_CACHE_TIMEOUT, 0L) && /* else a new CA waits for a day */
           set_blob(easy, CURLOPT_CAINFO_BLOB, set->part[CREDENTIALS_CA]) &&
           set_blob(easy, CURLOPT_SSLCERT_BLOB, set->part[CREDENTIALS_CERT]) &&
           set_blob(easy, CURLOPT_SSLKEY_BLOB, set->part[CREDENTIALS_KEY]);
}

static bool set_connection(CURL *easy, struct transport_run *run)
{
    const struct transport_target *target = run->target;

    return SET(easy, CURLOPT_NOSIGNAL, 1L) && SET(easy, CURLOPT_QUICK_EXIT, 1L) &&
           SET(easy, CURLOPT_PROTOCOLS_STR, "http,https") &&
           SET(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) &&
           SET(easy, CURLOPT_FOLLOWLOCATION, 0L) &&
           SET(easy, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS) &&
           SET(easy, CURLOPT_TCP_KEEPALIVE, 1L) &&
           SET(easy, CURLOPT_TCP_KEEPIDLE, KEEPALIVE_IDLE_S) &&
           SET(easy, CURLOPT_TCP_KEEPINTVL, KEEPALIVE_INTERVAL_S) &&
           SET(easy, CURLOPT_MAXAGE_CONN, IDLE_CONNECTION_S) &&
           SET(easy, CURLOPT_MAXLIFETIME_CONN, CONNECTION_LIFETIME_S) &&
           SET(easy, CURLOPT_SOCKOPTFUNCTION, on_socket) &&
           SET(easy, CURLOPT_PROXY, target->proxy) && SET(easy, CURLOPT_NOPROXY, "") &&
           SET(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L) &&
           SET(easy, CURLOPT_USERAGENT, target->user_agent) &&
           SET(easy, CURLOPT_SHARE, run->channel->share) &&
           (!run->gzip || SET(easy, CURLOPT_ACCEPT_ENCODING, "gzip")) &&
           SET(easy, CURLOPT_ERRORBUFFER, run->channel->error);
}

static bool set_request(CURL *easy, struct transport_run *run, const char *url)
{
    const struct kube_request *request = run->request;
    bool is_get = strcmp(request->method, "GET") == 0;
    bool ok = SET(easy, CURLOPT_URL, url) && SET(easy, CURLOPT_PATH_AS_IS, 1L) &&
              SET(easy, CURLOPT_PREREQFUNCTION, on_connected) &&
              SET(easy, CURLOPT_PREREQDATA, run) &&
              SET(easy, CURLOPT_HEADERFUNCTION, on_header) &&
              SET(easy, CURLOPT_HEADERDATA, run) &&
              SET(easy, CURLOPT_WRITEFUNCTION, on_body) &&
              SET(easy, CURLOPT_WRITEDATA, run);

    if (ok && !is_get && request->body.n > 0) {
        ok = SET(easy, CURLOPT_POST, 1L) &&
             SET(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.n) &&
             SET(easy, CURLOPT_READFUNCTION, on_send) && SET(easy, CURLOPT_READDATA, run);
    } else if (ok && !is_get) {
        /* Only over a used connection does libcurl send a request twice. */
        ok = SET(easy, CURLOPT_FRESH_CONNECT, 1L);
    }
    return ok && (is_get || SET(easy, CURLOPT_CUSTOMREQUEST, request->method));
}

static void close_list(struct curl_slist **list)
{
    curl_slist_free_all(*list);
}

/* Connect-to is libcurl's way to say "verify this name at that address". */
static bool set_connect_to(CURL *easy, const struct transport_target *target,
                           struct curl_slist **out_list)
{
    if (target->connect_to == NULL) {
        return true;
    }
    *out_list = curl_slist_append(NULL, target->connect_to);
    return *out_list != NULL && SET(easy, CURLOPT_CONNECT_TO, *out_list);
}

/* Header lines stay our own memory, so that the one with the token can be wiped. */
struct header_lines {
    struct curl_slist node[6];
    size_t count;
};

static void add_line(struct header_lines *lines, const char *line)
{
    must(lines->count < COUNT_OF(lines->node));
    struct curl_slist *node = &lines->node[lines->count];
    node->data = (char *)(uintptr_t)line; /* libcurl only reads it */
    node->next = NULL;
    if (lines->count > 0) {
        node[-1].next = node;
    }
    lines->count++;
}

static int wait_ms(const struct transport_run *run)
{
    int64_t left_ms = cancel_remaining_ms(run->cancel);

    if (run->idle_ms > 0) {
        int64_t quiet_ms = clock_monotonic_ms(run->clock) - run->last_byte_ms;
        int64_t idle_left_ms = quiet_ms >= run->idle_ms ? 0 : run->idle_ms - quiet_ms;
        left_ms = idle_left_ms < left_ms ? idle_left_ms : left_ms;
    }
    return left_ms > INT_MAX ? INT_MAX : (int)left_ms;
}

static bool check_limits(struct transport_run *run, struct fault *fault)
{
    if (!cancel_check(run->cancel, "waiting for the API server", fault)) {
        return fault->class == FAULT_CANCELLED
                   ? false
                   : fault_wrap(fault, "API server %s (%s)", run->target->endpoint,
                                run->target->origin);
    }
    if (run->idle_ms > 0 &&
        clock_monotonic_ms(run->clock) - run->last_byte_ms >= run->idle_ms) {
        return fault_set(
            fault, FAULT_UNAVAILABLE, "Idle",
            "API server %s (%s): nothing was heard for %lld s; the connection "
            "may be half open",
            run->target->endpoint, run->target->origin, (long long)(run->idle_ms / 1000));
    }
    return true;
}

static bool drive(struct transport_run *run, struct fault *fault)
{
    CURLM *multi = run->channel->multi;
    struct curl_waitfd wake = {.fd = cancel_fd(run->cancel), .events = CURL_WAIT_POLLIN};
    int running = 1;
    int queued = 0;

    while (check_limits(run, fault)) {
        if (curl_multi_perform(multi, &running) != CURLM_OK) {
            return fault_set(fault, FAULT_BUG, NULL, "libcurl refused to go on");
        }
        if (running == 0) {
            break;
        }
        if (curl_multi_poll(multi, &wake, 1, wait_ms(run), NULL) != CURLM_OK) {
            return fault_set(fault, FAULT_BUG, NULL, "libcurl refused to wait");
        }
    }
    if (running != 0) {
        return false; /* check_limits() said why */
    }
    const CURLMsg *message = curl_multi_info_read(multi, &queued);
    must(message != NULL && message->msg == CURLMSG_DONE);
    if (run->stopped) {
        return false;
    }
    return message->data.result == CURLE_OK
               ? true
               : transport_fault(run, message->data.result, fault);
}

bool transport_run(struct transport_run *run, struct fault *fault)
{
    struct transport_channel *channel = run->channel;
    AUTO(close_list) struct curl_slist *connect_to = NULL;
    AUTO(buf_deinit) struct buf url = {0};
    AUTO(buf_deinit) struct buf type = {0};
    struct header_lines lines = {.count = 0};

    buf_init(&url, URL_BYTES_MAX);
    buf_addf(&url, "%s%s", run->target->url, run->request->path);
    buf_init(&type, HEADER_LINE_MAX);
    add_line(&lines, "Accept: application/json");
    add_line(&lines, "Expect:"); /* no round trip before a body */
    if (run->target->host_header != NULL) {
        add_line(&lines, run->target->host_header);
    }
    if (run->authorization.n > 0) {
        add_line(&lines, run->authorization.p);
    }
    if (run->request->content_type != NULL) {
        buf_addf(&type, "Content-Type: %s", run->request->content_type);
        add_line(&lines, buf_z(&type));
    }
    run->fault = fault;
    run->last_byte_ms = clock_monotonic_ms(run->clock);
    channel->error[0] = '\0';
    curl_easy_reset(channel->easy);
    if (!set_connection(channel->easy, run) || !set_tls(channel->easy, run) ||
        !set_request(channel->easy, run, buf_z(&url)) ||
        !set_connect_to(channel->easy, run->target, &connect_to) ||
        !SET(channel->easy, CURLOPT_HTTPHEADER, lines.node) ||
        curl_multi_add_handle(channel->multi, channel->easy) != CURLM_OK) {
        return fault_set(
            fault, FAULT_BUG, NULL,
            "this libcurl lacks an option the program needs; it was built for "
            "libcurl 7.88 with OpenSSL");
    }
    bool done = drive(run, fault);
    /* Also closes the connection when the answer was not read to its end. */
    must(curl_multi_remove_handle(channel->multi, channel->easy) == CURLM_OK);
    curl_easy_reset(channel->easy); /* forgets pointers into this frame */
    return done;
}

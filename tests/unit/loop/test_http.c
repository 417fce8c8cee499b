#include "loop/http.h"
#include "loop_unit.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

struct bench {
    struct http *http;
    struct http_answers answers;
    struct lg *lg;
    int log_fd;
    bool broken, degraded;
    char reply[8192];
};

static bool caches(void *context)
{
    const struct bench *b = context;

    return !b->broken;
}

static void audit(void *context, char out_text[HTTP_DETAIL_SIZE])
{
    const struct bench *b = context;

    if (b->degraded) {
        (void)snprintf(out_text, HTTP_DETAIL_SIZE, "degraded: the disk is full");
    }
}

static void state_text(void *context, struct buf *out)
{
    (void)context;
    buf_addz(out, "{\"queue\":{}}");
}

static void metrics_text(void *context, struct buf *out)
{
    (void)context;
    buf_addz(out, "a_metric 1\n");
}

/* Tells what it was asked, or what the filter's limit stands for. */
static bool audit_text(void *context, const struct audit_filter *f, bool logs,
                       struct buf *out, struct fault *fault)
{
    (void)context;
    if (f->limit == 413) {
        return fault_set(fault, FAULT_SPEC, "AnswerTooLarge", "ask for fewer");
    }
    if (f->limit == 503) {
        return fault_set(fault, FAULT_UNAVAILABLE, "AuditWaits", "ask the leader");
    }
    if (f->limit == 500) {
        return fault_set(fault, FAULT_BUG, NULL, "broken");
    }
    buf_addf(out, "%s %s/%s run %lld limit %lld before %lld", logs ? "logs" : "runs",
             f->namespace == NULL ? "*" : f->namespace, f->name == NULL ? "*" : f->name,
             (long long)f->run, (long long)f->limit, (long long)f->before);
    return f->bytes_max == HTTP_AUDIT_BYTES_MAX
               ? true
               : fault_set(fault, FAULT_BUG, NULL, "without a ceiling");
}

static void start(struct bench *b, bool debug)
{
    const struct http_listen listen = {.address = "127.0.0.1:0",
                                       .probes = !debug,
                                       .metrics = !debug,
                                       .debug = debug,
                                       .lg = b->lg,
                                       .clock = clock_system()};
    struct fault fault = FAULT_INIT;

    assert_ok(http_start(&listen, &b->answers, &b->http, &fault), fault);
}

static void setup(struct bench *b)
{
    *b = (struct bench){.log_fd = open("/dev/null", O_WRONLY | O_CLOEXEC)};
    b->answers = (struct http_answers){
        .context = b,
        .live = {{.name = "workers"}},
        .ready = {{.name = "caches", .good = caches}, {.name = "audit", .detail = audit}},
        .metrics = metrics_text,
        .state = state_text,
        .audit = audit_text};
    b->lg = lg_new(b->log_fd, LG_INFO, clock_system());
}

static void teardown(struct bench *b)
{
    http_stop(b->http);
    lg_free(b->lg);
    (void)close(b->log_fd);
}

#define BENCH(debug)                                                                     \
    AUTO(teardown) struct bench b;                                                       \
    (void)state;                                                                         \
    setup(&b);                                                                           \
    start(&b, debug)

/* The whole reply to a request that is given as it goes over the wire. */
static const char *send_raw(struct bench *b, const char *request)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)http_port(b->http)),
                             .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    size_t n = 0;
    ssize_t got = 0;

    assert_true(fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0);
    assert_int_equal(write(fd, request, strlen(request)), strlen(request));
    while (n + 1 < sizeof(b->reply) &&
           (got = read(fd, b->reply + n, sizeof(b->reply) - 1 - n)) > 0) {
        n += (size_t)got;
    }
    b->reply[n] = '\0';
    (void)close(fd);
    return b->reply;
}

static const char *ask(struct bench *b, const char *method, const char *path,
                       const char *host, const char *body)
{
    char request[1024];

    (void)snprintf(request, sizeof(request),
                   "%s %s HTTP/1.1\r\n%s%s%sContent-Length: %zu\r\n\r\n%s", method, path,
                   host == NULL ? "" : "Host: ", host == NULL ? "" : host,
                   host == NULL ? "" : "\r\n", strlen(body), body);
    return send_raw(b, request);
}

static int status_of(const char *reply)
{
    return strncmp(reply, "HTTP/1.1 ", 9) == 0 ? (int)strtol(reply + 9, NULL, 10) : 0;
}

static const char *body_of(const char *reply)
{
    const char *end = strstr(reply, "\r\n\r\n");

    return end == NULL ? "" : end + 4;
}

static void expect(struct bench *b, const char *path, int status, const char *body)
{
    const char *reply = ask(b, "GET", path, "localhost", "");

    assert_int_equal(status_of(reply), status);
    assert_string_equal(body_of(reply), body);
}

static void health_is_short_and_verbose_on_demand(void **state)
{
    BENCH(false);
    expect(&b, "/readyz", 200, "ok\n");
    expect(&b, "/healthz", 200, "ok\n");
    expect(&b, "/livez?verbose", 200, "[+]workers ok\nlivez check passed\n");
    expect(&b, "/healthz?verbose", 200, "[+]workers ok\nhealthz check passed\n");
    expect(&b, "/readyz?verbose", 200,
           "[+]caches ok\n[+]audit ok\nreadyz check passed\n");
    expect(&b, "/readyz/?verbose=1", 200,
           "[+]caches ok\n[+]audit ok\nreadyz check passed\n");
}

static void a_failed_check_is_named_and_nothing_more(void **state)
{
    BENCH(false);
    b.broken = true;
    expect(&b, "/readyz", 500,
           "[-]caches failed: reason withheld\n[+]audit ok\nreadyz check failed\n");
    expect(&b, "/readyz/caches", 500, "failed: reason withheld\n");
    expect(&b, "/readyz/audit", 200, "ok\n");
    expect(&b, "/livez", 200, "ok\n");
    expect(&b, "/readyz?exclude=caches", 200, "ok\n");
    expect(&b, "/readyz?exclude=caches&verbose", 200,
           "[+]caches excluded: ok\n[+]audit ok\nreadyz check passed\n");
    expect(&b, "/readyz?verbose&exclude=nothing&exclude=caches", 200,
           "[+]caches excluded: ok\n[+]audit ok\n"
           "warn: no check is called \"nothing\"\nreadyz check passed\n");
}

static void a_degraded_audit_is_told_and_fails_nothing(void **state)
{
    BENCH(false);
    b.degraded = true;
    expect(&b, "/readyz", 200, "ok\n");
    expect(&b, "/readyz?verbose", 200,
           "[+]caches ok\n[+]audit degraded: the disk is full\nreadyz check passed\n");
}

static void other_paths_are_not_there(void **state)
{
    static const char *const paths[] = {
        "/",        "/readyz/nothing", "/livez/caches",   "/health", "/readyz/caches/",
        "//readyz", "/debug/state",    "/debug/log-level"};
    BENCH(false);
    for (size_t i = 0; i < COUNT_OF(paths); i++) {
        assert_int_equal(status_of(ask(&b, "GET", paths[i], "localhost", "")), 404);
    }
    assert_int_equal(status_of(ask(&b, "PUT", "/debug/log-level", "localhost", "debug")),
                     405);
    expect(&b, "/metrics", 200, "a_metric 1\n");
}

static void the_debug_listener_tells_its_state(void **state)
{
    BENCH(true);
    expect(&b, "/debug/state", 200, "{\"queue\":{}}");
    assert_contains(b.reply, "application/json");
    assert_int_equal(status_of(ask(&b, "GET", "/metrics", "localhost", "")), 404);
    assert_int_equal(status_of(ask(&b, "GET", "/readyz", "localhost", "")), 404);
    assert_int_equal(status_of(ask(&b, "POST", "/debug/state", "localhost", "")), 405);
    assert_int_equal(status_of(ask(&b, "PUT", "/debug/state", "localhost", "x")), 405);
}

static void the_level_changes_by_put(void **state)
{
    char longer[200];
    BENCH(true);

    memset(longer, 'd', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    expect(&b, "/debug/log-level", 200, "info");
    assert_string_equal(
        body_of(ask(&b, "PUT", "/debug/log-level", "localhost", "debug\n")), "debug");
    assert_int_equal(lg_get_level(b.lg), LG_DEBUG);
    assert_int_equal(
        status_of(ask(&b, "PUT", "/debug/log-level?level=error", "localhost", "")), 200);
    assert_int_equal(lg_get_level(b.lg), LG_ERROR);
    assert_int_equal(status_of(ask(&b, "PUT", "/debug/log-level", "localhost", "loud")),
                     400);
    assert_int_equal(status_of(ask(&b, "PUT", "/debug/log-level", "localhost", "")), 400);
    assert_int_equal(status_of(ask(&b, "PUT", "/debug/log-level", "localhost", longer)),
                     400);
    assert_int_equal(lg_get_level(b.lg), LG_ERROR);
}

/* A page whose name was made to resolve to 127.0.0.1 sends its own name. */
static void only_this_machines_names_are_answered(void **state)
{
    static const char *const good[] = {"localhost",      "localhost:6060", "127.0.0.1",
                                       "127.0.0.1:6060", "[::1]",          "[::1]:6060"};
    static const char *const bad[] = {"evil.example",
                                      "evil.example:6060",
                                      "localhost.evil.example",
                                      "127.0.0.1.evil.example",
                                      "0.0.0.0",
                                      "[::2]:6060",
                                      "",
                                      "user@localhost"};
    BENCH(true);

    for (size_t i = 0; i < COUNT_OF(good); i++) {
        assert_int_equal(status_of(ask(&b, "GET", "/debug/state", good[i], "")), 200);
    }
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_int_equal(status_of(ask(&b, "GET", "/debug/state", bad[i], "")), 403);
        assert_int_equal(status_of(ask(&b, "PUT", "/debug/log-level", bad[i], "debug")),
                         403);
    }
    assert_int_equal(status_of(send_raw(&b, "GET /debug/state HTTP/1.0\r\n\r\n")), 403);
    assert_int_equal(lg_get_level(b.lg), LG_INFO);
}

static void the_audit_is_asked_for_in_pages(void **state)
{
    BENCH(true);
    expect(&b, "/audit/runs", 200, "runs */* run 0 limit 50 before 0");
    expect(&b, "/audit/logs?namespace=a%20b&name=c%2Fd&run=7&limit=1000&before=9", 200,
           "logs a b/c/d run 7 limit 1000 before 9");
    expect(&b, "/audit/runs?namespace=&name=", 200, "runs */* run 0 limit 50 before 0");
    assert_non_null(
        strstr(ask(&b, "GET", "/audit/runs", "localhost", ""), "application/json"));
    expect(&b, "/audit/runs?limit=413", 413, "ask for fewer");
    expect(&b, "/audit/logs?limit=503", 503, "ask the leader");
    expect(&b, "/audit/logs?limit=500", 500, "broken");
    for (const char *const *bad = (const char *const[]){"limit=0", "limit=1001", "limit=",
                                                        "run=-1", "before=x", NULL};
         *bad != NULL; bad++) {
        char path[64];

        (void)snprintf(path, sizeof(path), "/audit/runs?%s", *bad);
        assert_int_equal(status_of(ask(&b, "GET", path, "localhost", "")), 400);
    }
    assert_int_equal(status_of(ask(&b, "GET", "/audit/runs", "rebound.example", "")),
                     403);
    assert_int_equal(status_of(ask(&b, "PUT", "/audit/runs", "localhost", "x")), 405);
    assert_int_equal(status_of(ask(&b, "GET", "/audit/", "localhost", "")), 404);
}

static void the_audit_is_not_for_scrapers(void **state)
{
    BENCH(false);
    assert_int_equal(status_of(ask(&b, "GET", "/audit/runs", "localhost", "")), 404);
}

static void the_debug_listener_is_for_this_machine(void **state)
{
    static const char *const refused[] = {":6060",        "0.0.0.0:6060", "10.0.0.1:6060",
                                          "[::]:6060",    "128.0.0.1:0",  "localhost.x:1",
                                          "127.0.0.1.x:1"};
    static const char *const taken[] = {"localhost:0", "127.0.0.1:0", "127.5.0.9:0"};
    AUTO(teardown) struct bench b;
    struct http_listen listen = {.debug = true, .clock = clock_system()};

    (void)state;
    setup(&b);
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        struct fault fault = FAULT_INIT;
        struct http *http = NULL;

        listen.address = refused[i];
        assert_false(http_start(&listen, &b.answers, &http, &fault));
        assert_contains(fault.text, "--debug-bind-address");
        assert_contains(fault.text, refused[i]);
        assert_contains(fault.text, "localhost:PORT");
        assert_int_equal(fault.class, FAULT_SPEC);
    }
    for (size_t i = 0; i < COUNT_OF(taken); i++) {
        struct fault fault = FAULT_INIT;
        struct http *http = NULL;

        listen.address = taken[i];
        assert_ok(http_start(&listen, &b.answers, &http, &fault), fault);
        http_stop(http);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(health_is_short_and_verbose_on_demand),
        cmocka_unit_test(a_failed_check_is_named_and_nothing_more),
        cmocka_unit_test(a_degraded_audit_is_told_and_fails_nothing),
        cmocka_unit_test(other_paths_are_not_there),
        cmocka_unit_test(the_debug_listener_tells_its_state),
        cmocka_unit_test(the_level_changes_by_put),
        cmocka_unit_test(only_this_machines_names_are_answered),
        cmocka_unit_test(the_audit_is_asked_for_in_pages),
        cmocka_unit_test(the_audit_is_not_for_scrapers),
        cmocka_unit_test(the_debug_listener_is_for_this_machine),
    };

    return cmocka_run_group_tests_name("loop/http", tests, NULL, NULL);
}

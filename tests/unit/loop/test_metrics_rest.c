#include "loop/metrics_rest.h"
#include "loop_unit.h"

/* A transport that says what it is told to. */
struct said {
    struct kube_transport base;
    int status; /* 0: it cannot be reached */
    const char *body;
};

struct bench {
    struct unit_clock clock;
    struct said said;
    struct metrics *metrics;
    struct kube_transport *counted;
    struct buf text;
};

static bool say(struct kube_transport *t, const struct kube_request *request,
                struct cancel *cancel, struct kube_response *out_response,
                struct fault *fault)
{
    struct said *said = (struct said *)t;

    (void)request;
    (void)cancel;
    if (said->status == 0) {
        return fault_set(fault, FAULT_UNAVAILABLE, NULL, "refused");
    }
    out_response->status = said->status;
    buf_addz(&out_response->body, said->body);
    return true;
}

static bool stream(struct kube_transport *t, const struct kube_request *request,
                   int64_t idle_ms, struct cancel *cancel, kube_on_bytes *on_bytes,
                   void *context, int *out_status, struct fault *fault)
{
    struct said *said = (struct said *)t;

    (void)request;
    (void)idle_ms;
    (void)cancel;
    if (said->status == 0) {
        return fault_set(fault, FAULT_UNAVAILABLE, NULL, "refused");
    }
    *out_status = said->status;
    return said->body == NULL || (on_bytes(context, sv_from(said->body), fault) &&
                                  on_bytes(context, sv_from(said->body), fault));
}

static const struct kube_transport_ops SAID = {.call = say, .stream = stream};

static void setup(struct bench *b)
{
    *b = (struct bench){.said = {.base = {.ops = &SAID}, .status = 200, .body = "{}"}};
    unit_clock_init(&b->clock);
    b->metrics = metrics_new(&b->clock.base);
    b->counted =
        metrics_rest_new(&b->said.base, "10.0.0.1:6443", b->metrics, &b->clock.base);
    buf_init(&b->text, 4 << 20);
}

static void teardown(struct bench *b)
{
    kube_transport_free(b->counted);
    metrics_free(b->metrics);
    buf_deinit(&b->text);
}

static const char *printed(struct bench *b)
{
    buf_clear(&b->text);
    metrics_print(b->metrics, NULL, NULL, &b->text);
    return buf_z(&b->text);
}

static bool call(struct bench *b, const char *method, struct sv body)
{
    const struct kube_request request = {.method = method, .path = "/", .body = body};
    struct kube_response response = {0};
    struct fault fault = FAULT_INIT;
    bool done = false;

    buf_init(&response.body, 1024);
    done = b->counted->ops->call(b->counted, &request, NULL, &response, &fault);
    buf_deinit(&response.body);
    return done;
}

static void calls_are_counted_by_what_came_back(void **state)
{
    AUTO(teardown) struct bench b;

    (void)state;
    setup(&b);
    assert_true(call(&b, "GET", SV_NULL));
    assert_true(call(&b, "GET", SV_NULL));
    b.said.status = 409;
    assert_true(call(&b, "PATCH", SV("0123456789")));
    b.said.status = 0;
    assert_false(call(&b, "PATCH", SV_NULL));
    assert_contains(printed(&b), "\nrest_client_requests_total{code=\"200\",method="
                                 "\"GET\",host=\"10.0.0.1:6443\"} 2\n");
    assert_contains(printed(&b), "{code=\"409\",method=\"PATCH\",host=");
    assert_contains(printed(&b), "{code=\"<error>\",method=\"PATCH\",host="
                                 "\"10.0.0.1:6443\"} 1\n");
    assert_contains(printed(&b), "\nrest_client_request_duration_seconds_count{verb="
                                 "\"PATCH\",host=\"10.0.0.1:6443\"} 2\n");
    assert_contains(printed(&b), "\nrest_client_request_size_bytes_sum{verb=\"PATCH\","
                                 "host=\"10.0.0.1:6443\"} 10\n");
    assert_contains(printed(&b), "\nrest_client_response_size_bytes_sum{verb=\"GET\","
                                 "host=\"10.0.0.1:6443\"} 4\n");
}

static bool take(void *context, struct sv bytes, struct fault *fault)
{
    struct bench *b = context;

    (void)bytes;
    (void)fault;
    /* It lasts minutes: it is told from its first bytes on. */
    assert_contains(printed(b), "\nrest_client_requests_total{code=\"");
    return true;
}

static void a_watch_is_one_request_without_a_duration(void **state)
{
    AUTO(teardown) struct bench b;
    const struct kube_request request = {.method = "GET", .path = "/"};
    struct fault fault = FAULT_INIT;
    int status = -1;

    (void)state;
    setup(&b);
    assert_true(
        b.counted->ops->stream(b.counted, &request, 1, NULL, take, &b, &status, &fault));
    assert_int_equal(status, 200);
    assert_contains(printed(&b),
                    "{code=\"200\",method=\"GET\",host=\"10.0.0.1:6443\"} 1");
    b.said.status = 410;
    b.said.body = NULL;
    assert_true(
        b.counted->ops->stream(b.counted, &request, 1, NULL, take, &b, &status, &fault));
    assert_contains(printed(&b),
                    "{code=\"410\",method=\"GET\",host=\"10.0.0.1:6443\"} 1");
    b.said.status = 0;
    assert_false(
        b.counted->ops->stream(b.counted, &request, 1, NULL, take, &b, &status, &fault));
    assert_int_equal(status, 0);
    assert_contains(printed(&b), "{code=\"<error>\",method=\"GET\",");
    assert_null(strstr(printed(&b), "rest_client_request_duration_seconds_count"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_are_counted_by_what_came_back),
        cmocka_unit_test(a_watch_is_one_request_without_a_duration),
    };

    return cmocka_run_group_tests_name("loop/metrics_rest", tests, NULL, NULL);
}

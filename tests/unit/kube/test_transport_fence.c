/* The fence of a request, asked when the connection stands. */
#include "transport_bench.h"

struct gate {
    struct fence fence;
    struct http_server *server; /* what it had seen when the fence was asked */
    int asked, connections;
    bool shut;
};

static bool may_write(const struct fence *fence, struct fault *fault)
{
    struct gate *gate = (struct gate *)(uintptr_t)fence;

    gate->asked++;
    gate->connections = http_server_connections(gate->server);
    return gate->shut ? fault_set(fault, FAULT_CANCELLED, "NotLeader", "not the leader")
                      : true;
}

static bool patch(struct bench *b, struct gate *gate)
{
    const struct kube_request request = {.method = "PATCH",
                                         .path = "/p",
                                         .content_type = "application/json-patch+json",
                                         .body = SV("[]"),
                                         .fence = &gate->fence};

    gate->server = b->server;
    gate->asked = gate->connections = 0;
    return call(b, &request);
}

static void it_is_asked_once_the_connection_stands(void **state)
{
    (void)state;
    BENCH(http_serve_echo, NULL);
    struct gate gate = {.fence = {may_write}};

    connect_now(&b);
    for (int i = 1; i <= 2; i++) { /* the second over the same connection */
        assert_ok(patch(&b, &gate), b.fault);
        assert_int_equal(gate.asked, 1);
        assert_int_equal(http_server_requests(b.server), i);
    }
    assert_int_equal(gate.connections, 1);
}

static void no_byte_of_a_request_passes_a_shut_one(void **state)
{
    (void)state;
    BENCH(http_serve_echo, NULL);
    struct gate gate = {.fence = {may_write}, .shut = true};

    connect_now(&b);
    assert_false(patch(&b, &gate));
    assert_int_equal(b.fault.class, FAULT_CANCELLED);
    assert_string_equal(b.fault.reason, "NotLeader");
    assert_int_equal(gate.asked, 1);
    /* The transport is as good as before: reading goes on. */
    assert_ok(get(&b, "/x"), b.fault);
    assert_int_equal(http_server_requests(b.server), 1);
    assert_contains(http_server_request(b.server, 0), "GET /x ");
    gate.shut = false;
    assert_ok(patch(&b, &gate), b.fault);
    assert_int_equal(http_server_requests(b.server), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_asked_once_the_connection_stands),
        cmocka_unit_test(no_byte_of_a_request_passes_a_shut_one),
    };

    return cmocka_run_group_tests_name("kube/transport_fence", tests, global_setup,
                                       global_teardown);
}

/* resolve and guard: waits that libraries would not let go of. */
#include "db/guard.h"
#include "db/resolve.h"
#include "unit.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

static void numeric_addresses_need_no_resolver(void **state)
{
    AUTO(cancel_deinit) struct cancel root = {0};
    struct fault f = FAULT_INIT;
    const char *const hosts[] = {"127.0.0.1", "::1", "10.1.2.3"};

    assert_ok(cancel_init_root(&root, clock_system(), &f), f);
    for (size_t i = 0; i < COUNT_OF(hosts); i++) {
        struct strlist found = {0};
        assert_ok(resolve_host(hosts[i], "connecting", &root, *state, &found, &f), f);
        assert_int_equal(found.n, 1);
        assert_string_equal(found.v[0], hosts[i]);
    }
}

static void names_are_looked_up(void **state)
{
    AUTO(cancel_deinit) struct cancel root = {0};
    struct fault f = FAULT_INIT;
    struct strlist found = {0};

    assert_ok(cancel_init_root(&root, clock_system(), &f), f);
    assert_ok(resolve_host("localhost", "connecting", &root, *state, &found, &f), f);
    assert_true(found.n >= 1 && found.n <= RESOLVE_ADDRESSES_MAX);
    for (size_t i = 0; i < found.n; i++) {
        assert_true(!strcmp(found.v[i], "127.0.0.1") || !strcmp(found.v[i], "::1"));
        for (size_t k = 0; k < i; k++) {
            assert_string_not_equal(found.v[i], found.v[k]);
        }
    }
}

static void unknown_names_are_a_fault_of_their_own(void **state)
{
    AUTO(cancel_deinit) struct cancel root = {0};
    struct fault f = FAULT_INIT;
    struct strlist found = {0};
    const char *const hosts[] = {"no-such-host.invalid", "", "two words"};

    assert_ok(cancel_init_root(&root, clock_system(), &f), f);
    for (size_t i = 0; i < COUNT_OF(hosts); i++) {
        assert_false(resolve_host(hosts[i], "connecting", &root, *state, &found, &f));
        assert_int_equal(f.class, FAULT_UNAVAILABLE);
        assert_string_equal(f.reason, "UnknownHost");
        assert_contains(f.text, "spec.host");
        assert_int_equal(found.n, 0);
    }
}

static void a_fired_cancel_ends_the_look_up(void **state)
{
    AUTO(cancel_deinit) struct cancel root = {0};
    struct fault f = FAULT_INIT;
    struct strlist found = {0};

    assert_ok(cancel_init_root(&root, clock_system(), &f), f);
    cancel_fire(&root);
    assert_false(resolve_host("localhost", "connecting", &root, *state, &found, &f));
    assert_int_equal(f.class, FAULT_CANCELLED);
}

struct pair {
    int ours, theirs;
};

static struct pair connected(void)
{
    int fds[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    return (struct pair){fds[0], fds[1]};
}

/* Blocks as a library's call would; -1 on an error, 0 at the end of the stream. */
static ssize_t blocking_read(int fd)
{
    char byte = 0;

    return read(fd, &byte, 1);
}

static void the_guard_ends_a_blocking_read_at_the_deadline(void **state)
{
    (void)state;
    AUTO(cancel_deinit) struct cancel root = {0};
    struct cancel limit;
    struct fault f = FAULT_INIT;
    struct pair pair = connected();

    assert_ok(cancel_init_root(&root, clock_system(), &f), f);
    cancel_init_child(&limit, &root, 50);
    struct guard *guard = guard_start(pair.ours, &limit);
    assert_non_null(guard);
    assert_int_equal(blocking_read(pair.ours), 0);
    guard_stop(guard);
    close(pair.ours);
    close(pair.theirs);
}

static void the_guard_ends_a_blocking_read_when_fired(void **state)
{
    (void)state;
    AUTO(cancel_deinit) struct cancel root = {0};
    struct fault f = FAULT_INIT;
    struct pair pair = connected();

    assert_ok(cancel_init_root(&root, clock_system(), &f), f);
    struct guard *guard = guard_start(pair.ours, &root);
    assert_non_null(guard);
    cancel_fire(&root);
    assert_int_equal(blocking_read(pair.ours), 0);
    guard_stop(guard);
    close(pair.ours);
    close(pair.theirs);
}

static void a_stopped_guard_leaves_the_socket_alone(void **state)
{
    (void)state;
    AUTO(cancel_deinit) struct cancel root = {0};
    struct fault f = FAULT_INIT;
    struct pair pair = connected();

    assert_ok(cancel_init_root(&root, clock_system(), &f), f);
    AUTO(guard_stopp) struct guard *guard = guard_start(pair.ours, &root);
    guard_stopp(&guard);
    assert_null(guard);
    cancel_fire(&root);
    assert_int_equal(write(pair.theirs, "x", 1), 1);
    assert_int_equal(blocking_read(pair.ours), 1);
    close(pair.ours);
    close(pair.theirs);
}

/* The library closes its socket before the guard knows; the number may be anybody's then.
 */
static void the_guard_does_not_touch_a_reused_number(void **state)
{
    (void)state;
    AUTO(cancel_deinit) struct cancel root = {0};
    struct fault f = FAULT_INIT;
    struct pair first = connected();
    struct pair second = connected();

    assert_ok(cancel_init_root(&root, clock_system(), &f), f);
    struct guard *guard = guard_start(first.ours, &root);
    assert_int_equal(dup2(second.ours, first.ours), first.ours);
    cancel_fire(&root);
    struct pollfd hung = {.fd = first.theirs, .events = POLLIN};
    assert_int_equal(poll(&hung, 1, 5000), 1); /* the guard has acted on the old socket */
    guard_stop(guard);
    assert_int_equal(write(second.theirs, "x", 1), 1);
    assert_int_equal(blocking_read(first.ours), 1);
    close(first.ours);
    close(first.theirs);
    close(second.ours);
    close(second.theirs);
}

int main(void)
{
#define WAIT_TEST(f) cmocka_unit_test_setup_teardown(f, arena_setup, arena_teardown)
    const struct CMUnitTest tests[] = {
        WAIT_TEST(numeric_addresses_need_no_resolver),
        WAIT_TEST(names_are_looked_up),
        WAIT_TEST(unknown_names_are_a_fault_of_their_own),
        WAIT_TEST(a_fired_cancel_ends_the_look_up),
        WAIT_TEST(the_guard_ends_a_blocking_read_at_the_deadline),
        WAIT_TEST(the_guard_ends_a_blocking_read_when_fired),
        WAIT_TEST(a_stopped_guard_leaves_the_socket_alone),
        WAIT_TEST(the_guard_does_not_touch_a_reused_number),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "base/cancel.h"
#include "unit.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

struct fake_clock {
    struct clock clock;
    int64_t now_ms;
};

static int64_t fake_now(const struct clock *self)
{
    return ((const struct fake_clock *)(const void *)self)->now_ms;
}

static struct fake_clock fake(int64_t now_ms)
{
    return (struct fake_clock){{fake_now, fake_now}, now_ms};
}

static void deadlines_follow_the_given_clock(void **state)
{
    (void)state;
    struct fake_clock time = fake(1000);
    AUTO(cancel_deinit) struct cancel root = {0};
    struct cancel child;
    struct cancel grandchild;
    struct fault f = FAULT_INIT;

    assert_ok(cancel_init_root(&root, &time.clock, &f), f);
    assert_true(cancel_remaining_ms(&root) == INT64_MAX);
    cancel_init_child(&child, &root, 500);
    cancel_init_child(&grandchild, &child, 9000);
    assert_int_equal(cancel_remaining_ms(&child), 500);
    assert_int_equal(cancel_remaining_ms(&grandchild), 500);
    time.now_ms = 1499;
    assert_int_equal(cancel_remaining_ms(&grandchild), 1);
    assert_true(cancel_check(&grandchild, "x", &f));
    time.now_ms = 1500;
    assert_int_equal(cancel_remaining_ms(&child), 0);
    assert_false(cancel_check(&grandchild, "reading rows", &f));
    assert_int_equal(f.class, FAULT_UNAVAILABLE);
    assert_string_equal(f.reason, "Timeout");
    assert_string_equal(f.text, "reading rows: timed out");
    assert_false(cancel_fired(&child));
    cancel_init_child(&child, &root, INT64_MAX);
    assert_true(cancel_check(&child, "x", &f));
    cancel_init_child(&child, &root, -5);
    assert_false(cancel_check(&child, "x", &f));
    cancel_init_child(&child, &root, INT64_MIN);
    assert_int_equal(cancel_remaining_ms(&child), 0);
}

static void firing_ends_everything(void **state)
{
    (void)state;
    struct fake_clock time = fake(0);
    AUTO(cancel_deinit) struct cancel root = {0};
    struct cancel child;
    struct fault f = FAULT_INIT;

    assert_ok(cancel_init_root(&root, &time.clock, &f), f);
    cancel_init_child(&child, &root, 1000);
    assert_int_equal(cancel_fd(&child), cancel_fd(&root));
    cancel_fire(&child); /* fires the root */
    cancel_fire(&root);
    assert_true(cancel_fired(&root));
    assert_true(cancel_fired(&child));
    assert_int_equal(cancel_remaining_ms(&child), 0);
    assert_int_equal(cancel_remaining_ms(&root), 0);
    struct pollfd p = {.fd = cancel_fd(&child), .events = POLLIN};
    assert_int_equal(poll(&p, 1, 0), 1);
    assert_false(cancel_check(&child, "connect to db", &f));
    assert_int_equal(f.class, FAULT_CANCELLED);
    assert_contains(f.text, "connect to db: stopped");
    assert_false(cancel_poll(&child, -1, 0, "x", &f));
    assert_int_equal(f.class, FAULT_CANCELLED);
    assert_false(cancel_sleep(&child, 1));
    /* A wait that has data as well still ends: the stop comes first. */
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "x", 1), 1);
    assert_false(cancel_poll(&child, ends[0], POLLIN, "x", &f));
    (void)close(ends[0]);
    (void)close(ends[1]);
}

static void waits_for_a_descriptor(void **state)
{
    (void)state;
    struct fake_clock time = fake(0);
    AUTO(cancel_deinit) struct cancel root = {0};
    struct cancel child;
    struct fault f = FAULT_INIT;
    int ends[2];

    assert_ok(cancel_init_root(&root, &time.clock, &f), f);
    assert_int_equal(pipe(ends), 0);
    /* The fake clock stands still, and the wait ends all the same. */
    cancel_init_child(&child, &root, 20);
    assert_false(cancel_poll(&child, ends[0], POLLIN, "nothing comes", &f));
    assert_string_equal(f.reason, "Timeout");
    assert_string_equal(f.text, "nothing comes: timed out");
    assert_false(cancel_poll(&child, -1, 0, "no descriptor", &f));
    assert_string_equal(f.reason, "Timeout");
    assert_true(cancel_poll(&child, ends[1], POLLOUT, "room to write", &f));
    assert_int_equal(write(ends[1], "x", 1), 1);
    assert_true(cancel_poll(&root, ends[0], POLLIN, "data", &f));
    (void)close(ends[1]);
    assert_true(cancel_poll(&root, ends[0], POLLIN, "hang up", &f));
    (void)close(ends[0]);
    assert_false(cancel_poll(&child, ends[0], POLLIN, "closed", &f));
    assert_int_equal(f.class, FAULT_BUG);
}

static void sleeps(void **state)
{
    (void)state;
    AUTO(cancel_deinit) struct cancel root = {0};
    struct cancel child;
    struct fault f = FAULT_INIT;

    assert_ok(cancel_init_root(&root, clock_system(), &f), f);
    int64_t before = clock_monotonic_ms(clock_system());
    assert_true(cancel_sleep(&root, 30));
    assert_true(clock_monotonic_ms(clock_system()) - before >= 29);
    assert_true(cancel_sleep(&root, 0));
    assert_true(cancel_sleep(&root, -1));
    cancel_init_child(&child, &root, 10);
    assert_false(cancel_sleep(&child, 60000));
    assert_false(cancel_sleep(&child, 1));
}

static void *fire_it(void *cancel)
{
    cancel_fire(cancel);
    return NULL;
}

static void another_thread_wakes_a_wait(void **state)
{
    (void)state;
    AUTO(cancel_deinit) struct cancel root = {0};
    struct cancel child;
    struct fault f = FAULT_INIT;
    pthread_t thread;

    assert_ok(cancel_init_root(&root, clock_system(), &f), f);
    cancel_init_child(&child, &root, 60000);
    assert_int_equal(pthread_create(&thread, NULL, fire_it, &root), 0);
    assert_false(cancel_poll(&child, -1, 0, "long", &f));
    assert_int_equal(f.class, FAULT_CANCELLED);
    assert_false(cancel_sleep(&root, 60000));
    assert_int_equal(pthread_join(thread, NULL), 0);
}

static struct cancel *signalled;

static void on_signal(int signal)
{
    (void)signal;
    cancel_fire(signalled);
}

static void a_signal_handler_may_fire(void **state)
{
    (void)state;
    AUTO(cancel_deinit) struct cancel root = {0};
    struct fault f = FAULT_INIT;
    struct sigaction action = {.sa_handler = on_signal};

    assert_ok(cancel_init_root(&root, clock_system(), &f), f);
    signalled = &root;
    assert_int_equal(sigaction(SIGUSR1, &action, NULL), 0);
    assert_int_equal(raise(SIGUSR1), 0);
    assert_true(cancel_fired(&root));
    assert_false(cancel_poll(&root, -1, 0, "x", &f));
}

static void no_descriptor_left_is_a_fault(void **state)
{
    (void)state;
    struct rlimit old;
    struct fault f = FAULT_INIT;
    struct cancel root = {0};

    assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
    struct rlimit none = {0, old.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    bool good = cancel_init_root(&root, clock_system(), &f);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
    assert_false(good);
    assert_int_equal(f.class, FAULT_UNAVAILABLE);
    assert_contains(f.text, "Too many open files");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(deadlines_follow_the_given_clock),
        cmocka_unit_test(firing_ends_everything),
        cmocka_unit_test(waits_for_a_descriptor),
        cmocka_unit_test(sleeps),
        cmocka_unit_test(another_thread_wakes_a_wait),
        cmocka_unit_test(a_signal_handler_may_fire),
        cmocka_unit_test(no_descriptor_left_is_a_fault),
    };
    return cmocka_run_group_tests_name("base/cancel", tests, NULL, NULL);
}

#include "base/cancel.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

bool cancel_init_root(struct cancel *c, const struct clock *clock, struct fault *fault)
{
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

    if (fd < 0) {
        return fault_set(fault, FAULT_UNAVAILABLE, NULL,
                         "the stop signal cannot be created: eventfd: %s",
                         strerrordesc_np(errno));
    }
    *c = (struct cancel){
        .clock = clock, .root = c, .event_fd = fd, .deadline_ms = INT64_MAX};
    return true;
}

void cancel_init_child(struct cancel *c, struct cancel *parent, int64_t timeout_ms)
{
    int64_t deadline_ms = 0;

    if (__builtin_add_overflow(clock_monotonic_ms(parent->clock), timeout_ms,
                               &deadline_ms)) {
        deadline_ms = timeout_ms < 0 ? INT64_MIN : INT64_MAX;
    }
    if (deadline_ms > parent->deadline_ms) {
        deadline_ms = parent->deadline_ms;
    }
    *c = (struct cancel){.clock = parent->clock,
                         .root = parent->root,
                         .event_fd = parent->root->event_fd,
                         .deadline_ms = deadline_ms};
}

void cancel_deinit(struct cancel *c)
{
    if (c->root == c && c->event_fd >= 0) {
        (void)close(c->event_fd);
        c->event_fd = -1;
    }
}

/* Called from signal handlers: nothing but an atomic store and write(2). */
void cancel_fire(struct cancel *c)
{
    const uint64_t one = 1;
    int saved = errno;

    atomic_store(&c->root->fired, true);
    /* Nobody reads the counter back, so the descriptor stays readable for every waiter; a
     * full counter refuses the write and is readable already. */
    ssize_t n = write(c->root->event_fd, &one, sizeof(one));
    (void)n;
    errno = saved;
}

bool cancel_fired(const struct cancel *c)
{
    return atomic_load(&c->root->fired);
}

/* Time left by the deadline alone. */
static int64_t left_ms(const struct cancel *c)
{
    int64_t left = 0;

    if (c->deadline_ms == INT64_MAX) {
        return INT64_MAX;
    }
    if (__builtin_sub_overflow(c->deadline_ms, clock_monotonic_ms(c->clock), &left)) {
        return 0;
    }
    return left > 0 ? left : 0;
}

int64_t cancel_remaining_ms(const struct cancel *c)
{
    return cancel_fired(c) ? 0 : left_ms(c);
}

int cancel_fd(const struct cancel *c)
{
    return c->event_fd;
}

static bool fault_fired(const char *what, struct fault *fault)
{
    return fault_set(fault, FAULT_CANCELLED, NULL,
                     "%s: stopped by the controller's shutdown", what);
}

static bool fault_timeout(const char *what, struct fault *fault)
{
    return fault_set(fault, FAULT_UNAVAILABLE, "Timeout", "%s: timed out", what);
}

bool cancel_check(const struct cancel *c, const char *what, struct fault *fault)
{
    if (cancel_fired(c)) {
        return fault_fired(what, fault);
    }
    return left_ms(c) > 0 ? true : fault_timeout(what, fault);
}

enum waited { WAITED_READY = 1, WAITED_FIRED, WAITED_TIME, WAITED_BAD_FD, WAITED_MAX };

/*
 * poll() takes the time left by the given clock; when it has waited all of it the time is
 * taken as passed without asking the clock again, so that a clock which stands still
 * (a test's) cannot hold a wait for ever.
 */
static enum waited wait_for(const struct cancel *c, int fd, short events, int64_t wait_ms)
{
    while (!cancel_fired(c)) {
        struct pollfd watched[2] = {{.fd = c->event_fd, .events = POLLIN},
                                    {.fd = fd, .events = events}};
        int step_ms = wait_ms == INT64_MAX ? -1
                      : wait_ms > INT_MAX  ? INT_MAX
                                           : (int)wait_ms;
        int64_t before_ms = clock_monotonic_ms(c->clock);
        int n = poll(watched, fd < 0 ? 1 : 2, step_ms);

        if (n > 0 && watched[0].revents != 0) {
            return WAITED_FIRED;
        }
        if (n > 0) {
            return (watched[1].revents & POLLNVAL) != 0 ? WAITED_BAD_FD : WAITED_READY;
        }
        if (wait_ms == INT64_MAX) {
            continue;
        }
        int64_t passed_ms = n == 0 ? step_ms : clock_monotonic_ms(c->clock) - before_ms;
        wait_ms = passed_ms < wait_ms ? wait_ms - passed_ms : 0;
        if (wait_ms == 0) {
            return WAITED_TIME;
        }
    }
    return WAITED_FIRED;
}

bool cancel_poll(const struct cancel *c, int fd, short events, const char *what,
                 struct fault *fault)
{
    if (!cancel_check(c, what, fault)) {
        return false;
    }
    switch (wait_for(c, fd, events, left_ms(c))) {
    case WAITED_READY:
        return true;
    case WAITED_FIRED:
        return fault_fired(what, fault);
    case WAITED_TIME:
        return fault_timeout(what, fault);
    case WAITED_BAD_FD:
    case WAITED_MAX:
        break;
    }
    return fault_set(fault, FAULT_BUG, NULL, "%s: descriptor %d is not open", what, fd);
}

bool cancel_sleep(const struct cancel *c, int64_t duration_ms)
{
    int64_t left = cancel_remaining_ms(c);

    if (left == 0) {
        return false;
    }
    if (duration_ms <= 0) {
        return true;
    }
    bool whole = duration_ms < left;
    return wait_for(c, -1, 0, whole ? duration_ms : left) == WAITED_TIME && whole;
}

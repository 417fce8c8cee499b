/*
 * cancel: one stop signal and a deadline, passed to everything that waits.
 *
 * A root owns an eventfd; firing it wakes every poll() that watches it. A child shares
 * the root's signal and adds a deadline. No wait in the program is without one of these.
 * Firing is thread-safe and async-signal-safe; the rest belongs to one thread.
 */
#ifndef BASE_CANCEL_H
#define BASE_CANCEL_H

#include "base/attr.h"
#include "base/clock.h"
#include "base/fault.h"

#include <stdatomic.h>
#include <stdbool.h>

struct cancel {
    const struct clock *clock;
    struct cancel *root; /* itself for a root */
    int event_fd;        /* the root's */
    atomic_bool fired;   /* meaningful in the root */
    int64_t deadline_ms; /* monotonic; INT64_MAX for none (roots only) */
};

MUST_CHECK bool cancel_init_root(struct cancel *c, const struct clock *clock,
                                 struct fault *fault);
/* The child's deadline is the earlier of the parent's and now + timeout_ms. */
void cancel_init_child(struct cancel *c, struct cancel *parent, int64_t timeout_ms);
void cancel_deinit(struct cancel *c); /* roots close the eventfd; for children a no-op */
void cancel_fire(struct cancel *c);   /* fires the root: everything below it ends */
bool cancel_fired(const struct cancel *c);
int64_t cancel_remaining_ms(
    const struct cancel *c);           /* 0 when fired or past the deadline */
int cancel_fd(const struct cancel *c); /* readable once fired */

/* false with FAULT_CANCELLED when fired, FAULT_UNAVAILABLE "Timeout" past the deadline.
 */
MUST_CHECK bool cancel_check(const struct cancel *c, const char *what,
                             struct fault *fault);

/* Waits for `events` (POLLIN, POLLOUT) on fd; false as cancel_check(). fd -1 just sleeps
 * until fired or deadline and then returns false. */
MUST_CHECK bool cancel_poll(const struct cancel *c, int fd, short events,
                            const char *what, struct fault *fault);
/* Sleeps; true when the time has passed, false when fired or past the deadline. */
bool cancel_sleep(const struct cancel *c, int64_t duration_ms);

#endif

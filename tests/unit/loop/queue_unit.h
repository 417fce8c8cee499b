/* queue_unit: a queue in a time of the test's own, for each file of tests that takes from
 * one. */
#ifndef QUEUE_UNIT_H
#define QUEUE_UNIT_H

#include "loop_unit.h"

static struct unit_clock test_clock;

static inline struct queue *new_queue(void)
{
    unit_clock_init(&test_clock);
    return queue_new(&test_clock.base, 1);
}

/* NULL: nothing is to be taken. */
static inline void expect_next(struct queue *q, const char *wanted)
{
    char *key = queue_try_take(q);

    if (wanted == NULL) {
        assert_null(key);
        return;
    }
    assert_non_null(key);
    assert_string_equal(key, wanted);
    queue_done(q, key);
}

#endif

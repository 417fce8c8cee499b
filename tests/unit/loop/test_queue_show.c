#include "loop/queue_show.h"
#include "loop_unit.h"

#include <stdio.h>

struct bench {
    struct unit_clock clock;
    struct queue *q;
    struct arena *arena;
};

static void setup(struct bench *b)
{
    unit_clock_init(&b->clock);
    b->q = queue_new(&b->clock.base, 1);
    b->arena = arena_new(ARENA_CEILING_BYTES);
}

static void teardown(struct bench *b)
{
    queue_free(b->q);
    arena_free(b->arena);
}

#define BENCH                                                                            \
    AUTO(teardown) struct bench b;                                                       \
    (void)state;                                                                         \
    setup(&b)

static struct queue_key *shown(struct bench *b, enum queue_part part, size_t expected)
{
    size_t count = 0;
    struct queue_key *keys = queue_show(b->q, part, 10, b->arena, &count);

    assert_int_equal(count, expected);
    return keys;
}

static void each_part_has_its_keys(void **state)
{
    BENCH;
    struct queue_key *keys = NULL;
    char *taken = NULL;

    queue_add(b.q, "A/worked", QUEUE_NORMAL);
    taken = queue_try_take(b.q);
    b.clock.now_ms += 40;
    queue_add(b.q, "A/low", QUEUE_LOW);
    queue_add(b.q, "A/first", QUEUE_NORMAL);
    queue_add(b.q, "A/second", QUEUE_NORMAL);
    queue_add_after(b.q, "A/late", 9000, QUEUE_NORMAL);
    queue_add_after(b.q, "A/soon", 500, QUEUE_NORMAL);
    (void)queue_fail(b.q, "A/soon");
    b.clock.now_ms += 100;

    keys = shown(&b, QUEUE_PROCESSING, 1);
    assert_string_equal(keys[0].key, "A/worked");
    assert_int_equal(keys[0].ms, 140);
    keys = shown(&b, QUEUE_WAITING, 3);
    assert_string_equal(keys[0].key, "A/first");
    assert_int_equal(keys[0].ms, 100);
    assert_int_equal(keys[0].priority, QUEUE_NORMAL);
    assert_string_equal(keys[1].key, "A/second");
    assert_string_equal(keys[2].key, "A/low");
    assert_int_equal(keys[2].priority, QUEUE_LOW);
    keys = shown(&b, QUEUE_DELAYED, 2);
    assert_string_equal(keys[0].key, "A/soon");
    assert_int_equal(keys[0].ms, 400);
    assert_int_equal(keys[0].failures, 1);
    assert_string_equal(keys[1].key, "A/late");
    queue_done(b.q, taken);
    (void)shown(&b, QUEUE_PROCESSING, 0);
}

static void no_more_than_asked_for_is_shown(void **state)
{
    BENCH;
    char key[32];

    for (int i = 0; i < 100; i++) {
        (void)snprintf(key, sizeof(key), "A/%d", i);
        queue_add(b.q, key, QUEUE_NORMAL);
        (void)snprintf(key, sizeof(key), "B/%d", i);
        queue_add_after(b.q, key, 1000, QUEUE_NORMAL);
    }
    (void)shown(&b, QUEUE_WAITING, 10);
    (void)shown(&b, QUEUE_DELAYED, 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_part_has_its_keys),
        cmocka_unit_test(no_more_than_asked_for_is_shown),
    };

    return cmocka_run_group_tests_name("loop/queue_show", tests, NULL, NULL);
}

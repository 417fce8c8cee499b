/* Who passes whom in the queue, who is slowed down, and what it tells of itself. */
#include "queue_unit.h"

#include <stdio.h>
#include <time.h>

/* --- priorities --- */

static void what_comes_by_itself_lets_others_pass(void **state)
{
    struct queue *q = new_queue();

    (void)state;
    queue_add(q, "list-1", QUEUE_LOW);
    queue_add(q, "list-2", QUEUE_LOW);
    queue_add(q, "list-3", QUEUE_LOW);
    queue_add(q, "edit-1", QUEUE_NORMAL);
    queue_add(q, "edit-2", QUEUE_NORMAL);
    queue_add(q, "list-2",
              QUEUE_NORMAL); /* somebody edits this one: the better priority counts */
    queue_add(q, "edit-1", QUEUE_LOW);
    assert_int_equal(queue_numbers(q).depth, 5);
    assert_int_equal(queue_numbers(q).depth_of[QUEUE_LOW], 2);
    expect_next(q, "edit-1");
    expect_next(q, "edit-2");
    expect_next(q, "list-2");
    expect_next(q, "list-1");
    expect_next(q, "list-3");
    assert_int_equal(queue_numbers(q).depth_of[QUEUE_LOW], 0);
    queue_free(q);
}

static void priority_lives_through_delay_and_work(void **state)
{
    struct queue *q = new_queue();
    char *key = NULL;

    (void)state;
    queue_add_after(q, "calm", 10, QUEUE_LOW);
    queue_add_after(q, "asked", 10, QUEUE_LOW);
    queue_add_after(q, "asked", 500,
                    QUEUE_NORMAL); /* later, and yet somebody waits for it */
    test_clock.now_ms += 20;
    expect_next(q, "asked");
    expect_next(q, "calm");
    queue_add(q, "worked", QUEUE_NORMAL);
    key = queue_try_take(q);
    queue_add(q, "worked", QUEUE_LOW);
    queue_add(q, "other", QUEUE_LOW);
    queue_add(q, "worked", QUEUE_NORMAL);
    queue_done(q, key);
    expect_next(q, "worked");
    expect_next(q, "other");
    queue_free(q);
}

/* An edit comes before new resources, and these before what comes by itself. */
static void what_was_changed_comes_first(void **state)
{
    struct queue *q = new_queue();

    (void)state;
    queue_add(q, "look", QUEUE_LOW);
    queue_add(q, "new-1", QUEUE_NORMAL);
    queue_add(q, "new-2", QUEUE_NORMAL);
    queue_add(q, "edit-1", QUEUE_URGENT);
    queue_add(q, "look", QUEUE_URGENT);
    queue_add(q, "edit-1", QUEUE_LOW);
    queue_add(q, "new-3", QUEUE_LOW);
    queue_add(q, "new-3", QUEUE_NORMAL);
    assert_int_equal(queue_numbers(q).depth_of[QUEUE_URGENT], 2);
    assert_int_equal(queue_numbers(q).depth_of[QUEUE_NORMAL], 3);
    assert_int_equal(queue_numbers(q).depth_of[QUEUE_LOW], 0);
    expect_next(q, "edit-1");
    expect_next(q, "look");
    expect_next(q, "new-1");
    expect_next(q, "new-2");
    expect_next(q, "new-3");
    assert_int_equal(queue_numbers(q).depth, 0);
    queue_free(q);
}

/* What an attempt asks for itself is no worse than what came meanwhile. */
static void who_took_a_key_knows_its_priority(void **state)
{
    struct queue *q = new_queue();
    char *key = NULL;

    (void)state;
    assert_int_equal(queue_taken_as(q, "edit"), QUEUE_NORMAL);
    queue_add(q, "edit", QUEUE_URGENT);
    key = queue_try_take(q);
    assert_int_equal(queue_taken_as(q, "edit"), QUEUE_URGENT);
    queue_add(q, "edit", QUEUE_LOW);
    queue_add_after(q, "edit", 30000, QUEUE_URGENT); /* it is parked, and was called */
    assert_int_equal(queue_taken_as(q, "edit"), QUEUE_URGENT);
    queue_add(q, "new", QUEUE_NORMAL);
    queue_done(q, key);
    assert_int_equal(queue_numbers(q).depth_of[QUEUE_URGENT], 1);
    key = queue_try_take(q);
    assert_string_equal(key, "edit");
    queue_add_after(q, "edit", 30000, QUEUE_URGENT); /* ... and is called later */
    queue_done(q, key);
    expect_next(q, "new");
    queue_add(q, "another", QUEUE_NORMAL);
    queue_add(q, "edit", QUEUE_NORMAL);
    expect_next(q, "edit");
    expect_next(q, "another");
    queue_free(q);
}

/* One of two that are added is taken, so that there is always somebody else. */
static int turns_until(struct queue *q, const char *wanted, enum queue_priority others)
{
    int taken = 0;

    for (bool found = false; !found && taken < 100; taken++) {
        char name[16], *key = NULL;

        (void)snprintf(name, sizeof(name), "e%d", taken);
        queue_add(q, name, others);
        queue_add(q, "busy", others);
        key = queue_try_take(q);
        found = strcmp(key, wanted) == 0;
        queue_done(q, key);
        test_clock.now_ms += 10000;
    }
    return taken;
}

static void nothing_starves(void **state)
{
    struct queue *q = new_queue();

    (void)state;
    queue_add(q, "patient", QUEUE_LOW);
    assert_in_range(turns_until(q, "patient", QUEUE_NORMAL), 6, 12);
    queue_add(q, "patient", QUEUE_NORMAL);
    assert_in_range(turns_until(q, "patient", QUEUE_URGENT), 6, 30);
    queue_free(q);
}

/* Thousands that have waited for long do not hold up an edit either. */
static void who_waited_for_long_has_a_share(void **state)
{
    struct queue *q = new_queue();
    size_t edits = 0;

    (void)state;
    for (int i = 0; i < 100; i++) {
        char name[16];

        (void)snprintf(name, sizeof(name), "new-%d", i);
        queue_add(q, name, i % 2 == 0 ? QUEUE_NORMAL : QUEUE_LOW);
    }
    test_clock.now_ms += QUEUE_LOW_MS;
    for (int i = 0; i < 40; i++) {
        char *key = NULL;

        queue_add(q, "edit", QUEUE_URGENT);
        key = queue_try_take(q);
        edits += strcmp(key, "edit") == 0 ? 1 : 0;
        queue_done(q, key);
    }
    assert_int_equal(edits, 40 - 40 / QUEUE_AGED_EVERY);
    queue_free(q);
}

static void many_that_are_woken_come_bit_by_bit(void **state)
{
    int64_t before_ms = 0;
    size_t in_first_second = 0;

    (void)state;
    assert_int_equal(queue_spread_ms(0), 0);
    assert_int_equal(queue_spread_ms(9), 0);
    for (size_t i = 10; i < 10000; i++) {
        int64_t at_ms = queue_spread_ms(i);

        assert_true(at_ms > 0 && at_ms >= before_ms);
        in_first_second += at_ms < 1000 ? 1 : 0;
        before_ms = at_ms;
    }
    assert_in_range(in_first_second, 45, 50);
    assert_in_range(queue_spread_ms(499), 3000, 4000);
    assert_in_range(queue_spread_ms(9999), 7000, 9000);
}

/* --- whom failures are about, and how often nothing comes of it --- */

static void another_identity_starts_anew(void **state)
{
    struct queue *q = new_queue();
    char *key = NULL;

    (void)state;
    queue_add(q, "a", QUEUE_NORMAL);
    key = queue_try_take(q);
    queue_identify(q, "a", 1);
    assert_int_equal(queue_fail(q, "a"), 0);
    assert_int_equal(queue_fail(q, "a"), 1);
    queue_done(q, key);
    queue_add(q, "a", QUEUE_NORMAL); /* our own write, say */
    key = queue_try_take(q);
    queue_identify(q, "a", 1);
    assert_int_equal(queue_fail(q, "a"), 2);
    queue_identify(q, "a", (uint64_t)2 << 32); /* recreated under the same name */
    assert_int_equal(queue_fail(q, "a"), 0);
    queue_done(q, key);
    queue_free(q);
}

/* One turn of "a": woken from outside or at its time. */
static unsigned turn(struct queue *q, bool woken, bool soon, bool progress)
{
    char *key = NULL;
    unsigned turns = 0;

    if (woken) {
        queue_add(q, "a", QUEUE_NORMAL);
    } else {
        queue_add_after(q, "a", 10, QUEUE_NORMAL);
        test_clock.now_ms += 10;
    }
    key = queue_try_take(q);
    assert_non_null(key);
    turns = queue_turn(q, "a", soon, progress);
    queue_add_after(q, "a", 3600000,
                    QUEUE_NORMAL); /* its own next time: it is remembered until then */
    queue_done(q, key);
    return turns;
}

static void only_turns_before_their_time_count(void **state)
{
    struct queue *q = new_queue();

    (void)state;
    for (unsigned i = 1; i <= 12; i++) {
        assert_int_equal(turn(q, true, false, false), i);
        assert_int_equal(turn(q, false, false, false), 0);
    }
    assert_int_equal(turn(q, false, true, false), 13);
    assert_int_equal(turn(q, true, false, true), 0);
    assert_int_equal(turn(q, true, false, false), 1);
    test_clock.now_ms += QUEUE_TURNS_MS + 2000;
    assert_int_equal(turn(q, true, false, false), 1); /* it is another minute */
    queue_free(q);
}

static void what_is_held_back_comes_at_its_time(void **state)
{
    struct queue *q = new_queue();
    char *key = NULL;

    (void)state;
    queue_add(q, "a", QUEUE_NORMAL);
    key = queue_try_take(q);
    queue_add(q, "a", QUEUE_NORMAL);
    queue_hold(q, "a", 500);
    queue_add(q, "a", QUEUE_NORMAL);
    queue_add_after(q, "a", 10, QUEUE_NORMAL);
    queue_done(q, key);
    queue_add(q, "a", QUEUE_NORMAL);
    test_clock.now_ms += 499;
    expect_next(q, NULL);
    test_clock.now_ms += 1;
    expect_next(q, "a");
    queue_add(q, "a", QUEUE_NORMAL); /* that was all */
    expect_next(q, "a");
    queue_free(q);
}

/* --- numbers --- */

static void durations_are_counted_in_buckets(void **state)
{
    struct queue *q = new_queue();
    struct queue_numbers numbers;
    char *key = NULL;

    (void)state;
    queue_add(q, "a", QUEUE_NORMAL);
    queue_add(q, "b", QUEUE_NORMAL);
    test_clock.now_ms += 50;
    key = queue_try_take(q);
    test_clock.now_ms += 3000;
    numbers = queue_numbers(q);
    assert_true(numbers.unfinished_s > 2.99 && numbers.unfinished_s < 3.01);
    assert_true(numbers.longest_s > 2.99 && numbers.longest_s < 3.01);
    queue_done(q, key);
    numbers = queue_numbers(q);
    assert_true(numbers.longest_s < 0.01);
    assert_int_equal(numbers.waited.total, 1);
    assert_int_equal(numbers.worked.total, 1);
    assert_int_equal(numbers.waited.counts[7], 1); /* 10 ms < 50 ms <= 100 ms */
    assert_int_equal(numbers.worked.counts[9], 1); /* 1 s < 3 s <= 10 s */
    assert_true(numbers.worked.sum_s > 2.99 && numbers.worked.sum_s < 3.01);
    assert_int_equal(numbers.keys, 1);
    queue_free(q);
}

/* Not asserted: how long keys take through the queue, in nanoseconds each. */
static void bench_of_many_keys(void **state)
{
    static const int SIZES[] = {1000, 10000};

    (void)state;
    for (size_t k = 0; k < COUNT_OF(SIZES); k++) {
        struct queue *q = queue_new(clock_system(), 1);
        struct timespec began, ended;
        int taken = 0;
        char name[48], *key = NULL;

        (void)clock_gettime(CLOCK_MONOTONIC, &began);
        for (int i = 0; i < SIZES[k]; i++) {
            (void)snprintf(name, sizeof(name), "TableSync/shop/orders-%d", i);
            queue_add_after(q, name, i % 7 == 0 ? 1 + i % 40 : 0, QUEUE_NORMAL);
        }
        for (; taken < SIZES[k]; taken++) {
            key = queue_take(q);
            queue_add_after(q, key, 60000 + taken % 1000, QUEUE_LOW);
            queue_done(q, key);
        }
        (void)clock_gettime(CLOCK_MONOTONIC, &ended);
        print_message("%d keys: %lld ns each\n", SIZES[k],
                      (((long long)ended.tv_sec - began.tv_sec) * 1000000000 +
                       ended.tv_nsec - began.tv_nsec) /
                          SIZES[k]);
        assert_int_equal(queue_numbers(q).delayed, SIZES[k]);
        queue_free(q);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_comes_by_itself_lets_others_pass),
        cmocka_unit_test(priority_lives_through_delay_and_work),
        cmocka_unit_test(what_was_changed_comes_first),
        cmocka_unit_test(who_took_a_key_knows_its_priority),
        cmocka_unit_test(nothing_starves),
        cmocka_unit_test(who_waited_for_long_has_a_share),
        cmocka_unit_test(many_that_are_woken_come_bit_by_bit),
        cmocka_unit_test(another_identity_starts_anew),
        cmocka_unit_test(only_turns_before_their_time_count),
        cmocka_unit_test(what_is_held_back_comes_at_its_time),
        cmocka_unit_test(durations_are_counted_in_buckets),
        cmocka_unit_test(bench_of_many_keys),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

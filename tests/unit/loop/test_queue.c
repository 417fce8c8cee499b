#include "queue_unit.h"

#include <stdio.h>

static void a_key_waits_once_and_in_order(void **state)
{
    struct queue *q = new_queue();

    (void)state;
    queue_add(q, "a", QUEUE_NORMAL);
    queue_add(q, "b", QUEUE_NORMAL);
    queue_add(q, "a", QUEUE_NORMAL);
    assert_int_equal(queue_numbers(q).depth, 2);
    assert_int_equal(queue_numbers(q).adds, 3);
    expect_next(q, "a");
    expect_next(q, "b");
    expect_next(q, NULL);
    queue_free(q);
}

static void a_change_during_work_is_not_lost_and_not_parallel(void **state)
{
    struct queue *q = new_queue();
    char *key = NULL;

    (void)state;
    queue_add(q, "a", QUEUE_NORMAL);
    key = queue_try_take(q);
    queue_add(q, "a", QUEUE_NORMAL);
    queue_add(q, "a", QUEUE_NORMAL);
    assert_null(queue_try_take(q)); /* never on two workers */
    assert_int_equal(queue_numbers(q).processing, 1);
    queue_done(q, key);
    expect_next(q, "a");
    expect_next(q, NULL);
    queue_free(q);
}

static void of_two_delays_the_earlier_counts(void **state)
{
    struct queue *q = new_queue();

    (void)state;
    assert_int_equal(queue_next_ms(q), INT64_MAX);
    queue_add_after(q, "a", 100, QUEUE_NORMAL);
    assert_int_equal(queue_next_ms(q), test_clock.now_ms + 100);
    queue_add_after(q, "a", 40, QUEUE_NORMAL);
    queue_add_after(q, "a", 500, QUEUE_NORMAL);
    assert_int_equal(queue_next_ms(q), test_clock.now_ms + 40);
    test_clock.now_ms += 39;
    expect_next(q, NULL);
    test_clock.now_ms += 1;
    assert_int_equal(queue_next_ms(q), test_clock.now_ms);
    expect_next(q, "a");
    test_clock.now_ms += 1000;
    expect_next(q, NULL); /* the other two were the same wish */
    queue_free(q);
}

static void now_beats_later(void **state)
{
    struct queue *q = new_queue();

    (void)state;
    queue_add_after(q, "a", 100, QUEUE_NORMAL);
    queue_add(q, "a", QUEUE_NORMAL);
    expect_next(q, "a");
    test_clock.now_ms += 200;
    expect_next(q, NULL);
    queue_add_after(q, "b", 0, QUEUE_NORMAL);
    expect_next(q, "b");
    queue_free(q);
}

/* What an attempt schedules for itself must survive the end of that attempt. */
static void a_delay_set_during_work_stays(void **state)
{
    struct queue *q = new_queue();
    char *key = NULL;

    (void)state;
    queue_add(q, "a", QUEUE_NORMAL);
    key = queue_try_take(q);
    queue_add_after(q, "a", 50, QUEUE_NORMAL);
    queue_done(q, key);
    expect_next(q, NULL);
    test_clock.now_ms += 50;
    expect_next(q, "a");
    /* And one that becomes due during work comes after it. */
    queue_add(q, "a", QUEUE_NORMAL);
    key = queue_try_take(q);
    queue_add_after(q, "a", 10, QUEUE_NORMAL);
    test_clock.now_ms += 10;
    expect_next(q, NULL);
    queue_done(q, key);
    expect_next(q, "a");
    expect_next(q, NULL);
    queue_free(q);
}

static void failures_are_counted_in_a_row(void **state)
{
    struct queue *q = new_queue();

    (void)state;
    assert_int_equal(queue_fail(q, "a"), 0);
    assert_int_equal(queue_fail(q, "a"), 1);
    assert_int_equal(queue_fail(q, "b"), 0);
    queue_add(q, "a", QUEUE_NORMAL);
    expect_next(q, "a"); /* working on it does not forget */
    assert_int_equal(queue_fail(q, "a"), 2);
    assert_int_equal(queue_numbers(q).retries, 4);
    queue_forget(q, "a");
    queue_forget(q, "never seen");
    assert_int_equal(queue_fail(q, "a"), 0);
    queue_free(q);
}

static void many_delayed_keys_come_at_their_time(void **state)
{
    struct queue *q = new_queue();
    char name[16];

    (void)state;
    for (int i = 0; i < 1000; i++) {
        (void)snprintf(name, sizeof(name), "k%d", i);
        queue_add_after(q, name, (int64_t)(i * 7919) % 1000 + 1, QUEUE_NORMAL);
    }
    for (int64_t i = 0; i < 1000; i++) {
        test_clock.now_ms += 1;
        char *key = queue_try_take(q);
        assert_non_null(key);
        queue_done(q, key);
        assert_null(queue_try_take(q));
    }
    queue_free(q);
}

/* --- with threads, on the system's clock --- */

struct waiter {
    struct queue *queue;
    struct flag took;
    char *key;
    bool ended;
};

static void *take_one(void *argument)
{
    struct waiter *w = argument;
    char *key = queue_take(w->queue);

    w->key = key;
    w->ended = key == NULL;
    if (key != NULL) {
        queue_done(w->queue, key);
    }
    flag_raise(&w->took);
    return NULL;
}

static void with_waiter(void (*act)(struct queue *q), bool expect_end)
{
    struct waiter w = {.queue = queue_new(clock_system(), 1)};
    pthread_t thread;

    flag_init(&w.took);
    must(pthread_create(&thread, NULL, take_one, &w) == 0);
    act(w.queue);
    assert_true(flag_wait(&w.took, 1, 10000));
    must(pthread_join(thread, NULL) == 0);
    assert_int_equal(w.ended, expect_end);
    flag_deinit(&w.took);
    queue_free(w.queue);
}

static void add_a(struct queue *q)
{
    queue_add(q, "a", QUEUE_NORMAL);
}

static void add_a_later(struct queue *q)
{
    queue_add_after(q, "far", 3600000, QUEUE_NORMAL);
    queue_add_after(q, "a", 30, QUEUE_NORMAL);
}

static void waiters_wake_up(void **state)
{
    (void)state;
    with_waiter(add_a, false);
    with_waiter(add_a_later, false);
    with_waiter(queue_close, true);
}

#define HAMMER_KEYS 8
#define HAMMER_ADDS 4000

struct hammer {
    struct queue *queue;
    atomic_int busy[HAMMER_KEYS];
    atomic_int clashes, done;
    struct flag worked;
};

static void *hammer_worker(void *argument)
{
    struct hammer *h = argument;
    char *key = NULL;

    while ((key = queue_take(h->queue)) != NULL) {
        int at = key[0] - 'a';

        h->clashes += atomic_fetch_add(&h->busy[at], 1) != 0 ? 1 : 0;
        if (h->done % 5 == 0) {
            queue_add_after(h->queue, key, 1, QUEUE_NORMAL);
        }
        h->done++;
        atomic_fetch_sub(&h->busy[at], 1);
        queue_done(h->queue, key);
        flag_raise(&h->worked);
    }
    return NULL;
}

static void no_key_is_on_two_workers(void **state)
{
    struct hammer h = {.queue = queue_new(clock_system(), 1)};
    pthread_t threads[4];
    struct queue_numbers numbers;

    (void)state;
    flag_init(&h.worked);
    for (size_t i = 0; i < COUNT_OF(threads); i++) {
        must(pthread_create(&threads[i], NULL, hammer_worker, &h) == 0);
    }
    for (int i = 0; i < HAMMER_ADDS; i++) {
        const char key[2] = {(char)('a' + i % HAMMER_KEYS), '\0'};

        queue_add(h.queue, key, QUEUE_NORMAL);
        (void)queue_next_ms(h.queue);
    }
    assert_true(flag_wait(&h.worked, HAMMER_KEYS, 10000));
    queue_close(h.queue);
    for (size_t i = 0; i < COUNT_OF(threads); i++) {
        must(pthread_join(threads[i], NULL) == 0);
    }
    numbers = queue_numbers(h.queue);
    assert_int_equal(h.clashes, 0);
    assert_int_equal(numbers.processing, 0);
    assert_true(numbers.adds >= HAMMER_ADDS);
    flag_deinit(&h.worked);
    queue_free(h.queue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_waits_once_and_in_order),
        cmocka_unit_test(a_change_during_work_is_not_lost_and_not_parallel),
        cmocka_unit_test(of_two_delays_the_earlier_counts),
        cmocka_unit_test(now_beats_later),
        cmocka_unit_test(a_delay_set_during_work_stays),
        cmocka_unit_test(failures_are_counted_in_a_row),
        cmocka_unit_test(many_delayed_keys_come_at_their_time),
        cmocka_unit_test(waiters_wake_up),
        cmocka_unit_test(no_key_is_on_two_workers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

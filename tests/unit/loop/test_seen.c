#include "loop_unit.h"

#include "loop/seen.h"

static void only_what_differs_is_news(void **state)
{
    struct seen *seen = seen_new(1);

    (void)state;
    assert_int_equal(seen_stuck_ms(seen, "a", 0, 0, 0), 0);
    assert_false(seen_before(seen, "a")); /* nobody has told of a change yet */
    assert_true(seen_changed(seen, "a", 1));
    assert_true(seen_before(seen, "a"));
    assert_false(seen_changed(seen, "a", 1));
    assert_true(seen_changed(seen, "a", 2));
    assert_true(seen_changed(seen, "a", 1));
    assert_true(seen_changed(seen, "b", 1));
    seen_forget(seen, "a");
    seen_forget(seen, "never seen");
    assert_false(seen_before(seen, "a"));
    assert_true(seen_changed(seen, "a", 1));
    assert_false(seen_changed(seen, "b", 1));
    seen_free(seen);
}

/* Stuck is: something waits, and the oldest of it is the one that waited before. */
static void a_backlog_is_stuck_while_its_oldest_stays(void **state)
{
    struct seen *seen = seen_new(1);

    (void)state;
    assert_int_equal(seen_stuck_ms(seen, "a", 5, 100, 1000), 0); /* the first look */
    assert_int_equal(seen_stuck_ms(seen, "a", 9, 100, 4000), 3000);
    assert_int_equal(seen_stuck_ms(seen, "a", 9, 100, 61000), 60000);
    assert_int_equal(seen_stuck_ms(seen, "a", 9, 200, 62000), 0); /* it moved */
    assert_int_equal(seen_stuck_ms(seen, "a", 9, 200, 63000), 1000);
    assert_int_equal(seen_stuck_ms(seen, "b", 9, 200, 64000), 0); /* another sink */
    assert_int_equal(seen_stuck_ms(seen, "a", 0, 200, 65000), 0); /* drained */
    assert_int_equal(seen_stuck_ms(seen, "a", 3, 200, 66000), 0); /* and waits anew */
    assert_int_equal(seen_stuck_ms(seen, "a", 3, 200, 68000), 2000);
    seen_free(seen);
}

/* Something else held it up: it waits from here on. */
static void a_rest_starts_the_time_anew(void **state)
{
    struct seen *seen = seen_new(1);

    (void)state;
    assert_int_equal(seen_stuck_ms(seen, "a", 5, 100, 1000), 0);
    seen_rest(seen, "a", 50000);
    assert_int_equal(seen_stuck_ms(seen, "a", 5, 100, 50000), 0);
    assert_int_equal(seen_stuck_ms(seen, "a", 5, 100, 51000), 1000);
    assert_false(seen_moved(seen, "a"));
    seen_free(seen);
}

static void what_is_unknown_is_not_stuck(void **state)
{
    struct seen *seen = seen_new(1);

    (void)state;
    for (int64_t at_ms = 1000; at_ms < 200000; at_ms += 50000) {
        assert_int_equal(seen_stuck_ms(seen, "a", -1, 100, at_ms), 0);
        assert_int_equal(seen_stuck_ms(seen, "b", 7, 0, at_ms), 0);
    }
    (void)seen_stuck_ms(seen, "c", 7, 100, 1000);
    seen_forget(seen, "c");
    assert_int_equal(seen_stuck_ms(seen, "c", 7, 100, 9000), 0);
    seen_free(seen);
}

/* Delivery is believed once it was seen, and never of a first look. */
static void a_backlog_has_moved_once_its_oldest_changed(void **state)
{
    struct seen *seen = seen_new(1);

    (void)state;
    assert_false(seen_moved(seen, "a"));
    (void)seen_stuck_ms(seen, "a", -1, 0, 500); /* unknown */
    (void)seen_stuck_ms(seen, "a", 7, 100, 1000);
    (void)seen_stuck_ms(seen, "a", 9, 100, 2000);
    assert_false(seen_moved(seen, "a"));
    (void)seen_stuck_ms(seen, "a", 9, 200, 3000);
    assert_true(seen_moved(seen, "a"));
    (void)seen_stuck_ms(seen, "b", 0, 0, 3000); /* nothing waits */
    assert_true(seen_moved(seen, "b"));
    assert_false(seen_moved(seen, "c"));
    seen_unproven(seen, "b");
    assert_false(seen_moved(seen, "b"));
    assert_true(seen_moved(seen, "a"));
    seen_forget(seen, "a");
    assert_false(seen_moved(seen, "a"));
    seen_free(seen);
}

/* Both memories of one key live side by side. */
static void news_and_backlog_do_not_disturb_each_other(void **state)
{
    struct seen *seen = seen_new(1);

    (void)state;
    (void)seen_stuck_ms(seen, "a", 7, 100, 1000);
    assert_true(seen_changed(seen, "a", 1));
    assert_int_equal(seen_stuck_ms(seen, "a", 7, 100, 3000), 2000);
    assert_false(seen_changed(seen, "a", 1));
    seen_free(seen);
}

/* A new version of the sink has delivered nothing yet, whatever the old one did. */
static void another_sink_is_unproven(void **state)
{
    struct seen *seen = seen_new(1);

    (void)state;
    seen_sink(seen, "a", 7);
    (void)seen_stuck_ms(seen, "a", 3, 100, 1000);
    (void)seen_stuck_ms(seen, "a", 3, 200, 2000);
    assert_true(seen_moved(seen, "a"));
    seen_sink(seen, "a", 7);
    assert_true(seen_moved(seen, "a"));
    assert_int_equal(seen_stuck_ms(seen, "a", 3, 200, 5000), 3000);
    seen_sink(seen, "a", 8);
    assert_false(seen_moved(seen, "a"));
    assert_int_equal(seen_stuck_ms(seen, "a", 3, 200, 6000), 0);
    assert_false(seen_moved(seen, "a"));
    seen_free(seen);
}

static void a_counter_that_fell_is_remembered_until_the_rows_agree(void **state)
{
    struct seen *seen = seen_new(1);

    (void)state;
    assert_false(seen_fell(seen, "a", 10));
    assert_false(seen_fell(seen, "a", 10));
    assert_false(seen_fell(seen, "a", 12));
    assert_true(seen_fell(seen, "a", 1)); /* TRUNCATE */
    assert_true(seen_fell(seen, "a", 50));
    assert_false(seen_fell(seen, "b", 1));
    (void)seen_gap_ms(seen, "a", -1, 3, 1000);
    assert_true(seen_fell(seen, "a", 51));
    (void)seen_gap_ms(seen, "a", 0, 0, 2000);
    assert_false(seen_fell(seen, "a", 52));
    seen_free(seen);
}

static void a_gap_lasts_while_the_stream_does_not_follow(void **state)
{
    struct seen *seen = seen_new(1);

    (void)state;
    /* Fewer in the source: the stream follows by losing rows. */
    for (int64_t look = 1; look < SEEN_GAP_LOOKS; look++) {
        assert_int_equal(seen_gap_ms(seen, "a", -50, 100, look * 1000), 0);
    }
    assert_int_equal(seen_gap_ms(seen, "a", -50, 100, 5000), 4000);
    assert_int_equal(seen_gap_ms(seen, "a", -50, 105, 6000), 5000); /* new rows came */
    assert_int_equal(seen_gap_ms(seen, "a", -50, 104, 7000), 0);
    assert_int_equal(seen_gap_ms(seen, "a", -50, 104, 8000), 1000);
    assert_int_equal(seen_gap_ms(seen, "b", -50, 104, 9000), 0); /* another resource */
    /* More in the source: by any change. */
    for (int64_t look = 1; look < SEEN_GAP_LOOKS; look++) {
        assert_int_equal(seen_gap_ms(seen, "a", 50, 104, 10000 + look * 1000), 0);
    }
    assert_int_equal(seen_gap_ms(seen, "a", 50, 104, 15000), 4000);
    assert_int_equal(seen_gap_ms(seen, "a", 50, 105, 16000), 0);
    assert_int_equal(seen_gap_ms(seen, "a", 0, 105, 17000), 0); /* none any more */
    assert_int_equal(seen_gap_ms(seen, "a", 50, 105, 18000), 0);
    seen_free(seen);
}

/* As many rows come and go between two looks as differ: the difference is on its way. */
static void a_gap_is_explained_by_rows_that_come_and_go(void **state)
{
    struct seen *seen = seen_new(1);

    (void)state;
    assert_int_equal(seen_gap_ms(seen, "a", -5, 100, 1000), 0);
    assert_int_equal(seen_gap_ms(seen, "a", -9, 104, 2000), 0);
    assert_int_equal(seen_gap_ms(seen, "a", -4, 101, 3000), 0);
    assert_int_equal(seen_gap_ms(seen, "a", -4, 101, 4000), SEEN_GAP_EXPLAINED);
    seen_free(seen);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_differs_is_news),
        cmocka_unit_test(a_backlog_is_stuck_while_its_oldest_stays),
        cmocka_unit_test(a_rest_starts_the_time_anew),
        cmocka_unit_test(what_is_unknown_is_not_stuck),
        cmocka_unit_test(a_backlog_has_moved_once_its_oldest_changed),
        cmocka_unit_test(news_and_backlog_do_not_disturb_each_other),
        cmocka_unit_test(another_sink_is_unproven),
        cmocka_unit_test(a_counter_that_fell_is_remembered_until_the_rows_agree),
        cmocka_unit_test(a_gap_lasts_while_the_stream_does_not_follow),
        cmocka_unit_test(a_gap_is_explained_by_rows_that_come_and_go),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

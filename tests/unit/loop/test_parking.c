/* Lines of those who wait: order, no doubles, nobody is overtaken. */
#include "loop_unit.h"

#include "loop/parking.h"

#include <stdio.h>

static int up(void **state)
{
    static struct parking parking;

    parking_init(&parking);
    *state = &parking;
    return 0;
}

static int down(void **state)
{
    parking_deinit(*state);
    return 0;
}

static void expect_call(struct parking *p, int64_t now_ms, const char *wanted)
{
    struct parked *one = parking_call(p, now_ms);

    if (wanted == NULL) {
        assert_null(one);
        return;
    }
    assert_non_null(one);
    assert_string_equal(one->key, wanted);
    assert_null(one->next);
    parked_free(one);
}

static void first_come_first_served_and_once(void **state)
{
    struct parking *p = *state;

    parking_add(p, "a", false, 0);
    parking_add(p, "b", false, 0);
    parking_add(p, "a", false, 0);
    assert_int_equal(parking_count(p), 2);
    assert_true(parking_is_first(p, "a"));
    assert_false(parking_is_first(p, "b"));
    expect_call(p, 0, "a");
    parking_add(p, "a", false, 0); /* behind b now */
    expect_call(p, 0, "b");
    expect_call(p, 0, "a");
    expect_call(p, 0, NULL);
}

static void who_is_called_is_expected_for_a_while(void **state)
{
    struct parking *p = *state;

    parking_add(p, "a", false, 0);
    parking_add(p, "b", false, 0);
    expect_call(p, 1000, "a");
    assert_int_equal(parking_expected(p, 1000), 1);
    assert_int_equal(parking_expected(p, 1000 + PARKING_CALL_MS - 1), 1);
    assert_int_equal(parking_expected(p, 1000 + PARKING_CALL_MS), 0);
    assert_true(parking_is_called(p, "a")); /* late, and yet remembered */
    assert_false(parking_is_called(p, "b"));
    assert_true(parking_arrive(p, "a"));
    assert_false(parking_arrive(p, "a"));
    assert_int_equal(parking_expected(p, 1000), 0);
    parking_add_first(p, "a", false, 0);
    expect_call(p, 0, "a");
    expect_call(p, 0, "b");
}

static void who_comes_uncalled_leaves_the_line(void **state)
{
    static const char *const KEYS[] = {"a", "b", "c"};

    (void)state;
    for (size_t gone = 0; gone < COUNT_OF(KEYS); gone++) {
        struct parking line, *p = &line;

        parking_init(p);
        for (size_t i = 0; i < COUNT_OF(KEYS); i++) {
            parking_add(p, KEYS[i], false, 0);
        }
        assert_false(parking_arrive(p, KEYS[gone]));
        parking_add(p, "d", false, 0);
        for (size_t i = 0; i < COUNT_OF(KEYS); i++) {
            if (i != gone) {
                expect_call(p, 0, KEYS[i]);
            }
        }
        expect_call(p, 0, "d");
        expect_call(p, 0, NULL);
        parking_deinit(p);
    }
}

static void many_are_called_and_the_oldest_call_is_forgotten(void **state)
{
    struct parking *p = *state;
    char name[16];

    for (int i = 0; i <= PARKING_CALLED_MAX; i++) {
        (void)snprintf(name, sizeof(name), "k%d", i);
        parking_add(p, name, false, 0);
        expect_call(p, i, name);
    }
    assert_false(parking_is_called(p, "k0"));
    assert_true(parking_is_called(p, "k1"));
    assert_int_equal(parking_expected(p, 1), PARKING_CALLED_MAX);
}

static void all_can_be_sent_away(void **state)
{
    struct parking *p = *state;
    struct parked *all = NULL;

    assert_null(parking_take_all(p));
    parking_add(p, "a", false, 0);
    parking_add_first(p, "b", false, 0);
    all = parking_take_all(p);
    assert_string_equal(all->key, "b");
    assert_string_equal(all->next->key, "a");
    assert_null(all->next->next);
    assert_int_equal(parking_count(p), 0);
    parked_free(all);
    parking_add(p, "a", false, 0);
    expect_call(p, 0, "a");
}

/* --- urgent ones --- */

static void the_urgent_go_first_in_order_among_themselves(void **state)
{
    struct parking *p = *state;

    parking_add(p, "a", false, 0);
    parking_add(p, "u", true, 1);
    parking_add(p, "b", false, 2);
    parking_add(p, "v", true, 3);
    assert_true(parking_is_first(p, "u"));
    assert_false(parking_is_first(p, "a"));
    parking_add(p, "b", true, 4); /* somebody changed it while it waited */
    parking_add(p, "u", false, 5);
    expect_call(p, 5, "u");
    expect_call(p, 5, "v");
    expect_call(p, 5, "b");
    expect_call(p, 5, "a");
    expect_call(p, 5, NULL);
}

static void who_comes_late_goes_in_front_of_its_kind(void **state)
{
    struct parking *p = *state;

    parking_add(p, "a", false, 0);
    parking_add(p, "u", true, 0);
    parking_add(p, "v", true, 0);
    expect_call(p, 0, "u");
    expect_call(p, 0, "v");
    parking_add_first(p, "v", false, 9); /* urgent it remains */
    parking_add_first(p, "u", true, 9);
    assert_int_equal(parking_expected(p, 0), 0);
    expect_call(p, 9, "u");
    expect_call(p, 9, "v");
    expect_call(p, 9, "a");
}

static void who_is_called_while_it_stands_in_line_stands_there_once(void **state)
{
    struct parking *p = *state;

    parking_add(p, "a", false, 0);
    expect_call(p, 0, "a");
    parking_add(p, "b", false, 0);
    parking_add(p, "a", true, 0);
    parking_add_first(p, "a", false, 0);
    assert_false(parking_is_called(p, "a"));
    assert_int_equal(parking_count(p), 2);
    expect_call(p, 0, "a");
    expect_call(p, 0, "b");
    expect_call(p, 0, NULL);
}

/* A change every moment, for as long as somebody has waited too long. */
static void the_others_do_not_starve(void **state)
{
    struct parking *p = *state;
    int64_t now_ms = QUEUE_LOW_MS;
    size_t others = 0;
    char name[16];

    parking_add(p, "a", false, 0);
    parking_add(p, "b", false, 1);
    parking_add(p, "c", false, 2 * QUEUE_LOW_MS); /* has time */
    for (int i = 0; i < 4 * QUEUE_AGED_EVERY; i++) {
        struct parked *one = NULL;

        (void)snprintf(name, sizeof(name), "u%d", i);
        parking_add(p, name, true, ++now_ms);
        one = parking_call(p, now_ms);
        if (one->key[0] != 'u') {
            assert_int_equal(i % QUEUE_AGED_EVERY, 0);
            assert_string_equal(one->key, others == 0 ? "a" : "b");
            others++;
        }
        parked_free(one);
    }
    assert_int_equal(others, 2);
    assert_int_equal(parking_count(p), 3); /* c and the two who let others go first */
}

/* Being called and finding the door shut again costs nobody the time it has waited. */
static void waiting_counts_from_the_first_time(void **state)
{
    struct parking *p = *state;

    parking_add(p, "a", false, 0);
    expect_call(p, 0, "a");
    parking_add_first(p, "a", false, 1000);
    for (int i = 1; i < QUEUE_AGED_EVERY; i++) { /* up to the turn of who waited long */
        parking_add(p, "u", true, 1000);
        expect_call(p, 1000, "u");
    }
    parking_add(p, "u", true, 1000);
    expect_call(p, QUEUE_LOW_MS, "a");
}

static void the_urgent_are_sent_away_first(void **state)
{
    struct parking *p = *state;
    struct parked *all = NULL;

    parking_add(p, "a", false, 0);
    parking_add(p, "u", true, 0);
    all = parking_take_all(p);
    assert_string_equal(all->key, "u");
    assert_true(all->urgent);
    assert_string_equal(all->next->key, "a");
    assert_false(all->next->urgent);
    assert_null(all->next->next);
    assert_int_equal(parking_count(p), 0);
    parked_free(all);
}

#define LINE_TEST(name) cmocka_unit_test_setup_teardown(name, up, down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LINE_TEST(first_come_first_served_and_once),
        LINE_TEST(who_is_called_is_expected_for_a_while),
        LINE_TEST(who_comes_uncalled_leaves_the_line),
        LINE_TEST(many_are_called_and_the_oldest_call_is_forgotten),
        LINE_TEST(all_can_be_sent_away),
        LINE_TEST(the_urgent_go_first_in_order_among_themselves),
        LINE_TEST(who_comes_late_goes_in_front_of_its_kind),
        LINE_TEST(who_is_called_while_it_stands_in_line_stands_there_once),
        LINE_TEST(the_others_do_not_starve),
        LINE_TEST(waiting_counts_from_the_first_time),
        LINE_TEST(the_urgent_are_sent_away_first),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

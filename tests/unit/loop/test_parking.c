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

    parking_add(p, "a");
    parking_add(p, "b");
    parking_add(p, "a");
    assert_int_equal(parking_count(p), 2);
    assert_true(parking_is_first(p, "a"));
    assert_false(parking_is_first(p, "b"));
    expect_call(p, 0, "a");
    parking_add(p, "a"); /* behind b now */
    expect_call(p, 0, "b");
    expect_call(p, 0, "a");
    expect_call(p, 0, NULL);
}

static void who_is_called_is_expected_for_a_while(void **state)
{
    struct parking *p = *state;

    parking_add(p, "a");
    parking_add(p, "b");
    expect_call(p, 1000, "a");
    assert_int_equal(parking_expected(p, 1000), 1);
    assert_int_equal(parking_expected(p, 1000 + PARKING_CALL_MS - 1), 1);
    assert_int_equal(parking_expected(p, 1000 + PARKING_CALL_MS), 0);
    assert_true(parking_is_called(p, "a")); /* late, and yet remembered */
    assert_false(parking_is_called(p, "b"));
    assert_true(parking_arrive(p, "a"));
    assert_false(parking_arrive(p, "a"));
    assert_int_equal(parking_expected(p, 1000), 0);
    parking_add_first(p, "a");
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
            parking_add(p, KEYS[i]);
        }
        assert_false(parking_arrive(p, KEYS[gone]));
        parking_add(p, "d");
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
        parking_add(p, name);
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
    parking_add(p, "a");
    parking_add_first(p, "b");
    all = parking_take_all(p);
    assert_string_equal(all->key, "b");
    assert_string_equal(all->next->key, "a");
    assert_null(all->next->next);
    assert_int_equal(parking_count(p), 0);
    parked_free(all);
    parking_add(p, "a");
    expect_call(p, 0, "a");
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
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

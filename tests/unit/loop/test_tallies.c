/* Turns to count, and what is remembered between looks. */
#include "loop_unit.h"

#include "loop/tallies.h"

static struct tallies *tallies;
static struct arena *arena;
static const char lane[8]; /* addresses that tell servers apart */

static int set_up(void **state)
{
    (void)state;
    tallies = tallies_new(1);
    arena = arena_new(ARENA_CEILING_BYTES);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    tallies_free(tallies);
    arena_freep(&arena);
    return 0;
}

static bool enters(const char *key, int source, int target)
{
    return tallies_enter(tallies, key, &lane[source], &lane[target]);
}

static const char *called_by(const char *key)
{
    const char *called = tallies_leave(tallies, key, arena);

    return called == NULL ? "" : called;
}

static void remembers_looks(void **state)
{
    const struct tally looks = {.looks = 2, .source = 7, .target = 8};
    struct tally found = {0};
    int64_t due_ms = 0;

    (void)state;
    assert_false(tallies_get(tallies, "a", &found, &due_ms));
    tallies_put(tallies, "a", &(struct tally){.looks = 1}, 100);
    tallies_put(tallies, "a", &looks, 200);
    tallies_put(tallies, "b", &(struct tally){.looks = 4}, 300);
    assert_true(tallies_get(tallies, "a", &found, &due_ms));
    assert_int_equal(found.looks * 1000 + found.source * 10 + found.target, 2078);
    assert_int_equal(due_ms, 200);
    tallies_forget(tallies, "a");
    assert_false(tallies_get(tallies, "a", &found, &due_ms));
    assert_true(tallies_get(tallies, "b", &found, &due_ms));
}

/* One at a time for each server, either side. */
static void a_server_counts_for_one(void **state)
{
    (void)state;
    assert_true(enters("a", 0, 1));
    assert_false(enters("b", 0, 2));
    assert_false(enters("c", 3, 1));
    assert_true(enters("d", 3, 4));
    assert_string_equal(called_by("a"), "b"); /* c waits for d's source */
    assert_true(enters("b", 0, 2));
    assert_string_equal(called_by("d"), "c");
    assert_true(enters("c", 3, 1));
    assert_string_equal(called_by("b"), "");
    assert_string_equal(called_by("c"), "");
}

static void so_many_count_at_once(void **state)
{
    static const char *const keys[] = {"a", "b", "c", "d"};

    (void)state;
    _Static_assert(COUNT_OF(keys) == TALLIES_AT_ONCE, "as many as may");
    for (int i = 0; i < TALLIES_AT_ONCE; i++) {
        assert_true(tallies_enter(tallies, keys[i], keys[i], keys[i]));
    }
    assert_false(enters("e", 6, 7));
    assert_string_equal(called_by("c"), "e");
    assert_true(enters("e", 6, 7));
}

/* Who asks again keeps the place; who was forgotten, or called and did not come, is in
 * nobody's way. */
static void the_line_keeps_its_order(void **state)
{
    (void)state;
    assert_true(enters("a", 0, 1));
    assert_false(enters("b", 0, 1));
    assert_false(enters("c", 0, 1));
    assert_false(enters("d", 0, 1));
    assert_false(enters("b", 0, 1));
    tallies_forget(tallies, "c");
    assert_string_equal(called_by("a"), "b");
    assert_true(enters("x", 0, 1));
    assert_string_equal(called_by("x"), "d");
    assert_true(enters("d", 0, 1));
    assert_string_equal(called_by("d"), "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(remembers_looks),
        TEST(a_server_counts_for_one),
        TEST(so_many_count_at_once),
        TEST(the_line_keeps_its_order),
    };

    return cmocka_run_group_tests_name("loop/tallies", tests, NULL, NULL);
}

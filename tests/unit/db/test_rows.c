#include "db/db.h"
#include "unit.h"

static void reads_by_heading_in_any_case(void **state)
{
    struct rows rows = RECORDED(*state, 3, "TABLE_NAME", "Rows", "ok", "orders", "12",
                                "YES", NULL, "x", "no");

    assert_int_equal(rows_count(&rows), 2);
    assert_string_equal(rows_get(&rows, 0, "table_name"), "orders");
    assert_null(rows_get(&rows, 1, "table_name"));
    assert_string_equal(rows_text(&rows, 1, "table_name"), "");
    assert_null(rows_get(&rows, 0, "no_such_heading"));
    assert_null(rows_get(&rows, 2, "table_name"));
    assert_true(rows_has(&rows, "ROWS"));
    assert_false(rows_has(&rows, "row"));
    assert_int_equal(rows_int(&rows, 0, "rows", -1), 12);
    assert_int_equal(rows_int(&rows, 1, "rows", -1), -1);
    assert_int_equal(rows_int(&rows, 0, "gone", 7), 7);
    assert_true(rows_bool(&rows, 0, "ok"));
    assert_false(rows_bool(&rows, 1, "ok"));
    assert_false(rows_bool(&rows, 1, "table_name"));
}

static void truth_is_written_in_many_ways(void **state)
{
    const char *const yes[] = {"t", "TRUE", "1", "yes", "On"};
    const char *const no[] = {"f", "false", "0", "NO", "", "maybe"};

    for (size_t i = 0; i < COUNT_OF(yes); i++) {
        struct rows rows = RECORDED(*state, 1, "b", yes[i]);
        assert_true(rows_bool(&rows, 0, "b"));
    }
    for (size_t i = 0; i < COUNT_OF(no); i++) {
        struct rows rows = RECORDED(*state, 1, "b", no[i]);
        assert_false(rows_bool(&rows, 0, "b"));
    }
}

static void bytes_that_are_no_text_become_hex(void **state)
{
    struct rows rows;
    struct fault f = FAULT_INIT;

    rows_init(&rows, *state);
    assert_ok(rows_add_column(&rows, SV("v"), &f), f);
    assert_ok(rows_add(&rows, SV("a\0\0"), &f), f);
    assert_ok(rows_add(&rows, SV("\xff\x01"), &f), f);
    assert_ok(rows_add(&rows, SV("h\xc3\xa9"), &f), f);
    assert_ok(rows_add(&rows, SV(""), &f), f);
    assert_string_equal(rows_get(&rows, 0, "v"), "0x610000");
    assert_string_equal(rows_get(&rows, 1, "v"), "0xFF01");
    assert_string_equal(rows_get(&rows, 2, "v"), "h\xc3\xa9");
    assert_string_equal(rows_get(&rows, 3, "v"), "");
}

static void an_unfinished_row_does_not_count(void **state)
{
    struct rows rows = RECORDED(*state, 2, "a", "b", "1", "2");
    struct fault f = FAULT_INIT;

    assert_ok(rows_add(&rows, SV("3"), &f), f);
    assert_int_equal(rows_count(&rows), 1);
    assert_null(rows_get(&rows, 1, "a"));
}

static void too_many_rows_are_a_fault(void **state)
{
    struct rows rows = RECORDED(*state, 1, "n");
    struct fault f = FAULT_INIT;

    for (size_t i = 0; i < DB_ROWS_MAX; i++) {
        assert_ok(rows_add(&rows, SV("1"), &f), f);
    }
    assert_false(rows_add(&rows, SV("1"), &f));
    assert_int_equal(f.class, FAULT_REFUSED);
    assert_string_equal(f.reason, "AnswerTooLarge");
    assert_contains(f.text, "more than 200000 rows");
}

static void too_large_a_value_is_a_fault(void **state)
{
    struct rows rows = RECORDED(*state, 1, "n");
    struct fault f = FAULT_INIT;
    char *big = arena_alloc(*state, DB_VALUE_MAX + 1);

    memset(big, 'x', DB_VALUE_MAX + 1);
    assert_ok(rows_add(&rows, (struct sv){big, DB_VALUE_MAX}, &f), f);
    assert_false(rows_add(&rows, (struct sv){big, DB_VALUE_MAX + 1}, &f));
    assert_string_equal(f.reason, "AnswerTooLarge");
}

static void all_values_together_have_a_ceiling(void **state)
{
    struct rows rows = RECORDED(*state, 1, "n");
    struct fault f = FAULT_INIT;
    char *big = arena_alloc(*state, DB_VALUE_MAX);
    size_t taken = 0;

    memset(big, 'x', DB_VALUE_MAX);
    while (taken < 1000 && rows_add(&rows, (struct sv){big, DB_VALUE_MAX}, &f)) {
        taken++;
    }
    assert_int_equal(taken, ROWS_BYTES_MAX / DB_VALUE_MAX - 1);
    assert_string_equal(f.reason, "AnswerTooLarge");
}

static void nulls_cost_too(void **state)
{
    struct rows rows = {0};
    struct fault f = FAULT_INIT;
    size_t rows_taken = 0;

    rows_init(&rows, *state);
    for (size_t i = 0; i < 200; i++) {
        assert_ok(rows_add_column(&rows, SV("c"), &f), f);
    }
    while (rows_taken < DB_ROWS_MAX) {
        bool fits = true;
        for (size_t i = 0; i < 200 && fits; i++) {
            fits = rows_add_null(&rows, &f);
        }
        if (!fits) {
            break;
        }
        rows_taken++;
    }
    assert_true(rows_taken < DB_ROWS_MAX / 10);
    assert_string_equal(f.reason, "AnswerTooLarge");
}

static void columns_have_a_ceiling(void **state)
{
    struct rows rows;
    struct fault f = FAULT_INIT;

    rows_init(&rows, *state);
    for (size_t i = 0; i < ROWS_COLUMNS_MAX; i++) {
        assert_ok(rows_add_column(&rows, SV("c"), &f), f);
    }
    assert_false(rows_add_column(&rows, SV("c"), &f));
}

static void wiped_cells_hold_nothing(void **state)
{
    struct rows rows = RECORDED(*state, 2, "a", "b", "hunter2", NULL, "x", "y");
    const char *cell = rows_get(&rows, 0, "a");
    static const char zeroes[8];

    rows_wipe(&rows);
    assert_memory_equal(cell, zeroes, sizeof(zeroes));
    assert_string_equal(rows_text(&rows, 1, "b"), "");
    assert_null(rows_get(&rows, 0, "b"));
}

int main(void)
{
#define ROWS_TEST(f) cmocka_unit_test_setup_teardown(f, arena_setup, arena_teardown)
    const struct CMUnitTest tests[] = {
        ROWS_TEST(reads_by_heading_in_any_case),
        ROWS_TEST(truth_is_written_in_many_ways),
        ROWS_TEST(bytes_that_are_no_text_become_hex),
        ROWS_TEST(an_unfinished_row_does_not_count),
        ROWS_TEST(too_many_rows_are_a_fault),
        ROWS_TEST(too_large_a_value_is_a_fault),
        ROWS_TEST(all_values_together_have_a_ceiling),
        ROWS_TEST(nulls_cost_too),
        ROWS_TEST(columns_have_a_ceiling),
        ROWS_TEST(wiped_cells_hold_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "base/json.h"
#include "base/json_cursor.h"
#include "unit.h"

#define PICKED(text, ...)                                                                \
    const char *const paths[] = {__VA_ARGS__};                                           \
    struct sv raw[COUNT_OF(paths)];                                                      \
    json_pick(sv_from(text), paths, COUNT_OF(paths), raw)

#define assert_raw(i, expected)                                                          \
    do {                                                                                 \
        if (!sv_eq(raw[i], sv_from(expected))) {                                         \
            fail_msg("%s: '%.*s', not '%s'", paths[i], SV_ARGS(raw[i]), expected);       \
        }                                                                                \
    } while (0)

static void picks_several_values_in_one_pass(void **state)
{
    (void)state;
    PICKED("{\"a\" : {\"b\":\"x\",\"c\":{\"d\": [1, 2] }}, \"n\":-1.5e3,\"z\":null}",
           "a.b", "a.c.d", "a.c", "n", "z", "a.x", "n.b", "", "a");
    assert_raw(0, "\"x\"");
    assert_raw(1, "[1, 2]");
    assert_raw(2, "{\"d\": [1, 2] }");
    assert_raw(3, "-1.5e3");
    assert_raw(4, "null");
    assert_raw(5, "");
    assert_raw(6, "");
    assert_raw(7, "");
    assert_raw(8, "{\"b\":\"x\",\"c\":{\"d\": [1, 2] }}");
}

static void of_two_of_one_name_picks_the_last(void **state)
{
    (void)state;
    PICKED("{\"a\":{\"b\":1},\"a\":{\"c\":2,\"c\":3},\"d\":{\"e\":1},\"d\":5}", "a.b",
           "a.c", "d.e", "d");
    assert_raw(0, "");
    assert_raw(1, "3");
    assert_raw(2, "");
    assert_raw(3, "5");
}

static void tells_plain_strings_from_others(void **state)
{
    (void)state;
    assert_true(sv_eq(json_cursor_plain(SV("\"ab\"")), SV("ab")));
    assert_non_null(json_cursor_plain(SV("\"\"")).p);
    assert_null(json_cursor_plain(SV("\"a\\n\"")).p);
    assert_null(json_cursor_plain(SV("12")).p);
    assert_null(json_cursor_plain(SV_NULL).p);
}

static void stops_at_the_first_problem(void **state)
{
    (void)state;
    struct json_cursor c;
    struct sv key = SV_NULL;
    struct sv raw = SV_NULL;
    bool begun = false;

    json_cursor_init(&c, SV("{\"a\":1,\"b\" 2}"), 10);
    assert_true(json_cursor_open(&c, '{'));
    assert_true(json_cursor_next(&c, '}', &begun, &key));
    assert_true(sv_eq(key, SV("a")));
    assert_true(json_cursor_value(&c, 1, &raw));
    assert_false(json_cursor_next(&c, '}', &begun, &key));
    assert_string_equal(c.problem, "':' is missing after a key");
    assert_int_equal(c.at, 11);
    assert_false(json_cursor_value(&c, 1, &raw));
    assert_false(json_cursor_next(&c, '}', &begun, &key));
    assert_false(json_cursor_open(&c, '{'));
    assert_false(json_cursor_end(&c));
}

static void counts_values_and_levels(void **state)
{
    (void)state;
    struct json_cursor c;
    struct sv raw = SV_NULL;

    json_cursor_init(&c, SV("[[],[]]"), 3);
    assert_true(json_cursor_value(&c, 2, &raw) && json_cursor_end(&c));
    json_cursor_init(&c, SV("[[],[]]"), 2);
    assert_false(json_cursor_value(&c, 2, &raw));
    assert_string_equal(c.problem, "it has too many values");
    json_cursor_init(&c, SV("[[],[]]"), 3);
    assert_false(json_cursor_value(&c, 1, &raw));
    assert_string_equal(c.problem, "it is nested too deep");
}

static void bytes_that_are_no_characters_are_a_problem_in_a_string(void **state)
{
    (void)state;
    struct json_cursor c;
    struct sv raw = SV_NULL;

    json_cursor_init(&c, SV("\"\xc3\xbc\xff\""), 1);
    assert_false(json_cursor_value(&c, 1, &raw));
    assert_string_equal(c.problem, "it is not valid UTF-8");
    assert_int_equal(c.at, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(picks_several_values_in_one_pass),
        cmocka_unit_test(of_two_of_one_name_picks_the_last),
        cmocka_unit_test(tells_plain_strings_from_others),
        cmocka_unit_test(stops_at_the_first_problem),
        cmocka_unit_test(counts_values_and_levels),
        cmocka_unit_test(bytes_that_are_no_characters_are_a_problem_in_a_string),
    };

    return cmocka_run_group_tests_name("base/json_cursor", tests, NULL, NULL);
}

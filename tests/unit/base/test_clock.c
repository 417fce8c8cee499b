#include "base/attr.h"
#include "base/clock.h"
#include "unit.h"

#include <stdlib.h>
#include <time.h>

static const struct {
    int64_t ms;
    const char *seconds, *micro;
} moments[] = {
    {0, "1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000000Z"},
    {951782400123, "2000-02-29T00:00:00Z", "2000-02-29T00:00:00.123000Z"},
    {1767225599999, "2025-12-31T23:59:59Z", "2025-12-31T23:59:59.999000Z"},
    {4107542400000, "2100-03-01T00:00:00Z", "2100-03-01T00:00:00.000000Z"},
    {253402300799999, "9999-12-31T23:59:59Z", "9999-12-31T23:59:59.999000Z"},
};

static void formats_and_parses(void **state)
{
    (void)state;
    char text[CLOCK_RFC3339_SIZE];

    for (size_t i = 0; i < COUNT_OF(moments); i++) {
        assert_string_equal(clock_format_rfc3339(moments[i].ms, text),
                            moments[i].seconds);
        assert_string_equal(clock_format_micro(moments[i].ms, text), moments[i].micro);
        assert_int_equal(clock_parse_rfc3339(moments[i].micro), moments[i].ms);
        assert_int_equal(clock_parse_rfc3339(moments[i].seconds),
                         moments[i].ms / 1000 * 1000);
    }
    assert_string_equal(clock_format_rfc3339(-1, text), "1969-12-31T23:59:59Z");
    assert_string_equal(clock_format_micro(INT64_MIN, text),
                        "0001-01-01T00:00:00.000000Z");
    assert_string_equal(clock_format_micro(INT64_MAX, text),
                        "9999-12-31T23:59:59.999000Z");
    assert_int_equal(clock_parse_rfc3339("1970-01-01T00:00:00.0019Z"), 1);
}

static void refuses_other_forms(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "2026-11-23",
        "2026-11-23T04:05:06",
        "2026-11-23T04:05:06+00:00",
        "2026-11-23 04:05:06Z",
        "2026-11-23t04:05:06z",
        "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z",
        "2026-02-29T00:00:00Z",
        "2100-02-29T00:00:00Z",
        "2026-01-00T00:00:00Z",
        "2026-01-01T24:00:00Z",
        "2026-01-01T00:60:00Z",
        "2026-01-01T00:00:60Z",
        "2026-01-01T00:00:00.Z",
        "2026-01-01T00:00:00.1234567890Z",
        "2026-01-01T00:00:00.1x3Z",
        "2026-01-01T00:00:00Zx",
        "2026-01-01T00:00:00.000000Zx",
        "1969-12-31T23:59:59Z",
        "-026-01-01T00:00:00Z",
        "20260-01-01T00:00:00Z",
        "2026-1-01T00:00:00Z",
    };

    assert_int_equal(clock_parse_rfc3339(NULL), -1);
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        if (clock_parse_rfc3339(bad[i]) != -1) {
            fail_msg("'%s' was taken", bad[i]);
        }
    }
}

/* The C library is the judge in the test, where its environment is ours. */
static void agrees_with_the_c_library(void **state)
{
    (void)state;
    struct rng rng;

    rng_init(&rng, 8);
    for (int i = 0; i < 20000; i++) {
        char ours[CLOCK_RFC3339_SIZE];
        char theirs[CLOCK_RFC3339_SIZE];
        struct tm tm;
        time_t second = (time_t)rng_below(&rng, 253402300800);
        assert_non_null(gmtime_r(&second, &tm));
        assert_true(strftime(theirs, sizeof(theirs), "%Y-%m-%dT%H:%M:%SZ", &tm) > 0);
        assert_string_equal(clock_format_rfc3339((int64_t)second * 1000, ours), theirs);
        assert_int_equal(clock_parse_rfc3339(ours), (int64_t)second * 1000);
    }
}

static void the_system_clock_runs(void **state)
{
    (void)state;
    const struct clock *c = clock_system();
    int64_t before = clock_monotonic_ms(c);

    assert_true(clock_wall_ms(c) > INT64_C(1700000000000));
    assert_true(clock_monotonic_ms(c) >= before);
    int64_t apart = clock_wall_ms(c) - (int64_t)time(NULL) * 1000;
    assert_true(apart > -2000 && apart < 2000);
}

static void chance_is_repeatable_and_even(void **state)
{
    (void)state;
    struct rng a;
    struct rng b;
    int seen[6] = {0};

    rng_init(&a, 42);
    rng_init(&b, 42);
    for (int i = 0; i < 60000; i++) {
        assert_true(rng_next(&a) == rng_next(&b));
        seen[rng_below(&a, 6)]++;
        (void)rng_below(&b, 6);
    }
    for (size_t i = 0; i < COUNT_OF(seen); i++) {
        assert_in_range(seen[i], 9500, 10500);
    }
    assert_int_equal(rng_below(&a, 1), 0);
    rng_init(&b, 43);
    assert_true(rng_next(&a) != rng_next(&b));
    assert_true(rng_seed_from_system() != rng_seed_from_system());
}

static void jitter_stays_in_its_range(void **state)
{
    (void)state;
    struct rng rng;
    int64_t low = INT64_MAX;
    int64_t high = 0;

    rng_init(&rng, 1);
    for (int i = 0; i < 20000; i++) {
        int64_t v = rng_jitter(&rng, 1000, 20);
        low = v < low ? v : low;
        high = v > high ? v : high;
    }
    assert_int_equal(low, 800);
    assert_int_equal(high, 1200);
    assert_int_equal(rng_jitter(&rng, 1000, 0), 1000);
    assert_int_equal(rng_jitter(&rng, 0, 50), 0);
    assert_int_equal(rng_jitter(&rng, 1, 20), 1);
    assert_true(rng_jitter(&rng, INT64_MAX, 100) > 0);
    assert_in_range(rng_jitter(&rng, 10, 500), 0, 20);
}

static void backoff_doubles_up_to_its_cap(void **state)
{
    (void)state;

    assert_int_equal(backoff_ms(500, 60000, 0), 500);
    assert_int_equal(backoff_ms(500, 60000, 1), 1000);
    assert_int_equal(backoff_ms(500, 60000, 6), 32000);
    assert_int_equal(backoff_ms(500, 60000, 7), 60000);
    assert_int_equal(backoff_ms(500, 60000, UINT32_MAX), 60000);
    assert_int_equal(backoff_ms(500, 100, 0), 100);
    assert_int_equal(backoff_ms(0, 100, 9), 0);
    assert_true(backoff_ms(3, INT64_MAX, 200) == INT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formats_and_parses),
        cmocka_unit_test(refuses_other_forms),
        cmocka_unit_test(agrees_with_the_c_library),
        cmocka_unit_test(the_system_clock_runs),
        cmocka_unit_test(chance_is_repeatable_and_even),
        cmocka_unit_test(jitter_stays_in_its_range),
        cmocka_unit_test(backoff_doubles_up_to_its_cap),
    };
    return cmocka_run_group_tests_name("base/clock", tests, NULL, NULL);
}

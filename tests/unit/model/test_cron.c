/* Schedules: what is taken, what is refused and why, and which moment comes next. */
#include "unit/model/model_test.h"

#include "base/clock.h"
#include "model/cron.h"

#include <stdio.h>
#include <string.h>

static struct cron parsed(const char *text)
{
    struct cron cron;
    struct fault fault = FAULT_INIT;
    assert_ok(cron_parse(sv_from(text), &cron, &fault), fault);
    return cron;
}

static void names_the_next_moment(void **state)
{
    static const struct {
        const char *schedule, *after, *next;
    } rows[] = {
        {"* * * * *", "2026-11-23T04:05:06Z", "2026-11-23T04:06:00Z"},
        {"* * * * *", "2026-11-23T04:05:00Z", "2026-11-23T04:06:00Z"},
        {"0 3 * * *", "2026-11-23T02:59:59Z", "2026-11-23T03:00:00Z"},
        {"0 3 * * *", "2026-11-23T03:00:00Z", "2026-11-24T03:00:00Z"},
        {"*/15 * * * *", "2026-11-23T04:46:00Z", "2026-11-23T05:00:00Z"},
        {"5-20/5 1,13 * * *", "2026-11-23T01:20:00Z", "2026-11-23T13:05:00Z"},
        {"59 23 31 12 *", "2026-12-31T23:59:00Z", "2027-12-31T23:59:00Z"},
        {"0 0 31 * *", "2026-08-31T00:00:00Z", "2026-10-31T00:00:00Z"},
        {"0 0 29 2 *", "2026-01-01T00:00:00Z", "2028-02-29T00:00:00Z"},
        {"0 0 29 2 *", "2096-02-29T00:00:00Z", "2104-02-29T00:00:00Z"},
        {"0 0 1 1 *", "1999-12-31T23:59:59Z", "2000-01-01T00:00:00Z"},
        /* 2026-11-23 is a Monday. */
        {"0 6 * * mon", "2026-11-23T05:00:00Z", "2026-11-23T06:00:00Z"},
        {"0 6 * * MON", "2026-11-23T06:00:00Z", "2026-11-30T06:00:00Z"},
        {"0 6 * * 0", "2026-11-23T06:00:00Z", "2026-11-29T06:00:00Z"},
        {"0 6 * * 7", "2026-11-23T06:00:00Z", "2026-11-29T06:00:00Z"},
        {"0 6 * * 5-7", "2026-11-28T07:00:00Z", "2026-11-29T06:00:00Z"},
        {"0 6 * * tue-thu", "2026-11-26T06:00:00Z", "2026-12-01T06:00:00Z"},
        {"0 6 * feb-mar *", "2026-11-23T06:00:00Z", "2027-02-01T06:00:00Z"},
        /* Both kinds of days: either; with a star in one: the other. */
        {"0 6 1 * mon", "2026-11-24T00:00:00Z", "2026-11-30T06:00:00Z"},
        {"0 6 1 * mon", "2026-11-30T06:00:00Z", "2026-12-01T06:00:00Z"},
        {"0 6 1 * *", "2026-11-24T00:00:00Z", "2026-12-01T06:00:00Z"},
        {"0  3   *  * *", "2026-11-23T00:00:00Z", "2026-11-23T03:00:00Z"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct cron cron = parsed(rows[i].schedule);
        char text[CLOCK_RFC3339_SIZE];
        int64_t next = cron_next_ms(&cron, clock_parse_rfc3339(rows[i].after));
        if (strcmp(clock_format_rfc3339(next, text), rows[i].next) != 0) {
            fail_msg("%s after %s: %s, not %s", rows[i].schedule, rows[i].after, text,
                     rows[i].next);
        }
    }
}

static void refuses_with_the_field_and_its_limits(void **state)
{
    static const struct {
        const char *schedule, *words;
    } rows[] = {
        {"60 * * * *", "its minute is \"60\", must be *, a number from 0 to 59"},
        {"* 24 * * *", "its hour is \"24\""},
        {"* * 0 * *", "its day of the month is \"0\""},
        {"* * 32 * *", "its day of the month is \"32\""},
        {"* * * 13 *", "its month is \"13\", must be *, a number from 1 to 12 or a name"},
        {"* * * * 8", "its day of the week is \"8\""},
        {"* * * * mo", "its day of the week is \"mo\""},
        {"5-1 * * * *", "its minute is \"5-1\""},
        {"*/0 * * * *", "its minute is \"*/0\""},
        {"*/60 * * * *", "its minute is \"*/60\""},
        {"5/5 * * * *", "its minute is \"5/5\""},
        {"1, * * * *", "its minute is \"1,\""},
        {",1 * * * *", "its minute is \",1\""},
        {"1,,2 * * * *", "its minute is \"1,,2\""},
        {"1- * * * *", "its minute is \"1-\""},
        {"-1 * * * *", "its minute is \"-1\""},
        {"*/ * * * *", "its minute is \"*/\""},
        {"*-5 * * * *", "its minute is \"*-5\""},
        {"99999999999999999999 * * * *", "its minute"},
        {"* * * *", "five fields"},
        {"* * * * * *", "five fields"},
        {"", "five fields"},
        {"@daily", "five fields"},
        {"0 0 30 2 *", "never comes"},
        {"0 0 31 4,6,9,11 *", "never comes"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct cron cron = {.minutes = 1};
        struct fault fault = FAULT_INIT;
        assert_false(cron_parse(sv_from(rows[i].schedule), &cron, &fault));
        assert_int_equal(fault.class, FAULT_SPEC);
        assert_int_equal(cron.minutes, 1);
        if (strstr(fault.text, rows[i].words) == NULL) {
            fail_msg("%s: '%s' is not in: %s", rows[i].schedule, rows[i].words,
                     fault.text);
        }
    }
}

/* Every day for 400 years is a day that the calendar of base/clock.h has, too. */
static void follows_the_calendar(void **state)
{
    struct cron cron = parsed("30 12 * * *");
    int64_t at = 0;
    (void)state;
    for (int day = 0; day < 400 * 366 && at < clock_parse_rfc3339("2370-01-01T00:00:00Z");
         day++) {
        int64_t next = cron_next_ms(&cron, at);
        assert_int_equal(next, (int64_t)day * 86400000 + 45000000);
        at = next;
    }
    cron = parsed("0 0 1 3 *");
    for (int year = 1970; year < 2370; year++) {
        char text[CLOCK_RFC3339_SIZE], begins[CLOCK_RFC3339_SIZE];
        (void)snprintf(begins, sizeof(begins), "%d-01-01T00:00:00Z", year);
        (void)clock_format_rfc3339(cron_next_ms(&cron, clock_parse_rfc3339(begins)),
                                   text);
        assert_memory_equal(text, begins, 4);
        assert_string_equal(text + 4, "-03-01T00:00:00Z");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_the_next_moment),
        cmocka_unit_test(refuses_with_the_field_and_its_limits),
        cmocka_unit_test(follows_the_calendar),
    };
    return cmocka_run_group_tests_name("model/cron", tests, NULL, NULL);
}

#include "base/clock.h"
#include "base/attr.h"
#include "base/sv.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/random.h>
#include <time.h>

#define DAY_MS INT64_C(86400000)
#define YEAR_MIN_MS INT64_C(-62135596800000) /* 0001-01-01T00:00:00Z */
#define YEAR_MAX_MS INT64_C(253402300799999) /* 9999-12-31T23:59:59.999Z */

static int64_t read_clock(clockid_t id)
{
    struct timespec now;

    must(clock_gettime(id, &now) == 0);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int64_t system_monotonic_ms(UNUSED const struct clock *self)
{
    return read_clock(CLOCK_MONOTONIC);
}

static int64_t system_wall_ms(UNUSED const struct clock *self)
{
    return read_clock(CLOCK_REALTIME);
}

const struct clock *clock_system(void)
{
    static const struct clock the_system = {system_monotonic_ms, system_wall_ms};

    return &the_system;
}

static int64_t boot_ms(UNUSED const struct clock *self)
{
    return read_clock(CLOCK_BOOTTIME);
}

const struct clock *clock_boot(void)
{
    static const struct clock since_boot = {boot_ms, system_wall_ms};

    return &since_boot;
}

int64_t clock_monotonic_ms(const struct clock *clock)
{
    return clock->monotonic_ms(clock);
}

int64_t clock_wall_ms(const struct clock *clock)
{
    return clock->wall_ms(clock);
}

struct civil {
    int year, month, day, hour, minute, second, ms;
};

static bool is_leap(int year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int days_in(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return days[month - 1] + (month == 2 && is_leap(year) ? 1 : 0);
}

/* Days from 0001-01-01 to the first of January of the year. */
static int64_t days_before_year(int year)
{
    int64_t y = (int64_t)year - 1;

    return y * 365 + y / 4 - y / 100 + y / 400;
}

/* Own conversion: the C library's either uses static storage or reads the environment. */
static struct civil civil_from(int64_t wall_ms)
{
    int64_t ms = wall_ms < YEAR_MIN_MS ? YEAR_MIN_MS : wall_ms;
    ms = (ms > YEAR_MAX_MS ? YEAR_MAX_MS : ms) - YEAR_MIN_MS;

    int64_t day = ms / DAY_MS;
    int in_day = (int)(ms % DAY_MS);
    int year = (int)(day / 366) + 1; /* too early by 7 at most */
    while (days_before_year(year + 1) <= day) {
        year++;
    }
    int left = (int)(day - days_before_year(year));
    int month = 1;
    while (left >= days_in(year, month)) {
        left -= days_in(year, month);
        month++;
    }
    return (struct civil){year,
                          month,
                          left + 1,
                          in_day / 3600000,
                          in_day / 60000 % 60,
                          in_day / 1000 % 60,
                          in_day % 1000};
}

char *clock_format_rfc3339(int64_t wall_ms, char *out_text)
{
    struct civil c = civil_from(wall_ms);

    (void)snprintf(out_text, CLOCK_RFC3339_SIZE, "%04d-%02d-%02dT%02d:%02d:%02dZ", c.year,
                   c.month, c.day, c.hour, c.minute, c.second);
    return out_text;
}

char *clock_format_micro(int64_t wall_ms, char *out_text)
{
    struct civil c = civil_from(wall_ms);

    (void)snprintf(out_text, CLOCK_RFC3339_SIZE, "%04d-%02d-%02dT%02d:%02d:%02d.%03d000Z",
                   c.year, c.month, c.day, c.hour, c.minute, c.second, c.ms);
    return out_text;
}

/* A fixed number of digits and the separator behind them. */
static bool take_digits(struct sv *text, size_t digits, char separator, int *out_value)
{
    uint64_t value = 0;

    if (text->n <= digits || text->p[digits] != separator ||
        !sv_uint64(sv_sub(*text, 0, digits), &value)) {
        return false;
    }
    *text = sv_sub(*text, digits + 1, text->n);
    *out_value = (int)value;
    return true;
}

static bool take_seconds(struct sv text, struct civil *c)
{
    if (take_digits(&text, 2, 'Z', &c->second)) {
        return text.n == 0;
    }
    uint64_t fraction = 0;
    if (!take_digits(&text, 2, '.', &c->second) || text.n < 2 || text.n > 10 ||
        text.p[text.n - 1] != 'Z' || !sv_uint64(sv_sub(text, 0, text.n - 1), &fraction)) {
        return false;
    }
    for (size_t digits = text.n - 1; digits < 9; digits++) {
        fraction *= 10;
    }
    c->ms = (int)(fraction / 1000000);
    return true;
}

int64_t clock_parse_rfc3339(const char *text)
{
    struct sv left = sv_from(text);
    struct civil c = {0};

    if (!take_digits(&left, 4, '-', &c.year) || !take_digits(&left, 2, '-', &c.month) ||
        !take_digits(&left, 2, 'T', &c.day) || !take_digits(&left, 2, ':', &c.hour) ||
        !take_digits(&left, 2, ':', &c.minute) || !take_seconds(left, &c)) {
        return -1;
    }
    if (c.year < 1970 || c.month < 1 || c.month > 12 || c.day < 1 ||
        c.day > days_in(c.year, c.month) || c.hour > 23 || c.minute > 59 ||
        c.second > 59) {
        return -1;
    }
    int64_t days = days_before_year(c.year) - days_before_year(1970) + c.day - 1;
    for (int month = 1; month < c.month; month++) {
        days += days_in(c.year, month);
    }
    return days * DAY_MS + c.hour * INT64_C(3600000) + c.minute * INT64_C(60000) +
           c.second * INT64_C(1000) + c.ms;
}

void rng_init(struct rng *rng, uint64_t seed)
{
    rng->state = seed;
}

/* SplitMix64 (Steele, Lea, Flood 2014): any seed is a good one, 0 as well. */
uint64_t rng_next(struct rng *rng)
{
    uint64_t z = (rng->state += 0x9e3779b97f4a7c15U);

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
}

uint64_t rng_below(struct rng *rng, uint64_t bound)
{
    must(bound > 0);
    /* Values below 2^64 mod bound would make the small results more likely: draw again.
     */
    uint64_t skip = (0U - bound) % bound;
    uint64_t value = rng_next(rng);

    while (value < skip) {
        value = rng_next(rng);
    }
    return value % bound;
}

int64_t rng_jitter(struct rng *rng, int64_t value, unsigned percent)
{
    int64_t share = percent > 100 ? 100 : (int64_t)percent;

    if (value <= 0 || share == 0) {
        return value;
    }
    int64_t spread = value / 100 * share + value % 100 * share / 100;
    if (value > INT64_MAX - spread) {
        return value;
    }
    return value - spread + (int64_t)rng_below(rng, (uint64_t)spread * 2 + 1);
}

uint64_t rng_seed_from_system(void)
{
    uint64_t seed = 0;
    ssize_t n = 0;

    do {
        n = getrandom(&seed, sizeof(seed), 0);
    } while (n < 0 && errno == EINTR);
    must(n == (ssize_t)sizeof(seed));
    return seed;
}

int64_t backoff_ms(int64_t base_ms, int64_t cap_ms, unsigned failures)
{
    int64_t delay = base_ms;

    for (unsigned i = 0; i < failures && delay > 0 && delay < cap_ms; i++) {
        delay = delay > INT64_MAX / 2 ? INT64_MAX : delay * 2;
    }
    return delay < cap_ms ? delay : cap_ms;
}

#include "model/cron.h"

#include "base/attr.h"

#include <stddef.h>

#define MINUTE_MS INT64_C(60000)
#define HOUR_MS (60 * MINUTE_MS)
#define DAY_MS (24 * HOUR_MS)
/* Of the 29th of February there may be none for eight years (2096 to 2104). */
#define DAYS_AHEAD_MAX (9 * 366)
#define FIELDS 5

static const char *const month_names[] = {"JAN", "FEB", "MAR", "APR", "MAY", "JUN",
                                          "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"};
static const char *const day_names[] = {"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"};

static const struct unit {
    const char *title;
    int64_t low, high;
    const char *const *names; /* of low, low + 1, ...; NULL: numbers only */
    size_t name_count;
} UNITS[FIELDS] = {{"minute", 0, 59, NULL, 0},
                   {"hour", 0, 23, NULL, 0},
                   {"day of the month", 1, 31, NULL, 0},
                   {"month", 1, 12, month_names, COUNT_OF(month_names)},
                   {"day of the week", 0, 7, day_names, COUNT_OF(day_names)}};

/* One item of a field's list: from..to, every step-th. */
struct span {
    int64_t from, to, step;
};

static bool take_value(const struct unit *unit, struct sv text, int64_t *out_value)
{
    for (size_t i = 0; i < unit->name_count; i++) {
        if (sv_eq_nocase(text, sv_from(unit->names[i]))) {
            *out_value = unit->low + (int64_t)i;
            return true;
        }
    }
    /* No sign: "-" between two numbers makes a range. */
    return text.n > 0 && text.p[0] >= '0' && text.p[0] <= '9' &&
           sv_int64(text, out_value) && *out_value >= unit->low &&
           *out_value <= unit->high;
}

static bool take_span(const struct unit *unit, struct sv item, struct span *out)
{
    bool stepped = sv_contains(item, SV("/"));
    struct sv range = sv_cut(&item, '/'), to = range, from;
    bool ranged = sv_contains(range, SV("-"));
    struct span span = {.step = 1};

    if (stepped &&
        (item.n == 0 || item.p[0] < '0' || item.p[0] > '9' ||
         !sv_int64(item, &span.step) || span.step < 1 || span.step > unit->high)) {
        return false;
    }
    if (sv_eq(range, SV("*"))) {
        span.from = unit->low;
        span.to = unit->high;
        *out = span;
        return true;
    }
    from = sv_cut(&to, '-');
    if (!take_value(unit, from, &span.from) || (stepped && !ranged)) {
        return false;
    }
    if (!ranged) {
        span.to = span.from;
    } else if (!take_value(unit, to, &span.to) || span.to < span.from) {
        return false;
    }
    *out = span;
    return true;
}

static bool refuse(const struct unit *unit, struct sv field, struct fault *fault)
{
    return fault_set(
        fault, FAULT_SPEC, NULL,
        "its %s is \"%.*s\", must be *, a number from %lld to %lld%s, a range "
        "such as 1-5, */2 or 1-5/2, or a list of these with commas",
        unit->title, SV_ARGS(sv_utf8_prefix(field, 40)), (long long)unit->low,
        (long long)unit->high, unit->names == NULL ? "" : " or a name of three letters");
}

static bool take_field(const struct unit *unit, struct sv field, uint64_t *out_bits,
                       struct fault *fault)
{
    struct sv rest = field;
    uint64_t bits = 0;

    if (field.n == 0 || sv_ends(field, SV(","))) {
        return refuse(unit, field, fault);
    }
    while (rest.n > 0) {
        struct span span = {0};

        if (!take_span(unit, sv_cut(&rest, ','), &span)) {
            return refuse(unit, field, fault);
        }
        for (int64_t value = span.from; value <= span.to; value += span.step) {
            bits |= UINT64_C(1) << value;
        }
    }
    *out_bits = bits;
    return true;
}

/* --- the calendar --- */

struct date {
    int64_t year;
    unsigned month, day, weekday; /* weekday 0: Sunday */
};

static unsigned days_in(int64_t year, unsigned month)
{
    static const unsigned days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    return days[month - 1] + (month == 2 && leap ? 1 : 0);
}

static void next_day(struct date *date)
{
    date->weekday = (date->weekday + 1) % 7;
    if (++date->day > days_in(date->year, date->month)) {
        date->day = 1;
        if (++date->month > 12) {
            date->month = 1;
            date->year++;
        }
    }
}

/* Of a day since 1970-01-01, a Thursday. */
static struct date date_of(int64_t day)
{
    struct date date = {.year = 1970, .month = 1, .weekday = (unsigned)((day + 4) % 7)};

    for (int64_t year = 365; day >= year; year = 337 + days_in(date.year, 2)) {
        day -= year;
        date.year++;
    }
    while (day >= days_in(date.year, date.month)) {
        day -= days_in(date.year, date.month);
        date.month++;
    }
    date.day = (unsigned)day + 1;
    return date;
}

static bool names_day(const struct cron *cron, const struct date *date)
{
    bool day = (cron->days >> date->day & 1) != 0;
    bool weekday = (cron->weekdays >> date->weekday & 1) != 0;

    if ((cron->months >> date->month & 1) == 0) {
        return false;
    }
    return cron->any_day || cron->any_weekday ? day && weekday : day || weekday;
}

/* The first time of day, in ms since its midnight, from `from_ms` on; -1: none. */
static int64_t time_from(const struct cron *cron, int64_t from_ms)
{
    for (int64_t minute = (from_ms + MINUTE_MS - 1) / MINUTE_MS;
         minute < DAY_MS / MINUTE_MS; minute++) {
        if ((cron->hours >> (minute / 60) & 1) != 0 &&
            (cron->minutes >> (minute % 60) & 1) != 0) {
            return minute * MINUTE_MS;
        }
    }
    return -1;
}

int64_t cron_next_ms(const struct cron *cron, int64_t unix_ms)
{
    int64_t after_ms = unix_ms < 0 ? 0 : unix_ms + 1;
    int64_t day = after_ms / DAY_MS, from_ms = after_ms % DAY_MS;
    struct date date = date_of(day);

    for (int i = 0; i < DAYS_AHEAD_MAX; i++) {
        int64_t time_ms = names_day(cron, &date) ? time_from(cron, from_ms) : -1;

        if (time_ms >= 0) {
            return day * DAY_MS + time_ms;
        }
        day++;
        from_ms = 0;
        next_day(&date);
    }
    return -1;
}

/* Words with blanks between them; what passes the fifth counts and is left out. */
static size_t cut_words(struct sv text, struct sv out_words[FIELDS])
{
    size_t count = 0;

    for (text = sv_trim(text); text.n > 0; text = sv_trim(text)) {
        struct sv word = sv_cut(&text, ' ');

        if (count < FIELDS) {
            out_words[count] = word;
        }
        count++;
    }
    return count;
}

bool cron_parse(struct sv text, struct cron *out_cron, struct fault *fault)
{
    struct sv words[FIELDS] = {0};
    uint64_t bits[FIELDS] = {0};
    struct cron cron;

    if (cut_words(text, words) != FIELDS) {
        return fault_set(fault, FAULT_SPEC, NULL,
                         "it must have five fields: minute, hour, day of the month, "
                         "month and day of the week, such as \"0 3 * * *\"");
    }
    for (size_t i = 0; i < FIELDS; i++) {
        if (!take_field(&UNITS[i], words[i], &bits[i], fault)) {
            return false;
        }
    }
    cron = (struct cron){.minutes = bits[0],
                         .hours = (uint32_t)bits[1],
                         .days = (uint32_t)bits[2],
                         .months = (uint32_t)bits[3],
                         .weekdays = (uint32_t)((bits[4] | bits[4] >> 7) & 0x7f),
                         .any_day = sv_eq(words[2], SV("*")),
                         .any_weekday = sv_eq(words[4], SV("*"))};
    if (cron_next_ms(&cron, 0) < 0) {
        return fault_set(fault, FAULT_SPEC, NULL,
                         "such a day never comes: no month that it names has it");
    }
    *out_cron = cron;
    return true;
}

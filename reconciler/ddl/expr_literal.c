/*
 * Literals that are cast: checked here, because RisingWave would find a bad one only when
 * the sink is made, and a bad time zone never: all its values would be NULL.
 */
#include "base/json.h"
#include "ddl/expr_private.h"

#include <string.h>

#define DECIMAL_DIGITS_MAX 28 /* RisingWave's 96-bit mantissa (risingwave.md 3.3) */
#define ZONE_BYTES_MAX ((size_t)64)

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static struct sv without_sign(struct sv text)
{
    bool sign = text.n > 0 && (text.p[0] == '-' || text.p[0] == '+');

    return sign ? sv_sub(text, 1, text.n) : text;
}

static bool is_digits(struct sv text)
{
    for (size_t i = 0; i < text.n; i++) {
        if (!is_digit(text.p[i])) {
            return false;
        }
    }
    return text.n > 0;
}

/* "12", "12.5"; digits on both sides of the point. */
static bool is_decimal(struct sv text, size_t *out_digits)
{
    struct sv rest = without_sign(text);
    struct sv whole = sv_cut(&rest, '.');
    bool pointed = whole.n < without_sign(text).n;

    if (!is_digits(whole) || (pointed && !is_digits(rest))) {
        return false;
    }
    *out_digits = whole.n + rest.n;
    return true;
}

static const char *integer_problem(struct sv text, int64_t low, int64_t high)
{
    int64_t value;

    if (!sv_int64(text, &value)) {
        return "write a whole number in its range";
    }
    return value < low || value > high ? "it is out of range" : NULL;
}

static const char *decimal_problem(struct sv text, size_t digits_max)
{
    size_t digits;

    if (!is_decimal(text, &digits)) {
        return "write digits with at most one point between them";
    }
    return digits > digits_max ? "RisingWave keeps 28 digits" : NULL;
}

/* Takes `digits` digits off *text; -1: there are none. */
static int64_t take_number(struct sv *text, size_t digits)
{
    int64_t value = 0;

    if (text->n < digits) {
        return -1;
    }
    for (size_t i = 0; i < digits; i++) {
        if (!is_digit(text->p[i])) {
            return -1;
        }
        value = value * 10 + (text->p[i] - '0');
    }
    *text = sv_sub(*text, digits, text->n);
    return value;
}

static bool take_char(struct sv *text, char c)
{
    if (text->n == 0 || text->p[0] != c) {
        return false;
    }
    *text = sv_sub(*text, 1, text->n);
    return true;
}

static bool take_date(struct sv *text)
{
    static const int days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t year = take_number(text, 4);
    bool dash = take_char(text, '-');
    int64_t month = take_number(text, 2);

    dash = take_char(text, '-') && dash;
    int64_t day = take_number(text, 2);
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return dash && year >= 1 && month >= 1 && month <= 12 && day >= 1 &&
           day <= days[month - 1] && (month != 2 || day != 29 || leap);
}

static bool take_time(struct sv *text)
{
    int64_t hour = take_number(text, 2);
    bool colon = take_char(text, ':');
    int64_t minute = take_number(text, 2);

    colon = take_char(text, ':') && colon;
    int64_t second = take_number(text, 2);
    if (!colon || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 ||
        second > 59) {
        return false;
    }
    if (!take_char(text, '.')) {
        return true;
    }
    size_t n = 0;
    while (n < text->n && is_digit(text->p[n])) {
        n++;
    }
    *text = sv_sub(*text, n, text->n);
    return n >= 1 && n <= 6;
}

static const char *moment_problem(enum rw_type type, struct sv text)
{
    if (type == RW_DATE) {
        return take_date(&text) && text.n == 0 ? NULL : "write it as 2024-01-31";
    }
    if (type == RW_TIME) {
        return take_time(&text) && text.n == 0 ? NULL : "write it as 23:59:59.5";
    }
    return take_date(&text) && take_char(&text, ' ') && take_time(&text) && text.n == 0
               ? NULL
               : "write it as 2024-01-31 23:59:59.5";
}

static const char *json_problem(struct sv text)
{
    AUTO(json_freep) struct json *root = NULL;
    struct fault ignored = FAULT_INIT;

    return json_parse(text, EXPR_BYTES_MAX, &root, &ignored)
               ? NULL
               : "it is not a JSON document";
}

const char *expr_literal_problem(enum rw_type type, struct sv text)
{
    switch (type) {
    case RW_BOOLEAN:
        return sv_eq_nocase(text, SV("true")) || sv_eq_nocase(text, SV("false"))
                   ? NULL
                   : "write true or false";
    case RW_SMALLINT:
        return integer_problem(text, INT16_MIN, INT16_MAX);
    case RW_INTEGER:
        return integer_problem(text, INT32_MIN, INT32_MAX);
    case RW_BIGINT:
        return integer_problem(text, INT64_MIN, INT64_MAX);
    case RW_DECIMAL:
        return decimal_problem(text, DECIMAL_DIGITS_MAX);
    case RW_REAL:
    case RW_DOUBLE:
        return decimal_problem(text, SIZE_MAX);
    case RW_DATE:
    case RW_TIME:
    case RW_TIMESTAMP:
        return moment_problem(type, text);
    case RW_TIMESTAMPTZ:
        return "cast it to TIMESTAMP and write AT TIME ZONE 'UTC' behind it";
    case RW_JSONB:
        return json_problem(text);
    case RW_BYTEA:
        return "write decode('...', 'hex') or convert_to('...', 'UTF8')";
    case RW_VARCHAR:
    case RW_UNSET:
    case RW_TYPE_MAX:
        break;
    }
    return NULL;
}

/* RisingWave knows the IANA names (chrono-tz) and no offsets. */
static bool zone_is_known(struct sv zone)
{
    static const char *const areas[] = {"Africa", "America",  "Antarctica", "Arctic",
                                        "Asia",   "Atlantic", "Australia",  "Etc",
                                        "Europe", "Indian",   "Pacific"};

    if (sv_eq_nocase(zone, SV("UTC")) || sv_eq_nocase(zone, SV("GMT"))) {
        return true;
    }
    for (size_t i = 0; i < zone.n; i++) {
        char c = zone.p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!letter && !is_digit(c) && strchr("_+-/", c) == NULL) {
            return false;
        }
    }
    struct sv place = zone;
    struct sv area = sv_cut(&place, '/');
    for (size_t i = 0; i < COUNT_OF(areas); i++) {
        if (sv_eq_nocase(area, sv_from(areas[i]))) {
            return place.n > 0 && zone.n <= ZONE_BYTES_MAX;
        }
    }
    return false;
}

bool expr_finish_zone(struct expr *zone, struct fault *fault)
{
    const struct expr *part = zone->parts.v[0];

    if (!zone_is_known(zone->text)) {
        return REFUSE(fault,
                      "'%.*s' is no time zone RisingWave knows: write 'UTC' or a "
                      "name such as 'Europe/Berlin'",
                      SV_ARGS(sv_utf8_prefix(zone->text, 60)));
    }
    if (part->kind == EXPR_TEXT ||
        (part->type != RW_TIMESTAMP && part->type != RW_TIMESTAMPTZ)) {
        return REFUSE(fault, "AT TIME ZONE needs a TIMESTAMP or a TIMESTAMPTZ, not %s",
                      expr_described(part));
    }
    zone->type = part->type == RW_TIMESTAMP ? RW_TIMESTAMPTZ : RW_TIMESTAMP;
    return true;
}

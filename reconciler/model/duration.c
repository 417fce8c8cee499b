#include "model/patterns.h"
#include "model/spec.h"

/* Milliseconds of one unit, and how many characters it takes. */
static int64_t unit_ms(struct sv text, size_t *out_length)
{
    *out_length = 1;
    if (sv_starts(text, SV("ms"))) {
        *out_length = 2;
        return 1;
    }
    switch (text.p[0]) {
    case 's':
        return 1000;
    case 'm':
        return INT64_C(60) * 1000;
    default:
        return INT64_C(60) * 60 * 1000;
    }
}

/* Digits of a text the pattern has passed: at most five, so nothing can overflow. */
static int64_t take_number(struct sv *text, int64_t *out_power)
{
    int64_t value = 0;
    *out_power = 1;
    while (text->n > 0 && text->p[0] >= '0' && text->p[0] <= '9') {
        value = value * 10 + (text->p[0] - '0');
        *out_power *= 10;
        *text = sv_sub(*text, 1, text->n);
    }
    return value;
}

int64_t duration_parse_ms(const char *text)
{
    struct sv rest = sv_from(text);
    if (!pattern_duration(rest)) {
        return -1;
    }
    int64_t total_ms = 0;
    while (rest.n > 0) {
        int64_t power = 1;
        int64_t whole = take_number(&rest, &power);
        int64_t fraction = 0;
        if (rest.p[0] == '.') {
            rest = sv_sub(rest, 1, rest.n);
            fraction = take_number(&rest, &power);
        } else {
            power = 1;
        }
        size_t length = 0;
        int64_t unit = unit_ms(rest, &length);
        total_ms += whole * unit + fraction * unit / power;
        rest = sv_sub(rest, length, rest.n);
    }
    return total_ms;
}

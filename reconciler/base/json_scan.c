#include "base/json_scan.h"
#include "base/attr.h"

#include <stdbool.h>

/* cJSON copies a number into a buffer of 64 bytes and silently drops the rest. */
#define NUMBER_BYTES_MAX 60

struct scanner {
    const char *p;
    size_t n;
    size_t at;
    size_t nodes_left;
    const char *problem;
};

static bool fail(struct scanner *s, const char *problem)
{
    s->problem = problem;
    return false;
}

static int peek(const struct scanner *s)
{
    return s->at < s->n ? (unsigned char)s->p[s->at] : -1;
}

static void skip_space(struct scanner *s)
{
    while (peek(s) == ' ' || peek(s) == '\t' || peek(s) == '\n' || peek(s) == '\r') {
        s->at++;
    }
}

static bool take(struct scanner *s, char c)
{
    if (peek(s) != c) {
        return false;
    }
    s->at++;
    return true;
}

static size_t digits(struct scanner *s)
{
    size_t from = s->at;

    while (peek(s) >= '0' && peek(s) <= '9') {
        s->at++;
    }
    return s->at - from;
}

static bool scan_number(struct scanner *s)
{
    size_t from = s->at;

    (void)take(s, '-');
    if (!take(s, '0') && digits(s) == 0) {
        return fail(s, "a digit is missing in a number");
    }
    if (take(s, '.') && digits(s) == 0) {
        return fail(s, "a digit is missing after the decimal point");
    }
    if (take(s, 'e') || take(s, 'E')) {
        if (!take(s, '+')) {
            (void)take(s, '-');
        }
        if (digits(s) == 0) {
            return fail(s, "a digit is missing in an exponent");
        }
    }
    if (s->at - from > NUMBER_BYTES_MAX) {
        s->at = from;
        return fail(s, "a number is too long");
    }
    return true;
}

static bool scan_hex4(struct scanner *s, unsigned *out_unit)
{
    unsigned unit = 0;

    for (int i = 0; i < 4; i++) {
        int c = peek(s);
        unsigned digit = 0;
        if (c >= '0' && c <= '9') {
            digit = (unsigned)(c - '0');
        } else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f' && c > 0) {
            digit = (unsigned)((c | 0x20) - 'a') + 10;
        } else {
            return fail(s, "\\u needs four hexadecimal digits");
        }
        unit = unit * 16 + digit;
        s->at++;
    }
    *out_unit = unit;
    return true;
}

/* After "\u". Half a surrogate pair is no character, and NUL would end the string early.
 */
static bool scan_unicode(struct scanner *s)
{
    unsigned unit = 0;
    unsigned low = 0;

    if (!scan_hex4(s, &unit)) {
        return false;
    }
    if (unit == 0) {
        return fail(s, "\\u0000 is not allowed in a string");
    }
    if (unit < 0xD800 || unit > 0xDFFF) {
        return true;
    }
    if (unit > 0xDBFF || !take(s, '\\') || !take(s, 'u')) {
        return fail(s, "\\u escape is half of a surrogate pair");
    }
    if (!scan_hex4(s, &low)) {
        return false;
    }
    return low >= 0xDC00 && low <= 0xDFFF
               ? true
               : fail(s, "\\u escape is half of a surrogate pair");
}

static bool scan_string(struct scanner *s)
{
    if (!take(s, '"')) {
        return fail(s, "a string is missing");
    }
    for (;;) {
        int c = peek(s);
        if (c < 0) {
            return fail(s, "a string is not closed");
        }
        if (c < 0x20) {
            return fail(s, "a control character in a string must be escaped");
        }
        s->at++;
        if (c == '"') {
            return true;
        }
        if (c != '\\') {
            continue;
        }
        if (take(s, 'u')) {
            if (!scan_unicode(s)) {
                return false;
            }
        } else if (peek(s) < 0 ||
                   !sv_contains(SV("\"\\/bfnrt"),
                                sv_sub((struct sv){s->p, s->n}, s->at, 1))) {
            return fail(s, "unknown escape in a string");
        } else {
            s->at++;
        }
    }
}

static bool scan_word(struct scanner *s, struct sv word)
{
    if (!sv_starts(sv_sub((struct sv){s->p, s->n}, s->at, s->n), word)) {
        return fail(s, "a value is missing");
    }
    s->at += word.n;
    return true;
}

static bool scan_value(struct scanner *s, unsigned depth_left);

static bool scan_container(struct scanner *s, unsigned depth_left, bool object)
{
    char close = object ? '}' : ']';

    if (depth_left == 0) {
        return fail(s, "it is nested too deep");
    }
    s->at++;
    skip_space(s);
    if (take(s, close)) {
        return true;
    }
    do {
        if (object) {
            skip_space(s);
            if (!scan_string(s)) {
                return false;
            }
            skip_space(s);
            if (!take(s, ':')) {
                return fail(s, "':' is missing after a key");
            }
        }
        if (!scan_value(s, depth_left - 1)) {
            return false;
        }
    } while (take(s, ','));
    return take(s, close)
               ? true
               : fail(s, object ? "',' or '}' is missing" : "',' or ']' is missing");
}

/* One value and the white space around it. */
static bool scan_value(struct scanner *s, unsigned depth_left)
{
    bool good = false;

    if (s->nodes_left == 0) {
        return fail(s, "it has too many values");
    }
    s->nodes_left--;
    skip_space(s);
    switch (peek(s)) {
    case '{':
    case '[':
        good = scan_container(s, depth_left, peek(s) == '{');
        break;
    case '"':
        good = scan_string(s);
        break;
    case 't':
        good = scan_word(s, SV("true"));
        break;
    case 'f':
        good = scan_word(s, SV("false"));
        break;
    case 'n':
        good = scan_word(s, SV("null"));
        break;
    default:
        if (peek(s) != '-' && (peek(s) < '0' || peek(s) > '9')) {
            return fail(s, "a value is missing");
        }
        good = scan_number(s);
    }
    if (good) {
        skip_space(s);
    }
    return good;
}

struct json_scan json_scan(struct sv text, unsigned depth_max, size_t nodes_max)
{
    struct scanner s = {.p = text.p, .n = text.n, .nodes_left = nodes_max};
    size_t valid = sv_utf8_valid_bytes(text);

    if (valid < text.n) {
        return (struct json_scan){"it is not valid UTF-8", valid};
    }
    if (scan_value(&s, depth_max) && s.at < s.n) {
        (void)fail(&s, "something follows the document");
    }
    return (struct json_scan){s.problem, s.at};
}

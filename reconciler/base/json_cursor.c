#include "base/json_cursor.h"
#include "base/attr.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* cJSON copies a number into a buffer of 64 bytes and silently drops the rest. */
#define NUMBER_BYTES_MAX 60

static bool fail(struct json_cursor *c, const char *problem)
{
    c->problem = problem;
    return false;
}

static int peek(const struct json_cursor *c)
{
    return c->at < c->n ? (unsigned char)c->p[c->at] : -1;
}

static void skip_space(struct json_cursor *c)
{
    while (c->at < c->n && (unsigned char)c->p[c->at] <= ' ' &&
           (c->p[c->at] == ' ' || c->p[c->at] == '\t' || c->p[c->at] == '\n' ||
            c->p[c->at] == '\r')) {
        c->at++;
    }
}

static bool take(struct json_cursor *c, char byte)
{
    if (peek(c) != byte) {
        return false;
    }
    c->at++;
    return true;
}

static size_t digits(struct json_cursor *c)
{
    size_t from = c->at;

    while (peek(c) >= '0' && peek(c) <= '9') {
        c->at++;
    }
    return c->at - from;
}

/* Only an exponent leads, within the bytes allowed, beyond what a double holds. */
static bool check_size(struct json_cursor *c, size_t from)
{
    char text[NUMBER_BYTES_MAX + 1];

    memcpy(text, c->p + from, c->at - from);
    text[c->at - from] = '\0';
    return isfinite(strtod(text, NULL)) ? true : fail(c, "a number is too large");
}

static bool scan_number(struct json_cursor *c)
{
    size_t from = c->at;
    bool exponent = false;

    (void)take(c, '-');
    if (!take(c, '0') && digits(c) == 0) {
        return fail(c, "a digit is missing in a number");
    }
    if (take(c, '.') && digits(c) == 0) {
        return fail(c, "a digit is missing after the decimal point");
    }
    if (take(c, 'e') || take(c, 'E')) {
        exponent = true;
        if (!take(c, '+')) {
            (void)take(c, '-');
        }
        if (digits(c) == 0) {
            return fail(c, "a digit is missing in an exponent");
        }
    }
    if (c->at - from > NUMBER_BYTES_MAX) {
        c->at = from;
        return fail(c, "a number is too long");
    }
    return !exponent || check_size(c, from);
}

static bool scan_hex4(struct json_cursor *c, unsigned *out_unit)
{
    unsigned unit = 0;

    for (int i = 0; i < 4; i++) {
        int byte = peek(c);
        unsigned digit = 0;
        if (byte >= '0' && byte <= '9') {
            digit = (unsigned)(byte - '0');
        } else if ((byte | 0x20) >= 'a' && (byte | 0x20) <= 'f' && byte > 0) {
            digit = (unsigned)((byte | 0x20) - 'a') + 10;
        } else {
            return fail(c, "\\u needs four hexadecimal digits");
        }
        unit = unit * 16 + digit;
        c->at++;
    }
    *out_unit = unit;
    return true;
}

/* After "\u". Half a surrogate pair is no character, and NUL would end the string early.
 */
static bool scan_unicode(struct json_cursor *c)
{
    unsigned unit = 0;
    unsigned low = 0;

    if (!scan_hex4(c, &unit)) {
        return false;
    }
    if (unit == 0) {
        return fail(c, "\\u0000 is not allowed in a string");
    }
    if (unit < 0xD800 || unit > 0xDFFF) {
        return true;
    }
    if (unit > 0xDBFF || !take(c, '\\') || !take(c, 'u')) {
        return fail(c, "\\u escape is half of a surrogate pair");
    }
    if (!scan_hex4(c, &low)) {
        return false;
    }
    return low >= 0xDC00 && low <= 0xDFFF
               ? true
               : fail(c, "\\u escape is half of a surrogate pair");
}

/* After a backslash. */
static bool scan_escape(struct json_cursor *c)
{
    int byte = peek(c);

    if (byte == 'u') {
        c->at++;
        return scan_unicode(c);
    }
    if (byte <= 0 || strchr("\"\\/bfnrt", byte) == NULL) {
        return fail(c, "unknown escape in a string");
    }
    c->at++;
    return true;
}

/* A run of bytes outside of ASCII, which must be whole characters. */
static bool scan_utf8(struct json_cursor *c)
{
    size_t end = c->at;

    while (end < c->n && (unsigned char)c->p[end] >= 0x80) {
        end++;
    }
    size_t valid = sv_utf8_valid_bytes((struct sv){c->p + c->at, end - c->at});
    bool good = valid == end - c->at;
    c->at += valid;
    return good ? true : fail(c, "it is not valid UTF-8");
}

static bool scan_string(struct json_cursor *c)
{
    if (!take(c, '"')) {
        return fail(c, "a string is missing");
    }
    for (;;) {
        c->at += sv_plain_bytes((struct sv){c->p + c->at, c->n - c->at});
        int byte = peek(c);
        if (byte < 0) {
            return fail(c, "a string is not closed");
        }
        if (byte < 0x20) {
            return fail(c, "a control character in a string must be escaped");
        }
        if (byte >= 0x80) {
            if (!scan_utf8(c)) {
                return false;
            }
            continue;
        }
        c->at++;
        if (byte == '"') {
            return true;
        }
        if (!scan_escape(c)) {
            return false;
        }
    }
}

static bool scan_word(struct json_cursor *c, struct sv word)
{
    if (!sv_starts(sv_sub((struct sv){c->p, c->n}, c->at, c->n), word)) {
        return fail(c, "a value is missing");
    }
    c->at += word.n;
    return true;
}

static bool scan_value(struct json_cursor *c, unsigned depth_left);

static bool scan_container(struct json_cursor *c, unsigned depth_left, bool object)
{
    char close = object ? '}' : ']';

    if (depth_left == 0) {
        return fail(c, "it is nested too deep");
    }
    c->at++;
    skip_space(c);
    if (take(c, close)) {
        return true;
    }
    do {
        if (object) {
            skip_space(c);
            if (!scan_string(c)) {
                return false;
            }
            skip_space(c);
            if (!take(c, ':')) {
                return fail(c, "':' is missing after a key");
            }
        }
        if (!scan_value(c, depth_left - 1)) {
            return false;
        }
        skip_space(c);
    } while (take(c, ','));
    return take(c, close)
               ? true
               : fail(c, object ? "',' or '}' is missing" : "',' or ']' is missing");
}

/* One value and the white space before it. */
static bool scan_value(struct json_cursor *c, unsigned depth_left)
{
    if (c->nodes_left == 0) {
        return fail(c, "it has too many values");
    }
    c->nodes_left--;
    skip_space(c);
    switch (peek(c)) {
    case '{':
    case '[':
        return scan_container(c, depth_left, peek(c) == '{');
    case '"':
        return scan_string(c);
    case 't':
        return scan_word(c, SV("true"));
    case 'f':
        return scan_word(c, SV("false"));
    case 'n':
        return scan_word(c, SV("null"));
    default:
        if (peek(c) != '-' && (peek(c) < '0' || peek(c) > '9')) {
            return fail(c, "a value is missing");
        }
        return scan_number(c);
    }
}

void json_cursor_init(struct json_cursor *c, struct sv text, size_t nodes_max)
{
    *c = (struct json_cursor){.p = text.p, .n = text.n, .nodes_left = nodes_max};
}

bool json_cursor_value(struct json_cursor *c, unsigned depth_max, struct sv *out_raw)
{
    if (c->problem != NULL) {
        return false;
    }
    skip_space(c);
    size_t from = c->at;
    if (!scan_value(c, depth_max)) {
        return false;
    }
    *out_raw = (struct sv){c->p + from, c->at - from};
    skip_space(c);
    return true;
}

int json_cursor_peek(struct json_cursor *c)
{
    skip_space(c);
    return peek(c);
}

bool json_cursor_open(struct json_cursor *c, char bracket)
{
    if (c->problem != NULL) {
        return false;
    }
    if (c->nodes_left == 0) {
        return fail(c, "it has too many values");
    }
    c->nodes_left--;
    skip_space(c);
    return take(c, bracket)
               ? true
               : fail(c, bracket == '{' ? "an object is missing" : "an array is missing");
}

bool json_cursor_next(struct json_cursor *c, char close, bool *begun, struct sv *out_key)
{
    if (c->problem != NULL) {
        return false;
    }
    skip_space(c);
    if (peek(c) == close) {
        c->at++;
        skip_space(c);
        return false;
    }
    if (*begun && !take(c, ',')) {
        return fail(c, close == '}' ? "',' or '}' is missing" : "',' or ']' is missing");
    }
    *begun = true;
    *out_key = SV_NULL;
    if (close != '}') {
        return true;
    }
    skip_space(c);
    size_t from = c->at + 1;
    if (!scan_string(c)) {
        return false;
    }
    *out_key = (struct sv){c->p + from, c->at - 1 - from};
    skip_space(c);
    return take(c, ':') ? true : fail(c, "':' is missing after a key");
}

bool json_cursor_end(struct json_cursor *c)
{
    if (c->problem != NULL) {
        return false;
    }
    skip_space(c);
    return c->at == c->n ? true : fail(c, "something follows the document");
}

struct sv json_cursor_plain(struct sv raw)
{
    if (raw.n < 2 || raw.p[0] != '"' || memchr(raw.p, '\\', raw.n) != NULL) {
        return SV_NULL;
    }
    return (struct sv){raw.p + 1, raw.n - 2};
}

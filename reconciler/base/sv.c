#include "base/sv.h"

#include <endian.h>
#include <string.h>

struct sv sv_from(const char *text)
{
    return text == NULL ? SV_NULL : (struct sv){text, strlen(text)};
}

static char lower(char c)
{
    if (c >= 'A' && c <= 'Z') {
        return (char)(c - 'A' + 'a');
    }
    return c;
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

bool sv_eq(struct sv a, struct sv b)
{
    return a.n == b.n && sv_starts(a, b);
}

bool sv_eq_nocase(struct sv a, struct sv b)
{
    return a.n == b.n && sv_starts_nocase(a, b);
}

int sv_cmp(struct sv a, struct sv b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int order = a.p == NULL || b.p == NULL ? 0 : memcmp(a.p, b.p, n);

    return order != 0 ? order : (a.n > b.n) - (a.n < b.n);
}

bool sv_starts(struct sv text, struct sv prefix)
{
    if (text.n < prefix.n) {
        return false;
    }
    return prefix.p == NULL || text.p == NULL || memcmp(text.p, prefix.p, prefix.n) == 0;
}

bool sv_starts_nocase(struct sv text, struct sv prefix)
{
    if (text.n < prefix.n || (text.p == NULL && prefix.n > 0)) {
        return false;
    }
    for (size_t i = 0; i < prefix.n; i++) {
        if (lower(text.p[i]) != lower(prefix.p[i])) {
            return false;
        }
    }
    return true;
}

bool sv_ends(struct sv text, struct sv suffix)
{
    return text.n >= suffix.n && sv_eq(sv_sub(text, text.n - suffix.n, suffix.n), suffix);
}

size_t sv_find(struct sv text, struct sv needle)
{
    if (needle.n == 0) {
        return 0;
    }
    if (text.n < needle.n) {
        return SIZE_MAX;
    }
    const char *at = memmem(text.p, text.n, needle.p, needle.n);
    return at == NULL ? SIZE_MAX : (size_t)(at - text.p);
}

size_t sv_find_nocase(struct sv text, struct sv needle)
{
    for (size_t i = 0; i + needle.n <= text.n; i++) {
        if (sv_starts_nocase(sv_sub(text, i, needle.n), needle)) {
            return i;
        }
    }
    return SIZE_MAX;
}

bool sv_contains(struct sv text, struct sv needle)
{
    return sv_find(text, needle) != SIZE_MAX;
}

struct sv sv_sub(struct sv text, size_t from, size_t count)
{
    if (from > text.n) {
        from = text.n;
    }
    if (count > text.n - from) {
        count = text.n - from;
    }
    return (struct sv){text.p == NULL ? NULL : text.p + from, count};
}

struct sv sv_trim(struct sv text)
{
    while (text.n > 0 && is_space(text.p[0])) {
        text = sv_sub(text, 1, text.n - 1);
    }
    while (text.n > 0 && is_space(text.p[text.n - 1])) {
        text.n--;
    }
    return text;
}

struct sv sv_cut(struct sv *text, char separator)
{
    const char *at = text->n == 0 ? NULL : memchr(text->p, separator, text->n);
    struct sv part = *text;

    if (at == NULL) {
        *text = sv_sub(*text, text->n, 0);
        return part;
    }
    part.n = (size_t)(at - text->p);
    *text = sv_sub(*text, part.n + 1, text->n);
    return part;
}

bool sv_uint64(struct sv text, uint64_t *out_value)
{
    uint64_t value = 0;

    if (text.p == NULL || text.n == 0) {
        return false;
    }
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9') {
            return false;
        }
        if (__builtin_mul_overflow(value, 10U, &value) ||
            __builtin_add_overflow(value, (uint64_t)(text.p[i] - '0'), &value)) {
            return false;
        }
    }
    *out_value = value;
    return true;
}

bool sv_int64(struct sv text, int64_t *out_value)
{
    bool negative = text.n > 0 && text.p[0] == '-';
    uint64_t magnitude = 0;

    if (!sv_uint64(negative ? sv_sub(text, 1, text.n) : text, &magnitude)) {
        return false;
    }
    if (magnitude > (uint64_t)INT64_MAX + (negative ? 1U : 0U)) {
        return false;
    }
    /* Two's complement negation stays defined for INT64_MIN when done unsigned. */
    *out_value = (int64_t)(negative ? 0U - magnitude : magnitude);
    return true;
}

/*
 * Bytes of the well-formed sequence at p, 0 when there is none. The ranges of the second
 * byte are table 3-7 of the Unicode standard: they exclude overlong forms and surrogates.
 */
static size_t utf8_step(const unsigned char *p, size_t n)
{
    unsigned char low = 0x80;
    unsigned char high = 0xBF;
    size_t length = 0;

    if (p[0] < 0x80) {
        return 1;
    }
    if (p[0] >= 0xC2 && p[0] <= 0xDF) {
        length = 2;
    } else if (p[0] >= 0xE0 && p[0] <= 0xEF) {
        length = 3;
        low = p[0] == 0xE0 ? 0xA0 : low;
        high = p[0] == 0xED ? 0x9F : high;
    } else if (p[0] >= 0xF0 && p[0] <= 0xF4) {
        length = 4;
        low = p[0] == 0xF0 ? 0x90 : low;
        high = p[0] == 0xF4 ? 0x8F : high;
    }
    if (length == 0 || length > n || p[1] < low || p[1] > high) {
        return 0;
    }
    for (size_t i = 2; i < length; i++) {
        if ((p[i] & 0xC0) != 0x80) {
            return 0;
        }
    }
    return length;
}

size_t sv_utf8_valid_bytes(struct sv text)
{
    size_t at = 0;

    while (at < text.n) {
        size_t step = utf8_step((const unsigned char *)text.p + at, text.n - at);
        if (step == 0) {
            break;
        }
        at += step;
    }
    return at;
}

bool sv_is_utf8(struct sv text)
{
    return sv_utf8_valid_bytes(text) == text.n;
}

static bool is_plain(unsigned char byte)
{
    return byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
}

/*
 * How many of eight bytes are plain before the first that is not, by arithmetic that
 * treats them at once: v - 0x20... sets the top bit of the lowest byte that is smaller,
 * and a byte XORed with what it is compared with is 0 when it is equal. A borrow may find
 * bytes above one that was found, never below.
 */
static size_t plain_of_eight(const char *p)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    const uint64_t tops = ones * 0x80;
    uint64_t v = 0;

    memcpy(&v, p, sizeof(v));
    v = le64toh(v); /* the first byte is the lowest */
    uint64_t quote = v ^ (ones * '"');
    uint64_t backslash = v ^ (ones * '\\');
    uint64_t found = (v | ((v - ones * 0x20) & ~v) | ((quote - ones) & ~quote) |
                      ((backslash - ones) & ~backslash)) &
                     tops;
    return found == 0 ? sizeof(v) : (size_t)__builtin_ctzll(found) / 8;
}

size_t sv_plain_bytes(struct sv text)
{
    size_t at = 0;

    while (text.n - at >= sizeof(uint64_t)) {
        size_t plain = plain_of_eight(text.p + at);
        at += plain;
        if (plain < sizeof(uint64_t)) {
            return at;
        }
    }
    while (at < text.n && is_plain((unsigned char)text.p[at])) {
        at++;
    }
    return at;
}

size_t sv_utf8_length(struct sv text)
{
    size_t count = 0;

    for (size_t at = 0; at < text.n; count++) {
        size_t step = utf8_step((const unsigned char *)text.p + at, text.n - at);
        at += step == 0 ? 1 : step;
    }
    return count;
}

struct sv sv_utf8_prefix(struct sv text, size_t max_bytes)
{
    size_t at = 0;

    if (text.n <= max_bytes) {
        return text;
    }
    while (at < text.n) {
        size_t step = utf8_step((const unsigned char *)text.p + at, text.n - at);
        step = step == 0 ? 1 : step;
        if (at + step > max_bytes) {
            break;
        }
        at += step;
    }
    return sv_sub(text, 0, at);
}

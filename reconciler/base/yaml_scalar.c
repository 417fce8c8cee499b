#include "base/yaml_scalar.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define EXACT_MAX 0x1p53
#define NUMBER_BYTES_MAX 64

#define CORE_TAG(name) SV("tag:yaml.org,2002:" name)

static bool is_one_of(struct sv text, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (sv_eq(text, sv_from(words[i]))) {
            return true;
        }
    }
    return false;
}

static bool is_null(struct sv text)
{
    static const char *const words[] = {"", "~", "null", "Null", "NULL"};

    return is_one_of(text, words, COUNT_OF(words));
}

static bool is_bool(struct sv text, bool *out_value)
{
    static const char *const yes[] = {"true", "True", "TRUE"};
    static const char *const no[] = {"false", "False", "FALSE"};

    *out_value = is_one_of(text, yes, COUNT_OF(yes));
    return *out_value || is_one_of(text, no, COUNT_OF(no));
}

static bool is_infinite(struct sv text)
{
    static const char *const words[] = {".inf", ".Inf", ".INF", ".nan", ".NaN", ".NAN"};
    bool has_sign = text.n > 0 && (text.p[0] == '-' || text.p[0] == '+');

    return is_one_of(has_sign ? sv_sub(text, 1, text.n) : text, words, COUNT_OF(words));
}

static int digit_of(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    char lower = (char)(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : 16;
}

static size_t count_digits(struct sv text, int base)
{
    size_t n = 0;

    while (n < text.n && digit_of(text.p[n]) < base) {
        n++;
    }
    return n;
}

/* Whole text as an integer; decimal with a sign, or 0x and 0o without one. */
static bool is_int(struct sv text, double *out_value)
{
    bool negative = sv_starts(text, SV("-"));
    int base = 10;

    if (sv_starts(text, SV("0x"))) {
        base = 16;
        text = sv_sub(text, 2, text.n);
    } else if (sv_starts(text, SV("0o"))) {
        base = 8;
        text = sv_sub(text, 2, text.n);
    } else if (negative || sv_starts(text, SV("+"))) {
        text = sv_sub(text, 1, text.n);
    }
    if (text.n == 0 || count_digits(text, base) != text.n) {
        return false;
    }
    double value = 0;
    for (size_t i = 0; i < text.n; i++) {
        value = value * base + digit_of(text.p[i]);
    }
    *out_value = negative ? -value : value;
    return true;
}

static bool has_float_form(struct sv text)
{
    if (text.n > 0 && (text.p[0] == '-' || text.p[0] == '+')) {
        text = sv_sub(text, 1, text.n);
    }
    size_t digits = count_digits(text, 10);
    text = sv_sub(text, digits, text.n);
    if (sv_starts(text, SV("."))) {
        size_t behind = count_digits(sv_sub(text, 1, text.n), 10);
        digits += behind;
        text = sv_sub(text, 1 + behind, text.n);
    }
    if (digits == 0) {
        return false;
    }
    if (text.n > 0 && (text.p[0] == 'e' || text.p[0] == 'E')) {
        text = sv_sub(text, 1, text.n);
        if (text.n > 0 && (text.p[0] == '-' || text.p[0] == '+')) {
            text = sv_sub(text, 1, text.n);
        }
        return text.n > 0 && count_digits(text, 10) == text.n;
    }
    return text.n == 0;
}

static const char *parse_int(double value, struct json **out_node)
{
    if (fabs(value) > EXACT_MAX) {
        return "an integer is too large to be kept exactly, quote it";
    }
    *out_node = json_new_number(value);
    return NULL;
}

/* The text is followed by a NUL: libyaml ends its scalars so. */
static const char *parse_float(struct sv text, struct json **out_node)
{
    if (text.n > NUMBER_BYTES_MAX) {
        return "a number is too long";
    }
    double value = strtod(text.p, NULL);
    if (!isfinite(value)) {
        return "a number is too large";
    }
    *out_node = json_new_number(value);
    return NULL;
}

static const char *parse_plain(struct sv text, struct json **out_node)
{
    bool flag = false;
    double number = 0;

    if (is_null(text)) {
        *out_node = json_new_null();
    } else if (is_bool(text, &flag)) {
        *out_node = json_new_bool(flag);
    } else if (is_int(text, &number)) {
        return parse_int(number, out_node);
    } else if (is_infinite(text)) {
        return "JSON has no such number; quote it if it is a string";
    } else if (has_float_form(text)) {
        return parse_float(text, out_node);
    } else {
        *out_node = json_new_string(text.p);
    }
    return NULL;
}

static const char *parse_tagged(const struct yaml_scalar *scalar, struct json **out_node)
{
    bool flag = false;
    double number = 0;

    if (sv_eq(scalar->tag, CORE_TAG("null")) && is_null(scalar->text)) {
        *out_node = json_new_null();
    } else if (sv_eq(scalar->tag, CORE_TAG("bool")) && is_bool(scalar->text, &flag)) {
        *out_node = json_new_bool(flag);
    } else if (sv_eq(scalar->tag, CORE_TAG("int")) && is_int(scalar->text, &number)) {
        return parse_int(number, out_node);
    } else if (sv_eq(scalar->tag, CORE_TAG("float")) && has_float_form(scalar->text)) {
        return parse_float(scalar->text, out_node);
    } else {
        return "the tag is unknown or does not fit the value";
    }
    return NULL;
}

const char *yaml_scalar_parse(const struct yaml_scalar *scalar, struct json **out_node)
{
    if (memchr(scalar->text.p, '\0', scalar->text.n) != NULL) {
        return "a NUL character is not allowed in a string";
    }
    if (sv_eq(scalar->tag, CORE_TAG("str")) || sv_eq(scalar->tag, SV("!")) ||
        (scalar->tag.n == 0 && !scalar->plain)) {
        *out_node = json_new_string(scalar->text.p);
        return NULL;
    }
    return scalar->tag.n == 0 ? parse_plain(scalar->text, out_node)
                              : parse_tagged(scalar, out_node);
}

#include "model/patterns.h"

#include <string.h>

/* Not <ctype.h>: what is a letter must not depend on the locale. */
static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_alnum(char c)
{
    return is_digit(c) || is_lower(c) || (c >= 'A' && c <= 'Z');
}

static bool is_word(char c)
{
    return is_alnum(c) || c == '_';
}

static bool is_control(char c)
{
    return (unsigned char)c < 0x20 || c == 0x7f;
}

static bool is_one_of(char c, const char *set)
{
    return c != '\0' && strchr(set, c) != NULL;
}

static bool is_object_edge(char c)
{
    return is_lower(c) || is_digit(c);
}

/* Dot-separated labels that begin and end with an edge character; '-' may stand between.
 */
static bool is_dotted(struct sv text, bool (*is_edge)(char c))
{
    bool at_edge = false; /* the character before was one that may end a label */
    bool in_label = false;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (is_edge(c)) {
            at_edge = in_label = true;
        } else if (c == '-' && in_label) {
            at_edge = false;
        } else if (c == '.' && at_edge) {
            at_edge = in_label = false;
        } else {
            return false;
        }
    }
    return at_edge;
}

bool pattern_object_name(struct sv text)
{
    return is_dotted(text, is_object_edge);
}

bool pattern_host(struct sv text)
{
    /* One dot at the end makes a name absolute and is legal. */
    if (text.n > 1 && text.p[text.n - 1] == '.') {
        text.n--;
    }
    return is_dotted(text, is_word);
}

bool pattern_secret_key(struct sv text)
{
    for (size_t i = 0; i < text.n; i++) {
        if (!is_alnum(text.p[i]) && !is_one_of(text.p[i], "-._")) {
            return false;
        }
    }
    return text.n > 0;
}

bool pattern_rw_database(struct sv text)
{
    for (size_t i = 0; i < text.n; i++) {
        if (is_control(text.p[i]) || is_one_of(text.p[i], "\"'\\")) {
            return false;
        }
    }
    return true;
}

bool pattern_rw_schema(struct sv text)
{
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (!is_lower(c) && c != '_' && (i == 0 || !is_digit(c))) {
            return false;
        }
    }
    return text.n > 0;
}

static bool is_number(struct sv text)
{
    if (text.n == 0 || text.n > 10 || text.p[0] == '0') {
        return false;
    }
    for (size_t i = 0; i < text.n; i++) {
        if (!is_digit(text.p[i])) {
            return false;
        }
    }
    return true;
}

bool pattern_id_range(struct sv text)
{
    struct sv low = sv_cut(&text, '-');
    return is_number(low) && is_number(text);
}

static bool is_plain(struct sv text)
{
    for (size_t i = 0; i < text.n; i++) {
        if (is_control(text.p[i]) || text.p[i] == '`') {
            return false;
        }
    }
    return text.n > 0;
}

bool pattern_mysql_name(struct sv text)
{
    return is_plain(text) && text.p[text.n - 1] != ' ';
}

bool pattern_sr_table(struct sv text)
{
    return is_plain(text);
}

bool pattern_sr_column(struct sv text)
{
    for (size_t i = 0; i < text.n; i++) {
        if (is_one_of(text.p[i], "\",=<>!*")) {
            return false;
        }
    }
    return is_plain(text);
}

bool pattern_token(struct sv text)
{
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < '!' || text.p[i] > '~') {
            return false;
        }
    }
    return true;
}

bool pattern_sr_database(struct sv text)
{
    if (text.n == 0 || !is_word(text.p[0]) || is_digit(text.p[0])) {
        return false;
    }
    if (text.p[0] == '_' && (text.n == 1 || !is_alnum(text.p[1]))) {
        return false;
    }
    for (size_t i = 1; i < text.n; i++) {
        if (!is_word(text.p[i]) && !is_one_of(text.p[i], "-~!@#$%^&<>=+")) {
            return false;
        }
    }
    return true;
}

bool pattern_sr_property(struct sv text)
{
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (!is_lower(c) && (i == 0 || (!is_digit(c) && c != '_' && c != '.'))) {
            return false;
        }
    }
    return text.n > 0;
}

static bool is_schedule(char c)
{
    return is_digit(c) || is_lower(c) || (c >= 'A' && c <= 'Z') || is_one_of(c, "*,/-");
}

bool pattern_schedule(struct sv text)
{
    int words = 0;
    for (size_t i = 0; i < text.n; i++) {
        bool begins = i == 0 || text.p[i - 1] == ' ';
        if (text.p[i] != ' ' && !is_schedule(text.p[i])) {
            return false;
        }
        words += begins && text.p[i] != ' ' ? 1 : 0;
    }
    return text.n == 0 || (words == 5 && text.p[0] != ' ' && text.p[text.n - 1] != ' ');
}

static size_t take_digits(struct sv *text)
{
    size_t count = 0;
    while (count < text->n && is_digit(text->p[count])) {
        count++;
    }
    *text = sv_sub(*text, count, text->n);
    return count;
}

static bool take_part(struct sv *text)
{
    size_t digits = take_digits(text);
    if (digits == 0 || digits > 5) {
        return false;
    }
    if (sv_starts(*text, SV("."))) {
        *text = sv_sub(*text, 1, text->n);
        digits = take_digits(text);
        if (digits == 0 || digits > 3) {
            return false;
        }
    }
    size_t unit = sv_starts(*text, SV("ms")) ? 2 : 1;
    if (unit == 1 && (text->n == 0 || !is_one_of(text->p[0], "smh"))) {
        return false;
    }
    *text = sv_sub(*text, unit, text->n);
    return true;
}

bool pattern_duration(struct sv text)
{
    int parts = 0;
    while (text.n > 0 && parts <= 4) {
        if (!take_part(&text)) {
            return false;
        }
        parts++;
    }
    return parts >= 1 && parts <= 4 && text.n == 0;
}

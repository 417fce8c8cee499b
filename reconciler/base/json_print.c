/*
 * JSON text of a tree, and whether two trees say the same. cJSON's printer is not used:
 * it passes invalid UTF-8 through, knows no ceiling and writes numbers by the locale.
 */
#include "base/json.h"
#include "base/map.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXACT_MAX 0x1p53

/* The first bytes of `text`, which are no ASCII; a byte that is no character becomes
 * U+FFFD. Returns how many it dealt with. */
static size_t quote_wide(struct sv text, struct buf *out)
{
    size_t run = 0;

    while (run < text.n && (unsigned char)text.p[run] >= 0x80) {
        run++;
    }
    size_t valid = sv_utf8_valid_bytes(sv_sub(text, 0, run));
    buf_add(out, sv_sub(text, 0, valid));
    if (valid == run) {
        return run;
    }
    buf_addz(out, "\xEF\xBF\xBD");
    return valid + 1;
}

static void quote_escaped(char c, struct buf *out)
{
    if (c == '"' || c == '\\') {
        buf_addc(out, '\\');
        buf_addc(out, c);
    } else if (c == '\n' || c == '\r' || c == '\t') {
        buf_addz(out, c == '\n' ? "\\n" : c == '\r' ? "\\r" : "\\t");
    } else {
        buf_addf(out, "\\u%04x", (unsigned)c);
    }
}

void json_quote(struct sv text, struct buf *out)
{
    buf_addc(out, '"');
    for (;;) {
        size_t plain = sv_plain_bytes(text);
        buf_add(out, sv_sub(text, 0, plain));
        text = sv_sub(text, plain, text.n);
        if (text.n == 0) {
            break;
        }
        size_t taken = 1;
        if ((unsigned char)text.p[0] >= 0x80) {
            taken = quote_wide(text, out);
        } else {
            quote_escaped(text.p[0], out);
        }
        text = sv_sub(text, taken, text.n);
    }
    buf_addc(out, '"');
}

static void print_whole(long long value, struct buf *out)
{
    char text[24];
    size_t at = sizeof(text);
    unsigned long long left =
        value < 0 ? 0 - (unsigned long long)value : (unsigned long long)value;

    do {
        text[--at] = (char)('0' + left % 10);
        left /= 10;
    } while (left > 0);
    if (value < 0) {
        text[--at] = '-';
    }
    buf_add(out, (struct sv){text + at, sizeof(text) - at});
}

static void print_number(double value, struct buf *out)
{
    char text[40];

    if (!isfinite(value)) {
        buf_addz(out, "null");
        return;
    }
    if (fabs(value) <= EXACT_MAX && value == (double)(long long)value) {
        print_whole((long long)value, out);
        return;
    }
    /* The shortest of these that reads back as the same number. */
    for (int precision = 15; precision <= 17; precision++) {
        (void)snprintf(text, sizeof(text), "%.*g", precision, value);
        if (strtod(text, NULL) == value) {
            break;
        }
    }
    char *comma = strchr(text, ','); /* a locale's decimal point */
    if (comma != NULL) {
        *comma = '.';
    }
    buf_addz(out, text);
}

static void new_line(struct buf *out, int indent)
{
    if (indent >= 0) {
        buf_addc(out, '\n');
        for (int i = 0; i < indent; i++) {
            buf_addz(out, "  ");
        }
    }
}

/* indent < 0: compact. */
static void print(const struct json *node, int indent, struct buf *out)
{
    enum json_kind kind = json_kind(node);
    int inner = indent < 0 ? indent : indent + 1;

    switch (kind) {
    case JSON_BOOL:
        buf_addz(out, json_bool(node, false) ? "true" : "false");
        return;
    case JSON_NUMBER:
        print_number(json_number(node, 0), out);
        return;
    case JSON_STRING:
        json_quote(sv_from(json_string(node)), out);
        return;
    case JSON_MISSING:
    case JSON_NULL:
        buf_addz(out, "null");
        return;
    case JSON_ARRAY:
    case JSON_OBJECT:
        break;
    }
    buf_addc(out, kind == JSON_OBJECT ? '{' : '[');
    for (const struct json *c = json_first(node); c != NULL; c = json_next(c)) {
        new_line(out, inner);
        if (kind == JSON_OBJECT) {
            json_quote(sv_from(json_key(c)), out);
            buf_addz(out, indent < 0 ? ":" : ": ");
        }
        print(c, inner, out);
        if (json_next(c) != NULL) {
            buf_addc(out, ',');
        }
    }
    if (json_first(node) != NULL) {
        new_line(out, indent);
    }
    buf_addc(out, kind == JSON_OBJECT ? '}' : ']');
}

void json_print(const struct json *node, struct buf *out)
{
    print(node, -1, out);
}

void json_print_pretty(const struct json *node, struct buf *out)
{
    print(node, 0, out);
}

static bool objects_equal(const struct json *a, const struct json *b)
{
    AUTO(map_freep) struct map *of_b = NULL;
    const struct json *aligned = json_first(b);

    if (json_size(a) != json_size(b)) {
        return false;
    }
    for (const struct json *c = json_first(a); c != NULL; c = json_next(c)) {
        /* Mostly the order is the same; the index is made when it turns out not to be. */
        const struct json *other = aligned;
        if (of_b == NULL && strcmp(json_key(c), json_key(aligned)) == 0) {
            aligned = json_next(aligned);
        } else {
            if (of_b == NULL) {
                of_b = map_new((uint64_t)(uintptr_t)b);
                for (const struct json *d = json_first(b); d != NULL; d = json_next(d)) {
                    /* The map holds void pointers; nothing writes through them. */
                    (void)map_put(of_b, sv_from(json_key(d)), (void *)(uintptr_t)d);
                }
            }
            other = map_find(of_b, sv_from(json_key(c)));
        }
        if (other == NULL || !json_equal(c, other)) {
            return false;
        }
    }
    return true;
}

static bool arrays_equal(const struct json *a, const struct json *b)
{
    const struct json *x = json_first(a);
    const struct json *y = json_first(b);

    while (x != NULL && y != NULL && json_equal(x, y)) {
        x = json_next(x);
        y = json_next(y);
    }
    return x == NULL && y == NULL;
}

bool json_equal(const struct json *a, const struct json *b)
{
    enum json_kind kind = json_kind(a);

    if (kind != json_kind(b)) {
        return false;
    }
    switch (kind) {
    case JSON_BOOL:
        return json_bool(a, false) == json_bool(b, false);
    case JSON_NUMBER:
        return json_number(a, 0) == json_number(b, 0);
    case JSON_STRING:
        return strcmp(json_string(a), json_string(b)) == 0;
    case JSON_ARRAY:
        return arrays_equal(a, b);
    case JSON_OBJECT:
        return objects_equal(a, b);
    case JSON_MISSING:
    case JSON_NULL:
        break;
    }
    return true;
}

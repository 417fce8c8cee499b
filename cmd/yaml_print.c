/*
 * Strings stand plain where nobody can take them for something else, as blocks where they
 * have lines, and else as JSON strings, which YAML reads whatever they hold.
 */
#include "cmd/yaml_print.h"

#include <string.h>

static const char *const WORDS[] = {"true", "false", "null", "yes", "no",
                                    "on",   "off",   "y",    "n"};

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Begins with a letter, and holds nothing that means something in YAML. */
static bool is_plain(struct sv text)
{
    if (text.n == 0 || !is_letter(text.p[0])) {
        return false;
    }
    for (size_t i = 0; i < COUNT_OF(WORDS); i++) {
        if (sv_eq_nocase(text, sv_from(WORDS[i]))) {
            return false;
        }
    }
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];

        if (!is_letter(c) && !(c >= '0' && c <= '9') && strchr("-_./", c) == NULL) {
            return false;
        }
    }
    return true;
}

/* Lines of printable ASCII whose first does not begin with a blank. */
static bool is_block(struct sv text)
{
    size_t lines = 0;

    if (text.n == 0 || text.p[0] == ' ' || text.p[0] == '\n' ||
        sv_ends(text, SV("\n\n"))) {
        return false;
    }
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] != '\n' && (text.p[i] < ' ' || text.p[i] > '~')) {
            return false;
        }
        lines += text.p[i] == '\n';
    }
    return lines > 0;
}

/* What JSON leaves as it is and YAML does not: DEL, C1, U+2028 and U+2029 (ends of
 * lines), U+FEFF, U+FFFE, U+FFFF. 0: none of them begins at `c`; else its code. */
static unsigned escaped(const unsigned char *c, int *out_bytes)
{
    *out_bytes = c[0] == 0x7f ? 1 : c[0] == 0xc2 ? 2 : 3;
    if (c[0] == 0x7f) {
        return c[0];
    }
    if (c[0] == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0) {
        return c[1];
    }
    if (c[0] == 0xe2 && c[1] == 0x80 && (c[2] == 0xa8 || c[2] == 0xa9)) {
        return 0x2000U + (c[2] & 0x3fU);
    }
    if (c[0] == 0xef &&
        ((c[1] == 0xbb && c[2] == 0xbf) || (c[1] == 0xbf && c[2] >= 0xbe))) {
        return 0xf000U + ((c[1] & 0x3fU) << 6) + (c[2] & 0x3fU);
    }
    return 0;
}

static void print_quoted(struct sv text, struct buf *out)
{
    AUTO(buf_deinit) struct buf json = {0};

    buf_init(&json, out->ceiling_bytes);
    json_quote(text, &json);
    for (const unsigned char *c = (const unsigned char *)buf_z(&json); *c != '\0';) {
        int bytes = 0;
        unsigned code = escaped(c, &bytes);

        if (code != 0) {
            buf_addf(out, "\\u%04x", code);
        } else {
            buf_addc(out, (char)*c);
            bytes = 1;
        }
        c += bytes;
    }
}

static void indent(struct buf *out, int depth)
{
    for (int i = 0; i < depth; i++) {
        buf_add(out, SV("  "));
    }
}

static void print_block(struct sv text, int depth, struct buf *out)
{
    buf_addz(out, sv_ends(text, SV("\n")) ? "|\n" : "|-\n");
    while (text.n > 0) {
        struct sv line = sv_cut(&text, '\n');

        if (line.n > 0) {
            indent(out, depth);
        }
        buf_add(out, line);
        buf_addc(out, '\n');
    }
}

/* What stands behind "key:" or "-", with its line's end. */
static void print_scalar(const struct json *node, int depth, struct buf *out)
{
    struct sv text = sv_from(json_string(node));

    if (json_kind(node) == JSON_STRING && is_plain(text)) {
        buf_add(out, text);
    } else if (json_kind(node) == JSON_STRING && is_block(text)) {
        print_block(text, depth, out);
        return;
    } else if (json_kind(node) == JSON_STRING) {
        print_quoted(text, out);
    } else {
        json_print(node, out);
    }
    buf_addc(out, '\n');
}

static bool is_nested(const struct json *node)
{
    return (json_kind(node) == JSON_OBJECT || json_kind(node) == JSON_ARRAY) &&
           json_size(node) > 0;
}

static void print_node(const struct json *node, int depth, bool begun, struct buf *out);

static void print_key(const struct json *child, struct buf *out)
{
    struct sv key = sv_from(json_key(child));

    if (is_plain(key)) {
        buf_add(out, key);
    } else {
        print_quoted(key, out);
    }
    buf_addc(out, ':');
}

/* The tree's depth is bounded by JSON_DEPTH_MAX. */
static void print_child(const struct json *child, int depth, struct buf *out)
{
    bool list = json_kind(child) == JSON_ARRAY;

    if (json_key(child) == NULL) {
        buf_add(out, SV("- "));
        if (is_nested(child)) {
            print_node(child, depth + 1, true, out);
            return;
        }
    } else {
        print_key(child, out);
        if (is_nested(child)) {
            buf_addc(out, '\n');
            print_node(child, list ? depth : depth + 1, false, out);
            return;
        }
        buf_addc(out, ' ');
    }
    print_scalar(child, depth + 1, out);
}

/* `begun`: the first line is indented already, by a dash. */
static void print_node(const struct json *node, int depth, bool begun, struct buf *out)
{
    for (const struct json *c = json_first(node); c != NULL; c = json_next(c)) {
        if (!begun) {
            indent(out, depth);
        }
        begun = false;
        print_child(c, depth, out);
    }
}

void yaml_print(const struct json *node, struct buf *out)
{
    if (is_nested(node)) {
        print_node(node, 0, false, out);
    } else {
        print_scalar(node, 1, out);
    }
}

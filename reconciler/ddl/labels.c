#include "ddl/labels.h"

#include <string.h>

/* Written form of a character: what MySQL's append_unescaped can print. */
static const char escaped[] = "\\nr0'";
static const char meaning[] = "\\\n\r\0'";

static char byte_at(struct sv text, size_t at)
{
    if (at < text.n) {
        return text.p[at];
    }
    return '\0';
}

static const char *find_escape(struct sv text, size_t at)
{
    if (byte_at(text, at) != '\\' || at + 1 >= text.n || text.p[at + 1] == '\0') {
        return NULL;
    }
    return strchr(escaped, text.p[at + 1]);
}

/* Bytes of the pair or single byte at `at` within a label. */
static size_t step(struct sv text, size_t at)
{
    bool doubled = text.p[at] == '\'' && byte_at(text, at + 1) == '\'';

    return doubled || find_escape(text, at) != NULL ? 2 : 1;
}

/*
 * A backslash in front of a quote that a comma or the end follows belongs to a server
 * that escapes no backslash: there the quote closes the label.
 */
static bool plain_backslash(struct sv text, size_t at)
{
    char behind = byte_at(text, at + 2);

    return text.p[at] == '\\' && byte_at(text, at + 1) == '\'' &&
           (at + 2 >= text.n || behind == ',' || behind == ')');
}

/* The first byte of a character, in UTF-8. */
static bool begins(char c)
{
    return ((unsigned char)c & 0xc0) != 0x80;
}

bool labels_open(struct sv column_type, struct labels *out_labels)
{
    struct sv text = sv_trim(column_type), name;
    size_t open = sv_find(text, SV("("));

    if (open == SIZE_MAX) {
        return false;
    }
    name = sv_trim(sv_sub(text, 0, open));
    text = sv_trim(sv_sub(text, open + 1, text.n));
    if ((!sv_eq_nocase(name, SV("enum")) && !sv_eq_nocase(name, SV("set"))) ||
        !sv_starts(text, SV("'"))) {
        return false;
    }
    *out_labels = (struct labels){text};
    return true;
}

bool labels_next(struct labels *labels, struct sv *out_written)
{
    struct sv text = labels->rest;
    size_t at = 1;

    labels->rest = SV_NULL;
    if (!sv_starts(text, SV("'"))) {
        return false;
    }
    while (at < text.n) {
        size_t size = plain_backslash(text, at) ? 1 : step(text, at);
        if (size == 1 && text.p[at] == '\'') {
            break;
        }
        at += size;
    }
    *out_written = sv_sub(text, 1, at - 1);
    text = sv_trim(sv_sub(text, at + 1, text.n));
    if (sv_starts(text, SV(","))) {
        labels->rest = sv_trim(sv_sub(text, 1, text.n));
    }
    return true;
}

int64_t label_length(struct sv written)
{
    int64_t length = 0;

    for (size_t at = 0; at < written.n; at += step(written, at)) {
        length += begins(written.p[at]) ? 1 : 0;
    }
    return length;
}

char *label_text(struct sv written, struct arena *arena)
{
    char *text = arena_alloc(arena, written.n + 1);
    size_t length = 0, size;

    for (size_t at = 0; at < written.n; at += size) {
        const char *escape = find_escape(written, at);

        size = step(written, at);
        text[length] = written.p[at];
        if (escape != NULL) {
            text[length] = meaning[escape - escaped];
        }
        length++;
    }
    text[length] = '\0';
    return text;
}

int64_t labels_longest(struct sv column_type)
{
    struct labels labels;
    struct sv written;
    int64_t longest = 0;

    if (!labels_open(column_type, &labels)) {
        return 0;
    }
    while (labels_next(&labels, &written)) {
        int64_t length = label_length(written);
        longest = length > longest ? length : longest;
    }
    return longest;
}

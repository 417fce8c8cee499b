/* sv: a view of bytes for looking at; owns nothing. p may be NULL only when n is 0. */
#ifndef BASE_SV_H
#define BASE_SV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sv {
    const char *p;
    size_t n;
};

#define SV(literal) ((struct sv){"" literal, sizeof(literal) - 1})
/* The same inside the initializer of a static table, where a compound literal is refused.
 */
#define SV_INIT(literal)                                                                 \
    {                                                                                    \
        "" literal, sizeof(literal) - 1                                                  \
    }
#define SV_NULL ((struct sv){NULL, 0})
/* printf("%.*s", SV_ARGS(v)) */
#define SV_ARGS(v) (int)(v).n, (v).p == NULL ? "" : (v).p

struct sv sv_from(const char *text); /* NULL gives the empty view */
bool sv_eq(struct sv a, struct sv b);
bool sv_eq_nocase(struct sv a, struct sv b); /* ASCII only */
int sv_cmp(struct sv a, struct sv b);        /* bytewise, like memcmp */
bool sv_starts(struct sv text, struct sv prefix);
bool sv_starts_nocase(struct sv text, struct sv prefix);
bool sv_ends(struct sv text, struct sv suffix);
/* Offset of the first occurrence, or SIZE_MAX. */
size_t sv_find(struct sv text, struct sv needle);
size_t sv_find_nocase(struct sv text, struct sv needle);
bool sv_contains(struct sv text, struct sv needle);
struct sv sv_sub(struct sv text, size_t from, size_t count); /* clamped */
struct sv sv_trim(struct sv text);                           /* ASCII white space */
/*
 * Cuts `text` at the first `separator`: returns what stands before it and leaves the rest
 * in *text (empty when there was none). For loops: while (text.n > 0) part = sv_cut(...).
 */
struct sv sv_cut(struct sv *text, char separator);
/* Whole view as a decimal number; false (output untouched) on anything else or overflow.
 */
bool sv_int64(struct sv text, int64_t *out_value);
bool sv_uint64(struct sv text, uint64_t *out_value);
bool sv_is_utf8(struct sv text);            /* strict: no surrogates, no overlong forms */
size_t sv_utf8_valid_bytes(struct sv text); /* length of the longest valid prefix */
/* Length of the longest prefix that JSON writes in a string as it is: ASCII without
 * control characters, '"' and backslashes. */
size_t sv_plain_bytes(struct sv text);
size_t sv_utf8_length(struct sv text); /* code points; invalid bytes count 1 */
struct sv sv_utf8_prefix(struct sv text,
                         size_t max_bytes); /* longest whole-character prefix */

#endif

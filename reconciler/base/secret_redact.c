/*
 * Finding known secrets in texts that came from elsewhere. A server echoes a password in
 * the form in which the statement carried it, and its answer may have travelled through
 * JSON; so the secret is compared in every spelling that SQL, JSON and URLs give it.
 */
#include "base/secret.h"

#include <stdint.h>
#include <string.h>

#define SHORTEST_BYTES 3
#define MASK "***"
#define SPELLED_MAX 16

enum sql_spelling {
    SQL_PLAIN = 0,
    SQL_DOUBLED,       /* '' */
    SQL_BACKSLASH,     /* \' \" \\ \n \r \Z, as MySQL's escape function writes */
    SQL_BACKSLASH_FEW, /* \' and \\ */
    SQL_BOTH,          /* '' and \\ */
    SQL_MAX
};
enum outer_spelling {
    OUTER_NONE = 0,
    OUTER_JSON,      /* escapes what JSON demands */
    OUTER_JSON_HTML, /* Go's encoder: < > & as well */
    OUTER_URL,
    OUTER_URL_LOWER, /* %2f for %2F */
    OUTER_MAX
};

struct spelled {
    char p[SPELLED_MAX];
    size_t n;
};

static void put(struct spelled *s, char c)
{
    must(s->n < SPELLED_MAX);
    s->p[s->n++] = c;
}

static void spell_sql(char c, enum sql_spelling sql, struct spelled *out)
{
    bool doubled = sql == SQL_DOUBLED || sql == SQL_BOTH;
    static const char controls[] = "\n\r\x1a\t\b";
    static const char letters[] = "nrZtb";
    const char *control = c == '\0' ? NULL : strchr(controls, c);

    if (c == '\'' && sql != SQL_PLAIN) {
        put(out, doubled ? '\'' : '\\');
    } else if ((c == '\\' && sql != SQL_PLAIN && sql != SQL_DOUBLED) ||
               (c == '"' && sql == SQL_BACKSLASH)) {
        put(out, '\\');
    } else if (control != NULL && sql == SQL_BACKSLASH) {
        put(out, '\\');
        c = letters[control - controls];
    }
    put(out, c);
}

static void put_hex(struct spelled *out, const char *prefix, unsigned char c,
                    const char *digits)
{
    while (*prefix != '\0') {
        put(out, *prefix++);
    }
    put(out, digits[c >> 4]);
    put(out, digits[c & 15]);
}

static void spell_outer(char c, enum outer_spelling outer, struct spelled *out)
{
    static const char lower[] = "0123456789abcdef";
    static const char upper[] = "0123456789ABCDEF";
    static const char controls[] = "\n\r\t\b\f";
    static const char letters[] = "nrtbf";
    const char *control = c == '\0' ? NULL : strchr(controls, c);
    bool alphanumeric =
        (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    bool json = outer == OUTER_JSON || outer == OUTER_JSON_HTML;

    if (outer == OUTER_NONE ||
        (!json && (alphanumeric || (c != '\0' && strchr("-._~", c) != NULL)))) {
        put(out, c);
        return;
    }
    if (!json) {
        put_hex(out, "%", (unsigned char)c, outer == OUTER_URL ? upper : lower);
    } else if (c == '"' || c == '\\') {
        put(out, '\\');
        put(out, c);
    } else if (control != NULL) {
        put(out, '\\');
        put(out, letters[control - controls]);
    } else if ((unsigned char)c < 0x20 ||
               (outer == OUTER_JSON_HTML && c != '\0' && strchr("<>&", c) != NULL)) {
        put_hex(out, "\\u00", (unsigned char)c, lower);
    } else {
        put(out, c);
    }
}

/* Bytes of `text` that are the secret in this spelling; 0 when they are not. */
static size_t match(struct sv text, struct sv secret, enum sql_spelling sql,
                    enum outer_spelling outer)
{
    size_t at = 0;

    for (size_t i = 0; i < secret.n; i++) {
        struct spelled inner = {.n = 0};
        struct spelled whole = {.n = 0};
        spell_sql(secret.p[i], sql, &inner);
        for (size_t k = 0; k < inner.n; k++) {
            spell_outer(inner.p[k], outer, &whole);
        }
        if (text.n - at < whole.n || memcmp(text.p + at, whole.p, whole.n) != 0) {
            return 0;
        }
        at += whole.n;
    }
    return at;
}

static size_t longest_match(struct sv text, struct sv secret)
{
    size_t longest = 0;

    for (int sql = SQL_PLAIN; sql < SQL_MAX; sql++) {
        for (int outer = OUTER_NONE; outer < OUTER_MAX; outer++) {
            size_t n =
                match(text, secret, (enum sql_spelling)sql, (enum outer_spelling)outer);
            longest = n > longest ? n : longest;
        }
    }
    return longest;
}

/* A spelling starts with the secret's first byte or with one of these. */
static bool can_start(char c, char first)
{
    return c == first || c == '\\' || c == '\'' || c == '%';
}

void secret_redact(const struct secret *const *secrets, size_t count, struct sv text,
                   struct buf *out)
{
    size_t kept = 0;
    size_t at = 0;

    while (at < text.n) {
        size_t longest = 0;
        for (size_t i = 0; i < count; i++) {
            struct sv secret = secret_reveal(secrets[i]);
            if (secret.n >= SHORTEST_BYTES && can_start(text.p[at], secret.p[0])) {
                size_t n = longest_match(sv_sub(text, at, text.n), secret);
                longest = n > longest ? n : longest;
            }
        }
        if (longest == 0) {
            at++;
            continue;
        }
        buf_add(out, sv_sub(text, kept, at - kept));
        buf_addz(out, MASK);
        at += longest;
        kept = at;
    }
    buf_add(out, sv_sub(text, kept, text.n));
}

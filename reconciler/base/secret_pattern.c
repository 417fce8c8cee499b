/*
 * Hiding what looks like a credential although the value is unknown: key = value pairs
 * whose key speaks of a password, IDENTIFIED BY, and the user part of a URL. When a
 * value's end is in doubt more is hidden, never less.
 */
#include "base/secret.h"

#include <stdint.h>

#define MASK "***"

static char at_or_nul(struct sv text, size_t at)
{
    if (at < text.n) {
        return text.p[at];
    }
    return '\0';
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_alnum(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool is_word(char c)
{
    return is_alnum(c) || c == '_' || c == '.' || c == '-' || (unsigned char)c >= 0x80;
}

static bool is_quote(char c)
{
    return c == '\'' || c == '"' || c == '`';
}

static size_t skip_space(struct sv text, size_t at)
{
    while (is_space(at_or_nul(text, at))) {
        at++;
    }
    return at;
}

static size_t skip_word(struct sv text, size_t at)
{
    while (at < text.n && is_word(text.p[at])) {
        at++;
    }
    return at;
}

static size_t skip_char(struct sv text, size_t at, char c)
{
    while (at_or_nul(text, at) == c && at < text.n) {
        at++;
    }
    return at;
}

static bool is_secret_key(struct sv word)
{
    static const char *const endings[] = {
        "password",  "passwd",     "passphrase", "pwd",        "secret_key",
        "secretkey", "secret.key", "access_key", "access.key", "authorization"};

    for (size_t i = 0; i < COUNT_OF(endings); i++) {
        struct sv ending = sv_from(endings[i]);
        if (word.n >= ending.n &&
            sv_eq_nocase(sv_sub(word, word.n - ending.n, ending.n), ending)) {
            return true;
        }
    }
    return false;
}

/* What opens a quoted value: backslashes (SQL inside JSON) and a quote, perhaps doubled.
 */
struct quote {
    size_t from; /* first byte of the value */
    size_t backslashes;
    char mark; /* NUL: the value is not quoted */
    bool twice;
};

static struct quote open_quote(struct sv text, size_t at)
{
    size_t slashes = skip_char(text, at, '\\') - at;
    char mark = at_or_nul(text, at + slashes);

    /* E'...', N'...', X'...': a letter before the quote belongs to the literal. */
    if (slashes == 0 && is_alnum(mark) && is_quote(at_or_nul(text, at + 1))) {
        return open_quote(text, at + 1);
    }
    if (!is_quote(mark)) {
        return (struct quote){.from = at};
    }
    struct quote q = {at + slashes + 1, slashes, mark, false};
    /* '' and then neither an end nor a separator: a literal inside another literal. */
    char behind = at_or_nul(text, q.from + 1);
    if (slashes == 0 && at_or_nul(text, q.from) == mark && behind != '\0' &&
        behind != mark && !is_space(behind) &&
        !sv_contains(SV(",;)}]&"), (struct sv){&behind, 1})) {
        q.twice = true;
        q.from++;
    }
    return q;
}

/* Offset of the closing delimiter, or the text's end when there is none. */
static size_t quoted_end(struct sv text, struct quote q)
{
    size_t at = q.from;

    while (at < text.n) {
        size_t slashes = skip_char(text, at, '\\') - at;
        bool here = at_or_nul(text, at + slashes) == q.mark && at + slashes < text.n;
        if (q.backslashes > 0) {
            if (here && slashes == q.backslashes) {
                return at;
            }
            at += slashes + 1;
        } else if (slashes > 0) {
            at += slashes + slashes % 2; /* an odd one hides the byte behind it */
        } else if (!here) {
            at++;
        } else if (q.twice) {
            if (at_or_nul(text, at + 1) == q.mark) {
                return at;
            }
            at++;
        } else if (at_or_nul(text, at + 1) == q.mark) {
            at += 2;
        } else {
            return at;
        }
    }
    return text.n;
}

/* Behind the brace that closes the object or list at `at`. */
static size_t container_end(struct sv text, size_t at)
{
    size_t depth = 0;

    while (at < text.n) {
        char c = text.p[at];
        if (c == '"') {
            at = quoted_end(text, (struct quote){at + 1, 0, '"', false});
        } else if (c == '{' || c == '[') {
            depth++;
        } else if ((c == '}' || c == ']') && --depth == 0) {
            return at + 1;
        }
        at++;
    }
    return text.n;
}

static size_t bare_end(struct sv text, size_t at)
{
    while (at < text.n && !is_space(text.p[at]) &&
           !sv_contains(SV(",;)}]&'\"`\\"), sv_sub(text, at, 1))) {
        at++;
    }
    return at;
}

/*
 * A value starts at `at`: hides it and returns where the text goes on. `bare`: unquoted
 * values count too.
 */
static size_t hide_value(struct sv text, size_t at, bool bare, struct buf *out)
{
    struct quote q = open_quote(text, at);
    size_t end = 0;

    if (q.mark != '\0') {
        end = quoted_end(text, q);
        buf_add(out, sv_sub(text, at, q.from - at));
        buf_addz(out, MASK);
        return end;
    }
    if (at_or_nul(text, at) == '{' || at_or_nul(text, at) == '[') {
        buf_addz(out, "\"" MASK "\"");
        return container_end(text, at);
    }
    end = bare_end(text, at);
    /* `password = secret name` names an object of the server and gives nothing away. */
    bool reference = sv_eq_nocase(sv_sub(text, at, end - at), SV("secret"));
    if (!bare || end == at || reference) {
        return at;
    }
    buf_addz(out, MASK);
    return end;
}

/* Behind a key that speaks of a password: copies up to the value and hides it. */
static size_t after_key(struct sv text, size_t key_from, size_t key_end, struct buf *out)
{
    size_t at = key_end;
    bool quoted = key_from > 0 && is_quote(text.p[key_from - 1]);

    at = skip_char(text, at, '\\');
    if (quoted && at_or_nul(text, at) == text.p[key_from - 1]) {
        at = skip_char(text, at, text.p[key_from - 1]);
    }
    at = skip_space(text, at);
    char sign = at_or_nul(text, at);
    if (sign != '=' && sign != ':' && sign != '(') {
        return key_end;
    }
    at++;
    if (at_or_nul(text, at) == '>') {
        at++;
    }
    at = skip_space(text, at);
    buf_add(out, sv_sub(text, key_end, at - key_end));
    if (sv_eq_nocase(sv_sub(text, key_from, key_end - key_from), SV("authorization"))) {
        size_t end = at;
        while (end < text.n && text.p[end] != '\n' && text.p[end] != '\r') {
            end++;
        }
        buf_addz(out, MASK);
        return end;
    }
    /* "(using password: YES)" is a server's hint, so a bare value counts only after '='
     * or behind a quoted key. */
    return hide_value(text, at, sign == '=' || (sign == ':' && quoted), out);
}

static bool take_word(struct sv text, size_t *at, struct sv word)
{
    size_t from = skip_space(text, *at);
    size_t end = skip_word(text, from);

    if (!sv_eq_nocase(sv_sub(text, from, end - from), word)) {
        return false;
    }
    *at = end;
    return true;
}

/* IDENTIFIED [WITH plugin] {BY | AS} [PASSWORD] 'value' */
static size_t after_identified(struct sv text, size_t from, struct buf *out)
{
    size_t at = from;

    if (take_word(text, &at, SV("with"))) {
        at = skip_space(text, at);
        struct quote q = open_quote(text, at);
        at = q.mark == '\0' ? skip_word(text, at)
                            : quoted_end(text, q) + q.backslashes + 1;
    }
    if (!take_word(text, &at, SV("by")) && !take_word(text, &at, SV("as"))) {
        return from;
    }
    (void)take_word(text, &at, SV("password"));
    at = skip_space(text, at);
    buf_add(out, sv_sub(text, from, at - from));
    return hide_value(text, at, false, out);
}

static bool is_port(struct sv text)
{
    uint64_t port = 0;

    return text.n == 0 || (text.n <= 5 && sv_uint64(text, &port));
}

/* Behind "scheme://": hides the password of "user:password@host". */
static size_t after_scheme(struct sv text, size_t from, struct buf *out)
{
    size_t end = from;
    size_t authority_end = SIZE_MAX;
    size_t colon = SIZE_MAX;
    size_t last_at = SIZE_MAX;
    size_t last_at_in_authority = SIZE_MAX;

    for (; end < text.n && !is_space(text.p[end]) &&
           !sv_contains(SV("'\"`<>"), sv_sub(text, end, 1));
         end++) {
        char c = text.p[end];
        if ((c == '/' || c == '?' || c == '#') && authority_end == SIZE_MAX) {
            authority_end = end;
        }
        if (c == ':' && colon == SIZE_MAX && authority_end == SIZE_MAX) {
            colon = end;
        }
        if (c == '@') {
            last_at = end;
            last_at_in_authority = authority_end == SIZE_MAX ? end : last_at_in_authority;
        }
    }
    size_t host = last_at_in_authority;
    authority_end = authority_end == SIZE_MAX ? end : authority_end;
    /* A '/' in the password ends the authority early; what follows the colon is no port
     * then. */
    if (host == SIZE_MAX && colon != SIZE_MAX &&
        !is_port(sv_sub(text, colon + 1, authority_end - colon - 1))) {
        host = last_at;
    }
    if (host == SIZE_MAX || colon == SIZE_MAX || colon > host) {
        return from;
    }
    buf_add(out, sv_sub(text, from, colon + 1 - from));
    buf_addz(out, MASK);
    return host;
}

void secret_redact_pattern(struct sv text, struct buf *out)
{
    size_t at = 0;

    while (at < text.n) {
        if (!is_word(text.p[at])) {
            buf_addc(out, text.p[at++]);
            continue;
        }
        size_t from = at;
        size_t end = skip_word(text, from);
        struct sv word = sv_sub(text, from, end - from);
        at = end;
        buf_add(out, word);
        if (sv_starts(sv_sub(text, end, 3), SV("://"))) {
            buf_addz(out, "://");
            at = after_scheme(text, end + 3, out);
        } else if (is_secret_key(word)) {
            at = after_key(text, from, end, out);
        } else if (sv_eq_nocase(word, SV("identified"))) {
            at = after_identified(text, end, out);
        }
    }
}

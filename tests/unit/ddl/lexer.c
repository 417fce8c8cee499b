#include "lexer.h"

#include "base/buf.h"

#include <string.h>

static bool is_word(char c, bool first)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           (!first && ((c >= '0' && c <= '9') || c == '$'));
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* RisingWave: no escape at all. StarRocks: doubled back-quotes vanish, which is never
 * meant. */
static struct token quoted_name(struct sv *rest, char quote)
{
    struct sv text = sv_sub(*rest, 1, rest->n);

    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == quote) {
            *rest = sv_sub(text, i + 1, text.n);
            bool doubled = rest->n > 0 && rest->p[0] == quote;
            return (struct token){doubled ? TOKEN_BAD : TOKEN_IDENT, sv_sub(text, 0, i)};
        }
    }
    return (struct token){TOKEN_BAD, *rest};
}

static char unescape(char c)
{
    static const char from[] = "ntrb0Z";
    static const char to[] = "\n\t\r\b\0\x1a";
    const char *at = c == '\0' ? NULL : strchr(from, c);

    return at == NULL ? c : to[at - from];
}

static struct token string_literal(enum sql_dialect dialect, struct sv *rest,
                                   struct arena *arena)
{
    char quote = rest->p[0];
    char *out = arena_alloc(arena, rest->n + 1);
    size_t n = 0;

    for (size_t i = 1; i < rest->n; i++) {
        char c = rest->p[i];
        bool more = i + 1 < rest->n;
        if (c == '\0') {
            break;
        }
        if (c == quote && more && rest->p[i + 1] == quote) {
            out[n++] = quote;
            i++;
        } else if (c == quote) {
            *rest = sv_sub(*rest, i + 1, rest->n);
            return (struct token){TOKEN_STRING, {out, n}};
        } else if (c == '\\' && dialect != SQL_RISINGWAVE && more) {
            char next = rest->p[++i];
            if (next == '_' || next == '%') {
                out[n++] = '\\';
            }
            out[n++] = unescape(next);
        } else {
            out[n++] = c;
        }
    }
    return (struct token){TOKEN_BAD, *rest};
}

static struct token run(struct sv *rest, enum token_kind kind)
{
    size_t n = 1;

    while (n < rest->n &&
           (kind == TOKEN_WORD ? is_word(rest->p[n], false) : is_digit(rest->p[n]))) {
        n++;
    }
    struct token token = {kind, sv_sub(*rest, 0, n)};
    *rest = sv_sub(*rest, n, rest->n);
    /* E'..' would be another kind of literal with other escapes. */
    if (kind == TOKEN_WORD && rest->n > 0 && rest->p[0] == '\'') {
        token.kind = TOKEN_BAD;
    }
    return token;
}

struct token lexer_next(enum sql_dialect dialect, struct sv *rest, struct arena *arena)
{
    char ident_quote = dialect == SQL_RISINGWAVE ? '"' : '`';

    while (rest->n > 0 && rest->p[0] == ' ') {
        *rest = sv_sub(*rest, 1, rest->n);
    }
    if (rest->n == 0) {
        return (struct token){TOKEN_END, SV_NULL};
    }
    char c = rest->p[0];
    if (c == ident_quote) {
        return quoted_name(rest, c);
    }
    if (c == '\'' || (c == '"' && dialect != SQL_RISINGWAVE)) {
        return string_literal(dialect, rest, arena);
    }
    if (is_word(c, true)) {
        return run(rest, TOKEN_WORD);
    }
    if (is_digit(c)) {
        return run(rest, TOKEN_NUMBER);
    }
    bool pair = sv_starts(*rest, SV("::"));
    bool known = c != '\0' && strchr("(),.=", c) != NULL;
    struct token token = {pair || known ? TOKEN_PUNCT : TOKEN_BAD,
                          sv_sub(*rest, 0, pair ? 2 : 1)};
    *rest = sv_sub(*rest, token.text.n, rest->n);
    return token;
}

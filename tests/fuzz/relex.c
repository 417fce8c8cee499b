#include "relex.h"

#include "fuzz.h"

#include <string.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$' ||
           is_digit(c);
}

static char char_at(const struct relex *lexer, size_t at)
{
    return at < lexer->rest.n ? lexer->rest.p[at] : '\0';
}

static struct relex_token take(struct relex *lexer, enum relex_kind kind,
                               size_t size_bytes)
{
    struct relex_token token = {kind, sv_sub(lexer->rest, 0, size_bytes)};

    lexer->rest = sv_sub(lexer->rest, size_bytes, lexer->rest.n);
    return token;
}

/*
 * RisingWave has no escape in names (verified 6), StarRocks drops doubled back-quotes
 * (verified 26): there a quote that follows the closing one is a broken name. MySQL reads
 * it as one.
 */
static struct relex_token take_name(struct relex *lexer, char quote)
{
    char *name = arena_alloc(lexer->arena, lexer->rest.n);
    size_t n = 0;

    for (size_t at = 1; at < lexer->rest.n; at++) {
        char c = lexer->rest.p[at];
        if (c != quote) {
            name[n++] = c;
        } else if (char_at(lexer, at + 1) != quote) {
            struct relex_token token = take(lexer, RELEX_IDENT, at + 1);
            token.text = (struct sv){name, n};
            return token;
        } else if (lexer->dialect == SQL_MYSQL) {
            name[n++] = quote;
            at++;
        } else {
            break;
        }
    }
    return take(lexer, RELEX_BAD, lexer->rest.n);
}

/*
 * What "\c" stands for in StarRocks and MySQL (starrocks.md 5.4): up to two bytes, 0 of
 * them when the contract does not say.
 */
static size_t escaped(char c, char out[2])
{
    static const char from[] = "ntrb0Z\\'\"";
    static const char to[] = "\n\t\r\b\0\x1a\\'\"";
    const char *at = c == '\0' ? NULL : strchr(from, c);

    if (c == '_' || c == '%') {
        out[0] = '\\';
        out[1] = c;
        return 2;
    }
    out[0] = at == NULL ? '\0' : to[at - from];
    return at == NULL ? 0 : 1;
}

/* A doubled quote is one everywhere; a backslash is a plain byte in RisingWave only. */
static struct relex_token take_string(struct relex *lexer)
{
    char quote = lexer->rest.p[0];
    char *text = arena_alloc(lexer->arena, lexer->rest.n);
    size_t n = 0;

    for (size_t at = 1; at < lexer->rest.n; at++) {
        char c = lexer->rest.p[at];
        if (c == '\\' && lexer->dialect != SQL_RISINGWAVE) {
            size_t more = escaped(char_at(lexer, ++at), text + n);
            if (more == 0) {
                break;
            }
            n += more;
        } else if (c != quote) {
            text[n++] = c;
        } else if (char_at(lexer, at + 1) == quote) {
            text[n++] = quote;
            at++;
        } else {
            struct relex_token token = take(lexer, RELEX_STRING, at + 1);
            token.text = (struct sv){text, n};
            return token;
        }
    }
    return take(lexer, RELEX_BAD, lexer->rest.n);
}

/* 1, 1.5, .5, 1e-3; glued to a word it would be something else. */
static struct relex_token take_number(struct relex *lexer)
{
    size_t n = 0;

    while (is_digit(char_at(lexer, n))) {
        n++;
    }
    if (char_at(lexer, n) == '.') {
        n++;
        while (is_digit(char_at(lexer, n))) {
            n++;
        }
    }
    if ((char_at(lexer, n) | 0x20) == 'e') {
        size_t sign = char_at(lexer, n + 1) == '-' || char_at(lexer, n + 1) == '+';
        if (is_digit(char_at(lexer, n + 1 + sign))) {
            n += 1 + sign;
            while (is_digit(char_at(lexer, n))) {
                n++;
            }
        }
    }
    bool glued = is_word(char_at(lexer, n)) || char_at(lexer, n) == '.';
    return take(lexer, glued ? RELEX_BAD : RELEX_NUMBER, n);
}

/* E'..', X'..' and their kin are other literals, with other escapes. */
static struct relex_token take_word(struct relex *lexer)
{
    size_t n = 0;

    while (is_word(char_at(lexer, n))) {
        n++;
    }
    char next = char_at(lexer, n);
    bool prefix = next == '\'' || (lexer->dialect == SQL_RISINGWAVE && next == '&');
    return take(lexer, prefix ? RELEX_BAD : RELEX_WORD, n);
}

static struct relex_token take_punct(struct relex *lexer)
{
    static const struct sv longer[] = {
        SV_INIT("->>"), SV_INIT("::"), SV_INIT("<>"), SV_INIT("<="),
        SV_INIT(">="),  SV_INIT("||"), SV_INIT("!="), SV_INIT("->"),
        SV_INIT("<<"),  SV_INIT(">>"), SV_INIT("=>"),
    };
    static const char single[] = "(),.;:=<>+-*/%|[]{}&^~!@?";
    char c = lexer->rest.p[0];

    for (size_t i = 0; i < COUNT_OF(longer); i++) {
        if (sv_starts(lexer->rest, longer[i])) {
            return take(lexer, RELEX_PUNCT, longer[i].n);
        }
    }
    return take(lexer, c != '\0' && strchr(single, c) != NULL ? RELEX_PUNCT : RELEX_BAD,
                1);
}

struct relex_token relex_next(struct relex *lexer)
{
    bool risingwave = lexer->dialect == SQL_RISINGWAVE;

    while (char_at(lexer, 0) != '\0' && strchr(" \t\r\n", char_at(lexer, 0)) != NULL) {
        (void)take(lexer, RELEX_END, 1);
    }
    if (lexer->rest.n == 0) {
        return (struct relex_token){RELEX_END, SV_NULL};
    }
    char c = lexer->rest.p[0];
    if (sv_starts(lexer->rest, SV("--")) || sv_starts(lexer->rest, SV("/*")) ||
        sv_starts(lexer->rest, SV("*/")) || (c == '#' && !risingwave)) {
        return take(lexer, RELEX_COMMENT, lexer->rest.n);
    }
    if (c == (risingwave ? '"' : '`')) {
        return take_name(lexer, c);
    }
    if (c == '\'' || (c == '"' && !risingwave)) {
        return take_string(lexer);
    }
    if (is_digit(c) || (c == '.' && is_digit(char_at(lexer, 1)))) {
        return take_number(lexer);
    }
    /* $1 and $$ are parameters and quotes of another kind. */
    return is_word(c) && c != '$' ? take_word(lexer) : take_punct(lexer);
}

void relex_expect(struct relex *lexer, enum relex_kind kind, struct sv text)
{
    struct sv before = lexer->rest;
    struct relex_token token = relex_next(lexer);

    fuzz_require(token.kind == kind && sv_eq(token.text, text),
                 "token of kind %d '%.*s' instead of %d '%.*s' at: %.*s", (int)token.kind,
                 SV_ARGS(token.text), (int)kind, SV_ARGS(text), SV_ARGS(before));
}

#include "sql.h"

#include "base/buf.h"

#include <string.h>

#define TEXT_MAX ((size_t)1024 * 1024)

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '_' || c == '.' || c == '-';
}

static char unescaped(char c)
{
    return c == 'n' ? '\n' : c == 'r' ? '\r' : c == 'Z' ? '\x1a' : c;
}

/* A quoted token up to its closing quote, with the dialect's escapes undone. */
static void read_quoted(struct sql *s, char quote)
{
    AUTO(buf_deinit) struct buf text;
    size_t i = 1;

    buf_init(&text, TEXT_MAX);
    for (; i < s->rest.n; i++) {
        char c = s->rest.p[i];

        if (quote == '\'' && s->dialect != SQL_RISINGWAVE && c == '\\') {
            buf_addc(&text, unescaped(s->rest.p[++i]));
        } else if (c == quote && quote == '\'' && i + 1 < s->rest.n &&
                   s->rest.p[i + 1] == quote) {
            buf_addc(&text, c);
            i++;
        } else if (c == quote) {
            break;
        } else {
            buf_addc(&text, c);
        }
    }
    s->broken = s->broken || i >= s->rest.n;
    s->token = quote == '\'' ? SQL_TEXT : SQL_NAME;
    s->value = arena_copy(s->arena, buf_sv(&text));
    s->rest = sv_sub(s->rest, i + 1, s->rest.n);
}

static void advance(struct sql *s)
{
    size_t n = 0;

    s->rest = sv_trim(s->rest);
    if (s->rest.n == 0) {
        s->token = SQL_END;
        s->value = "";
        return;
    }
    char quote = s->dialect == SQL_RISINGWAVE ? '"' : '`';
    if (s->rest.p[0] == '\'' || s->rest.p[0] == quote) {
        read_quoted(s, s->rest.p[0]);
        return;
    }
    while (n < s->rest.n && is_word(s->rest.p[n])) {
        n++;
    }
    s->token = n > 0 && s->rest.p[0] != '.' ? SQL_WORD : SQL_MARK;
    n = s->token == SQL_MARK ? 1 : n;
    s->value = arena_copy(s->arena, sv_sub(s->rest, 0, n));
    s->rest = sv_sub(s->rest, n, s->rest.n);
}

void sql_init(struct sql *s, enum sql_dialect dialect, const char *text,
              struct arena *arena)
{
    *s = (struct sql){.arena = arena, .dialect = dialect, .rest = sv_from(text)};
    advance(s);
}

bool sql_take(struct sql *s, const char *word)
{
    bool plain = s->token == SQL_WORD || s->token == SQL_MARK;

    if (!plain || !sv_eq_nocase(sv_from(s->value), sv_from(word))) {
        return false;
    }
    advance(s);
    return true;
}

void sql_want(struct sql *s, const char *words)
{
    struct sv rest = sv_from(words);

    while (rest.n > 0) {
        if (!sql_take(s, arena_copy(s->arena, sv_cut(&rest, ' ')))) {
            s->broken = true;
            return;
        }
    }
}

static const char *want(struct sql *s, enum sql_token token)
{
    const char *value = s->value;

    if (s->token != token) {
        s->broken = true;
        return "";
    }
    advance(s);
    return value;
}

const char *sql_want_name(struct sql *s)
{
    return want(s, SQL_NAME);
}

const char *sql_want_text(struct sql *s)
{
    return want(s, SQL_TEXT);
}

const char *sql_take_any(struct sql *s)
{
    const char *value = s->value;

    s->broken = s->broken || s->token == SQL_END;
    advance(s);
    return value;
}

void sql_qualified(struct sql *s, const char **out_outer, const char **out_inner)
{
    *out_outer = sql_want_name(s);
    sql_want(s, ".");
    *out_inner = sql_want_name(s);
}

void sql_options(struct sql *s, struct sql_options *out_options)
{
    struct sql_options options = {0};

    sql_want(s, "(");
    while (!s->broken) {
        struct sql_option option = {.key = sql_take_any(s)};

        sql_want(s, "=");
        option.value = sql_want_text(s);
        VEC_PUSH(s->arena, &options.list, option);
        if (!sql_take(s, ",")) {
            break;
        }
    }
    sql_want(s, ")");
    *out_options = options;
}

const char *sql_option(const struct sql_options *options, const char *key)
{
    for (size_t i = 0; i < options->list.n; i++) {
        if (strcmp(options->list.v[i].key, key) == 0) {
            return options->list.v[i].value;
        }
    }
    return NULL;
}

bool sql_done(const struct sql *s)
{
    return !s->broken && s->token == SQL_END;
}

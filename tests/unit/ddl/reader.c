#include "reader.h"

#include <string.h>

void reader_advance(struct reader *r)
{
    r->next = lexer_next(r->dialect, &r->rest, r->w->arena);
    if (r->next.kind == TOKEN_BAD) {
        fail_msg("a server's lexer stumbles at '%.*s' in: %s", SV_ARGS(r->next.text),
                 r->sql);
    }
}

bool reader_accept(struct reader *r, const char *text)
{
    bool is_text = r->next.kind == TOKEN_WORD || r->next.kind == TOKEN_PUNCT ||
                   r->next.kind == TOKEN_NUMBER;

    if (!is_text || !sv_eq(r->next.text, sv_from(text))) {
        return false;
    }
    reader_advance(r);
    return true;
}

void reader_expect(struct reader *r, const char *text)
{
    struct sv phrase = sv_from(text);

    while (phrase.n > 0) {
        struct sv word = sv_cut(&phrase, ' ');
        if (!reader_accept(r, arena_copy(r->w->arena, word))) {
            fail_msg("expected %.*s, found '%.*s' in: %s", SV_ARGS(word),
                     SV_ARGS(r->next.text), r->sql);
        }
    }
}

const char *reader_take(struct reader *r, enum token_kind kind)
{
    if (r->next.kind != kind) {
        fail_msg("unexpected '%.*s' in: %s", SV_ARGS(r->next.text), r->sql);
    }
    const char *text = arena_copy(r->w->arena, r->next.text);
    reader_advance(r);
    return text;
}

const char *reader_qualified(struct reader *r, const char *outer)
{
    assert_string_equal(reader_take(r, TOKEN_IDENT), outer);
    reader_expect(r, ".");
    return reader_take(r, TOKEN_IDENT);
}

void reader_idents(struct reader *r, struct strlist *out)
{
    reader_expect(r, "(");
    do {
        VEC_PUSH(r->w->arena, out, reader_take(r, TOKEN_IDENT));
    } while (reader_accept(r, ","));
    reader_expect(r, ")");
}

bool reader_listed(const struct strlist *list, const char *name)
{
    for (size_t i = 0; i < list->n; i++) {
        if (strcmp(list->v[i], name) == 0) {
            return true;
        }
    }
    return false;
}

/*
 * String literals. The first line of an input is a table's name, the second a password,
 * the rest a value; all of it goes into one statement of each dialect, which must read
 * back as exactly these tokens.
 */
#include "fuzz.h"
#include "relex.h"

#include "ddl/stmt.h"

#include <string.h>

#define INPUT_BYTES_MAX ((size_t)16384)

struct parts {
    struct sv name, password, value;
};

static bool is_sound(struct sv text)
{
    return fuzz_is_utf8(text) && (text.n == 0 || memchr(text.p, '\0', text.n) == NULL);
}

static void check_tokens(struct sv statement, enum sql_dialect dialect,
                         const struct parts *parts, struct arena *arena)
{
    struct relex lexer = {dialect, statement, arena};

    relex_expect(&lexer, RELEX_WORD, SV("SET"));
    relex_expect(&lexer, RELEX_IDENT, SV("a b"));
    relex_expect(&lexer, RELEX_PUNCT, SV("."));
    relex_expect(&lexer, RELEX_IDENT, parts->name);
    relex_expect(&lexer, RELEX_PUNCT, SV("="));
    relex_expect(&lexer, RELEX_STRING, parts->value);
    relex_expect(&lexer, RELEX_PUNCT, SV(","));
    relex_expect(&lexer, RELEX_STRING, parts->password);
    relex_expect(&lexer, RELEX_PUNCT, SV(","));
    relex_expect(&lexer, RELEX_STRING, SV(""));
    relex_expect(&lexer, RELEX_PUNCT, SV(","));
    relex_expect(&lexer, RELEX_NUMBER, SV("42"));
    relex_expect(&lexer, RELEX_END, SV_NULL);
}

static const struct ident *name_of(struct sv name, enum sql_dialect dialect,
                                   struct arena *arena)
{
    const struct ident *ident = NULL;
    struct fault fault = FAULT_INIT;

    return ident_parse(arena, name, dialect, IDENT_TABLE, &ident, &fault) ? ident : NULL;
}

static void check(struct parts parts, const struct secret *password,
                  enum sql_dialect dialect, struct arena *arena)
{
    AUTO(buf_deinit) struct buf text = {0};
    struct stmt *s = stmt_new(arena, dialect);
    struct fault fault = FAULT_INIT;
    const struct ident *name = name_of(parts.name, dialect, arena);

    if (name == NULL) {
        parts.name = SV("t");
        name = name_of(parts.name, dialect, arena);
    }
    stmt_text(s, "SET ");
    stmt_qualified(s, name_of(SV("a b"), dialect, arena), name);
    stmt_text(s, "=");
    stmt_str(s, parts.value);
    stmt_text(s, ",");
    stmt_secret(s, password);
    stmt_text(s, ",");
    stmt_str(s, SV_NULL);
    stmt_text(s, ",");
    stmt_int(s, 42);

    bool sound = is_sound(parts.value) && is_sound(parts.password);
    fuzz_require(stmt_check(s, &fault) == sound, "%s: %s",
                 sound ? "a sound value is refused" : "a broken value passes",
                 fault.text);
    if (!sound) {
        fuzz_refusal(&fault, fault_class_reason(FAULT_REFUSED));
        return;
    }
    fuzz_reached();
    buf_init(&text, STMT_BYTES_MAX);
    stmt_render(s, &text);
    check_tokens(buf_sv(&text), dialect, &parts, arena);
    /* Whatever the password is: everybody else reads three stars in its place. */
    parts.password = SV("***");
    check_tokens(sv_from(stmt_redacted(s, arena)), dialect, &parts, arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
    AUTO(arena_freep) struct arena *arena = NULL;
    AUTO(secret_freep) struct secret *password = NULL;
    struct sv rest = {(const char *)data, size_bytes};
    struct parts parts = {.name = fuzz_line(&rest)};

    if (size_bytes > INPUT_BYTES_MAX) {
        return -1;
    }
    arena = arena_new(ARENA_CEILING_BYTES);
    parts.password = fuzz_line(&rest);
    parts.value = rest;
    password = secret_new(parts.password);
    for (enum sql_dialect dialect = 1; dialect < SQL_DIALECT_MAX; dialect++) {
        check(parts, password, dialect, arena);
    }
    return 0;
}

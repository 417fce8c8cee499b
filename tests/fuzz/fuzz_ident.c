/*
 * Names. The input is a name; it goes through every dialect as every kind. Each one that
 * is accepted must come out of a statement as one identifier, the very same.
 */
#include "fuzz.h"
#include "relex.h"

#include "ddl/stmt.h"

#include <string.h>

#define NAME_BYTES_MAX ((size_t)4096)

/* Letters, digits and underscores: no server has anything against these. */
static bool is_plain(struct sv name)
{
    static const char *const system_columns[] = {"tableoid", "xmin", "cmin",
                                                 "xmax",     "cmax", "ctid"};

    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        bool other = (c >= '0' && c <= '9') || c == '_';
        if (!letter && (i == 0 || !other)) {
            return false;
        }
    }
    for (size_t i = 0; i < COUNT_OF(system_columns); i++) {
        if (sv_eq(name, sv_from(system_columns[i]))) {
            return false;
        }
    }
    return name.n > 0 && name.n <= 64;
}

static void check_rendered(const struct ident *ident, enum sql_dialect dialect,
                           struct sv name, struct arena *arena)
{
    AUTO(buf_deinit) struct buf text = {0};
    struct stmt *s = stmt_new(arena, dialect);
    struct fault fault = FAULT_INIT;

    stmt_text(s, "DROP TABLE ");
    stmt_ident(s, ident);
    stmt_text(s, ";");
    fuzz_require(stmt_check(s, &fault), "%s", fault.text);
    buf_init(&text, STMT_BYTES_MAX);
    stmt_render(s, &text);

    struct relex lexer = {dialect, buf_sv(&text), arena};
    relex_expect(&lexer, RELEX_WORD, SV("DROP"));
    relex_expect(&lexer, RELEX_WORD, SV("TABLE"));
    relex_expect(&lexer, RELEX_IDENT, name);
    relex_expect(&lexer, RELEX_PUNCT, SV(";"));
    relex_expect(&lexer, RELEX_END, SV_NULL);
    fuzz_require(sv_eq(buf_sv(&text), sv_from(stmt_redacted(s, arena))),
                 "a name is no secret");
}

static void check(struct sv name, enum sql_dialect dialect, enum ident_kind kind,
                  struct arena *arena)
{
    static const char untouched;
    const struct ident *const nothing = (const void *)&untouched;
    const struct ident *ident = nothing;
    struct fault fault = FAULT_INIT;

    if (!ident_parse(arena, name, dialect, kind, &ident, &fault)) {
        fuzz_require(!is_plain(name), "%s", fault.text);
        fuzz_require(ident == nothing, "output written on failure");
        fuzz_refusal(&fault, "UnsupportedName");
        return;
    }
    fuzz_reached();
    fuzz_require(fault.class == FAULT_NONE, "%s", fault.text);
    fuzz_require(name.n > 0 && memchr(name.p, '\0', name.n) == NULL && fuzz_is_utf8(name),
                 "accepted");
    fuzz_require(sv_eq(ident_name(ident), name) && ident_dialect(ident) == dialect,
                 "another name");
    check_rendered(ident, dialect, name, arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
    AUTO(arena_freep) struct arena *arena = NULL;
    struct sv name = {(const char *)data, size_bytes};

    if (size_bytes > NAME_BYTES_MAX) {
        return -1;
    }
    arena = arena_new(ARENA_CEILING_BYTES);
    for (enum sql_dialect dialect = 1; dialect < SQL_DIALECT_MAX; dialect++) {
        for (enum ident_kind kind = 1; kind < IDENT_KIND_MAX; kind++) {
            check(name, dialect, kind, arena);
        }
    }
    return 0;
}

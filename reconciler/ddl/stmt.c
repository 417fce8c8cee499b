#include "ddl/stmt.h"

#include "base/vec.h"

#include <string.h>

enum part_kind {
    PART_TEXT = 1,
    PART_IDENT,
    PART_INT,
    PART_STR,
    PART_SECRET,
    PART_PRIVATE, /* until PART_PUBLIC */
    PART_PUBLIC
};

struct part {
    enum part_kind kind;
    struct sv text;
    const struct ident *ident;
    int64_t number;
    const struct secret *secret;
};

struct stmt {
    struct arena *arena;
    enum sql_dialect dialect;
    const char *broken; /* why it must not be sent; NULL: sound */
    VEC(struct part) parts;
};

struct stmt *stmt_new(struct arena *arena, enum sql_dialect dialect)
{
    must(dialect > 0 && dialect < SQL_DIALECT_MAX);

    struct stmt *s = ARENA_NEW(arena, struct stmt);
    s->arena = arena;
    s->dialect = dialect;
    return s;
}

void stmt_add_literal_(struct stmt *s, const char *literal, size_t size_bytes)
{
    struct part part = {.kind = PART_TEXT, .text = {literal, size_bytes}};

    VEC_PUSH(s->arena, &s->parts, part);
}

void stmt_ident(struct stmt *s, const struct ident *ident)
{
    struct part part = {.kind = PART_IDENT, .ident = ident};

    must(ident_dialect(ident) == s->dialect);
    VEC_PUSH(s->arena, &s->parts, part);
}

void stmt_qualified(struct stmt *s, const struct ident *outer, const struct ident *inner)
{
    stmt_ident(s, outer);
    stmt_text(s, ".");
    stmt_ident(s, inner);
}

void stmt_int(struct stmt *s, int64_t value)
{
    struct part part = {.kind = PART_INT, .number = value};

    VEC_PUSH(s->arena, &s->parts, part);
}

/* No engine carries these in a literal, whatever the escape. */
static const char *literal_problem(struct sv text)
{
    if (text.n > 0 && memchr(text.p, '\0', text.n) != NULL) {
        return "a text value holds a NUL byte";
    }
    if (!sv_is_utf8(text)) {
        return "a text value is not valid UTF-8";
    }
    return NULL;
}

static void note_problem(struct stmt *s, const char *problem)
{
    if (s->broken == NULL) {
        s->broken = problem;
    }
}

void stmt_str(struct stmt *s, struct sv text)
{
    struct part part = {.kind = PART_STR, .text = arena_sv(s->arena, text)};

    note_problem(s, literal_problem(text));
    VEC_PUSH(s->arena, &s->parts, part);
}

void stmt_private_begin(struct stmt *s, size_t rows)
{
    struct part part = {.kind = PART_PRIVATE, .number = (int64_t)rows};

    VEC_PUSH(s->arena, &s->parts, part);
}

void stmt_private_end(struct stmt *s)
{
    struct part part = {.kind = PART_PUBLIC};

    VEC_PUSH(s->arena, &s->parts, part);
}

void stmt_secret(struct stmt *s, const struct secret *secret)
{
    struct part part = {.kind = PART_SECRET, .secret = secret};

    if (literal_problem(secret_reveal(secret)) != NULL) {
        note_problem(s, "a password holds a NUL byte or is not valid UTF-8");
    }
    VEC_PUSH(s->arena, &s->parts, part);
}

enum sql_dialect stmt_dialect(const struct stmt *s)
{
    return s->dialect;
}

/*
 * RisingWave: '' is the only escape, a backslash is a plain character
 * (risingwave.md 1.1). StarRocks: what mysql_real_escape_string() does came back byte for
 * byte (verified 27).
 */
static void render_literal(enum sql_dialect dialect, struct sv text, struct buf *out)
{
    static const char plain[] = "\\'\"\n\r\x1a";
    static const char escape[] = "\\'\"nrZ";

    buf_addc(out, '\'');
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        const char *at = c == '\0' ? NULL : strchr(plain, c);
        if (dialect == SQL_RISINGWAVE) {
            buf_add(out, c == '\'' ? SV("''") : (struct sv){&text.p[i], 1});
        } else if (at != NULL) {
            buf_addc(out, '\\');
            buf_addc(out, escape[at - plain]);
        } else {
            buf_addc(out, c);
        }
    }
    buf_addc(out, '\'');
}

/* The closing quote cannot occur inside: ident_parse() refuses it. */
static void render_ident(const struct ident *ident, struct buf *out)
{
    char quote = ident_dialect(ident) == SQL_RISINGWAVE ? '"' : '`';

    buf_addc(out, quote);
    buf_add(out, ident_name(ident));
    buf_addc(out, quote);
}

static size_t end_of_private(const struct stmt *s, size_t i)
{
    while (i < s->parts.n && s->parts.v[i].kind != PART_PUBLIC) {
        i++;
    }
    return i;
}

static void render(const struct stmt *s, bool redact, struct buf *out)
{
    for (size_t i = 0; i < s->parts.n; i++) {
        const struct part *part = &s->parts.v[i];
        switch (part->kind) {
        case PART_TEXT:
            buf_add(out, part->text);
            break;
        case PART_IDENT:
            render_ident(part->ident, out);
            break;
        case PART_INT:
            buf_addf(out, "%lld", (long long)part->number);
            break;
        case PART_STR:
            render_literal(s->dialect, part->text, out);
            break;
        case PART_SECRET:
            render_literal(s->dialect, redact ? SV("***") : secret_reveal(part->secret),
                           out);
            break;
        case PART_PRIVATE:
            if (redact) {
                buf_addf(out, "%lld row%s", (long long)part->number,
                         part->number == 1 ? "" : "s");
                i = end_of_private(s, i);
            }
            break;
        case PART_PUBLIC:
            break;
        }
    }
}

bool stmt_check(const struct stmt *s, struct fault *fault)
{
    AUTO(buf_deinit_zero) struct buf text = {0};

    if (s->broken != NULL) {
        return fault_set(fault, FAULT_REFUSED, NULL,
                         "the statement cannot be sent: %s; correct the value",
                         s->broken);
    }
    buf_init(&text, STMT_BYTES_MAX);
    render(s, false, &text);
    if (buf_overflowed(&text)) {
        return fault_set(fault, FAULT_REFUSED, NULL,
                         "the statement is longer than %zu bytes; the table has too many "
                         "columns or too long names",
                         STMT_BYTES_MAX);
    }
    return true;
}

void stmt_render(const struct stmt *s, struct buf *out)
{
    render(s, false, out);
}

const char *stmt_redacted(const struct stmt *s, struct arena *arena)
{
    AUTO(buf_deinit) struct buf text = {0};

    buf_init(&text, STMT_BYTES_MAX);
    render(s, true, &text);
    return buf_take(&text, arena);
}

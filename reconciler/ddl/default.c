#include "ddl/default.h"

#include "ddl/labels.h"
#include "ddl/types_parts.h"

#include <string.h>

#define VERSION_FRONT "5.5.5-" /* what old MariaDB servers put in front for replicas */

/* From 10.2.7 on COLUMN_DEFAULT holds SQL (executed on 10.11). */
static bool prints_sql(enum mysql_flavor flavor, const char *version)
{
    size_t front =
        sv_starts(sv_from(version), SV(VERSION_FRONT)) ? SV(VERSION_FRONT).n : 0;

    return flavor == MYSQL_MARIADB &&
           types_version_from(version == NULL ? NULL : version + front, 10, 2, 7);
}

static bool is_type(const struct mysql_column *column, struct sv data_type)
{
    return sv_eq_nocase(sv_from(column->data_type), data_type);
}

/* CURRENT_TIMESTAMP, current_timestamp(), now(3): of a moment's column only. */
static bool is_now(const struct mysql_column *column, struct sv text)
{
    struct sv word = text;
    int64_t digits = 0;
    size_t open = sv_find(text, SV("("));

    if (!is_type(column, SV("datetime")) && !is_type(column, SV("timestamp"))) {
        return false;
    }
    if (open != SIZE_MAX) {
        struct sv inside = sv_sub(text, open + 1, text.n);

        if (!sv_ends(inside, SV(")"))) {
            return false;
        }
        inside.n--;
        if (inside.n > 0 && !sv_int64(inside, &digits)) {
            return false;
        }
        word = sv_sub(text, 0, open);
    }
    return sv_eq_nocase(word, SV("current_timestamp")) || sv_eq_nocase(word, SV("now"));
}

static bool all_of(struct sv text, const char *allowed)
{
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '\0' || strchr(allowed, text.p[i]) == NULL) {
            return false;
        }
    }
    return true;
}

/* b'101' */
static bool read_bits(struct sv text, struct sv *out_bits)
{
    if (text.n < 4 || !sv_starts_nocase(text, SV("b'")) || !sv_ends(text, SV("'"))) {
        return false;
    }
    *out_bits = sv_sub(text, 2, text.n - 3);
    return all_of(*out_bits, "01");
}

/* -1.50: no exponent, which only approximate numbers have. */
static bool is_number(struct sv text)
{
    struct sv digits = sv_starts(text, SV("-")) ? sv_sub(text, 1, text.n) : text;
    struct sv whole = sv_cut(&digits, '.');

    return whole.n > 0 && all_of(whole, "0123456789") && all_of(digits, "0123456789");
}

static struct column_default literal(struct arena *arena, struct sv text)
{
    return (struct column_default){DEFAULT_LITERAL, arena_copy(arena, text)};
}

/* One quoted text from the first byte to the last. */
static bool read_quoted(struct sv text, struct sv *out_written)
{
    struct labels labels = {text};

    return labels_next(&labels, out_written) && out_written->n + 2 == text.n &&
           sv_ends(text, SV("'"));
}

static struct column_default read_sql(const struct mysql_column *column, struct sv text,
                                      struct arena *arena)
{
    struct sv part;

    if (sv_eq_nocase(text, SV("NULL"))) {
        return (struct column_default){DEFAULT_NULL, NULL};
    }
    if (is_now(column, text)) {
        return (struct column_default){DEFAULT_NOW, NULL};
    }
    if (read_quoted(text, &part)) {
        return (struct column_default){DEFAULT_LITERAL, label_text(part, arena)};
    }
    if (read_bits(text, &part)) {
        return literal(arena, part);
    }
    return is_number(text) ? literal(arena, text)
                           : (struct column_default){DEFAULT_EXPRESSION, NULL};
}

/*
 * What MySQL 8 marks as DEFAULT_GENERATED. A constant in parentheses is printed with the
 * character set in front and its quotes escaped once more: _utf8mb4\'abc\'. Taken are
 * those that hold nothing to be decoded; the others stay expressions.
 */
static struct column_default read_generated(const struct mysql_column *column,
                                            struct sv text, struct arena *arena)
{
    static const struct sv fronts[] = {SV_INIT("_utf8mb4\\'"), SV_INIT("_utf8mb3\\'"),
                                       SV_INIT("_utf8\\'"),    SV_INIT("_latin1\\'"),
                                       SV_INIT("_utf8mb4'"),   SV_INIT("_latin1'")};

    if (is_now(column, text)) {
        return (struct column_default){DEFAULT_NOW, NULL};
    }
    for (size_t i = 0; i < COUNT_OF(fronts); i++) {
        struct sv front = fronts[i];
        struct sv back = sv_ends(front, SV("\\'")) ? SV("\\'") : SV("'");
        struct sv inside = sv_sub(text, front.n, text.n);

        if (!sv_starts_nocase(text, front) || !sv_ends(inside, back)) {
            continue;
        }
        inside.n -= back.n;
        if (!sv_contains(inside, SV("'")) && !sv_contains(inside, SV("\\"))) {
            return literal(arena, inside);
        }
    }
    return (struct column_default){DEFAULT_EXPRESSION, NULL};
}

struct column_default default_read(const struct mysql_column *column,
                                   enum mysql_flavor flavor, const char *version,
                                   struct arena *arena)
{
    struct sv text = sv_from(column->default_value), bits;

    if (column->generation_expression != NULL) {
        return (struct column_default){DEFAULT_NONE, NULL};
    }
    if (column->default_value == NULL) {
        return (struct column_default){column->nullable ? DEFAULT_NULL : DEFAULT_NONE,
                                       NULL};
    }
    if (prints_sql(flavor, version)) {
        return read_sql(column, text, arena);
    }
    if (sv_find_nocase(sv_from(column->extra), SV("default_generated")) != SIZE_MAX) {
        return read_generated(column, text, arena);
    }
    if (is_now(column, text)) {
        return (struct column_default){DEFAULT_NOW, NULL};
    }
    if (is_type(column, SV("bit")) && read_bits(text, &bits)) {
        return literal(arena, bits);
    }
    return literal(arena, text);
}

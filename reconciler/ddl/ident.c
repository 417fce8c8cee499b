#include "ddl/ident.h"

#include <string.h>

#define MYSQL_NAME_CHARS_MAX ((size_t)64)
#define STARROCKS_NAME_CHARS_MAX ((size_t)1024)
#define STARROCKS_DATABASE_BYTES_MAX ((size_t)256)
/* RisingWave sets no limit of its own; this only bounds what a message can hold. */
#define RISINGWAVE_NAME_CHARS_MAX ((size_t)1024)

struct ident {
    struct sv name;
    enum sql_dialect dialect;
    enum ident_kind kind;
};

static const char *const dialect_names[SQL_DIALECT_MAX] = {
    [SQL_RISINGWAVE] = "RisingWave",
    [SQL_STARROCKS] = "StarRocks",
    [SQL_MYSQL] = "MySQL",
};

static const char *const kind_names[IDENT_KIND_MAX] = {
    [IDENT_DATABASE] = "database",
    [IDENT_SCHEMA] = "schema",
    [IDENT_TABLE] = "table",
    [IDENT_COLUMN] = "column",
};

static bool has_byte(struct sv name, const char *bytes)
{
    for (size_t i = 0; i < name.n; i++) {
        if (strchr(bytes, name.p[i]) != NULL) {
            return true;
        }
    }
    return false;
}

static bool has_control(struct sv name)
{
    for (size_t i = 0; i < name.n; i++) {
        unsigned char c = (unsigned char)name.p[i];
        if (c < 0x20 || c == 0x7f) {
            return true;
        }
    }
    return false;
}

static bool is_one_of(struct sv name, const char *const *list, size_t count,
                      bool any_case)
{
    for (size_t i = 0; i < count; i++) {
        struct sv entry = sv_from(list[i]);
        if (any_case ? sv_eq_nocase(name, entry) : sv_eq(name, entry)) {
            return true;
        }
    }
    return false;
}

/* Each rule returns what is wrong, as the end of a sentence; NULL: nothing. */
static const char *risingwave_rule(struct sv name, enum ident_kind kind)
{
    static const char *const reserved[] = {"tableoid", "xmin", "cmin",
                                           "xmax",     "cmax", "ctid"};

    if (has_byte(name, "\"")) {
        return "a double quote cannot be written inside a name in its SQL";
    }
    if (kind == IDENT_COLUMN &&
        (sv_starts(name, SV("_rw_")) || sv_starts(name, SV("_row_id")) ||
         is_one_of(name, reserved, COUNT_OF(reserved), false))) {
        return "it reserves this name for a system column";
    }
    return NULL;
}

/* FeNameFormat: a letter, or an underscore and a letter or digit; then ASCII only. */
static bool starrocks_database_ok(struct sv name)
{
    static const char more[] = "-~!@#$%^&<>=+";

    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        bool digit = c >= '0' && c <= '9';
        if (i == 0 && !letter && c != '_') {
            return false;
        }
        if (i == 1 && name.p[0] == '_' && !letter && !digit) {
            return false;
        }
        if (!letter && !digit && c != '_' && strchr(more, c) == NULL) {
            return false;
        }
    }
    return name.n > 1 || name.p[0] != '_';
}

static const char *starrocks_column_rule(struct sv name)
{
    static const char *const reserved[] = {"__op", "__row", "___count___"};

    if (has_byte(name, "=<>!*")) {
        return "its column names cannot hold any of = < > ! *";
    }
    if (has_byte(name, ",") || has_control(name)) {
        return "commas and control characters break the column list that each load sends";
    }
    if (is_one_of(name, reserved, COUNT_OF(reserved), true) ||
        sv_starts_nocase(name, SV("__starrocks_shadow_"))) {
        return "it reserves this name for itself";
    }
    return NULL;
}

static const char *starrocks_rule(struct sv name, enum ident_kind kind)
{
    if (has_byte(name, "`")) {
        return "it drops back-quotes from names without a word";
    }
    if (kind == IDENT_COLUMN) {
        return starrocks_column_rule(name);
    }
    if (kind != IDENT_DATABASE) {
        return has_control(name) ? "control characters break its load protocol" : NULL;
    }
    if (name.n > STARROCKS_DATABASE_BYTES_MAX || !starrocks_database_ok(name)) {
        return "its database names start with a letter and hold only ASCII letters, "
               "digits, "
               "_ and -~!@#$%^&<>=+, at most 256";
    }
    return NULL;
}

static const char *mysql_rule(struct sv name)
{
    if (has_byte(name, "`")) {
        return "a back-quote in a name cannot pass through RisingWave's snapshot reader";
    }
    return NULL;
}

static const char *broken_rule(struct sv name, enum sql_dialect dialect,
                               enum ident_kind kind)
{
    static const size_t max_chars[SQL_DIALECT_MAX] = {
        [SQL_RISINGWAVE] = RISINGWAVE_NAME_CHARS_MAX,
        [SQL_STARROCKS] = STARROCKS_NAME_CHARS_MAX,
        [SQL_MYSQL] = MYSQL_NAME_CHARS_MAX,
    };

    if (name.n == 0) {
        return "a name cannot be empty";
    }
    if (memchr(name.p, '\0', name.n) != NULL) {
        return "a name cannot hold a NUL byte";
    }
    if (!sv_is_utf8(name)) {
        return "it is not valid UTF-8";
    }
    if (sv_utf8_length(name) > max_chars[dialect]) {
        return "it is too long";
    }
    switch (dialect) {
    case SQL_RISINGWAVE:
        return risingwave_rule(name, kind);
    case SQL_STARROCKS:
        return starrocks_rule(name, kind);
    case SQL_MYSQL:
        return mysql_rule(name);
    case SQL_DIALECT_MAX:
        break;
    }
    must(!"dialect");
    return NULL;
}

bool ident_parse(struct arena *arena, struct sv name, enum sql_dialect dialect,
                 enum ident_kind kind, const struct ident **out_ident,
                 struct fault *fault)
{
    must(dialect > 0 && dialect < SQL_DIALECT_MAX);
    must(kind > 0 && kind < IDENT_KIND_MAX);

    const char *broken = broken_rule(name, dialect, kind);
    if (broken != NULL) {
        struct sv shown = sv_utf8_prefix(name, 80);
        return fault_set(fault, FAULT_REFUSED, "UnsupportedName",
                         "%s name '%.*s%s' cannot be used in %s: %s; rename it",
                         kind_names[kind], SV_ARGS(shown), shown.n < name.n ? "..." : "",
                         dialect_names[dialect], broken);
    }
    struct ident *ident = ARENA_NEW(arena, struct ident);
    ident->name = arena_sv(arena, name);
    ident->dialect = dialect;
    ident->kind = kind;
    *out_ident = ident;
    return true;
}

struct sv ident_name(const struct ident *ident)
{
    return ident->name;
}

enum sql_dialect ident_dialect(const struct ident *ident)
{
    return ident->dialect;
}

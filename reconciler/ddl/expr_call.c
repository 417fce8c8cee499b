/* Calls of the expression language: the rows of expr.def and how arguments are checked.
 */
#include "base/buf.h"
#include "ddl/expr_private.h"

#include <string.h>

struct signature {
    const char *name, *parameters;
    enum rw_type result; /* RW_UNSET: as the parameters */
};

#define RW_SAME RW_UNSET

static const struct signature signatures[FUNCTION_MAX] = {
#define FUNCTION(name, text, parameters, result)                                         \
    [FUNCTION_##name] = {text, parameters, RW_##result},
#include "ddl/expr.def"
};

static const struct {
    const char *text;
    enum expr_function function;
} aliases[] = {
#define ALIAS(text, name) {text, FUNCTION_##name},
#include "ddl/expr.def"
};

static const struct {
    const char *text;
    enum rw_type type;
} cast_types[] = {
#define CAST_TYPE(text, type) {text, RW_##type},
#include "ddl/expr.def"
};

static const struct {
    const char *text;
} operators[OPERATOR_MAX] = {
#define OPERATOR(name, text) [OPERATOR_##name] = {text},
#include "ddl/expr.def"
};

const char *expr_operator_text(enum expr_operator operation)
{
    return operators[operation].text;
}

const char *expr_function_name(enum expr_function function)
{
    return signatures[function].name;
}

enum expr_function expr_function_find(struct sv name)
{
    for (size_t i = 0; i < FUNCTION_MAX; i++) {
        if (sv_eq_nocase(name, sv_from(signatures[i].name))) {
            return (enum expr_function)i;
        }
    }
    for (size_t i = 0; i < COUNT_OF(aliases); i++) {
        if (sv_eq_nocase(name, sv_from(aliases[i].text))) {
            return aliases[i].function;
        }
    }
    return FUNCTION_MAX;
}

enum rw_type expr_cast_type_find(struct sv name)
{
    for (size_t i = 0; i < COUNT_OF(cast_types); i++) {
        if (sv_eq_nocase(name, sv_from(cast_types[i].text))) {
            return cast_types[i].type;
        }
    }
    return RW_UNSET;
}

const char *expr_functions(struct arena *arena)
{
    AUTO(buf_deinit) struct buf text = {0};

    buf_init(&text, 4096);
    for (size_t i = 0; i < FUNCTION_MAX; i++) {
        buf_addf(&text, "%s%s", i == 0 ? "" : ", ", signatures[i].name);
    }
    return buf_take(&text, arena);
}

/* The letter of argument `i` (expr.def), '\0' when there may be no such argument. */
static char parameter_at(const char *parameters, size_t i)
{
    char last = '\0';

    for (const char *c = parameters; *c != '\0'; c++) {
        if (*c == '?') {
            continue;
        }
        if (*c == '*') {
            return last;
        }
        last = *c;
        if (i-- == 0) {
            return last;
        }
    }
    return '\0';
}

static size_t fewest(const char *parameters)
{
    size_t n = strcspn(parameters, "?");

    return parameters[n] == '?' || strchr(parameters, '*') == NULL ? n : n - 1;
}

/* What a literal argument may be; each list ends with NULL. */
static const char *const units[] = {"second", "minute",  "hour", "day", "week",
                                    "month",  "quarter", "year", NULL};
static const char *const date_parts[] = {"year",   "quarter", "month",  "week",    "day",
                                         "dow",    "doy",     "isodow", "isoyear", "hour",
                                         "minute", "second",  "epoch",  NULL};
static const char *const encodings[] = {"hex", "base64", NULL};
static const char *const charsets[] = {"UTF8", NULL};
/* to_char's patterns: a longer one before its own beginning. */
static const char *const patterns[] = {"YYYY", "YY", "MM", "DD", "HH24", "HH12",
                                       "MI",   "SS", "MS", "US", "-",    "/",
                                       ":",    ".",  ",",  "_",  " ",    NULL};

static const char *const *literals_of(char parameter)
{
    switch (parameter) {
    case 'u':
        return units;
    case 'p':
        return date_parts;
    case 'e':
        return encodings;
    case 'c':
        return charsets;
    case 'f':
        return patterns;
    default:
        return NULL;
    }
}

static bool is_listed(struct sv text, const char *const *list)
{
    for (size_t i = 0; list[i] != NULL; i++) {
        if (sv_eq(text, sv_from(list[i]))) {
            return true;
        }
    }
    return false;
}

static bool is_made_of(struct sv text, const char *const *list)
{
    struct sv rest = text;

    while (rest.n > 0) {
        size_t i = 0;
        while (list[i] != NULL && !sv_starts(rest, sv_from(list[i]))) {
            i++;
        }
        if (list[i] == NULL) {
            return false;
        }
        rest = sv_sub(rest, strlen(list[i]), rest.n);
    }
    return text.n > 0;
}

static bool refuse_argument(const struct expr *call, size_t i, const char *needs,
                            struct fault *fault)
{
    return REFUSE(fault, "argument %zu of %s() needs %s, not %s", i + 1,
                  expr_function_name(call->function), needs,
                  expr_described(call->parts.v[i]));
}

static bool check_literal(const struct expr *call, size_t i, char parameter,
                          struct fault *fault)
{
    const char *const *list = literals_of(parameter);
    const struct expr *part = call->parts.v[i];
    AUTO(buf_deinit) struct buf allowed = {0};

    if (part->kind == EXPR_TEXT &&
        (parameter == 'f' ? is_made_of(part->text, list) : is_listed(part->text, list))) {
        return true;
    }
    buf_init(&allowed, 512);
    for (size_t k = 0; list[k] != NULL; k++) {
        buf_addf(&allowed, "%s'%s'", k == 0 ? "" : ", ", list[k]);
    }
    return REFUSE(fault, "argument %zu of %s() must be a literal %s %s", i + 1,
                  expr_function_name(call->function),
                  parameter == 'f' ? "made of" : "out of", buf_z(&allowed));
}

/* The argument's type, or RW_UNSET when it is of no use for this parameter. */
static enum rw_type wanted_type(char parameter, enum rw_type type)
{
    switch (parameter) {
    case 'v':
        return type == RW_VARCHAR ? RW_VARCHAR : RW_UNSET;
    case 'l':
        return type == RW_VARCHAR || type == RW_BYTEA ? type : RW_UNSET;
    case 'i':
        return type == RW_INTEGER || type == RW_SMALLINT ? RW_INTEGER : RW_UNSET;
    case 'b':
        return type == RW_BYTEA ? RW_BYTEA : RW_UNSET;
    case 't':
        return type == RW_TIMESTAMP || type == RW_DATE ? RW_TIMESTAMP : RW_UNSET;
    case 'x':
        return type == RW_TIMESTAMPTZ || type == RW_BYTEA ? RW_UNSET : type;
    case 'm':
        return type >= RW_SMALLINT && type <= RW_DECIMAL ? type : RW_UNSET;
    case 'a':
    case 'n':
    case 'd':
        return expr_is_number(type) ? type : RW_UNSET;
    case 'o':
        return type == RW_JSONB || type == RW_BYTEA ? RW_UNSET : type;
    default: /* s */
        return type;
    }
}

static const char *needed(char parameter)
{
    switch (parameter) {
    case 'v':
        return "a VARCHAR";
    case 'l':
        return "a VARCHAR or BYTEA";
    case 'i':
        return "an INTEGER";
    case 'b':
        return "a BYTEA";
    case 't':
        return "a TIMESTAMP or DATE";
    case 'x':
        return "what prints the same everywhere (not TIMESTAMPTZ, not BYTEA)";
    case 'm':
        return "a whole or decimal number";
    case 'o':
        return "a type that can be compared";
    default:
        return "a number";
    }
}

static bool may_be_null(char parameter)
{
    return parameter == 's';
}

static bool check_argument(struct arena *arena, struct expr *call, size_t i,
                           char parameter, struct fault *fault)
{
    const struct expr *part = call->parts.v[i];

    if (literals_of(parameter) != NULL) {
        return check_literal(call, i, parameter, fault);
    }
    if (part->kind == EXPR_NULL) {
        return may_be_null(parameter) ||
               refuse_argument(call, i, "a value that has a type", fault);
    }
    enum rw_type wanted = wanted_type(parameter, part->type);
    if (wanted == RW_UNSET) {
        return refuse_argument(call, i, needed(parameter), fault);
    }
    bool text = part->kind == EXPR_TEXT && strchr("vlx", parameter) != NULL;
    if (text || (wanted != part->type && wanted == RW_TIMESTAMP)) {
        if (!expr_make_cast(arena, part, wanted, &part, fault)) {
            return false;
        }
        expr_set(call, i, part);
    }
    return true;
}

/* What the parameters' own letters make of the type they share. */
static enum rw_type shared_type(char parameter, enum rw_type type)
{
    if (parameter == 'n') {
        return type == RW_REAL ? RW_DOUBLE : expr_is_integer(type) ? RW_DECIMAL : type;
    }
    if (parameter == 'd') {
        return type == RW_DECIMAL ? type : RW_DOUBLE;
    }
    return type;
}

/* An argument behind one of kind n stands alone: round()'s digits. */
static bool share_type(struct arena *arena, struct expr *call, char parameter,
                       struct fault *fault)
{
    size_t step = parameter == 'n' ? call->parts.n : 1;
    enum rw_type type;

    if (!expr_common_type(call, 0, step, &type, fault)) {
        return false;
    }
    call->type = shared_type(parameter, type);
    if (parameter == 'n' && call->parts.n == 2 && call->type != RW_DECIMAL) {
        return REFUSE(
            fault, "%s() to a number of digits needs a DECIMAL, not %s: cast it",
            expr_function_name(call->function), expr_described(call->parts.v[0]));
    }
    if (!expr_coerce(arena, call, 0, step, call->type, fault)) {
        return false;
    }
    /* NULLIF is of its first argument's type, whatever the second one is. */
    const struct expr *part = call->parts.v[0];
    bool differs = part->kind != EXPR_NULL && part->type != call->type;
    if (part->kind == EXPR_TEXT || differs) {
        if (!expr_make_cast(arena, part, call->type, &part, fault)) {
            return false;
        }
        expr_set(call, 0, part);
    }
    return true;
}

bool expr_finish_call(struct arena *arena, struct expr *call, struct fault *fault)
{
    const struct signature *signature = &signatures[call->function];
    size_t few = fewest(signature->parameters);

    if (call->parts.n < few ||
        (call->parts.n > 0 &&
         parameter_at(signature->parameters, call->parts.n - 1) == '\0')) {
        bool open = parameter_at(signature->parameters, few) != '\0';
        return REFUSE(fault, "%s() takes %zu argument%s%s, not %zu", signature->name, few,
                      few == 1 ? "" : "s", open ? " or more" : "", call->parts.n);
    }
    for (size_t i = 0; i < call->parts.n; i++) {
        char parameter = parameter_at(signature->parameters, i);
        if (!check_argument(arena, call, i, parameter, fault)) {
            return false;
        }
    }
    if (signature->result != RW_SAME) {
        call->type = signature->result;
        return true;
    }
    return share_type(arena, call, signature->parameters[0], fault);
}

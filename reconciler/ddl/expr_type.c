/* Type rules of the expression language: RisingWave 3.0.3 cast.rs, func.rs, cmp.rs. */
#include "ddl/expr_private.h"

#include <string.h>

struct expr *expr_new(struct arena *arena, enum expr_kind kind, enum rw_type type)
{
    struct expr *expr = ARENA_NEW(arena, struct expr);

    expr->kind = kind;
    expr->type = type;
    expr->depth = 1;
    return expr;
}

void expr_add(struct arena *arena, struct expr *expr, const struct expr *part)
{
    VEC_PUSH(arena, &expr->parts, part);
    expr_set(expr, expr->parts.n - 1, part);
}

void expr_set(struct expr *expr, size_t i, const struct expr *part)
{
    expr->parts.v[i] = part;
    expr->depth = part->depth >= expr->depth ? part->depth + 1 : expr->depth;
}

enum rw_type expr_type(const struct expr *expr)
{
    return expr->type;
}

bool expr_is_integer(enum rw_type type)
{
    return type == RW_SMALLINT || type == RW_INTEGER || type == RW_BIGINT;
}

/* The enum has them in the order in which RisingWave widens. */
bool expr_is_number(enum rw_type type)
{
    return type >= RW_SMALLINT && type <= RW_DOUBLE;
}

static bool has_order(enum rw_type type)
{
    return type != RW_JSONB && type != RW_BYTEA;
}

const char *expr_described(const struct expr *expr)
{
    if (expr->kind == EXPR_NULL) {
        return "NULL";
    }
    return expr->kind == EXPR_TEXT ? "a text literal" : rw_type_name(expr->type);
}

/*
 * RisingWave's table of explicit casts. Left out of it: what asks the session for its
 * time zone (to and from TIMESTAMPTZ; AT TIME ZONE says which), and text to and from
 * BYTEA, whose backslash notation nobody means (encode, decode, convert_to say what).
 */
bool expr_can_cast(enum rw_type from, enum rw_type to)
{
    if (from == to) {
        return true;
    }
    if (expr_is_number(from) && expr_is_number(to)) {
        return true;
    }
    if (to == RW_VARCHAR) {
        return from != RW_TIMESTAMPTZ && from != RW_BYTEA;
    }
    if (from == RW_VARCHAR) {
        return to != RW_TIMESTAMPTZ && to != RW_BYTEA;
    }
    if (from == RW_JSONB) {
        return to == RW_BOOLEAN || expr_is_number(to);
    }
    return (from == RW_BOOLEAN && to == RW_INTEGER) ||
           (from == RW_INTEGER && to == RW_BOOLEAN) ||
           (from == RW_DATE && to == RW_TIMESTAMP) ||
           (from == RW_TIMESTAMP && (to == RW_DATE || to == RW_TIME));
}

static const struct expr *cast_node(struct arena *arena, const struct expr *part,
                                    enum rw_type to)
{
    struct expr *cast = expr_new(arena, EXPR_CAST, to);

    expr_add(arena, cast, part);
    return cast;
}

const struct expr *expr_cast(const struct expr *expr, enum rw_type to,
                             struct arena *arena)
{
    must(expr_can_cast(expr->type, to));
    return expr->type == to ? expr : cast_node(arena, expr, to);
}

static const char *cast_hint(enum rw_type from, enum rw_type to)
{
    if (from == RW_TIMESTAMPTZ || to == RW_TIMESTAMPTZ) {
        return "the answer depends on the session's time zone: write AT TIME ZONE 'UTC'";
    }
    if (from == RW_BYTEA) {
        return "use encode(..., 'hex') or convert_from(..., 'UTF8')";
    }
    if (to == RW_BYTEA) {
        return "use convert_to(..., 'UTF8') or decode(..., 'hex')";
    }
    if (to == RW_BOOLEAN && expr_is_number(from)) {
        return "only INT can be cast to it: cast to INT before";
    }
    if (from == RW_BOOLEAN && expr_is_number(to)) {
        return "it can be cast to INT only: cast that further";
    }
    return "there is no such cast";
}

bool expr_make_cast(struct arena *arena, const struct expr *part, enum rw_type to,
                    const struct expr **out_expr, struct fault *fault)
{
    if (part->kind == EXPR_TEXT) {
        const char *problem = expr_literal_problem(to, part->text);
        if (problem != NULL) {
            return REFUSE(fault, "the literal '%.*s' cannot be cast to %s: %s",
                          SV_ARGS(sv_utf8_prefix(part->text, 60)), rw_type_name(to),
                          problem);
        }
        *out_expr = cast_node(arena, part, to);
        return true;
    }
    if (part->kind == EXPR_NULL) {
        *out_expr = cast_node(arena, part, to);
        return true;
    }
    if (!expr_can_cast(part->type, to)) {
        return REFUSE(fault, "RisingWave is not asked to cast %s to %s: %s",
                      rw_type_name(part->type), rw_type_name(to),
                      cast_hint(part->type, to));
    }
    *out_expr = expr_cast(part, to, arena);
    return true;
}

/* Of REAL and any other number both become DOUBLE: as REAL, whole numbers lose digits. */
static bool align_type(enum rw_type a, enum rw_type b, enum rw_type *out_type)
{
    if (a == b) {
        *out_type = a;
        return true;
    }
    if (expr_is_number(a) && expr_is_number(b)) {
        enum rw_type wider = a > b ? a : b;
        *out_type = wider == RW_REAL ? RW_DOUBLE : wider;
        return true;
    }
    if ((a == RW_DATE && b == RW_TIMESTAMP) || (a == RW_TIMESTAMP && b == RW_DATE)) {
        *out_type = RW_TIMESTAMP;
        return true;
    }
    return false;
}

bool expr_common_type(const struct expr *expr, size_t first, size_t step,
                      enum rw_type *out_type, struct fault *fault)
{
    enum rw_type type = RW_UNSET;
    bool text = false;

    for (size_t i = first; i < expr->parts.n; i += step) {
        const struct expr *part = expr->parts.v[i];
        text = text || part->kind == EXPR_TEXT;
        if (part->kind == EXPR_TEXT || part->kind == EXPR_NULL) {
            continue;
        }
        if (type == RW_UNSET) {
            type = part->type;
        } else if (!align_type(type, part->type, &type)) {
            return REFUSE(fault, "%s and %s cannot stand together: cast one of them",
                          rw_type_name(type), rw_type_name(part->type));
        }
    }
    if (type == RW_UNSET && !text) {
        return REFUSE(fault, "NULL alone has no type: write for example NULL::VARCHAR");
    }
    *out_type = type == RW_UNSET ? RW_VARCHAR : type;
    return true;
}

bool expr_coerce(struct arena *arena, struct expr *expr, size_t first, size_t step,
                 enum rw_type type, struct fault *fault)
{
    for (size_t i = first; i < expr->parts.n; i += step) {
        const struct expr *part = expr->parts.v[i];
        bool open =
            part->kind == EXPR_NULL || (part->kind == EXPR_TEXT && type == RW_VARCHAR);
        if (open || (expr_is_integer(part->type) && expr_is_integer(type))) {
            continue;
        }
        if (!expr_make_cast(arena, part, type, &part, fault)) {
            return false;
        }
        expr_set(expr, i, part);
    }
    return true;
}

bool expr_need_boolean(const struct expr *expr, const char *where, struct fault *fault)
{
    if (expr->kind == EXPR_TEXT || expr->type != RW_BOOLEAN) {
        return REFUSE(fault, "%s needs a BOOLEAN, not %s", where, expr_described(expr));
    }
    return true;
}

static bool no_nulls(const struct expr *binary, struct fault *fault)
{
    for (size_t i = 0; i < binary->parts.n; i++) {
        if (binary->parts.v[i]->kind == EXPR_NULL) {
            return REFUSE(fault,
                          "'%s' with NULL is always NULL: write IS NULL or give "
                          "the NULL a type",
                          expr_operator_text(binary->operation));
        }
    }
    return true;
}

static bool finish_comparison(struct arena *arena, struct expr *binary,
                              struct fault *fault)
{
    enum rw_type type;

    if (!no_nulls(binary, fault) || !expr_common_type(binary, 0, 1, &type, fault)) {
        return false;
    }
    if (!has_order(type)) {
        return REFUSE(fault,
                      "values of type %s cannot be compared here: cast them to "
                      "text",
                      rw_type_name(type));
    }
    binary->type = RW_BOOLEAN;
    if (!expr_coerce(arena, binary, 0, 1, type, fault)) {
        return false;
    }
    const struct expr *left = binary->parts.v[0];
    if (left->kind == EXPR_TEXT && binary->parts.v[1]->kind == EXPR_TEXT) {
        expr_set(binary, 0, cast_node(arena, left, RW_VARCHAR));
    }
    return true;
}

static bool finish_arithmetic(struct arena *arena, struct expr *binary,
                              struct fault *fault)
{
    const char *text = expr_operator_text(binary->operation);
    enum rw_type type;

    for (size_t i = 0; i < binary->parts.n; i++) {
        const struct expr *part = binary->parts.v[i];
        if (part->kind == EXPR_TEXT || !expr_is_number(part->type)) {
            return REFUSE(fault, "'%s' needs numbers, not %s", text,
                          expr_described(part));
        }
    }
    if (!expr_common_type(binary, 0, 1, &type, fault)) {
        return false;
    }
    if (binary->operation == OPERATOR_MODULO && type > RW_DECIMAL) {
        return REFUSE(fault, "'%%' needs whole or decimal numbers, not %s",
                      rw_type_name(type));
    }
    binary->type = type;
    return expr_coerce(arena, binary, 0, 1, type, fault);
}

static bool finish_concat(struct arena *arena, struct expr *binary, struct fault *fault)
{
    if (!no_nulls(binary, fault)) {
        return false;
    }
    for (size_t i = 0; i < binary->parts.n; i++) {
        const struct expr *part = binary->parts.v[i];
        if (part->type == RW_JSONB) {
            return REFUSE(fault,
                          "'||' of JSONB merges documents: cast it to VARCHAR first");
        }
        if (!expr_make_cast(arena, part, RW_VARCHAR, &part, fault)) {
            return false;
        }
        expr_set(binary, i, part);
    }
    binary->type = RW_VARCHAR;
    return true;
}

static bool finish_json(struct expr *binary, struct fault *fault)
{
    const struct expr *json = binary->parts.v[0];

    if (json->type != RW_JSONB) {
        return REFUSE(fault, "'%s' needs JSONB on its left, not %s",
                      expr_operator_text(binary->operation), expr_described(json));
    }
    binary->type = binary->operation == OPERATOR_JSON ? RW_JSONB : RW_VARCHAR;
    return true;
}

bool expr_finish_binary(struct arena *arena, struct expr *binary, struct fault *fault)
{
    switch (binary->operation) {
    case OPERATOR_OR:
    case OPERATOR_AND:
        binary->type = RW_BOOLEAN;
        return expr_need_boolean(binary->parts.v[0],
                                 expr_operator_text(binary->operation), fault) &&
               expr_need_boolean(binary->parts.v[1],
                                 expr_operator_text(binary->operation), fault);
    case OPERATOR_EQUAL:
    case OPERATOR_NOT_EQUAL:
    case OPERATOR_LESS:
    case OPERATOR_LESS_EQUAL:
    case OPERATOR_GREATER:
    case OPERATOR_GREATER_EQUAL:
        return finish_comparison(arena, binary, fault);
    case OPERATOR_PLUS:
    case OPERATOR_MINUS:
    case OPERATOR_TIMES:
    case OPERATOR_DIVIDE:
    case OPERATOR_MODULO:
        return finish_arithmetic(arena, binary, fault);
    case OPERATOR_CONCAT:
        return finish_concat(arena, binary, fault);
    case OPERATOR_JSON:
    case OPERATOR_JSON_TEXT:
        return finish_json(binary, fault);
    case OPERATOR_MAX:
        break;
    }
    must(!"operator");
    return false;
}

bool expr_finish_negation(struct expr *negation, struct fault *fault)
{
    const struct expr *part = negation->parts.v[0];

    if (part->kind == EXPR_TEXT || !expr_is_number(part->type)) {
        return REFUSE(fault, "'-' needs a number, not %s", expr_described(part));
    }
    negation->type = part->type;
    return true;
}

bool expr_finish_case(struct arena *arena, struct expr *expr, struct fault *fault)
{
    for (size_t i = 1; i < expr->parts.n; i += 2) {
        if (!expr_need_boolean(expr->parts.v[i], "WHEN", fault)) {
            return false;
        }
    }
    return expr_common_type(expr, 0, 2, &expr->type, fault) &&
           expr_coerce(arena, expr, 0, 2, expr->type, fault);
}

/* The tree as SQL: typed parts only, every compound in parentheses. */
#include "ddl/expr_private.h"

static void write_operator(struct stmt *s, enum expr_operator operation)
{
    switch (operation) {
#define OPERATOR(name, text)                                                             \
    case OPERATOR_##name:                                                                \
        stmt_text(s, " " text " ");                                                      \
        return;
#include "ddl/expr.def"
    case OPERATOR_MAX:
        break;
    }
    must(!"operator");
}

static void write_function(struct stmt *s, enum expr_function function)
{
    switch (function) {
#define FUNCTION(name, text, parameters, result)                                         \
    case FUNCTION_##name:                                                                \
        stmt_text(s, text "(");                                                          \
        return;
#include "ddl/expr.def"
    case FUNCTION_MAX:
        break;
    }
    must(!"function");
}

static void write_case(struct stmt *s, const struct expr *expr)
{
    size_t pairs = expr->parts.n / 2;

    stmt_text(s, "(CASE");
    for (size_t i = 0; i < pairs; i++) {
        stmt_text(s, " WHEN ");
        expr_write(s, expr->parts.v[2 * i + 1]);
        stmt_text(s, " THEN ");
        expr_write(s, expr->parts.v[2 * i]);
    }
    if (expr->parts.n > 2 * pairs) {
        stmt_text(s, " ELSE ");
        expr_write(s, expr->parts.v[2 * pairs]);
    }
    stmt_text(s, " END)");
}

static void write_call(struct stmt *s, const struct expr *expr)
{
    write_function(s, expr->function);
    for (size_t i = 0; i < expr->parts.n; i++) {
        if (i > 0) {
            stmt_text(s, ", ");
        }
        expr_write(s, expr->parts.v[i]);
    }
    stmt_text(s, ")");
}

static void write_leaf(struct stmt *s, const struct expr *expr)
{
    if (expr->kind == EXPR_COLUMN) {
        stmt_ident(s, expr->column->ident);
    } else if (expr->kind == EXPR_NUMBER) {
        stmt_int(s, expr->number);
    } else if (expr->kind == EXPR_TEXT) {
        stmt_str(s, expr->text);
    } else if (expr->kind == EXPR_TRUE) {
        stmt_text(s, "TRUE");
    } else if (expr->kind == EXPR_FALSE) {
        stmt_text(s, "FALSE");
    } else {
        stmt_text(s, "NULL");
    }
}

static void write_around(struct stmt *s, const struct expr *expr)
{
    const struct expr *part = expr->parts.v[0];

    if (expr->kind == EXPR_CAST) {
        expr_write(s, part);
        stmt_text(s, "::");
        types_stmt_rw(s, expr->type);
        return;
    }
    stmt_text(s, "(");
    if (expr->kind == EXPR_NEGATE) {
        stmt_text(s, "-");
    } else if (expr->kind == EXPR_NOT) {
        stmt_text(s, "NOT ");
    }
    expr_write(s, part);
    if (expr->kind == EXPR_ZONE) {
        stmt_text(s, " AT TIME ZONE ");
        stmt_str(s, expr->text);
    } else if (expr->kind == EXPR_IS_NULL) {
        stmt_text(s, " IS NULL");
    } else if (expr->kind == EXPR_IS_NOT_NULL) {
        stmt_text(s, " IS NOT NULL");
    } else if (expr->kind == EXPR_BINARY) {
        write_operator(s, expr->operation);
        expr_write(s, expr->parts.v[1]);
    }
    stmt_text(s, ")");
}

void expr_write(struct stmt *s, const struct expr *expr)
{
    switch (expr->kind) {
    case EXPR_COLUMN:
    case EXPR_NUMBER:
    case EXPR_TEXT:
    case EXPR_TRUE:
    case EXPR_FALSE:
    case EXPR_NULL:
        write_leaf(s, expr);
        return;
    case EXPR_CAST:
    case EXPR_ZONE:
    case EXPR_NEGATE:
    case EXPR_NOT:
    case EXPR_IS_NULL:
    case EXPR_IS_NOT_NULL:
    case EXPR_BINARY:
        write_around(s, expr);
        return;
    case EXPR_CASE:
        write_case(s, expr);
        return;
    case EXPR_CALL:
        write_call(s, expr);
        return;
    }
    must(!"expression");
}

const char *expr_text(const struct expr *expr, struct arena *arena)
{
    struct stmt *s = stmt_new(arena, SQL_RISINGWAVE);

    expr_write(s, expr);
    return stmt_redacted(s, arena);
}

bool expr_uses(const struct expr *expr, size_t index)
{
    if (expr->kind == EXPR_COLUMN && expr->index == index) {
        return true;
    }
    for (size_t i = 0; i < expr->parts.n; i++) {
        if (expr_uses(expr->parts.v[i], index)) {
            return true;
        }
    }
    return false;
}

static const struct expr *text_node(struct sv text, struct arena *arena)
{
    struct expr *expr = expr_new(arena, EXPR_TEXT, RW_VARCHAR);

    expr->text = text;
    return expr;
}

const struct expr *expr_delivered(const struct expr_column *columns, size_t index,
                                  enum sink_expr how, struct arena *arena)
{
    struct expr *column = expr_new(arena, EXPR_COLUMN, columns[index].type);
    struct expr *around;

    column->column = &columns[index];
    column->index = index;
    switch (how) {
    case SINK_PASS:
        return column;
    case SINK_CAST_BIGINT:
        return expr_cast(column, RW_BIGINT, arena);
    case SINK_CAST_VARCHAR:
        return expr_cast(column, RW_VARCHAR, arena);
    case SINK_CAST_JSONB:
        return expr_cast(column, RW_JSONB, arena);
    case SINK_AT_UTC:
        around = expr_new(arena, EXPR_ZONE, RW_TIMESTAMP);
        around->text = SV("UTC");
        expr_add(arena, around, column);
        return around;
    case SINK_HEX:
        around = expr_new(arena, EXPR_CALL, RW_VARCHAR);
        around->function = FUNCTION_ENCODE;
        expr_add(arena, around, column);
        expr_add(arena, around, text_node(SV("hex"), arena));
        return around;
    case SINK_CUSTOM:
    case SINK_EXPR_MAX:
        break;
    }
    must(!"a sink expression");
    return NULL;
}

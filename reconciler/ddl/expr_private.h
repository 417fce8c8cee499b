/* expr_private: the tree, and what parser, type rules and writer share. */
#ifndef DDL_EXPR_PRIVATE_H
#define DDL_EXPR_PRIVATE_H

#include "ddl/expr.h"

enum expr_kind {
    EXPR_COLUMN = 1,
    EXPR_NUMBER, /* a whole number, not negative */
    EXPR_TEXT,   /* its type stays open until it stands next to something */
    EXPR_TRUE,
    EXPR_FALSE,
    EXPR_NULL,
    EXPR_CAST,
    EXPR_ZONE, /* AT TIME ZONE */
    EXPR_NEGATE,
    EXPR_NOT,
    EXPR_IS_NULL,
    EXPR_IS_NOT_NULL,
    EXPR_BINARY,
    EXPR_CASE, /* then, when, then, when, ..., [else]: results stand at even places */
    EXPR_CALL
};

enum expr_operator {
#define OPERATOR(name, text) OPERATOR_##name,
#include "ddl/expr.def"
    OPERATOR_MAX
};

enum expr_function {
#define FUNCTION(name, text, parameters, result) FUNCTION_##name,
#include "ddl/expr.def"
    FUNCTION_MAX
};

struct expr {
    enum expr_kind kind;
    enum rw_type type;
    size_t depth; /* of the tree, itself included */
    const struct expr_column *column;
    size_t index; /* of the column */
    int64_t number;
    struct sv text; /* of a literal; the zone's name */
    enum expr_operator operation;
    enum expr_function function;
    VEC(const struct expr *) parts;
};

/* Refuses with FAULT_REFUSED "InvalidOverride". */
#define REFUSE(fault, ...)                                                               \
    fault_set((fault), FAULT_REFUSED, "InvalidOverride", __VA_ARGS__)

struct expr *expr_new(struct arena *arena, enum expr_kind kind, enum rw_type type);
/* Adds a part and counts the depth. */
void expr_add(struct arena *arena, struct expr *expr, const struct expr *part);
/* Replaces part `i`, which only gets deeper. */
void expr_set(struct expr *expr, size_t i, const struct expr *part);

/* ddl/expr.def by name, without case; FUNCTION_MAX and RW_UNSET: not listed. */
enum expr_function expr_function_find(struct sv name);
const char *expr_function_name(enum expr_function function);
enum rw_type expr_cast_type_find(struct sv name);
const char *expr_operator_text(enum expr_operator operation);

/*
 * Each of these finishes a node: types are checked, the casts that leave RisingWave no
 * choice are put in, and the node's own type is set.
 */
MUST_CHECK bool expr_finish_binary(struct arena *arena, struct expr *binary,
                                   struct fault *fault);
MUST_CHECK bool expr_finish_negation(struct expr *negation, struct fault *fault);
MUST_CHECK bool expr_finish_zone(struct expr *zone, struct fault *fault);
MUST_CHECK bool expr_finish_case(struct arena *arena, struct expr *expr,
                                 struct fault *fault);
MUST_CHECK bool expr_finish_call(struct arena *arena, struct expr *call,
                                 struct fault *fault);
/* Itself when it has the type already. */
MUST_CHECK bool expr_make_cast(struct arena *arena, const struct expr *part,
                               enum rw_type to, const struct expr **out_expr,
                               struct fault *fault);
MUST_CHECK bool expr_need_boolean(const struct expr *expr, const char *where,
                                  struct fault *fault);
/*
 * The one type of the parts first, first + step, ...: what they share, or what the
 * narrower ones are widened to. Text literals take the others' type, VARCHAR if alone.
 */
MUST_CHECK bool expr_common_type(const struct expr *expr, size_t first, size_t step,
                                 enum rw_type *out_type, struct fault *fault);
/* Casts these parts to `type` where RisingWave would not do so by itself for certain. */
MUST_CHECK bool expr_coerce(struct arena *arena, struct expr *expr, size_t first,
                            size_t step, enum rw_type type, struct fault *fault);
/* What is wrong with a text literal that is cast to `type`; NULL: nothing. */
const char *expr_literal_problem(enum rw_type type, struct sv text);

bool expr_is_integer(enum rw_type type);
bool expr_is_number(enum rw_type type);
/* "a BIGINT", "a text literal", "NULL" for messages. */
const char *expr_described(const struct expr *expr);

#endif

/*
 * expr: the small language of spec.columns.overrides[].expression. It is never passed on
 * as text: it is parsed into a tree of column names, literals, casts and calls of an
 * allowed list of functions, checked, and written again part by part. There is no way to
 * name a table, a subquery, a session variable or an unlisted function in it.
 *
 *   expr       := and { OR and }
 *   and        := not { AND not }
 *   not        := NOT not | comparison
 *   comparison := sum [ ("=" | "<>" | "<" | "<=" | ">" | ">=") sum | IS [NOT] NULL ]
 *   sum        := product { ("+" | "-" | "||") product }
 *   product    := unary { ("*" | "/" | "%") unary }
 *   unary      := "-" unary | postfix
 *   postfix    := primary { "::" type | AT TIME ZONE 'zone' | ("->" | "->>") key }
 *   key        := 'text' | number
 *   primary    := name | "quoted name" | number | 'text' | TRUE | FALSE | NULL
 *               | CAST "(" expr AS type ")" | function "(" [ expr { "," expr } ] ")"
 *               | CASE WHEN expr THEN expr { WHEN expr THEN expr } [ELSE expr] END
 *               | "(" expr ")"
 *
 * Types are checked by RisingWave 3.0.3's own rules (cast.rs, func.rs, the function
 * signatures), and where its answer would depend on overloads the cast it would make is
 * written out. What depends on a session's time zone is refused: such a value would
 * change with whoever restarts the job.
 */
#ifndef DDL_EXPR_H
#define DDL_EXPR_H

#include "ddl/types.h"

#define EXPR_BYTES_MAX ((size_t)1024)
#define EXPR_DEPTH_MAX 32

/* A column that an expression may name, with the type it has in the CDC table. RW_UNSET:
 * RisingWave has no type for it, and naming it is refused with that reason. */
struct expr_column {
    const char *name;
    enum rw_type type;
    const struct ident *ident; /* RisingWave's; NULL with RW_UNSET */
};

/*
 * Parses and checks `text`. Names are matched without case, as MySQL does. Faults are
 * FAULT_REFUSED "InvalidOverride" and tell the place, what stands there and what is
 * allowed. `columns` must outlive the result.
 */
MUST_CHECK bool expr_parse(const char *text, const struct expr_column *columns,
                           size_t count, struct arena *arena,
                           const struct expr **out_expr, struct fault *fault);
/* The type of its value in RisingWave 3.0.3; RW_UNSET for a bare NULL. */
enum rw_type expr_type(const struct expr *expr);
/* Whether it names column `index` of the list it was parsed with. */
bool expr_uses(const struct expr *expr, size_t index);
void expr_write(struct stmt *s, const struct expr *expr);
/* One line for hashes and messages, in a normal form: what expr_write() writes. */
const char *expr_text(const struct expr *expr, struct arena *arena);
/* "abs, btrim, ..." for messages and documents. */
const char *expr_functions(struct arena *arena);

/* Column `index` as the sink's SELECT delivers it by `how`, which is not SINK_CUSTOM. */
const struct expr *expr_delivered(const struct expr_column *columns, size_t index,
                                  enum sink_expr how, struct arena *arena);
/* Whether RisingWave casts `from` to `to` whatever the session says. The same: true. */
bool expr_can_cast(enum rw_type from, enum rw_type to);
/* `expr` cast to `to`; itself when it has that type. The cast must be possible. */
const struct expr *expr_cast(const struct expr *expr, enum rw_type to,
                             struct arena *arena);

#endif

/*
 * ident: names that may stand in SQL. The only way to one is ident_parse(), which knows
 * what each server can hold; it is always quoted when rendered. Opaque on purpose.
 */
#ifndef DDL_IDENT_H
#define DDL_IDENT_H

#include "base/arena.h"
#include "base/fault.h"

enum sql_dialect { SQL_RISINGWAVE = 1, SQL_STARROCKS, SQL_MYSQL, SQL_DIALECT_MAX };
enum ident_kind {
    IDENT_DATABASE = 1,
    IDENT_SCHEMA,
    IDENT_TABLE, /* also source and sink */
    IDENT_COLUMN,
    IDENT_KIND_MAX
};

struct ident;

/*
 * FAULT_REFUSED "UnsupportedName", naming the kind, the name and the rule it breaks
 * (contract: StarRocks FeNameFormat, RisingWave 3.0.3 lexer, verified 6 and 26).
 * RisingWave: no double quote (the `""` escape does not exist), no NUL, valid UTF-8, no
 * reserved column names (_rw_*, _row_id, tableoid, xmin, cmin, xmax, cmax, ctid).
 * StarRocks: no back-quote; columns without = < > ! * and comma, not
 * __op/__row/___count___, not __starrocks_shadow_*; databases by the FE's ASCII rule.
 * MySQL: no back-quote, <= 64.
 */
MUST_CHECK bool ident_parse(struct arena *arena, struct sv name, enum sql_dialect dialect,
                            enum ident_kind kind, const struct ident **out_ident,
                            struct fault *fault);
struct sv ident_name(const struct ident *ident); /* unquoted, for catalogs and messages */
enum sql_dialect ident_dialect(const struct ident *ident);

#endif

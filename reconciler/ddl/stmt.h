/*
 * stmt: SQL assembled from typed parts. There is no %s, no raw append and no way to make
 * one from text: stmt_text() accepts string literals only (anything else does not
 * compile).
 *
 * A statement renders twice: for the driver, with secrets, and redacted, for everybody
 * else (audit, status, plan, logs). Both come from the same parts.
 */
#ifndef DDL_STMT_H
#define DDL_STMT_H

#include "base/secret.h"
#include "ddl/ident.h"

#define STMT_BYTES_MAX ((size_t)1024 * 1024)

struct stmt;

struct stmt *stmt_new(struct arena *arena, enum sql_dialect dialect);

#define stmt_text(s, literal)                                                            \
    stmt_add_literal_((s), "" literal "", sizeof("" literal "") - 1)
void stmt_add_literal_(struct stmt *s, const char *literal, size_t size_bytes);
void stmt_ident(struct stmt *s, const struct ident *ident); /* dialects must match */
void stmt_qualified(struct stmt *s, const struct ident *outer, const struct ident *inner);
void stmt_int(struct stmt *s, int64_t value);
/*
 * A string literal in the dialect's rule: RisingWave doubles ' and nothing else;
 * StarRocks and MySQL escape backslash, quotes and control bytes with a backslash
 * (verified 27). NUL bytes and invalid UTF-8 mark the statement broken (see stmt_check).
 */
void stmt_str(struct stmt *s, struct sv text);
/* The same; redacted as '***'. The secret must outlive the statement. */
void stmt_secret(struct stmt *s, const struct secret *secret);
/* What is added between the two is made of rows of a user: redacted as "<n> rows". */
void stmt_private_begin(struct stmt *s, size_t rows);
void stmt_private_end(struct stmt *s);

enum sql_dialect stmt_dialect(const struct stmt *s);
/* false with FAULT_REFUSED when a part was broken or the text is over STMT_BYTES_MAX. */
MUST_CHECK bool stmt_check(const struct stmt *s, struct fault *fault);
void stmt_render(const struct stmt *s, struct buf *out); /* for drivers only */
const char *stmt_redacted(const struct stmt *s, struct arena *arena);

#endif

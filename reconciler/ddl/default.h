/*
 * default: what a MySQL column's DEFAULT is, from information_schema, where the servers
 * spell it differently. What StarRocks gets of it: types_default.c.
 *
 *   MySQL 5 and 8, MariaDB before 10.2.7   the bare text; MySQL 8 marks expressions by
 *                                          DEFAULT_GENERATED in EXTRA
 *   MariaDB from 10.2.7 on                 an SQL literal: quoted, '' for a quote and
 *                                          backslash escapes; the word NULL; expressions
 */
#ifndef DDL_DEFAULT_H
#define DDL_DEFAULT_H

#include "ddl/schema.h"

enum default_kind {
    DEFAULT_NONE = 1,  /* no default, or a computed column */
    DEFAULT_NULL,      /* NULL, said or implied */
    DEFAULT_LITERAL,   /* text */
    DEFAULT_NOW,       /* CURRENT_TIMESTAMP, of any precision */
    DEFAULT_EXPRESSION /* anything else that the server computes */
};

struct column_default {
    enum default_kind kind;
    const char *text; /* DEFAULT_LITERAL: the value, without quotes; else NULL */
};

/* `version` may be NULL: a server of today. Nothing of `column` is kept. */
struct column_default default_read(const struct mysql_column *column,
                                   enum mysql_flavor flavor, const char *version,
                                   struct arena *arena);

#endif

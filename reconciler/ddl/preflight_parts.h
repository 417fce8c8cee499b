/* preflight_parts: what the pre-flight of the three servers share. Private to ddl. */
#ifndef DDL_PREFLIGHT_PARTS_H
#define DDL_PREFLIGHT_PARTS_H

#include "base/buf.h"
#include "ddl/preflight.h"

#define SYSTEM_MYSQL "MySQL"
#define SYSTEM_RISINGWAVE "RisingWave"
#define SYSTEM_STARROCKS "StarRocks"

/* Adds a finding; system and reason are static, the sentence as printf. */
void findings_add(struct findings *findings, struct arena *arena,
                  enum finding_level level, const char *system, const char *reason,
                  const char *format, ...) PRINTF_LIKE(6, 7);

/*
 * What the account of a MySQL server lacks for one database (empty or NULL: the
 * server-wide part only), with the statements to run; NULL: nothing, or the grants are
 * not known.
 */
const char *mysql_grants_missing(const struct mysql_server *server, const char *database,
                                 struct arena *arena);

/* What a version text begins with: 5 and 7 of "5.7.44-log"; 0 where it does not. */
void version_numbers(const char *version, int64_t *out_major, int64_t *out_minor);

#endif

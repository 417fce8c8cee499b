/* mysql_source: the MySQL source behind struct source_db. Read-only. */
#ifndef DB_MYSQL_SOURCE_H
#define DB_MYSQL_SOURCE_H

#include "db/db.h"

MUST_CHECK bool mysql_source_open(const struct db_endpoint *endpoint,
                                  struct cancel *cancel, struct source_db **out_db,
                                  struct fault *fault);

#endif

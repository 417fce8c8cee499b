/* starrocks: the StarRocks target behind struct target_db, over the FE's MySQL port. */
#ifndef DB_STARROCKS_H
#define DB_STARROCKS_H

#include "db/db.h"

MUST_CHECK bool starrocks_open(const struct db_endpoint *endpoint, struct cancel *cancel,
                               struct target_db **out_db, struct fault *fault);

#endif

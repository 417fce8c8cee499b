/* risingwave: RisingWave behind struct stream_db. */
#ifndef DB_RISINGWAVE_H
#define DB_RISINGWAVE_H

#include "db/db.h"

MUST_CHECK bool risingwave_open(const struct db_endpoint *endpoint, struct cancel *cancel,
                                struct stream_db **out_db, struct fault *fault);

#endif

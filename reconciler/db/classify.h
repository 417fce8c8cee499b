/* classify: server codes and texts to fault classes and reasons, one table per engine. */
#ifndef DB_CLASSIFY_H
#define DB_CLASSIFY_H

#include "base/fault.h"
#include "base/sv.h"

enum db_engine { DB_MYSQL = 1, DB_RISINGWAVE, DB_STARROCKS };

struct db_verdict {
    enum fault_class class;
    const char *reason;
    const char *advice; /* what to do next; NULL: the message says it */
    bool session_broken;
};

/*
 * `code` is the MySQL error number as text or the SQLSTATE; `text` the server's message,
 * already redacted. Matches by code first, then by stable fragments (contract 5.5 and 34:
 * never whole texts).
 */
struct db_verdict db_classify(enum db_engine engine, const char *code, struct sv text);

/* The last line of RisingWave's cause chain, which is the root cause (contract 7.2). */
struct sv db_risingwave_root_cause(struct sv text);

#endif

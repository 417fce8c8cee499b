/*
 * risingwave_wire: one connection over the PostgreSQL protocol; libpq stays inside its
 * .c.
 *
 * Statements go by the simple protocol: RisingWave takes no parameters in DDL (contract
 * risingwave.md 7.3) and the typed builder quotes. Answers are read row by row, so that
 * the ceilings of rows.h hold. Every wait is poll() on the socket and the cancel.
 * RisingWave's DDL goes on after the client has left (6.3), and PQcancel works only for
 * users without a password (7.1): giving up closes the connection and nothing else.
 *
 * TLS as in mysql_wire.h, but with Prefer libpq also goes on in plain text when the
 * handshake fails. No CA, certificate, key or password comes from a home directory.
 */
#ifndef DB_RISINGWAVE_WIRE_H
#define DB_RISINGWAVE_WIRE_H

#include "base/cancel.h"
#include "db/peer.h"
#include "db/rows.h"
#include "ddl/stmt.h"

#define RISINGWAVE_NOTICES_MAX 16

struct risingwave_wire;

struct risingwave_answer {
    struct rows rows;
    const char *tag;        /* "CREATE_SINK", "SELECT 4" */
    struct strlist notices; /* redacted, the first RISINGWAVE_NOTICES_MAX */
};

MUST_CHECK bool risingwave_wire_open(const struct db_endpoint *endpoint,
                                     struct cancel *cancel,
                                     struct risingwave_wire **out_wire,
                                     struct fault *fault);
void risingwave_wire_close(struct risingwave_wire *wire); /* NULL is fine; never waits */
void risingwave_wire_closep(struct risingwave_wire **wire);
const struct peer *risingwave_wire_peer(const struct risingwave_wire *wire);

/* At most timeout_ms. `what` names it in messages; the answer lives in `arena`. */
MUST_CHECK bool risingwave_wire_run(struct risingwave_wire *wire, const struct stmt *stmt,
                                    const char *what, int64_t timeout_ms,
                                    struct cancel *cancel, struct arena *arena,
                                    struct risingwave_answer *out_answer,
                                    struct fault *fault);

#endif

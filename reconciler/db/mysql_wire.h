/*
 * mysql_wire: one connection over the MySQL protocol, for the MySQL source and for the
 * StarRocks target. The client library's types stay inside mysql_wire*.c.
 *
 * It connects without a default database (StarRocks closes the socket without a word when
 * the account may not use it: verified 24), in utf8mb4, without multi-statements and
 * LOCAL INFILE, and only with login plugins that do not send the password as it is. Every
 * wait is the library's non-blocking API plus poll() on the socket and the cancel. After
 * a fault of class UNAVAILABLE or CANCELLED, or past a ceiling, the session is broken:
 * all it takes then is mysql_wire_close().
 */
#ifndef DB_MYSQL_WIRE_H
#define DB_MYSQL_WIRE_H

#include "base/cancel.h"
#include "db/peer.h"
#include "db/rows.h"
#include "ddl/stmt.h"

struct mysql_wire;

MUST_CHECK bool mysql_wire_init(struct fault *fault); /* library-wide, before threads */
void mysql_wire_deinit(void);

/*
 * At most DB_CONNECT_TIMEOUT_MS over all addresses of the host. TLS: Prefer encrypts when
 * the server offers it and then tolerates no failure of the handshake; the stricter modes
 * refuse a server that offers none before anything is sent to it (the library alone
 * connects in plain text then: verified 23). VerifyFull compares the certificate with the
 * name of the host, not with the address it was found at.
 */
MUST_CHECK bool mysql_wire_open(const struct db_endpoint *endpoint, enum db_engine engine,
                                struct cancel *cancel, struct mysql_wire **out_wire,
                                struct fault *fault);
void mysql_wire_close(
    struct mysql_wire *wire); /* NULL is fine; never waits for the server */
void mysql_wire_closep(struct mysql_wire **wire);

const struct peer *mysql_wire_peer(const struct mysql_wire *wire);
const char *mysql_wire_version(const struct mysql_wire *wire); /* as the handshake said */

/*
 * Runs a read. `what` names it in messages. At most DB_QUERY_TIMEOUT_MS; when it has to
 * be given up, KILL QUERY is tried from a second connection (briefly, best effort).
 */
MUST_CHECK bool mysql_wire_read(struct mysql_wire *wire, const struct stmt *stmt,
                                const char *what, struct cancel *cancel,
                                struct arena *arena, struct rows *out_rows,
                                struct fault *fault);
/*
 * The same for a read that may take limit_ms and no longer: then the server is told to
 * end it, from a second connection, and the session stays usable. *out_late tells that
 * this happened, or that the server ended the read itself because of a limit in the
 * statement; it is no fault, and *out_rows is then left alone.
 */
MUST_CHECK bool mysql_wire_read_within(struct mysql_wire *wire, const struct stmt *stmt,
                                       const char *what, int64_t limit_ms,
                                       struct cancel *cancel, struct arena *arena,
                                       struct rows *out_rows, bool *out_late,
                                       struct fault *fault);
/*
 * Runs a statement that changes something, with "tag" as a comment in front (NULL: none).
 * At most DB_DDL_TIMEOUT_MS. Giving up does not stop the server: look at the object
 * again.
 */
MUST_CHECK bool mysql_wire_apply(struct mysql_wire *wire, const struct stmt *stmt,
                                 const char *tag, const char *what, struct cancel *cancel,
                                 int64_t *out_affected, struct fault *fault);

#endif

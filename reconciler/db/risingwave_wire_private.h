/* What the two halves of risingwave_wire share: what libpq is told (risingwave_start.c)
 * and all the rest (risingwave_wire.c). */
#ifndef DB_RISINGWAVE_WIRE_PRIVATE_H
#define DB_RISINGWAVE_WIRE_PRIVATE_H

#include "base/vec.h"
#include "db/peer.h"
#include "db/tls_files.h"

struct pg_conn; /* the library's handle; its header shows in risingwave_*.c alone */

/*
 * Begins to connect to the addresses of the peer's host, in their order. The certificate
 * is compared with the host's name. libpq reads the files while it connects, so they have
 * to stay until then.
 */
struct pg_conn *risingwave_wire_start(const struct peer *peer,
                                      const struct strlist *addresses,
                                      const struct tls_files *files);

#endif

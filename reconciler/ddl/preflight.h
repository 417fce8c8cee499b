/*
 * preflight: what the three servers lack for a TableSync, found before anything is
 * created. Pure: it reads what the drivers observed. Every function adds all it finds, so
 * that one message lists everything at once; each finding says what to do, as a statement
 * or a variable where there is one.
 */
#ifndef DDL_PREFLIGHT_H
#define DDL_PREFLIGHT_H

#include "ddl/observed.h"
#include "ddl/schema.h"
#include "model/spec.h"

enum finding_level {
    FINDING_MISSING = 1, /* nothing can be created before it is mended */
    FINDING_WARNING      /* it works, and somebody should know */
};
struct finding {
    enum finding_level level;
    const char *system; /* "MySQL", "RisingWave", "StarRocks" */
    const char *reason; /* token: MissingGrant, BinlogOff, BinlogExpiresSoon, ... */
    const char *text;   /* one sentence, with what to do */
};
struct findings {
    VEC(struct finding) list;
};

/* Settings and grants; an empty database asks for the server-wide part only.
 * `unparseable`: columns the connector cannot parse (verified 8); may be empty. */
void preflight_mysql(const struct mysql_server *server, const char *database,
                     const struct strlist *unparseable, struct arena *arena,
                     struct findings *findings);
/* What the account must show at a login, against what RisingWave shows with this mode:
 * its snapshot reader uses no TLS below Require, and never a certificate
 * (risingwave.md 1.4).
 */
void preflight_mysql_tls(const struct mysql_server *server, enum tls_mode mode,
                         struct arena *arena, struct findings *findings);
/* Privileges on the database, actor limit (verified 18), licence, version. */
void preflight_risingwave(const struct rw_server *server, struct arena *arena,
                          struct findings *findings);
/* Backends; with a TableSync (may be NULL) also what its policies need on its target
 * database: CREATE TABLE, INSERT, ALTER, DROP ... (starrocks.md 5.1). */
void preflight_starrocks(const struct sr_server *server, const char *user,
                         const struct tablesync *sync, struct arena *arena,
                         struct findings *findings);

/* True when nothing is missing. Otherwise one fault with every FINDING_MISSING, its
 * reason that of the first: FAULT_DENIED when all are grants, FAULT_UNAVAILABLE when all
 * are backends that are down, else FAULT_REFUSED. */
MUST_CHECK bool preflight_passed(const struct findings *findings, struct fault *fault);
/* Warnings in one text, joined by "; "; NULL: none. */
const char *preflight_warnings(const struct findings *findings, struct arena *arena);

#endif

/*
 * keep: the last-known-good of each connection in use: its spec and what its Secrets
 * held when a login last worked, encrypted in the audit database (audit/vault.h). It is
 * for one purpose: a TableSync that is deleted can clean up although its Secret or its
 * connection went before it. Without an encryption key nothing is kept and nothing found.
 */
#ifndef LOOP_KEEP_H
#define LOOP_KEEP_H

#include "loop/secrets.h"

struct loop;

/* After a login that worked, for a connection in use. Writes only when it differs from
 * what is kept. Faults: those of the audit database. */
MUST_CHECK bool keep_store(struct loop *loop, const struct dbconn *conn,
                           const struct credentials *credentials, struct fault *fault);
/*
 * What is kept of connection namespace/name. Faults: FAULT_DENIED "NothingKept" saying
 * why (no key, never stored), "KeptUnreadable" (another key, damaged, not this
 * connection's row). The connection's strings live in the arena.
 */
MUST_CHECK bool keep_find(struct loop *loop, const char *namespace, const char *name,
                          struct arena *arena, struct dbconn *out_conn,
                          struct credentials *out_credentials, struct fault *fault);
/* When its last user is gone. */
MUST_CHECK bool keep_erase(struct loop *loop, const char *namespace, const char *name,
                           struct fault *fault);
/* Whether an encryption key was given. */
bool keep_is_on(const struct loop *loop);
/*
 * Erases what is kept of connections that do not exist any more and that no TableSync
 * names; of one namespace, or of all that are watched (NULL). Wants both stores synced.
 * Failures are logged and counted: the next sweep tries again.
 */
void keep_sweep(struct loop *loop, const char *namespace);
/* At the start: encrypts what an old key encrypts with the current one, and logs it. */
void keep_rekey(struct loop *loop);

#endif

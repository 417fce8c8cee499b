/*
 * vault: encrypted values in the audit database, one for each DatabaseConnection. What
 * they say is the caller's business (loop/keep.h: the last-known-good credentials).
 *
 * A value is bound, by AES-256-GCM's associated data, to the namespace, name and uid of
 * its connection and to the format's version: a row that was moved, cut, changed in a
 * single bit or written with another key is not decrypted but told, each in words of its
 * own. Deleted and replaced values are overwritten in the file and taken out of the WAL
 * (as far as no reader holds it). Retention never touches them.
 * Thread-safe, as the audit is.
 */
#ifndef AUDIT_VAULT_H
#define AUDIT_VAULT_H

#include "audit/audit.h"
#include "base/buf.h"
#include "base/crypto.h"
#include "base/vec.h"

#define VAULT_VALUE_MAX ((size_t)1024 * 1024)

struct vault_entry {
    const char *namespace, *name, *uid; /* of the connection */
    const char *key_id;                 /* of the key it is encrypted with */
    int64_t stored_ms;                  /* Unix ms */
};
struct vault_list {
    VEC(struct vault_entry) entries; /* by namespace and name */
};

/* Encrypts with the current key and replaces what was stored for namespace/name. */
MUST_CHECK bool vault_put(struct audit *audit, const struct crypto *crypto,
                          const char *namespace, const char *name, const char *uid,
                          struct sv value, struct fault *fault);
/*
 * Appends what was stored for namespace/name to `out_value`, which the caller wipes.
 * *out_entry.namespace NULL: nothing is. Faults: FAULT_DENIED "KeptUnreadable" saying
 * which key is missing, or that the row is cut off, another connection's, or damaged; and
 * those of the database.
 */
MUST_CHECK bool vault_get(struct audit *audit, const struct crypto *crypto,
                          const char *namespace, const char *name, struct arena *arena,
                          struct vault_entry *out_entry, struct buf *out_value,
                          struct fault *fault);
/* Needs no key. *out_removed: there was one. */
MUST_CHECK bool vault_remove(struct audit *audit, const char *namespace, const char *name,
                             bool *out_removed, struct fault *fault);
/* Everything that is stored, without the values; needs no key. */
MUST_CHECK bool vault_list(struct audit *audit, struct arena *arena,
                           struct vault_list *out_list, struct fault *fault);
/*
 * Encrypts again, with the current key, every value that another one encrypts. Those that
 * cannot be read are left as they are and counted.
 */
MUST_CHECK bool vault_rekey(struct audit *audit, const struct crypto *crypto,
                            int64_t *out_changed, int64_t *out_unreadable,
                            struct fault *fault);

#endif

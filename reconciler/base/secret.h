/*
 * secret: a password in memory. Opaque, locked against swapping and core dumps where the
 * system allows it, wiped when freed. There is no way to print one; drivers reveal it at
 * the last moment and only into a library call.
 */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include "base/buf.h"
#include "base/sv.h"

#include <stdbool.h>
#include <stddef.h>

struct secret;

struct secret *secret_new(struct sv value); /* copies; the caller wipes its own copy */
void secret_free(struct secret *s);
void secret_freep(struct secret **s);
struct secret *secret_ref(struct secret *s); /* shared ownership, thread-safe count */
/* The value; NUL-terminated. NULL secret gives the empty view. */
struct sv secret_reveal(const struct secret *s);
/*
 * 16 hex of a keyed hash of the value: the same value has the same digest in this
 * process, and in no other one. So a password that a server shows can be compared with
 * the one it should be, and neither is kept.
 */
#define SECRET_DIGEST_SIZE 17
void secret_digest(struct sv value, char out_hex[SECRET_DIGEST_SIZE]);
bool secret_equal(const struct secret *a, const struct secret *b); /* constant time */

/*
 * Appends `text` to `out` with every occurrence of the secret (raw, and as SQL and JSON
 * escape it) replaced by "***". Secrets shorter than 3 bytes are not searched for. Used
 * on every text that comes back from a server before it goes anywhere.
 */
void secret_redact(const struct secret *const *secrets, size_t count, struct sv text,
                   struct buf *out);
/*
 * Appends `text` to `out` with what looks like a credential in SQL, JSON or URLs replaced
 * even if the value is unknown: password='...', "password": "...", IDENTIFIED BY '...',
 * scheme://user:...@host. A value that is not closed is hidden to the end of the text.
 */
void secret_redact_pattern(struct sv text, struct buf *out);
/*
 * A server may repeat a password that another server was given, also one that was changed
 * since. Keeps a reference for the scope (a namespace: nobody learns by a mask what
 * others' passwords are), at most 1024 in all. Thread-safe. NULL secret: nothing.
 */
void secret_remember(const char *scope, struct secret *s);
/* secret_redact() with all that is remembered for the scope. */
void secret_redact_scope(const char *scope, struct sv text, struct buf *out);
void secret_forget_all(void); /* at the end of the process, and of a test */
void secret_wipe(void *memory, size_t size_bytes); /* not optimised away */

#endif

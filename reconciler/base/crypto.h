/*
 * crypto: small secrets at rest, AES-256-GCM with keys from files.
 *
 * One current key encrypts; it and the older ones decrypt, so that a key can be replaced
 * while rows of the old one still exist. Each ciphertext is bound to "associated data",
 * which says whose it is: under any other it does not decrypt. The nonce is fresh and
 * random for each encryption (NIST SP 800-38D 8.2.2: 96 bits, at most 2^32 under one key,
 * which a few credentials never come near).
 *
 * Immutable once loaded, hence thread-safe. Keys are held in `struct secret`.
 */
#ifndef BASE_CRYPTO_H
#define BASE_CRYPTO_H

#include "base/buf.h"
#include "base/fault.h"

#define CRYPTO_NONCE_BYTES ((size_t)12)
#define CRYPTO_TAG_BYTES ((size_t)16)
#define CRYPTO_KEY_ID_SIZE 9 /* 8 hex and NUL */
#define CRYPTO_OLD_KEYS_MAX ((size_t)64)

struct crypto;

/*
 * Reads the current key from `key_file`, and older ones, one a line, from `old_key_file`
 * (NULL: none; there, empty lines and lines that begin with '#' count for nothing).
 * A key is 32 random bytes, written as 44 characters of base64 (`openssl rand -base64
 * 32`) or as 64 hexadecimal digits; white space around it is ignored. Faults: FAULT_SPEC
 * "EncryptionKeyInvalid" naming the file, the line, what is wrong and how to make a key,
 * never what the file holds; or file_read()'s.
 */
MUST_CHECK bool crypto_load(const char *key_file, const char *old_key_file,
                            struct crypto **out_crypto, struct fault *fault);
void crypto_free(struct crypto *crypto);
void crypto_freep(struct crypto **crypto);

/* 8 hex of a hash of the key that encrypts: names a key, tells nothing about it. */
const char *crypto_key_id(const struct crypto *crypto);
bool crypto_has_key(const struct crypto *crypto, const char *key_id);

/* Appends the ciphertext and its tag to `out` (plain's size plus CRYPTO_TAG_BYTES). */
void crypto_seal(const struct crypto *crypto, struct sv plain, struct sv associated,
                 unsigned char out_nonce[CRYPTO_NONCE_BYTES], struct buf *out);
/*
 * Appends the plaintext to `out`, which the caller wipes. false, and nothing appended:
 * the key is not there, or key, nonce, associated data and ciphertext were not made
 * together, down to the last bit.
 */
MUST_CHECK bool crypto_unseal(const struct crypto *crypto, const char *key_id,
                              const unsigned char nonce[CRYPTO_NONCE_BYTES],
                              struct sv sealed, struct sv associated, struct buf *out);

#endif

/* hash: SHA-256 over length-prefixed fields, so that ("ab","c") and ("a","bc") differ. */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include "base/sv.h"

#define HASH_HEX_SIZE 65

struct hash;

struct hash *hash_new(void);
void hash_freep(struct hash **h);
void hash_add(struct hash *h, struct sv field);
void hash_addz(struct hash *h, const char *field); /* NULL differs from "" */
void hash_add_int(struct hash *h, int64_t value);
/* Lower-case hex, 64 characters and NUL; the hash must not be used afterwards. */
void hash_finish(struct hash *h, char out_hex[HASH_HEX_SIZE]);

#endif

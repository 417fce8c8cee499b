#include "base/hash.h"
#include "base/attr.h"

#include <openssl/evp.h>
#include <stdlib.h>

struct hash {
    EVP_MD_CTX *context;
};

struct hash *hash_new(void)
{
    struct hash *h = calloc(1, sizeof(*h));

    must(h != NULL);
    h->context = EVP_MD_CTX_new();
    must(h->context != NULL);
    must(EVP_DigestInit_ex(h->context, EVP_sha256(), NULL) == 1);
    return h;
}

void hash_freep(struct hash **h)
{
    struct hash *taken = TAKE(*h);

    if (taken != NULL) {
        EVP_MD_CTX_free(taken->context);
        free(taken);
    }
}

/* Every field starts with its kind and a 64-bit number: its length, or the value itself.
 */
static void add_head(struct hash *h, char kind, uint64_t number)
{
    unsigned char head[9] = {(unsigned char)kind};

    for (unsigned i = 0; i < 8; i++) {
        head[1 + i] = (unsigned char)(number >> (8 * i));
    }
    must(EVP_DigestUpdate(h->context, head, sizeof(head)) == 1);
}

void hash_add(struct hash *h, struct sv field)
{
    add_head(h, 's', field.n);
    must(field.n == 0 || EVP_DigestUpdate(h->context, field.p, field.n) == 1);
}

void hash_addz(struct hash *h, const char *field)
{
    if (field == NULL) {
        add_head(h, 'n', 0);
    } else {
        hash_add(h, sv_from(field));
    }
}

void hash_add_int(struct hash *h, int64_t value)
{
    add_head(h, 'i', (uint64_t)value);
}

void hash_finish(struct hash *h, char out_hex[HASH_HEX_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    unsigned char digest[EVP_MAX_MD_SIZE] = {0};
    unsigned digest_bytes = 0;

    must(EVP_DigestFinal_ex(h->context, digest, &digest_bytes) == 1);
    size_t n = digest_bytes;
    must(n * 2 + 1 == HASH_HEX_SIZE);
    for (size_t i = 0; i < n; i++) {
        out_hex[2 * i] = digits[digest[i] >> 4];
        out_hex[2 * i + 1] = digits[digest[i] & 15];
    }
    out_hex[2 * n] = '\0';
}

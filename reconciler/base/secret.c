#include "base/secret.h"

#include "base/hash.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

struct secret {
    atomic_uint references;
    size_t size_bytes;
    size_t mapped_bytes;
    char *value; /* pages of its own: locking and dump rules work on whole pages */
};

struct secret *secret_new(struct sv value)
{
    struct secret *s = calloc(1, sizeof(*s));
    size_t page = (size_t)sysconf(_SC_PAGESIZE);

    must(s != NULL && value.n < SIZE_MAX / 2);
    atomic_init(&s->references, 1);
    s->size_bytes = value.n;
    s->mapped_bytes = (value.n / page + 1) * page; /* always room for the NUL */
    void *pages = mmap(NULL, s->mapped_bytes, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    must(pages != MAP_FAILED);
    s->value = pages;
    /* Both may be forbidden in a container (RLIMIT_MEMLOCK); the value works without. */
    (void)mlock(pages, s->mapped_bytes);
    (void)madvise(pages, s->mapped_bytes, MADV_DONTDUMP);
    if (value.n > 0) {
        memcpy(s->value, value.p, value.n);
    }
    return s;
}

void secret_free(struct secret *s)
{
    if (s == NULL || atomic_fetch_sub(&s->references, 1) != 1) {
        return;
    }
    secret_wipe(s->value, s->mapped_bytes);
    (void)munlock(s->value, s->mapped_bytes);
    (void)munmap(s->value, s->mapped_bytes);
    free(s);
}

void secret_freep(struct secret **s)
{
    secret_free(TAKE(*s));
}

struct secret *secret_ref(struct secret *s)
{
    if (s != NULL) {
        atomic_fetch_add(&s->references, 1);
    }
    return s;
}

struct sv secret_reveal(const struct secret *s)
{
    return s == NULL ? SV("") : (struct sv){s->value, s->size_bytes};
}

/* The key of this process's digests. */
static struct {
    pthread_once_t once;
    uint64_t words[4];
} digest_key = {.once = PTHREAD_ONCE_INIT};

static void make_digest_key(void)
{
    must(getrandom(digest_key.words, sizeof(digest_key.words), 0) ==
         (ssize_t)sizeof(digest_key.words));
}

void secret_digest(struct sv value, char out_hex[SECRET_DIGEST_SIZE])
{
    AUTO(hash_freep) struct hash *h = hash_new();
    char hex[HASH_HEX_SIZE];

    must(pthread_once(&digest_key.once, make_digest_key) == 0);
    for (size_t i = 0; i < COUNT_OF(digest_key.words); i++) {
        hash_add_int(h, (int64_t)digest_key.words[i]);
    }
    hash_add(h, value);
    hash_finish(h, hex);
    memcpy(out_hex, hex, SECRET_DIGEST_SIZE - 1);
    out_hex[SECRET_DIGEST_SIZE - 1] = '\0';
}

bool secret_equal(const struct secret *a, const struct secret *b)
{
    struct sv x = secret_reveal(a);
    struct sv y = secret_reveal(b);
    volatile unsigned char difference = 0;

    if (x.n != y.n) {
        return false;
    }
    for (size_t i = 0; i < x.n; i++) {
        difference = (unsigned char)(difference | (x.p[i] ^ y.p[i]));
    }
    return difference == 0;
}

void secret_wipe(void *memory, size_t size_bytes)
{
    if (memory != NULL) {
        explicit_bzero(memory, size_bytes);
    }
}

#include "kube/pack.h"

#include "base/heap.h"

#include <lz4.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#define FASTEST 1                     /* of LZ4: no acceleration at the cost of size */
#define ROOM_KEPT ((size_t)64 * 1024) /* a larger one is for one text */

struct dictionary {
    atomic_uint references;
    size_t n;
    char text[];
};

struct packer {
    pthread_mutex_t lock;
    struct dictionary *now; /* NULL: no text came yet */
    unsigned packed;        /* texts since it is */
    char *room;             /* what is being packed */
    size_t room_bytes;
    LZ4_stream_t primed; /* knows the dictionary */
    LZ4_stream_t work;   /* a copy for each text */
};

struct packer *packer_new(void)
{
    struct packer *p = HEAP_NEW(struct packer);

    must(pthread_mutex_init(&p->lock, NULL) == 0);
    (void)LZ4_initStream(&p->primed, sizeof(p->primed));
    return p;
}

void packer_free(struct packer *p)
{
    if (p == NULL) {
        return;
    }
    (void)pthread_mutex_destroy(&p->lock);
    dictionary_put(p->now);
    heap_free(p->room);
    heap_free(p);
}

void dictionary_put(struct dictionary *d)
{
    if (d != NULL && atomic_fetch_sub(&d->references, 1) == 1) {
        heap_free(d);
    }
}

/* Its end: an object ends with its status, which is longer and less its own than what
 * stands before. */
static void learn(struct packer *p, struct sv text)
{
    size_t n = text.n < PACK_DICTIONARY_BYTES_MAX ? text.n : PACK_DICTIONARY_BYTES_MAX;
    struct dictionary *fresh = heap_new(sizeof(*fresh) + n);

    atomic_init(&fresh->references, 1);
    fresh->n = n;
    memcpy(fresh->text, text.p + text.n - n, n);
    dictionary_put(p->now);
    p->now = fresh;
    p->packed = 0;
    (void)LZ4_loadDict(&p->primed, fresh->text, (int)n);
}

static void make_room(struct packer *p, size_t bytes)
{
    if (bytes > p->room_bytes) {
        heap_free(p->room);
        p->room = heap_new(bytes);
        p->room_bytes = bytes;
    }
}

static void forget_large_room(struct packer *p)
{
    if (p->room_bytes > ROOM_KEPT) {
        heap_free(TAKE(p->room));
        p->room_bytes = 0;
    }
}

/* The bytes in `room`; 0: it would not become shorter. */
static size_t pack(struct packer *p, struct sv text)
{
    int n = 0;

    if (text.n < 2) {
        return 0;
    }
    make_room(p, text.n);
    p->work = p->primed;
    n = LZ4_compress_fast_continue(&p->work, text.p, p->room, (int)text.n,
                                   (int)text.n - 1, FASTEST);
    return n > 0 ? (size_t)n : 0;
}

void packer_pack(struct packer *p, struct sv text, struct buf *out,
                 struct dictionary **out_dictionary)
{
    size_t n = 0;

    *out_dictionary = NULL;
    must(text.n <= LZ4_MAX_INPUT_SIZE);
    must(pthread_mutex_lock(&p->lock) == 0);
    n = pack(p, text);
    buf_add(out, n == 0 ? text : (struct sv){p->room, n});
    if (n > 0 && p->now != NULL) {
        atomic_fetch_add(&p->now->references, 1);
        *out_dictionary = p->now;
    }
    p->packed++;
    if (text.n > 0 && (p->now == NULL || (p->packed >= PACK_LEARN_EVERY &&
                                          (n == 0 || n > text.n / PACK_GOOD)))) {
        learn(p, text);
    }
    forget_large_room(p);
    (void)pthread_mutex_unlock(&p->lock);
}

char *packed_read(struct sv packed, size_t text_bytes,
                  const struct dictionary *dictionary)
{
    char *text = heap_new(text_bytes + 1);

    if (packed.n == text_bytes) {
        memcpy(text, packed.p, packed.n);
        return text;
    }
    /* It never left this process: what cannot be read here is broken memory. */
    must(LZ4_decompress_safe_usingDict(packed.p, text, (int)packed.n, (int)text_bytes,
                                       dictionary == NULL ? NULL : dictionary->text,
                                       dictionary == NULL ? 0 : (int)dictionary->n) ==
         (int)text_bytes);
    return text;
}

#include "base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#define ARENA_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_ASAN 1
#endif
#endif

#ifdef ARENA_ASAN
#include <sanitizer/asan_interface.h>
#define POISON(p, n) ASAN_POISON_MEMORY_REGION((p), (n))
#define UNPOISON(p, n) ASAN_UNPOISON_MEMORY_REGION((p), (n))
/* What overruns one object must not reach the next. */
#define REDZONE_BYTES ((size_t)16)
#else
#define POISON(p, n) ((void)0)
#define UNPOISON(p, n) ((void)0)
#define REDZONE_BYTES ((size_t)0)
#endif

#define ALIGNMENT alignof(max_align_t)
#define FIRST_CHUNK_BYTES ((size_t)4096)
#define LARGEST_CHUNK_BYTES ((size_t)256 * 1024)

struct chunk {
    struct chunk *next;
    size_t capacity;
    size_t used;
    alignas(max_align_t) char data[];
};

struct arena {
    struct chunk *chunks; /* the head is the one being filled */
    size_t ceiling_bytes;
    size_t used_bytes;
    size_t next_chunk_bytes;
};

struct arena *arena_new(size_t ceiling_bytes)
{
    struct arena *a = calloc(1, sizeof(*a));

    must(a != NULL);
    a->ceiling_bytes = ceiling_bytes;
    a->next_chunk_bytes = FIRST_CHUNK_BYTES;
    return a;
}

void arena_free(struct arena *a)
{
    if (a == NULL) {
        return;
    }
    for (struct chunk *c = a->chunks, *next = NULL; c != NULL; c = next) {
        next = c->next;
        UNPOISON(c->data, c->capacity);
        free(c);
    }
    free(a);
}

void arena_freep(struct arena **a)
{
    arena_free(TAKE(*a));
}

static struct chunk *chunk_new(size_t capacity)
{
    struct chunk *c = calloc(1, sizeof(*c) + capacity);

    must(c != NULL);
    c->capacity = capacity;
    POISON(c->data, capacity);
    return c;
}

/* A chunk with `need` bytes free: the head, a new head, or one of its own for a big
 * object. */
static struct chunk *chunk_with(struct arena *a, size_t need)
{
    struct chunk *head = a->chunks;

    if (head != NULL && head->capacity - head->used >= need) {
        return head;
    }
    if (need > a->next_chunk_bytes / 4) {
        struct chunk *own = chunk_new(need);
        if (head == NULL) {
            a->chunks = own;
        } else { /* behind the head, whose free room stays in use */
            own->next = head->next;
            head->next = own;
        }
        return own;
    }
    struct chunk *fresh = chunk_new(a->next_chunk_bytes);
    fresh->next = head;
    a->chunks = fresh;
    if (a->next_chunk_bytes < LARGEST_CHUNK_BYTES) {
        a->next_chunk_bytes *= 2;
    }
    return fresh;
}

void *arena_alloc(struct arena *a, size_t size_bytes)
{
    must(size_bytes <= a->ceiling_bytes);

    size_t size = (size_bytes + (ALIGNMENT - 1)) & ~(ALIGNMENT - 1);
    size = size == 0 ? ALIGNMENT : size;
    must(size <= a->ceiling_bytes && a->used_bytes <= a->ceiling_bytes - size);

    struct chunk *c = chunk_with(a, size + REDZONE_BYTES);
    char *p = c->data + c->used;
    c->used += size + REDZONE_BYTES;
    a->used_bytes += size;
    UNPOISON(p, size_bytes == 0 ? 1 : size_bytes);
    return p;
}

void *arena_alloc_array(struct arena *a, size_t count, size_t size_bytes)
{
    size_t total = 0;

    must(!__builtin_mul_overflow(count, size_bytes, &total));
    return arena_alloc(a, total);
}

char *arena_strdup(struct arena *a, const char *text)
{
    return text == NULL ? NULL : arena_copy(a, sv_from(text));
}

char *arena_copy(struct arena *a, struct sv text)
{
    must(text.n < SIZE_MAX);
    char *copy = arena_alloc(a, text.n + 1);

    if (text.n > 0) {
        memcpy(copy, text.p, text.n);
    }
    return copy;
}

struct sv arena_sv(struct arena *a, struct sv text)
{
    return (struct sv){arena_copy(a, text), text.n};
}

char *arena_vprintf(struct arena *a, const char *format, va_list args)
{
    va_list again;

    must(format != NULL);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, again);
    va_end(again);
    must(n >= 0);

    char *text = arena_alloc(a, (size_t)n + 1);
    must(vsnprintf(text, (size_t)n + 1, format, args) == n);
    return text;
}

char *arena_printf(struct arena *a, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    char *text = arena_vprintf(a, format, args);
    va_end(args);
    return text;
}

size_t arena_used_bytes(const struct arena *a)
{
    return a->used_bytes;
}

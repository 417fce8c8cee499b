#include "base/buf.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CAPACITY ((size_t)64)

void buf_init(struct buf *b, size_t ceiling_bytes)
{
    must(ceiling_bytes < SIZE_MAX / 4);
    *b = (struct buf){.ceiling_bytes = ceiling_bytes};
}

static void release(struct buf *b, bool wipe)
{
    if (b->p != NULL && wipe) {
        explicit_bzero(b->p, b->capacity);
    }
    free(b->p);
    buf_init(b, b->ceiling_bytes);
}

void buf_deinit(struct buf *b)
{
    release(b, false);
}

void buf_deinit_zero(struct buf *b)
{
    release(b, true);
}

void buf_clear(struct buf *b)
{
    b->n = 0;
    b->overflowed = false;
    if (b->p != NULL) {
        b->p[0] = '\0';
    }
}

/* Makes room for `extra` bytes and the NUL; false when the ceiling forbids it. */
static bool reserve(struct buf *b, size_t extra)
{
    if (b->overflowed || extra > b->ceiling_bytes - b->n) {
        b->overflowed = true;
        return false;
    }
    size_t need = b->n + extra + 1;
    if (need <= b->capacity) {
        return true;
    }
    size_t capacity = b->capacity == 0 ? FIRST_CAPACITY : b->capacity;
    while (capacity < need) {
        capacity *= 2;
    }
    /* Not realloc(): it would leave a copy behind that buf_deinit_zero() cannot wipe. */
    char *p = malloc(capacity);
    must(p != NULL);
    if (b->p != NULL) {
        memcpy(p, b->p, b->n + 1);
        explicit_bzero(b->p, b->capacity);
        free(b->p);
    }
    p[b->n] = '\0';
    b->p = p;
    b->capacity = capacity;
    return true;
}

void buf_add(struct buf *b, struct sv text)
{
    if (!reserve(b, text.n)) {
        return;
    }
    if (text.n > 0) {
        memcpy(b->p + b->n, text.p, text.n);
    }
    b->n += text.n;
    b->p[b->n] = '\0';
}

void buf_addz(struct buf *b, const char *text)
{
    buf_add(b, sv_from(text));
}

void buf_addc(struct buf *b, char c)
{
    buf_add(b, (struct sv){&c, 1});
}

void buf_vaddf(struct buf *b, const char *format, va_list args)
{
    va_list again;

    must(format != NULL);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, again);
    va_end(again);
    must(n >= 0);
    if (!reserve(b, (size_t)n)) {
        return;
    }
    must(vsnprintf(b->p + b->n, (size_t)n + 1, format, args) == n);
    b->n += (size_t)n;
}

void buf_addf(struct buf *b, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    buf_vaddf(b, format, args);
    va_end(args);
}

void buf_drop_front(struct buf *b, size_t count)
{
    if (b->p == NULL) {
        return;
    }
    count = count < b->n ? count : b->n;
    memmove(b->p, b->p + count, b->n - count + 1);
    b->n -= count;
}

bool buf_overflowed(const struct buf *b)
{
    return b->overflowed;
}

struct sv buf_sv(const struct buf *b)
{
    return (struct sv){b->p, b->n};
}

const char *buf_z(const struct buf *b)
{
    return b->p == NULL ? "" : b->p;
}

char *buf_take(struct buf *b, struct arena *a)
{
    char *copy = arena_copy(a, buf_sv(b));

    b->n = 0;
    if (b->p != NULL) {
        b->p[0] = '\0';
    }
    return copy;
}

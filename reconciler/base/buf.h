/*
 * buf: bytes being built, with a ceiling set at birth.
 *
 * Passing the ceiling does not abort and does not write: the buffer remembers that it
 * overflowed, keeps what fitted before, and every later addition is ignored. Callers
 * build without checking each step and ask buf_overflowed() once. Always NUL-terminated.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/arena.h"
#include "base/attr.h"
#include "base/sv.h"

#include <stdarg.h>
#include <stdbool.h>

struct buf {
    char *p; /* NUL-terminated once anything was added; may be NULL before */
    size_t n;
    size_t capacity;
    size_t ceiling_bytes;
    bool overflowed;
};

void buf_init(struct buf *b, size_t ceiling_bytes);
void buf_deinit(
    struct buf *b); /* for AUTO(); leaves an empty buffer with the same ceiling */
void buf_deinit_zero(struct buf *b); /* the same, and the bytes are wiped first */
void buf_clear(struct buf *b);       /* keeps the memory, forgets content and overflow */
void buf_add(struct buf *b, struct sv text);
void buf_addz(struct buf *b, const char *text); /* NUL-terminated; NULL adds nothing */
void buf_addc(struct buf *b, char c);
void buf_addf(struct buf *b, const char *format, ...) PRINTF_LIKE(2, 3);
void buf_vaddf(struct buf *b, const char *format, va_list args) PRINTF_LIKE(2, 0);
void buf_drop_front(struct buf *b, size_t count); /* forgets the first bytes */
bool buf_overflowed(const struct buf *b);
struct sv buf_sv(const struct buf *b);
const char *buf_z(const struct buf *b); /* never NULL */
/* A copy in the arena; the buffer empties, but still knows if it had overflowed. */
char *buf_take(struct buf *b, struct arena *a);

#endif

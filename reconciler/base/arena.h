/*
 * arena: memory that lives and dies together.
 *
 * Each reconcile attempt owns one; spec, catalogs, plan, statements and status live in it
 * and nothing inside is freed alone. Running out of memory aborts; so does passing the
 * ceiling, because every input has a ceiling of its own that is met first.
 * Not thread-safe: one arena, one thread.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/attr.h"
#include "base/sv.h"

#include <stdarg.h>
#include <stddef.h>

#define ARENA_CEILING_BYTES ((size_t)256 * 1024 * 1024)

struct arena;

struct arena *arena_new(size_t ceiling_bytes);
void arena_free(struct arena *a);
void arena_freep(struct arena **a); /* for AUTO() */

/* Zeroed memory aligned for any type. `size_bytes` may be 0. Never NULL. */
void *arena_alloc(struct arena *a, size_t size_bytes);
void *arena_alloc_array(struct arena *a, size_t count,
                        size_t size_bytes); /* overflow aborts */
#define ARENA_NEW(a, type) ((type *)arena_alloc((a), sizeof(type)))

/* NUL-terminated copies. arena_strdup(NULL) is NULL. */
char *arena_strdup(struct arena *a, const char *text);
char *arena_copy(struct arena *a, struct sv text);
struct sv arena_sv(struct arena *a, struct sv text);
char *arena_printf(struct arena *a, const char *format, ...) PRINTF_LIKE(2, 3);
char *arena_vprintf(struct arena *a, const char *format, va_list args) PRINTF_LIKE(2, 0);

size_t arena_used_bytes(const struct arena *a);

#endif

/*
 * heap: the one door to the allocator outside an arena, for what outlives an attempt
 * (cache entries, queue items, sessions). Running out of memory aborts.
 */
#ifndef BASE_HEAP_H
#define BASE_HEAP_H

#include "base/attr.h"

#include <stdlib.h>
#include <string.h>

/* Zeroed memory, to be given back with heap_free(). Never NULL. */
static inline void *heap_new(size_t size_bytes)
{
    void *p = calloc(1, size_bytes == 0 ? 1 : size_bytes);

    must(p != NULL);
    return p;
}

/* NULL stays NULL. */
static inline char *heap_strdup(const char *text)
{
    char *copy = NULL;

    if (text != NULL) {
        copy = strdup(text);
        must(copy != NULL);
    }
    return copy;
}

static inline void heap_free(void *p)
{
    free(p);
}

/* For AUTO() on char pointers. */
static inline void heap_freep(char **p)
{
    free(*p);
    *p = NULL;
}

#define HEAP_NEW(type) ((type *)heap_new(sizeof(type)))

#endif

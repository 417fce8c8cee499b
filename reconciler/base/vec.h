/*
 * vec: a growing array in an arena. Declare `VEC(struct column) columns;` inside a
 * struct, zero it, then VEC_PUSH(arena, &s->columns, value). Grown copies stay in the
 * arena.
 */
#ifndef BASE_VEC_H
#define BASE_VEC_H

#include "base/arena.h"

#include <string.h>

#define VEC(type)                                                                        \
    struct {                                                                             \
        type *v;                                                                         \
        size_t n;                                                                        \
        size_t capacity;                                                                 \
    }

#define VEC_PUSH(arena, vec, ...)                                                        \
    do {                                                                                 \
        if ((vec)->n == (vec)->capacity) {                                               \
            size_t vec_cap_ = (vec)->capacity == 0 ? 8 : (vec)->capacity * 2;            \
            void *vec_mem_ = arena_alloc_array((arena), vec_cap_, sizeof(*(vec)->v));    \
            if ((vec)->n > 0) {                                                          \
                memcpy(vec_mem_, (vec)->v, (vec)->n * sizeof(*(vec)->v));                \
            }                                                                            \
            (vec)->v = vec_mem_;                                                         \
            (vec)->capacity = vec_cap_;                                                  \
        }                                                                                \
        (vec)->v[(vec)->n++] = (__VA_ARGS__);                                            \
    } while (0)

/* for (VEC_EACH(struct column, c, &table->columns)) use(c); */
/* clang-format off */
/* NOLINTBEGIN(bugprone-macro-parentheses): a type and a name cannot stand in parentheses */
#define VEC_EACH(type, item, vec)                                                        \
    type *item = (vec)->v;                                                               \
    item != NULL && item < (vec)->v + (vec)->n;                                          \
    item++
/* NOLINTEND(bugprone-macro-parentheses) */
/* clang-format on */

/* The list that crosses function borders most often. */
struct strlist {
    const char **v;
    size_t n;
    size_t capacity;
};

#endif

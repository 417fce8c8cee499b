/* What every test of the db room includes, in the order cmocka demands. */
#ifndef DB_UNIT_H
#define DB_UNIT_H

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include "base/arena.h"
#include "base/fault.h"
#include "db/rows.h"

#include <string.h>

#define assert_contains(text, part)                                                      \
    do {                                                                                 \
        const char *in_ = (text);                                                        \
        if (strstr(in_, (part)) == NULL) {                                               \
            fail_msg("'%s' does not contain '%s'", in_, (part));                         \
        }                                                                                \
    } while (0)

#define assert_lacks(text, part)                                                         \
    do {                                                                                 \
        const char *in_ = (text);                                                        \
        if (strstr(in_, (part)) != NULL) {                                               \
            fail_msg("'%s' contains '%s'", in_, (part));                                 \
        }                                                                                \
    } while (0)

#define assert_ok(call, fault)                                                           \
    do {                                                                                 \
        if (!(call)) {                                                                   \
            fail_msg("%s: %s", #call, (fault).text);                                     \
        }                                                                                \
    } while (0)

/* A recorded answer: `width` headings, then cells row by row; NULL is SQL's NULL. */
struct rows recorded(struct arena *arena, size_t width, const char *const *texts,
                     size_t count);
#define RECORDED(arena, width, ...)                                                      \
    recorded((arena), (width), (const char *const[]){__VA_ARGS__},                       \
             sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

int arena_setup(void **state); /* *state is an arena */
int arena_teardown(void **state);

#endif

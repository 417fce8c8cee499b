/* What every cmocka test file includes, in the order cmocka demands. */
#ifndef UNIT_H
#define UNIT_H

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include "base/fault.h"
#include "base/sv.h"

#include <string.h>

/* Compares the bytes and the length; shows the text when they differ. */
#define assert_sv(view, literal)                                                         \
    do {                                                                                 \
        struct sv seen_ = (view);                                                        \
        if (!sv_eq(seen_, SV(literal))) {                                                \
            fail_msg("'%.*s' is not '%s'", SV_ARGS(seen_), literal);                     \
        }                                                                                \
    } while (0)

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

#endif

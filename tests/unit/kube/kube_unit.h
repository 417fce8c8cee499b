/* What every test of this room includes: cmocka in its order, checks, a clock to turn. */
#ifndef KUBE_UNIT_H
#define KUBE_UNIT_H

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include "base/cancel.h"
#include "base/json.h"

#include <stdatomic.h>
#include <string.h>

#define assert_ok(call, fault)                                                           \
    do {                                                                                 \
        if (!(call)) {                                                                   \
            fail_msg("%s: %s", #call, (fault).text);                                     \
        }                                                                                \
    } while (0)

#define assert_contains(text, part)                                                      \
    do {                                                                                 \
        const char *in_ = (text);                                                        \
        if (in_ == NULL || strstr(in_, (part)) == NULL) {                                \
            fail_msg("'%s' does not contain '%s'", in_ == NULL ? "NULL" : in_, (part));  \
        }                                                                                \
    } while (0)

#define assert_lacks(text, part)                                                         \
    do {                                                                                 \
        const char *in_ = (text);                                                        \
        if (strstr(in_, (part)) != NULL) {                                               \
            fail_msg("'%s' contains '%s'", in_, (part));                                 \
        }                                                                                \
    } while (0)

/* A clock that only tests turn; both times are the same number. */
struct test_clock {
    struct clock clock;
    _Atomic int64_t now_ms;
};

void test_clock_init(struct test_clock *clock, int64_t now_ms);

/* The system's clock, which tests can push forward. */
struct shift_clock {
    struct clock clock;
    _Atomic int64_t shift_ms;
};

void shift_clock_init(struct shift_clock *clock);

/* Parses or fails the test; the caller frees. */
struct json *test_json(const char *text);

/* A new folder; the name is the caller's to free. Files in it are made by test_file(). */
char *test_folder(void);
char *test_file(const char *folder, const char *name, const char *content);
void test_folder_remove(char *folder); /* with everything in it; frees the name */

#endif

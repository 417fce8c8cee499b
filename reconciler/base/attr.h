/*
 * Compiler attributes and the cleanup discipline.
 *
 * AUTO(fn) marks a variable whose cleanup function runs when it leaves scope, so that an
 * early return is always safe. TAKE(p) hands the value over and leaves the variable
 * empty.
 */
#ifndef BASE_ATTR_H
#define BASE_ATTR_H

#include <stddef.h>

#define MUST_CHECK __attribute__((warn_unused_result))
#define AUTO(fn) __attribute__((cleanup(fn)))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))
#define NORETURN __attribute__((noreturn))
#define UNUSED __attribute__((unused))
#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

/* Moves ownership out of an AUTO variable: yields the pointer and stores NULL. */
#define TAKE(p)                                                                          \
    __extension__({                                                                      \
        __typeof__(p) taken_ = (p);                                                      \
        (p) = NULL;                                                                      \
        taken_;                                                                          \
    })

/*
 * A broken invariant of ours ends the process in every build: the controller is
 * level-triggered and its supervisor restarts it from nothing but the cluster's state.
 */
#define must(x) ((x) ? (void)0 : must_failed(#x, __FILE__, __LINE__))
NORETURN void must_failed(const char *expression, const char *file, int line);

#endif

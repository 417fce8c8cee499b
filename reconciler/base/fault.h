/*
 * fault: the one error type.
 *
 * A function that can fail returns bool and takes a `struct fault *` last. true: done,
 * the fault untouched. false: the fault holds a class (what the loop does about it), a
 * reason (the CamelCase token users see in a condition) and a sentence (what failed, why,
 * what to do next). It lives in place: no allocation, no owner, it cannot leak.
 *
 * Functions never log and return false both; the loop logs each fault once.
 * Expected outcomes are not faults: "not found" is NULL or an enum result.
 */
#ifndef BASE_FAULT_H
#define BASE_FAULT_H

#include "base/attr.h"

#include <stdarg.h>
#include <stdbool.h>

enum fault_class {
    FAULT_NONE = 0,
#define FAULT(name, reason, retry, meaning) FAULT_##name,
#include "base/fault.def"
#undef FAULT
    FAULT_MAX
};

/* How time relates to the fault; the loop's queue acts on it. */
enum fault_retry {
    FAULT_RETRY_NONE = 0, /* only a change of the resource or of the world helps */
    FAULT_RETRY_SOON,     /* re-read and try again at once, with jitter */
    FAULT_RETRY_BACKOFF,  /* exponential backoff */
    FAULT_RETRY_SLOW      /* the largest backoff from the start */
};

struct fault {
    enum fault_class class;
    char reason[48]; /* condition reason; the class's default unless the setter names one
                      */
    char code[16];   /* the server's own code: "1045", "XX000", "409"; may be empty */
    char text[1500]; /* sentence, redacted by whoever sets it, always valid UTF-8 */
};

#define FAULT_INIT                                                                       \
    {                                                                                    \
        .class = FAULT_NONE                                                              \
    }

/*
 * Sets class, reason and sentence. `reason` may be NULL (the class's default is taken).
 * Too long a sentence is cut at a UTF-8 boundary with "...". Always returns false, so
 * that a caller writes `return fault_set(...)`.
 */
bool fault_set(struct fault *fault, enum fault_class class, const char *reason,
               const char *format, ...) PRINTF_LIKE(4, 5);

/* Remembers the server's own code; keeps everything else. Always returns false. */
bool fault_code(struct fault *fault, const char *format, ...) PRINTF_LIKE(2, 3);

/* Puts "<context>: " in front of the sentence. Always returns false. */
bool fault_wrap(struct fault *fault, const char *format, ...) PRINTF_LIKE(2, 3);

/* Replaces the reason only. Always returns false. */
bool fault_reason(struct fault *fault, const char *reason);

/* Whether it has this class and this reason. */
bool fault_is(const struct fault *fault, enum fault_class class, const char *reason);

void fault_clear(struct fault *fault);

/* Static strings: the class ("Spec", in the audit), its default condition reason
 * ("InvalidSpec") and what it means in one sentence. */
const char *fault_class_name(enum fault_class class);
const char *fault_class_reason(enum fault_class class);
const char *fault_class_meaning(enum fault_class class);
enum fault_retry fault_class_retry(enum fault_class class);

#endif

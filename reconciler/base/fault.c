#include "base/fault.h"
#include "base/sv.h"

#include <stdio.h>
#include <string.h>

#define ELLIPSIS "..."
#define TEXT_MAX (sizeof(((struct fault *)NULL)->text) - 1)
/* A context longer than this would push out the cause it is put in front of. */
#define CONTEXT_MAX ((size_t)400)

static const char *const fault_names[] = {
    [FAULT_NONE] = "None",           [FAULT_SPEC] = "Spec",
    [FAULT_CONFLICT] = "Conflict",   [FAULT_UNAVAILABLE] = "Unavailable",
    [FAULT_DENIED] = "Denied",       [FAULT_REFUSED] = "Refused",
    [FAULT_CANCELLED] = "Cancelled", [FAULT_BUG] = "Bug",
};
_Static_assert(COUNT_OF(fault_names) == FAULT_MAX, "a row of fault.def has no name here");

static const struct {
    const char *reason;
    const char *meaning;
    enum fault_retry retry;
} fault_classes[FAULT_MAX] = {
    [FAULT_NONE] = {"", "nothing failed", FAULT_RETRY_NONE},
#define FAULT(name, reason, retry, meaning)                                              \
    [FAULT_##name] = {reason, meaning, FAULT_RETRY_##retry},
#include "base/fault.def"
#undef FAULT
};

/* Server texts arrive in any encoding; the API server refuses a status that is not UTF-8.
 */
static void replace_invalid(char *text)
{
    size_t left = strlen(text);

    while (left > 0) {
        size_t good = sv_utf8_valid_bytes((struct sv){text, left});
        if (good == left) {
            return;
        }
        text[good] = '?';
        text += good + 1;
        left -= good + 1;
    }
}

/* Cuts NUL-terminated text to at most max_bytes, the dots included. `text` holds more. */
static void cut(char *text, size_t max_bytes)
{
    size_t n = strlen(text);

    if (n > max_bytes) {
        struct sv whole =
            sv_utf8_prefix((struct sv){text, n}, max_bytes - strlen(ELLIPSIS));
        memcpy(text + whole.n, ELLIPSIS, sizeof(ELLIPSIS));
    }
}

static PRINTF_LIKE(3, 0) void format_text(char *out_text, size_t size_bytes,
                                          const char *format, va_list args)
{
    if (vsnprintf(out_text, size_bytes, format, args) < 0) {
        out_text[0] = '\0';
    }
    replace_invalid(out_text);
}

static void copy_reason(struct fault *fault, const char *reason)
{
    size_t n = sv_utf8_prefix(sv_from(reason), sizeof(fault->reason) - 1).n;

    memmove(fault->reason, reason, n);
    fault->reason[n] = '\0';
}

bool fault_set(struct fault *fault, enum fault_class class, const char *reason,
               const char *format, ...)
{
    char text[TEXT_MAX + 64];
    va_list args;

    must(class > FAULT_NONE && class < FAULT_MAX);
    /* The arguments may point into the fault itself: format first, write after. */
    va_start(args, format);
    format_text(text, sizeof(text), format, args);
    va_end(args);
    cut(text, TEXT_MAX);

    fault->class = class;
    copy_reason(fault, reason == NULL ? fault_classes[class].reason : reason);
    fault->code[0] = '\0';
    memcpy(fault->text, text, strlen(text) + 1);
    return false;
}

bool fault_code(struct fault *fault, const char *format, ...)
{
    char code[sizeof(fault->code) + 8];
    va_list args;

    va_start(args, format);
    format_text(code, sizeof(code), format, args);
    va_end(args);

    struct sv whole = sv_utf8_prefix(sv_from(code), sizeof(fault->code) - 1);
    memcpy(fault->code, code, whole.n);
    fault->code[whole.n] = '\0';
    return false;
}

bool fault_wrap(struct fault *fault, const char *format, ...)
{
    char text[CONTEXT_MAX + 64 + TEXT_MAX];
    va_list args;

    va_start(args, format);
    format_text(text, CONTEXT_MAX + 16, format, args);
    va_end(args);
    cut(text, CONTEXT_MAX);

    size_t n = strlen(text);
    memcpy(text + n, ": ", sizeof(": "));
    memcpy(text + n + 2, fault->text, strlen(fault->text) + 1);
    cut(text, TEXT_MAX);
    memcpy(fault->text, text, strlen(text) + 1);
    return false;
}

bool fault_reason(struct fault *fault, const char *reason)
{
    copy_reason(fault, reason);
    return false;
}

bool fault_is(const struct fault *fault, enum fault_class class, const char *reason)
{
    return fault->class == class && strcmp(fault->reason, reason) == 0;
}

void fault_clear(struct fault *fault)
{
    *fault = (struct fault)FAULT_INIT;
}

const char *fault_class_name(enum fault_class class)
{
    must(class >= FAULT_NONE && class < FAULT_MAX);
    return fault_names[class];
}

const char *fault_class_reason(enum fault_class class)
{
    must(class >= FAULT_NONE && class < FAULT_MAX);
    return fault_classes[class].reason;
}

const char *fault_class_meaning(enum fault_class class)
{
    must(class >= FAULT_NONE && class < FAULT_MAX);
    return fault_classes[class].meaning;
}

enum fault_retry fault_class_retry(enum fault_class class)
{
    must(class >= FAULT_NONE && class < FAULT_MAX);
    return fault_classes[class].retry;
}

#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t reached;

static void report(void)
{
    fprintf(stderr, "fuzz: accepted inputs: %zu\n", reached);
}

int LLVMFuzzerInitialize(UNUSED int *argc, UNUSED char ***argv)
{
    return atexit(report);
}

void fuzz_reached(void)
{
    reached++;
}

void fuzz_failed(const char *file, int line, const char *what, const char *format, ...)
{
    va_list args;

    fprintf(stderr, "%s:%d: does not hold: %s\n  ", file, line, what);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, "\n");
    abort();
}

struct sv fuzz_line(struct sv *rest)
{
    return sv_cut(rest, '\n');
}

int64_t fuzz_number(struct sv *line, int64_t otherwise)
{
    int64_t value = otherwise;

    (void)sv_int64(sv_cut(line, ' '), &value);
    return value;
}

char *fuzz_text(struct arena *arena, struct sv bytes)
{
    size_t n = bytes.n == 0 ? 0 : strnlen(bytes.p, bytes.n);

    return arena_copy(arena, sv_sub(bytes, 0, n));
}

char *fuzz_text_or_null(struct arena *arena, struct sv bytes)
{
    char *text = fuzz_text(arena, bytes);

    return text[0] == '\0' ? NULL : text;
}

void fuzz_refusal(const struct fault *fault, const char *reason)
{
    size_t n = strnlen(fault->text, sizeof(fault->text));

    fuzz_require(fault->class == FAULT_REFUSED, "class %d: %s", (int)fault->class,
                 fault->text);
    fuzz_require(strcmp(fault->reason, reason) == 0, "%s instead of %s: %s",
                 fault->reason, reason, fault->text);
    fuzz_require(n > 0 && n < sizeof(fault->text), "%zu bytes", n);
    fuzz_require(fuzz_is_utf8((struct sv){fault->text, n}), "%s", fault->text);
}

/* Bytes that follow a first one, 0 to 3, and the least value such a form may carry. */
static bool lead(unsigned char c, size_t *out_more, uint32_t *out_bits,
                 uint32_t *out_least)
{
    static const struct {
        unsigned char mask, bits;
        uint32_t least;
    } forms[] = {{0x80, 0x00, 0x0},
                 {0xe0, 0xc0, 0x80},
                 {0xf0, 0xe0, 0x800},
                 {0xf8, 0xf0, 0x10000}};

    for (size_t i = 0; i < COUNT_OF(forms); i++) {
        if ((c & forms[i].mask) == forms[i].bits) {
            *out_more = i;
            *out_bits = c & (unsigned char)~forms[i].mask;
            *out_least = forms[i].least;
            return true;
        }
    }
    return false;
}

bool fuzz_is_utf8(struct sv text)
{
    size_t at = 0, more = 0;
    uint32_t value = 0, least = 0;

    while (at < text.n) {
        if (!lead((unsigned char)text.p[at], &more, &value, &least) ||
            text.n - at <= more) {
            return false;
        }
        for (size_t i = 1; i <= more; i++) {
            unsigned char c = (unsigned char)text.p[at + i];
            if ((c & 0xc0) != 0x80) {
                return false;
            }
            value = value << 6 | (c & 0x3fU);
        }
        if (value < least || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff)) {
            return false;
        }
        at += more + 1;
    }
    return true;
}

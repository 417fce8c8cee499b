/*
 * fuzz: what the fuzz targets share.
 *
 * A target is one file, fuzz_<name>.c: it makes something of arbitrary bytes and aborts
 * when a property does not hold. Its seeds are corpus/<name>/, its words <name>.dict.
 * Fields of an input are lines, so that a seed can be written with an editor; the last
 * field is all that is left and may hold anything.
 *
 * `make fuzz` runs all of them over copies of their seeds in build/fuzz. What a run found
 * worth keeping is added by `build/fuzz/targets/<name> -merge=1 <into> <from>`.
 */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/fault.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);
int LLVMFuzzerInitialize(int *argc, char ***argv);

/* The input was accepted by what the target is about. How many were is printed at the
 * end; a run in which none was has tested nothing, and fails. */
void fuzz_reached(void);

#define fuzz_require(x, ...)                                                             \
    ((x) ? (void)0 : fuzz_failed(__FILE__, __LINE__, #x, __VA_ARGS__))
NORETURN void fuzz_failed(const char *file, int line, const char *what,
                          const char *format, ...) PRINTF_LIKE(4, 5);

/* Takes the next line off *rest. */
struct sv fuzz_line(struct sv *rest);
/* Takes the next blank-separated number off *line; `otherwise` where there is none. */
int64_t fuzz_number(struct sv *line, int64_t otherwise);
/* A C string with nothing behind its end, cut at the first NUL. */
char *fuzz_text(struct arena *arena, struct sv bytes);
/* The same; empty is NULL. */
char *fuzz_text_or_null(struct arena *arena, struct sv bytes);

/* Its class, its reason, and a sentence fit for a status. */
void fuzz_refusal(const struct fault *fault, const char *reason);
/* UTF-8, told without the product's own functions (RFC 3629). */
bool fuzz_is_utf8(struct sv text);

#endif

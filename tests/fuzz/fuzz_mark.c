/*
 * Ownership marks in comments that anybody may have written. The input is a comment.
 */
#include "fuzz.h"

#include "ddl/observed.h"

#include <string.h>

#define INPUT_BYTES_MAX ((size_t)4096)

static bool is_within(struct sv part, struct sv whole)
{
    return part.p >= whole.p && part.p + part.n <= whole.p + whole.n;
}

static bool is_word(struct sv text)
{
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == ' ' || text.p[i] == '\n' || text.p[i] == '\t') {
            return false;
        }
    }
    return text.n > 0;
}

static void check_same(const struct mark *mark, const char *comment)
{
    struct mark again = {0};

    fuzz_require(mark_parse(comment, &again), "%s", comment);
    fuzz_require(sv_eq(mark->uid, again.uid) && sv_eq(mark->hash, again.hash) &&
                     mark->sink == again.sink && mark->adopted == again.adopted,
                 "another mark: %s", comment);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
    AUTO(arena_freep) struct arena *arena = NULL;
    struct mark mark, untouched;

    if (size_bytes > INPUT_BYTES_MAX) {
        return -1;
    }
    arena = arena_new(ARENA_CEILING_BYTES);
    const char *comment = fuzz_text(arena, (struct sv){(const char *)data, size_bytes});
    memset(&untouched, 0x5a, sizeof(untouched));
    memcpy(&mark, &untouched, sizeof(mark));
    if (!mark_parse(comment, &mark)) {
        fuzz_require(memcmp(&mark, &untouched, sizeof(mark)) == 0,
                     "output written on failure");
        return 0;
    }
    fuzz_reached();
    fuzz_require(is_within(mark.whole, sv_from(comment)) &&
                     sv_starts(mark.whole, SV("tablesync:v1 uid=")),
                 "%s", comment);
    fuzz_require(is_within(mark.uid, mark.whole) && is_within(mark.hash, mark.whole),
                 "%s", comment);
    fuzz_require(is_word(mark.uid) && is_word(mark.hash) && mark.sink >= 0, "%s",
                 comment);
    check_same(&mark, arena_copy(arena, mark.whole));
    const char *sink =
        mark.sink == 0 ? "" : arena_printf(arena, " sink=%lld", (long long)mark.sink);
    check_same(&mark,
               arena_printf(arena, "orders of 2024, tablesync:v1 uid=%.*s hash=%.*s%s%s",
                            SV_ARGS(mark.uid), SV_ARGS(mark.hash), sink,
                            mark.adopted ? " adopted" : ""));
    return 0;
}

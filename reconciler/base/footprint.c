#include "base/footprint.h"

#include "base/attr.h"
#include "base/heap.h"
#include "base/sv.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* The mappings of some forty libraries are two hundred. */
#define RANGES_MAX 512

struct range {
    uintptr_t begin;
    size_t bytes;
};

struct footprint {
    size_t count;
    struct range ranges[RANGES_MAX];
};

/* One mapping, as it is being read. */
struct look {
    struct range range;
    bool takes; /* of a file, private, not writable, and nothing in it differs so far */
};

/* "7f12a000-7f12b000 r-xp 00001000 08:01 1234   /usr/lib/libx.so" begins a mapping. */
static bool begins(const char *line, struct look *look)
{
    char *at = NULL;
    uintptr_t begin = (uintptr_t)strtoull(line, &at, 16);
    uint64_t inode = 0;

    if (at == line || *at != '-') {
        return false;
    }
    const char *second = at + 1;
    uintptr_t end = (uintptr_t)strtoull(second, &at, 16);
    if (at == second || *at != ' ' || end < begin) {
        return false;
    }
    struct sv rest = sv_from(at + 1);
    struct sv rights = sv_cut(&rest, ' ');
    (void)sv_cut(&rest, ' '); /* where in the file */
    (void)sv_cut(&rest, ' '); /* on which device */
    if (rights.n < 4 || !sv_uint64(sv_trim(sv_cut(&rest, ' ')), &inode)) {
        return false;
    }
    *look =
        (struct look){.range = {begin, end - begin},
                      .takes = inode != 0 && rights.p[1] == '-' && rights.p[3] == 'p'};
    return true;
}

/*
 * "Anonymous:         4 kB": what would be lost. Dirty pages are not what is looked for:
 * the page cache's own are so for some seconds after the file was installed.
 */
static bool differs(const char *line)
{
    static const char *const counts[] = {"Anonymous:", "Swap:", "Locked:"};
    uint64_t kib = 0;

    for (size_t i = 0; i < COUNT_OF(counts); i++) {
        size_t n = strlen(counts[i]);
        if (strncmp(line, counts[i], n) == 0) {
            struct sv rest = sv_trim(sv_from(line + n));
            return !sv_uint64(sv_cut(&rest, ' '), &kib) || kib != 0;
        }
    }
    return false;
}

static void note(struct footprint *footprint, const struct look *look)
{
    if (look->takes && footprint->count < RANGES_MAX) {
        footprint->ranges[footprint->count++] = look->range;
    }
}

struct footprint *footprint_new(void)
{
    struct footprint *footprint = HEAP_NEW(struct footprint);
    struct look look = {.takes = false};
    char line[512]; /* the rest of a longer one, a path's, begins no mapping */
    FILE *smaps = fopen("/proc/self/smaps", "re");

    if (smaps == NULL) {
        return footprint;
    }
    while (fgets(line, sizeof(line), smaps) != NULL) {
        struct look next;

        if (begins(line, &next)) {
            note(footprint, &look);
            look = next;
        } else if (differs(line)) {
            look.takes = false;
        }
    }
    note(footprint, &look);
    (void)fclose(smaps);
    return footprint;
}

void footprint_free(struct footprint *footprint)
{
    heap_free(footprint);
}

void footprint_freep(struct footprint **footprint)
{
    footprint_free(TAKE(*footprint));
}

size_t footprint_trim(const struct footprint *footprint)
{
    size_t bytes = 0;

    for (size_t i = 0; i < footprint->count; i++) {
        const struct range *range = &footprint->ranges[i];

        /* An address of a mapping, as the kernel wrote it. */
        if (madvise((void *)range->begin, range->bytes, MADV_DONTNEED) == 0) {
            bytes += range->bytes;
        }
    }
    (void)malloc_trim(0);
    return bytes;
}

#include "base/footprint.h"

#include "base/attr.h"
#include "base/heap.h"
#include "base/sv.h"

#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
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
    uintptr_t begin = 0, end = 0;
    uint64_t inode = 0;
    char rights[5] = "";

    if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %4s %*s %*s %" SCNu64, &begin, &end,
               rights, &inode) != 4) {
        return false;
    }
    *look = (struct look){.range = {begin, end - begin},
                          .takes = inode != 0 && rights[1] == '-' && rights[3] == 'p'};
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
            return sscanf(line + n, "%" SCNu64, &kib) != 1 || kib != 0;
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

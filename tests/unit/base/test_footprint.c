#include "base/buf.h"
#include "base/footprint.h"
#include "base/hash.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#define FILE_BYTES ((size_t)8 * 1024 * 1024)

/* Resident bytes of files. */
static size_t resident(void)
{
    FILE *statm = fopen("/proc/self/statm", "re");
    unsigned long size = 0, all = 0, files = 0;

    assert_non_null(statm);
    assert_int_equal(fscanf(statm, "%lu %lu %lu", &size, &all, &files), 3);
    assert_int_equal(fclose(statm), 0);
    return (size_t)files * (size_t)sysconf(_SC_PAGESIZE);
}

/* A private mapping of a file full of 'f'. */
static char *map_file(void)
{
    char path[] = "/tmp/tablesync-footprint-XXXXXX";
    int fd = mkstemp(path);
    AUTO(buf_deinit) struct buf content;

    buf_init(&content, FILE_BYTES);
    for (size_t i = 0; i < FILE_BYTES; i++) {
        buf_addc(&content, 'f');
    }
    assert_true(fd >= 0);
    assert_int_equal(write(fd, content.p, FILE_BYTES), FILE_BYTES);
    assert_int_equal(unlink(path), 0);
    char *p = mmap(NULL, FILE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    assert_ptr_not_equal(p, MAP_FAILED);
    assert_int_equal(close(fd), 0);
    return p;
}

static size_t count_of(const char *p, char byte)
{
    size_t count = 0;

    for (size_t i = 0; i < FILE_BYTES; i++) {
        count += p[i] == byte;
    }
    return count;
}

static void forget_and_trim(size_t *out_bytes)
{
    AUTO(footprint_freep) struct footprint *footprint = footprint_new();

    *out_bytes = footprint_trim(footprint);
}

static void clean_pages_go_and_come_back(void **state)
{
    char *p = map_file();
    size_t bytes = 0;

    (void)state;
    assert_int_equal(mprotect(p, FILE_BYTES, PROT_READ), 0);
    assert_int_equal(count_of(p, 'f'), FILE_BYTES);
    size_t before = resident();
    forget_and_trim(&bytes);
    assert_true(bytes >= FILE_BYTES);
    assert_true(resident() + FILE_BYTES <= before);
    assert_int_equal(count_of(p, 'f'), FILE_BYTES);
    assert_int_equal(munmap(p, FILE_BYTES), 0);
}

/* As RELRO is: written to, and then protected. */
static void what_differs_from_the_file_stays(void **state)
{
    char *p = map_file();
    size_t bytes = 0;

    (void)state;
    p[FILE_BYTES / 2] = 'x';
    assert_int_equal(mprotect(p, FILE_BYTES, PROT_READ), 0);
    forget_and_trim(&bytes);
    assert_int_equal(count_of(p, 'x'), 1);
    assert_int_equal(munmap(p, FILE_BYTES), 0);
}

static void what_can_be_written_to_stays(void **state)
{
    char *p = map_file();
    AUTO(footprint_freep) struct footprint *footprint = footprint_new();

    (void)state;
    p[0] = 'x'; /* after the look */
    (void)footprint_trim(footprint);
    assert_int_equal(count_of(p, 'x'), 1);
    assert_int_equal(munmap(p, FILE_BYTES), 0);
}

static void libraries_work_on(void **state)
{
    char hex[HASH_HEX_SIZE];
    char first[HASH_HEX_SIZE];
    size_t bytes = 0;

    (void)state;
    /* As the controller is when it asks: passwords are in memory, no core files. */
    assert_int_equal(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0), 0);
    for (int i = 0; i < 3; i++) {
        AUTO(hash_freep) struct hash *hash = hash_new();

        hash_addz(hash, "orders");
        hash_finish(hash, i == 0 ? first : hex);
        assert_true(i == 0 || strcmp(first, hex) == 0);
        forget_and_trim(&bytes);
        assert_true(bytes > 0);
    }
    assert_int_equal(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clean_pages_go_and_come_back),
        cmocka_unit_test(what_differs_from_the_file_stays),
        cmocka_unit_test(what_can_be_written_to_stays),
        cmocka_unit_test(libraries_work_on),
    };

    return cmocka_run_group_tests_name("base/footprint", tests, NULL, NULL);
}

#include "base/arena.h"
#include "base/clock.h"
#include "base/vec.h"
#include "unit.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void gives_zeroed_aligned_memory(void **state)
{
    (void)state;
    AUTO(arena_freep) struct arena *a = arena_new(ARENA_CEILING_BYTES);
    struct rng rng;

    rng_init(&rng, 3);
    for (int i = 0; i < 3000; i++) {
        size_t size =
            rng_below(&rng, 10) == 0 ? rng_below(&rng, 40000) : rng_below(&rng, 100);
        unsigned char *p = arena_alloc(a, size);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
        for (size_t k = 0; k < size; k++) {
            assert_int_equal(p[k], 0);
        }
        memset(p, 0xA5, size);
    }
}

static void objects_do_not_overlap(void **state)
{
    (void)state;
    AUTO(arena_freep) struct arena *a = arena_new(ARENA_CEILING_BYTES);
    static unsigned char *at[500];

    for (size_t i = 0; i < COUNT_OF(at); i++) {
        at[i] = arena_alloc(a, i * 7);
        memset(at[i], (int)(i & 0xFF), i * 7);
    }
    for (size_t i = 0; i < COUNT_OF(at); i++) {
        for (size_t k = 0; k < i * 7; k++) {
            assert_int_equal(at[i][k], i & 0xFF);
        }
    }
    assert_true(at[0] != at[1]);
}

static void copies_text(void **state)
{
    (void)state;
    AUTO(arena_freep) struct arena *a = arena_new(ARENA_CEILING_BYTES);

    assert_null(arena_strdup(a, NULL));
    assert_string_equal(arena_strdup(a, "x"), "x");
    assert_string_equal(arena_copy(a, SV_NULL), "");
    assert_memory_equal(arena_copy(a, SV("a\0b")), "a\0b", 4);
    assert_sv(arena_sv(a, SV("view")), "view");
    assert_string_equal(arena_printf(a, "%s-%05d", "x", 42), "x-00042");
    char *longer = arena_printf(a, "%0*d", 9000, 7);
    assert_int_equal(strlen(longer), 9000);
    assert_int_equal(longer[8999], '7');
}

static void counts_what_is_used(void **state)
{
    (void)state;
    AUTO(arena_freep) struct arena *a = arena_new(1024 * 1024);

    assert_int_equal(arena_used_bytes(a), 0);
    (void)arena_alloc(a, 16);
    assert_int_equal(arena_used_bytes(a), 16);
    (void)arena_alloc(a, 17);
    assert_int_equal(arena_used_bytes(a), 48);
    (void)arena_alloc(a, 500000);
    assert_in_range(arena_used_bytes(a), 500048, 500064);
}

static void vectors_grow(void **state)
{
    (void)state;
    AUTO(arena_freep) struct arena *a = arena_new(ARENA_CEILING_BYTES);
    VEC(int) numbers = {0};
    int sum = 0;

    for (VEC_EACH(int, n, &numbers)) {
        sum += *n;
    }
    assert_int_equal(sum, 0);
    for (int i = 1; i <= 1000; i++) {
        VEC_PUSH(a, &numbers, i);
    }
    for (VEC_EACH(int, n, &numbers)) {
        sum += *n;
    }
    assert_int_equal(sum, 500500);
}

static void big_objects_leave_the_chunk_in_use(void **state)
{
    (void)state;
    AUTO(arena_freep) struct arena *a = arena_new(ARENA_CEILING_BYTES);
    char *before = arena_alloc(a, 16);

    (void)arena_alloc(a, 1024 * 1024);
    char *after = arena_alloc(a, 16);
    assert_true(after > before && after - before < 4096);
}

enum misuse { CEILING, OVERFLOW, HUGE_SIZE };

static int ends_with(enum misuse misuse)
{
    pid_t child = fork();

    if (child == 0) {
        (void)close(STDERR_FILENO);
        struct arena *a = arena_new(4096);
        switch (misuse) {
        case CEILING:
            for (int i = 0; i < 300; i++) {
                (void)arena_alloc(a, 16);
            }
            break;
        case OVERFLOW:
            (void)arena_alloc_array(a, SIZE_MAX / 2, 3);
            break;
        case HUGE_SIZE:
            (void)arena_alloc(a, SIZE_MAX - 3);
            break;
        }
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void passing_the_ceiling_aborts(void **state)
{
    (void)state;

    assert_int_equal(ends_with(CEILING), SIGABRT);
    assert_int_equal(ends_with(OVERFLOW), SIGABRT);
    assert_int_equal(ends_with(HUGE_SIZE), SIGABRT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_zeroed_aligned_memory),
        cmocka_unit_test(objects_do_not_overlap),
        cmocka_unit_test(copies_text),
        cmocka_unit_test(counts_what_is_used),
        cmocka_unit_test(vectors_grow),
        cmocka_unit_test(big_objects_leave_the_chunk_in_use),
        cmocka_unit_test(passing_the_ceiling_aborts),
    };
    return cmocka_run_group_tests_name("base/arena", tests, NULL, NULL);
}

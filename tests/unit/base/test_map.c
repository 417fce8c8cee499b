#include "base/attr.h"
#include "base/clock.h"
#include "base/map.h"
#include "base/siphash.h"
#include "unit.h"

#include <stdio.h>

static int one = 1;
static int two = 2;

static void finds_what_was_put(void **state)
{
    (void)state;
    AUTO(map_freep) struct map *m = map_new(1);

    assert_null(map_find(m, SV("a")));
    assert_null(map_remove(m, SV("a")));
    assert_null(map_put(m, SV("a"), &one));
    assert_ptr_equal(map_find(m, SV("a")), &one);
    assert_ptr_equal(map_put(m, SV("a"), &two), &one);
    assert_ptr_equal(map_find(m, SV("a")), &two);
    assert_int_equal(map_count(m), 1);
    assert_ptr_equal(map_remove(m, SV("a")), &two);
    assert_null(map_find(m, SV("a")));
    assert_int_equal(map_count(m), 0);
}

static void keys_are_bytes_and_owned(void **state)
{
    (void)state;
    AUTO(map_freep) struct map *m = map_new(1);
    char key[] = "ab";

    (void)map_put(m, SV("a\0b"), &one);
    (void)map_put(m, SV_NULL, &two);
    assert_null(map_find(m, SV("a")));
    assert_ptr_equal(map_find(m, SV("a\0b")), &one);
    assert_ptr_equal(map_find(m, SV("")), &two);
    (void)map_put(m, sv_from(key), &one);
    key[0] = 'x';
    assert_ptr_equal(map_find(m, SV("ab")), &one);
}

static void order_is_that_of_insertion(void **state)
{
    (void)state;

    for (uint64_t seed = 0; seed < 20; seed++) {
        AUTO(map_freep) struct map *m = map_new(seed);
        char seen[64] = "";
        struct sv key;
        void *value = NULL;
        (void)map_put(m, SV("c"), &one);
        (void)map_put(m, SV("a"), &one);
        (void)map_put(m, SV("b"), &one);
        (void)map_put(m, SV("c"), &two);
        (void)map_remove(m, SV("a"));
        (void)map_put(m, SV("a"), &two);
        for (size_t at = 0; map_next(m, &at, &key, &value);) {
            (void)strncat(seen, key.p, key.n);
            assert_ptr_equal(value, key.p[0] == 'b' ? &one : &two);
        }
        assert_string_equal(seen, "cba");
    }
}

static void entry_under_the_hand_may_go(void **state)
{
    (void)state;
    AUTO(map_freep) struct map *m = map_new(9);
    char name[16];
    struct sv key;
    void *value = NULL;
    int visited = 0;

    for (int i = 0; i < 1000; i++) {
        int n = snprintf(name, sizeof(name), "k%d", i);
        (void)map_put(m, (struct sv){name, (size_t)n}, i % 3 == 0 ? &one : &two);
    }
    for (size_t at = 0; map_next(m, &at, &key, &value); visited++) {
        if (value == &one) {
            char copy[16];
            (void)snprintf(copy, sizeof(copy), "%.*s", SV_ARGS(key));
            assert_ptr_equal(map_remove(m, sv_from(copy)), &one);
        }
    }
    assert_int_equal(visited, 1000);
    assert_int_equal(map_count(m), 666);
}

/* The numbers of the published SipHash-1-3 table: key 00..0f, message 00, 01, 02, ... */
static void hash_is_siphash(void **state)
{
    (void)state;
    static const uint64_t seed[2] = {0x0706050403020100U, 0x0f0e0d0c0b0a0908U};
    static const char message[] = "\0\1\2\3\4\5\6\7\10\11\12\13\14\15\16";

    assert_true(siphash(seed, SV_NULL) == 0xabac0158050fc4dcU);
    assert_true(siphash(seed, (struct sv){message, 8}) == 0x369095118d299a8eU);
    assert_true(siphash(seed, (struct sv){message, 15}) == 0xd320d86d2a519956U);
}

#define KEYS 60

struct model {
    int *value[KEYS];
    int born[KEYS]; /* when inserted; orders the iteration */
    int clock;
};

static void check_order(const struct map *m, const struct model *model)
{
    size_t at = 0;
    struct sv key;
    void *value = NULL;
    int last = -1;
    size_t count = 0;

    while (map_next(m, &at, &key, &value)) {
        uint64_t k = 0;
        assert_true(sv_uint64(key, &k));
        assert_ptr_equal(model->value[k], value);
        assert_true(model->born[k] > last);
        last = model->born[k];
        count++;
    }
    assert_int_equal(count, map_count(m));
}

static void behaves_like_its_model(void **state)
{
    (void)state;
    static int values[7];

    for (uint64_t seed = 1; seed < 40; seed++) {
        AUTO(map_freep) struct map *m = map_new(seed);
        struct model model = {0};
        struct rng rng;
        rng_init(&rng, seed);
        for (int step = 0; step < 3000; step++) {
            char name[8];
            size_t k = rng_below(&rng, KEYS);
            struct sv key = {name, (size_t)snprintf(name, sizeof(name), "%zu", k)};
            int *value = &values[rng_below(&rng, COUNT_OF(values))];
            if (rng_below(&rng, 2) == 0) {
                assert_ptr_equal(map_put(m, key, value), model.value[k]);
                model.born[k] = model.value[k] == NULL ? model.clock++ : model.born[k];
                model.value[k] = value;
            } else {
                assert_ptr_equal(map_remove(m, key), model.value[k]);
                model.value[k] = NULL;
            }
            k = rng_below(&rng, KEYS);
            key.n = (size_t)snprintf(name, sizeof(name), "%zu", k);
            assert_ptr_equal(map_find(m, key), model.value[k]);
            if (step % 50 == 0) {
                check_order(m, &model);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_what_was_put),
        cmocka_unit_test(keys_are_bytes_and_owned),
        cmocka_unit_test(order_is_that_of_insertion),
        cmocka_unit_test(entry_under_the_hand_may_go),
        cmocka_unit_test(hash_is_siphash),
        cmocka_unit_test(behaves_like_its_model),
    };
    return cmocka_run_group_tests_name("base/map", tests, NULL, NULL);
}

#include "base/attr.h"
#include "base/hash.h"
#include "unit.h"

static void hex_of(const struct sv *fields, size_t count, char out_hex[HASH_HEX_SIZE])
{
    AUTO(hash_freep) struct hash *h = hash_new();

    for (size_t i = 0; i < count; i++) {
        hash_add(h, fields[i]);
    }
    hash_finish(h, out_hex);
}

static void is_sha256(void **state)
{
    (void)state;
    char hex[HASH_HEX_SIZE];

    hex_of(NULL, 0, hex);
    assert_string_equal(
        hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    /* Pinned: hashes stand in comments of the users' tables and must never change.
     * sha256 of 's', eight bytes of length, "abc". */
    hex_of((const struct sv[]){SV("abc")}, 1, hex);
    assert_string_equal(
        hex, "738cc6a4aeca85404f503c399ed1bf53f0e7e5b104bb428cc3b24df250a46e64");
}

static void borders_count(void **state)
{
    (void)state;
    char all[6][HASH_HEX_SIZE];

    hex_of((const struct sv[]){SV("ab"), SV("c")}, 2, all[0]);
    hex_of((const struct sv[]){SV("a"), SV("bc")}, 2, all[1]);
    hex_of((const struct sv[]){SV("abc")}, 1, all[2]);
    hex_of((const struct sv[]){SV("abc"), SV_NULL}, 2, all[3]);
    hex_of((const struct sv[]){SV(""), SV("abc")}, 2, all[4]);
    hex_of((const struct sv[]){SV("ab\0")}, 1, all[5]);
    for (size_t i = 0; i < COUNT_OF(all); i++) {
        for (size_t k = 0; k < i; k++) {
            assert_string_not_equal(all[i], all[k]);
        }
    }
}

static void kinds_count(void **state)
{
    (void)state;
    char hex[4][HASH_HEX_SIZE];

    for (int kind = 0; kind < 4; kind++) {
        AUTO(hash_freep) struct hash *h = hash_new();
        switch (kind) {
        case 0:
            hash_addz(h, NULL);
            break;
        case 1:
            hash_addz(h, "");
            break;
        case 2:
            hash_add_int(h, 0);
            break;
        default:
            hash_add_int(h, -1);
        }
        hash_finish(h, hex[kind]);
    }
    for (int i = 0; i < 4; i++) {
        for (int k = 0; k < i; k++) {
            assert_string_not_equal(hex[i], hex[k]);
        }
    }
    char same[2][HASH_HEX_SIZE];
    AUTO(hash_freep) struct hash *z = hash_new();
    hash_addz(z, "x");
    hash_finish(z, same[0]);
    hex_of((const struct sv[]){SV("x")}, 1, same[1]);
    assert_string_equal(same[0], same[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_sha256),
        cmocka_unit_test(borders_count),
        cmocka_unit_test(kinds_count),
    };
    return cmocka_run_group_tests_name("base/hash", tests, NULL, NULL);
}

#include "base/buf.h"
#include "base/clock.h"
#include "unit.h"

static void builds(void **state)
{
    (void)state;
    AUTO(buf_deinit) struct buf b;

    buf_init(&b, 1000);
    assert_string_equal(buf_z(&b), "");
    buf_add(&b, SV_NULL);
    buf_addz(&b, NULL);
    buf_add(&b, SV("ab"));
    buf_addz(&b, "cd");
    buf_addc(&b, 'e');
    buf_addf(&b, "%d-%s", 12, "x");
    assert_string_equal(buf_z(&b), "abcde12-x");
    assert_sv(buf_sv(&b), "abcde12-x");
    buf_drop_front(&b, 3);
    assert_sv(buf_sv(&b), "de12-x");
    assert_int_equal(buf_z(&b)[6], 0);
    buf_drop_front(&b, 99);
    assert_int_equal(b.n, 0);
    buf_add(&b, SV("\0x"));
    assert_int_equal(b.n, 2);
    assert_false(buf_overflowed(&b));
}

static void holds_its_ceiling(void **state)
{
    (void)state;
    AUTO(buf_deinit) struct buf b;

    buf_init(&b, 5);
    buf_addz(&b, "12345");
    assert_false(buf_overflowed(&b));
    buf_addz(&b, "");
    assert_false(buf_overflowed(&b));
    buf_addc(&b, '6');
    assert_true(buf_overflowed(&b));
    assert_string_equal(buf_z(&b), "12345");
    buf_clear(&b);
    assert_false(buf_overflowed(&b));
    buf_addz(&b, "123");
    buf_addf(&b, "%s", "456");
    assert_true(buf_overflowed(&b));
    buf_addc(&b, '4'); /* would fit, but something before it is missing */
    assert_string_equal(buf_z(&b), "123");
    buf_deinit(&b);
    assert_int_equal(b.ceiling_bytes, 5);
    assert_false(buf_overflowed(&b));
    buf_addz(&b, "again");
    assert_string_equal(buf_z(&b), "again");
}

static void gives_itself_away(void **state)
{
    (void)state;
    AUTO(arena_freep) struct arena *a = arena_new(ARENA_CEILING_BYTES);
    AUTO(buf_deinit_zero) struct buf b;

    buf_init(&b, 4);
    assert_string_equal(buf_take(&b, a), "");
    buf_addz(&b, "abcd");
    char *text = buf_take(&b, a);
    assert_string_equal(text, "abcd");
    assert_string_equal(buf_z(&b), "");
    buf_addz(&b, "xyzzy");
    assert_string_equal(buf_take(&b, a), "");
    assert_true(buf_overflowed(&b));
}

/* Against a model: a plain array and a rule of three lines. */
static void behaves_like_its_model(void **state)
{
    (void)state;
    struct rng rng;

    rng_init(&rng, 5);
    for (int round = 0; round < 500; round++) {
        size_t ceiling = rng_below(&rng, 300);
        AUTO(buf_deinit) struct buf b;
        char model[300];
        size_t n = 0;
        bool over = false;
        buf_init(&b, ceiling);
        for (int step = 0; step < 60; step++) {
            char piece[40];
            size_t size = rng_below(&rng, sizeof(piece));
            memset(piece, (int)('a' + rng_below(&rng, 26)), sizeof(piece));
            switch (rng_below(&rng, 5)) {
            case 0:
                buf_drop_front(&b, size);
                size = size < n ? size : n;
                memmove(model, model + size, n - size);
                n -= size;
                continue;
            case 1:
                buf_addf(&b, "%.*s", (int)size, piece);
                break;
            default:
                buf_add(&b, (struct sv){piece, size});
            }
            if (!over && n + size <= ceiling) {
                memcpy(model + n, piece, size);
                n += size;
            } else {
                over = true;
            }
            assert_true(sv_eq(buf_sv(&b), (struct sv){model, n}));
            assert_int_equal(buf_overflowed(&b), over);
            assert_int_equal(buf_z(&b)[n], 0);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(builds),
        cmocka_unit_test(holds_its_ceiling),
        cmocka_unit_test(gives_itself_away),
        cmocka_unit_test(behaves_like_its_model),
    };
    return cmocka_run_group_tests_name("base/buf", tests, NULL, NULL);
}

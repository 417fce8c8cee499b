#include "base/clock.h"
#include "base/sv.h"
#include "unit.h"

static void compares(void **state)
{
    (void)state;

    assert_true(sv_eq(SV_NULL, SV("")));
    assert_true(sv_eq(sv_from(NULL), SV_NULL));
    assert_false(sv_eq(SV("ab"), SV("abc")));
    assert_true(sv_eq_nocase(SV("AbZ"), SV("aBz")));
    assert_false(sv_eq_nocase(SV("ab"), SV("abc")));
    assert_false(sv_eq_nocase(SV("@"), SV("`")));
    assert_true(sv_cmp(SV("a"), SV("ab")) < 0);
    assert_true(sv_cmp(SV("b"), SV("ab")) > 0);
    assert_int_equal(sv_cmp(SV("ab"), SV("ab")), 0);
    assert_true(sv_cmp(SV("\x80"), SV("\x7f")) > 0);
    assert_int_equal(sv_cmp(SV_NULL, SV("")), 0);
}

static void finds(void **state)
{
    (void)state;

    assert_true(sv_starts(SV("prefix"), SV("pre")));
    assert_false(sv_starts(SV("pr"), SV("pre")));
    assert_true(sv_starts(SV_NULL, SV_NULL));
    assert_true(sv_starts_nocase(SV("PREfix"), SV("pre")));
    assert_true(sv_ends(SV("suffix"), SV("fix")));
    assert_false(sv_ends(SV("ix"), SV("fix")));
    assert_int_equal(sv_find(SV("abcabc"), SV("ca")), 2);
    assert_int_equal(sv_find(SV("abc"), SV("")), 0);
    assert_int_equal(sv_find(SV_NULL, SV("a")), SIZE_MAX);
    assert_int_equal(sv_find(SV("ab\0cd"), SV("\0c")), 2);
    assert_int_equal(sv_find_nocase(SV("xxABc"), SV("aB")), 2);
    assert_int_equal(sv_find_nocase(SV("a"), SV("ab")), SIZE_MAX);
    assert_true(sv_contains(SV("abc"), SV("bc")));
    assert_false(sv_contains(SV("abc"), SV("cb")));
}

static void cuts_and_trims(void **state)
{
    (void)state;
    struct sv left = SV("a,,b");

    assert_sv(sv_sub(SV("abc"), 1, 1), "b");
    assert_sv(sv_sub(SV("abc"), 1, SIZE_MAX), "bc");
    assert_sv(sv_sub(SV("abc"), 9, 1), "");
    assert_sv(sv_trim(SV(" \t\r\n x y \v\f")), "x y");
    assert_sv(sv_trim(SV("  ")), "");
    assert_sv(sv_cut(&left, ','), "a");
    assert_sv(sv_cut(&left, ','), "");
    assert_sv(left, "b");
    assert_sv(sv_cut(&left, ','), "b");
    assert_int_equal(left.n, 0);
    left = SV_NULL;
    assert_sv(sv_cut(&left, ','), "");
}

static void reads_numbers(void **state)
{
    (void)state;
    int64_t i = 77;
    uint64_t u = 77;

    assert_true(sv_int64(SV("-9223372036854775808"), &i));
    assert_true(i == INT64_MIN);
    assert_true(sv_int64(SV("9223372036854775807"), &i));
    assert_true(i == INT64_MAX);
    assert_true(sv_int64(SV("-0"), &i));
    assert_int_equal(i, 0);
    assert_true(sv_uint64(SV("18446744073709551615"), &u));
    assert_true(u == UINT64_MAX);
    static const char *const bad[] = {"",
                                      "-",
                                      "+1",
                                      " 1",
                                      "1 ",
                                      "1.0",
                                      "0x1",
                                      "1e3",
                                      "--1",
                                      "a",
                                      "1a",
                                      "9223372036854775808",
                                      "-9223372036854775809",
                                      "18446744073709551616"};
    for (size_t k = 0; k < COUNT_OF(bad); k++) {
        i = 42;
        assert_false(sv_int64(sv_from(bad[k]), &i));
        assert_int_equal(i, 42);
    }
    u = 42;
    assert_false(sv_uint64(SV("18446744073709551616"), &u));
    assert_false(sv_uint64(SV("-1"), &u));
    assert_int_equal(u, 42);
}

static void knows_utf8(void **state)
{
    (void)state;
    static const char *const good[] = {"",
                                       "a",
                                       "\xC2\x80",
                                       "\xDF\xBF",
                                       "\xE0\xA0\x80",
                                       "\xED\x9F\xBF",
                                       "\xEE\x80\x80",
                                       "\xEF\xBF\xBF",
                                       "\xF0\x90\x80\x80",
                                       "\xF4\x8F\xBF\xBF"};
    static const char *const bad[] = {"\x80",
                                      "\xBF",
                                      "\xC0\x80",
                                      "\xC1\xBF",
                                      "\xC2",
                                      "\xC2\x41",
                                      "\xE0\x9F\xBF",
                                      "\xED\xA0\x80",
                                      "\xED\xBF\xBF",
                                      "\xE2\x82",
                                      "\xF0\x8F\xBF\xBF",
                                      "\xF4\x90\x80\x80",
                                      "\xF5\x80\x80\x80",
                                      "\xFF",
                                      "\xF0\x90\x80",
                                      "\xF0\x90\x80\x41"};

    for (size_t i = 0; i < COUNT_OF(good); i++) {
        assert_true(sv_is_utf8(sv_from(good[i])));
    }
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        if (sv_is_utf8(sv_from(bad[i]))) {
            fail_msg("row %zu is taken for UTF-8", i);
        }
    }
    assert_int_equal(sv_utf8_valid_bytes(SV("a\xC3\xA9\xFFz")), 3);
    assert_int_equal(sv_utf8_length(SV("a\xC3\xA9\xF0\x9F\x90\xA7\xFF")), 4);
    assert_sv(sv_utf8_prefix(SV("a\xC3\xA9z"), 2), "a");
    assert_sv(sv_utf8_prefix(SV("a\xC3\xA9z"), 3), "a\xC3\xA9");
    assert_sv(sv_utf8_prefix(SV("a\xC3\xA9z"), 0), "");
    assert_sv(sv_utf8_prefix(SV("a\xC3\xA9z"), 99), "a\xC3\xA9z");
    assert_sv(sv_utf8_prefix(SV("\xFF\xFF\xFF"), 2), "\xFF\xFF");
}

static size_t encode(uint32_t c, char *out)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xC0 | (c >> 6));
        out[1] = (char)(0x80 | (c & 63));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (char)(0xE0 | (c >> 12));
        out[1] = (char)(0x80 | ((c >> 6) & 63));
        out[2] = (char)(0x80 | (c & 63));
        return 3;
    }
    out[0] = (char)(0xF0 | (c >> 18));
    out[1] = (char)(0x80 | ((c >> 12) & 63));
    out[2] = (char)(0x80 | ((c >> 6) & 63));
    out[3] = (char)(0x80 | (c & 63));
    return 4;
}

/* Every code point there is, and every one that there is not. */
static void agrees_with_an_encoder(void **state)
{
    (void)state;

    for (uint32_t c = 0; c < 0x110400; c++) {
        char text[4];
        struct sv one = {text, encode(c, text)};
        bool real = c < 0xD800 || (c > 0xDFFF && c < 0x110000);
        if (sv_is_utf8(one) != real || (real && sv_utf8_length(one) != 1)) {
            fail_msg("code point %x", c);
        }
    }
}

static void prefixes_of_noise_are_consistent(void **state)
{
    (void)state;
    struct rng rng;

    rng_init(&rng, 11);
    for (int round = 0; round < 20000; round++) {
        char text[24];
        size_t n = rng_below(&rng, sizeof(text));
        for (size_t i = 0; i < n; i++) {
            static const unsigned char likely[] = {0xE2, 0x82, 0xAC, 0xF0,
                                                   0x9F, 'a',  0xC3, 0xED};
            text[i] =
                (char)(rng_below(&rng, 4) == 0 ? rng_below(&rng, 256)
                                               : likely[rng_below(&rng, sizeof(likely))]);
        }
        struct sv all = {text, n};
        size_t max = rng_below(&rng, 26);
        struct sv cut = sv_utf8_prefix(all, max);
        assert_true(cut.n <= max && cut.n <= n && (max < n || cut.n == n));
        assert_true(cut.n + 3 >= (max < n ? max : n));
        assert_int_equal(sv_utf8_length(cut) + sv_utf8_length(sv_sub(all, cut.n, n)),
                         sv_utf8_length(all));
        if (sv_is_utf8(all)) {
            assert_true(sv_is_utf8(cut));
        }
    }
}

/* At each length and place, so that both sides of each word of eight are tried. */
static void finds_the_end_of_plain_text(void **state)
{
    char text[40];

    (void)state;
    for (size_t n = 0; n <= sizeof(text); n++) {
        memset(text, 'a', sizeof(text));
        assert_int_equal(sv_plain_bytes((struct sv){text, n}), n);
        for (size_t at = 0; at < n; at++) {
            for (unsigned byte = 0; byte < 256; byte++) {
                bool plain = byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
                text[at] = (char)byte;
                assert_int_equal(sv_plain_bytes((struct sv){text, n}), plain ? n : at);
            }
            text[at] = '~';
        }
    }
    assert_int_equal(sv_plain_bytes(SV_NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compares),
        cmocka_unit_test(finds),
        cmocka_unit_test(cuts_and_trims),
        cmocka_unit_test(reads_numbers),
        cmocka_unit_test(knows_utf8),
        cmocka_unit_test(finds_the_end_of_plain_text),
        cmocka_unit_test(agrees_with_an_encoder),
        cmocka_unit_test(prefixes_of_noise_are_consistent),
    };
    return cmocka_run_group_tests_name("base/sv", tests, NULL, NULL);
}

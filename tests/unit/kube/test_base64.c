#include "kube/base64.h"
#include "kube_unit.h"

static void rfc_4648_vectors_go_both_ways(void **state)
{
    (void)state;
    const struct {
        const char *plain, *coded;
    } rows[] = {{"", ""},
                {"f", "Zg=="},
                {"fo", "Zm8="},
                {"foo", "Zm9v"},
                {"foob", "Zm9vYg=="},
                {"fooba", "Zm9vYmE="},
                {"foobar", "Zm9vYmFy"}};

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO(buf_deinit) struct buf coded = {0};
        AUTO(buf_deinit) struct buf plain = {0};
        buf_init(&coded, 64);
        buf_init(&plain, 64);
        base64_format(sv_from(rows[i].plain), &coded);
        assert_string_equal(buf_z(&coded), rows[i].coded);
        assert_true(base64_parse(sv_from(rows[i].coded), &plain));
        assert_string_equal(buf_z(&plain), rows[i].plain);
    }
}

static void every_byte_survives(void **state)
{
    (void)state;
    AUTO(buf_deinit) struct buf coded = {0};
    AUTO(buf_deinit) struct buf plain = {0};
    char bytes[256];

    for (int i = 0; i < 256; i++) {
        bytes[i] = (char)i;
    }
    buf_init(&coded, 4096);
    buf_init(&plain, 4096);
    base64_format((struct sv){bytes, sizeof(bytes)}, &coded);
    assert_true(base64_parse(buf_sv(&coded), &plain));
    assert_int_equal(plain.n, sizeof(bytes));
    assert_memory_equal(plain.p, bytes, sizeof(bytes));
}

static void line_breaks_and_missing_padding_are_accepted(void **state)
{
    (void)state;
    const char *texts[] = {"Zm9v\nYmFy\r\n", " Zm9vYmFy "};
    AUTO(buf_deinit) struct buf out = {0};

    buf_init(&out, 64);
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        buf_clear(&out);
        assert_true(base64_parse(sv_from(texts[i]), &out));
        assert_string_equal(buf_z(&out), "foobar");
    }
    buf_clear(&out);
    assert_true(base64_parse(SV("Zm8"), &out));
    assert_string_equal(buf_z(&out), "fo");
}

static void what_is_not_base64_is_refused(void **state)
{
    (void)state;
    const char *texts[] = {
        "Zg=", "Z", "Zg===", "Zg==Zg==", "Zm9v!", "-----BEGIN", "Z=g="};

    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        AUTO(buf_deinit) struct buf out = {0};
        buf_init(&out, 64);
        if (base64_parse(sv_from(texts[i]), &out)) {
            fail_msg("'%s' was taken", texts[i]);
        }
    }
    AUTO(buf_deinit) struct buf small = {0};
    buf_init(&small, 2);
    assert_false(base64_parse(SV("Zm9vYmFy"), &small));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc_4648_vectors_go_both_ways),
        cmocka_unit_test(every_byte_survives),
        cmocka_unit_test(line_breaks_and_missing_padding_are_accepted),
        cmocka_unit_test(what_is_not_base64_is_refused),
    };

    return cmocka_run_group_tests_name("kube/base64", tests, NULL, NULL);
}

/* The scan in front of the parser, on texts nobody would write. */
#include "base/clock.h"
#include "base/json.h"
#include "base/json_scan.h"
#include "unit.h"

static void names_the_first_problem(void **state)
{
    (void)state;

    assert_null(json_scan(SV(" [1, {\"a\": null}] "), 2, 4).problem);
    struct json_scan s = json_scan(SV("[1, {\"a\": null}]"), 1, 4);
    assert_string_equal(s.problem, "it is nested too deep");
    assert_int_equal(s.offset, 4);
    s = json_scan(SV("[1, {\"a\": null}]"), 2, 3);
    assert_string_equal(s.problem, "it has too many values");
    s = json_scan(SV_NULL, 2, 3);
    assert_string_equal(s.problem, "a value is missing");
    assert_int_equal(s.offset, 0);
}

static const char *const seeds[] = {
    "{\"apiVersion\":\"v1\",\"items\":[{\"metadata\":{\"name\":\"a\",\"uid\":\"1-2\"}}]}",
    "[-1.5e+10,0,true,false,null,\"\\ud83d\\udc27\\\\\\/\",[],{}]",
    "{\"a\":{\"a\":{\"a\":[[[[1]]]]}},\"b\":\"\\u0020\\t\"}",
};

/* What the scan lets through the parser must take, and printing must be a fixed point. */
static void survives_mutation(void **state)
{
    (void)state;
    struct rng rng;
    size_t taken = 0;

    rng_init(&rng, 2024);
    for (int round = 0; round < 60000; round++) {
        static const char bits[] = "{}[]\",:\\u0019eE+-.tfn \xC3\xA9\xFF\n";
        char text[200];
        const char *seed = seeds[rng_below(&rng, COUNT_OF(seeds))];
        size_t n = strlen(seed);
        memcpy(text, seed, n);
        for (uint64_t k = rng_below(&rng, 4); k > 0; k--) {
            text[rng_below(&rng, n)] = bits[rng_below(&rng, sizeof(bits))];
        }
        struct fault f = FAULT_INIT;
        AUTO(json_freep) struct json *root = NULL;
        if (!json_parse((struct sv){text, n}, sizeof(text), &root, &f)) {
            assert_int_equal(f.class, FAULT_SPEC);
            if (strstr(f.text, "cannot be parsed") != NULL) {
                fail_msg("scan and parser disagree on %.*s", (int)n, text);
            }
            continue;
        }
        taken++;
        AUTO(buf_deinit) struct buf once;
        AUTO(buf_deinit) struct buf twice;
        AUTO(json_freep) struct json *again = NULL;
        buf_init(&once, 4096);
        buf_init(&twice, 4096);
        json_print(root, &once);
        assert_ok(json_parse(buf_sv(&once), 4096, &again, &f), f);
        json_print(again, &twice);
        assert_string_equal(buf_z(&once), buf_z(&twice));
        assert_true(json_equal(root, again));
    }
    assert_true(taken > 5000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_the_first_problem),
        cmocka_unit_test(survives_mutation),
    };
    return cmocka_run_group_tests_name("base/json_scan", tests, NULL, NULL);
}

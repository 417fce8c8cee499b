#include "base/clock.h"
#include "base/yaml.h"
#include "unit.h"

#include <stdio.h>

static void assert_yields(const char *yaml, const char *json)
{
    struct fault f = FAULT_INIT;
    AUTO(json_freep) struct json *seen = NULL;
    AUTO(json_freep) struct json *expected = NULL;
    AUTO(buf_deinit) struct buf text;

    assert_ok(yaml_parse_all(sv_from(yaml), &seen, &f), f);
    assert_ok(json_parse(sv_from(json), 1 << 20, &expected, &f), f);
    buf_init(&text, 1 << 20);
    json_print(seen, &text);
    if (!json_equal(seen, expected)) {
        fail_msg("%s\ngives\n%s\nnot\n%s", yaml, buf_z(&text), json);
    }
}

static void assert_refuses(struct sv yaml, const char *says)
{
    struct fault f = FAULT_INIT;
    struct json *seen = NULL;

    if (yaml_parse_all(yaml, &seen, &f)) {
        json_free(seen);
        fail_msg("taken: %.*s", SV_ARGS(yaml));
    }
    assert_null(seen);
    assert_int_equal(f.class, FAULT_SPEC);
    assert_string_equal(f.reason, "InvalidYAML");
    assert_contains(f.text, says);
}

static void reads_documents(void **state)
{
    (void)state;

    assert_yields("", "[]");
    assert_yields("---\n---\n# nothing\n---\nnull\n...\n", "[]");
    assert_yields("a: 1\n---\n- x\n- {b: [c, d]}\n---\n",
                  "[{\"a\":1},[\"x\",{\"b\":[\"c\",\"d\"]}]]");
    assert_yields("apiVersion: tablesync.dev/v1alpha1\nkind: TableSync\nspec:\n  source: "
                  "{database: shop}\n",
                  "[{\"apiVersion\":\"tablesync.dev/v1alpha1\",\"kind\":\"TableSync\","
                  "\"spec\":{\"source\":{\"database\":\"shop\"}}}]");
    assert_yields("\xEF\xBB\xBF"
                  "a: b",
                  "[{\"a\":\"b\"}]");
    assert_yields("a:\r\n  - b\r\n", "[{\"a\":[\"b\"]}]");
    assert_yields("{\"json\": [1, true, null]}", "[{\"json\":[1,true,null]}]");
}

static void follows_the_core_schema(void **state)
{
    (void)state;

    assert_yields("[~, null, Null, NULL, '', \"null\", '~', {a: }]",
                  "[[null,null,null,null,\"\",\"null\",\"~\",{\"a\":null}]]");
    assert_yields(
        "[true, True, TRUE, false, False, FALSE, tRue, yes, no, on, off, y, n]",
        "[[true,true,true,false,false,false,\"tRue\",\"yes\",\"no\",\"on\",\"off\","
        "\"y\",\"n\"]]");
    assert_yields(
        "[0, -1, +7, 0123, 0x1F, 0xff, 0o17, 0o8, 0b1, 1_000, -0x1, 9007199254740992]",
        "[[0,-1,7,123,31,255,15,\"0o8\",\"0b1\",\"1_000\",\"-0x1\",9007199254740992]]");
    assert_yields(
        "[1.5, -.5, 1., 1e3, 2E-1, +1.0, ., e3, 1e, 1.2.3, 10.0.0.1, 1:30]",
        "[[1.5,-0.5,1,1000,0.2,1,\".\",\"e3\",\"1e\",\"1.2.3\",\"10.0.0.1\",\"1:30\"]]");
    assert_yields("['1', \"true\", !!str 1, !!str true, ! 5, !!int \"7\", !!float \"1\", "
                  "!!bool \"true\", !!null \"\"]",
                  "[[\"1\",\"true\",\"1\",\"true\",\"5\",7,1,true,null]]");
    assert_yields("a: |\n  1\nb: >-\n  true\nc: 2001-01-01\n",
                  "[{\"a\":\"1\\n\",\"b\":\"true\",\"c\":\"2001-01-01\"}]");
    assert_yields("!!map {a: !!seq [1]}", "[{\"a\":[1]}]");
}

static void expands_aliases(void **state)
{
    (void)state;

    assert_yields(
        "a: &x {k: [1]}\nb: *x\nc: [*x, &s text, *s]\n",
        "[{\"a\":{\"k\":[1]},\"b\":{\"k\":[1]},\"c\":[{\"k\":[1]},\"text\",\"text\"]}]");
    assert_yields("a: &x 1\nb: &x 2\nc: *x\n", "[{\"a\":1,\"b\":2,\"c\":2}]");
    assert_yields("'<<': 1", "[{\"<<\":1}]");
}

static void says_what_and_where(void **state)
{
    (void)state;

    assert_refuses(SV("a: 1\nb:\n  c: 2\n  c: 3\n"),
                   "line 4, column 3: duplicate key 'c'");
    assert_refuses(SV("a: 1\n\"a\": 2\n"), "line 2, column 1: duplicate key 'a'");
    assert_refuses(SV("1: x"), "line 1, column 1: a key must be a string: quote '1'");
    assert_refuses(SV("true: x"), "a key must be a string: quote 'true'");
    assert_refuses(SV("~: x"), "a key must be a string");
    assert_refuses(SV("? [a]\n: x"), "line 1, column 3: a key must be a string");
    assert_refuses(SV("a: &k b\n*k : c"), "line 2, column 1: a key must be a string");
    assert_refuses(SV("&k a: b"), "a key cannot carry an anchor 'a'");
    assert_refuses(SV("a: &x {b: 1}\nc:\n  <<: *x\n"),
                   "line 3, column 3: merge keys are not supported");
    assert_refuses(
        SV("a: *nobody"),
        "line 1, column 4: an alias names no finished anchor before it 'nobody'");
    assert_refuses(SV("a: &x [*x]"),
                   "line 1, column 8: an alias names no finished anchor");
    assert_refuses(SV("a: &x 1\n---\nb: *x"),
                   "line 3, column 4: an alias names no finished");
    assert_refuses(SV("a: [1, 2"), "line 2, column 1: did not find expected");
    assert_refuses(SV("a: b: c"), "line 1, column 5: mapping values are not allowed");
    assert_refuses(SV("a:\n\tb: 1"), "line 2");
    assert_refuses(SV("a: 1\nb: \x01\n"),
                   "line 2, column 4: control characters are not allowed");
    assert_refuses(SV("a: 1\nb: \xFF\n"), "line 2, column 4: it is not valid UTF-8");
    assert_refuses(SV("a: \"x\\0y\""), "line 1, column 4: a NUL character");
    assert_refuses(SV("\"x\\0y\": a"), "a NUL character");
    assert_refuses(SV("a\0b"), "line 1, column 2: control characters");
    assert_refuses(SV("a: 9007199254740993000"),
                   "line 1, column 4: an integer is too large");
    assert_refuses(SV("a: 1e999"), "a number is too large");
    assert_refuses(SV("a: .inf"), "JSON has no such number");
    assert_refuses(SV("a: -.INF"), "JSON has no such number");
    assert_refuses(SV("a: .nan"), "JSON has no such number");
    assert_refuses(SV("a: !!binary aGk="), "the tag is unknown");
    assert_refuses(SV("a: !mine x"), "the tag is unknown");
    assert_refuses(SV("a: !!int x"), "does not fit the value");
    assert_refuses(SV("a: !!set {x}"), "unknown tag 'tag:yaml.org,2002:set'");
    assert_refuses(SV("\xFF\xFE"
                      "a\0"),
                   "not valid UTF-8");
}

static void values_are_not_shown(void **state)
{
    (void)state;
    struct fault f = FAULT_INIT;
    struct json *seen = NULL;

    assert_false(yaml_parse_all(SV("token: !secret hunter2"), &seen, &f));
    assert_lacks(f.text, "hunter2");
}

static void survives_billion_laughs(void **state)
{
    (void)state;
    AUTO(buf_deinit) struct buf b;

    buf_init(&b, 1 << 20);
    buf_addz(&b, "a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for (int i = 1; i < 12; i++) {
        buf_addf(&b, "a%d: &a%d [*a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d]\n",
                 i, i, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
    }
    assert_refuses(buf_sv(&b), "too many values, aliases included");
}

static void survives_a_long_text_repeated(void **state)
{
    (void)state;
    AUTO(buf_deinit) struct buf b;

    buf_init(&b, 4 << 20);
    buf_addz(&b, "- &a ");
    for (int i = 0; i < 100000; i++) {
        buf_addz(&b, "abcdefghij");
    }
    buf_addc(&b, '\n');
    for (int i = 0; i < 1000; i++) {
        buf_addz(&b, "- *a\n");
    }
    assert_refuses(buf_sv(&b), "too large once its aliases are expanded");
}

static void keeps_its_limits(void **state)
{
    (void)state;
    AUTO(buf_deinit) struct buf b;
    AUTO(json_freep) struct json *seen = NULL;
    struct fault f = FAULT_INIT;

    buf_init(&b, YAML_INPUT_MAX + 1);
    for (int i = 0; i < JSON_DEPTH_MAX; i++) {
        buf_addz(&b, "[");
    }
    for (int i = 0; i < JSON_DEPTH_MAX; i++) {
        buf_addz(&b, "]");
    }
    assert_ok(yaml_parse_all(buf_sv(&b), &seen, &f), f);
    buf_clear(&b);
    for (int i = 0; i < 5000; i++) {
        buf_addz(&b, "[");
    }
    assert_refuses(buf_sv(&b), "nested too deep");
    /* Aliases stacked on aliases: each level is shallow where it is written. */
    buf_clear(&b);
    buf_addz(&b, "- &l0 [x]\n");
    for (int i = 1; i < 100; i++) {
        buf_addf(&b, "- &l%d [*l%d]\n", i, i - 1);
    }
    assert_refuses(buf_sv(&b), "nested too deep");
    buf_clear(&b);
    for (int i = 0; i <= YAML_NODES_MAX; i++) {
        buf_addz(&b, "- x\n");
    }
    assert_refuses(buf_sv(&b), "too many values");
    buf_clear(&b);
    while (!buf_overflowed(&b) && b.n <= YAML_INPUT_MAX) {
        buf_addc(&b, '#');
    }
    assert_refuses(buf_sv(&b), "more than the 4194304 allowed");
}

static void many_keys_are_quick(void **state)
{
    (void)state;
    AUTO(buf_deinit) struct buf b;
    AUTO(json_freep) struct json *seen = NULL;
    struct fault f = FAULT_INIT;

    buf_init(&b, YAML_INPUT_MAX);
    for (int i = 0; i < 90000; i++) {
        buf_addf(&b, "key%d: 1\n", i);
    }
    assert_ok(yaml_parse_all(buf_sv(&b), &seen, &f), f);
    assert_int_equal(json_size(json_first(seen)), 90000);
}

static void survives_mutation(void **state)
{
    (void)state;
    static const char seed[] =
        "a: &x {b: [1, 'two', \"th\\u0072ee\"], c: ~}\nd: *x\ne: |\n  text\n  more\n"
        "? key\n: - 0x1f\n  - !!str 5\n---\n%YAML 1.2\n# comment\n...\n";
    struct rng rng;
    size_t taken = 0;

    rng_init(&rng, 77);
    for (int round = 0; round < 30000; round++) {
        static const char bits[] = ":-?#&*!|>'\"%@`{}[], \n\t\\ax1~<.\xC3\xA9\xFF";
        char text[sizeof(seed)];
        size_t n = sizeof(seed) - 1 - rng_below(&rng, 40);
        memcpy(text, seed, n);
        for (uint64_t k = rng_below(&rng, 5); k > 0; k--) {
            text[rng_below(&rng, n)] = bits[rng_below(&rng, sizeof(bits))];
        }
        struct fault f = FAULT_INIT;
        AUTO(json_freep) struct json *seen = NULL;
        if (yaml_parse_all((struct sv){text, n}, &seen, &f)) {
            AUTO(buf_deinit) struct buf printed;
            AUTO(json_freep) struct json *again = NULL;
            buf_init(&printed, 1 << 16);
            json_print(seen, &printed);
            assert_ok(json_parse(buf_sv(&printed), 1 << 16, &again, &f), f);
            assert_true(json_equal(seen, again));
            taken++;
        } else {
            assert_string_equal(f.reason, "InvalidYAML");
            assert_true(sv_is_utf8(sv_from(f.text)));
        }
    }
    assert_true(taken > 500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_documents),
        cmocka_unit_test(follows_the_core_schema),
        cmocka_unit_test(expands_aliases),
        cmocka_unit_test(says_what_and_where),
        cmocka_unit_test(values_are_not_shown),
        cmocka_unit_test(survives_billion_laughs),
        cmocka_unit_test(survives_a_long_text_repeated),
        cmocka_unit_test(keeps_its_limits),
        cmocka_unit_test(many_keys_are_quick),
        cmocka_unit_test(survives_mutation),
    };
    return cmocka_run_group_tests_name("base/yaml", tests, NULL, NULL);
}

#include "base/json.h"
#include "unit.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static struct json *parsed(const char *text)
{
    struct fault f = FAULT_INIT;
    struct json *root = NULL;

    assert_ok(json_parse(sv_from(text), 1 << 20, &root, &f), f);
    return root;
}

static void assert_prints(const struct json *node, const char *expected)
{
    AUTO(buf_deinit) struct buf out;

    buf_init(&out, 1 << 20);
    json_print(node, &out);
    assert_string_equal(buf_z(&out), expected);
}

static void reads_a_tree(void **state)
{
    (void)state;
    AUTO(json_freep)
    struct json *o = parsed(
        " {\"s\":\"x\\u00e9\\n\",\"n\":-12.75,\"b\":true,\"z\":null,\"a\":[1,\"two\",{}],"
        "\"spec\":{\"source\":{\"port\":3306,\"on\":false}}}\r\n\t ");

    assert_int_equal(json_kind(o), JSON_OBJECT);
    assert_int_equal(json_size(o), 6);
    assert_string_equal(json_get_string(o, "s"), "x\xC3\xA9\n");
    assert_int_equal(json_int(json_get(o, "n"), 0), -12);
    assert_true(json_number(json_get(o, "n"), 0) == -12.75);
    assert_true(json_bool(json_get(o, "b"), false));
    assert_int_equal(json_kind(json_get(o, "z")), JSON_NULL);
    assert_int_equal(json_path_int(o, "spec.source.port", 0), 3306);
    assert_false(json_path_bool(o, "spec.source.on", true));
    assert_string_equal(json_string(json_at(json_get(o, "a"), 1)), "two");
    assert_int_equal(json_kind(json_at(json_get(o, "a"), 2)), JSON_OBJECT);
    assert_null(json_at(json_get(o, "a"), 3));
    assert_string_equal(json_key(json_first(o)), "s");
    assert_string_equal(json_key(json_next(json_first(o))), "n");
    assert_null(json_key(json_at(json_get(o, "a"), 0)));
}

static void getters_forgive(void **state)
{
    (void)state;
    AUTO(json_freep)
    struct json *o = parsed("{\"a\":{\"b\":\"text\"},\"A\":1,\"big\":1e300}");

    assert_int_equal(json_kind(NULL), JSON_MISSING);
    assert_null(json_get(NULL, "a"));
    assert_null(json_get(o, "missing"));
    assert_null(json_get(json_get(o, "A"), "x"));
    assert_null(json_get(o, NULL));
    assert_null(json_path(o, "a.b.c"));
    assert_null(json_path(o, "a..b"));
    assert_null(json_path_string(o, "A"));
    assert_int_equal(json_path_int(o, "a.b", 7), 7);
    assert_int_equal(json_path_int(o, "big", 7), 7);
    assert_true(json_path_bool(o, "a.b", true));
    assert_int_equal(json_size(json_path(o, "a.b")), 0);
    assert_null(json_first(json_path(o, "a.b")));
    assert_null(json_first(NULL));
    assert_null(json_next(NULL));
    assert_int_equal(json_int(json_get(o, "A"), 0),
                     1); /* keys know upper from lower case */
    assert_null(json_clone(NULL));
}

static void last_duplicate_counts(void **state)
{
    (void)state;
    AUTO(json_freep)
    struct json *few = parsed("{\"a\":1,\"b\":{\"x\":1,\"x\":2},\"a\":3}");
    AUTO(buf_deinit) struct buf text;

    assert_prints(few, "{\"b\":{\"x\":2},\"a\":3}");
    /* So many that looking at every pair would take minutes. */
    buf_init(&text, 4 << 20);
    buf_addc(&text, '{');
    for (int i = 0; i < 100000; i++) {
        buf_addf(&text, "%s\"k%d\":%d", i == 0 ? "" : ",", i % 50000, i);
    }
    buf_addc(&text, '}');
    struct fault f = FAULT_INIT;
    AUTO(json_freep) struct json *many = NULL;
    assert_ok(json_parse(buf_sv(&text), 4 << 20, &many, &f), f);
    assert_int_equal(json_size(many), 50000);
    assert_int_equal(json_int(json_get(many, "k0"), 0), 50000);
    assert_int_equal(json_int(json_get(many, "k49999"), 0), 99999);
}

static void refuses_with_an_offset(void **state)
{
    (void)state;
    static const struct {
        struct sv text;
        const char *says;
    } rows[] = {
        {SV_INIT(""), "offset 0: a value is missing"},
        {SV_INIT("  "), "offset 2: a value is missing"},
        {SV_INIT("{} x"), "offset 3: something follows"},
        {SV_INIT("{}{}"), "offset 2: something follows"},
        {SV_INIT("[1,]"), "offset 3: a value is missing"},
        {SV_INIT("[1 2]"), "offset 3: ',' or ']'"},
        {SV_INIT("{\"a\" 1}"), "offset 5: ':' is missing"},
        {SV_INIT("{\"a\":1,}"), "offset 7: a string is missing"},
        {SV_INIT("{a:1}"), "offset 1: a string is missing"},
        {SV_INIT("{\"a\":1"), "offset 6: ',' or '}'"},
        {SV_INIT("[01]"), "offset 2: ',' or ']'"},
        {SV_INIT("[1.]"), "digit is missing after the decimal point"},
        {SV_INIT("[-]"), "a digit is missing in a number"},
        {SV_INIT("[+1]"), "offset 1: a value"},
        {SV_INIT("[.5]"), "offset 1: a value"},
        {SV_INIT("[1e]"), "exponent"},
        {SV_INIT("[NaN]"), "offset 1: a value"},
        {SV_INIT("[0x10]"), "',' or ']'"},
        {SV_INIT("[tru]"), "offset 1: a value"},
        {SV_INIT("'a'"), "offset 0: a value"},
        {SV_INIT("\"abc"), "offset 4: a string is not closed"},
        {SV_INIT("\"a\tb\""), "offset 2: a control character"},
        {SV_INIT("\"a\0b\""), "offset 2: a control character"},
        {SV_INIT("[1]\0"), "offset 3: something follows"},
        {SV_INIT("\"\\x\""), "unknown escape"},
        {SV_INIT("\"\\"), "unknown escape"},
        {SV_INIT("\"\\u00g0\""), "four hexadecimal digits"},
        {SV_INIT("\"\\u0000\""), "\\u0000 is not allowed"},
        {SV_INIT("\"\\ud800\""), "surrogate"},
        {SV_INIT("\"\\udc00\""), "surrogate"},
        {SV_INIT("\"\\ud800\\u0041\""), "surrogate"},
        {SV_INIT("\"a\xFF\""), "offset 2: it is not valid UTF-8"},
        {SV_INIT("\xEF\xBB\xBF{}"), "offset 0: a value is missing"},
        {SV_INIT("[1e999]"), "too large"},
        {SV_INIT("[\f1]"), "offset 1: a value"},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct fault f = FAULT_INIT;
        struct json *root = NULL;
        if (json_parse(rows[i].text, 1000, &root, &f)) {
            fail_msg("row %zu was taken", i);
        }
        assert_null(root);
        assert_int_equal(f.class, FAULT_SPEC);
        assert_string_equal(f.reason, "InvalidJSON");
        assert_contains(f.text, rows[i].says);
    }
}

static bool nested_parses(size_t levels)
{
    AUTO(buf_deinit) struct buf b;
    AUTO(json_freep) struct json *root = NULL;
    struct fault f = FAULT_INIT;

    buf_init(&b, 1 << 20);
    for (size_t i = 0; i < levels; i++) {
        buf_addz(&b, i % 2 == 0 ? "[" : "{\"k\":");
    }
    buf_addz(&b, levels % 2 == 0 ? "0" : "");
    for (size_t i = levels; i > 0; i--) {
        buf_addc(&b, i % 2 == 1 ? ']' : '}');
    }
    bool good = json_parse(buf_sv(&b), 1 << 20, &root, &f);
    if (!good) {
        assert_contains(f.text, "too deep");
    }
    return good;
}

static void keeps_its_limits(void **state)
{
    (void)state;
    struct fault f = FAULT_INIT;
    struct json *root = NULL;
    AUTO(buf_deinit) struct buf b;

    assert_true(nested_parses(JSON_DEPTH_MAX));
    assert_false(nested_parses(JSON_DEPTH_MAX + 1));
    assert_false(nested_parses(100000));
    assert_false(json_parse(SV("[1, 2]"), 5, &root, &f));
    assert_contains(f.text, "6 bytes, more than the 5 allowed");
    buf_init(&b, 8 << 20);
    buf_addc(&b, '[');
    for (int i = 0; i < JSON_NODES_MAX; i++) {
        buf_addz(&b, "0,");
    }
    buf_addz(&b, "0]");
    assert_false(json_parse(buf_sv(&b), 8 << 20, &root, &f));
    assert_contains(f.text, "too many values");
    char number[100];
    (void)snprintf(number, sizeof(number), "%070d", 1);
    number[0] = '1';
    assert_false(json_parse(sv_from(number), 1000, &root, &f));
    assert_contains(f.text, "a number is too long");
    assert_null(root);
}

static void builds(void **state)
{
    (void)state;
    AUTO(json_freep) struct json *o = json_new_object();

    json_set_string(o, "name", "a\"b\\c/\x01\n");
    json_set_int(o, "n", 1);
    json_set_bool(o, "yes", true);
    json_set_int(o, "n", 2);
    json_set(o, "z", json_new_null());
    json_set_string(json_set_object(o, "child"), "k", NULL);
    struct json *list = json_set_array(o, "list");
    json_push_string(list, "x");
    json_set_int(json_push_object(list), "i", -5);
    json_push(list, json_new_bool(false));
    json_push(list, json_new_number(0.5));
    assert_prints(o,
                  "{\"name\":\"a\\\"b\\\\c/\\u0001\\n\",\"n\":2,\"yes\":true,\"z\":null,"
                  "\"child\":{\"k\":\"\"},\"list\":[\"x\",{\"i\":-5},false,0.5]}");
    json_remove(o, "name");
    json_remove(o, "list");
    json_remove(o, "not there");
    (void)json_set_array(o, "child");
    json_add(o, "last", json_new_string("v"));
    assert_prints(o, "{\"n\":2,\"yes\":true,\"z\":null,\"child\":[],\"last\":\"v\"}");
}

static void prints_numbers_exactly(void **state)
{
    (void)state;
    static const struct {
        double value;
        const char *text;
    } rows[] = {{0, "0"},
                {-0.0, "0"},
                {100000, "100000"},
                {1e15, "1000000000000000"},
                {1e10, "10000000000"},
                {0x1p53, "9007199254740992"},
                {-0x1p53, "-9007199254740992"},
                {0x1p53 - 1, "9007199254740991"},
                {0.1, "0.1"},
                {1.0 / 3, "0.3333333333333333"},
                {1e300, "1e+300"},
                {5e-324, "4.94065645841247e-324"},
                {(double)INFINITY, "null"},
                {(double)NAN, "null"}};

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO(json_freep) struct json *n = json_new_number(rows[i].value);
        assert_prints(n, rows[i].text);
    }
    AUTO(json_freep)
    struct json *o = parsed("[1.0, 1e3, 1700000000000, 9007199254740993]");
    assert_prints(o, "[1,1000,1700000000000,9007199254740992]");
}

static void ignores_the_locale(void **state)
{
    (void)state;

    /* No such locale on a small machine: then it is the C locale and still has to hold.
     */
    (void)setlocale(LC_ALL, "de_DE.UTF-8");
    AUTO(json_freep) struct json *o = parsed("[1.5,2.25e-7]");
    assert_true(json_number(json_first(o), 0) == 1.5);
    assert_prints(o, "[1.5,2.25e-07]");
    (void)setlocale(LC_ALL, "C");
}

static void prints_only_utf8(void **state)
{
    (void)state;
    AUTO(json_freep) struct json *o = json_new_object();

    json_set_string(o, "k\xFF", "a\xC3(\xE2\x82");
    assert_prints(o, "{\"k\xEF\xBF\xBD\":\"a\xEF\xBF\xBD(\xEF\xBF\xBD\xEF\xBF\xBD\"}");
    AUTO(buf_deinit) struct buf b;
    buf_init(&b, 100);
    json_quote(SV("a\0b\x7f\x1f"), &b);
    assert_string_equal(buf_z(&b), "\"a\\u0000b\x7f\\u001f\"");
}

static void prints_pretty_and_within_the_ceiling(void **state)
{
    (void)state;
    AUTO(json_freep) struct json *o = parsed("{\"a\":[1,{\"b\":[]}],\"c\":{}}");
    AUTO(buf_deinit) struct buf b;

    buf_init(&b, 1000);
    json_print_pretty(o, &b);
    assert_string_equal(buf_z(&b),
                        "{\n  \"a\": [\n    1,\n    {\n      \"b\": []\n    }\n  ],\n"
                        "  \"c\": {}\n}");
    AUTO(buf_deinit) struct buf tiny;
    buf_init(&tiny, 10);
    json_print(o, &tiny);
    assert_true(buf_overflowed(&tiny));
    assert_true(buf_sv(&tiny).n <= 10);
}

static void equality_ignores_key_order(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        bool equal;
    } rows[] = {
        {"{\"a\":1,\"b\":[1,2]}", "{\"b\":[1,2],\"a\":1}", true},
        {"{\"a\":1}", "{\"a\":1,\"b\":2}", false},
        {"{\"a\":1,\"b\":2}", "{\"a\":1}", false},
        {"{\"a\":1,\"b\":2}", "{\"a\":1,\"c\":2}", false},
        {"{\"a\":1,\"b\":2,\"c\":3}", "{\"c\":3,\"a\":1,\"b\":2}", true},
        {"{\"a\":1,\"b\":2,\"c\":3}", "{\"c\":3,\"a\":1,\"b\":4}", false},
        {"[1,2]", "[2,1]", false},
        {"[1]", "[1,2]", false},
        {"[1,2]", "[1]", false},
        {"1", "1.0", true},
        {"1", "\"1\"", false},
        {"null", "false", false},
        {"true", "false", false},
        {"\"a\"", "\"a\"", true},
        {"\"a\"", "\"A\"", false},
        {"[null,{}]", "[null,{}]", true},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO(json_freep) struct json *a = parsed(rows[i].a);
        AUTO(json_freep) struct json *b = parsed(rows[i].b);
        AUTO(json_freep) struct json *copy = json_clone(a);
        if (json_equal(a, b) != rows[i].equal || !json_equal(a, copy)) {
            fail_msg("row %zu", i);
        }
    }
    assert_true(json_equal(NULL, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_a_tree),
        cmocka_unit_test(getters_forgive),
        cmocka_unit_test(last_duplicate_counts),
        cmocka_unit_test(refuses_with_an_offset),
        cmocka_unit_test(keeps_its_limits),
        cmocka_unit_test(builds),
        cmocka_unit_test(prints_numbers_exactly),
        cmocka_unit_test(ignores_the_locale),
        cmocka_unit_test(prints_only_utf8),
        cmocka_unit_test(prints_pretty_and_within_the_ceiling),
        cmocka_unit_test(equality_ignores_key_order),
    };
    return cmocka_run_group_tests_name("base/json", tests, NULL, NULL);
}

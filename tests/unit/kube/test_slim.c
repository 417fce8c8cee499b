#include "kube/slim.h"
#include "kube_unit.h"

static const struct kube_resource syncs = {"tablesync.dev", "v1alpha1", "tablesyncs",
                                           "TableSync"};
static const struct slim_rules rules = {.resource = &syncs,
                                        .annotations = "tablesync.dev/"};

#define FAT                                                                              \
    "{\"metadata\":{\"name\":\"a\",\"namespace\":\"n\",\"uid\":\"u-1\",\"labels\":{"     \
    "\"team\":\"x\"},\"managedFields\":[{\"f\":{\"a\":[1,2]}}],\"generation\":3,"        \
    "\"resourceVersion\":\"7\",\"ownerReferences\":[],\"finalizers\":[\"f\"],"           \
    "\"annotations\":{\"kubectl.kubernetes.io/last-applied-configuration\":\"{}\","      \
    "\"tablesync.dev/pause-reconcile\":\"true\",\"other.dev/x\":\"1\"}},"                \
    "\"spec\":{\"t\":\"\\u003c \xc3\xbc\",\"n\":1.50},\"status\":{\"c\":[]}}"
#define SLIM                                                                             \
    "{\"apiVersion\":\"tablesync.dev/v1alpha1\",\"kind\":\"TableSync\",\"metadata\":{"   \
    "\"name\":\"a\",\"namespace\":\"n\",\"uid\":\"u-1\",\"generation\":3,"               \
    "\"resourceVersion\":\"7\",\"finalizers\":[\"f\"],\"annotations\":{"                 \
    "\"tablesync.dev/pause-reconcile\":\"true\"}},\"spec\":{\"t\":\"\\u003c \xc3\xbc\"," \
    "\"n\":1.50},\"status\":{\"c\":[]}}"

static bool slim(const char *object, struct buf *text, struct slim *out)
{
    struct fault f = FAULT_INIT;

    buf_init(text, 65536);
    return slim_parse(sv_from(object), &rules, text, out, &f);
}

static void what_nobody_reads_is_left_out_and_the_rest_is_as_written(void **state)
{
    (void)state;
    AUTO(buf_deinit) struct buf text = {0};
    AUTO(buf_deinit) struct buf key = {0};
    struct slim s;

    assert_true(slim(FAT, &text, &s));
    assert_string_equal(buf_z(&text), SLIM);
    assert_true(sv_eq(s.name, SV("a")) && sv_eq(s.namespace, SV("n")));
    assert_true(sv_eq(s.uid, SV("u-1")) && sv_eq(s.version, SV("7")));
    buf_init(&key, 64);
    slim_key(&s, &key);
    assert_string_equal(buf_z(&key), "n/a");
}

static void slim_text_stays_as_it_is(void **state)
{
    (void)state;
    AUTO(buf_deinit) struct buf text = {0};
    struct slim s;

    assert_true(slim(SLIM, &text, &s));
    assert_string_equal(buf_z(&text), SLIM);
}

/* An item of a list has no apiVersion and kind, an event's object has them in front. */
static void an_item_and_an_events_object_give_the_same_text(void **state)
{
    (void)state;
    AUTO(buf_deinit) struct buf item = {0};
    AUTO(buf_deinit) struct buf event = {0};
    struct slim s;

    assert_true(slim("{\"metadata\":{\"name\":\"a\"},\"spec\":{}}", &item, &s));
    assert_true(
        slim("{\"apiVersion\":\"x/v9\",\"kind\":\"X\",\"metadata\":{\"name\":\"a\"},"
             "\"spec\":{}}",
             &event, &s));
    assert_string_equal(buf_z(&item), buf_z(&event));
}

static void of_two_of_one_name_the_last_counts_as_in_a_tree(void **state)
{
    (void)state;
    AUTO(buf_deinit) struct buf text = {0};
    AUTO(json_freep) struct json *tree = NULL;
    struct fault f = FAULT_INIT;
    struct slim s;

    assert_true(
        slim("{\"metadata\":{\"name\":\"a\",\"uid\":\"u\"},\"metadata\":{\"name\":"
             "\"b\",\"name\":\"c\",\"resourceVersion\":\"1\"},\"metadata\":7}",
             &text, &s));
    assert_true(sv_eq(s.name, SV("c")));
    assert_int_equal(s.uid.n, 0);
    assert_ok(json_parse(s.text, s.text.n, &tree, &f), f);
    assert_string_equal(kube_name(tree), "c");
    assert_null(kube_uid(tree));
}

static void refuses_what_a_tree_would_read_otherwise(void **state)
{
    (void)state;
    const char *texts[] = {
        "",
        "[]",
        "{\"metadata\":{\"name\":\"a\"}",
        "{\"metadata\":{\"name\":\"a\"}} x",
        "{\"metadata\":{\"n\\u0061me\":\"a\"}}",
        "{\"meta\\u0064ata\":{\"name\":\"a\"}}",
        "{\"spec\":\"\xff\"}",
        "{\"spec\":1e999}",
        "{\"metadata\":{\"managedFields\":[nul]}}",
        "{\"metadata\":{\"annotations\":{\"a\":}}}",
    };

    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        AUTO(buf_deinit) struct buf text = {0};
        struct slim s;
        if (slim(texts[i], &text, &s)) {
            fail_msg("'%s' was taken", texts[i]);
        }
    }
}

static void nesting_has_a_ceiling(void **state)
{
    (void)state;
    AUTO(buf_deinit) struct buf deep = {0};
    AUTO(buf_deinit) struct buf text = {0};
    AUTO(json_freep) struct json *tree = NULL;
    struct fault f = FAULT_INIT;
    struct slim s;

    buf_init(&deep, 4096);
    buf_addz(&deep, "{\"spec\":");
    for (int i = 0; i < 62; i++) {
        buf_addc(&deep, '[');
    }
    for (int i = 0; i < 62; i++) {
        buf_addc(&deep, ']');
    }
    buf_addc(&deep, '}');
    assert_true(slim(buf_z(&deep), &text, &s));
    assert_ok(json_parse(s.text, s.text.n, &tree, &f), f); /* whoever takes it can */
    buf_drop_front(&deep, strlen("{\"spec\":"));
    AUTO(buf_deinit) struct buf deeper = {0};
    buf_init(&deeper, 4096);
    buf_addf(&deeper, "{\"spec\":[%.*s]}", (int)(deep.n - 1), deep.p);
    buf_deinit(&text);
    assert_false(slim(buf_z(&deeper), &text, &s));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_nobody_reads_is_left_out_and_the_rest_is_as_written),
        cmocka_unit_test(slim_text_stays_as_it_is),
        cmocka_unit_test(an_item_and_an_events_object_give_the_same_text),
        cmocka_unit_test(of_two_of_one_name_the_last_counts_as_in_a_tree),
        cmocka_unit_test(refuses_what_a_tree_would_read_otherwise),
        cmocka_unit_test(nesting_has_a_ceiling),
    };

    return cmocka_run_group_tests_name("kube/slim", tests, NULL, NULL);
}

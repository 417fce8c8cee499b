#include "loop/tags.h"
#include "loop_unit.h"

static struct kube_tags tags_of(const char *text)
{
    struct kube_tags tags = {.count = 0};

    tags_of_sync(sv_from(text), &tags);
    return tags;
}

static bool has(const struct kube_tags *tags, uint64_t tag)
{
    for (size_t i = 0; i < tags->count; i++) {
        if (tags->tag[i] == tag) {
            return true;
        }
    }
    return false;
}

#define META(generation, more)                                                           \
    "\"metadata\":{\"namespace\":\"n\",\"name\":\"a\",\"uid\":\"u-1\","                  \
    "\"generation\":" generation more "}"
#define SPEC                                                                             \
    "\"spec\":{\"source\":{\"connectionRef\":{\"name\":\"my\"},\"table\":\"orders\"},"   \
    "\"risingWave\":{\"connectionRef\":{\"name\":\"rw\"}},\"target\":{"                  \
    "\"connectionRef\":{"                                                                \
    "\"name\":\"sr\"},\"database\":\"d\\u00fc\"}}"

static void a_resource_is_found_by_what_it_names(void **state)
{
    (void)state;
    struct kube_tags tags = tags_of("{" META("1", "") "," SPEC "}");

    assert_int_equal(tags.count, 5);
    assert_true(has(&tags, tags_connection("n", "my")));
    assert_true(has(&tags, tags_connection("n", "rw")));
    assert_true(has(&tags, tags_connection("n", "sr")));
    assert_false(has(&tags, tags_connection("m", "my")));
    /* Escapes are read; the target's table is the source's when it is not named. */
    assert_true(has(&tags, tags_target("n", "sr", "d\xc3\xbc", "orders")));
    assert_false(has(&tags, tags_target("n", "sr", "d", "orders")));
    assert_true(has(&tags, tags_uid(SV("u-1"))));
}

static void parts_of_a_tag_do_not_run_into_each_other(void **state)
{
    (void)state;
    assert_true(tags_connection("ab", "c") != tags_connection("a", "bc"));
    assert_true(tags_target("n", "c", "", "t") != tags_target("n", "c", "t", ""));
}

static void what_is_missing_or_of_another_type_has_no_tag(void **state)
{
    (void)state;
    struct kube_tags tags =
        tags_of("{" META("1", "") ",\"spec\":{\"source\":{\"connectionRef\":7},"
                                  "\"target\":[]}}");

    assert_false(has(&tags, tags_connection("n", "")));
    assert_true(has(&tags, tags_uid(SV("u-1"))));
}

static void only_what_deserves_an_attempt_changes_the_fingerprint(void **state)
{
    (void)state;
    const uint64_t before = tags_of("{" META("1", "") "}").fingerprint;
    struct kube_tags conn = {.count = 0};

    assert_true(before ==
                tags_of("{" META("1", "") ",\"status\":{\"x\":1}}").fingerprint);
    assert_true(before != tags_of("{" META("2", "") "}").fingerprint);
    assert_true(before !=
                tags_of("{" META("1", ",\"deletionTimestamp\":\"t\"") "}").fingerprint);
    assert_true(before !=
                tags_of("{" META("1", ",\"annotations\":{\"a\":\"b\"}") "}").fingerprint);
    tags_of_conn(SV("{" META("1", "") "}"), &conn);
    assert_true(conn.fingerprint == before);
    assert_int_equal(conn.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_resource_is_found_by_what_it_names),
        cmocka_unit_test(parts_of_a_tag_do_not_run_into_each_other),
        cmocka_unit_test(what_is_missing_or_of_another_type_has_no_tag),
        cmocka_unit_test(only_what_deserves_an_attempt_changes_the_fingerprint),
    };

    return cmocka_run_group_tests_name("loop/tags", tests, NULL, NULL);
}

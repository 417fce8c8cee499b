#include "api_bench.h"

#define META(more)                                                                       \
    "{\"metadata\":{\"name\":\"orders\",\"namespace\":\"shop\",\"uid\":\"u1\","          \
    "\"resourceVersion\":\"7\"" more "}}"
#define FIN "tablesync.dev/cleanup"

static void finalizers_are_added_by_guarded_patches(void **state)
{
    (void)state;
    const struct {
        const char *object, *body;
    } rows[] = {
        {META(""),
         "[{\"op\":\"test\",\"path\":\"/metadata/uid\",\"value\":\"u1\"},"
         "{\"op\":\"test\",\"path\":\"/metadata/finalizers\",\"value\":null},"
         "{\"op\":\"add\",\"path\":\"/metadata/finalizers\",\"value\":[\"" FIN "\"]}]"},
        {META(",\"finalizers\":[\"x/y\"]"),
         "[{\"op\":\"test\",\"path\":\"/metadata/uid\",\"value\":\"u1\"},"
         "{\"op\":\"test\",\"path\":\"/metadata/finalizers\",\"value\":[\"x/y\"]},"
         "{\"op\":\"add\",\"path\":\"/metadata/finalizers/-\",\"value\":\"" FIN "\"}]"},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        BENCH;
        AUTO(json_freep) struct json *object = test_json(rows[i].object);
        fake_transport_add(b.fake, (struct fake_row){.method = "PATCH",
                                                     .path = "/shop/tablesyncs/orders?",
                                                     .status = 200,
                                                     .body = META("")});
        assert_ok(kube_add_finalizer(&b.api, &syncs, object, FIN, &b.root, &b.outcome,
                                     &b.object, &b.fault),
                  b.fault);
        assert_int_equal(b.outcome, KUBE_OK);
        assert_non_null(b.object);
        assert_string_equal(fake_transport_request(b.fake, 0)->body, rows[i].body);
        assert_string_equal(fake_transport_request(b.fake, 0)->content_type,
                            "application/json-patch+json");
    }
}

static void a_finalizer_is_removed_where_it_stands(void **state)
{
    (void)state;
    BENCH;
    AUTO(json_freep)
    struct json *object =
        test_json(META(",\"finalizers\":[\"x/y\",\"" FIN "\",\"z/z\"]"));
    fake_transport_add(
        b.fake, (struct fake_row){.method = "PATCH", .status = 200, .body = META("")});

    assert_ok(kube_remove_finalizer(&b.api, &syncs, object, FIN, &b.root, &b.outcome,
                                    &b.object, &b.fault),
              b.fault);
    assert_string_equal(
        fake_transport_request(b.fake, 0)->body,
        "[{\"op\":\"test\",\"path\":\"/metadata/uid\",\"value\":\"u1\"},"
        "{\"op\":\"test\",\"path\":\"/metadata/finalizers/1\",\"value\":\"" FIN "\"},"
        "{\"op\":\"remove\",\"path\":\"/metadata/finalizers/1\"}]");
}

static void nothing_to_patch_is_no_request(void **state)
{
    (void)state;
    BENCH;
    AUTO(json_freep) struct json *with = test_json(META(",\"finalizers\":[\"" FIN "\"]"));
    AUTO(json_freep) struct json *without = test_json(META(""));

    b.object = NULL;
    assert_ok(kube_add_finalizer(&b.api, &syncs, with, FIN, &b.root, &b.outcome,
                                 &b.object, &b.fault),
              b.fault);
    assert_int_equal(b.outcome, KUBE_OK);
    assert_ok(kube_remove_finalizer(&b.api, &syncs, without, FIN, &b.root, &b.outcome,
                                    &b.object, &b.fault),
              b.fault);
    assert_int_equal(b.outcome, KUBE_OK);
    assert_ok(kube_remove_annotation(&b.api, &syncs, without, "a/b", &b.root, &b.outcome,
                                     &b.object, &b.fault),
              b.fault);
    assert_int_equal(b.outcome, KUBE_OK);
    assert_null(b.object);
    assert_int_equal(fake_transport_count(b.fake), 0);
}

static void a_failed_test_is_a_conflict_and_a_named_field_is_not(void **state)
{
    (void)state;
    const struct {
        int status;
        const char *body;
        enum kube_outcome outcome;
    } rows[] = {
        {422, STATUS(422, "Invalid", ""), KUBE_CONFLICT},
        {422, STATUS(422, "Invalid", ",\"details\":{\"causes\":[{\"reason\":\"X\"}]}"),
         KUBE_CONFLICT},
        {422,
         STATUS(422, "Invalid",
                ",\"details\":{\"causes\":[{\"field\":\"metadata.finalizers\"}]}"),
         KUBE_INVALID},
        {409, STATUS(409, "Conflict", ""), KUBE_CONFLICT},
        {404, STATUS(404, "NotFound", ""), KUBE_NOT_FOUND},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        BENCH;
        AUTO(json_freep) struct json *object = test_json(META(""));
        fake_transport_add(b.fake, (struct fake_row){.method = "PATCH",
                                                     .status = rows[i].status,
                                                     .body = rows[i].body});
        assert_ok(kube_add_finalizer(&b.api, &syncs, object, FIN, &b.root, &b.outcome,
                                     &b.object, &b.fault),
                  b.fault);
        assert_int_equal(b.outcome, rows[i].outcome);
    }
}

static void an_annotation_is_removed_at_the_version_that_was_read(void **state)
{
    (void)state;
    BENCH;
    AUTO(json_freep)
    struct json *object =
        test_json(META(",\"annotations\":{\"tablesync.dev/retry\":\"now\"}"));
    fake_transport_add(
        b.fake, (struct fake_row){.method = "PATCH", .status = 200, .body = META("")});

    assert_ok(kube_remove_annotation(&b.api, &syncs, object, "tablesync.dev/retry",
                                     &b.root, &b.outcome, &b.object, &b.fault),
              b.fault);
    assert_string_equal(fake_transport_request(b.fake, 0)->content_type,
                        "application/merge-patch+json");
    assert_string_equal(fake_transport_request(b.fake, 0)->body,
                        "{\"metadata\":{\"uid\":\"u1\",\"resourceVersion\":\"7\","
                        "\"annotations\":{\"tablesync.dev/retry\":null}}}");
}

static void an_object_without_identity_is_not_patched(void **state)
{
    (void)state;
    BENCH;
    AUTO(json_freep) struct json *object = test_json("{\"metadata\":{\"name\":\"x\"}}");

    assert_false(kube_add_finalizer(&b.api, &syncs, object, FIN, &b.root, &b.outcome,
                                    &b.object, &b.fault));
    assert_int_equal(b.fault.class, FAULT_BUG);
    assert_int_equal(fake_transport_count(b.fake), 0);
}

static void getters_forgive_what_is_absent(void **state)
{
    (void)state;
    AUTO(json_freep)
    struct json *full =
        test_json(META(",\"generation\":3,\"deletionTimestamp\":\"2026-01-01T00:00:00Z\","
                       "\"finalizers\":[\"a/b\"],\"annotations\":{\"x.y/z\":\"v\"}"));
    AUTO(json_freep) struct json *empty = test_json("{}");

    assert_string_equal(kube_uid(full), "u1");
    assert_string_equal(kube_name(full), "orders");
    assert_string_equal(kube_namespace(full), "shop");
    assert_string_equal(kube_resource_version(full), "7");
    assert_int_equal(kube_generation(full), 3);
    assert_true(kube_deleting(full));
    assert_true(kube_has_finalizer(full, "a/b"));
    assert_false(kube_has_finalizer(full, "a/c"));
    assert_string_equal(kube_annotation(full, "x.y/z"), "v");
    assert_null(kube_uid(empty));
    assert_int_equal(kube_generation(empty), 0);
    assert_false(kube_deleting(empty));
    assert_null(kube_annotation(empty, "x.y/z"));
    assert_null(kube_name(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finalizers_are_added_by_guarded_patches),
        cmocka_unit_test(a_finalizer_is_removed_where_it_stands),
        cmocka_unit_test(nothing_to_patch_is_no_request),
        cmocka_unit_test(a_failed_test_is_a_conflict_and_a_named_field_is_not),
        cmocka_unit_test(an_annotation_is_removed_at_the_version_that_was_read),
        cmocka_unit_test(an_object_without_identity_is_not_patched),
        cmocka_unit_test(getters_forgive_what_is_absent),
    };

    return cmocka_run_group_tests_name("kube/patch", tests, NULL, NULL);
}

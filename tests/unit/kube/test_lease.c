/* The Lease: as client-go writes it, and what a write keeps. */
#include "api_bench.h"

#include "kube/lease.h"

/* As a candidate of client-go v0.36 wrote it, with what newer servers and people add. */
#define OTHERS                                                                           \
    "{\"apiVersion\":\"coordination.k8s.io/v1\",\"kind\":\"Lease\",\"metadata\":{"       \
    "\"name\":\"tablesync-controller\",\"namespace\":\"ops\",\"uid\":\"u1\","            \
    "\"resourceVersion\":\"42\",\"labels\":{\"team\":\"data\"}},\"spec\":{"              \
    "\"holderIdentity\":\"pod-a_1b9d\",\"leaseDurationSeconds\":15,"                     \
    "\"acquireTime\":\"2026-11-23T04:00:00.000001Z\","                                   \
    "\"renewTime\":\"2026-11-23T04:05:06.654321Z\",\"leaseTransitions\":7,"              \
    "\"strategy\":\"OldestEmulationVersion\",\"preferredHolder\":\"pod-b_77\"}}"

static const struct lease_record mine = {.holder = "pod-c_9",
                                         .duration_s = 30,
                                         .transitions = 8,
                                         .acquired = "2026-11-23T05:00:00.000000Z",
                                         .renewed = "2026-11-23T05:00:01.000000Z"};

static void it_is_read(void **state)
{
    (void)state;
    AUTO(json_freep) struct json *object = test_json(OTHERS);
    struct lease_record r;

    lease_read(object, &r);
    assert_string_equal(r.holder, "pod-a_1b9d");
    assert_int_equal(r.duration_s, 15);
    assert_int_equal(r.transitions, 7);
    assert_string_equal(r.acquired, "2026-11-23T04:00:00.000001Z");
    assert_string_equal(r.renewed, "2026-11-23T04:05:06.654321Z");
}

static void what_is_missing_or_of_another_type_is_empty(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "{}", "{\"spec\":null}", "{\"spec\":[]}",
        "{\"spec\":{\"holderIdentity\":null,\"leaseDurationSeconds\":\"9\"}}"};

    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        AUTO(json_freep) struct json *object = test_json(texts[i]);
        struct lease_record r = mine;

        lease_read(object, &r);
        assert_string_equal(r.holder, "");
        assert_int_equal(r.duration_s, 0);
        assert_string_equal(r.renewed, "");
    }
}

static void a_holder_too_long_is_cut(void **state)
{
    (void)state;
    AUTO(json_freep) struct json *object = json_new_object();
    char name[2000];
    struct lease_record r;

    memset(name, 'x', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    json_set_string(json_set_object(object, "spec"), "holderIdentity", name);
    lease_read(object, &r);
    assert_int_equal(strlen(r.holder), LEASE_TEXT_MAX - 1);
}

static void records_differ_by_each_field(void **state)
{
    (void)state;
    struct lease_record other[] = {mine, mine, mine, mine, mine};

    assert_true(lease_same(&mine, &other[0]));
    other[0].holder[0] = 'P';
    other[1].duration_s++;
    other[2].transitions++;
    other[3].acquired[0] = '1';
    other[4].renewed[0] = '1';
    for (size_t i = 0; i < COUNT_OF(other); i++) {
        assert_false(lease_same(&mine, &other[i]));
    }
}

static void a_new_one_has_client_gos_fields(void **state)
{
    (void)state;
    BENCH;
    fake_transport_add(
        b.fake,
        (struct fake_row){.method = "POST",
                          .path = "/apis/coordination.k8s.io/v1/namespaces/ops/leases?",
                          .status = 201,
                          .body = OTHERS});

    assert_ok(lease_create(&b.api, "ops", "tablesync-controller", &mine, &b.root,
                           &b.outcome, &b.object, &b.fault),
              b.fault);
    assert_int_equal(b.outcome, KUBE_OK);
    assert_string_equal(
        fake_transport_request(b.fake, 0)->body,
        "{\"apiVersion\":\"coordination.k8s.io/v1\",\"kind\":\"Lease\",\"metadata\":{"
        "\"name\":\"tablesync-controller\",\"namespace\":\"ops\"},\"spec\":{"
        "\"holderIdentity\":\"pod-c_9\",\"leaseDurationSeconds\":30,"
        "\"leaseTransitions\":8,\"acquireTime\":\"2026-11-23T05:00:00.000000Z\","
        "\"renewTime\":\"2026-11-23T05:00:01.000000Z\"}}");
}

static void an_update_keeps_what_it_does_not_know(void **state)
{
    (void)state;
    BENCH;
    AUTO(json_freep) struct json *before = test_json(OTHERS);
    AUTO(json_freep) struct json *expected = test_json(OTHERS);
    AUTO(json_freep) struct json *sent = NULL;
    struct lease_record r;
    fake_transport_add(
        b.fake, (struct fake_row){.method = "PUT",
                                  .path = "/namespaces/ops/leases/tablesync-controller?",
                                  .status = 200,
                                  .body = OTHERS});

    assert_ok(
        lease_update(&b.api, before, &mine, &b.root, &b.outcome, &b.object, &b.fault),
        b.fault);
    sent = test_json(fake_transport_request(b.fake, 0)->body);
    lease_read(sent, &r);
    assert_true(lease_same(&r, &mine));
    /* Everything else, the guarding resourceVersion first, is as it was. */
    assert_string_equal(kube_resource_version(sent), "42");
    json_set(expected, "spec", json_clone(json_get(sent, "spec")));
    assert_true(json_equal(sent, expected));
    assert_string_equal(json_path_string(sent, "spec.strategy"),
                        "OldestEmulationVersion");
    assert_string_equal(json_path_string(sent, "spec.preferredHolder"), "pod-b_77");
}

static void an_update_without_a_guard_is_not_sent(void **state)
{
    (void)state;
    BENCH;
    AUTO(json_freep)
    struct json *bare = test_json("{\"metadata\":{\"name\":\"n\",\"namespace\":\"s\"}}");

    assert_false(
        lease_update(&b.api, bare, &mine, &b.root, &b.outcome, &b.object, &b.fault));
    assert_int_equal(b.fault.class, FAULT_BUG);
    assert_int_equal(fake_transport_count(b.fake), 0);
}

static void who_is_slower_is_told(void **state)
{
    (void)state;
    BENCH;
    AUTO(json_freep) struct json *before = test_json(OTHERS);
    fake_transport_add(b.fake, (struct fake_row){.method = "PUT",
                                                 .status = 409,
                                                 .body = STATUS(409, "Conflict", "")});
    fake_transport_add(b.fake,
                       (struct fake_row){.method = "POST",
                                         .status = 409,
                                         .body = STATUS(409, "AlreadyExists", "")});

    assert_ok(
        lease_update(&b.api, before, &mine, &b.root, &b.outcome, &b.object, &b.fault),
        b.fault);
    assert_int_equal(b.outcome, KUBE_CONFLICT);
    assert_ok(lease_create(&b.api, "ops", "tablesync-controller", &mine, &b.root,
                           &b.outcome, &b.object, &b.fault),
              b.fault);
    assert_int_equal(b.outcome, KUBE_EXISTS);
    assert_null(b.object);
}

static void a_refusal_names_the_rule_that_is_missing(void **state)
{
    (void)state;
    BENCH;
    AUTO(json_freep) struct json *before = test_json(OTHERS);
    fake_transport_add(b.fake, (struct fake_row){.method = "PUT",
                                                 .status = 403,
                                                 .body = STATUS(403, "Forbidden", "")});

    assert_false(
        lease_update(&b.api, before, &mine, &b.root, &b.outcome, &b.object, &b.fault));
    assert_contains(b.fault.text, "resources: [\"leases\"], verbs: [\"update\"]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_read),
        cmocka_unit_test(what_is_missing_or_of_another_type_is_empty),
        cmocka_unit_test(a_holder_too_long_is_cut),
        cmocka_unit_test(records_differ_by_each_field),
        cmocka_unit_test(a_new_one_has_client_gos_fields),
        cmocka_unit_test(an_update_keeps_what_it_does_not_know),
        cmocka_unit_test(an_update_without_a_guard_is_not_sent),
        cmocka_unit_test(who_is_slower_is_told),
        cmocka_unit_test(a_refusal_names_the_rule_that_is_missing),
    };

    return cmocka_run_group_tests_name("kube/lease", tests, NULL, NULL);
}

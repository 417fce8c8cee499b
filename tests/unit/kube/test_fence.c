/* A closed fence: what writes stays at home, what reads goes on. */
#include "api_bench.h"

#include "unit/base/gate.h"

#define OBJECT                                                                           \
    "{\"kind\":\"TableSync\",\"metadata\":{\"name\":\"orders\",\"namespace\":\"shop\","  \
    "\"uid\":\"u1\","                                                                    \
    "\"resourceVersion\":\"7\",\"finalizers\":[\"a/b\"],"                                \
    "\"annotations\":{\"c/d\":\"e\"}}}"

static bool add(struct bench *b, const struct json *object)
{
    return kube_add_finalizer(&b->api, &syncs, object, "x/y", &b->root, &b->outcome,
                              &b->object, &b->fault);
}

static bool remove_it(struct bench *b, const struct json *object)
{
    return kube_remove_finalizer(&b->api, &syncs, object, "a/b", &b->root, &b->outcome,
                                 &b->object, &b->fault);
}

static bool annotate(struct bench *b, const struct json *object)
{
    return kube_remove_annotation(&b->api, &syncs, object, "c/d", &b->root, &b->outcome,
                                  &b->object, &b->fault);
}

static bool create(struct bench *b, const struct json *object)
{
    return kube_create(&b->api, &syncs, "shop", object, &b->root, &b->outcome, &b->object,
                       &b->fault);
}

static bool status(struct bench *b, const struct json *object)
{
    const char *message = NULL;

    return kube_apply_status(&b->api, &syncs, "shop", "orders", object, b->arena,
                             &b->root, &b->outcome, &b->object, &message, &b->fault);
}

static void every_write_stops_at_a_closed_fence(void **state)
{
    (void)state;
    bool (*const writes[])(struct bench *, const struct json *) = {
        add, remove_it, annotate, create, status};

    for (size_t i = 0; i < COUNT_OF(writes); i++) {
        BENCH;
        AUTO(json_freep) struct json *object = test_json(OBJECT);
        struct gate gate = {.fence = {may_write}};

        b.api.fence = &gate.fence;
        assert_false(writes[i](&b, object));
        assert_int_equal(b.fault.class, FAULT_CANCELLED);
        assert_string_equal(b.fault.reason, "NotLeader");
        assert_int_equal(fake_transport_count(b.fake), 0);
        assert_int_equal(gate.asked, 1);
    }
}

static void reading_needs_no_leave(void **state)
{
    (void)state;
    BENCH;
    struct gate gate = {.fence = {may_write}};

    b.api.fence = &gate.fence;
    fake_transport_add(b.fake,
                       (struct fake_row){.method = "GET", .status = 200, .body = OBJECT});
    assert_ok(get(&b), b.fault);
    assert_int_equal(gate.asked, 0);
}

static void each_write_is_asked_for_anew(void **state)
{
    (void)state;
    BENCH;
    AUTO(json_freep) struct json *object = test_json(OBJECT);
    struct gate gate = {.fence = {may_write}, .allowed = 1};

    b.api.fence = &gate.fence;
    fake_transport_add(
        b.fake, (struct fake_row){.method = "POST", .status = 201, .body = OBJECT});
    assert_ok(create(&b, object), b.fault);
    assert_false(create(&b, object));
    assert_int_equal(fake_transport_count(b.fake), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_write_stops_at_a_closed_fence),
        cmocka_unit_test(reading_needs_no_leave),
        cmocka_unit_test(each_write_is_asked_for_anew),
    };

    return cmocka_run_group_tests_name("kube/fence", tests, NULL, NULL);
}

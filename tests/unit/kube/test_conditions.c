#include "kube/conditions.h"
#include "kube_unit.h"

static struct kube_condition ready(enum kube_truth status, const char *reason)
{
    return (struct kube_condition){.type = "Ready",
                                   .status = status,
                                   .reason = reason,
                                   .message = "all is well",
                                   .observed_generation = 3};
}

static void the_transition_time_follows_the_status_alone(void **state)
{
    (void)state;
    AUTO(arena_freep) struct arena *a = arena_new(ARENA_CEILING_BYTES);
    struct kube_conditions list = {0};
    struct kube_condition row = ready(KUBE_FALSE, "Creating");

    assert_true(kube_conditions_set(&list, &row, "2026-01-01T00:00:00Z", a));
    row = ready(KUBE_FALSE, "Snapshotting");
    row.message = "half";
    row.observed_generation = 4;
    assert_false(kube_conditions_set(&list, &row, "2026-01-02T00:00:00Z", a));
    const struct kube_condition *found = kube_conditions_find(&list, "Ready");
    assert_string_equal(found->last_transition, "2026-01-01T00:00:00Z");
    assert_string_equal(found->reason, "Snapshotting");
    assert_string_equal(found->message, "half");
    assert_int_equal(found->observed_generation, 4);
    row = ready(KUBE_TRUE, "Running");
    assert_true(kube_conditions_set(&list, &row, "2026-01-03T00:00:00Z", a));
    assert_string_equal(kube_conditions_find(&list, "Ready")->last_transition,
                        "2026-01-03T00:00:00Z");
    assert_int_equal(list.list.n, 1);
}

static void what_is_written_is_read_back(void **state)
{
    (void)state;
    AUTO(arena_freep) struct arena *a = arena_new(ARENA_CEILING_BYTES);
    AUTO(json_freep) struct json *array = json_new_array();
    struct kube_conditions list = {0};
    struct kube_conditions back = {0};
    struct kube_condition rows[] = {ready(KUBE_TRUE, "Running"), ready(KUBE_FALSE, "No"),
                                    ready(KUBE_UNKNOWN, "Eh")};
    AUTO(buf_deinit) struct buf text = {0};

    rows[1].type = "Stalled";
    rows[2].type = "Reconciling";
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        (void)kube_conditions_set(&list, &rows[i], "2026-01-01T00:00:00Z", a);
    }
    kube_conditions_write(&list, array);
    kube_conditions_read(&back, array, a);
    assert_int_equal(back.list.n, 3);
    assert_int_equal(kube_conditions_find(&back, "Stalled")->status, KUBE_FALSE);
    assert_int_equal(kube_conditions_find(&back, "Reconciling")->status, KUBE_UNKNOWN);
    assert_int_equal(kube_conditions_find(&back, "Ready")->observed_generation, 3);
    buf_init(&text, 4096);
    json_print(json_at(array, 0), &text);
    assert_string_equal(
        buf_z(&text), "{\"type\":\"Ready\",\"status\":\"True\",\"observedGeneration\":3,"
                      "\"lastTransitionTime\":\"2026-01-01T00:00:00Z\","
                      "\"reason\":\"Running\",\"message\":\"all is well\"}");
}

static void odd_rows_are_read_with_care(void **state)
{
    (void)state;
    AUTO(arena_freep) struct arena *a = arena_new(ARENA_CEILING_BYTES);
    AUTO(json_freep)
    struct json *array =
        test_json("[{\"type\":\"A\",\"status\":\"Maybe\"},{\"status\":\"True\"},7,"
                  "{\"type\":\"A\",\"status\":\"True\"},{\"type\":\"B\"}]");
    AUTO(json_freep) struct json *many = json_new_array();
    struct kube_conditions list = {0};
    struct kube_conditions big = {0};

    kube_conditions_read(&list, array, a);
    assert_int_equal(list.list.n, 2);
    assert_int_equal(kube_conditions_find(&list, "A")->status, KUBE_UNKNOWN);
    assert_int_equal(kube_conditions_find(&list, "B")->status, KUBE_UNKNOWN);
    kube_conditions_read(&list, NULL, a);
    assert_int_equal(list.list.n, 2);
    for (int i = 0; i < 1000; i++) {
        json_set_string(json_push_object(many), "type", arena_printf(a, "T%d", i));
    }
    kube_conditions_read(&big, many, a);
    assert_int_equal(big.list.n, 256);
}

static void removing_keeps_the_order_of_the_rest(void **state)
{
    (void)state;
    AUTO(arena_freep) struct arena *a = arena_new(ARENA_CEILING_BYTES);
    struct kube_conditions list = {0};
    const char *types[] = {"A", "B", "C"};

    for (size_t i = 0; i < COUNT_OF(types); i++) {
        struct kube_condition row = ready(KUBE_TRUE, "X");
        row.type = types[i];
        (void)kube_conditions_set(&list, &row, "2026-01-01T00:00:00Z", a);
    }
    kube_conditions_remove(&list, "B");
    kube_conditions_remove(&list, "missing");
    assert_int_equal(list.list.n, 2);
    assert_string_equal(list.list.v[0].type, "A");
    assert_string_equal(list.list.v[1].type, "C");
    assert_null(kube_conditions_find(&list, "B"));
}

static void a_long_message_is_cut_at_a_character(void **state)
{
    (void)state;
    AUTO(arena_freep) struct arena *a = arena_new(ARENA_CEILING_BYTES);
    AUTO(buf_deinit) struct buf text = {0};
    struct kube_conditions list = {0};
    struct kube_condition row = ready(KUBE_TRUE, "X");

    buf_init(&text, 200000);
    buf_addc(&text, 'x');
    for (int i = 0; i < 40000; i++) {
        buf_addz(&text, "\xc3\xbc");
    }
    row.message = buf_z(&text);
    (void)kube_conditions_set(&list, &row, "2026-01-01T00:00:00Z", a);
    struct sv kept = sv_from(kube_conditions_find(&list, "Ready")->message);
    assert_int_equal(kept.n, 32767);
    assert_true(sv_is_utf8(kept));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_transition_time_follows_the_status_alone),
        cmocka_unit_test(what_is_written_is_read_back),
        cmocka_unit_test(odd_rows_are_read_with_care),
        cmocka_unit_test(removing_keeps_the_order_of_the_rest),
        cmocka_unit_test(a_long_message_is_cut_at_a_character),
    };

    return cmocka_run_group_tests_name("kube/conditions", tests, NULL, NULL);
}

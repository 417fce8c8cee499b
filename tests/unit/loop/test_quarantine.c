/* A resource at which the process died is met again by the next one. */
#include "attempt_scene.h"

#include "loop/quarantine.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define KEY LOOP_KEY_SYNC "shop/orders"
#define CONN LOOP_KEY_CONN "shop/my"

static const char CHANGED[] =
    "{\"apiVersion\":\"tablesync.dev/v1alpha1\",\"kind\":\"TableSync\",\"metadata\":{"
    "\"name\":\"orders\",\"namespace\":\"shop\",\"uid\":\"u1\",\"generation\":4,"
    "\"resourceVersion\":\"6\"},\"spec\":{}}";

static struct crash_log *crashes;

static int set_up(void **state)
{
    char path[] = "/tmp/quarantine-XXXXXX";
    int fd = mkstemp(path), status = scene_set_up(state);
    struct scene *s = *state;
    struct fault fault = FAULT_INIT;

    assert_true(fd >= 0);
    assert_int_equal(close(fd), 0);
    assert_ok(crash_log_open(path, 1, &crashes, &fault), fault);
    assert_int_equal(unlink(path), 0); /* it stays mapped */
    s->loop->ports.crashes = crashes;
    s->loop->options.attempt_ms = 60000;
    return status;
}

static int tear_down(void **state)
{
    crash_log_closep(&crashes);
    return scene_tear_down(state);
}

/* A child of this process dies at work on the key; the record is in shared memory. */
static void crash_at(const struct scene *s, const char *key)
{
    int status = 0;
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        (void)quarantine_enter(s->loop, key);
        abort();
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
}

/* The reason of a condition after one more attempt; "" when it is not there. */
static const char *reason_after(struct scene *s, const char *type)
{
    loop_reconcile(s->loop, KEY);
    const char *reason = json_get_string(scene_condition(s->written, type), "reason");
    return reason == NULL ? "" : reason;
}

static void one_that_killed_twice_is_left_alone(void **state)
{
    struct scene *s = *state;

    assert_string_equal(reason_after(s, "Ready"), "InvalidSpec");
    crash_at(s, KEY);
    assert_string_equal(reason_after(s, "Ready"), "InvalidSpec");
    crash_at(s, KEY);
    assert_string_equal(reason_after(s, "Ready"), QUARANTINE_REASON);
    assert_string_equal(reason_after(s, "Stalled"), QUARANTINE_REASON);
    const char *message =
        json_get_string(scene_condition(s->written, "Ready"), "message");
    assert_non_null(strstr(message, "crashed 2 times"));
    assert_non_null(strstr(message, "tablesync.dev/retry"));
    assert_string_equal(s->last_event, QUARANTINE_REASON);
}

static void nothing_of_its_spec_is_looked_at(void **state)
{
    struct scene *s = *state;
    struct fault fault = FAULT_INIT;

    crash_at(s, KEY);
    crash_at(s, KEY);
    scene_begin(s, "load");
    kube_object_putp(&s->a.object);
    memset(&s->a.sync, 0, sizeof(s->a.sync));
    assert_int_equal(step_load(&s->a, &fault), STEP_FAULT);
    assert_string_equal(s->a.sync.name, "orders");
    assert_int_equal(s->a.sync.generation, 3);
    assert_int_equal(s->a.sync.backoff_base_ms, 0);
    scene_end(s);
}

static void another_spec_is_another_chance(void **state)
{
    struct scene *s = *state;
    struct fault fault = FAULT_INIT;

    crash_at(s, KEY);
    crash_at(s, KEY);
    assert_false(quarantine_admits(s->loop, KEY, &fault));
    kube_store_put(s->loop->syncs, unit_json(CHANGED));
    assert_true(quarantine_admits(s->loop, KEY, &fault));
}

static void so_is_what_is_asked_for(void **state)
{
    struct scene *s = *state;
    struct fault fault = FAULT_INIT;

    crash_at(s, KEY);
    crash_at(s, KEY);
    quarantine_lift(s->loop, KEY);
    assert_true(quarantine_admits(s->loop, KEY, &fault));
    crash_at(s, KEY);
    assert_true(quarantine_admits(s->loop, KEY, &fault));
}

static void kinds_and_names_are_told_apart(void **state)
{
    struct scene *s = *state;
    struct fault fault = FAULT_INIT;

    kube_store_put(s->loop->conns,
                   unit_json("{\"metadata\":{\"name\":\"my\",\"namespace\":\"shop\","
                             "\"uid\":\"c1\",\"generation\":1,\"resourceVersion\":\"7\"},"
                             "\"spec\":{\"type\":\"MySQL\"}}"));
    crash_at(s, CONN);
    crash_at(s, CONN);
    assert_true(quarantine_admits(s->loop, KEY, &fault));
    assert_false(quarantine_admits(s->loop, CONN, &fault));
    /* What is not there cannot be at fault. */
    crash_at(s, LOOP_KEY_SYNC "shop/none");
    crash_at(s, LOOP_KEY_SYNC "shop/none");
    assert_true(quarantine_admits(s->loop, LOOP_KEY_SYNC "shop/none", &fault));
}

/* A connection must not be let go because nobody can look at what uses it. */
static void it_still_uses_its_connections(void **state)
{
    struct scene *s = *state;

    kube_store_put(
        s->loop->syncs,
        unit_json(
            "{\"apiVersion\":\"tablesync.dev/v1alpha1\",\"kind\":\"TableSync\","
            "\"metadata\":{\"name\":\"orders\",\"namespace\":\"shop\",\"uid\":\"u1\","
            "\"generation\":9,\"resourceVersion\":\"9\"},\"spec\":{\"source\":{"
            "\"connectionRef\":{\"name\":\"my\"}}}}"));
    assert_true(loop_connection_is_used(s->loop, "shop", "my"));
    assert_false(loop_connection_is_used(s->loop, "shop", "other"));
    crash_at(s, KEY);
    crash_at(s, KEY);
    assert_true(loop_connection_is_used(s->loop, "shop", "my"));
    assert_false(loop_connection_is_used(s->loop, "shop", "other"));
}

static void without_a_log_all_are_admitted(void **state)
{
    struct scene *s = *state;
    struct fault fault = FAULT_INIT;

    crash_at(s, KEY);
    crash_at(s, KEY);
    s->loop->ports.crashes = NULL;
    assert_true(quarantine_admits(s->loop, KEY, &fault));
    quarantine_lift(s->loop, KEY);
    assert_string_equal(reason_after(s, "Ready"), "InvalidSpec");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(one_that_killed_twice_is_left_alone), TEST(nothing_of_its_spec_is_looked_at),
        TEST(another_spec_is_another_chance),      TEST(so_is_what_is_asked_for),
        TEST(kinds_and_names_are_told_apart),      TEST(it_still_uses_its_connections),
        TEST(without_a_log_all_are_admitted),
    };
    return cmocka_run_group_tests_name("loop/quarantine", tests, NULL, NULL);
}

/* What users hear of an audit that fails: an Event on the Pod, or on a TableSync; a
 * gauge. */
#include "attempt_scene.h"

#include "loop/auditing.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/tablesync-auditing-XXXXXX";
static char path[80];

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) == NULL ||
           snprintf(path, sizeof(path), "%s/not-yet/audit.db", folder) < 0;
}

static int drop_folder(void **state)
{
    static const char *const names[] = {"not-yet/audit.db", "not-yet/audit.db-wal",
                                        "not-yet/audit.db-shm"};
    char name[120];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        (void)snprintf(name, sizeof(name), "%s/%s", folder, names[i]);
        (void)unlink(name);
    }
    (void)snprintf(name, sizeof(name), "%s/not-yet", folder);
    (void)rmdir(name);
    return rmdir(folder);
}

/* The scene with an audit whose folder does not exist. */
static struct audit *without_a_folder(struct scene *s)
{
    struct audit *audit = NULL;
    struct fault f = FAULT_INIT;
    const struct audit_options options = {.path = path, .tolerant = true};

    assert_ok(audit_open(&options, &s->clock.base, &audit, &f), f);
    s->loop->ports.audit = audit;
    return audit;
}

static int64_t gauge(struct scene *s)
{
    return metrics_get(s->loop->metrics, METRIC_AUDIT_DEGRADED);
}

static void the_pod_says_it(void **state)
{
    struct scene *s = *state;
    AUTO(audit_closep) struct audit *audit = without_a_folder(s);
    char name[100];

    s->loop->options.instance = "tablesync-0";
    s->loop->options.pod_namespace = "tablesync-system";
    s->loop->options.pod_uid = "u-pod";
    auditing_tend(s->loop);
    assert_string_equal(buf_z(&s->all_events), "AuditDegraded ");
    assert_string_equal(s->last_regarding, "Pod/tablesync-0 u-pod");
    assert_int_equal(gauge(s), 1);
    auditing_tend(s->loop);
    assert_int_equal(s->events, 1);

    (void)snprintf(name, sizeof(name), "%s/not-yet", folder);
    assert_int_equal(mkdir(name, 0700), 0);
    s->clock.now_ms += 60000;
    auditing_tend(s->loop);
    assert_string_equal(buf_z(&s->all_events), "AuditDegraded AuditRecovered ");
    assert_int_equal(gauge(s), 0);
    s->loop->ports.audit = NULL;
}

static void without_a_pod_the_next_resource_says_it(void **state)
{
    struct scene *s = *state;
    AUTO(audit_closep) struct audit *audit = without_a_folder(s);
    int64_t errors = 0;

    s->loop->options.pod_namespace = NULL;
    auditing_tend(s->loop);
    assert_int_equal(s->events, 0);
    assert_int_equal(gauge(s), 1);
    scene_begin(s, "apply");
    errors = metrics_get(s->loop->metrics, METRIC_AUDIT_ERRORS);
    attempt_audit_begin(&s->a);
    assert_int_equal(s->a.run, 0);
    attempt_audit_log(&s->a, "info", "more");
    assert_int_equal(metrics_get(s->loop->metrics, METRIC_AUDIT_ERRORS), errors + 2);
    assert_string_equal(buf_z(&s->all_events), "AuditDegraded ");
    assert_string_equal(s->last_regarding, "TableSync/orders u1");
    scene_end(s);
    s->loop->ports.audit = NULL;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE_TEST(without_a_pod_the_next_resource_says_it),
        SCENE_TEST(the_pod_says_it),
    };
    return cmocka_run_group_tests_name("loop/auditing", tests, make_folder, drop_folder);
}

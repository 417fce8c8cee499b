#include "loop_unit.h"

#include <stdio.h>

static struct unit_clock test_clock;

static struct metrics *fresh(void)
{
    unit_clock_init(&test_clock);
    return metrics_new(&test_clock.base);
}

static size_t count_of(const char *text, const char *part)
{
    size_t count = 0;

    for (const char *at = strstr(text, part); at != NULL; at = strstr(at + 1, part)) {
        count++;
    }
    return count;
}

static void values_are_counted_and_printed(void **state)
{
    AUTO(buf_deinit) struct buf out;
    struct metrics *metrics = fresh();

    (void)state;
    buf_init(&out, 1024 * 1024);
    metrics_add(metrics, METRIC_STATEMENTS, 2);
    metrics_add(metrics, METRIC_STATEMENTS, 3);
    metrics_set(metrics, METRIC_SYNCS, 7);
    metrics_set(metrics, METRIC_SYNCS, 4);
    metrics_add(metrics, METRIC_RECONCILE_ERROR, 1);
    assert_int_equal(metrics_get(metrics, METRIC_STATEMENTS), 5);
    metrics_print(metrics, &out);
    assert_contains(buf_z(&out), "\ntablesync_statements_total 5\n");
    assert_contains(buf_z(&out), "\ntablesync_resources{kind=\"TableSync\"} 4\n");
    assert_contains(buf_z(&out),
                    "\ncontroller_runtime_reconcile_total{controller=\"tablesync\","
                    "result=\"error\"} 1\n");
    metrics_free(metrics);
}

/* Every sample's family has HELP and TYPE, once and in front of it; every line is one. */
static void the_text_is_prometheus_format(void **state)
{
    AUTO(buf_deinit) struct buf out;
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);
    struct metrics *metrics = fresh();
    struct sv rest;
    const char *family = "";

    (void)state;
    buf_init(&out, 1024 * 1024);
    metrics_reconcile_time(metrics, 40);
    metrics_print(metrics, &out);
    rest = buf_sv(&out);
    assert_true(rest.p[rest.n - 1] == '\n');
    while (rest.n > 0) {
        struct sv line = sv_cut(&rest, '\n');
        struct sv words = line;

        if (sv_starts(line, SV("# HELP "))) {
            words = sv_sub(line, 7, line.n);
            family = arena_copy(arena, sv_cut(&words, ' '));
            assert_true(sv_trim(words).n > 0);
            assert_int_equal(
                count_of(buf_z(&out), arena_printf(arena, "# HELP %s ", family)), 1);
            assert_int_equal(
                count_of(buf_z(&out), arena_printf(arena, "# TYPE %s ", family)), 1);
        } else if (sv_starts(line, SV("# TYPE "))) {
            assert_true(sv_starts(sv_sub(line, 7, line.n), sv_from(family)));
            assert_true(sv_ends(line, SV(" counter")) || sv_ends(line, SV(" gauge")) ||
                        sv_ends(line, SV(" histogram")));
        } else {
            assert_true(sv_starts(line, sv_from(family)));
            assert_int_not_equal(sv_find(line, SV(" ")), SIZE_MAX);
        }
    }
    metrics_free(metrics);
}

static void expect_bucket(const char *text, const char *limit, int count)
{
    char line[160];

    (void)snprintf(line, sizeof(line),
                   "\ncontroller_runtime_reconcile_time_seconds_bucket{controller="
                   "\"tablesync\",le=\"%s\"} %d\n",
                   limit, count);
    assert_contains(text, line);
}

static void the_histogram_is_cumulative(void **state)
{
    static const int64_t durations_ms[] = {0, 5, 6, 1000, 1001, 61000};
    AUTO(buf_deinit) struct buf out;
    struct metrics *metrics = fresh();

    (void)state;
    buf_init(&out, 1024 * 1024);
    for (size_t i = 0; i < COUNT_OF(durations_ms); i++) {
        metrics_reconcile_time(metrics, durations_ms[i]);
    }
    metrics_print(metrics, &out);
    expect_bucket(buf_z(&out), "0.005", 2); /* the bound belongs to its bucket */
    expect_bucket(buf_z(&out), "0.01", 3);
    expect_bucket(buf_z(&out), "1", 4);
    expect_bucket(buf_z(&out), "1.25", 5);
    expect_bucket(buf_z(&out), "60", 5);
    expect_bucket(buf_z(&out), "+Inf", 6);
    assert_contains(buf_z(&out), "_seconds_sum{controller=\"tablesync\"} 63.012\n");
    assert_contains(buf_z(&out), "_seconds_count{controller=\"tablesync\"} 6\n");
    metrics_free(metrics);
}

static void the_process_is_described(void **state)
{
    AUTO(buf_deinit) struct buf out;
    struct metrics *metrics = fresh();

    (void)state;
    buf_init(&out, 1024 * 1024);
    metrics_print(metrics, &out);
    assert_contains(buf_z(&out), "\nprocess_start_time_seconds 1790001000\n");
    assert_null(strstr(buf_z(&out), "\nprocess_resident_memory_bytes 0\n"));
    assert_contains(buf_z(&out), "\nprocess_cpu_seconds_total ");
    metrics_free(metrics);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_counted_and_printed),
        cmocka_unit_test(the_text_is_prometheus_format),
        cmocka_unit_test(the_histogram_is_cumulative),
        cmocka_unit_test(the_process_is_described),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

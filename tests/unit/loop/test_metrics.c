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
    metrics_add(metrics, METRIC_API_WRITES, 2);
    metrics_add(metrics, METRIC_API_WRITES, 3);
    metrics_set(metrics, METRIC_SYNCS, 7);
    metrics_set(metrics, METRIC_SYNCS, 4);
    metrics_add(metrics, METRIC_RECONCILE_ERROR, 1);
    assert_int_equal(metrics_get(metrics, METRIC_API_WRITES), 5);
    metrics_print(metrics, NULL, NULL, &out);
    assert_contains(buf_z(&out), "\ntablesync_api_writes_total 5\n");
    assert_contains(buf_z(&out), "\ntablesync_resources{kind=\"TableSync\"} 4\n");
    assert_contains(buf_z(&out),
                    "\ncontroller_runtime_reconcile_total{controller=\"tablesync\","
                    "result=\"error\"} 1\n");
    metrics_free(metrics);
}

/* A series in each family that is counted at run time. */
static void fill_families(struct metrics *metrics)
{
    struct metrics_labels labels = metrics_label("system", "StarRocks");

    metrics_observe(metrics, METRIC_STATEMENT_DURATION, &labels, 40);
    metrics_label_add(&labels, "action", "CreateTarget");
    metrics_label_add(&labels, "result", "succeeded");
    metrics_count(metrics, METRIC_STATEMENTS, &labels, 2);
    labels = metrics_label("controller", "tablesync");
    metrics_observe(metrics, METRIC_RECONCILE_TIME, &labels, 40);
    labels = metrics_label("code", "200");
    metrics_count(metrics, METRIC_REST_REQUESTS, &labels, 1);
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
    fill_families(metrics);
    metrics_print(metrics, NULL, NULL, &out);
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
    const struct metrics_labels labels = metrics_label("controller", "tablesync");

    (void)state;
    buf_init(&out, 1024 * 1024);
    for (size_t i = 0; i < COUNT_OF(durations_ms); i++) {
        metrics_observe(metrics, METRIC_RECONCILE_TIME, &labels, durations_ms[i]);
    }
    metrics_print(metrics, NULL, NULL, &out);
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

static void families_have_a_series_for_each_label(void **state)
{
    AUTO(buf_deinit) struct buf out;
    struct metrics *metrics = fresh();
    struct metrics_labels labels = metrics_label("system", "StarRocks");

    (void)state;
    buf_init(&out, 1024 * 1024);
    metrics_count(metrics, METRIC_STATEMENTS, &labels, 2);
    metrics_count(metrics, METRIC_STATEMENTS, &labels, 1);
    labels = metrics_label("system", "RisingWave");
    metrics_count(metrics, METRIC_STATEMENTS, &labels, 7);
    metrics_print(metrics, NULL, NULL, &out);
    assert_contains(buf_z(&out),
                    "\ntablesync_statements_total{system=\"StarRocks\"} 3\n");
    assert_contains(buf_z(&out),
                    "\ntablesync_statements_total{system=\"RisingWave\"} 7\n");
    metrics_free(metrics);
}

static void label_values_are_escaped_and_bounded(void **state)
{
    struct metrics_labels labels = metrics_label("a", "q\"b\\s\nn\xE2\x82\xAC");
    char longest[5000];

    (void)state;
    assert_string_equal(labels.text, "a=\"q\\\"b\\\\s\\nn\xE2\x82\xAC\"");
    metrics_label_add(&labels, "b", NULL);
    assert_contains(labels.text, ",b=\"\"");
    memset(longest, '\\', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    for (int i = 0; i < 10; i++) {
        metrics_label_add(&labels, "long", longest);
    }
    assert_true(labels.n < METRICS_LABELS_MAX);
    assert_int_equal(strlen(labels.text), labels.n);
}

static void a_family_does_not_grow_for_ever(void **state)
{
    AUTO(buf_deinit) struct buf out;
    struct metrics *metrics = fresh();

    (void)state;
    buf_init(&out, 4 * 1024 * 1024);
    for (int i = 0; i < METRICS_SERIES_MAX + 100; i++) {
        char text[32];
        struct metrics_labels labels;

        (void)snprintf(text, sizeof(text), "x\",y=\"%d", i);
        labels = metrics_label("code", text);
        metrics_label_add(&labels, "method", "GET");
        metrics_count(metrics, METRIC_REST_REQUESTS, &labels, 1);
    }
    metrics_print(metrics, NULL, NULL, &out);
    assert_int_equal(count_of(buf_z(&out), "\nrest_client_requests_total{"),
                     METRICS_SERIES_MAX + 1);
    assert_contains(
        buf_z(&out),
        "\nrest_client_requests_total{code=\"other\",method=\"other\"} 100\n");
    metrics_free(metrics);
}

static void buckets_are_the_known_ones(void **state)
{
    AUTO(buf_deinit) struct buf out;
    const struct metrics_labels labels = metrics_label("name", "q");
    int64_t counts[13] = {1, 1};

    (void)state;
    buf_init(&out, 1024 * 1024);
    metrics_histogram(&out, METRIC_QUEUE_WAITING, &labels,
                      metrics_buckets(METRIC_QUEUE_WAITING), counts, 0.5);
    assert_contains(buf_z(&out), "_bucket{name=\"q\",le=\"1e-08\"} 1\n");
    assert_contains(buf_z(&out), "_bucket{name=\"q\",le=\"1e-07\"} 2\n");
    assert_contains(buf_z(&out), "_bucket{name=\"q\",le=\"1000\"} 2\n");
    assert_contains(buf_z(&out), "_bucket{name=\"q\",le=\"+Inf\"} 2\n");
    assert_contains(buf_z(&out), "_sum{name=\"q\"} 0.5\n");
    assert_int_equal(metrics_buckets(METRIC_REST_DURATION)->count, 12);
    assert_int_equal(metrics_buckets(METRIC_REST_RESPONSE_SIZE)->bounds[10], 16777216);
}

static bool answer_one(void *context, enum metric metric, struct buf *out)
{
    if (metric != METRIC_READY) {
        return false;
    }
    metrics_sample(out, metric, NULL, *(const double *)context);
    return true;
}

static void what_is_looked_up_replaces_what_was_counted(void **state)
{
    AUTO(buf_deinit) struct buf out;
    struct metrics *metrics = fresh();
    double value = 0.25;

    (void)state;
    buf_init(&out, 1024 * 1024);
    metrics_set(metrics, METRIC_READY, 9);
    metrics_print(metrics, answer_one, &value, &out);
    assert_contains(buf_z(&out), "\ntablesync_ready_resources 0.25\n");
    assert_null(strstr(buf_z(&out), "tablesync_ready_resources 9"));
    metrics_free(metrics);
}

static void the_process_is_described(void **state)
{
    AUTO(buf_deinit) struct buf out;
    struct metrics *metrics = fresh();

    (void)state;
    buf_init(&out, 1024 * 1024);
    metrics_print(metrics, NULL, NULL, &out);
    assert_contains(buf_z(&out), "\nprocess_start_time_seconds 1790001000\n");
    assert_null(strstr(buf_z(&out), "\nprocess_resident_memory_bytes 0\n"));
    assert_contains(buf_z(&out), "\nprocess_cpu_seconds_total ");
    assert_null(strstr(buf_z(&out), "\nprocess_virtual_memory_bytes 0\n"));
    assert_null(strstr(buf_z(&out), "\nprocess_open_fds 0\n"));
    assert_contains(buf_z(&out), "\nprocess_open_fds ");
    assert_null(strstr(buf_z(&out), "\nprocess_max_fds 0\n"));
    assert_contains(buf_z(&out), "\ntablesync_memory_allocated_bytes ");
    metrics_free(metrics);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_counted_and_printed),
        cmocka_unit_test(the_text_is_prometheus_format),
        cmocka_unit_test(the_histogram_is_cumulative),
        cmocka_unit_test(families_have_a_series_for_each_label),
        cmocka_unit_test(label_values_are_escaped_and_bounded),
        cmocka_unit_test(a_family_does_not_grow_for_ever),
        cmocka_unit_test(buckets_are_the_known_ones),
        cmocka_unit_test(what_is_looked_up_replaces_what_was_counted),
        cmocka_unit_test(the_process_is_described),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

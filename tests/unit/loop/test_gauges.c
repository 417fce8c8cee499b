#include "loop/gauges.h"
#include "loop_unit.h"

#include <stdio.h>
#include <time.h>

static const struct gauges_row STREAMING = {.phase = PHASE_STREAMING,
                                            .ready = GAUGE_TRUE,
                                            .stalled = GAUGE_FALSE,
                                            .in_sync = GAUGE_TRUE,
                                            .sink = "Running",
                                            .lag_s = 4,
                                            .undelivered = 12,
                                            .snapshot_rows = 1000,
                                            .difference = 2};

static void gauges_freep(struct gauges **gauges)
{
    gauges_free(*gauges);
}

static const char *printed(struct gauges *gauges, int64_t limit, enum metric metric,
                           struct buf *out)
{
    buf_clear(out);
    assert_true(gauges_print(gauges, limit, metric, out));
    return buf_z(out);
}

#define GAUGES                                                                           \
    AUTO(gauges_freep) struct gauges *g = gauges_new();                                  \
    AUTO(buf_deinit) struct buf out = {0};                                               \
    (void)state;                                                                         \
    buf_init(&out, 64 << 20)

static void each_resource_has_its_series(void **state)
{
    GAUGES;
    struct gauges_row row = STREAMING;

    gauges_set(g, "shop/orders", &STREAMING);
    row.lag_s = -1;
    row.stalled = GAUGE_TRUE;
    row.ready = GAUGE_UNKNOWN;
    row.in_sync = GAUGE_UNSET;
    row.sink = NULL;
    gauges_set(g, "shop/items", &row);
    assert_string_equal(
        printed(g, 10, METRIC_LAG, &out),
        "tablesync_replication_lag_seconds{namespace=\"shop\",name=\"orders\"} 4\n");
    assert_contains(
        printed(g, 10, METRIC_UNDELIVERED, &out),
        "tablesync_undelivered_rows{namespace=\"shop\",name=\"orders\"} 12\n");
    assert_contains(printed(g, 10, METRIC_SNAPSHOT_ROWS, &out),
                    "tablesync_snapshot_rows{namespace=\"shop\",name=\"items\"} 1000\n");
    assert_contains(
        printed(g, 10, METRIC_VERIFY_DIFFERENCE, &out),
        "tablesync_verification_difference_rows{namespace=\"shop\",name=\"orders\"} 2\n");
    row.difference = -1;
    gauges_set(g, "shop/items", &row);
    assert_string_equal(
        printed(g, 10, METRIC_VERIFY_DIFFERENCE, &out),
        "tablesync_verification_difference_rows{namespace=\"shop\",name=\"orders\"} 2\n");
    assert_string_equal(printed(g, 10, METRIC_SINK_STATE, &out),
                        "tablesync_sink_state{namespace=\"shop\",name=\"orders\",state="
                        "\"Running\"} 1\n");
    assert_string_equal(
        printed(g, 10, METRIC_CONDITION, &out),
        "tablesync_condition{namespace=\"shop\",name=\"items\",type=\"Ready\",status="
        "\"Unknown\"} 1\n"
        "tablesync_condition{namespace=\"shop\",name=\"items\",type=\"Stalled\",status="
        "\"True\"} 1\n"
        "tablesync_condition{namespace=\"shop\",name=\"orders\",type=\"Ready\",status="
        "\"True\"} 1\n"
        "tablesync_condition{namespace=\"shop\",name=\"orders\",type=\"Stalled\",status="
        "\"False\"} 1\n"
        "tablesync_condition{namespace=\"shop\",name=\"orders\",type=\"InSync\",status="
        "\"True\"} 1\n");
    assert_false(gauges_print(g, 10, METRIC_API_WRITES, &out));
}

static void the_binary_log_that_is_left_to_read_has_its_series(void **state)
{
    GAUGES;
    struct gauges_row row = STREAMING;

    gauges_set(g, "shop/unread", &row);
    row.retention_s = 0; /* kept for ever */
    row.position_ms = 1000;
    gauges_set(g, "shop/kept", &row);
    assert_int_equal(gauges_runway_s(g, 5000), -1);
    assert_string_equal(printed(g, 10, METRIC_RETENTION, &out), "");
    row.retention_s = 3600;
    row.position_ms = INT64_C(1795406461900);
    gauges_set(g, "shop/orders", &row);
    row.retention_s = 86400;
    gauges_set(g, "shop/parts", &row);
    assert_string_equal(printed(g, 2, METRIC_RETENTION, &out),
                        "tablesync_binlog_retention_seconds{namespace=\"shop\",name="
                        "\"orders\"} 3600\n");
    assert_string_equal(printed(g, 2, METRIC_POSITION, &out),
                        "tablesync_source_position_timestamp_seconds{namespace=\"shop\","
                        "name=\"kept\"} 1\n"
                        "tablesync_source_position_timestamp_seconds{namespace=\"shop\","
                        "name=\"orders\"} 1795406461\n");
    assert_int_equal(gauges_runway_s(g, row.position_ms), 3600);
    assert_int_equal(gauges_runway_s(g, row.position_ms + 3000000), 600);
    assert_int_equal(gauges_runway_s(g, row.position_ms + 9000000), 0);
}

static void the_first_by_name_have_series_and_the_others_are_counted(void **state)
{
    GAUGES;
    char key[32];

    for (int i = 99; i >= 0; i--) {
        (void)snprintf(key, sizeof(key), "ns/t%02d", i);
        gauges_set(g, key, &STREAMING);
    }
    assert_contains(printed(g, 3, METRIC_LAG, &out), "name=\"t02\"");
    assert_null(strstr(buf_z(&out), "name=\"t03\""));
    assert_string_equal(printed(g, 3, METRIC_OMITTED, &out),
                        "tablesync_resources_without_series 97\n");
    assert_string_equal(printed(g, 0, METRIC_LAG, &out), "");
    assert_string_equal(printed(g, 100, METRIC_OMITTED, &out),
                        "tablesync_resources_without_series 0\n");
    gauges_remove(g, "ns/t00");
    gauges_remove(g, "ns/t00");
    assert_contains(printed(g, 3, METRIC_LAG, &out), "name=\"t03\"");
    assert_null(strstr(buf_z(&out), "name=\"t00\""));
    assert_int_equal(gauges_sums(g).resources, 99);
}

static void sums_are_over_all(void **state)
{
    GAUGES;
    struct gauges_row row = STREAMING;

    gauges_set(g, "a/1", &row);
    row.lag_s = 77;
    row.ready = GAUGE_FALSE;
    row.in_sync = GAUGE_FALSE;
    row.stalled = GAUGE_TRUE;
    row.phase = PHASE_STALLED;
    gauges_set(g, "a/2", &row);
    row.in_sync = GAUGE_UNSET;
    row.lag_s = -1;
    gauges_set(g, "a/3", &row);
    struct gauges_sums sums = gauges_sums(g);
    assert_int_equal(sums.resources, 3);
    assert_int_equal(sums.ready, 1);
    assert_int_equal(sums.stalled, 2);
    assert_int_equal(sums.drifted, 1);
    assert_int_equal(sums.lag_max_s, 77);
    assert_contains(printed(g, 0, METRIC_PHASES, &out),
                    "tablesync_resources_by_phase{phase=\"Stalled\"} 2\n");
    assert_contains(buf_z(&out), "tablesync_resources_by_phase{phase=\"Streaming\"} 1\n");
    assert_contains(buf_z(&out), "tablesync_resources_by_phase{phase=\"Deleting\"} 0\n");
    assert_string_equal(printed(g, 0, METRIC_SINKS, &out),
                        "tablesync_sinks{state=\"Running\"} 3\n");
}

static void a_set_replaces_and_is_read_back(void **state)
{
    GAUGES;
    struct gauges_row row = STREAMING;

    assert_false(gauges_get(g, "a/1", &row));
    gauges_set(g, "a/1", &STREAMING);
    row.lag_s = 9;
    gauges_set(g, "a/1", &row);
    row.lag_s = 0;
    assert_true(gauges_get(g, "a/1", &row));
    assert_int_equal(row.lag_s, 9);
    assert_int_equal(gauges_sums(g).resources, 1);
}

/* The scrape of ten thousand resources must not be felt. */
static void ten_thousand_resources_are_written_quickly(void **state)
{
    GAUGES;
    static const enum metric each[] = {
        METRIC_LAG,    METRIC_UNDELIVERED, METRIC_CONDITION,     METRIC_SINK_STATE,
        METRIC_PHASES, METRIC_SINKS,       METRIC_SNAPSHOT_ROWS, METRIC_OMITTED};
    struct timespec from, to;
    char key[64];

    for (int i = 0; i < 10000; i++) {
        (void)snprintf(key, sizeof(key), "team-%d/table-%d", i % 50, i);
        gauges_set(g, key, &STREAMING);
    }
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);
    for (size_t i = 0; i < COUNT_OF(each); i++) {
        assert_true(gauges_print(g, 500, each[i], &out));
    }
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to);
    assert_false(buf_overflowed(&out));
    /* Milliseconds by themselves; a sanitizer makes tens of it. */
    assert_true((to.tv_sec - from.tv_sec) * 1000 + (to.tv_nsec - from.tv_nsec) / 1000000 <
                500);
    assert_true(out.n < 1024 * 1024);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_resource_has_its_series),
        cmocka_unit_test(the_binary_log_that_is_left_to_read_has_its_series),
        cmocka_unit_test(the_first_by_name_have_series_and_the_others_are_counted),
        cmocka_unit_test(sums_are_over_all),
        cmocka_unit_test(a_set_replaces_and_is_read_back),
        cmocka_unit_test(ten_thousand_resources_are_written_quickly),
    };

    return cmocka_run_group_tests_name("loop/gauges", tests, NULL, NULL);
}

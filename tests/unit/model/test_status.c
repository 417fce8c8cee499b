#include "unit/model/model_test.h"

#include "model/status.h"
#include "model/status_json.h"

#include <stdio.h>

static struct arena *arena;

static int make_arena(void **state)
{
    (void)state;
    arena = arena_new(ARENA_CEILING_BYTES);
    return 0;
}

static int free_arena(void **state)
{
    (void)state;
    arena_freep(&arena);
    return 0;
}

static const char tsync_whole[] =
    "observedGeneration: 7\nphase: Streaming\nplanHash: 'sha256:4a'\n"
    "appliedHash: 'sha256:4b'\n"
    "source: {display: shop.orders, schemaHash: 'sha256:4c', columns: 14,\n"
    "  primaryKey: [id, part], rowEstimate: 1200000,\n"
    "  tableCreatedAt: '2026-01-01 00:00:00', keptColumns: [note],\n"
    "  unloadedColumns: [rank, tag]}\n"
    "resyncTokenHandled: t-2\n"
    "resync: {token: t-2, mode: InPlace, state: Done, tableVersion: 2}\n"
    "plan:\n  hash: 'sha256:5a'\n  approvedHash: 'sha256:5b'\n  statementsTotal: 60\n"
    "  statements:\n"
    "  - {id: 0123456789ab, system: StarRocks, object: ods.shop_orders,\n"
    "     risk: Destructive, sql: 'ALTER TABLE ods.shop_orders DROP COLUMN note'}\n"
    "  - {id: 123456789abc, system: RisingWave, object: tablesync.k, risk: Safe,\n"
    "     sql: 'DROP SINK tablesync.k'}\n"
    "target: {display: ods.shop_orders}\n"
    "objects:\n"
    "- {kind: Source, name: tablesync.src, id: 1003, shared: true, state: Ready}\n"
    "- {kind: TargetTable, name: ods.shop_orders, owned: true, state: Ready, hash: ab}\n"
    "snapshot: {state: Done, rows: 1203441, startedAt: '2026-01-02T03:04:05Z',\n"
    "  finishedAt: '2026-01-02T03:05:05Z'}\n"
    "stream: {sourceOffset: binlog.000067, sinkLagSeconds: 15, lag: <15s, "
    "undelivered: 0}\n"
    "lastRun: {id: 5312, runId: 9f3c, trigger: Spec, result: Succeeded, steps: 9,\n"
    "  durationMs: 4180}\n"
    "verification: {at: '2026-01-02T03:00:14Z', mode: Count, sourceRows: 7, "
    "targetRows: 8,\n"
    "  result: Mismatch, message: one more, nextAt: '2026-01-03T03:00:12Z',\n"
    "  request: again, handledRequest: now}\n"
    "retries: 2\nnextRetryAt: '2026-01-02T03:06:05Z'\nhandledRetry: now\n";

static struct json *tsync_again(const struct json *from)
{
    struct tsync_status status;
    struct json *object = json_new_object();
    tsync_status_read(from, arena, &status);
    tsync_status_write(&status, object);
    return object;
}

static void survives_a_round_trip(void **state)
{
    (void)state;
    struct json *from AUTO(json_freep) = test_yaml_text(tsync_whole);
    struct json *to AUTO(json_freep) = tsync_again(json_at(from, 0));
    test_same(json_at(from, 0), to);
}

static void reads_every_value(void **state)
{
    (void)state;
    struct json *from AUTO(json_freep) = test_yaml_text(tsync_whole);
    struct tsync_status status;
    tsync_status_read(json_at(from, 0), arena, &status);
    assert_int_equal(status.phase, PHASE_STREAMING);
    assert_string_equal(status.source.display, "shop.orders");
    assert_int_equal(status.source.primary_key.n, 2);
    assert_string_equal(status.source.primary_key.v[1], "part");
    assert_string_equal(status.source.table_created_at, "2026-01-01 00:00:00");
    assert_int_equal(status.source.kept_columns.n, 1);
    assert_string_equal(status.source.kept_columns.v[0], "note");
    assert_int_equal(status.source.unloaded_columns.n, 2);
    assert_string_equal(status.source.unloaded_columns.v[1], "tag");
    assert_string_equal(status.resync.token, "t-2");
    assert_string_equal(status.resync.mode, "InPlace");
    assert_string_equal(status.resync.state, "Done");
    assert_int_equal(status.resync.table_version, 2);
    assert_string_equal(status.plan.hash, "sha256:5a");
    assert_string_equal(status.plan.approved_hash, "sha256:5b");
    assert_int_equal(status.plan.statements_total, 60);
    assert_int_equal(status.plan.statements.n, 2);
    assert_string_equal(status.plan.statements.v[0].id, "0123456789ab");
    assert_string_equal(status.plan.statements.v[0].risk, "Destructive");
    assert_string_equal(status.plan.statements.v[1].system, "RisingWave");
    assert_string_equal(status.plan.statements.v[1].object, "tablesync.k");
    assert_string_equal(status.plan.statements.v[1].sql, "DROP SINK tablesync.k");
    assert_string_equal(status.target_display, "ods.shop_orders");
    assert_int_equal(status.objects.n, 2);
    assert_true(status.objects.v[0].shared && !status.objects.v[0].owned);
    assert_int_equal(status.objects.v[0].id, 1003);
    assert_null(status.objects.v[0].hash);
    assert_int_equal(status.snapshot.rows, 1203441);
    assert_int_equal(status.stream.sink_lag_seconds, 15);
    assert_int_equal(status.stream.undelivered, 0);
    assert_int_equal(status.last_run.duration_ms, 4180);
    assert_string_equal(status.verification.result, "Mismatch");
    assert_int_equal(status.verification.source_rows, 7);
    assert_int_equal(status.verification.target_rows, 8);
    assert_string_equal(status.verification.next_at, "2026-01-03T03:00:12Z");
    assert_string_equal(status.verification.request, "again");
    assert_string_equal(status.verification.handled_request, "now");
    assert_string_equal(status.handled_retry, "now");
}

static void nothing_reads_as_unknown_and_writes_nothing(void **state)
{
    (void)state;
    struct tsync_status status;
    tsync_status_read(NULL, arena, &status);
    assert_int_equal(status.observed_generation, -1);
    assert_int_equal(status.phase, PHASE_UNSET);
    assert_int_equal(status.snapshot.rows, -1);
    assert_int_equal(status.stream.sink_lag_seconds, -1);
    assert_int_equal(status.stream.undelivered, -1);
    assert_null(status.resync.token);
    assert_null(status.verification.result);
    assert_int_equal(status.verification.source_rows, -1);
    assert_null(status.plan.hash);
    assert_int_equal(status.plan.statements.n + status.source.kept_columns.n, 0);
    struct json *unseen AUTO(json_freep) = test_yaml_text("observedGeneration: -1\n");
    struct json *written AUTO(json_freep) = tsync_again(NULL);
    test_same(json_at(unseen, 0), written);
}

static void everything_written_is_in_the_crd(void **state)
{
    (void)state;
    struct json *from AUTO(json_freep) = test_yaml_text(tsync_whole);
    struct json *to AUTO(json_freep) = tsync_again(json_at(from, 0));
    test_fits_crd("crd/tablesyncs.yaml", to);
}

static void too_much_is_cut_to_what_the_crd_allows(void **state)
{
    (void)state;
    char *longer = arena_alloc(arena, 6001);
    memset(longer, 'x', 6000);
    struct tsync_status status = {
        .plan_hash = longer,
        .applied_hash = longer,
        .source = {.schema_hash = longer, .display = longer, .table_created_at = longer},
        .resync = {.token = longer, .mode = longer, .state = longer},
        .plan = {.hash = longer, .approved_hash = longer, .statements_total = 2000},
        .target_display = longer,
        .snapshot = {.state = longer, .started_at = longer, .finished_at = longer},
        .stream = {.source_offset = longer, .lag = longer},
        .last_run = {.id = 1, .run_id = longer, .trigger = longer, .result = longer},
        .next_retry_at = longer,
        .handled_retry = longer};
    struct status_object object = {
        .kind = longer, .name = longer, .state = longer, .hash = longer};
    struct status_statement statement = {
        .id = longer, .system = longer, .object = longer, .risk = longer, .sql = longer};
    for (int i = 0; i < 2000; i++) {
        VEC_PUSH(arena, &status.objects, object);
        VEC_PUSH(arena, &status.source.primary_key, longer);
        VEC_PUSH(arena, &status.source.kept_columns, longer);
        VEC_PUSH(arena, &status.source.unloaded_columns, longer);
        VEC_PUSH(arena, &status.plan.statements, statement);
    }
    struct json *written AUTO(json_freep) = json_new_object();
    tsync_status_write(&status, written);
    test_fits_crd("crd/tablesyncs.yaml", written);
    assert_int_equal(json_size(json_path(written, "plan.statements")), 50);
    assert_int_equal(json_path_int(written, "plan.statementsTotal", 0), 2000);
}

/* The reader must see that something is missing, and no character may be halved. */
static void a_long_statement_ends_in_an_ellipsis(void **state)
{
    (void)state;
    char *sql = arena_alloc(arena, 4001);
    for (int i = 0; i < 1000; i++) {
        memcpy(sql + (ptrdiff_t)i * 4, "\xf0\x9f\x98\x80", 4);
    }
    for (size_t shift = 0; shift < 5; shift++) {
        struct tsync_status status = {0};
        struct status_statement statement = {
            .id = "a", .sql = arena_printf(arena, "%.*s%s", (int)shift, "SELE", sql)};
        VEC_PUSH(arena, &status.plan.statements, statement);
        struct json *written AUTO(json_freep) = json_new_object();
        tsync_status_write(&status, written);
        const struct json *first = json_at(json_path(written, "plan.statements"), 0);
        struct sv cut = sv_from(json_get_string(first, "sql"));
        assert_true(cut.n <= 2048 && cut.n > 2040);
        assert_true(sv_is_utf8(cut));
        assert_true(sv_ends(cut, SV("\xf0\x9f\x98\x80\xe2\x80\xa6")));
        struct json *again AUTO(json_freep) = tsync_again(written);
        test_same(json_get(written, "plan"), json_get(again, "plan"));
    }
    struct tsync_status whole = {0};
    struct status_statement exact = {
        .id = "a", .sql = arena_copy(arena, sv_sub(sv_from(sql), 0, 2048))};
    VEC_PUSH(arena, &whole.plan.statements, exact);
    struct json *kept AUTO(json_freep) = json_new_object();
    tsync_status_write(&whole, kept);
    const struct json *first = json_at(json_path(kept, "plan.statements"), 0);
    assert_string_equal(json_get_string(first, "sql"), exact.sql);
}

static void the_handled_token_stands_twice(void **state)
{
    (void)state;
    struct tsync_status status = {.observed_generation = 1, .resync = {.token = "t-3"}};
    struct json *written AUTO(json_freep) = json_new_object();
    tsync_status_write(&status, written);
    assert_string_equal(json_get_string(written, "resyncTokenHandled"), "t-3");
    assert_string_equal(json_path_string(written, "resync.token"), "t-3");
    /* The short form is for people: what counts is read from the other. */
    struct json *from AUTO(json_freep) =
        test_yaml_text("{resyncTokenHandled: other, resync: {token: t-4}}\n");
    tsync_status_read(json_at(from, 0), arena, &status);
    assert_string_equal(status.resync.token, "t-4");
    struct json *none AUTO(json_freep) = test_yaml_text("resyncTokenHandled: other\n");
    tsync_status_read(json_at(none, 0), arena, &status);
    assert_null(status.resync.token);
}

static void names_phases(void **state)
{
    (void)state;
    assert_string_equal(phase_name(PHASE_SNAPSHOTTING), "Snapshotting");
    assert_string_equal(phase_name(PHASE_UNSET), "");
    assert_string_equal(phase_name(PHASE_MAX), "");
    assert_int_equal(phase_parse("Deleting"), PHASE_DELETING);
    assert_int_equal(phase_parse("deleting"), PHASE_UNSET);
    assert_int_equal(phase_parse(""), PHASE_UNSET);
    assert_int_equal(phase_parse(NULL), PHASE_UNSET);
}

static void lag_moves_in_steps(void **state)
{
    (void)state;
    static const struct {
        int64_t lag, step;
        const char *text;
    } rows[] = {
        {0, 15, "<15s"},       {14, 15, "<15s"},       {15, 30, "<30s"},
        {30, 60, "<1m"},       {60, 120, "<2m"},       {120, 300, "<5m"},
        {300, 600, "<10m"},    {600, 1800, "<30m"},    {1800, 3600, "<1h"},
        {3600, 10800, "<3h"},  {10800, 43200, "<12h"}, {43200, 86400, "<1d"},
        {86399, 86400, "<1d"}, {86400, 172800, "<2d"}, {864000, 950400, "<11d"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int64_t step = status_lag_step(rows[i].lag);
        assert_int_equal(step, rows[i].step);
        assert_string_equal(status_lag_text(arena, step), rows[i].text);
    }
    assert_int_equal(status_lag_step(-1), -1);
    assert_null(status_lag_text(arena, -1));
    assert_true(status_lag_step(INT64_MAX) > 0);
}

static void numbers_are_rounded(void **state)
{
    (void)state;
    static const struct {
        int64_t value, up, rows;
    } rows[] = {
        {-5, -1, -1},     {0, 0, 0},         {1, 1, 1},
        {2, 10, 2},       {10, 10, 10},      {11, 100, 11},
        {99, 100, 99},    {100, 100, 100},   {104, 1000, 100},
        {105, 1000, 110}, {995, 1000, 1000}, {1203441, 10000000, 1200000},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_int_equal(status_round_up(rows[i].value), rows[i].up);
        assert_int_equal(status_round_rows(rows[i].value), rows[i].rows);
    }
    assert_true(status_round_up(INT64_MAX) == 1000000000000000000);
    assert_true(status_round_rows(INT64_MAX) == 9200000000000000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(survives_a_round_trip),
        cmocka_unit_test(reads_every_value),
        cmocka_unit_test(nothing_reads_as_unknown_and_writes_nothing),
        cmocka_unit_test(everything_written_is_in_the_crd),
        cmocka_unit_test(too_much_is_cut_to_what_the_crd_allows),
        cmocka_unit_test(a_long_statement_ends_in_an_ellipsis),
        cmocka_unit_test(the_handled_token_stands_twice),
        cmocka_unit_test(names_phases),
        cmocka_unit_test(lag_moves_in_steps),
        cmocka_unit_test(numbers_are_rounded),
    };
    return cmocka_run_group_tests_name("model/status", tests, make_arena, free_arena);
}

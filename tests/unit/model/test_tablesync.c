#include "unit/model/model_test.h"

#include <stdio.h>
#include <stdlib.h>

#define HEAD                                                                             \
    "apiVersion: tablesync.dev/v1alpha1\n"                                               \
    "kind: TableSync\n"                                                                  \
    "metadata: {namespace: data, name: orders}\n"                                        \
    "spec:\n"
#define SOURCE "  source: {connectionRef: {name: shop}, database: shop, table: orders}\n"
#define STREAM "  risingWave: {connectionRef: {name: rw}}\n"
#define TARGET "  target: {connectionRef: {name: sr}, database: ods}\n"
#define WHOLE HEAD SOURCE STREAM TARGET

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

static struct tablesync good(const char *text)
{
    struct tablesync sync;
    struct fault fault = FAULT_INIT;
    assert_ok(test_tablesync(text, arena, &sync, &fault), fault);
    return sync;
}

static const char *bad(const char *text)
{
    struct tablesync sync = {.uid = "untouched"};
    struct fault fault = FAULT_INIT;
    assert_false(test_tablesync(text, arena, &sync, &fault));
    assert_int_equal(fault.class, FAULT_SPEC);
    assert_string_equal(fault.reason, "InvalidSpec");
    assert_string_equal(sync.uid, "untouched");
    return arena_strdup(arena, fault.text);
}

static void fills_in_the_defaults(void **state)
{
    (void)state;
    struct tablesync sync = good(WHOLE);
    assert_string_equal(sync.source_connection, "shop");
    assert_string_equal(sync.source_database, "shop");
    assert_string_equal(sync.source_table, "orders");
    assert_string_equal(sync.rw_connection, "rw");
    assert_int_equal(sync.parallelism, 1);
    assert_string_equal(sync.target_connection, "sr");
    assert_string_equal(sync.target_database, "ods");
    assert_string_equal(sync.target_table, "orders");
    assert_int_equal(sync.target_create, CREATE_IF_NOT_EXISTS);
    assert_int_equal(sync.create_database, CREATE_NEVER);
    assert_int_equal(sync.properties.n, 0);
    assert_int_equal(sync.snapshot_mode, SNAPSHOT_INITIAL);
    assert_int_equal(sync.snapshot_rate_limit, 0);
    assert_int_equal(sync.snapshot_batch_size, 1000);
    assert_int_equal(sync.commit_checkpoint_interval, 10);
    assert_int_equal(sync.max_batch_bytes, 0);
    assert_int_equal(sync.state, STATE_RUNNING);
    assert_int_equal(sync.backoff_base_ms, 5000);
    assert_int_equal(sync.backoff_max_ms, 600000);
    assert_int_equal(sync.deletion_policy, DELETION_RETAIN);
    assert_false(sync.deleting || sync.annotation_pause || sync.annotation_orphan);
    assert_null(sync.annotation_retry);
    assert_null(sync.annotation_approve);
    assert_null(sync.annotation_adopt);
}

static void takes_what_is_given(void **state)
{
    (void)state;
    struct tablesync sync =
        good(HEAD SOURCE
             "  risingWave: {connectionRef: {name: rw}, parallelism: 64}\n"
             "  target:\n    connectionRef: {name: sr}\n    database: ods\n    table: "
             "Shop 订单\n"
             "    create: Never\n    createDatabase: IfNotExists\n"
             "    properties: {replication_num: '3', bloom_filter_columns: 'a,b'}\n"
             "  snapshot: {mode: Initial, rateLimit: 1, batchSize: 2}\n"
             "  sink: {commitCheckpointInterval: 1000, maxBatchBytes: 1073741824}\n"
             "  state: Paused\n"
             "  retry: {backoffBase: 250ms, backoffMax: 1h30m}\n"
             "  deletionPolicy: Delete\n");
    assert_int_equal(sync.parallelism, 64);
    assert_string_equal(sync.target_table, "Shop 订单");
    assert_int_equal(sync.target_create, CREATE_NEVER);
    assert_int_equal(sync.create_database, CREATE_IF_NOT_EXISTS);
    assert_int_equal(sync.properties.n, 2);
    assert_string_equal(sync.properties.v[0].key, "bloom_filter_columns");
    assert_string_equal(sync.properties.v[0].value, "a,b");
    assert_string_equal(sync.properties.v[1].key, "replication_num");
    assert_int_equal(sync.snapshot_rate_limit, 1);
    assert_int_equal(sync.snapshot_batch_size, 2);
    assert_int_equal(sync.commit_checkpoint_interval, 1000);
    assert_int_equal(sync.max_batch_bytes, 1073741824);
    assert_int_equal(sync.state, STATE_PAUSED);
    assert_int_equal(sync.backoff_base_ms, 250);
    assert_int_equal(sync.backoff_max_ms, 5400000);
    assert_int_equal(sync.deletion_policy, DELETION_DELETE);
    assert_int_equal(good(WHOLE "  snapshot: {mode: Never}\n").snapshot_mode,
                     SNAPSHOT_NEVER);
    assert_int_equal(good(WHOLE "  deletionPolicy: DeleteStream\n").deletion_policy,
                     DELETION_DELETE_STREAM);
}

static void reads_metadata(void **state)
{
    (void)state;
    struct tablesync sync =
        good("metadata:\n  name: orders\n  namespace: data\n  uid: u-1\n  generation: 9\n"
             "  resourceVersion: '41'\n  creationTimestamp: '2026-01-02T03:04:05Z'\n"
             "  deletionTimestamp: '2026-01-03T00:00:00Z'\n"
             "  annotations:\n    tablesync.dev/pause-reconcile: 'true'\n"
             "    tablesync.dev/orphan: 'yes'\n    tablesync.dev/retry: now\n"
             "    tablesync.dev/approve-plan: 'sha256:4a'\n"
             "    tablesync.dev/verify: now\n    tablesync.dev/adopt: unowned\n"
             "spec:\n" SOURCE STREAM TARGET);
    assert_string_equal(sync.uid, "u-1");
    assert_int_equal(sync.generation, 9);
    assert_string_equal(sync.resource_version, "41");
    assert_string_equal(sync.created, "2026-01-02T03:04:05Z");
    assert_true(sync.deleting);
    assert_true(sync.annotation_pause);
    assert_false(sync.annotation_orphan); /* only "true" lets objects behind */
    assert_string_equal(sync.annotation_retry, "now");
    assert_string_equal(sync.annotation_verify, "now");
    assert_string_equal(sync.annotation_approve, "sha256:4a");
    assert_string_equal(sync.annotation_adopt, "unowned");
    sync = good("metadata: {name: orders, annotations: {tablesync.dev/approve-plan: '', "
                "tablesync.dev/adopt: ''}}\nspec:\n" SOURCE STREAM TARGET);
    assert_null(sync.annotation_approve);
    assert_null(sync.annotation_adopt);
}

static void lists_every_problem_at_once(void **state)
{
    (void)state;
    assert_string_equal(
        bad(HEAD "  source: {connectionRef: {name: Shop}, database: 'a`b'}\n"
                 "  risingWave: {connectionRef: rw, parallelism: 1.5}\n"
                 "  retry: {backoffBase: '5', backoffMax: 25h}\n  state: running\n"),
        "TableSync data/orders: "
        "spec.source.connectionRef.name is \"Shop\", must be the name of an object in "
        "the "
        "same namespace (lower case letters, digits, '-' and '.'); "
        "spec.source.database is \"a`b\", must be a MySQL name without back-quotes, "
        "control "
        "characters or a blank at its end; "
        "spec.source.table is required; "
        "spec.risingWave.connectionRef is \"rw\", must be an object; "
        "spec.risingWave.parallelism is 1.5, must be a whole number; "
        "spec.target is required; "
        "spec.state is \"running\", must be one of Running, Paused; "
        "spec.retry.backoffBase is \"5\", must be a duration such as 250ms, 5s or 1h30m; "
        "spec.retry.backoffMax is \"25h\", must be from 1000 ms to 86400 s");
}

static void says_when_the_list_is_cut(void **state)
{
    (void)state;
    char text[8192] = WHOLE;
    for (int i = 0; i < 60; i++) {
        char line[64];
        (void)snprintf(line, sizeof(line), "  unknown%02d: 1\n", i);
        strcat(text, line);
    }
    const char *said = bad(text);
    assert_contains(said, "spec.unknown00 is not a field of this version; ");
    assert_string_equal(said + strlen(said) - strlen("version; and more"),
                        "version; and more");
}

static void refuses_fields_it_does_not_know(void **state)
{
    (void)state;
    assert_string_equal(
        bad(WHOLE "  sink: {batchRows: 5}\n"),
        "TableSync data/orders: spec.sink.batchRows is not a field of this version");
    assert_contains(bad(WHOLE "  transform: {mode: Count}\n"),
                    "spec.transform is not a field of this version");
    assert_string_equal(
        bad(WHOLE "  columns: {overrides: [{name: a, targetType: INT}, "
                  "{name: b, targetTyp: INT, targetType: INT}]}\n"),
        "TableSync data/orders: spec.columns.overrides[1].targetTyp is not a field of "
        "this version");
}

static void checks_rules_between_fields(void **state)
{
    (void)state;
    assert_contains(bad(WHOLE "  retry: {backoffBase: 11m}\n"),
                    "spec.retry.backoffBase is 660000 ms, must not be longer than "
                    "spec.retry.backoffMax (600000 ms)");
    assert_contains(bad(WHOLE "  snapshot: {mode: Never, rateLimit: 5}\n"),
                    "spec.snapshot.rateLimit is 5, must be left out when "
                    "spec.snapshot.mode is Never");
    assert_contains(
        bad(HEAD STREAM TARGET
            "  source: {connectionRef: {name: shop}, database: MySQL, table: user}\n"),
        "spec.source.database is \"MySQL\", must be a database of your own");
    assert_contains(
        bad(HEAD SOURCE STREAM "  target: {connectionRef: {name: sr}, database: sys}\n"),
        "spec.target.database is \"sys\", must be a database of your own");
}

static void knows_when_to_count(void **state)
{
    (void)state;
    struct tablesync sync = good(WHOLE);
    assert_int_equal(sync.verify_mode, VERIFY_NONE);
    assert_string_equal(sync.verify_schedule, "");
    assert_int_equal(sync.verify_tolerance, 0);
    assert_int_equal(sync.verify_settle_s, 60);
    sync = good(WHOLE "  verify: {mode: Count, schedule: '0 3 * * SUN', tolerance: 5}\n");
    assert_int_equal(sync.verify_mode, VERIFY_COUNT);
    assert_string_equal(sync.verify_schedule, "0 3 * * SUN");
    assert_int_equal(sync.verify_tolerance, 5);
    assert_contains(bad(WHOLE "  verify: {schedule: '0 3 * * *'}\n"),
                    "spec.verify.schedule must be left out unless spec.verify.mode is");
    assert_contains(
        bad(WHOLE "  verify: {mode: Count, schedule: '0 25 * * *'}\n"),
        "spec.verify.schedule is \"0 25 * * *\": its hour is \"25\", must be");
    assert_contains(
        bad(WHOLE "  verify: {mode: Count, schedule: daily}\n"),
        "spec.verify.schedule is \"daily\", must be five fields of a crontab");
    assert_contains(bad(WHOLE "  verify: {mode: Checksum}\n"), "one of None, Count");
    assert_contains(bad(WHOLE "  verify: {settleSeconds: 0}\n"), "from 1 to 3600");
}

static void checks_properties_one_by_one(void **state)
{
    (void)state;
    static const struct {
        const char *properties, *problem;
    } rows[] = {
        {"{replication_num: 3}",
         "spec.target.properties.replication_num is 3, must be a string"},
        {"{replication_num: '0'}", "replication_num is \"0\", must be a number from 1"},
        {"{replication_num: '03'}", "replication_num is \"03\", must be a number from 1"},
        {"{replication_num: '100'}", "replication_num is \"100\", must be a number"},
        {"{replication_num: ''}", "replication_num is \"\", must be a number"},
        {"{'a\"b': '1'}", "spec.target.properties has the key \"a\"b\", must be lower"},
        {"{Upper: '1'}", "spec.target.properties has the key \"Upper\""},
        {"[]", "spec.target.properties is [], must be a map"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const char *text =
            arena_printf(arena,
                         HEAD SOURCE STREAM "  target:\n    connectionRef: {name: sr}\n"
                                            "    database: ods\n    properties: %s\n",
                         rows[i].properties);
        assert_contains(bad(text), rows[i].problem);
    }
}

static const char *with_table(const char *table)
{
    return arena_printf(arena,
                        HEAD STREAM TARGET "  source: {connectionRef: {name: shop}, "
                                           "database: shop, table: %s}\n",
                        table);
}

static void bounds_names_and_maps(void **state)
{
    (void)state;
    char name[66];
    memset(name, 't', sizeof(name));
    name[65] = '\0';
    assert_contains(bad(with_table(name)),
                    "spec.source.table has 65 characters, must have at most 64");
    name[64] = '\0';
    assert_int_equal(strlen(good(with_table(name)).source_table), 64);
    char text[4096] = HEAD SOURCE STREAM "  target:\n    connectionRef: {name: sr}\n"
                                         "    database: ods\n    properties:\n";
    for (int i = 0; i < 33; i++) {
        char line[32];
        (void)snprintf(line, sizeof(line), "      p%d: x\n", i);
        strcat(text, line);
    }
    assert_contains(bad(text),
                    "spec.target.properties has 33 entries, must have at most 32");
}

/* A resource whose spec went bad must still be found, reported on and deleted. */
static void finds_the_identity_of_a_bad_resource(void **state)
{
    (void)state;
    struct json *documents AUTO(json_freep) = test_yaml_text(
        "metadata:\n  name: orders\n  namespace: data\n  uid: u-1\n"
        "  deletionTimestamp: '2026-01-03T00:00:00Z'\n"
        "  annotations: {tablesync.dev/orphan: 'true', tablesync.dev/adopt: u-2,\n"
        "    tablesync.dev/approve-plan: 'sha256:4a'}\n"
        "spec:\n  source: {connectionRef: {name: NOT-LEGAL}, database: 5}\n"
        "  risingWave: {connectionRef: {name: rw}}\n"
        "  target: {connectionRef: [], database: ods}\n"
        "  deletionPolicy: Delete\n  state: Nonsense\n");
    struct tablesync sync;
    tablesync_decode_identity(json_at(documents, 0), arena, &sync);
    assert_string_equal(sync.name, "orders");
    assert_string_equal(sync.uid, "u-1");
    assert_true(sync.deleting && sync.annotation_orphan);
    assert_string_equal(sync.annotation_adopt, "u-2");
    assert_string_equal(sync.annotation_approve, "sha256:4a");
    assert_string_equal(sync.source_connection, "NOT-LEGAL");
    assert_null(sync.source_database);
    assert_string_equal(sync.rw_connection, "rw");
    assert_null(sync.target_connection);
    assert_int_equal(sync.deletion_policy, DELETION_DELETE);
    assert_int_equal(sync.state, STATE_RUNNING);
    tablesync_decode_identity(NULL, arena, &sync);
    assert_string_equal(sync.name, "");
    assert_int_equal(sync.deletion_policy, DELETION_RETAIN); /* in doubt drops nothing */
}

static void an_illegal_policy_drops_nothing(void **state)
{
    (void)state;
    struct json *documents AUTO(json_freep) =
        test_yaml_text(WHOLE "  deletionPolicy: DELETE\n");
    struct tablesync sync;
    tablesync_decode_identity(json_at(documents, 0), arena, &sync);
    assert_int_equal(sync.deletion_policy, DELETION_RETAIN);
    assert_string_equal(deletion_policy_name(sync.deletion_policy), "Retain");
}

static void parses_durations(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ms;
    } rows[] = {
        {"5s", 5000},      {"250ms", 250},     {"1h30m", 5400000},
        {"1.5h", 5400000}, {"0.25s", 250},     {"10m", 600000},
        {"0s", 0},         {"1m1s1ms", 61001}, {"99999h", 359996400000},
        {"", -1},          {"5", -1},          {"s", -1},
        {"5 s", -1},       {"-5s", -1},        {"5s ", -1},
        {"1d", -1},        {".5s", -1},        {"1.s", -1},
        {"100000s", -1},   {"1s1s1s1s1s", -1}, {"5sm", -1},
        {"1us", -1},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (duration_parse_ms(rows[i].text) != rows[i].ms) {
            fail_msg("'%s' gives %lld", rows[i].text,
                     (long long)duration_parse_ms(rows[i].text));
        }
    }
    assert_int_equal(duration_parse_ms(NULL), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fills_in_the_defaults),
        cmocka_unit_test(takes_what_is_given),
        cmocka_unit_test(reads_metadata),
        cmocka_unit_test(lists_every_problem_at_once),
        cmocka_unit_test(says_when_the_list_is_cut),
        cmocka_unit_test(refuses_fields_it_does_not_know),
        cmocka_unit_test(checks_rules_between_fields),
        cmocka_unit_test(knows_when_to_count),
        cmocka_unit_test(checks_properties_one_by_one),
        cmocka_unit_test(bounds_names_and_maps),
        cmocka_unit_test(finds_the_identity_of_a_bad_resource),
        cmocka_unit_test(an_illegal_policy_drops_nothing),
        cmocka_unit_test(parses_durations),
    };
    return cmocka_run_group_tests_name("model/tablesync", tests, make_arena, free_arena);
}

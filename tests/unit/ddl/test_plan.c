#include "scene.h"

#include <string.h>

static void goes_in_order(void **state)
{
    struct scene s = {0};
    struct fault fault = FAULT_INIT;
    static const enum plan_kind order[] = {
        PLAN_CREATE_SCHEMA,   PLAN_CREATE_SOURCE, PLAN_CREATE_TABLE, PLAN_COMMENT_TABLE,
        PLAN_CREATE_DATABASE, PLAN_CREATE_TARGET, PLAN_CREATE_SINK};

    scene_open(&s, state);
    s.w.sr.database_exists = false;
    s.f->sync.create_database = CREATE_IF_NOT_EXISTS;
    s.f->sync.parallelism = 3;
    ASSERT_OK(scene_plan(&s, &fault), &fault);
    assert_int_equal(s.plan.steps.n, COUNT_OF(order));
    for (size_t i = 0; i < COUNT_OF(order); i++) {
        const struct plan_step *step = &s.plan.steps.v[i];
        bool sink = step->kind == PLAN_CREATE_SINK;
        assert_int_equal(step->kind, order[i]);
        assert_int_equal(step->risk, RISK_SAFE);
        assert_int_equal(step->background, sink);
        assert_int_equal(step->parallelism,
                         sink || step->kind == PLAN_CREATE_TABLE ? 3 : 0);
        assert_non_null(plan_kind_name(step->kind));
        assert_null(strstr(stmt_redacted(step->stmt, s.f->arena), "s3cr"));
    }
    assert_string_equal(plan_system_name(s.plan.steps.v[5].system), "StarRocks");
    assert_int_equal(strlen(s.plan.hash), strlen("sha256:") + 64);
    scene_apply(&s);
}

static void sends_the_real_password(void **state)
{
    struct scene s = {0};
    struct fault fault = FAULT_INIT;

    scene_open(&s, state);
    ASSERT_OK(scene_plan(&s, &fault), &fault);
    ASSERT_CONTAINS(scene_sql(&s, 1), "password='s3cr''et\\', database.name='shop'");
    ASSERT_CONTAINS(stmt_redacted(s.plan.steps.v[1].stmt, s.f->arena), "password='***'");
}

static void probes_server_ids(void **state)
{
    struct scene s = {0};
    struct fault fault = FAULT_INIT;
    struct rw_source other = {.id = 1, .schema = "x", .name = "y"};

    scene_open(&s, state);
    s.f->source.server_id_low = 100;
    s.f->source.server_id_high = 103;
    ASSERT_OK(scene_plan(&s, &fault), &fault);
    int64_t first = s.plan.server_id;
    assert_in_range(first, 100, 103);
    ASSERT_CONTAINS(scene_sql(&s, 1),
                    arena_printf(s.f->arena, "server.id='%d'", (int)first));
    s.f->server.server_id = (uint64_t)first;
    ASSERT_OK(scene_plan(&s, &fault), &fault);
    int64_t second = s.plan.server_id;
    assert_int_equal(second, first == 103 ? 100 : first + 1);
    other.server_id = arena_printf(s.f->arena, "%d", (int)second);
    VEC_PUSH(s.f->arena, &s.w.rw.sources, other);
    ASSERT_OK(scene_plan(&s, &fault), &fault);
    int64_t third = s.plan.server_id;
    assert_int_equal(third, second == 103 ? 100 : second + 1);
    struct desired_input input = fixture_input(s.f);
    const char *used[] = {"junk", arena_printf(s.f->arena, "%d", (int)third)};
    input.used_server_ids = (struct strlist){used, 2, 2};
    ASSERT_OK(desired_build(&input, s.f->arena, &s.d, &fault), &fault);
    ASSERT_OK(plan_make(&s.d, &s.w.rw, &s.w.sr, s.f->arena, &s.plan, &fault), &fault);
    int64_t fourth = s.plan.server_id;
    assert_int_equal(fourth, third == 103 ? 100 : third + 1);
    other.server_id = arena_printf(s.f->arena, "%d", (int)fourth);
    VEC_PUSH(s.f->arena, &s.w.rw.sources, other);
    ASSERT_OK(desired_build(&input, s.f->arena, &s.d, &fault), &fault);
    ASSERT_REFUSED(plan_make(&s.d, &s.w.rw, &s.w.sr, s.f->arena, &s.plan, &fault), &fault,
                   "ServerIdConflict");
    ASSERT_CONTAINS(fault.text, "serverIdRange");
}

static void keeps_a_living_sources_id(void **state)
{
    struct scene s = {0};
    struct fault fault = FAULT_INIT;

    scene_open(&s, state);
    scene_converge(&s);
    s.w.rw.sources.v[0].server_id = "77";
    s.f->source.host = "another-name-of-the-same-server";
    s.in.source_follows = false;
    ASSERT_OK(scene_plan(&s, &fault), &fault);
    assert_int_equal(s.plan.steps.n, 0);
    assert_int_equal(s.plan.server_id, 77);
    /* A failover gives MySQL another uuid: the source that feeds the table stays. */
    s.f->server.server_uuid = "0000";
    ASSERT_OK(scene_plan(&s, &fault), &fault);
    assert_int_equal(s.plan.steps.n, 0);
    assert_int_equal(s.plan.server_id, 77);
}

static void writes_tls_and_snapshot_options(void **state)
{
    struct scene s = {0};
    struct fault fault = FAULT_INIT;

    scene_open(&s, state);
    ASSERT_OK(scene_plan(&s, &fault), &fault);
    ASSERT_CONTAINS(scene_sql(&s, 1), "ssl.mode='preferred'");
    assert_null(strstr(scene_sql(&s, 2), "WITH"));
    s.f->source.tls_mode = TLS_REQUIRE;
    s.f->sync.snapshot_batch_size = 500;
    s.f->sync.snapshot_rate_limit = 2000;
    ASSERT_OK(scene_plan(&s, &fault), &fault);
    ASSERT_CONTAINS(scene_sql(&s, 1), "ssl.mode='required'");
    ASSERT_CONTAINS(scene_sql(&s, 2),
                    "WITH (snapshot.batch_size='500', backfill_rate_limit='2000') FROM");
    s.f->source.tls_mode = TLS_DISABLE;
    s.f->sync.snapshot_mode = SNAPSHOT_NEVER;
    ASSERT_OK(scene_plan(&s, &fault), &fault);
    assert_null(strstr(scene_sql(&s, 1), "ssl.mode"));
    ASSERT_CONTAINS(scene_sql(&s, 2), "WITH (snapshot='false') FROM");
}

static void chooses_replicas(void **state)
{
    struct scene s = {0};
    struct fault fault = FAULT_INIT;
    static const struct {
        int64_t live;
        const char *text;
    } cases[] = {{1, "'replication_num' = '1'"},
                 {2, "'replication_num' = '2'"},
                 {7, "'replication_num' = '3'"}};

    scene_open(&s, state);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        s.w.sr.live_backends = cases[i].live;
        ASSERT_OK(scene_plan(&s, &fault), &fault);
        ASSERT_CONTAINS(scene_sql(&s, 4), cases[i].text);
    }
    s.w.sr.live_backends = -1; /* not permitted to know: the server's default */
    ASSERT_OK(scene_plan(&s, &fault), &fault);
    assert_null(strstr(scene_sql(&s, 4), "PROPERTIES"));
    s.w.sr.live_backends = 7;
    VEC_PUSH(s.f->arena, &s.f->sync.properties, (struct property){"compression", "ZSTD"});
    VEC_PUSH(s.f->arena, &s.f->sync.properties,
             (struct property){"replication_num", "2"});
    ASSERT_OK(scene_plan(&s, &fault), &fault);
    ASSERT_CONTAINS(scene_sql(&s, 4),
                    "PROPERTIES ('compression' = 'ZSTD', 'replication_num' = '2')");
    s.w.sr.live_backends = 0;
    ASSERT_REFUSED(scene_plan(&s, &fault), &fault, "NoBackends");
    assert_int_equal(fault.class, FAULT_UNAVAILABLE); /* time heals it */
}

static void carries_comments_whole_characters(void **state)
{
    struct scene s = {0};
    struct fault fault = FAULT_INIT;
    char comment[1200];

    scene_open(&s, state);
    memset(comment, 'x', sizeof(comment));
    memcpy(comment + 1022, "表", 3); /* crosses byte 1024 */
    comment[sizeof(comment) - 1] = '\0';
    s.f->table.columns.v[0].comment = "it's \"the\" key\n";
    s.f->table.columns.v[1].comment = comment;
    ASSERT_OK(scene_plan(&s, &fault), &fault);
    ASSERT_CONTAINS(scene_sql(&s, 4), "NOT NULL COMMENT 'it\\'s \\\"the\\\" key\\n', ");
    scene_apply(&s);
    assert_int_equal(strlen(s.w.sr.tables.v[0].columns.v[1].comment), 1022);
    assert_string_equal(s.w.sr.tables.v[0].columns.v[0].comment, "it's \"the\" key\n");
}

static void pauses_and_resumes(void **state)
{
    struct scene s = {0};
    struct fault fault = FAULT_INIT;

    scene_open(&s, state);
    s.f->sync.state = STATE_PAUSED;
    scene_converge(&s); /* created and paused at once */
    assert_int_equal(s.w.rw.sinks.v[0].rate_limit, 0);
    s.f->sync.state = STATE_RUNNING;
    ASSERT_OK(scene_plan(&s, &fault), &fault);
    assert_int_equal(s.plan.steps.n, 1);
    assert_string_equal(strstr(scene_sql(&s, 0), "_v1\""),
                        "_v1\" SET sink_rate_limit TO DEFAULT");
    scene_apply(&s);
    s.w.rw.sinks.v[0].rate_limit = 100; /* somebody's hand */
    ASSERT_OK(scene_plan(&s, &fault), &fault);
    assert_int_equal(s.plan.steps.n, 1);
    scene_apply(&s);
    s.f->sync.state = STATE_PAUSED;
    ASSERT_OK(scene_plan(&s, &fault), &fault);
    assert_int_equal(s.plan.steps.n, 1);
    assert_int_equal(s.plan.steps.v[0].kind, PLAN_ALTER_SINK);
    ASSERT_CONTAINS(scene_sql(&s, 0), "SET sink_rate_limit TO 0");
}

static void follows_the_commit_interval(void **state)
{
    struct scene s = {0};
    struct fault fault = FAULT_INIT;

    scene_open(&s, state);
    scene_converge(&s);
    s.w.rw.sinks.v[0].commit_checkpoint_interval = NULL; /* RisingWave's default is 10 */
    ASSERT_OK(scene_plan(&s, &fault), &fault);
    assert_int_equal(s.plan.steps.n, 0);
    s.f->sync.commit_checkpoint_interval = 2;
    ASSERT_OK(scene_plan(&s, &fault), &fault);
    assert_int_equal(s.plan.steps.n, 1);
    ASSERT_CONTAINS(scene_sql(&s, 0), "CONNECTOR WITH (commit_checkpoint_interval='2')");
    scene_apply(&s);
    ASSERT_OK(scene_plan(&s, &fault), &fault);
    assert_int_equal(s.plan.steps.n, 0);
}

static void marks_an_unmarked_table(void **state)
{
    struct scene s = {0};
    struct fault fault = FAULT_INIT;

    scene_open(&s, state);
    scene_converge(&s);
    s.w.rw.tables.v[0].comment = NULL; /* nobody knows what its sink delivers */
    ASSERT_OK(scene_plan(&s, &fault), &fault);
    assert_int_equal(s.plan.steps.v[0].kind, PLAN_COMMENT_TABLE);
    assert_int_equal(s.plan.sink_version, 2);
    scene_converge(&s);
    s.w.rw.tables.v[0].comment = "tablesync:v1 uid=other hash=000000000000";
    ASSERT_REFUSED(scene_plan(&s, &fault), &fault, "OwnedByAnother");
    ASSERT_CONTAINS(fault.text, "uid other");
}

static void makes_a_lost_sink_again(void **state)
{
    struct scene s = {0};
    struct fault fault = FAULT_INIT;

    scene_open(&s, state);
    scene_converge(&s);
    s.w.rw.sinks.n = 0;
    s.w.rw.edges.n = 1;
    s.w.rw.relations.n = 2;
    s.in.first_run = false;
    ASSERT_OK(scene_plan(&s, &fault), &fault);
    assert_int_equal(s.plan.steps.n, 1);
    ASSERT_CONTAINS(s.plan.steps.v[0].object, "_v1");
    assert_int_equal(s.plan.purpose, PURPOSE_REPAIR);
    assert_int_equal(s.plan.notes.n, 1); /* deletes meanwhile left rows */
    ASSERT_CONTAINS(s.plan.notes.v[0], "spec.resyncToken");
}

/* Nothing is to be done about a dropped column: its values stay, changed rows get NULL.
 */
static void keeps_a_dropped_column(void **state)
{
    struct scene s = {0};
    struct fault fault = FAULT_INIT;

    scene_open(&s, state);
    fixture_column(s.f, "raw", "varbinary(8)", "");
    fixture_column(s.f, "at", "timestamp", "");
    fixture_column(s.f, "zebra", "int(11)", "");
    s.in = fixture_input(s.f);
    scene_converge(&s);
    s.in.first_run = false;
    s.f->table.columns.v[2] = s.f->table.columns.v[4]; /* raw and at are dropped */
    s.f->table.columns.n = 3;
    ASSERT_OK(scene_plan(&s, &fault), &fault);
    assert_int_equal(s.plan.steps.n, 0);
    assert_int_equal(s.plan.changes.n, 2);
    assert_int_equal(s.plan.kept.n, 2);
    s.in.kept_columns = s.plan.kept;
    ASSERT_OK(scene_plan(&s, &fault), &fault);
    assert_int_equal(s.plan.changes.n, 0); /* told once */
    /* Of the same type as a dropped one, and yet no rename: that was long ago. */
    fixture_column(s.f, "token", "varbinary(8)", "");
    ASSERT_OK(scene_plan(&s, &fault), &fault);
    assert_int_equal(s.plan.changes.n, 1);
    ASSERT_CONTAINS(scene_sql(&s, 3), "encode(\"raw\", 'hex') AS \"raw\"");
    ASSERT_CONTAINS(scene_sql(&s, 3), "\"at\" AT TIME ZONE 'UTC' AS \"at\"");
    scene_converge(&s);
    s.in.kept_columns = (struct strlist){0};
    s.f->table.columns.n = 3; /* token is gone, and that was not known */
    fixture_column(s.f, "password", "varbinary(8)", "");
    ASSERT_REFUSED(scene_plan(&s, &fault), &fault, "ChangeUnsupported");
    ASSERT_CONTAINS(fault.text, "most likely a rename");
}

/* What was approved stays approved when StarRocks tells how many backends it has. */
static void an_approval_outlives_the_number_of_replicas(void **state)
{
    struct scene s = {0};
    struct fault fault = FAULT_INIT;

    scene_open(&s, state);
    s.w.sr.live_backends = -1;
    ASSERT_OK(scene_plan(&s, &fault), &fault);
    const char *hash = s.plan.hash;
    assert_null(strstr(scene_sql(&s, 4), "replication_num"));
    s.w.sr.live_backends = 1;
    ASSERT_OK(scene_plan(&s, &fault), &fault);
    ASSERT_CONTAINS(scene_sql(&s, 4), "'replication_num' = '1'");
    assert_string_equal(s.plan.hash, hash);
    s.f->sync.buckets = 3;
    ASSERT_OK(scene_plan(&s, &fault), &fault);
    assert_string_not_equal(s.plan.hash, hash);
}

/* An option that RisingWave cannot alter on a sink. */
static void replaces_the_sink_for_its_batch_size(void **state)
{
    struct scene s = {0};
    struct fault fault = FAULT_INIT;

    scene_open(&s, state);
    scene_converge(&s);
    s.in.first_run = false;
    s.f->sync.max_batch_bytes = 1000;
    ASSERT_OK(scene_plan(&s, &fault), &fault);
    assert_int_equal(s.plan.purpose, PURPOSE_EVOLVE);
    assert_int_equal(s.plan.sink_version, 2);
    scene_converge(&s);
    assert_int_equal(s.w.rw.sinks.n, 1);
}

static void hashes_the_statements(void **state)
{
    struct scene s = {0};
    struct fault fault = FAULT_INIT;

    scene_open(&s, state);
    ASSERT_OK(scene_plan(&s, &fault), &fault);
    const char *first = s.plan.hash;
    ASSERT_OK(scene_plan(&s, &fault), &fault);
    assert_string_equal(s.plan.hash, first);
    s.f->sync.max_batch_bytes = 1000;
    ASSERT_OK(scene_plan(&s, &fault), &fault);
    assert_string_not_equal(s.plan.hash, first);
    ASSERT_CONTAINS(scene_sql(&s, 5), "starrocks.max_batch_size_bytes='1000'");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(goes_in_order),
        TEST(sends_the_real_password),
        TEST(probes_server_ids),
        TEST(keeps_a_living_sources_id),
        TEST(writes_tls_and_snapshot_options),
        TEST(chooses_replicas),
        TEST(carries_comments_whole_characters),
        TEST(pauses_and_resumes),
        TEST(follows_the_commit_interval),
        TEST(marks_an_unmarked_table),
        TEST(makes_a_lost_sink_again),
        TEST(keeps_a_dropped_column),
        TEST(an_approval_outlives_the_number_of_replicas),
        TEST(replaces_the_sink_for_its_batch_size),
        TEST(hashes_the_statements),
    };

    return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}

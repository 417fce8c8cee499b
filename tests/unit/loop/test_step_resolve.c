/* What the definitions are computed from, and what is told of them. */
#include "watch_scene.h"

#define SYNC                                                                             \
    "{\"apiVersion\":\"tablesync.dev/v1alpha1\",\"kind\":\"TableSync\",\"metadata\":{"   \
    "\"name\":\"orders\",\"namespace\":\"shop\",\"uid\":\"u1\",\"generation\":3},"       \
    "\"spec\":{\"source\":{\"connectionRef\":{\"name\":\"my\"},\"database\":\"shop\","   \
    "\"table\":\"orders\"},\"risingWave\":{\"connectionRef\":{\"name\":\"rw\"}},"        \
    "\"target\":{\"connectionRef\":{\"name\":\"sr\"},\"database\":\"ods\"},"             \
    "\"columns\":{\"exclude\":[\"note\"]}}}"

static struct fault fault;
static int64_t probes;

static bool probe_stream(struct stream_db *db, struct cancel *cancel, struct arena *arena,
                         struct rw_server *out_server, struct fault *failed)
{
    (void)db;
    (void)cancel;
    (void)failed;
    probes++;
    *out_server = (struct rw_server){.version = arena_strdup(arena, "3.1.0")};
    return true;
}

static bool probe_target(struct target_db *db, struct cancel *cancel, struct arena *arena,
                         struct sr_server *out_server, struct fault *failed)
{
    (void)db;
    (void)cancel;
    (void)failed;
    probes++;
    *out_server = (struct sr_server){.version = arena_strdup(arena, "4.0.2")};
    return true;
}

static void connect(struct watch_scene *s, enum binding_role role, enum dbconn_type type,
                    struct lane *lane)
{
    struct binding *b = &s->a.bindings[role];

    b->lane = b->session.lane = lane;
    b->session.epoch = 1; /* of the lane's first fingerprint */
    b->session.type = type;
    b->conn.type = type;
    b->endpoint.user = "someone";
}

/* step_resolve with sessions whose servers tell their versions. */
static enum step_result resolve(struct watch_scene *s)
{
    static const struct stream_db_ops stream_ops = {.probe = probe_stream};
    static const struct target_db_ops target_ops = {.probe = probe_target};
    static struct stream_db stream = {&stream_ops};
    static struct target_db target = {&target_ops};
    AUTO(lane_putp) struct lane *rw = lane_get(s->loop->lanes, "shop/rw", "1");
    AUTO(lane_putp) struct lane *sr = lane_get(s->loop->lanes, "shop/sr", "1");
    AUTO(json_freep) struct json *object = unit_json(SYNC);

    fault_clear(&fault);
    assert_ok(tablesync_decode(object, s->a.arena, &s->a.sync, &fault), fault);
    connect(s, BIND_RISINGWAVE, DBCONN_RISINGWAVE, rw);
    connect(s, BIND_TARGET, DBCONN_STARROCKS, sr);
    s->a.bindings[BIND_RISINGWAVE].session.stream = &stream;
    s->a.bindings[BIND_TARGET].session.target = &target;
    s->a.bindings[BIND_SOURCE].conn.namespace = "shop";
    s->mysql.u.mysql.server_uuid = "uuid";
    s->table.database = "shop";
    s->table.type = "BASE TABLE";
    return step_resolve(&s->a, &fault);
}

static const char *message(struct watch_scene *s, enum condition condition)
{
    const struct kube_condition *c = watch_scene_condition(s, condition);

    assert_non_null(c);
    return c->message;
}

static void columns_that_are_left_out_are_named(void **state)
{
    struct watch_scene *s = *state;

    if (resolve(s) != STEP_CONTINUE) {
        fail_msg("%s", fault.text);
    }
    assert_string_equal(message(s, CONDITION_SOURCE_SCHEMA_RESOLVED),
                        "2 columns, primary key of 1; 1 of 2 columns delivered, without "
                        "'note'");
}

/* Definitions may follow the versions, so they are known from the first attempt on. */
static void the_servers_versions_are_asked_for_once(void **state)
{
    struct watch_scene *s = *state;

    probes = 0;
    assert_int_equal(resolve(s), STEP_CONTINUE);
    assert_string_equal(s->a.desired.in.rw_version, "3.1.0");
    assert_string_equal(s->a.desired.in.starrocks_version, "4.0.2");
    s->clock.now_ms += 600000;
    watch_scene_next(s);
    assert_int_equal(resolve(s), STEP_CONTINUE);
    assert_string_equal(s->a.desired.in.rw_version, "3.1.0");
    assert_int_equal(probes, 2);
}

static void status_tells_of_runs_columns_and_re_syncs_before(void **state)
{
    struct watch_scene *s = *state;

    s->a.status.resync.mode = "Truncate";
    s->a.status.resync.table_version = 2;
    s->a.status.resync.state = "Done";
    VEC_PUSH(s->a.arena, &s->a.before.source.kept_columns, "gone");
    s->a.before.objects.v[0].state = "Ready";
    assert_int_equal(resolve(s), STEP_CONTINUE);
    assert_false(s->a.desired.in.first_run);
    assert_int_equal(s->a.desired.in.resync, 0);
    assert_int_equal(s->a.desired.in.table_version, 0);
    assert_int_equal(s->a.desired.in.kept_columns.n, 1);
    s->a.before.objects.n = 0;
    s->a.status.resync.state = "InProgress";
    assert_int_equal(resolve(s), STEP_CONTINUE);
    assert_true(s->a.desired.in.first_run);
    assert_int_equal(s->a.desired.in.resync, RESYNC_TRUNCATE);
    assert_int_equal(s->a.desired.in.table_version, 2);
}

/* Else the inspection would be skipped once the table can be replicated again. */
static void a_table_that_cannot_be_replicated_is_to_be_inspected_again(void **state)
{
    struct watch_scene *s = *state;

    s->table.primary_key.n = 0;
    assert_int_equal(resolve(s), STEP_FAULT);
    assert_string_equal(fault.reason, "NoPrimaryKey");
    assert_null(watch_scene_condition(s, CONDITION_DATA_LOSS));
    watch_scene_before(s, CONDITION_DATA_LOSS, "NoneFound", "no value in 120 rows");
    s->table.primary_key.n = 0;
    assert_int_equal(resolve(s), STEP_FAULT);
    assert_string_equal(watch_scene_condition(s, CONDITION_DATA_LOSS)->reason,
                        "NotChecked");
}

#define IN_SCENE(test)                                                                   \
    cmocka_unit_test_setup_teardown(test, watch_scene_setup, watch_scene_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_SCENE(columns_that_are_left_out_are_named),
        IN_SCENE(the_servers_versions_are_asked_for_once),
        IN_SCENE(status_tells_of_runs_columns_and_re_syncs_before),
        IN_SCENE(a_table_that_cannot_be_replicated_is_to_be_inspected_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

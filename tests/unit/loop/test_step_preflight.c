/* When the pre-flight asks, what it makes of the answers, and where they are shown. */
#include "attempt_scene.h"

static struct fault fault;
static const char *const KEYS[] = {"shop/my", "shop/rw", "shop/sr"};
static struct dbconn CONNS[BIND_COUNT] = {
    {.namespace = "shop", .name = "my", .type = DBCONN_MYSQL, .host = "db", .port = 3306},
    {.namespace = "shop", .name = "rw", .type = DBCONN_RISINGWAVE, .rw_schema = "ts"},
    {.namespace = "shop", .name = "sr", .type = DBCONN_STARROCKS},
};

/* Servers that lack nothing. */
static void set_servers(struct scene *s)
{
    static const char *grants[] = {
        "GRANT SELECT, REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO `cdc`@`%`"};
    static const char *rights[] = {
        "GRANT SELECT, INSERT, UPDATE, DELETE, ALTER ON ALL TABLES IN DATABASE ods TO "
        "USER 'ts'@'%'",
        "GRANT CREATE TABLE ON DATABASE ods TO USER 'ts'@'%'"};

    s->db.mysql = (struct mysql_server){.version = "8.0.39",
                                        .flavor = MYSQL_ORACLE,
                                        .server_uuid = "uuid-1",
                                        .server_id = 1,
                                        .log_bin = true,
                                        .binlog_expire_seconds = 2592000,
                                        .current_user = "cdc@%",
                                        .grants = {.v = grants, .n = 1}};
    s->db.rw = (struct rw_server){.version = "3.0.3",
                                  .user = "ts",
                                  .database = "dev",
                                  .may_create = 1,
                                  .may_connect = 1,
                                  .actors = -1,
                                  .parallelism = -1};
    s->db.sr = (struct sr_server){.version = "4.1.0",
                                  .live_backends = 3,
                                  .grants_known = true,
                                  .grants = {.v = rights, .n = 2}};
}

static void connect_all(struct scene *s)
{
    for (int role = BIND_SOURCE; role < BIND_COUNT; role++) {
        struct binding *b = &s->a.bindings[role];

        b->conn = CONNS[role];
        b->endpoint = (struct db_endpoint){.conn = &CONNS[role], .user = "ts"};
        b->lane = lane_get(s->loop->lanes, KEYS[role], "1");
        assert_ok(
            session_open(b->lane, &b->endpoint, NULL, &s->a.cancel, &b->session, &fault),
            fault);
    }
}

static void begin(struct scene *s, const char *trigger)
{
    scene_begin(s, "preflight");
    s->a.trigger = trigger;
    s->a.sync.source_database = "shop";
    s->a.sync.target_database = "ods";
    s->a.sync.target_table = "orders";
    s->a.sync.target_create = CREATE_IF_NOT_EXISTS;
    s->a.sync.schema_policy = SCHEMA_ADD_ONLY;
    s->a.sync.deletion_policy = DELETION_RETAIN;
    fault_clear(&fault);
    connect_all(s);
}

static void end(struct scene *s)
{
    for (int role = BIND_SOURCE; role < BIND_COUNT; role++) {
        session_close(&s->a.bindings[role].session, NULL);
        lane_put(s->a.bindings[role].lane);
    }
    observation_put(s->a.mysql);
    scene_end(s);
    s->clock.now_ms += 100; /* longer than what a retry takes for fresh */
}

/* One whole attempt's pre-flight; how many reads it cost. */
static enum step_result look(struct scene *s, const char *trigger, bool applied,
                             int64_t *out_reads)
{
    int64_t before = s->db.reads;
    enum step_result result = STEP_FAULT;

    begin(s, trigger);
    s->a.before.applied_hash = applied ? "sha256:x" : NULL;
    result = step_preflight(&s->a, &fault);
    *out_reads = s->db.reads - before;
    return result;
}

static void asks_at_first_and_when_something_may_have_changed(void **state)
{
    static const struct {
        const char *trigger;
        bool applied;
        int64_t reads;
    } cases[] = {
        {"Spec", false, 3},  /* nothing is known yet */
        {"Drift", false, 0}, /* it is known */
        {"Drift", true, 0},
        {"Spec", true, 1}, /* MySQL's settings are asked for each time */
        {"Retry", true, 1},
        {"Manual", true, 3},
    };
    struct scene *s = *state;
    int64_t reads = 0;

    set_servers(s);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        if (look(s, cases[i].trigger, cases[i].applied, &reads) != STEP_CONTINUE) {
            fail_msg("case %zu: %s", i, fault.text);
        }
        if (reads != cases[i].reads) {
            fail_msg("case %zu: %lld reads", i, (long long)reads);
        }
        end(s);
    }
    /* A calm look never asks, however old what is known. */
    s->clock.now_ms += 3600000;
    assert_int_equal(look(s, "Drift", true, &reads), STEP_CONTINUE);
    assert_int_equal(reads, 0);
    assert_null(s->a.mysql);
    end(s);
}

/* Each alone is shown where it belongs, with its own reason. */
static void one_server_keeps_its_own_condition(void **state)
{
    struct scene *s = *state;
    int64_t reads = 0;

    set_servers(s);
    s->db.mysql.binlog_format = "MIXED";
    s->db.mysql.binlog_row_image = "MINIMAL";
    assert_int_equal(look(s, "Spec", false, &reads), STEP_FAULT);
    assert_string_equal(fault.reason, "BinlogNotRow");
    assert_int_equal(s->a.failed, CONDITION_SOURCE_SCHEMA_RESOLVED);
    end(s);
    set_servers(s);
    s->db.rw.may_connect = 0;
    assert_int_equal(look(s, "Manual", false, &reads), STEP_FAULT);
    assert_string_equal(fault.reason, "SchemaDenied");
    assert_int_equal(s->a.failed, CONDITION_SOURCE_READY);
    end(s);
    set_servers(s);
    s->db.rw.actors = 400;
    s->db.rw.parallelism = 1;
    assert_int_equal(look(s, "Manual", false, &reads), STEP_FAULT);
    assert_string_equal(fault.reason, "ActorLimit");
    assert_int_equal(s->a.failed, CONDITION_SINK_READY);
    end(s);
    set_servers(s);
    s->db.sr.grants.n = 1;
    assert_int_equal(look(s, "Manual", false, &reads), STEP_FAULT);
    assert_string_equal(fault.reason, "MissingGrant");
    assert_int_equal(s->a.failed, CONDITION_TARGET_TABLE_READY);
    assert_contains(fault.text, "GRANT CREATE TABLE ON DATABASE `ods` TO USER 'ts'@'%'");
    end(s);
}

static void several_servers_share_one_message(void **state)
{
    struct scene *s = *state;
    int64_t reads = 0;

    set_servers(s);
    s->db.mysql.log_bin = false;
    s->db.rw.may_connect = 0;
    s->db.sr.live_backends = 0;
    assert_int_equal(look(s, "Spec", false, &reads), STEP_FAULT);
    assert_string_equal(fault.reason, "RequirementsMissing");
    assert_int_equal(s->a.failed, CONDITION_NONE);
    assert_int_equal(s->a.step->condition, CONDITION_CONNECTIONS_READY);
    assert_contains(fault.text, "MySQL: the binary log is off");
    assert_contains(fault.text, "RisingWave: the account lacks rights");
    assert_contains(fault.text, "StarRocks: no backend is alive");
    end(s);
    /* `check` goes on and has it in its hands. */
    begin(s, "Manual");
    s->a.checks_only = true;
    assert_int_equal(step_preflight(&s->a, &fault), STEP_CONTINUE);
    assert_int_equal(s->a.findings.list.n, 3);
    end(s);
}

/* What is there goes on without room for more, but not without its rights. */
static void what_exists_needs_less(void **state)
{
    struct scene *s = *state;
    int64_t reads = 0;

    set_servers(s);
    s->db.sr.live_backends = 0;
    s->db.rw.actors = 400;
    s->db.rw.parallelism = 1;
    assert_int_equal(look(s, "Manual", true, &reads), STEP_CONTINUE);
    end(s);
    s->db.sr.grants.n = 1;
    assert_int_equal(look(s, "Manual", true, &reads), STEP_FAULT);
    assert_string_equal(fault.reason, "MissingGrant");
    end(s);
}

/* The right on the database is for making the schema: the unit's catalog has none. */
static void a_schema_that_is_missing_has_to_be_made(void **state)
{
    struct scene *s = *state;
    int64_t reads = 0;

    set_servers(s);
    s->db.rw.may_create = 0;
    assert_int_equal(look(s, "Spec", false, &reads), STEP_FAULT);
    assert_string_equal(fault.reason, "SchemaDenied");
    assert_int_equal(reads, 4); /* with the catalog */
    end(s);
    s->db.rw.superuser = true;
    assert_int_equal(look(s, "Manual", false, &reads), STEP_CONTINUE);
    assert_int_equal(reads, 3);
    end(s);
}

static bool third_read_is_cut_off(struct unit_db *db, struct fault *out)
{
    return db->reads != 3 || fault_set(out, FAULT_UNAVAILABLE, "Unreachable",
                                       "server closed the connection unexpectedly");
}

/* The server that goes in the middle: its own words do not say which resource it is. */
static void a_catalog_that_cannot_be_read_names_its_connection(void **state)
{
    struct scene *s = *state;
    int64_t reads = 0;

    set_servers(s);
    s->db.rw.may_create = 0;
    s->db.reads = 0;
    s->db.on_read = third_read_is_cut_off;
    assert_int_equal(look(s, "Spec", false, &reads), STEP_FAULT);
    assert_contains(fault.text,
                    "read the catalog of connection 'rw' (spec.risingWave): ");
    assert_contains(fault.text, "closed the connection");
    end(s);
}

static void warnings_are_told_once(void **state)
{
    struct scene *s = *state;
    int64_t reads = 0, events = 0;

    set_servers(s);
    s->db.mysql.flavor = MYSQL_MARIADB;
    s->db.unparseable = "ids.id (uuid)";
    assert_int_equal(look(s, "Spec", false, &reads), STEP_CONTINUE);
    assert_string_equal(s->last_event, "PreflightWarning");
    assert_contains(preflight_warnings(&s->a.findings, s->a.arena), "ids.id (uuid)");
    events = s->events;
    end(s);
    assert_int_equal(look(s, "Retry", false, &reads), STEP_CONTINUE);
    assert_int_equal(s->events, events);
    end(s);
    s->db.mysql.binlog_expire_seconds = 3600; /* something new */
    assert_int_equal(look(s, "Retry", false, &reads), STEP_CONTINUE);
    assert_int_equal(s->events, events + 1);
    end(s);
    /* Of a table that exists nothing is listed or told any more. */
    s->db.mysql.binlog_expire_seconds = 60;
    s->db.lists = 0;
    assert_int_equal(look(s, "Manual", true, &reads), STEP_CONTINUE);
    assert_int_equal(s->events, events + 1);
    assert_int_equal(s->db.lists, 0);
    end(s);
    begin(s, "Manual"); /* a plan tells nobody */
    s->a.preview = true;
    s->db.mysql.binlog_expire_seconds = 600;
    assert_int_equal(step_preflight(&s->a, &fault), STEP_CONTINUE);
    assert_int_equal(s->events, events + 1);
    end(s);
}

/* --- server ids of our own --- */

static void add_connection(struct scene *s, const char *namespace, const char *host,
                           const char *uuid, const char *source, int64_t id)
{
    struct json *o = unit_json("{\"spec\":{\"type\":\"MySQL\",\"credentialsSecretRef\":{"
                               "\"name\":\"x\"}},\"status\":{}}");
    struct json *metadata = json_set_object(o, "metadata");
    struct json *spec = json_clone(json_get(o, "spec"));
    struct json *status = json_clone(json_get(o, "status"));
    struct json *entry = NULL;

    json_set_string(metadata, "namespace", namespace);
    json_set_string(metadata, "name", "my");
    json_set_string(metadata, "uid", namespace);
    json_set_string(spec, "host", host);
    json_set(o, "spec", spec);
    if (uuid != NULL) {
        json_set_string(status, "serverUUID", uuid);
    }
    entry = json_push_object(json_set_array(status, "sources"));
    json_set_string(entry, "database", "shop");
    json_set_string(entry, "rwSource", source);
    json_set_string(entry, "rwConnection", "rw");
    json_set_int(entry, "serverId", id);
    json_set_int(entry, "users", 1);
    json_set(o, "status", status);
    kube_store_put(s->loop->conns, o);
}

static void ids_of_our_other_sources_are_taken(void **state)
{
    struct scene *s = *state;
    int64_t reads = 0;
    const char *own = NULL;

    set_servers(s);
    assert_int_equal(look(s, "Spec", false, &reads), STEP_CONTINUE);
    own = arena_printf(
        s->a.arena, "ts.%s",
        name_source(s->a.arena, "shop",
                    mysql_identity(&s->db.mysql, &CONNS[BIND_SOURCE], s->a.arena),
                    "shop"));
    add_connection(s, "shop", "db", "uuid-1", own, 5500); /* its own, perhaps gone */
    add_connection(s, "team-a", "elsewhere", "uuid-1", "ts.src_shop_1", 5501);
    add_connection(s, "team-b", "db", NULL, "ts.src_shop_2", 5502);     /* same address */
    add_connection(s, "team-c", "db", "uuid-2", "ts.src_shop_3", 5503); /* another one */
    add_connection(s, "team-d", "elsewhere", NULL, "ts.src_shop_4", 5504);
    preflight_own_ids(&s->a);
    assert_int_equal(s->a.replica_ids.n, 2);
    for (size_t i = 0; i < 2; i++) {
        const char *id = s->a.replica_ids.v[i];

        assert_true(strcmp(id, "5501") == 0 || strcmp(id, "5502") == 0);
    }
    assert_string_not_equal(s->a.replica_ids.v[0], s->a.replica_ids.v[1]);
    end(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE_TEST(asks_at_first_and_when_something_may_have_changed),
        SCENE_TEST(one_server_keeps_its_own_condition),
        SCENE_TEST(several_servers_share_one_message),
        SCENE_TEST(what_exists_needs_less),
        SCENE_TEST(a_schema_that_is_missing_has_to_be_made),
        SCENE_TEST(a_catalog_that_cannot_be_read_names_its_connection),
        SCENE_TEST(warnings_are_told_once),
        SCENE_TEST(ids_of_our_other_sources_are_taken),
    };

    return cmocka_run_group_tests_name("step_preflight", tests, NULL, NULL);
}

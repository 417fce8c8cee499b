/* A connection is held while it is used, says by whom, and goes when nobody uses it. */
#include "conn_scene.h"

#include <stdio.h>

static void it_is_held_while_it_is_used(void **state)
{
    struct conn_scene *s = *state;

    conn_scene_look(s);
    assert_false(s->held);
    assert_int_equal(s->patches, 0);
    conn_scene_user(s, "a", "", "");
    conn_scene_look(s);
    assert_true(s->held);
    conn_scene_look(s);
    assert_int_equal(s->patches, 1);
    conn_scene_user_gone(s, "a");
    conn_scene_look(s);
    assert_false(s->held);
    conn_scene_look(s);
    assert_int_equal(s->patches, 2);
}

static void its_users_are_named(void **state)
{
    struct conn_scene *s = *state;
    const struct json *first = NULL;
    char name[32];

    for (int i = 59; i >= 0; i--) {
        (void)snprintf(name, sizeof(name), "u%02d", i);
        conn_scene_user(s, name, "", "");
    }
    conn_scene_look(s);
    assert_int_equal(json_int(json_get(s->status, "inUseBy"), 0), 60);
    assert_int_equal(json_size(json_get(s->status, "users")), 50);
    first = json_first(json_get(s->status, "users"));
    assert_string_equal(json_string(first), "u00");
    assert_string_equal(json_string(json_next(first)), "u01");
}

/* Those that are being deleted count until they are gone: they clean up through it. */
static void deletion_waits_for_the_users(void **state)
{
    struct conn_scene *s = *state;
    char name[32];
    int64_t writes = 0;
    const char *message = NULL;

    for (int i = 0; i < 7; i++) {
        (void)snprintf(name, sizeof(name), "u%d", i);
        conn_scene_user(
            s, name, i == 0 ? ",\"deletionTimestamp\":\"2026-01-01T00:00:00Z\"" : "", "");
    }
    conn_scene_look(s);
    conn_scene_delete(s);
    conn_scene_look(s);
    assert_false(s->gone);
    message = conn_scene_expect(s, "Ready", "False", "InUse");
    assert_contains(message, "7 TableSyncs (u0, u1, u2, u3, u4 and 2 more)");
    assert_contains(message, "delete them");
    conn_scene_expect(s, "Reachable", "True", "Connected"); /* it is still looked at */
    assert_string_equal(buf_z(&s->all_events), "Warning/InUse ");
    (void)conn_scene_woken(s, CONN_KEY);
    writes = s->status_writes;
    conn_scene_look(s);
    assert_int_equal(s->status_writes, writes);
    assert_false(conn_scene_woken(s, LOOP_KEY_SYNC "shop/u1")); /* nothing new for them */
    for (int i = 0; i < 7; i++) {
        (void)snprintf(name, sizeof(name), "u%d", i);
        conn_scene_user_gone(s, name);
    }
    conn_scene_look(s);
    assert_true(s->gone);
    assert_int_equal(s->db.opens, s->db.closes); /* the lane and its sessions went too */
}

static void what_is_wrong_is_told_while_it_is_deleted(void **state)
{
    struct conn_scene *s = *state;
    const char *message = NULL;

    conn_scene_user(s, "a", "", "");
    conn_scene_look(s);
    conn_scene_delete(s);
    s->reason = "Unreachable";
    s->clock.now_ms += 60000;
    conn_scene_look(s);
    message = conn_scene_expect(s, "Ready", "False", "InUse");
    assert_contains(message, "used by 1 TableSync (a)");
    assert_contains(message, "the server's words");
    conn_scene_expect(s, "Reachable", "False", "Unreachable");
    /* Those who clean up wait for the server, and are woken when it is back. */
    s->reason = NULL;
    s->clock.now_ms += 60000;
    (void)conn_scene_woken(s, CONN_KEY);
    conn_scene_look(s);
    assert_true(conn_scene_woken(s, LOOP_KEY_SYNC "shop/a"));
}

/* What is deleted before it was held takes no finalizer: the server would refuse it. */
static void a_deleted_connection_is_not_held_anew(void **state)
{
    struct conn_scene *s = *state;

    conn_scene_look(s);
    conn_scene_user(s, "a", "", "");
    s->deleting = true; /* somebody else's finalizer keeps it */
    conn_scene_look(s);
    assert_int_equal(s->patches, 0);
    conn_scene_expect(s, "Ready", "False", "InUse");
}

static void a_conflict_is_looked_at_again_soon(void **state)
{
    static const int STATUSES[] = {409, 422};
    struct conn_scene *s = *state;

    conn_scene_user(s, "a", "", "");
    for (size_t i = 0; i < COUNT_OF(STATUSES); i++) {
        s->patch_status = STATUSES[i];
        conn_scene_look(s);
        assert_int_equal(s->status_writes, 0);
        assert_in_range(queue_next_ms(s->loop->queue) - s->clock.now_ms, 200, 400);
        s->clock.now_ms += 400;
        assert_true(conn_scene_woken(s, CONN_KEY));
    }
    s->patch_status = 0;
    conn_scene_look(s);
    assert_true(s->held);
    conn_scene_expect(s, "Ready", "True", "Connected");
}

/* It went while we looked at it: nothing is written about it, and nobody comes again. */
static void what_is_gone_meanwhile_is_let_be(void **state)
{
    struct conn_scene *s = *state;

    conn_scene_user(s, "a", "", "");
    s->patch_status = 404;
    conn_scene_look(s);
    assert_int_equal(s->status_writes, 0);
    assert_true(queue_next_ms(s->loop->queue) == INT64_MAX);
}

/* Without the right to patch, a connection is not held and yet looked at. */
static void a_refused_finalizer_stops_nothing(void **state)
{
    struct conn_scene *s = *state;

    conn_scene_user(s, "a", "", "");
    s->patch_status = 403;
    conn_scene_look(s);
    conn_scene_expect(s, "Ready", "True", "Connected");
}

static void users_of_other_namespaces_do_not_count(void **state)
{
    struct conn_scene *s = *state;

    kube_store_put(
        s->loop->syncs,
        unit_json("{\"metadata\":{\"name\":\"x\",\"namespace\":\"other\",\"uid\":\"ux\","
                  "\"resourceVersion\":\"900\"},\"spec\":{\"source\":{\"connectionRef\":{"
                  "\"name\":\"c\"}},\"risingWave\":{\"connectionRef\":{\"name\":\"c\"}},"
                  "\"target\":{\"connectionRef\":{\"name\":\"c\"}}}}"));
    conn_scene_look(s);
    assert_int_equal(json_int(json_get(s->status, "inUseBy"), -1), 0);
    assert_false(s->held);
}

/* --- what is kept --- */

static void without_a_key_nothing_is_kept_and_that_is_said(void **state)
{
    struct conn_scene *s = *state;

    conn_scene_look(s);
    conn_scene_expect(s, "CredentialsKept", "Unknown", "NotInUse");
    conn_scene_user(s, "a", "", "");
    conn_scene_look(s);
    assert_contains(conn_scene_expect(s, "CredentialsKept", "False", "Off"),
                    "--encryption-key-file");
    conn_scene_expect(s, "Ready", "True", "Connected"); /* Off is no fault */
}

/* --- sources --- */

#define SOURCE(name)                                                                     \
    "\"objects\":[{\"kind\":\"Source\",\"name\":\"" name                                 \
    "\",\"shared\":true,\"state\":\"Ready\"}]"

static void shared_sources_are_listed_with_their_users(void **state)
{
    struct conn_scene *s = *state;
    const struct json *source = NULL;

    conn_scene_connection(s, "MySQL", "");
    conn_scene_user(s, "a", "", SOURCE("tablesync.src_z"));
    conn_scene_user(s, "b", "", SOURCE("tablesync.src_a"));
    conn_scene_user(s, "c", "", SOURCE("tablesync.src_z"));
    conn_scene_look(s);
    source = json_first(json_get(s->status, "sources"));
    assert_string_equal(json_get_string(source, "rwSource"), "tablesync.src_a");
    source = json_next(source);
    assert_string_equal(json_get_string(source, "rwSource"), "tablesync.src_z");
    assert_int_equal(json_int(json_get(source, "users"), 0), 2);
    assert_null(json_next(source));
}

/* Another connection to the same server, whose source has `server_id`. */
static void put_other(struct conn_scene *s, const char *host, const char *source,
                      int server_id)
{
    char text[1024];

    (void)snprintf(
        text, sizeof(text),
        "{\"metadata\":{\"name\":\"twin\",\"namespace\":\"else\",\"uid\":\"ut\","
        "\"generation\":1,\"resourceVersion\":\"%lld\"},\"spec\":{\"type\":"
        "\"MySQL\",\"host\":\"%s\",\"port\":3306},\"status\":{\"sources\":[{"
        "\"mysqlDatabase\":\"crm\",\"rwSource\":\"%s\",\"rwConnection\":\"rw\","
        "\"serverId\":%d,\"users\":1}]}}",
        (long long)++s->versions, host, source, server_id);
    kube_store_put(s->loop->conns, unit_json(text));
}

/* The server id of the connection's own source as an earlier look has shown it. */
static void show_server_id(struct conn_scene *s, const char *source, int server_id)
{
    char text[512];

    (void)snprintf(text, sizeof(text),
                   "{\"sources\":[{\"mysqlDatabase\":\"shop\",\"rwSource\":\"%s\","
                   "\"rwConnection\":\"rw\",\"serverId\":%d,\"users\":1}]}",
                   source, server_id);
    json_free(s->status);
    s->status = unit_json(text);
}

static void one_server_id_twice_is_a_warning(void **state)
{
    static const char *GRANTS[] = {
        "GRANT SELECT, RELOAD, SHOW DATABASES, REPLICATION SLAVE, REPLICATION CLIENT ON "
        "*.* TO `cdc`@`%`"};
    struct conn_scene *s = *state;
    const char *message = NULL;

    s->db.mysql = (struct mysql_server){.version = "8.0.39",
                                        .flavor = MYSQL_ORACLE,
                                        .server_id = 1,
                                        .log_bin = true,
                                        .binlog_format = "ROW",
                                        .binlog_row_image = "FULL",
                                        .binlog_expire_seconds = 2592000,
                                        .gtid = true,
                                        .grants = {GRANTS, 1, 1}};
    conn_scene_connection(s, "MySQL", "");
    conn_scene_user(s, "a", "", SOURCE("tablesync.src_shop_1"));
    show_server_id(s, "tablesync.src_shop_1", 5731);
    put_other(s, "db.shop", "tablesync.src_crm_2", 5731);
    conn_scene_look(s);
    message = conn_scene_expect(s, "CdcCapable", "True", "CapableWithWarnings");
    assert_contains(message, "server.id 5731");
    assert_contains(message, "tablesync.src_shop_1");
    assert_contains(message, "tablesync.src_crm_2");
    assert_contains(message, "'else/twin'");
    put_other(s, "db.shop", "tablesync.src_crm_2", 5732);
    conn_scene_look(s);
    conn_scene_expect(s, "CdcCapable", "True", "Capable");
    put_other(s, "db.elsewhere", "tablesync.src_crm_2", 5731); /* another server */
    conn_scene_look(s);
    conn_scene_expect(s, "CdcCapable", "True", "Capable");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONN_TEST(it_is_held_while_it_is_used),
        CONN_TEST(its_users_are_named),
        CONN_TEST(deletion_waits_for_the_users),
        CONN_TEST(what_is_wrong_is_told_while_it_is_deleted),
        CONN_TEST(a_deleted_connection_is_not_held_anew),
        CONN_TEST(a_conflict_is_looked_at_again_soon),
        CONN_TEST(what_is_gone_meanwhile_is_let_be),
        CONN_TEST(a_refused_finalizer_stops_nothing),
        CONN_TEST(users_of_other_namespaces_do_not_count),
        CONN_TEST(without_a_key_nothing_is_kept_and_that_is_said),
        CONN_TEST(shared_sources_are_listed_with_their_users),
        CONN_TEST(one_server_id_twice_is_a_warning),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

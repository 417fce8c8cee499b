/* What a look at a connection says, and when it says it again. */
#include "conn_scene.h"

#include <stdio.h>

static const struct mysql_server GOOD_MYSQL = {.version = "8.0.39",
                                               .flavor = MYSQL_ORACLE,
                                               .server_uuid = "uuid-1",
                                               .server_id = 1,
                                               .log_bin = true,
                                               .binlog_format = "ROW",
                                               .binlog_row_image = "FULL",
                                               .binlog_expire_seconds = 2592000,
                                               .gtid = true,
                                               .current_user = "'cdc'@'%'"};

static struct mysql_server mysql_with(const char *const *grants, size_t count)
{
    struct mysql_server server = GOOD_MYSQL;

    server.grants.v = (const char **)(uintptr_t)grants;
    server.grants.n = server.grants.capacity = count;
    return server;
}

static const char *const ALL_GRANTS[] = {
    "GRANT SELECT, RELOAD, SHOW DATABASES, REPLICATION SLAVE, REPLICATION CLIENT ON *.* "
    "TO "
    "`cdc`@`%`"};

/* --- conditions --- */

static void a_server_that_answers_is_ready(void **state)
{
    struct conn_scene *s = *state;

    conn_scene_look(s);
    conn_scene_expect(s, "Ready", "True", "Connected");
    conn_scene_expect(s, "Reachable", "True", "Connected");
    conn_scene_expect(s, "CredentialsValid", "True", "LoggedIn");
    conn_scene_expect(s, "CdcCapable", "Unknown", "NotMySQL");
    conn_scene_expect(s, "CredentialsKept", "Unknown", "NotInUse");
    assert_string_equal(json_get_string(s->status, "serverVersion"), "4.1.0");
    assert_int_equal(s->events, 0);
}

/* Each kind of failure speaks in its own condition; what was not tried is Unknown. */
static void a_failure_is_told_where_it_belongs(void **state)
{
    static const struct {
        const char *reason;
        enum fault_class class;
        const char *reachable, *reachable_reason, *login, *login_reason;
    } rows[] = {
        {"Unreachable", FAULT_UNAVAILABLE, "False", "Unreachable", "Unknown", "NotTried"},
        {"UnknownHost", FAULT_UNAVAILABLE, "False", "UnknownHost", "Unknown", "NotTried"},
        {"TLSUntrusted", FAULT_UNAVAILABLE, "False", "TLSUntrusted", "Unknown",
         "NotTried"},
        {"TLSExpired", FAULT_UNAVAILABLE, "False", "TLSExpired", "Unknown", "NotTried"},
        {"TLSHostMismatch", FAULT_UNAVAILABLE, "False", "TLSHostMismatch", "Unknown",
         "NotTried"},
        {"TLSNotOffered", FAULT_UNAVAILABLE, "False", "TLSNotOffered", "Unknown",
         "NotTried"},
        {"AuthFailed", FAULT_DENIED, "True", "Connected", "False", "AuthFailed"},
    };
    struct conn_scene *s = *state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        s->reason = rows[i].reason;
        s->class = rows[i].class;
        s->secret_version++; /* no pause from the failure before */
        conn_scene_look(s);
        assert_string_equal(conn_scene_expect(s, "Ready", "False", rows[i].reason),
                            "the server's words");
        conn_scene_expect(s, "Reachable", rows[i].reachable, rows[i].reachable_reason);
        conn_scene_expect(s, "CredentialsValid", rows[i].login, rows[i].login_reason);
        conn_scene_expect(s, "CdcCapable", "Unknown", "NotTried");
    }
}

static void a_missing_secret_is_named_with_its_field(void **state)
{
    struct conn_scene *s = *state;

    s->secret = NULL;
    conn_scene_look(s);
    assert_contains(conn_scene_expect(s, "CredentialsValid", "False", "SecretNotFound"),
                    "'shop/login' (spec.credentialsSecretRef)");
    conn_scene_expect(s, "Reachable", "Unknown", "NotTried");
    assert_int_equal(s->db.opens, 0);
    s->secret = "\"username\":\"Y2Rj\"";
    conn_scene_look(s);
    assert_contains(conn_scene_expect(s, "CredentialsValid", "False", "SecretKeyMissing"),
                    "no key 'password'");
}

/* --- what MySQL lacks --- */

static void all_that_mysql_lacks_stands_in_one_message(void **state)
{
    static const char *const FEW[] = {"GRANT SELECT ON *.* TO `cdc`@`%`"};
    struct conn_scene *s = *state;
    const char *message = NULL;

    s->db.mysql = mysql_with(FEW, COUNT_OF(FEW));
    s->db.mysql.binlog_format = "STATEMENT";
    conn_scene_connection(s, "MySQL", "");
    conn_scene_look(s);
    message = conn_scene_expect(s, "CdcCapable", "False", "BinlogNotRow");
    assert_contains(message, "binlog_format");
    assert_contains(message, "GRANT REPLICATION");
    conn_scene_expect(s, "Ready", "False", "BinlogNotRow");
    conn_scene_expect(s, "Reachable", "True", "Connected");
    conn_scene_expect(s, "CredentialsValid", "True", "LoggedIn");
    s->db.mysql = mysql_with(ALL_GRANTS, COUNT_OF(ALL_GRANTS));
    conn_scene_look(s);
    conn_scene_expect(s, "CdcCapable", "True", "Capable");
    conn_scene_expect(s, "Ready", "True", "Connected");
    assert_string_equal(s->all_events.p == NULL ? "" : buf_z(&s->all_events),
                        "Warning/BinlogNotRow Normal/Connected ");
}

/* Columns of the databases in use only, and not asked for at each look. */
static void unparseable_columns_are_a_warning(void **state)
{
    struct conn_scene *s = *state;
    s->db.mysql = mysql_with(ALL_GRANTS, COUNT_OF(ALL_GRANTS));

    s->db.mysql.flavor = MYSQL_MARIADB;
    s->db.mysql.version = "10.11.6-MariaDB";
    s->db.unparseable = "t.u (uuid)";
    conn_scene_connection(s, "MySQL", "");
    conn_scene_look(s);
    assert_int_equal(s->db.lists, 0);
    conn_scene_user(s, "a", "", "");
    conn_scene_user(s, "b", "", "");
    conn_scene_look(s);
    assert_contains(conn_scene_expect(s, "CdcCapable", "True", "CapableWithWarnings"),
                    "shop.t.u (uuid)");
    conn_scene_look(s);
    assert_int_equal(s->db.lists, 1);
    s->clock.now_ms += 601000;
    conn_scene_look(s);
    assert_int_equal(s->db.lists, 2);
}

/* --- what the others lack --- */

static void what_risingwave_lacks_is_in_ready(void **state)
{
    static const char *FEATURE[] = {"SecretManagement"};
    struct conn_scene *s = *state;
    s->db.rw = (struct rw_server){.version = "3.0.3",
                                  .user = "tablesync",
                                  .database = "dev",
                                  .may_create = 0,
                                  .may_connect = 1,
                                  .license = "free",
                                  .unavailable_features = {FEATURE, 1, 1},
                                  .actors = 1234,
                                  .parallelism = 8};
    conn_scene_connection(s, "RisingWave", "");
    conn_scene_look(s);
    assert_contains(conn_scene_expect(s, "Ready", "False", "RequirementsMissing"),
                    "GRANT CREATE");
    conn_scene_expect(s, "Reachable", "True", "Connected");
    conn_scene_expect(s, "CredentialsValid", "True", "LoggedIn");
    s->db.rw.may_create = 1;
    conn_scene_look(s);
    assert_contains(conn_scene_expect(s, "Ready", "True", "Connected"), "1200 actors");
    const struct json *can = json_get(s->status, "capabilities");
    assert_string_equal(json_get_string(can, "license"), "free");
    assert_int_equal(json_int(json_get(can, "actors"), 0), 1300);
    assert_int_equal(json_int(json_get(can, "parallelism"), 0), 8);
    assert_int_equal(json_size(json_get(can, "unavailableFeatures")), 1);
}

/* --- nothing new, nothing written --- */

static void a_converged_connection_writes_nothing(void **state)
{
    static const char *const TYPES[] = {"MySQL", "RisingWave", "StarRocks"};
    struct conn_scene *s = *state;
    s->db.mysql = mysql_with(ALL_GRANTS, COUNT_OF(ALL_GRANTS));
    s->db.rw = (struct rw_server){.version = "3.0.3",
                                  .may_create = 1,
                                  .may_connect = 1,
                                  .actors = 1201,
                                  .parallelism = 8};

    for (size_t i = 0; i < COUNT_OF(TYPES); i++) {
        int64_t writes = 0;

        conn_scene_connection(s, TYPES[i], "");
        conn_scene_user(s, "a", "", "");
        conn_scene_look(s);
        writes = s->status_writes + s->patches + s->events;
        for (int look = 0; look < 5; look++) {
            s->db.rw.actors++; /* other people's jobs */
            s->clock.now_ms += 60000;
            conn_scene_look(s);
        }
        assert_int_equal(s->status_writes + s->patches + s->events, writes);
        conn_scene_expect(s, "Ready", "True", "Connected");
    }
}

static void every_look_is_a_login(void **state)
{
    struct conn_scene *s = *state;

    conn_scene_look(s);
    s->clock.now_ms += 60000;
    s->reason = "AuthFailed";
    s->class = FAULT_DENIED;
    conn_scene_look(s);
    conn_scene_expect(s, "CredentialsValid", "False", "AuthFailed");
}

/* --- Events --- */

static void each_change_of_ready_is_told_once(void **state)
{
    static const char *const REASONS[] = {NULL,         "Unreachable", "Unreachable",
                                          "AuthFailed", NULL,          NULL};
    struct conn_scene *s = *state;

    for (size_t i = 0; i < COUNT_OF(REASONS); i++) {
        s->reason = REASONS[i];
        s->clock.now_ms += 60000;
        conn_scene_look(s);
    }
    assert_string_equal(buf_z(&s->all_events),
                        "Warning/Unreachable Warning/AuthFailed Normal/Connected ");
}

/* --- the next look, and who is woken --- */

static void it_looks_again_sooner_while_something_is_wrong(void **state)
{
    struct conn_scene *s = *state;

    conn_scene_look(s);
    assert_in_range(queue_next_ms(s->loop->queue) - s->clock.now_ms, 48000, 72000);
    s->clock.now_ms += 72000;
    assert_true(conn_scene_woken(s, CONN_KEY));
    /* The server is there, and lacks something. */
    s->db.mysql = mysql_with(ALL_GRANTS, COUNT_OF(ALL_GRANTS));
    s->db.mysql.binlog_format = "STATEMENT";
    conn_scene_connection(s, "MySQL", "");
    conn_scene_look(s);
    assert_in_range(queue_next_ms(s->loop->queue) - s->clock.now_ms, 12000, 18000);
}

/* While a server is down it is asked as often as its breaker lets anybody through. */
static void it_looks_when_the_breaker_lets_it(void **state)
{
    struct conn_scene *s = *state;

    s->reason = "Unreachable";
    for (int64_t pause_ms = 1000; pause_ms <= 8000; pause_ms *= 2) {
        conn_scene_look(s);
        assert_int_equal(queue_next_ms(s->loop->queue) - s->clock.now_ms, pause_ms + 1);
        s->clock.now_ms += pause_ms + 1;
        assert_true(conn_scene_woken(s, CONN_KEY));
    }
}

static void users_are_woken_when_it_is_back(void **state)
{
    struct conn_scene *s = *state;

    conn_scene_user(s, "a", "", "");
    s->reason = "Unreachable";
    conn_scene_look(s);
    assert_false(conn_scene_woken(s, LOOP_KEY_SYNC "shop/a"));
    s->reason = NULL;
    s->clock.now_ms += 60000;
    conn_scene_look(s);
    assert_true(conn_scene_woken(s, LOOP_KEY_SYNC "shop/a"));
    s->clock.now_ms += 60000;
    conn_scene_look(s);
    assert_false(conn_scene_woken(s, LOOP_KEY_SYNC "shop/a"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONN_TEST(a_server_that_answers_is_ready),
        CONN_TEST(a_failure_is_told_where_it_belongs),
        CONN_TEST(a_missing_secret_is_named_with_its_field),
        CONN_TEST(all_that_mysql_lacks_stands_in_one_message),
        CONN_TEST(unparseable_columns_are_a_warning),
        CONN_TEST(what_risingwave_lacks_is_in_ready),
        CONN_TEST(a_converged_connection_writes_nothing),
        CONN_TEST(every_look_is_a_login),
        CONN_TEST(each_change_of_ready_is_told_once),
        CONN_TEST(it_looks_again_sooner_while_something_is_wrong),
        CONN_TEST(it_looks_when_the_breaker_lets_it),
        CONN_TEST(users_are_woken_when_it_is_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

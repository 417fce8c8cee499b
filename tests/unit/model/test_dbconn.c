#include "unit/model/model_test.h"

#include <stdio.h>

#define HEAD                                                                             \
    "apiVersion: tablesync.dev/v1alpha1\n"                                               \
    "kind: DatabaseConnection\n"                                                         \
    "metadata: {namespace: data, name: db}\n"
#define LOGIN "  credentialsSecretRef: {name: login}\n"

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

static struct dbconn good(const char *text)
{
    struct dbconn conn;
    struct fault fault = FAULT_INIT;
    assert_ok(test_dbconn(text, arena, &conn, &fault), fault);
    return conn;
}

static struct fault bad(const char *text)
{
    struct dbconn conn = {.host = "untouched"};
    struct fault fault = FAULT_INIT;
    assert_false(test_dbconn(text, arena, &conn, &fault));
    assert_int_equal(fault.class, FAULT_SPEC);
    assert_string_equal(fault.reason, "InvalidSpec");
    assert_string_equal(conn.host, "untouched");
    return fault;
}

static void fills_in_the_defaults_of_each_type(void **state)
{
    (void)state;
    struct dbconn conn =
        good(HEAD "spec:\n  type: MySQL\n  host: db.example.com\n" LOGIN);
    assert_string_equal(conn.namespace, "data");
    assert_string_equal(conn.name, "db");
    assert_string_equal(conn.uid, "");
    assert_int_equal(conn.type, DBCONN_MYSQL);
    assert_int_equal(conn.port, 3306);
    assert_string_equal(conn.database, "");
    assert_string_equal(conn.secret_name, "login");
    assert_string_equal(conn.username_key, "username");
    assert_string_equal(conn.password_key, "password");
    assert_int_equal(conn.tls_mode, TLS_PREFER);
    assert_null(conn.tls_ca_secret);
    assert_string_equal(conn.tls_ca_key, "ca.crt");
    assert_null(conn.tls_client_secret);
    assert_false(conn.deleting);
    assert_int_equal(conn.server_id_low, 5400);
    assert_int_equal(conn.server_id_high, 6400);
    conn = good(HEAD "spec:\n  type: RisingWave\n  host: rw\n" LOGIN);
    assert_int_equal(conn.port, 4566);
    assert_string_equal(conn.database, "dev");
    assert_string_equal(conn.rw_schema, "tablesync");
    conn = good(HEAD "spec:\n  type: StarRocks\n  host: fe\n" LOGIN);
    assert_int_equal(conn.port, 9030);
    assert_int_equal(conn.http_port, 8030);
}

static void takes_what_is_given(void **state)
{
    (void)state;
    struct dbconn conn =
        good("metadata: {name: db, uid: u-1, generation: 7, creationTimestamp: "
             "'2026-01-02T03:04:05Z'}\n"
             "spec:\n  type: MySQL\n  host: 192.0.2.7\n  port: 13306\n  database: ''\n"
             "  credentialsSecretRef: {name: a.b, usernameKey: U, passwordKey: p-w}\n"
             "  tls: {mode: Require}\n  mysql: {serverIdRange: 1-4294967295}\n");
    assert_string_equal(conn.namespace, "");
    assert_string_equal(conn.uid, "u-1");
    assert_string_equal(conn.created, "2026-01-02T03:04:05Z");
    assert_int_equal(conn.generation, 7);
    assert_string_equal(conn.host, "192.0.2.7");
    assert_int_equal(conn.port, 13306);
    assert_string_equal(conn.secret_name, "a.b");
    assert_string_equal(conn.username_key, "U");
    assert_string_equal(conn.password_key, "p-w");
    assert_int_equal(conn.tls_mode, TLS_REQUIRE);
    assert_true(conn.server_id_low == 1 && conn.server_id_high == 4294967295);
    conn = good(HEAD "spec:\n  type: RisingWave\n  host: rw\n  database: lab\n"
                     "  risingWave: {schema: cdc_1}\n  tls: {mode: Disable}\n" LOGIN);
    assert_string_equal(conn.database, "lab");
    assert_string_equal(conn.rw_schema, "cdc_1");
    assert_int_equal(conn.tls_mode, TLS_DISABLE);
    conn = good(HEAD "spec:\n  type: StarRocks\n  host: fe\n"
                     "  starRocks: {httpPort: 18030}\n" LOGIN);
    assert_int_equal(conn.http_port, 18030);
}

/* The enum and the words of the CRD stand in the same order, from the laxest on. */
static void takes_every_mode_of_tls_for_every_type(void **state)
{
    (void)state;
    static const char *const types[] = {"MySQL", "RisingWave", "StarRocks"};
    static const char *const modes[] = {"Disable", "Prefer", "Require", "VerifyCA",
                                        "VerifyFull"};
    for (size_t t = 0; t < COUNT_OF(types); t++) {
        for (size_t m = 0; m < COUNT_OF(modes); m++) {
            struct dbconn conn = good(arena_printf(
                arena, HEAD "spec:\n  type: %s\n  host: h\n" LOGIN "  tls: {mode: %s}\n",
                types[t], modes[m]));
            assert_int_equal(conn.tls_mode, TLS_DISABLE + (int)m);
            assert_string_equal(tls_mode_name(conn.tls_mode), modes[m]);
        }
    }
    assert_int_equal(TLS_DISABLE + COUNT_OF(modes), TLS_MODE_MAX);
}

static struct dbconn good_tls(const char *tls)
{
    return good(arena_printf(
        arena, HEAD "spec:\n  type: MySQL\n  host: h\n" LOGIN "  tls: {%s}\n", tls));
}

static void takes_certificates(void **state)
{
    (void)state;
    struct dbconn conn = good_tls("mode: VerifyFull, caSecretRef: {name: authorities}, "
                                  "clientCertSecretRef: {name: client}");
    assert_string_equal(conn.tls_ca_secret, "authorities");
    assert_string_equal(conn.tls_ca_key, "ca.crt");
    assert_string_equal(conn.tls_client_secret, "client");
    conn = good_tls("mode: VerifyCA, caSecretRef: {name: a.b, key: root_1.pem}");
    assert_string_equal(conn.tls_ca_secret, "a.b");
    assert_string_equal(conn.tls_ca_key, "root_1.pem");
    assert_null(conn.tls_client_secret);
    /* The system's own authorities will do. */
    conn = good_tls("mode: VerifyFull");
    assert_null(conn.tls_ca_secret);
    static const char *const encrypting[] = {"", "mode: null, ", "mode: Prefer, ",
                                             "mode: Require, ", "mode: VerifyCA, "};
    for (size_t i = 0; i < COUNT_OF(encrypting); i++) {
        conn = good_tls(
            arena_printf(arena, "%sclientCertSecretRef: {name: client}", encrypting[i]));
        assert_string_equal(conn.tls_client_secret, "client");
    }
}

static struct fault bad_tls(const char *tls)
{
    return bad(arena_printf(
        arena, HEAD "spec:\n  type: MySQL\n  host: h\n" LOGIN "  tls: {%s}\n", tls));
}

static void refuses_certificates_that_nobody_would_look_at(void **state)
{
    (void)state;
    static const char *const lax[] = {"Disable", "Prefer", "Require"};
    for (size_t i = 0; i < COUNT_OF(lax); i++) {
        struct fault fault =
            bad_tls(arena_printf(arena, "mode: %s, caSecretRef: {name: ca}", lax[i]));
        assert_string_equal(
            fault.text,
            arena_printf(arena,
                         "DatabaseConnection data/db: spec.tls.caSecretRef is only for "
                         "mode VerifyCA or VerifyFull: mode %s checks no certificate, so "
                         "it would have no effect",
                         lax[i]));
    }
    assert_contains(bad_tls("caSecretRef: {name: ca}").text, "mode Prefer checks no");
    assert_contains(bad_tls("mode: null, caSecretRef: {name: ca}").text,
                    "mode Prefer checks no");
    assert_string_equal(
        bad_tls("mode: Disable, clientCertSecretRef: {name: c}, caSecretRef: {name: ca}")
            .text,
        "DatabaseConnection data/db: spec.tls.caSecretRef is only for mode VerifyCA or "
        "VerifyFull: mode Disable checks no certificate, so it would have no effect; "
        "spec.tls.clientCertSecretRef is not for mode Disable: without encryption no "
        "certificate is shown");
}

static void says_what_is_wrong_with_certificates(void **state)
{
    (void)state;
    static const struct {
        const char *tls, *text;
    } rows[] = {
        /* A mode that does not exist is said once, and nothing is concluded from it. */
        {"mode: VERIFY_CA, caSecretRef: {name: ca}",
         "spec.tls.mode is \"VERIFY_CA\", must be one of Disable, Prefer, Require, "
         "VerifyCA, VerifyFull"},
        {"mode: 5, caSecretRef: {name: ca}, clientCertSecretRef: {name: c}",
         "spec.tls.mode is 5, must be one of Disable, Prefer, Require, VerifyCA, "
         "VerifyFull"},
        {"mode: VerifyCA, caSecretRef: {}", "spec.tls.caSecretRef.name is required"},
        {"mode: VerifyCA, caSecretRef: ca",
         "spec.tls.caSecretRef is \"ca\", must be an object"},
        {"mode: VerifyCA, caSecretRef: {name: ca, key: a/b}",
         "spec.tls.caSecretRef.key is \"a/b\", must be a key of the Secret's data "
         "(letters, digits, '-', '_' and '.')"},
        {"mode: Require, clientCertSecretRef: {key: x}",
         "spec.tls.clientCertSecretRef.name is required; "
         "spec.tls.clientCertSecretRef.key is not a field of this version"},
        {"mode: Require, clientCertSecretRef: {name: ''}",
         "spec.tls.clientCertSecretRef.name is \"\", must be the name of an object in "
         "the same namespace (lower case letters, digits, '-' and '.')"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_string_equal(
            bad_tls(rows[i].tls).text,
            arena_printf(arena, "DatabaseConnection data/db: %s", rows[i].text));
    }
}

static void sees_that_it_is_being_deleted(void **state)
{
    (void)state;
    struct dbconn conn = good("metadata: {name: db, deletionTimestamp: "
                              "'2026-01-02T03:04:05Z'}\n"
                              "spec:\n  type: MySQL\n  host: h\n" LOGIN);
    assert_true(conn.deleting);
}

static void lists_every_problem_at_once(void **state)
{
    (void)state;
    struct fault fault = bad(HEAD "spec:\n  type: mysql\n  host: 'http://db'\n  port: 0\n"
                                  "  tls: Require\n  credentialsSecretRef: {}\n"
                                  "  risingWave: {schema: 5}\n");
    assert_string_equal(
        fault.text,
        "DatabaseConnection data/db: "
        "spec.type is \"mysql\", must be one of MySQL, RisingWave, StarRocks; "
        "spec.host is \"http://db\", must be a host name or an IPv4 address alone, "
        "without "
        "scheme, port or path; "
        "spec.port is 0, must be from 1 to 65535; "
        "spec.credentialsSecretRef.name is required; "
        "spec.tls is \"Require\", must be an object; "
        "spec.risingWave.schema is 5, must be a string");
}

static void keeps_each_block_to_its_type(void **state)
{
    (void)state;
    assert_string_equal(
        bad(HEAD "spec:\n  type: StarRocks\n  host: fe\n  mysql: {}\n  risingWave: {}\n"
                 "  database: ods\n" LOGIN)
            .text,
        "DatabaseConnection data/db: "
        "spec.mysql is only for type MySQL, this connection is StarRocks; "
        "spec.risingWave is only for type RisingWave, this connection is StarRocks; "
        "spec.database is only for type RisingWave: a TableSync names the databases of "
        "MySQL and StarRocks");
    assert_contains(
        bad(HEAD "spec:\n  type: MySQL\n  host: h\n  starRocks: {}\n" LOGIN).text,
        "spec.starRocks is only for type StarRocks");
}

static void refuses_ranges_that_hold_no_server_ids(void **state)
{
    (void)state;
    static const char *const ranges[] = {
        "6400-5400", "5400-5400", "0-5", "5400-4294967296", "5400", "5400 - 6400", "1-"};
    for (size_t i = 0; i < COUNT_OF(ranges); i++) {
        char text[300];
        (void)snprintf(text, sizeof(text),
                       HEAD "spec:\n  type: MySQL\n  host: h\n"
                            "  mysql: {serverIdRange: '%s'}\n" LOGIN,
                       ranges[i]);
        struct fault fault = bad(text);
        assert_contains(fault.text, "spec.mysql.serverIdRange");
        assert_contains(fault.text, ranges[i]);
        assert_lacks(fault.text, "; "); /* said once */
    }
}

static void refuses_schemas_of_others(void **state)
{
    (void)state;
    static const char *const schemas[] = {
        "public", "information_schema", "pg_x", "rw_catalog", "Mine", "1st", "a-b", ""};
    for (size_t i = 0; i < COUNT_OF(schemas); i++) {
        char text[300];
        (void)snprintf(text, sizeof(text),
                       HEAD "spec:\n  type: RisingWave\n  host: h\n"
                            "  risingWave: {schema: '%s'}\n" LOGIN,
                       schemas[i]);
        assert_contains(bad(text).text, "spec.risingWave.schema");
    }
}

static void refuses_what_is_not_a_connection(void **state)
{
    (void)state;
    assert_string_equal(bad("kind: TableSync\napiVersion: tablesync.dev/v2\n").text,
                        "DatabaseConnection: kind is \"TableSync\", must be "
                        "DatabaseConnection; apiVersion is \"tablesync.dev/v2\", must be "
                        "tablesync.dev/v1alpha1; metadata.name is required; spec is "
                        "required");
    assert_contains(bad(HEAD "spec: []\n").text, "spec is required");
    struct fault fault = FAULT_INIT;
    struct dbconn conn;
    assert_false(dbconn_decode(NULL, arena, &conn, &fault));
    assert_contains(fault.text, "spec is required");
}

static void names_types(void **state)
{
    (void)state;
    assert_string_equal(dbconn_type_name(DBCONN_RISINGWAVE), "RisingWave");
    assert_string_equal(dbconn_type_name(DBCONN_TYPE_MAX), "");
    assert_string_equal(tls_mode_name(TLS_PREFER), "Prefer");
    assert_string_equal(tls_mode_name(TLS_MODE_MAX), "");
    assert_string_equal(tls_mode_name((enum tls_mode)0), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fills_in_the_defaults_of_each_type),
        cmocka_unit_test(takes_what_is_given),
        cmocka_unit_test(takes_every_mode_of_tls_for_every_type),
        cmocka_unit_test(takes_certificates),
        cmocka_unit_test(refuses_certificates_that_nobody_would_look_at),
        cmocka_unit_test(says_what_is_wrong_with_certificates),
        cmocka_unit_test(sees_that_it_is_being_deleted),
        cmocka_unit_test(lists_every_problem_at_once),
        cmocka_unit_test(keeps_each_block_to_its_type),
        cmocka_unit_test(refuses_ranges_that_hold_no_server_ids),
        cmocka_unit_test(refuses_schemas_of_others),
        cmocka_unit_test(refuses_what_is_not_a_connection),
        cmocka_unit_test(names_types),
    };
    return cmocka_run_group_tests_name("model/dbconn", tests, make_arena, free_arena);
}

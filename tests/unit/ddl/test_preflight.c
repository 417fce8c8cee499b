/* What each server lacks, from what real servers answered, and how it is told. */
#include "findings.h"

#include <string.h>

/* --- MySQL --- */

static struct findings look_at_mysql(struct fixture *f, const char *database)
{
    struct findings findings = {0};

    preflight_mysql(&f->server, database, NULL, f->arena, &findings);
    return findings;
}

/* SHOW GRANTS of the servers themselves; what is missing for database shop, or NULL. */
static const struct {
    const char *version, *grants, *missing;
} mysql_grants[] = {
    {"5.6.24-log",
     "GRANT SELECT, REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO 'cdc'@'%' IDENTIFIED "
     "BY PASSWORD '<secret>'",
     NULL},
    {"5.6.24-log", "GRANT USAGE ON *.* TO 'cdc'@'%' IDENTIFIED BY PASSWORD '<secret>'",
     "run GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO 'cdc'@'%'; GRANT SELECT "
     "ON `shop`.* TO 'cdc'@'%'"},
    {"5.7.44-log",
     "GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO 'cdc'@'%'\n"
     "GRANT SELECT ON `shop`.* TO 'cdc'@'%'",
     NULL},
    {"5.7.44-log",
     "GRANT REPLICATION CLIENT ON *.* TO 'cdc'@'%'\nGRANT SELECT ON `shop`.* TO "
     "'cdc'@'%'",
     "run GRANT REPLICATION SLAVE ON *.* TO 'cdc'@'%'"},
    {"8.0.39",
     "GRANT SELECT, INSERT, REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO `cdc`@`%`\n"
     "GRANT APPLICATION_PASSWORD_ADMIN,XA_RECOVER_ADMIN ON *.* TO `cdc`@`%`",
     NULL},
    {"8.0.39", "GRANT USAGE ON *.* TO `cdc`@`%`\nGRANT `capture`@`%` TO `cdc`@`%`",
     "rights that come through a role do not count"},
    {"10.11.6-MariaDB-log",
     "GRANT SELECT, REPLICATION SLAVE, BINLOG MONITOR ON *.* TO `cdc`@`%` IDENTIFIED BY "
     "PASSWORD '<secret>'",
     NULL},
    {"10.11.6-MariaDB-log",
     "GRANT BINLOG MONITOR, REPLICATION SLAVE ADMIN ON *.* TO `cdc`@`%`\n"
     "GRANT SELECT ON `shop`.* TO `cdc`@`%`",
     "run GRANT REPLICATION SLAVE ON *.* TO 'cdc'@'%'"},
};

static void reads_mysql_grants(void **state)
{
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(mysql_grants); i++) {
        struct findings found;

        f->server.version = mysql_grants[i].version;
        findings_lines(f, mysql_grants[i].grants, &f->server.grants);
        found = look_at_mysql(f, "shop");
        if (mysql_grants[i].missing == NULL) {
            assert_string_equal(findings_reasons(f, &found, FINDING_MISSING), "");
        } else {
            assert_string_equal(findings_reasons(f, &found, FINDING_MISSING),
                                "MySQL MissingGrant");
            ASSERT_CONTAINS(findings_text(&found, "MissingGrant"),
                            mysql_grants[i].missing);
        }
    }
}

static void lists_every_setting_at_once(void **state)
{
    struct fixture *f = *state;
    struct findings found;
    struct fault fault = FAULT_INIT;

    f->server.log_bin = false;
    f->server.server_id = 0;
    f->server.binlog_format = "STATEMENT";
    f->server.binlog_row_image = "MINIMAL";
    findings_lines(f, "GRANT USAGE ON *.* TO `cdc`@`%`", &f->server.grants);
    found = look_at_mysql(f, "");
    assert_string_equal(findings_reasons(f, &found, FINDING_MISSING),
                        "MySQL BinlogOff; MySQL ServerIdUnset; MySQL BinlogNotRow; MySQL "
                        "RowImageNotFull; MySQL MissingGrant");
    ASSERT_REFUSED(preflight_passed(&found, &fault), &fault, "BinlogOff");
    assert_int_equal(fault.class, FAULT_REFUSED);
    ASSERT_CONTAINS(fault.text, "MySQL lacks what is needed: ");
    ASSERT_CONTAINS(fault.text, "SET GLOBAL server_id = 1");
    ASSERT_CONTAINS(fault.text, "SET GLOBAL binlog_format = 'ROW'");
    ASSERT_CONTAINS(fault.text, "SET GLOBAL binlog_row_image = 'FULL'");
    ASSERT_CONTAINS(fault.text, "GRANT REPLICATION SLAVE, REPLICATION CLIENT");
    assert_int_equal(sv_find(sv_from(fault.text), SV("GRANT SELECT")), SIZE_MAX);
}

static void warns_of_short_binary_logs(void **state)
{
    static const struct {
        const char *version;
        enum mysql_flavor flavor;
        int64_t seconds;
        const char *words; /* NULL: fine */
    } cases[] = {
        {"8.0.39", MYSQL_ORACLE, 86400, NULL},
        {"8.0.39", MYSQL_ORACLE, 0, NULL},
        {"8.0.39", MYSQL_ORACLE, -1, NULL},
        {"8.0.39", MYSQL_ORACLE, 5400,
         "deleted after 90 min, and changes that RisingWave did not read by then are "
         "lost: run SET GLOBAL binlog_expire_logs_seconds = 604800"},
        {"8.4.0", MYSQL_ORACLE, 86399, "deleted after 23 h"},
        {"5.7.44", MYSQL_ORACLE, 3600, "run SET GLOBAL expire_logs_days = 7"},
        {"10.11.6-MariaDB", MYSQL_MARIADB, 3600, "run SET GLOBAL expire_logs_days = 7"},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct findings found;

        f->server.version = cases[i].version;
        f->server.flavor = cases[i].flavor;
        f->server.binlog_expire_seconds = cases[i].seconds;
        found = look_at_mysql(f, "shop");
        assert_string_equal(findings_reasons(f, &found, FINDING_MISSING), "");
        if (cases[i].words == NULL) {
            assert_string_equal(findings_reasons(f, &found, FINDING_WARNING), "");
        } else {
            ASSERT_CONTAINS(findings_text(&found, "BinlogExpiresSoon"), cases[i].words);
        }
    }
}

static void warns_of_mariadb_and_of_what_cannot_be_parsed(void **state)
{
    struct fixture *f = *state;
    struct findings found = {0};
    struct strlist columns = {0};
    struct fault fault = FAULT_INIT;

    f->server.flavor = MYSQL_MARIADB;
    for (int i = 0; i < 11; i++) {
        VEC_PUSH(f->arena, &columns,
                 (const char *)arena_printf(f->arena, "t%d.id (uuid)", i));
    }
    preflight_mysql(&f->server, "shop", &columns, f->arena, &found);
    assert_string_equal(findings_reasons(f, &found, FINDING_WARNING),
                        "MySQL MariaDBSource; MySQL UnparseableColumns");
    ASSERT_CONTAINS(findings_text(&found, "UnparseableColumns"),
                    "t6.id (uuid), t7.id (uuid) and 3 more");
    ASSERT_OK(preflight_passed(&found, &fault), &fault);
    ASSERT_CONTAINS(preflight_warnings(&found, f->arena), "is skipped; prefer MySQL");
    ASSERT_CONTAINS(preflight_warnings(&found, f->arena), "; the connector cannot parse");
    columns.n = found.list.n = 0;
    preflight_mysql(&f->server, "shop", &columns, f->arena, &found);
    assert_string_equal(findings_reasons(f, &found, FINDING_WARNING),
                        "MySQL MariaDBSource");
}

/* --- RisingWave --- */

static struct rw_server good_rw(void)
{
    return (struct rw_server){.version = "3.0.3",
                              .user = "ctl",
                              .database = "dev",
                              .users = -1,
                              .may_create = 1,
                              .may_connect = 1,
                              .actors = -1,
                              .parallelism = -1};
}

static struct findings look_at_rw(struct fixture *f, const struct rw_server *server)
{
    struct findings findings = {0};

    preflight_risingwave(server, f->arena, &findings);
    return findings;
}

static void asks_for_rights_on_the_database(void **state)
{
    struct fixture *f = *state;
    struct rw_server server = good_rw();
    struct findings found = look_at_rw(f, &server);
    struct fault fault = FAULT_INIT;

    assert_int_equal(found.list.n, 0);
    server.may_create = server.may_connect = -1; /* not known: nothing is claimed */
    found = look_at_rw(f, &server);
    assert_int_equal(found.list.n, 0);
    server.may_create = 0;
    found = look_at_rw(f, &server);
    assert_string_equal(findings_text(&found, "SchemaDenied"),
                        "the account lacks rights: run GRANT CREATE ON DATABASE \"dev\" "
                        "TO \"ctl\"");
    server.may_connect = 0;
    found = look_at_rw(f, &server);
    ASSERT_CONTAINS(findings_text(&found, "SchemaDenied"),
                    "GRANT CREATE, CONNECT ON DATABASE \"dev\" TO \"ctl\"");
    ASSERT_REFUSED(preflight_passed(&found, &fault), &fault, "SchemaDenied");
    assert_int_equal(fault.class, FAULT_DENIED);
    server.superuser = true;
    found = look_at_rw(f, &server);
    assert_int_equal(found.list.n, 0);
}

static void keeps_within_the_actor_limits(void **state)
{
    static const struct {
        int64_t actors, parallelism;
        const char *missing, *warning;
    } cases[] = {
        {-1, -1, "", ""},
        {50, 0, "", ""},
        {199, 2, "", ""},
        {200, 2, "", "RisingWave ManyActors"},
        {759, 2, "", "RisingWave ManyActors"},
        {760, 2, "RisingWave ActorLimit", ""},
        {900, 1, "RisingWave ActorLimit", ""},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct rw_server server = good_rw();
        struct findings found;

        server.actors = cases[i].actors;
        server.parallelism = cases[i].parallelism;
        found = look_at_rw(f, &server);
        assert_string_equal(findings_reasons(f, &found, FINDING_MISSING),
                            cases[i].missing);
        assert_string_equal(findings_reasons(f, &found, FINDING_WARNING),
                            cases[i].warning);
    }
}

static void warns_of_recovery_and_old_versions(void **state)
{
    struct fixture *f = *state;
    struct rw_server server = good_rw();
    struct findings found;

    server.recovering = true;
    server.version = "2.6.1";
    /* A licence that leaves things out is no matter: nothing of ours needs one. */
    server.license = "free";
    VEC_PUSH(f->arena, &server.unavailable_features, "SecretManagement");
    found = look_at_rw(f, &server);
    assert_string_equal(findings_reasons(f, &found, FINDING_MISSING), "");
    assert_string_equal(findings_reasons(f, &found, FINDING_WARNING),
                        "RisingWave Recovering; RisingWave VersionNotVerified");
    ASSERT_CONTAINS(findings_text(&found, "VersionNotVerified"),
                    "RisingWave 2.6.1 is older");
    server = good_rw();
    server.version = NULL;
    found = look_at_rw(f, &server);
    assert_int_equal(found.list.n, 0);
}

/* --- together --- */

/* RisingWave's snapshot reader would not log in, and would try for ever. */
static void an_account_that_demands_tls_needs_a_mode_that_gives_it(void **state)
{
    static const enum tls_mode weak[] = {TLS_DISABLE, TLS_PREFER};
    static const enum tls_mode strong[] = {TLS_REQUIRE, TLS_VERIFY_CA, TLS_VERIFY_FULL};
    struct fixture *f = *state;

    f->server.require = "SSL";
    for (size_t i = 0; i < COUNT_OF(weak); i++) {
        struct findings found = {0};
        struct fault fault = FAULT_INIT;

        preflight_mysql_tls(&f->server, weak[i], f->arena, &found);
        ASSERT_REFUSED(preflight_passed(&found, &fault), &fault, "TLSRequired");
        ASSERT_CONTAINS(fault.text, "is Require, VerifyCA or VerifyFull");
    }
    for (size_t i = 0; i < COUNT_OF(strong); i++) {
        struct findings found = {0};
        struct fault fault = FAULT_INIT;

        preflight_mysql_tls(&f->server, strong[i], f->arena, &found);
        assert_int_equal(found.list.n, 0);
        f->server.require = "X509";
        preflight_mysql_tls(&f->server, strong[i], f->arena, &found);
        ASSERT_REFUSED(preflight_passed(&found, &fault), &fault, "TLSRequired");
        ASSERT_CONTAINS(fault.text, "(REQUIRE X509), and RisingWave has none to show");
        f->server.require = "SSL";
    }
    f->server.require = NULL;
}

static void three_servers_in_one_message(void **state)
{
    struct fixture *f = *state;
    struct rw_server rw = good_rw();
    struct sr_server sr = {.live_backends = 0, .grants_known = true};
    struct findings found = {0};
    struct fault fault = FAULT_INIT;

    assert_null(preflight_warnings(&found, f->arena));
    findings_lines(f, "GRANT USAGE ON *.* TO `cdc`@`%`", &f->server.grants);
    f->server.flavor = MYSQL_MARIADB;
    rw.may_create = 0;
    preflight_mysql(&f->server, "shop", NULL, f->arena, &found);
    preflight_risingwave(&rw, f->arena, &found);
    preflight_starrocks(&sr, "ctl", &f->sync, f->arena, &found);
    ASSERT_REFUSED(preflight_passed(&found, &fault), &fault, "MissingGrant");
    assert_int_equal(fault.class, FAULT_REFUSED);
    assert_true(sv_starts(sv_from(fault.text),
                          SV("3 servers lack what is needed. MySQL: the account lacks")));
    ASSERT_CONTAINS(fault.text,
                    ". RisingWave: the account lacks rights: run GRANT CREATE");
    ASSERT_CONTAINS(fault.text, ". StarRocks: no backend is alive");
    ASSERT_CONTAINS(fault.text, "; for ods.orders then run GRANT CREATE TABLE");
    assert_int_equal(sv_find(sv_from(fault.text), SV("MariaDB")), SIZE_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(reads_mysql_grants),
        TEST(lists_every_setting_at_once),
        TEST(warns_of_short_binary_logs),
        TEST(warns_of_mariadb_and_of_what_cannot_be_parsed),
        TEST(asks_for_rights_on_the_database),
        TEST(keeps_within_the_actor_limits),
        TEST(warns_of_recovery_and_old_versions),
        TEST(an_account_that_demands_tls_needs_a_mode_that_gives_it),
        TEST(three_servers_in_one_message),
    };

    return cmocka_run_group_tests_name("preflight", tests, NULL, NULL);
}

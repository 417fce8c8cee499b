/* What a StarRocks account lacks, from what a real FE answered. */
#include "findings.h"

#include <string.h>

/* contract: what FE 4.1 printed for its accounts. */
#define CTL_GRANTS                                                                       \
    "GRANT DELETE, DROP, INSERT, SELECT, ALTER, UPDATE ON ALL TABLES IN DATABASE d1 TO " \
    "USER 'ctl'@'%'\n"                                                                   \
    "GRANT CREATE TABLE ON DATABASE d1 TO USER 'ctl'@'%'\n"                              \
    "GRANT CREATE DATABASE ON CATALOG default_catalog TO USER 'ctl'@'%'"
#define MID_GRANTS                                                                       \
    "GRANT DELETE, DROP, INSERT, SELECT, ALTER, EXPORT, UPDATE, REFRESH ON ALL TABLES "  \
    "IN ALL DATABASES TO USER 'mid'@'%'\n"                                               \
    "GRANT INSERT ON TABLE d1.good TO USER 'mid'@'%'"

static struct findings look_at_sr(struct fixture *f, const char *grants)
{
    struct findings findings = {0};
    struct sr_server server = {
        .version = "4.1.0", .live_backends = -1, .grants_known = grants != NULL};

    findings_lines(f, grants == NULL ? "" : grants, &server.grants);
    preflight_starrocks(&server, "ctl", &f->sync, f->arena, &findings);
    return findings;
}

static const struct {
    const char *grants, *database;
    enum deletion_policy deletion;
    const char *reason;
    const char *missing; /* after "run "; NULL: nothing */
} sr_grants[] = {
    {CTL_GRANTS, "d1", DELETION_DELETE, NULL, NULL},
    {CTL_GRANTS, "d2", DELETION_DELETE, "DatabaseMissing",
     "GRANT CREATE TABLE ON DATABASE `d2` TO USER 'ctl'@'%'; GRANT SELECT, INSERT, "
     "UPDATE, DELETE, ALTER, DROP ON ALL TABLES IN DATABASE `d2` TO USER 'ctl'@'%'"},
    {MID_GRANTS, "d1", DELETION_RETAIN, "MissingGrant",
     "GRANT CREATE TABLE ON DATABASE `d1` TO USER 'mid'@'%'"},
    {"GRANT SELECT ON TABLE d1.orders TO USER 'low'@'%'\n"
     "GRANT CREATE TABLE ON ALL DATABASES TO USER 'low'@'%'",
     "d1", DELETION_RETAIN, "MissingGrant",
     "GRANT INSERT, UPDATE, DELETE, ALTER ON ALL TABLES IN DATABASE `d1` TO USER "
     "'low'@'%'"},
    {"GRANT SELECT ON TABLE d1.other TO USER 'low'@'%'\n"
     "GRANT CREATE TABLE ON DATABASE d1 TO USER 'low'@'%'",
     "d1", DELETION_DELETE, "MissingGrant",
     "GRANT SELECT, INSERT, UPDATE, DELETE, ALTER, DROP ON ALL TABLES IN DATABASE `d1`"},
    {"GRANT ALL ON ALL TABLES IN DATABASE d1 TO USER 'own'@'%' WITH GRANT OPTION\n"
     "GRANT CREATE TABLE ON DATABASE d1 TO USER 'own'@'%'",
     "d1", DELETION_DELETE, NULL, NULL},
    /* Nothing at all, as a new account has: its name is the one that logs in. */
    {"", "d1", DELETION_RETAIN, "DatabaseMissing",
     "GRANT CREATE TABLE ON DATABASE `d1` TO USER 'ctl'@'%'; GRANT SELECT, INSERT, "
     "UPDATE, DELETE, ALTER ON ALL TABLES IN DATABASE `d1` TO USER 'ctl'@'%'"},
};

static void reads_starrocks_grants(void **state)
{
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(sr_grants); i++) {
        struct findings found;

        f->sync.target_database = sr_grants[i].database;
        f->sync.deletion_policy = sr_grants[i].deletion;
        found = look_at_sr(f, sr_grants[i].grants);
        if (sr_grants[i].missing == NULL) {
            assert_string_equal(findings_reasons(f, &found, FINDING_MISSING), "");
            continue;
        }
        assert_string_equal(findings_reasons(f, &found, FINDING_MISSING),
                            arena_printf(f->arena, "StarRocks %s", sr_grants[i].reason));
        ASSERT_CONTAINS(findings_text(&found, sr_grants[i].reason),
                        arena_printf(f->arena, "%s.orders%s run %s",
                                     sr_grants[i].database,
                                     sr_grants[i].reason[0] == 'D' ? " then" : ":",
                                     sr_grants[i].missing));
    }
}

static void asks_only_for_what_the_policies_need(void **state)
{
    static const char *const LOADS =
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN DATABASE ods TO USER "
        "'ctl'@'%'";
    struct fixture *f = *state;
    struct findings found;

    f->sync.target_create = CREATE_NEVER;
    f->sync.schema_policy = SCHEMA_FAIL;
    found = look_at_sr(f, LOADS);
    assert_int_equal(found.list.n, 0);
    f->sync.schema_policy = SCHEMA_EVOLVE;
    found = look_at_sr(f, LOADS);
    ASSERT_CONTAINS(findings_text(&found, "MissingGrant"),
                    "run GRANT ALTER ON ALL TABLES");
    f->sync.schema_policy = SCHEMA_IGNORE;
    f->sync.existing = EXISTING_ADOPT;
    found = look_at_sr(f, LOADS);
    ASSERT_CONTAINS(findings_text(&found, "MissingGrant"),
                    "run GRANT ALTER ON ALL TABLES");
    f->sync.existing = EXISTING_RECREATE;
    found = look_at_sr(f, LOADS);
    ASSERT_CONTAINS(findings_text(&found, "MissingGrant"),
                    "run GRANT DROP ON ALL TABLES");
    f->sync.existing = EXISTING_FAIL;
    f->sync.resync_mode = RESYNC_RECREATE;
    found = look_at_sr(f, LOADS);
    ASSERT_CONTAINS(findings_text(&found, "MissingGrant"),
                    "run GRANT DROP ON ALL TABLES");
    f->sync.resync_mode = RESYNC_IN_PLACE;
    f->sync.target_create = CREATE_IF_NOT_EXISTS;
    found = look_at_sr(f, LOADS);
    ASSERT_CONTAINS(findings_text(&found, "MissingGrant"),
                    "run GRANT CREATE TABLE ON DATABASE");
}

/* Grants on a database cannot be given before it is there (verified 25). */
static void a_database_may_have_to_be_made_first(void **state)
{
    struct fixture *f = *state;
    struct findings found;

    f->sync.create_database = CREATE_IF_NOT_EXISTS;
    found = look_at_sr(f, "GRANT CREATE TABLE ON DATABASE other TO USER 'ctl'@'%'");
    ASSERT_CONTAINS(findings_text(&found, "MissingGrant"),
                    "run GRANT CREATE DATABASE ON CATALOG default_catalog TO USER "
                    "'ctl'@'%'; creating a database gives its creator no right in it, so "
                    "once it is there run GRANT CREATE TABLE ON DATABASE `ods`");
    found = look_at_sr(
        f, "GRANT CREATE DATABASE ON CATALOG default_catalog TO USER 'ctl'@'%'");
    assert_int_equal(found.list.n, 0);
    /* It is there already: making it is no question any more. */
    found = look_at_sr(f, "GRANT CREATE TABLE ON DATABASE ods TO USER 'ctl'@'%'");
    ASSERT_CONTAINS(findings_text(&found, "MissingGrant"),
                    "ods.orders: run GRANT SELECT");
}

static void claims_nothing_that_it_does_not_know(void **state)
{
    struct fixture *f = *state;
    struct findings found = look_at_sr(f, NULL);
    struct sr_server root = {.live_backends = 3, .grants_known = true, .root = true};

    assert_int_equal(found.list.n, 0);
    found = look_at_sr(f, "GRANT 'loader' TO 'ctl'@'%'");
    assert_string_equal(findings_reasons(f, &found, FINDING_MISSING), "");
    assert_string_equal(findings_reasons(f, &found, FINDING_WARNING),
                        "StarRocks RightsNotChecked");
    ASSERT_CONTAINS(findings_text(&found, "RightsNotChecked"), "SET DEFAULT ROLE");
    f->sync.target_database = "d1";
    found = look_at_sr(f, "GRANT 'loader' TO 'ctl'@'%'\n" CTL_GRANTS);
    assert_int_equal(found.list.n, 0);
    found.list.n = 0;
    preflight_starrocks(&root, "root", &f->sync, f->arena, &found);
    assert_int_equal(found.list.n, 0);
    root.root = false;
    preflight_starrocks(&root, "ctl", NULL, f->arena, &found); /* a connection alone */
    assert_int_equal(found.list.n, 0);
}

static void backends_must_be_alive(void **state)
{
    struct fixture *f = *state;
    struct sr_server server = {.live_backends = 0};
    struct findings found = {0};
    struct fault fault = FAULT_INIT;

    preflight_starrocks(&server, "ctl", NULL, f->arena, &found);
    ASSERT_REFUSED(preflight_passed(&found, &fault), &fault, "NoBackends");
    assert_int_equal(fault.class, FAULT_UNAVAILABLE);
    ASSERT_CONTAINS(fault.text, "StarRocks lacks what is needed: no backend is alive");
}

/* Names of any length: what does not fit is cut, and the text stays text. */
static void a_message_has_a_ceiling(void **state)
{
    struct fixture *f = *state;
    struct findings found = {0};
    struct fault fault = FAULT_INIT;
    char long_name[600];

    memset(long_name, 'x', sizeof(long_name) - 1);
    long_name[sizeof(long_name) - 1] = '\0';
    f->sync.target_database = long_name;
    found = look_at_sr(f, "");
    assert_false(preflight_passed(&found, &fault));
    assert_int_equal(strlen(fault.text), sizeof(fault.text) - 1);
    assert_true(sv_ends(sv_from(fault.text), SV("...")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(reads_starrocks_grants),
        TEST(asks_only_for_what_the_policies_need),
        TEST(a_database_may_have_to_be_made_first),
        TEST(claims_nothing_that_it_does_not_know),
        TEST(backends_must_be_alive),
        TEST(a_message_has_a_ceiling),
    };

    return cmocka_run_group_tests_name("preflight_sr", tests, NULL, NULL);
}

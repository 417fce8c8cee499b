#include "db/risingwave_rows.h"
#include "unit.h"

struct acl_case {
    const char *acl;
    int create, connect;
};

static struct rw_server account(struct arena *arena, const char *user, const char *owner,
                                const char *acl)
{
    struct rows users =
        RECORDED(arena, 4, "id", "name", "is_super", "is_admin", /**/
                 "1", "root", "t", "t", "12", "lowly", "f", "f", "13", "low,\"ly\\", "f",
                 "f", "14", "low", "f", "f", "15", "chief", "f", "t");
    struct rows databases = RECORDED(arena, 3, "name", "owner", "acl", /**/
                                     "other", "12", "{lowly=Cc/root}", "dev", owner, acl);
    struct rw_server server = {.user = user, .database = "dev"};

    risingwave_rows_account(&users, &databases, &server);
    return server;
}

static void privileges_on_the_database(void **state)
{
    static const struct acl_case cases[] = {
        {"{root=Cc/root,lowly=c*/admin}", 0, 1},
        {"{root=Cc/root,lowly=c*C/root}", 1, 1},
        {"{root=Cc/root,lowly=C*/admin,lowly=c/other}", 1, 1},
        {"{root=Cc/root}", 0, 0},
        {"{root=Cc/root,=c/root}", 0, 1}, /* for everybody */
        {"{root=Cc/root,lowlyx=Cc/root,xlowly=Cc/root}", 0, 0},
        {"{\"lowly=Cc/ro ot\"}", 1, 1},
        {"{lowly=/admin}", 0, 0},
        /* What is no list, or holds what is no right, says nothing. */
        {"{\"lowly=a,lowly=Cc/root\"}", -1, -1}, /* a user with an odd name */
        {"{lowly}", -1, -1},
        {"{}", -1, -1},
        {"{root=Cc/root,group devs}", -1, -1},
        {"", -1, -1},
        {"lowly=Cc/root", -1, -1},
        {"{lowly=Cc/root", -1, -1},
        {NULL, -1, -1},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct rw_server s = account(*state, "lowly", "1", cases[i].acl);
        if (s.superuser || s.may_create != cases[i].create ||
            s.may_connect != cases[i].connect) {
            fail_msg("%s: %d %d", cases[i].acl == NULL ? "NULL" : cases[i].acl,
                     s.may_create, s.may_connect);
        }
    }
}

static void a_name_that_needs_quotes(void **state)
{
    struct rw_server s =
        account(*state, "low,\"ly\\", "1", "{root=Cc/root,\"low,\\\"ly\\\\=C/root\"}");

    assert_int_equal(s.may_create, 1);
    assert_int_equal(s.may_connect, 0);
}

static void superusers_and_owners_may_all(void **state)
{
    struct rw_server s = account(*state, "root", "1", NULL);
    assert_true(s.superuser);
    assert_int_equal(s.may_create, 1);
    assert_int_equal(s.may_connect, 1);

    s = account(*state, "lowly", "12", "{root=Cc/root}");
    assert_false(s.superuser);
    assert_int_equal(s.may_create, 1);
    assert_int_equal(s.may_connect, 1);
}

static void what_is_hidden_is_unknown(void **state)
{
    struct rows none = {0};
    struct rows users = RECORDED(*state, 3, "id", "name", "is_super", "12", "lowly", "f");
    struct rw_server s = account(*state, "nobody", "1", "{nobody=Cc/root}");
    struct rw_server unseen = {.user = "lowly", .database = "dev"};

    assert_int_equal(s.may_create, -1);
    assert_int_equal(s.may_connect, -1);
    s = account(*state, "chief", "1", "{root=Cc/root}"); /* an administrator */
    assert_int_equal(s.may_create, -1);
    risingwave_rows_account(&users, &none, &unseen);
    assert_int_equal(unseen.may_create, -1);
    risingwave_rows_account(&none, &none, &unseen);
    assert_false(unseen.superuser);
    assert_int_equal(unseen.may_connect, -1);
}

static void features_and_the_licence(void **state)
{
    struct rows none = RECORDED(*state, 2, "name", "available", "TimeTravel", "f",
                                "SecretManagement", "f");
    struct rows some = RECORDED(*state, 2, "name", "available", "TimeTravel", "t",
                                "SecretManagement", "f");
    struct rows all = RECORDED(*state, 2, "name", "available", "TimeTravel", "t");
    struct rows unseen = {0};
    struct rw_server s = {0};

    risingwave_rows_features(&none, *state, &s);
    assert_string_equal(s.license, "no licensed features");
    assert_int_equal(s.unavailable_features.n, 2);
    risingwave_rows_features(&some, *state, &s);
    assert_string_equal(s.license, "some features");
    assert_int_equal(s.unavailable_features.n, 1);
    assert_string_equal(s.unavailable_features.v[0], "SecretManagement");
    risingwave_rows_features(&all, *state, &s);
    assert_string_equal(s.license, "all features");
    assert_int_equal(s.unavailable_features.n, 0);
    risingwave_rows_features(&unseen, *state, &s);
    assert_null(s.license);
}

static void the_fullest_worker_counts(void **state)
{
    struct rows actors = RECORDED(*state, 2, "worker_id", "actors", "2", "40", "4", "90",
                                  "5", "1000", "6", "800");
    struct rows workers =
        RECORDED(*state, 4, "id", "state", "parallelism", "is_streaming", /**/
                 "0", "RUNNING", NULL, NULL, "1", "RUNNING", "6", "f", "2", "RUNNING",
                 "2", "t", /**/
                 "3", "RUNNING", "8", "t", "4", "RUNNING", "4", "t", "5", "STARTING", "1",
                 "t", /**/
                 "6", "RUNNING", "0", "t");
    struct rows idle = RECORDED(*state, 2, "worker_id", "actors");
    struct rows nobody = {0};
    struct rw_server s = {0};

    risingwave_rows_actors(&actors, &workers, &s);
    assert_int_equal(s.actors, 90);
    assert_int_equal(s.parallelism, 4);
    risingwave_rows_actors(&idle, &workers, &s);
    assert_int_equal(s.actors, 0);
    assert_int_equal(s.parallelism, 2);
    risingwave_rows_actors(&actors, &nobody, &s);
    assert_int_equal(s.actors, -1);
    assert_int_equal(s.parallelism, -1);
}

int main(void)
{
#define ROWS_TEST(f) cmocka_unit_test_setup_teardown(f, arena_setup, arena_teardown)
    const struct CMUnitTest tests[] = {
        ROWS_TEST(privileges_on_the_database),    ROWS_TEST(a_name_that_needs_quotes),
        ROWS_TEST(superusers_and_owners_may_all), ROWS_TEST(what_is_hidden_is_unknown),
        ROWS_TEST(features_and_the_licence),      ROWS_TEST(the_fullest_worker_counts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What becomes of another address or account: of the source, and of a sink. */
#include "scene.h"

#include <string.h>

static void plan(struct scene *s)
{
    struct fault fault = FAULT_INIT;

    ASSERT_OK(scene_plan(s, &fault), &fault);
}

static void alters_the_source_at_once(void **state)
{
    struct scene s = {0};

    scene_open(&s, state);
    scene_converge(&s);
    AUTO(secret_freep) struct secret *password = secret_new(SV("ne'w"));
    s.f->source.host = "db2";
    s.f->source.port = 3307;
    s.in.source_user = "reader";
    s.in.source_password = password;
    plan(&s);
    assert_int_equal(s.plan.steps.n, 1);
    assert_int_equal(s.plan.purpose, PURPOSE_SETTINGS);
    assert_int_equal(s.plan.steps.v[0].kind, PLAN_ALTER_SOURCE);
    assert_int_equal(s.plan.steps.v[0].risk, RISK_SAFE);
    ASSERT_CONTAINS(scene_sql(&s, 0),
                    " CONNECTOR WITH (hostname='db2', port='3307', username='reader', "
                    "password='ne''w')");
    ASSERT_CONTAINS(stmt_redacted(s.plan.steps.v[0].stmt, s.f->arena), "password='***')");
    assert_null(s.plan.source_differs);
    scene_converge(&s);
}

static void alters_only_what_differs(void **state)
{
    struct scene s = {0};

    scene_open(&s, state);
    scene_converge(&s);
    s.w.rw.sources.v[0].username = "somebody";
    plan(&s);
    assert_int_equal(s.plan.steps.n, 1);
    ASSERT_CONTAINS(scene_sql(&s, 0), " CONNECTOR WITH (username='cdc')");
}

static void leaves_a_source_that_another_decides(void **state)
{
    struct scene s = {0};

    scene_open(&s, state);
    scene_converge(&s);
    s.in.source_follows = false;
    plan(&s);
    assert_null(s.plan.source_differs); /* nothing differs */
    s.f->source.host = "db2";
    s.in.source_user = "reader";
    plan(&s);
    assert_int_equal(s.plan.steps.n, 0);
    ASSERT_CONTAINS(s.plan.source_differs, "its hostname is mysql.shop.svc, not db2");
    ASSERT_CONTAINS(s.plan.source_differs, "its user is cdc, not reader");
    ASSERT_CONTAINS(s.plan.source_differs, "another DatabaseConnection");
}

static void compares_only_what_is_shown(void **state)
{
    struct scene s = {0};

    scene_open(&s, state);
    scene_converge(&s);
    struct rw_source *source = &s.w.rw.sources.v[0];
    struct rw_sink *sink = &s.w.rw.sinks.v[0];
    const char **fields[] = {
        &source->port,         &source->username, &source->password_digest,
        &source->hostname,     &source->ssl_mode, &sink->host,
        &sink->mysql_port,     &sink->http_port,  &sink->user,
        &sink->password_digest};
    for (size_t i = 0; i < COUNT_OF(fields); i++) {
        *fields[i] = NULL;
    }
    plan(&s);
    assert_int_equal(s.plan.steps.n, 0);
    assert_null(s.plan.source_differs);
}

static void tells_of_a_tls_mode_that_cannot_be_altered(void **state)
{
    struct scene s = {0};

    scene_open(&s, state);
    scene_converge(&s);
    s.f->source.tls_mode = TLS_VERIFY_FULL;
    plan(&s);
    assert_int_equal(s.plan.steps.n, 0);
    ASSERT_CONTAINS(s.plan.source_differs, "its ssl.mode is 'preferred'");
    ASSERT_CONTAINS(s.plan.source_differs, "asks for 'required'");
    s.w.rw.sources.v[0].ssl_mode = "require"; /* another spelling */
    plan(&s);
    assert_null(s.plan.source_differs);
    s.w.rw.sources.v[0].ssl_mode = NULL; /* left out is "disabled" */
    plan(&s);
    ASSERT_CONTAINS(s.plan.source_differs, "its ssl.mode is 'disabled'");
    s.f->source.tls_mode = TLS_DISABLE;
    plan(&s);
    assert_null(s.plan.source_differs);
}

static void says_that_no_certificate_is_verified(void **state)
{
    static const struct {
        enum tls_mode mode;
        const char *option; /* NULL: none */
        bool note;
    } cases[] = {{TLS_DISABLE, NULL, false},
                 {TLS_PREFER, "ssl.mode='preferred'", false},
                 {TLS_REQUIRE, "ssl.mode='required'", false},
                 {TLS_VERIFY_CA, "ssl.mode='required'", true},
                 {TLS_VERIFY_FULL, "ssl.mode='required'", true}};
    struct scene s = {0};

    scene_open(&s, state);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        s.f->source.tls_mode = cases[i].mode;
        plan(&s);
        assert_int_equal(s.plan.steps.v[1].kind, PLAN_CREATE_SOURCE);
        if (cases[i].option == NULL) {
            assert_null(strstr(scene_sql(&s, 1), "ssl.mode"));
        } else {
            ASSERT_CONTAINS(scene_sql(&s, 1), cases[i].option);
        }
        assert_int_equal(s.plan.notes.n, cases[i].note ? 1 : 0);
        if (cases[i].note) {
            ASSERT_CONTAINS(s.plan.notes.v[0], "does not verify MySQL's certificate");
        }
    }
}

/* One field after the other; each leads to another sink by the same steps. */
static void replaces_a_sink_that_goes_elsewhere(void **state)
{
    static const enum plan_kind kinds[] = {
        PLAN_COMMENT_TABLE, PLAN_ALTER_SINK, PLAN_CREATE_SINK, PLAN_ALTER_SINK,
        PLAN_DELETE_GHOSTS, PLAN_DROP_SINK,  PLAN_ALTER_SINK};
    struct scene s = {0};

    scene_open(&s, state);
    for (size_t i = 0; i < 5; i++) {
        scene_converge(&s);
        struct rw_sink *sink = &s.w.rw.sinks.v[0];
        const char **fields[] = {&sink->host, &sink->mysql_port, &sink->http_port,
                                 &sink->user, &sink->password_digest};
        *fields[i] = "8123";
        plan(&s);
        assert_int_equal(s.plan.purpose, PURPOSE_ROTATE);
        assert_int_equal(s.plan.steps.n, COUNT_OF(kinds));
        for (size_t k = 0; k < COUNT_OF(kinds); k++) {
            assert_int_equal(s.plan.steps.v[k].kind, kinds[k]);
            assert_int_equal(s.plan.steps.v[k].risk, RISK_SAFE);
        }
        assert_string_equal(s.plan.steps.v[4].ghosts_of, sink->name);
        assert_int_equal(s.plan.sink_version, (int64_t)i + 2);
    }
}

/* An approval covers what is left: each rest of the plan is made of the same steps. */
static void goes_on_with_the_same_steps(void **state)
{
    struct scene s = {0};
    struct plan whole;

    scene_open(&s, state);
    scene_converge(&s);
    s.w.rw.sinks.v[0].user = "somebody";
    plan(&s);
    whole = s.plan;
    for (size_t done = 0; done < whole.steps.n; done++) {
        assert_int_equal(s.plan.steps.n, whole.steps.n - done);
        for (size_t i = done; i < whole.steps.n; i++) {
            assert_string_equal(s.plan.steps.v[i - done].id, whole.steps.v[i].id);
        }
        world_apply(&s.w, &whole.steps.v[done]);
        if (whole.steps.v[done].kind == PLAN_DELETE_GHOSTS) {
            /* Nothing shows that it was done: until the sink is dropped it comes again.
             */
            world_apply(&s.w, &whole.steps.v[++done]);
        }
        plan(&s);
    }
    assert_int_equal(s.plan.steps.n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(alters_the_source_at_once),
        TEST(alters_only_what_differs),
        TEST(leaves_a_source_that_another_decides),
        TEST(compares_only_what_is_shown),
        TEST(tells_of_a_tls_mode_that_cannot_be_altered),
        TEST(says_that_no_certificate_is_verified),
        TEST(replaces_a_sink_that_goes_elsewhere),
        TEST(goes_on_with_the_same_steps),
    };

    return cmocka_run_group_tests_name("account", tests, NULL, NULL);
}

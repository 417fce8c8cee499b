#include "unit.h"
#include "world.h"

#include <string.h>

struct scene {
    struct fixture *f;
    struct world w;
    struct plan plan;
    struct strlist recorded;
};

static void apply(struct scene *s)
{
    for (size_t i = 0; i < s->plan.steps.n; i++) {
        world_apply(&s->w, &s->plan.steps.v[i]);
    }
}

static void provision(struct scene *s)
{
    struct desired_input input = fixture_input(s->f);
    struct desired d;
    struct fault fault = FAULT_INIT;

    ASSERT_OK(desired_build(&input, s->f->arena, &d, &fault), &fault);
    ASSERT_OK(plan_make(&d, &s->w.rw, &s->w.sr, s->f->arena, &s->plan, &fault), &fault);
    apply(s);
}

static void open_scene(struct scene *s, void **state)
{
    s->f = *state;
    fixture_column(s->f, "id", "int", "PRI");
    world_init(&s->w, s->f->arena, "tablesync", "ods");
    s->w.sr.database_exists = true;
    provision(s);
}

static bool drop(struct scene *s, enum deletion_policy policy, struct fault *fault)
{
    struct plan_drop_input input = {.sync = &s->f->sync,
                                    .policy = policy,
                                    .rw_schema = "tablesync",
                                    .rw_sources = s->recorded};
    const struct sr_catalog *sr = policy == DELETION_DELETE ? &s->w.sr : NULL;

    return plan_drop(&input, &s->w.rw, sr, s->f->arena, &s->plan, fault);
}

static void assert_kinds(const struct scene *s, const char *kinds)
{
    AUTO(buf_deinit) struct buf text = {0};

    buf_init(&text, 1000);
    for (size_t i = 0; i < s->plan.steps.n; i++) {
        buf_addf(&text, "%s%s", i > 0 ? " " : "",
                 plan_kind_name(s->plan.steps.v[i].kind));
        assert_int_equal(s->plan.steps.v[i].risk, RISK_DESTRUCTIVE);
    }
    assert_string_equal(buf_z(&text), kinds);
}

static void retains_everything(void **state)
{
    struct scene s = {0};
    struct fault fault = FAULT_INIT;

    open_scene(&s, state);
    ASSERT_OK(drop(&s, DELETION_RETAIN, &fault), &fault);
    assert_kinds(&s, "");
}

static void drops_the_stream(void **state)
{
    struct scene s = {0};
    struct fault fault = FAULT_INIT;

    open_scene(&s, state);
    ASSERT_OK(drop(&s, DELETION_DELETE_STREAM, &fault), &fault);
    assert_kinds(&s, "DropSink DropTable DropSource");
    apply(&s);
    assert_int_equal(s.w.rw.relations.n, 0);
    assert_int_equal(s.w.sr.tables.n, 1);
    ASSERT_OK(drop(&s, DELETION_DELETE_STREAM, &fault), &fault);
    assert_kinds(&s, "");
}

static void drops_the_target_if_it_is_ours(void **state)
{
    struct scene s = {0};
    struct fault fault = FAULT_INIT;
    static const char *const foreign[] = {"", "by hand",
                                          "tablesync:v1 uid=x hash=000000000000"};

    open_scene(&s, state);
    const char *mark = s.w.sr.tables.v[0].comment;
    for (size_t i = 0; i < COUNT_OF(foreign); i++) {
        s.w.sr.tables.v[0].comment = foreign[i];
        ASSERT_OK(drop(&s, DELETION_DELETE, &fault), &fault);
        assert_kinds(&s, "DropSink DropTable DropSource");
    }
    s.w.sr.tables.v[0].comment = mark;
    s.w.sr.tables.v[0].is_view = true;
    ASSERT_OK(drop(&s, DELETION_DELETE, &fault), &fault);
    assert_kinds(&s, "DropSink DropTable DropSource");
    s.w.sr.tables.v[0].is_view = false;
    ASSERT_OK(drop(&s, DELETION_DELETE, &fault), &fault);
    assert_kinds(&s, "DropSink DropTable DropSource DropTarget");
    /* Recoverable from StarRocks' recycle bin: no FORCE. */
    assert_string_equal(rendered(s.plan.steps.v[3].stmt, s.f->arena),
                        "DROP TABLE IF EXISTS `ods`.`orders`");
    apply(&s);
    assert_int_equal(s.w.sr.tables.n, 0);
}

static void drops_every_sink_version(void **state)
{
    struct scene s = {0};
    struct fault fault = FAULT_INIT;

    open_scene(&s, state);
    struct rw_sink second = s.w.rw.sinks.v[0];
    second.id = 90;
    second.name =
        arena_printf(s.f->arena, "%.*s12", (int)strlen(second.name) - 1, second.name);
    VEC_PUSH(s.f->arena, &s.w.rw.sinks, second);
    VEC_PUSH(s.f->arena, &s.w.rw.edges, (struct rw_edge){90, s.w.rw.tables.v[0].id});
    VEC_PUSH(s.f->arena, &s.w.rw.relations,
             (struct rw_relation){90, "tablesync", second.name, "sink"});
    ASSERT_OK(drop(&s, DELETION_DELETE_STREAM, &fault), &fault);
    assert_kinds(&s, "DropSink DropSink DropTable DropSource");
    apply(&s);
    assert_int_equal(s.w.rw.relations.n, 0);
}

static void keeps_a_source_that_others_use(void **state)
{
    struct scene s = {0};
    struct fault fault = FAULT_INIT;

    open_scene(&s, state);
    s.f->sync.uid = "another-resource";
    s.f->sync.target_table = "copy";
    provision(&s);
    assert_int_equal(s.w.rw.sources.n, 1);
    assert_int_equal(s.w.rw.tables.n, 2);
    ASSERT_OK(drop(&s, DELETION_DELETE_STREAM, &fault), &fault);
    assert_kinds(&s, "DropSink DropTable");
    apply(&s);
    assert_int_equal(s.w.rw.tables.n, 1);
    assert_true(strstr(s.w.rw.tables.v[0].comment, "another-resource") == NULL);
}

static void drops_a_recorded_source_without_its_table(void **state)
{
    struct scene s = {0};
    struct fault fault = FAULT_INIT;

    open_scene(&s, state);
    ASSERT_OK(drop(&s, DELETION_DELETE_STREAM, &fault), &fault);
    s.plan.steps.n = 2; /* the controller died before the source went */
    apply(&s);
    ASSERT_OK(drop(&s, DELETION_DELETE_STREAM, &fault), &fault);
    assert_kinds(&s, ""); /* nothing tells that this source was used by us */
    const char *name = arena_printf(s.f->arena, "tablesync.%s", s.w.rw.sources.v[0].name);
    VEC_PUSH(s.f->arena, &s.recorded, name);
    ASSERT_OK(drop(&s, DELETION_DELETE_STREAM, &fault), &fault);
    assert_kinds(&s, "DropSource");
    s.w.rw.sources.v[0].name = "made_by_hand";
    s.recorded.v[0] = "tablesync.made_by_hand";
    ASSERT_OK(drop(&s, DELETION_DELETE_STREAM, &fault), &fault);
    assert_kinds(&s, "");
}

static void names_dependants_and_drops_nothing(void **state)
{
    struct scene s = {0};
    struct fault fault = FAULT_INIT;

    open_scene(&s, state);
    VEC_PUSH(s.f->arena, &s.w.rw.edges, (struct rw_edge){95, s.w.rw.tables.v[0].id});
    VEC_PUSH(s.f->arena, &s.w.rw.edges, (struct rw_edge){96, s.w.rw.tables.v[0].id});
    VEC_PUSH(s.f->arena, &s.w.rw.relations,
             (struct rw_relation){95, "mart", "daily", "materialized view"});
    ASSERT_REFUSED(drop(&s, DELETION_DELETE_STREAM, &fault), &fault, "DependantsExist");
    ASSERT_CONTAINS(fault.text, "materialized view mart.daily, object 96");
    ASSERT_CONTAINS(fault.text, "Retain");
}

/* The spec went bad: only the mark tells what is ours. */
static void works_without_a_readable_spec(void **state)
{
    struct scene s = {0};
    struct fault fault = FAULT_INIT;

    open_scene(&s, state);
    s.f->sync.source_database = NULL;
    s.f->sync.source_table = NULL;
    s.f->sync.target_table = NULL;
    ASSERT_OK(drop(&s, DELETION_DELETE, &fault), &fault);
    assert_kinds(&s, "DropSink DropTable DropSource");
}

/* Created, but the controller died before the mark was set: the name proves it. */
static void takes_an_unmarked_table_by_its_name(void **state)
{
    struct scene s = {0};
    struct fault fault = FAULT_INIT;

    open_scene(&s, state);
    s.w.rw.tables.v[0].comment = NULL;
    ASSERT_OK(drop(&s, DELETION_DELETE_STREAM, &fault), &fault);
    assert_kinds(&s, "DropSink DropTable DropSource");
    s.w.rw.tables.v[0].comment = "tablesync:v1 uid=x hash=000000000000";
    s.w.rw.sinks.n = 0;
    s.w.rw.edges.n = 1;
    ASSERT_OK(drop(&s, DELETION_DELETE_STREAM, &fault), &fault);
    assert_kinds(&s, "");
}

/* A resource that never provisioned owns nothing. */
static void drops_nothing_of_others(void **state)
{
    struct scene s = {0};
    struct fault fault = FAULT_INIT;

    open_scene(&s, state);
    s.f->sync.uid = "somebody-new";
    ASSERT_OK(drop(&s, DELETION_DELETE, &fault), &fault);
    assert_kinds(&s, "");
    s.f->sync.uid = "";
    ASSERT_OK(drop(&s, DELETION_DELETE, &fault), &fault);
    assert_kinds(&s, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(retains_everything),
        TEST(drops_the_stream),
        TEST(drops_the_target_if_it_is_ours),
        TEST(drops_every_sink_version),
        TEST(keeps_a_source_that_others_use),
        TEST(drops_a_recorded_source_without_its_table),
        TEST(names_dependants_and_drops_nothing),
        TEST(works_without_a_readable_spec),
        TEST(takes_an_unmarked_table_by_its_name),
        TEST(drops_nothing_of_others),
    };

    return cmocka_run_group_tests_name("drop", tests, NULL, NULL);
}

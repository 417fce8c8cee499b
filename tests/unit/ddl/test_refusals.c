#include "scene.h"

#include <string.h>

static void leaves_tables_of_others_alone(void **state)
{
    struct scene s = {0};
    struct fault fault = FAULT_INIT;

    scene_open(&s, state);
    scene_converge(&s);
    struct sr_table *target = &s.w.sr.tables.v[0];
    target->comment = "tablesync:v1 uid=another-uid hash=000000000000";
    ASSERT_REFUSED(scene_plan(&s, &fault), &fault, "OwnedByAnother");
    ASSERT_CONTAINS(fault.text, "uid another-uid");
    target->comment = "by hand";
    ASSERT_REFUSED(scene_plan(&s, &fault), &fault, "AlreadyExists");
    ASSERT_CONTAINS(fault.text, "its columns would fit");
    target->columns.v[1].type = "char(40)";
    ASSERT_REFUSED(scene_plan(&s, &fault), &fault, "AlreadyExists");
    ASSERT_CONTAINS(fault.text, "column 'note' is char(40), varchar(40) needed");
    target->is_view = true;
    ASSERT_REFUSED(scene_plan(&s, &fault), &fault, "AlreadyExists");
    ASSERT_CONTAINS(fault.text, "is a view");
}

static void uses_a_given_table_when_it_may_not_create(void **state)
{
    struct scene s = {0};
    struct fault fault = FAULT_INIT;

    scene_open(&s, state);
    s.f->sync.target_create = CREATE_NEVER;
    ASSERT_REFUSED(scene_plan(&s, &fault), &fault, "CreateForbidden");
    s.f->sync.target_create = CREATE_IF_NOT_EXISTS;
    scene_converge(&s);
    s.w.sr.tables.v[0].comment = "";
    s.f->sync.target_create = CREATE_NEVER;
    ASSERT_OK(scene_plan(&s, &fault), &fault);
    assert_int_equal(s.plan.steps.n, 0);
    s.w.sr.tables.v[0].model = "DUP_KEYS";
    ASSERT_REFUSED(scene_plan(&s, &fault), &fault, "IncompatibleSchema");
    ASSERT_CONTAINS(fault.text, "DUP_KEYS, PRIMARY_KEYS needed");
}

static void reports_each_difference_of_the_target(void **state)
{
    struct scene s = {0};
    struct fault fault = FAULT_INIT;

    scene_open(&s, state);
    scene_converge(&s);
    struct sr_table *target = &s.w.sr.tables.v[0];
    target->columns.v[0].type = "int(11)";
    target->columns.v[1].name = "NOTE";
    VEC_PUSH(s.f->arena, &target->columns,
             (struct sr_column){.name = "extra", .type = "int(11)", .nullable = true});
    ASSERT_REFUSED(scene_plan(&s, &fault), &fault, "TargetDrift");
    ASSERT_CONTAINS(fault.text, "column 'id' is int(11), bigint(20) needed");
    ASSERT_CONTAINS(fault.text, "'note' is spelled 'NOTE'");
    assert_null(strstr(fault.text, "extra"));
    target->columns.v[0].type = "bigint(20)";
    target->columns.v[1].name = "note";
    ASSERT_OK(scene_plan(&s, &fault), &fault); /* a nullable column more does no harm */
    target->columns.v[2].nullable = false;
    ASSERT_REFUSED(scene_plan(&s, &fault), &fault, "TargetDrift");
    ASSERT_CONTAINS(fault.text, "'extra' is NOT NULL and nothing fills it");
    target->columns.n = 2;
    target->columns.v[1].nullable = false;
    ASSERT_REFUSED(scene_plan(&s, &fault), &fault, "TargetDrift");
    ASSERT_CONTAINS(fault.text, "'note' is NOT NULL");
    target->columns.v[1].nullable = true;
    target->columns.v[1].type = "varchar(41)"; /* widened by hand */
    ASSERT_OK(scene_plan(&s, &fault), &fault);
    target->columns.v[1].type = "varchar(39)"; /* widened again */
    ASSERT_OK(scene_plan(&s, &fault), &fault);
    assert_int_equal(s.plan.steps.n, 1);
    assert_int_equal(s.plan.steps.v[0].kind, PLAN_ALTER_TARGET);
    target->columns.n = 1;
    ASSERT_REFUSED(scene_plan(&s, &fault), &fault, "TargetDrift");
    ASSERT_CONTAINS(fault.text, "column 'note' is missing (varchar(40) needed)");
    target->columns.n = 2;
    target->columns.v[1].type = "varchar(40)";
    target->primary_key.v[0] = "note";
    ASSERT_REFUSED(scene_plan(&s, &fault), &fault, "TargetDrift");
    ASSERT_CONTAINS(fault.text, "its primary key is not (id)");
    target->model = NULL; /* tables_config unreadable: no difference */
    ASSERT_OK(scene_plan(&s, &fault), &fault);
}

/* The large value was deleted since: the table keeps the column it has. */
static void keeps_a_text_key_once_made(void **state)
{
    struct scene s = {0};
    struct fault fault = FAULT_INIT;

    scene_open(&s, state);
    s.f->table.columns.v[0].key_max = -1;
    scene_converge(&s);
    assert_string_equal(s.w.sr.tables.v[0].columns.v[0].type, "varchar(20)");
    s.f->table.columns.v[0].key_max = 5;
    ASSERT_OK(scene_plan(&s, &fault), &fault);
    assert_int_equal(s.plan.steps.n, 0);
    s.w.rw.sinks.n = 0;
    s.w.rw.relations.n--;
    ASSERT_OK(scene_plan(&s, &fault), &fault);
    assert_int_equal(s.plan.steps.n, 1);
    ASSERT_CONTAINS(scene_sql(&s, 0), "\"id\"::VARCHAR AS \"id\"");
    scene_apply(&s);
    /* The other way round nothing can be done silently. */
    s.w.sr.tables.v[0].columns.v[0].type = "bigint(20)";
    s.f->table.columns.v[0].key_max = -1;
    ASSERT_REFUSED(scene_plan(&s, &fault), &fault, "TargetDrift");
}

static void sees_a_sink_that_goes_elsewhere(void **state)
{
    struct scene s = {0};
    struct fault fault = FAULT_INIT;
    static const char *const needs[] = {"database", "table", "primary key"};

    scene_open(&s, state);
    scene_converge(&s);
    struct rw_sink *sink = &s.w.rw.sinks.v[0];
    const char **fields[] = {&sink->database, &sink->table, &sink->primary_key};
    for (size_t i = 0; i < COUNT_OF(fields); i++) {
        const char *was = *fields[i];
        *fields[i] = "elsewhere";
        ASSERT_REFUSED(scene_plan(&s, &fault), &fault, "DefinitionChanged");
        ASSERT_CONTAINS(
            fault.text,
            arena_printf(s.f->arena, "its %s is 'elsewhere', '%s'", needs[i], was));
        *fields[i] = NULL; /* unknown is not different */
        ASSERT_OK(scene_plan(&s, &fault), &fault);
        *fields[i] = was;
    }
}

static void sees_a_foreign_source(void **state)
{
    struct scene s = {0};
    struct fault fault = FAULT_INIT;

    scene_open(&s, state);
    scene_converge(&s);
    s.w.rw.sources.v[0].database = "other";
    ASSERT_REFUSED(scene_plan(&s, &fault), &fault, "DefinitionChanged");
    ASSERT_CONTAINS(fault.text, "it reads database other, shop needed");
    s.w.rw.sources.v[0].database = "shop";
    s.w.rw.sources.v[0].connector = "MYSQL-CDC"; /* as rw_sources shows it */
    ASSERT_OK(scene_plan(&s, &fault), &fault);
    s.w.rw.sources.v[0].connector = "kafka";
    ASSERT_REFUSED(scene_plan(&s, &fault), &fault, "DefinitionChanged");
}

/* Made anew under a living sink it would lack every row sent before. */
static void does_not_recreate_a_lost_target(void **state)
{
    struct scene s = {0};
    struct fault fault = FAULT_INIT;

    scene_open(&s, state);
    scene_converge(&s);
    s.w.sr.tables.n = 0;
    ASSERT_REFUSED(scene_plan(&s, &fault), &fault, "TargetDrift");
    ASSERT_CONTAINS(fault.text, "spec.resyncMode Recreate");
}

static void says_how_to_make_the_database(void **state)
{
    struct scene s = {0};
    struct fault fault = FAULT_INIT;

    scene_open(&s, state);
    s.w.sr.database_exists = false;
    ASSERT_REFUSED(scene_plan(&s, &fault), &fault, "DatabaseMissing");
    ASSERT_CONTAINS(fault.text, "CREATE DATABASE `ods`");
    ASSERT_CONTAINS(fault.text, "createDatabase");
}

static void refuses_a_password_no_server_can_read(void **state)
{
    struct scene s = {0};
    struct fault fault = FAULT_INIT;

    scene_open(&s, state);
    secret_freep(&s.f->password);
    s.f->password = secret_new(SV("a\xff"));
    s.in = fixture_input(s.f);
    assert_false(scene_plan(&s, &fault));
    ASSERT_CONTAINS(fault.text, "create the shared CDC source (tablesync.src_shop_");
    ASSERT_CONTAINS(fault.text, "a password holds");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(leaves_tables_of_others_alone),
        TEST(uses_a_given_table_when_it_may_not_create),
        TEST(reports_each_difference_of_the_target),
        TEST(keeps_a_text_key_once_made),
        TEST(sees_a_sink_that_goes_elsewhere),
        TEST(sees_a_foreign_source),
        TEST(does_not_recreate_a_lost_target),
        TEST(says_how_to_make_the_database),
        TEST(refuses_a_password_no_server_can_read),
    };

    return cmocka_run_group_tests_name("refusals", tests, NULL, NULL);
}

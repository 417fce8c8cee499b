#include "scene.h"

void scene_open(struct scene *s, void **state)
{
    s->f = *state;
    fixture_column(s->f, "id", "bigint unsigned", "PRI");
    fixture_column(s->f, "note", "varchar(10)", "");
    s->in = fixture_input(s->f);
    world_init(&s->w, s->f->arena, "tablesync", "ods");
    s->w.sr.database_exists = true;
}

bool scene_plan(struct scene *s, struct fault *fault)
{
    return desired_build(&s->in, s->f->arena, &s->d, fault) &&
           plan_make(&s->d, &s->w.rw, &s->w.sr, s->f->arena, &s->plan, fault);
}

void scene_apply(struct scene *s)
{
    for (size_t i = 0; i < s->plan.steps.n; i++) {
        world_apply(&s->w, &s->plan.steps.v[i]);
    }
}

void scene_converge(struct scene *s)
{
    struct fault fault = FAULT_INIT;

    ASSERT_OK(scene_plan(s, &fault), &fault);
    scene_apply(s);
    ASSERT_OK(scene_plan(s, &fault), &fault);
    assert_int_equal(s->plan.steps.n, 0);
}

const char *scene_sql(const struct scene *s, size_t index)
{
    assert_true(index < s->plan.steps.n);
    return rendered(s->plan.steps.v[index].stmt, s->f->arena);
}

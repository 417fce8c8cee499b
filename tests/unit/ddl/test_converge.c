/*
 * Property: whatever the table, carrying out a plan leaves nothing to plan, also when the
 * controller died after any of its steps; and dropping it all leaves nothing behind. The
 * world checks every statement as the servers would (world.h).
 */
#include "random_table.h"
#include "world.h"

#include <string.h>

#define ROUNDS 3000
static void plan_now(const struct fixture *f, const struct world *w,
                     struct plan *out_plan)
{
    struct desired_input input = fixture_input(f);
    struct desired d;
    struct fault fault = FAULT_INIT;

    ASSERT_OK(desired_build(&input, f->arena, &d, &fault), &fault);
    ASSERT_OK(plan_make(&d, &w->rw, &w->sr, f->arena, out_plan, &fault), &fault);
}

static void one_round(struct fixture *f, struct rng *rng)
{
    struct world w;
    struct plan plan;
    struct plan_drop_input drop = {
        .sync = &f->sync, .policy = DELETION_DELETE, .rw_schema = "tablesync"};
    struct fault fault = FAULT_INIT;

    world_init(&w, f->arena, "tablesync", "ods");
    w.sr.database_exists = rng_below(rng, 2) == 0;
    f->sync.create_database = CREATE_IF_NOT_EXISTS;
    f->sync.state = rng_below(rng, 3) == 0 ? STATE_PAUSED : STATE_RUNNING;
    f->sync.commit_checkpoint_interval = 1 + (int64_t)rng_below(rng, 12);
    random_table(f, rng);
    for (unsigned crashes = 0;; crashes++) {
        plan_now(f, &w, &plan);
        if (plan.steps.n == 0) {
            break;
        }
        assert_true(crashes < 20);
        uint64_t done = 1 + rng_below(rng, plan.steps.n);
        for (size_t i = 0; i < done; i++) {
            world_apply(&w, &plan.steps.v[i]);
        }
    }
    assert_int_equal(w.rw.sinks.n, 1);
    assert_int_equal(w.sr.tables.v[0].columns.n, f->table.columns.n);
    ASSERT_OK(plan_drop(&drop, &w.rw, &w.sr, f->arena, &plan, &fault), &fault);
    for (size_t i = 0; i < plan.steps.n; i++) {
        world_apply(&w, &plan.steps.v[i]);
    }
    assert_int_equal(w.rw.relations.n + w.rw.edges.n + w.sr.tables.n, 0);
}

static void converges(void **state)
{
    struct fixture *f = *state;

    for (unsigned round = 0; round < ROUNDS; round++) {
        struct fixture copy = *f;
        struct rng rng;
        AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);
        copy.arena = arena;
        memset(&copy.table.columns, 0, sizeof(copy.table.columns));
        memset(&copy.table.primary_key, 0, sizeof(copy.table.primary_key));
        rng_init(&rng, 1000 + round);
        one_round(&copy, &rng);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(converges),
    };

    return cmocka_run_group_tests_name("converge", tests, NULL, NULL);
}

/*
 * Property: whatever happens to the MySQL table, under whatever policy, the plan is
 * carried out and leaves nothing to plan, or it is refused with one of the reasons that
 * say what to do; and then a re-sync always leads out. Also when the controller died
 * after any step. No row of the target is ever lost without approval.
 */
#include "random_table.h"
#include "world.h"

#include <stdlib.h>
#include <string.h>

/* Each of several cases: over 100,000 plans that end in nothing. The sanitizers look at
 * the same code ten times slower. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define ROUNDS 1500
#else
#define ROUNDS 15000
#endif
#define CASES_MIN 6 /* per round */
#define ALTERS_MAX 5

struct run {
    struct fixture *f;
    struct rng rng;
    struct world w;
    struct strlist kept;
    bool applied;
    enum resync_mode resync;
    int64_t table_version;
    bool approved; /* something destructive was among the steps */
};

static int64_t cases; /* plans carried out until nothing was left */

static bool plan_now(struct run *run, struct plan *out_plan, struct fault *fault)
{
    struct desired_input input = fixture_input(run->f);
    struct desired d;

    input.first_run = input.first_target = !run->applied;
    input.kept_columns = run->kept;
    input.resync = run->resync;
    input.table_version = run->table_version;
    return desired_build(&input, run->f->arena, &d, fault) &&
           plan_make(&d, &run->w.rw, &run->w.sr, run->f->arena, out_plan, fault);
}

static void note_risk(struct run *run, const struct plan *plan)
{
    for (size_t i = 0; i < plan->steps.n; i++) {
        run->approved = run->approved || plan->steps.v[i].risk == RISK_DESTRUCTIVE;
    }
}

/* Plans and applies parts until nothing is left; false: refused, with the fault. */
static bool converge(struct run *run, struct fault *fault)
{
    for (unsigned rounds = 0;; rounds++) {
        struct plan plan;

        if (!plan_now(run, &plan, fault)) {
            return false;
        }
        if (plan.steps.n == 0) {
            run->kept = plan.kept;
            run->applied = true;
            run->resync = 0;
            cases++;
            return true;
        }
        assert_true(rounds < 60);
        note_risk(run, &plan);
        uint64_t done = 1 + rng_below(&run->rng, plan.steps.n);
        for (size_t i = 0; i < done; i++) {
            world_apply(&run->w, &plan.steps.v[i]);
        }
    }
}

static void check_refusal(const struct fault *fault)
{
    static const char *const known[] = {"ChangeBlockedByPolicy", "ChangeUnsupported",
                                        "IncompatibleSchema", "TargetDrift",
                                        "UnsupportedKey"};

    assert_int_equal(fault->class, FAULT_REFUSED);
    for (size_t i = 0; i < COUNT_OF(known); i++) {
        if (strcmp(fault->reason, known[i]) == 0) {
            return;
        }
    }
    fail_msg("%s: %s", fault->reason, fault->text);
}

static void check_one_of_each(const struct run *run)
{
    assert_int_equal(run->w.rw.sinks.n, 1);
    assert_int_equal(run->w.rw.sinks.v[0].rate_limit, -1);
    assert_int_equal(run->w.rw.tables.n, 1);
    assert_int_equal(run->w.sr.tables.n, 1);
}

static void resync(struct run *run)
{
    struct fault fault = FAULT_INIT;

    run->resync = RESYNC_RECREATE;
    run->table_version += 10; /* beyond whatever a change of type has made */
    ASSERT_OK(converge(run, &fault), &fault);
    check_one_of_each(run);
}

static void drop_by_hand(struct run *run, const char *what, const char *name)
{
    struct stmt *s = stmt_new(run->f->arena, SQL_RISINGWAVE);
    const struct ident *schema = NULL, *ident = NULL;
    struct fault fault = FAULT_INIT;

    ASSERT_OK(ident_parse(run->f->arena, SV("tablesync"), SQL_RISINGWAVE, IDENT_SCHEMA,
                          &schema, &fault),
              &fault);
    ASSERT_OK(ident_parse(run->f->arena, sv_from(name), SQL_RISINGWAVE, IDENT_TABLE,
                          &ident, &fault),
              &fault);
    if (strcmp(what, "SINK") == 0) {
        stmt_text(s, "DROP SINK IF EXISTS ");
    } else {
        stmt_text(s, "DROP TABLE IF EXISTS ");
    }
    stmt_qualified(s, schema, ident);
    world_apply(&run->w, &(struct plan_step){.system = PLAN_RISINGWAVE, .stmt = s});
}

/* What somebody's hand may do in RisingWave; all of it is put right. */
static void drift_and_repair(struct run *run)
{
    struct fault fault = FAULT_INIT;
    uint64_t what = rng_below(&run->rng, 4);

    if (what == 0) {
        run->w.rw.sinks.v[0].rate_limit = (int64_t)rng_below(&run->rng, 2) * 100;
    } else if (what == 1) {
        run->w.rw.sinks.v[0].commit_checkpoint_interval = "77";
    } else {
        drop_by_hand(run, "SINK", run->w.rw.sinks.v[0].name);
        if (what == 2) {
            drop_by_hand(run, "TABLE", run->w.rw.tables.v[0].name);
        }
    }
    ASSERT_OK(converge(run, &fault), &fault);
    check_one_of_each(run);
}

static void alter_and_follow(struct run *run, size_t number)
{
    struct fault fault = FAULT_INIT;
    unsigned dropped = run->w.dropped_columns;

    for (uint64_t n = 1 + rng_below(&run->rng, 2); n > 0; n--) {
        random_alter(run->f, &run->rng, 10 * number + n);
    }
    run->approved = false;
    if (!converge(run, &fault)) {
        check_refusal(&fault);
        resync(run);
        return;
    }
    assert_true(run->w.dropped_columns == dropped || run->approved);
    assert_int_equal(run->w.truncated, 0);
    check_one_of_each(run);
}

static void one_round(struct fixture *f, uint64_t seed)
{
    struct run run = {.f = f};
    struct fault fault = FAULT_INIT;

    rng_init(&run.rng, seed);
    world_init(&run.w, f->arena, "tablesync", "ods");
    run.w.sr.database_exists = true;
    run.table_version = 1;
    f->sync.schema_policy =
        1 + (enum schema_policy)rng_below(&run.rng, SCHEMA_POLICY_MAX - 1);
    if (f->sync.schema_policy == SCHEMA_EVOLVE && rng_below(&run.rng, 2) == 0) {
        f->sync.drop_column = DROP_COLUMN_DROP;
    }
    random_table(f, &run.rng);
    ASSERT_OK(converge(&run, &fault), &fault);
    check_one_of_each(&run);
    for (size_t i = rng_below(&run.rng, ALTERS_MAX) + 1; i > 0; i--) {
        alter_and_follow(&run, i);
        drift_and_repair(&run);
    }
}

static void changes_converge_or_are_refused(void **state)
{
    struct fixture *f = *state;
    const char *given = getenv("DDL_ROUNDS");
    int64_t rounds = ROUNDS;

    (void)sv_int64(sv_from(given), &rounds);
    for (int64_t round = 0; round < rounds; round++) {
        struct fixture copy = *f;
        AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);

        copy.arena = arena;
        memset(&copy.table.columns, 0, sizeof(copy.table.columns));
        memset(&copy.table.primary_key, 0, sizeof(copy.table.primary_key));
        one_round(&copy, (uint64_t)(5000 + round));
    }
    print_message("%lld cases\n", (long long)cases);
    assert_true(cases >= rounds * CASES_MIN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(changes_converge_or_are_refused),
    };

    return cmocka_run_group_tests_name("evolve", tests, NULL, NULL);
}

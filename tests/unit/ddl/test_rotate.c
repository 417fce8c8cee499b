/*
 * Property: whatever happens to StarRocks' password while rows change in MySQL, and
 * however often the controller is interrupted, in the end the target holds the rows of
 * MySQL: none is missing, none is too much, none is old. Passwords change, come back and
 * die, also that of a successor; columns are added meanwhile, or change their type, so
 * that the CDC table is loaded anew; the stream is paused; a sink is resumed by hand.
 */
#include "flow.h"

#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define ROUNDS 300
#else
#define ROUNDS 1500
#endif
#define EVENTS 60
#define PASSWORDS 4

struct run {
    struct fixture *f;
    struct rng rng;
    struct world w;
    struct flow flow;
    struct secret *passwords[PASSWORDS];
    size_t password;    /* the one that the Secret holds */
    bool applied, calm; /* calm: the password is left alone, and columns are not */
    unsigned columns;
};

static struct {
    unsigned rounds, ghosts, rotations;
} total;

static const char *digest_of(struct run *run, size_t password)
{
    return world_digest(&run->w, secret_reveal(run->passwords[password]).p);
}

static void accept(struct run *run, size_t password)
{
    const char *digest = digest_of(run, password);

    if (!flow_accepts(&run->flow, digest)) {
        VEC_PUSH(run->w.arena, &run->flow.accepted, digest);
    }
}

static void kill_password(struct run *run)
{
    struct strlist *accepted = &run->flow.accepted;

    if (accepted->n > 0) {
        accepted->v[rng_below(&run->rng, accepted->n)] = accepted->v[accepted->n - 1];
        accepted->n--;
    }
}

static void plan_now(struct run *run, struct plan *out_plan)
{
    struct desired_input input = fixture_input(run->f);
    struct fault fault = FAULT_INIT;
    struct desired d;

    input.first_run = input.first_target = !run->applied;
    input.target_password = run->passwords[run->password];
    ASSERT_OK(desired_build(&input, run->f->arena, &d, &fault), &fault);
    ASSERT_OK(plan_make(&d, &run->w.rw, &run->w.sr, run->f->arena, out_plan, &fault),
              &fault);
}

/* One attempt: up to the next wait, or to where the controller dies. false: nothing was
 * left to do. */
static bool attempt(struct run *run)
{
    struct plan plan;
    uint64_t dies = rng_below(&run->rng, 8);

    if (!flow_accepts(&run->flow, digest_of(run, run->password))) {
        return true; /* no login: the connection is not ready */
    }
    plan_now(run, &plan);
    total.rotations += plan.purpose == PURPOSE_ROTATE ? 1 : 0;
    for (size_t i = 0; i < plan.steps.n && i <= dies; i++) {
        const struct plan_step *step = &plan.steps.v[i];

        assert_int_equal(step->risk, RISK_SAFE);
        if (i > 0 ? step->wait != WAIT_NONE : !flow_may_run(&run->flow, step)) {
            break;
        }
        flow_apply(&run->flow, step);
        if (rng_below(&run->rng, 3) == 0) {
            flow_change(&run->flow);
            flow_deliver(&run->flow);
        }
    }
    run->applied = run->applied || plan.steps.n == 0;
    return plan.steps.n > 0;
}

static void add_column(struct run *run)
{
    if (run->columns < 6) {
        (void)fixture_column(run->f, arena_printf(run->f->arena, "c%u", run->columns++),
                             "int(11)", "");
    }
}

/* RisingWave cannot follow that: another CDC table is loaded beside the one in use. */
static void widen_column(struct run *run)
{
    if (run->columns > 0) {
        struct mysql_column *column =
            &run->f->table.columns.v[run->f->table.columns.n - 1];

        column->data_type = "bigint";
        column->column_type = "bigint(20)";
    }
}

/* Only while a rotation is under way: it finds out, by its mark. */
static void resume_by_hand(struct run *run)
{
    struct mark mark;

    if (run->w.rw.sinks.n > 1 && mark_parse(run->w.rw.tables.v[0].comment, &mark) &&
        mark.after > 0) {
        run->w.rw.sinks.v[rng_below(&run->rng, run->w.rw.sinks.n)].rate_limit = -1;
    }
}

static void something_happens(struct run *run)
{
    uint64_t what = rng_below(&run->rng, 40);

    switch (run->calm && what < 6 ? 6 : what) {
    case 0:
    case 1: /* also to one that was in use before */
        run->password = rng_below(&run->rng, PASSWORDS);
        if (rng_below(&run->rng, 4) > 0) {
            accept(run, run->password);
        }
        break;
    case 2:
    case 3:
        kill_password(run);
        break;
    case 4:
    case 5:
        accept(run, run->password);
        break;
    case 6:
        if (run->applied) {
            add_column(run);
        }
        break;
    case 7:
        run->f->sync.state =
            run->f->sync.state == STATE_PAUSED ? STATE_RUNNING : STATE_PAUSED;
        break;
    case 8:
        resume_by_hand(run);
        break;
    case 9:
        if (run->applied) {
            widen_column(run);
        }
        break;
    default:
        break;
    }
    for (uint64_t n = rng_below(&run->rng, 3); n > 0; n--) {
        flow_change(&run->flow);
    }
    flow_deliver(&run->flow);
    (void)attempt(run);
}

static void settle(struct run *run)
{
    run->f->sync.state = STATE_RUNNING;
    accept(run, run->password);
    for (unsigned i = 0; attempt(run); i++) {
        assert_true(i < 400);
        flow_deliver(&run->flow);
        for (size_t k = 0; i > 100 && k < run->flow.sinks.n; k++) {
            run->flow.sinks.v[k].slow = false;
        }
    }
    assert_int_equal(run->w.rw.sinks.n, 1);
    assert_int_equal(run->w.rw.sinks.v[0].rate_limit, -1);
    flow_drain(&run->flow);
    for (size_t key = 0; key < FLOW_KEYS; key++) {
        if (run->flow.target[key] != run->flow.table[key]) {
            fail_msg("row %zu is %u in the target and %u in MySQL", key,
                     run->flow.target[key], run->flow.table[key]);
        }
    }
    total.ghosts += run->flow.ghosts;
    total.rounds++;
}

static void one_round(struct fixture *f, struct secret **passwords, uint64_t seed)
{
    struct run run = {.f = f, .calm = seed % 3 == 0};

    rng_init(&run.rng, seed);
    world_init(&run.w, f->arena, "tablesync", "ods");
    run.w.sr.database_exists = true;
    run.flow.w = &run.w;
    run.flow.rng = &run.rng;
    memcpy(run.passwords, passwords, sizeof(run.passwords));
    f->sync.schema_policy = SCHEMA_EVOLVE;
    fixture_column(f, "id", "int(11)", "PRI");
    fixture_column(f, "note", "varchar(10)", "");
    accept(&run, run.password);
    for (uint64_t i = 0; i < EVENTS; i++) {
        something_happens(&run);
    }
    settle(&run);
    something_happens(&run); /* settled is a state like any other */
    settle(&run);
}

static void rows_survive_any_rotation(void **state)
{
    struct fixture *f = *state;
    struct secret *passwords[PASSWORDS];
    const char *given = getenv("DDL_ROUNDS");
    int64_t rounds = ROUNDS;

    (void)sv_int64(sv_from(given), &rounds);
    for (size_t i = 0; i < PASSWORDS; i++) {
        passwords[i] = secret_new(sv_from(arena_printf(f->arena, "pass'word %zu", i)));
    }
    for (int64_t round = 0; round < rounds; round++) {
        struct fixture copy = *f;
        AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);

        copy.arena = arena;
        one_round(&copy, passwords, (uint64_t)(9000 + round));
    }
    for (size_t i = 0; i < PASSWORDS; i++) {
        secret_free(passwords[i]);
    }
    print_message("%u rounds, %u plans of a rotation, %u ghosts\n", total.rounds,
                  total.rotations, total.ghosts);
    assert_true(total.rotations > rounds && total.ghosts > rounds / 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(rows_survive_any_rotation),
    };

    return cmocka_run_group_tests_name("rotate", tests, NULL, NULL);
}

/*
 * Property: whatever the table, carrying out a plan leaves nothing to plan, also when the
 * controller died after any of its steps; and dropping it all leaves nothing behind. The
 * world checks every statement as the servers would (world.h).
 */
#include "unit.h"
#include "world.h"

#include "base/clock.h"

#include <string.h>

#define ROUNDS 3000
#define COLUMNS_MAX 14

static const char *const types[] = {"tinyint(4)",
                                    "tinyint(1)",
                                    "tinyint(3) unsigned",
                                    "smallint(6)",
                                    "smallint(5) unsigned",
                                    "mediumint(9)",
                                    "mediumint(8) unsigned",
                                    "int(11)",
                                    "int(10) unsigned",
                                    "bigint(20)",
                                    "bigint(20) unsigned",
                                    "decimal(10,2)",
                                    "decimal(38,4)",
                                    "float",
                                    "double",
                                    "bit(1)",
                                    "bit(12)",
                                    "char(10)",
                                    "varchar(20)",
                                    "tinytext",
                                    "text",
                                    "mediumtext",
                                    "longtext",
                                    "enum('a','b')",
                                    "date",
                                    "datetime(3)",
                                    "timestamp",
                                    "year(4)",
                                    "time",
                                    "json",
                                    "binary(4)",
                                    "varbinary(9)",
                                    "blob",
                                    "longblob"};
static const char *const charsets[] = {"utf8mb4", "utf8", "latin1", "gbk", "unheard-of"};

static const char *random_name(struct rng *rng, struct arena *arena, size_t index)
{
    static const char *const pieces[] = {"a", "B",  "order", " ",  "'",  ".",
                                         ";", "$",  "9",     "列", "-",  "\\",
                                         "%", "--", "#",     "''", "()", "::"};
    AUTO(buf_deinit) struct buf name = {0};

    buf_init(&name, 200);
    for (uint64_t n = rng_below(rng, 4); n > 0; n--) {
        buf_addz(&name, pieces[rng_below(rng, COUNT_OF(pieces))]);
    }
    buf_addf(&name, "%zu", index); /* unique without regard to case */
    return arena_copy(arena, buf_sv(&name));
}

static void random_table(struct fixture *f, struct rng *rng)
{
    size_t count = 1 + rng_below(rng, COLUMNS_MAX);

    f->table.columns.n = 0;
    f->table.primary_key.n = 0;
    for (size_t i = 0; i < count; i++) {
        const char *type = types[rng_below(rng, COUNT_OF(types))];
        struct mysql_column *c =
            fixture_column(f, random_name(rng, f->arena, i), type, "");
        struct column_map map;
        struct fault fault = FAULT_INIT;
        c->charset = charsets[rng_below(rng, COUNT_OF(charsets))];
        c->key_max = rng_below(rng, 2) == 0 ? -1 : 5;
        c->comment = rng_below(rng, 3) == 0 ? "it's\n\"so\"\\" : "";
        bool usable = c->name[0] != ' ' && types_map(c, true, f->arena, &map, &fault);
        if (usable && rng_below(rng, 3) == 0) {
            VEC_PUSH(f->arena, &f->table.primary_key, c->name);
        }
    }
    if (f->table.primary_key.n == 0) {
        fixture_column(f, "id", "int(11)", "PRI");
    }
    for (size_t i = f->table.primary_key.n; i > 1;
         i--) { /* key order is not column order */
        size_t k = rng_below(rng, i);
        const char *name = f->table.primary_key.v[k];
        f->table.primary_key.v[k] = f->table.primary_key.v[i - 1];
        f->table.primary_key.v[i - 1] = name;
    }
}

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

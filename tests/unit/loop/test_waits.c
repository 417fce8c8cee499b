/* What a statement waits for, and what must not be taken for it. */
#include "attempt_scene.h"

#include "loop/waits.h"

#define OLD "k_shop_orders_0_v1"
#define NEW "k_shop_orders_0_v2"
#define TABLE "t_shop_orders_0"

/* A RisingWave whose two questions have the answers a test gives. */
struct answers {
    struct stream_db base;
    struct rw_snapshot snapshot;
    struct rw_backlog backlog;
    const char *asked; /* the internal table of the last question */
    bool gone;         /* the internal table is not there any more */
};

static bool answer(struct answers *answers, const char *internal_table,
                   struct fault *fault)
{
    answers->asked = internal_table;
    if (answers->gone) {
        (void)fault_set(fault, FAULT_REFUSED, NULL, "no such table");
        return fault_code(fault, "42704");
    }
    return true;
}

static bool snapshot(struct stream_db *db, const char *schema, const char *internal_table,
                     struct cancel *cancel, struct rw_snapshot *out_snapshot,
                     struct fault *fault)
{
    struct answers *answers = (struct answers *)(void *)db;

    (void)cancel;
    assert_string_equal(schema, "tablesync");
    *out_snapshot = answers->snapshot;
    return answer(answers, internal_table, fault);
}

static bool backlog(struct stream_db *db, const char *schema, const char *internal_table,
                    struct cancel *cancel, struct rw_backlog *out_backlog,
                    struct fault *fault)
{
    struct answers *answers = (struct answers *)(void *)db;

    (void)cancel;
    assert_string_equal(schema, "tablesync");
    *out_backlog = answers->backlog;
    return answer(answers, internal_table, fault);
}

struct waiting {
    struct scene *s;
    struct answers answers;
    struct observation rw, sr;
};

/* Two sinks of one CDC table, the newer one paused: the last act of a replacement. */
static void waiting_begin(struct waiting *w, struct scene *s)
{
    static const struct stream_db_ops ops = {.snapshot = snapshot, .backlog = backlog};
    struct attempt *a = &s->a;
    struct fault fault = FAULT_INIT;
    struct rw_catalog *rw = &w->rw.u.rw;

    memset(w, 0, sizeof(*w));
    w->s = s;
    w->answers.base.ops = &ops;
    scene_begin(s, "apply");
    a->rw = &w->rw;
    a->sr = &w->sr;
    a->bindings[BIND_RISINGWAVE].session.stream = &w->answers.base;
    a->bindings[BIND_RISINGWAVE].conn.rw_schema = "tablesync";
    a->bindings[BIND_RISINGWAVE].lane = lane_get(s->loop->lanes, "shop/rw", "1");
    a->desired.sink_prefix = "k_shop_orders_0_v";
    a->sync.target_database = "ods";
    a->sync.target_table = "orders";
    assert_ok(ident_parse(a->arena, SV("orders"), SQL_STARROCKS, IDENT_TABLE,
                          &a->desired.target_table, &fault),
              fault);
    VEC_PUSH(a->arena, &rw->tables, (struct rw_table){.id = 5, .name = TABLE});
    VEC_PUSH(a->arena, &rw->sinks,
             (struct rw_sink){.id = 7, .name = OLD, .rate_limit = -1});
    VEC_PUSH(a->arena, &rw->sinks,
             (struct rw_sink){.id = 8, .name = NEW, .rate_limit = 0});
    VEC_PUSH(a->arena, &rw->internals,
             (struct rw_internal){.job = 5, .name = "__internal_t_1_streamcdcscan_2"});
    VEC_PUSH(a->arena, &rw->internals,
             (struct rw_internal){.job = 7, .name = "__internal_old_1_sink_2"});
    VEC_PUSH(a->arena, &rw->internals,
             (struct rw_internal){.job = 8, .name = "__internal_new_1_sink_2"});
    VEC_PUSH(a->arena, &w->sr.u.sr.tables, (struct sr_table){.name = "orders"});
}

static void waiting_end(struct waiting *w)
{
    lane_put(w->s->a.bindings[BIND_RISINGWAVE].lane);
    scene_end(w->s);
}

static const char *check(struct waiting *w, enum plan_wait wait, const char *wait_for)
{
    const struct plan_step step = {.wait = wait, .wait_for = wait_for};
    struct fault fault = FAULT_INIT;
    const char *words = "unset";

    assert_ok(waits_check(&w->s->a, &step, &words, &fault), fault);
    return words;
}

static void nothing_is_waited_for_by_default(void **state)
{
    struct waiting w;

    waiting_begin(&w, *state);
    assert_null(check(&w, WAIT_NONE, NULL));
    assert_null(w.answers.asked);
    waiting_end(&w);
}

static void a_schema_change_must_be_over(void **state)
{
    struct waiting w;

    waiting_begin(&w, *state);
    assert_null(check(&w, WAIT_TARGET_ALTER, NULL));
    w.sr.u.sr.tables.v[0].altering = true;
    assert_contains(check(&w, WAIT_TARGET_ALTER, NULL), "ods.orders");
    waiting_end(&w);
}

static void a_snapshot_must_be_finished(void **state)
{
    struct waiting w;

    waiting_begin(&w, *state);
    assert_contains(check(&w, WAIT_SNAPSHOT, TABLE), TABLE); /* no progress row yet */
    w.answers.snapshot = (struct rw_snapshot){.present = true, .rows = 9};
    assert_non_null(check(&w, WAIT_SNAPSHOT, TABLE));
    assert_string_equal(w.answers.asked, "__internal_t_1_streamcdcscan_2");
    w.answers.snapshot.finished = true;
    assert_null(check(&w, WAIT_SNAPSHOT, TABLE));
    assert_non_null(check(&w, WAIT_SNAPSHOT, "another table"));
    waiting_end(&w);
}

static void a_backfill_must_be_over(void **state)
{
    struct waiting w;

    waiting_begin(&w, *state);
    assert_null(check(&w, WAIT_BACKFILL, NEW));
    w.rw.u.rw.sinks.v[1].creating = true;
    assert_contains(check(&w, WAIT_BACKFILL, NEW), NEW);
    w.rw.u.rw.sinks.v[1].creating = false;
    w.rw.u.rw.internals.n--; /* its log store is not listed yet */
    assert_non_null(check(&w, WAIT_BACKFILL, NEW));
    assert_non_null(check(&w, WAIT_BACKFILL, "another sink"));
    waiting_end(&w);
}

/* Only what is older than the first sight of the pause may be lacking. */
static void the_old_sink_must_be_past_the_pause(void **state)
{
    struct waiting w;

    waiting_begin(&w, *state);
    w.answers.backlog = (struct rw_backlog){
        .present = true, .undelivered = 3, .oldest_ms = 900, .now_ms = 1000};
    assert_contains(check(&w, WAIT_DELIVERED, OLD), OLD); /* seen paused at 1000 */
    assert_string_equal(w.answers.asked, "__internal_old_1_sink_2");
    w.answers.backlog.now_ms = 5000; /* later looks do not move that moment */
    w.answers.backlog.oldest_ms = 1000;
    assert_non_null(check(&w, WAIT_DELIVERED, OLD));
    w.answers.backlog.oldest_ms = 1001;
    assert_null(check(&w, WAIT_DELIVERED, OLD)); /* with rows left: they are younger */
    waiting_end(&w);
}

/* An empty log store still holds barriers: their age tells, not the count of rows. */
static void no_rows_are_no_proof_without_their_age(void **state)
{
    struct waiting w;

    waiting_begin(&w, *state);
    w.answers.backlog = (struct rw_backlog){.present = true, .now_ms = 1000};
    assert_non_null(check(&w, WAIT_DELIVERED, OLD));
    w.answers.backlog.now_ms = 9000;
    assert_non_null(check(&w, WAIT_DELIVERED, OLD)); /* age unknown */
    w.answers.backlog.oldest_ms = 500;
    assert_non_null(check(&w, WAIT_DELIVERED, OLD));
    w.answers.backlog.oldest_ms = 6000;
    assert_null(check(&w, WAIT_DELIVERED, OLD));
    w.answers.backlog.present = false;
    assert_non_null(check(&w, WAIT_DELIVERED, OLD));
    waiting_end(&w);
}

/* A successor that runs again may have delivered anything since. */
static void a_resumed_successor_starts_it_anew(void **state)
{
    struct waiting w;

    waiting_begin(&w, *state);
    w.answers.backlog =
        (struct rw_backlog){.present = true, .oldest_ms = 900, .now_ms = 1000};
    assert_non_null(check(&w, WAIT_DELIVERED, OLD));
    w.rw.u.rw.sinks.v[1].rate_limit = -1;
    w.answers.backlog.oldest_ms = 2000;
    w.answers.backlog.now_ms = 3000;
    assert_non_null(check(&w, WAIT_DELIVERED, OLD));
    w.rw.u.rw.sinks.v[1].rate_limit = 0;
    assert_non_null(check(&w, WAIT_DELIVERED, OLD)); /* from 3000 on */
    w.answers.backlog.oldest_ms = 3001;
    assert_null(check(&w, WAIT_DELIVERED, OLD));
    w.rw.u.rw.sinks.n = 1; /* no successor at all */
    assert_non_null(check(&w, WAIT_DELIVERED, OLD));
    waiting_end(&w);
}

static void a_pause_must_be_seen(void **state)
{
    struct waiting w;

    waiting_begin(&w, *state);
    assert_null(check(&w, WAIT_PAUSED, NEW));
    w.rw.u.rw.sinks.v[1].rate_limit = -1;
    assert_contains(check(&w, WAIT_PAUSED, NEW), NEW);
    w.rw.u.rw.sinks.n = 1;
    assert_non_null(check(&w, WAIT_PAUSED, NEW));
    waiting_end(&w);
}

static const char *check_create(struct waiting *w)
{
    const struct plan_step step = {.kind = PLAN_CREATE_SINK};
    struct fault fault = FAULT_INIT;
    const char *words = "unset";

    assert_ok(waits_check(&w->s->a, &step, &words, &fault), fault);
    return words;
}

/* What a retired sink had in its hands when it was paused must be there before its
 * successor writes the first row. */
static void a_paused_sink_comes_to_rest(void **state)
{
    struct waiting w;

    waiting_begin(&w, *state);
    w.rw.u.rw.sinks.n = 1;
    w.s->a.sync.commit_checkpoint_interval = 20;
    assert_null(check_create(&w)); /* it runs: an ordinary replacement */
    w.rw.u.rw.sinks.v[0].rate_limit = 0;
    assert_contains(check_create(&w), "the paused sink");
    w.s->clock.now_ms += 22000;
    assert_non_null(check_create(&w));
    w.s->clock.now_ms += 1000;
    assert_null(check_create(&w));
    w.rw.u.rw.sinks.n = 2; /* another one was retired meanwhile */
    assert_non_null(check_create(&w));
    w.rw.u.rw.sinks.n = 0;
    assert_null(check_create(&w));
    waiting_end(&w);
}

static void what_went_meanwhile_is_looked_for_again(void **state)
{
    const struct plan_step step = {.wait = WAIT_DELIVERED, .wait_for = OLD};
    struct fault fault = FAULT_INIT;
    const char *words = NULL;
    struct waiting w;

    waiting_begin(&w, *state);
    w.answers.gone = true;
    assert_false(waits_check(&w.s->a, &step, &words, &fault));
    assert_int_equal(fault.class, FAULT_CONFLICT);
    waiting_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE_TEST(nothing_is_waited_for_by_default),
        SCENE_TEST(a_schema_change_must_be_over),
        SCENE_TEST(a_snapshot_must_be_finished),
        SCENE_TEST(a_backfill_must_be_over),
        SCENE_TEST(the_old_sink_must_be_past_the_pause),
        SCENE_TEST(no_rows_are_no_proof_without_their_age),
        SCENE_TEST(a_resumed_successor_starts_it_anew),
        SCENE_TEST(a_pause_must_be_seen),
        SCENE_TEST(a_paused_sink_comes_to_rest),
        SCENE_TEST(what_went_meanwhile_is_looked_for_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

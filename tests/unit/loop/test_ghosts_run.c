/* Which rows go when undelivered deletions are made up for, and when none may. */
#include "attempt_scene.h"

#include "base/heap.h"
#include "loop/ghosts_run.h"

#include <stdio.h>
#include <stdlib.h>

#define OLD "k_shop_orders_0_v1"
#define NEW "k_shop_orders_0_v2"
#define TABLE "t_shop_orders_0"
#define KEYS_MAX 30000

/* A log store that holds the keys [first, first + count) as deletions, and a target that
 * notes which keys it was asked to delete. */
struct ghosts {
    struct stream_db stream;
    struct target_db target;
    struct scene *s;
    struct observation rw;
    int64_t first, count;
    int64_t leave_each; /* so many leave the list's front after each page */
    int64_t reads, statements;
    bool *deleted; /* by key */
    bool gone, refuses;
};

static struct ghosts *g; /* whom the doubles answer for */

static bool log_columns(struct stream_db *db, const char *schema,
                        const char *internal_table, struct cancel *cancel,
                        struct arena *arena, struct strlist *out_columns,
                        struct fault *fault)
{
    (void)db;
    (void)cancel;
    assert_string_equal(schema, "tablesync");
    assert_string_equal(internal_table, "__internal_old_1_sink_2");
    if (g->gone) {
        (void)fault_set(fault, FAULT_REFUSED, NULL, "no such table");
        return fault_code(fault, "42704");
    }
    VEC_PUSH(arena, out_columns, "t_id");
    return true;
}

static const char *text_of(const struct stmt *stmt, struct arena *arena)
{
    AUTO(buf_deinit) struct buf text;

    buf_init(&text, STMT_BYTES_MAX);
    stmt_render(stmt, &text);
    return buf_take(&text, arena);
}

static bool ghost_keys(struct stream_db *db, const struct ghosts_query *query,
                       struct cancel *cancel, struct arena *arena,
                       struct ghost_keys *out_keys, struct fault *fault)
{
    const char *at = strstr(text_of(query->stmt, arena), "OFFSET ");

    (void)db;
    (void)cancel;
    (void)fault;
    assert_non_null(at);
    assert_int_equal(query->width, 1);
    out_keys->width = 1;
    for (int64_t i = strtoll(at + strlen("OFFSET "), NULL, 10);
         i < g->count && out_keys->cells.n < GHOSTS_PAGE_ROWS; i++) {
        VEC_PUSH(arena, &out_keys->cells,
                 (const char *)arena_printf(arena, "%lld", (long long)(g->first + i)));
    }
    g->reads++;
    g->first += g->leave_each;
    g->count -= g->leave_each;
    return true;
}

static bool apply(struct target_db *db, const struct plan_step *step, const char *tag,
                  struct cancel *cancel, struct arena *arena,
                  struct db_result *out_result, struct fault *fault)
{
    const char *text = text_of(step->stmt, arena);
    char *end = NULL;

    (void)db;
    (void)cancel;
    assert_non_null(tag);
    if (g->refuses) {
        return fault_set(fault, FAULT_DENIED, "NotPermitted", "no DELETE for you");
    }
    assert_int_equal(strncmp(text, "DELETE FROM `ods`.`orders` WHERE", 32), 0);
    text = strchr(text, '(') + 1;
    for (;; text = end + 1) {
        long long key = strtoll(text, &end, 10);

        assert_in_range(key, 1, KEYS_MAX - 1);
        g->deleted[key] = true;
        if (*end == ')') {
            break;
        }
    }
    g->statements++;
    memset(out_result, 0, sizeof(*out_result));
    return true;
}

static const struct ident *name(const char *text, enum sql_dialect dialect,
                                enum ident_kind kind)
{
    struct fault fault = FAULT_INIT;
    const struct ident *ident = NULL;

    assert_ok(ident_parse(g->s->a.arena, sv_from(text), dialect, kind, &ident, &fault),
              fault);
    return ident;
}

static void want(struct desired *d)
{
    struct arena *arena = g->s->a.arena;

    d->rw_schema = name("tablesync", SQL_RISINGWAVE, IDENT_SCHEMA);
    d->target_database = name("ods", SQL_STARROCKS, IDENT_DATABASE);
    d->target_table = name("orders", SQL_STARROCKS, IDENT_TABLE);
    d->key_count = 1;
    VEC_PUSH(
        arena, &d->columns,
        (struct column_map){
            .rw = RW_INTEGER, .expr = SINK_PASS, .sr = {.kind = SR_INT}, .key = true});
    VEC_PUSH(arena, &d->rw_columns, name("id", SQL_RISINGWAVE, IDENT_COLUMN));
    VEC_PUSH(arena, &d->sr_columns, name("id", SQL_STARROCKS, IDENT_COLUMN));
}

static int set_up(void **state)
{
    static const struct stream_db_ops stream_ops = {.log_columns = log_columns,
                                                    .ghost_keys = ghost_keys};
    static const struct target_db_ops target_ops = {.apply = apply};
    struct attempt *a = NULL;

    (void)scene_set_up(state);
    g = HEAP_NEW(struct ghosts);
    g->s = *state;
    g->deleted = heap_new(KEYS_MAX * sizeof(bool));
    g->stream.ops = &stream_ops;
    g->target.ops = &target_ops;
    scene_begin(g->s, "apply");
    a = &g->s->a;
    a->rw = &g->rw;
    a->plan.sink = NEW;
    a->plan.table = TABLE;
    a->bindings[BIND_RISINGWAVE].session.stream = &g->stream;
    a->bindings[BIND_RISINGWAVE].conn.rw_schema = "tablesync";
    a->bindings[BIND_RISINGWAVE].lane = lane_get(g->s->loop->lanes, "shop/rw", "1");
    a->bindings[BIND_TARGET].session.target = &g->target;
    want(&a->desired);
    VEC_PUSH(a->arena, &g->rw.u.rw.sinks,
             (struct rw_sink){.id = 7, .name = OLD, .rate_limit = 0});
    VEC_PUSH(a->arena, &g->rw.u.rw.sinks,
             (struct rw_sink){.id = 8, .name = NEW, .rate_limit = 0});
    VEC_PUSH(a->arena, &g->rw.u.rw.internals,
             (struct rw_internal){.job = 7, .name = "__internal_old_1_sink_2"});
    return 0;
}

static int tear_down(void **state)
{
    lane_put(g->s->a.bindings[BIND_RISINGWAVE].lane);
    scene_end(g->s);
    heap_free(g->deleted);
    heap_free(g);
    return scene_tear_down(state);
}

static bool run(struct fault *fault)
{
    const struct plan_step step = {.system = PLAN_STARROCKS,
                                   .kind = PLAN_DELETE_GHOSTS,
                                   .object = "ods.orders",
                                   .sentence = "delete rows",
                                   .ghosts_of = OLD};

    memset(fault, 0, sizeof(*fault));
    return ghosts_run(&g->s->a, &step, fault);
}

static void assert_deleted(int64_t first, int64_t count)
{
    for (int64_t key = first; key < first + count; key++) {
        if (!g->deleted[key]) {
            fail_msg("key %lld was passed over", (long long)key);
        }
    }
}

static void without_ghosts_there_is_no_statement(void **state)
{
    struct fault fault;

    (void)state;
    assert_ok(run(&fault), fault);
    assert_int_equal(g->reads, 1);
    assert_int_equal(g->statements, 0);
    assert_int_equal(g->s->events, 0);
}

static void all_pages_are_deleted_and_told_once(void **state)
{
    struct fault fault;

    (void)state;
    g->first = 1;
    g->count = 25000;
    assert_ok(run(&fault), fault);
    assert_deleted(1, 25000);
    assert_false(g->deleted[25001]);
    assert_int_equal(g->statements, 25000 / GHOSTS_DELETE_ROWS);
    assert_int_equal(g->s->a.steps, g->statements);
    assert_int_equal(g->s->events, 1);
    assert_string_equal(g->s->last_event, "DeleteGhosts");
}

/* Keys that come back move those behind them forward, over the edge of a page. */
static void none_is_passed_over_when_keys_leave_the_list(void **state)
{
    static const int64_t leave[] = {1, GHOSTS_OVERLAP - 1, GHOSTS_OVERLAP + 1, 1500};
    struct fault fault;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(leave); i++) {
        memset(g->deleted, 0, KEYS_MAX * sizeof(bool));
        g->first = 1;
        g->count = 18000;
        g->leave_each = leave[i];
        if (run(&fault)) {
            assert_deleted(g->first, g->count);
        } else { /* it must not be taken for whole */
            assert_int_equal(fault.class, FAULT_CONFLICT);
            assert_true(leave[i] > GHOSTS_OVERLAP);
        }
    }
}

static void a_list_that_never_holds_still_is_given_up(void **state)
{
    struct fault fault;

    (void)state;
    g->first = 1;
    g->count = 29000;
    g->leave_each = 1100;
    assert_false(run(&fault));
    assert_int_equal(fault.class, FAULT_CONFLICT);
    assert_int_equal(g->reads, 2 * GHOSTS_PASSES_MAX);
    assert_int_equal(g->s->events, 0);
}

static void nothing_is_deleted_before_the_successor_is_seen_paused(void **state)
{
    struct rw_sink *successor = &g->rw.u.rw.sinks.v[1];
    struct fault fault;

    (void)state;
    g->first = 1;
    g->count = 5;
    successor->rate_limit = -1;
    assert_false(run(&fault));
    assert_int_equal(fault.class, FAULT_CONFLICT);
    successor->rate_limit = 0;
    successor->creating = true;
    assert_false(run(&fault));
    g->rw.u.rw.sinks.n = 1; /* not there */
    assert_false(run(&fault));
    assert_int_equal(g->reads, 0);
    assert_int_equal(g->statements, 0);
}

static void a_log_store_that_is_gone_holds_nothing_up(void **state)
{
    struct fault fault;

    (void)state;
    g->rw.u.rw.internals.n = 0;
    assert_ok(run(&fault), fault);
    assert_int_equal(g->reads, 0);
    VEC_PUSH(g->s->a.arena, &g->rw.u.rw.internals,
             (struct rw_internal){.job = 7, .name = "__internal_old_1_sink_2"});
    g->gone = true; /* since the catalog was read: look again */
    assert_false(run(&fault));
    assert_int_equal(fault.class, FAULT_CONFLICT);
}

static void what_starrocks_refuses_ends_it(void **state)
{
    struct fault fault;

    (void)state;
    g->first = 1;
    g->count = 5;
    g->refuses = true;
    assert_false(run(&fault));
    assert_string_equal(fault.reason, "NotPermitted");
    assert_int_equal(g->s->events, 0);
}

#define GHOST_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        GHOST_TEST(without_ghosts_there_is_no_statement),
        GHOST_TEST(all_pages_are_deleted_and_told_once),
        GHOST_TEST(none_is_passed_over_when_keys_leave_the_list),
        GHOST_TEST(a_list_that_never_holds_still_is_given_up),
        GHOST_TEST(nothing_is_deleted_before_the_successor_is_seen_paused),
        GHOST_TEST(a_log_store_that_is_gone_holds_nothing_up),
        GHOST_TEST(what_starrocks_refuses_ends_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "unit.h"

#include <string.h>

static void finds_by_exact_name(void **state)
{
    struct fixture *f = *state;
    struct rw_catalog rw = {0};
    struct sr_catalog sr = {0};

    VEC_PUSH(f->arena, &rw.sources,
             (struct rw_source){.id = 1, .schema = "other", .name = "s"});
    VEC_PUSH(f->arena, &rw.sources,
             (struct rw_source){.id = 2, .schema = "ours", .name = "s"});
    VEC_PUSH(f->arena, &rw.tables, (struct rw_table){.id = 3, .name = "t"});
    VEC_PUSH(f->arena, &rw.sinks, (struct rw_sink){.id = 4, .name = "k_v1"});
    VEC_PUSH(f->arena, &sr.tables, (struct sr_table){.name = "Orders"});
    assert_int_equal(rw_catalog_source(&rw, "ours", "s")->id, 2);
    assert_null(rw_catalog_source(&rw, "mine", "s"));
    assert_int_equal(rw_catalog_table(&rw, "t")->id, 3);
    assert_null(rw_catalog_table(&rw, "T"));
    assert_int_equal(rw_catalog_sink(&rw, "k_v1")->id, 4);
    assert_null(rw_catalog_sink(&rw, "k_v"));
    assert_non_null(sr_catalog_table(&sr, "Orders"));
    assert_null(sr_catalog_table(&sr, "orders")); /* StarRocks minds the case */
}

static void names_users(void **state)
{
    struct fixture *f = *state;
    struct rw_catalog rw = {0};
    struct strlist names;

    VEC_PUSH(f->arena, &rw.edges, (struct rw_edge){5, 4});
    VEC_PUSH(f->arena, &rw.edges, (struct rw_edge){6, 4});
    VEC_PUSH(f->arena, &rw.edges, (struct rw_edge){7, 5});
    VEC_PUSH(f->arena, &rw.relations,
             (struct rw_relation){5, "mart", "v", "materialized view"});
    rw_catalog_users(&rw, 4, f->arena, &names);
    assert_int_equal(names.n, 2);
    assert_string_equal(names.v[0], "materialized view mart.v");
    assert_string_equal(names.v[1], "object 6");
    rw_catalog_users(&rw, 7, f->arena, &names);
    assert_int_equal(names.n, 0);
}

static void finds_internal_tables(void **state)
{
    struct fixture *f = *state;
    struct rw_catalog rw = {0};
    const char *scan = "__internal_k_shop_kitchen_sink_2_ab_v1_26_streamscan_4";
    const char *sink = "__internal_k_shop_kitchen_sink_2_ab_v1_26_sink_10";

    VEC_PUSH(f->arena, &rw.internals, (struct rw_internal){8, "__internal_x_1_sink_1"});
    VEC_PUSH(f->arena, &rw.internals, (struct rw_internal){27, scan});
    VEC_PUSH(f->arena, &rw.internals, (struct rw_internal){27, sink});
    /* The table's own name holds "_sink_2": it must not be taken for the log store. */
    assert_string_equal(rw_catalog_internal(&rw, 27, "_sink_"), sink);
    assert_string_equal(rw_catalog_internal(&rw, 27, "_streamscan_"), scan);
    assert_null(rw_catalog_internal(&rw, 27, "_source_"));
    assert_null(rw_catalog_internal(&rw, 99, "_sink_"));
}

static void reads_marks(void **state)
{
    struct mark mark;
    static const char *const bad[] = {"",
                                      "orders",
                                      "tablesync:v1 uid=",
                                      "tablesync:v1 uid=a",
                                      "tablesync:v1 uid=a hash=",
                                      "tablesync:v2 uid=a hash=b",
                                      "tablesync:v1 uid= hash=b"};

    (void)state;
    assert_true(mark_parse("tablesync:v1 uid=7b6c-1 hash=0a1b2c3d4e5f", &mark));
    assert_true(sv_eq(mark.uid, SV("7b6c-1")));
    assert_true(sv_eq(mark.hash, SV("0a1b2c3d4e5f")));
    assert_true(mark_parse("customer orders; tablesync:v1 uid=u hash=h\nmore", &mark));
    assert_true(sv_eq(mark.uid, SV("u")));
    assert_true(sv_eq(mark.hash, SV("h")));
    assert_int_equal(mark.sink, 0);
    assert_true(mark_parse("tablesync:v1 uid=u hash=h sink=7 after=5", &mark));
    assert_int_equal(mark.sink, 7);
    assert_int_equal(mark.after, 5);
    assert_int_equal(mark.whole.n, strlen("tablesync:v1 uid=u hash=h sink=7 after=5"));
    assert_true(mark_parse("tablesync:v1 uid=u hash=h sink=7 after=-5", &mark));
    assert_int_equal(mark.sink, 7);
    assert_int_equal(mark.after, 0);
    assert_true(mark_parse("tablesync:v1 uid=u hash=h sink=7 adopted", &mark));
    assert_int_equal(mark.after, 0);
    assert_true(mark.adopted);
    assert_false(mark_parse(NULL, &mark));
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_false(mark_parse(bad[i], &mark));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(finds_by_exact_name),
        TEST(names_users),
        TEST(finds_internal_tables),
        TEST(reads_marks),
    };

    return cmocka_run_group_tests_name("observed", tests, NULL, NULL);
}

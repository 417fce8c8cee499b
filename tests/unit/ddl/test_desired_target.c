/* What the target is called, and how its rows are spread. */
#include "unit.h"

#include <string.h>

static bool build(struct fixture *f, struct desired *out_desired, struct fault *fault)
{
    struct desired_input input = fixture_input(f);

    return desired_build(&input, f->arena, out_desired, fault);
}

static void rename_column(struct fixture *f, const char *name, const char *target_name)
{
    struct column_override o = {.name = name, .target_name = target_name};

    VEC_PUSH(f->arena, &f->sync.overrides, o);
}

static void orders(struct fixture *f)
{
    fixture_column(f, "id", "int", "PRI");
    fixture_column(f, "day", "date", "PRI");
    fixture_column(f, "v", "int", "");
    fixture_column(f, "w", "int", "");
}

static void renames_columns(void **state)
{
    struct fixture *f = *state;
    struct desired d;
    struct fault fault = FAULT_INIT;

    orders(f);
    rename_column(f, "ID", "Order Id");
    rename_column(f, "w", "列");
    ASSERT_OK(build(f, &d, &fault), &fault);
    assert_true(sv_eq(ident_name(d.rw_columns.v[0]), SV("id")));
    assert_true(sv_eq(ident_name(d.aliases.v[0]), SV("Order Id")));
    assert_true(sv_eq(ident_name(d.sr_columns.v[0]), SV("Order Id")));
    assert_true(sv_eq(ident_name(d.cdc.v[0].name), SV("id")));
    assert_true(sv_eq(ident_name(d.rw_columns.v[3]), SV("w")));
    assert_true(sv_eq(ident_name(d.sr_columns.v[3]), SV("列")));
    assert_true(strstr(d.notes.v[0], "column '列': a name outside ASCII") != NULL);
    assert_int_equal(d.columns.v[0].expr, SINK_PASS);
}

static void swaps_names(void **state)
{
    struct fixture *f = *state;
    struct desired d;
    struct fault fault = FAULT_INIT;

    orders(f);
    rename_column(f, "v", "w");
    rename_column(f, "w", "v");
    ASSERT_OK(build(f, &d, &fault), &fault);
    assert_true(sv_eq(ident_name(d.sr_columns.v[2]), SV("w")));
    assert_true(sv_eq(ident_name(d.sr_columns.v[3]), SV("v")));
}

static void refuses_two_columns_of_one_name(void **state)
{
    struct fixture *f = *state;
    struct desired d;
    struct fault fault = FAULT_INIT;

    orders(f);
    rename_column(f, "w", "V");
    ASSERT_REFUSED(build(f, &d, &fault), &fault, "InvalidColumns");
    ASSERT_CONTAINS(fault.text, "StarRocks (1060) says 'Duplicate column name 'V''");
    VEC_PUSH(f->arena, &f->sync.exclude, "v");
    ASSERT_OK(build(f, &d, &fault), &fault);
}

static void refuses_names_of_the_target(void **state)
{
    struct fixture *f = *state;
    static const char *const bad[] = {"__op", "a,b",   "a`b", "a\"b",
                                      "a=b",  "_rw_x", "",    "__starrocks_shadow_x"};
    struct desired d;

    orders(f);
    rename_column(f, "w", NULL);
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct fault fault = FAULT_INIT;
        f->sync.overrides.v[0].target_name = bad[i];
        ASSERT_REFUSED(build(f, &d, &fault), &fault, "InvalidOverride");
        ASSERT_CONTAINS(fault.text, "spec.columns.overrides['w'].targetName: ");
    }
    f->sync.unsupported = UNSUPPORTED_SKIP; /* a wrong name is a mistake in any case */
    struct fault fault = FAULT_INIT;
    ASSERT_REFUSED(build(f, &d, &fault), &fault, "InvalidOverride");
}

/* A MySQL name that StarRocks cannot hold has a way out. */
static void offers_another_name(void **state)
{
    struct fixture *f = *state;
    struct desired d;
    struct fault fault = FAULT_INIT;

    orders(f);
    fixture_column(f, "a=b", "int", "");
    ASSERT_REFUSED(build(f, &d, &fault), &fault, "UnsupportedName");
    ASSERT_CONTAINS(fault.text, "or set targetName for it in spec.columns.overrides");
    rename_column(f, "a=b", "a_eq_b");
    ASSERT_OK(build(f, &d, &fault), &fault);
    assert_true(sv_eq(ident_name(d.rw_columns.v[4]), SV("a=b")));
    fixture_column(f, "q\"q", "int", "");
    rename_column(f, "q\"q", "q");
    ASSERT_REFUSED(build(f, &d, &fault), &fault, "UnsupportedName");
    f->table.columns.v[0].name = " id";
    f->table.primary_key.v[0] = " id";
    f->table.columns.n = 4;
    f->sync.overrides.n = 0;
    ASSERT_REFUSED(build(f, &d, &fault), &fault, "UnsupportedName");
    ASSERT_CONTAINS(fault.text, "begins or ends with a blank");
    rename_column(f, " id", "id");
    ASSERT_OK(build(f, &d, &fault), &fault);
}

static void distributes_by_the_key(void **state)
{
    struct fixture *f = *state;
    struct desired d;
    struct fault fault = FAULT_INIT;

    orders(f);
    rename_column(f, "id", "order_id");
    ASSERT_OK(build(f, &d, &fault), &fault);
    assert_int_equal(d.distribution.n, 2);
    assert_ptr_equal(d.distribution.v[0], d.sr_columns.v[0]);
    assert_ptr_equal(d.distribution.v[1], d.sr_columns.v[1]);
    VEC_PUSH(f->arena, &f->sync.distributed_by, "ORDER_ID");
    ASSERT_OK(build(f, &d, &fault), &fault);
    assert_int_equal(d.distribution.n, 1);
    assert_ptr_equal(d.distribution.v[0], d.sr_columns.v[0]);
}

static void refuses_other_distributions(void **state)
{
    struct fixture *f = *state;
    struct desired d;
    struct fault fault = FAULT_INIT;

    orders(f);
    rename_column(f, "id", "order_id");
    VEC_PUSH(f->arena, &f->sync.distributed_by, "v");
    ASSERT_REFUSED(build(f, &d, &fault), &fault, "InvalidColumns");
    ASSERT_CONTAINS(fault.text, "'Distribution column[v] is not key column'");
    f->sync.distributed_by.v[0] = "id"; /* its name in MySQL */
    ASSERT_REFUSED(build(f, &d, &fault), &fault, "InvalidColumns");
    ASSERT_CONTAINS(fault.text, "'Distribution column(id) doesn't exist.'");
    f->sync.distributed_by.v[0] = "day";
    VEC_PUSH(f->arena, &f->sync.distributed_by, "DAY");
    ASSERT_REFUSED(build(f, &d, &fault), &fault, "InvalidColumns");
    ASSERT_CONTAINS(fault.text, "names 'DAY' twice");
}

static void partitions_by_the_key(void **state)
{
    struct fixture *f = *state;
    struct desired d;
    struct fault fault = FAULT_INIT;

    orders(f);
    rename_column(f, "day", "sold");
    f->sync.partition_by = "date_trunc('month', sold)";
    ASSERT_OK(build(f, &d, &fault), &fault);
    assert_int_equal(d.partition.kind, PARTITION_TRUNC);
    assert_ptr_equal(d.partition.columns.v[0], d.sr_columns.v[1]);
    f->sync.partition_by = "date_trunc('month', day)";
    ASSERT_REFUSED(build(f, &d, &fault), &fault, "InvalidColumns");
    f->sync.partition_by = "v";
    ASSERT_REFUSED(build(f, &d, &fault), &fault, "InvalidColumns");
    ASSERT_CONTAINS(fault.text, "partition columns must be part of the primary key");
}

static void limits_buckets_of_partitions(void **state)
{
    struct fixture *f = *state;
    struct desired d;
    struct fault fault = FAULT_INIT;

    orders(f);
    f->sync.buckets = 1025;
    ASSERT_OK(build(f, &d, &fault), &fault);
    f->sync.partition_by = "day";
    ASSERT_REFUSED(build(f, &d, &fault), &fault, "InvalidColumns");
    ASSERT_CONTAINS(fault.text, "(5510)");
    ASSERT_CONTAINS(fault.text, "the maximum is 1024");
    f->sync.buckets = 1024;
    ASSERT_OK(build(f, &d, &fault), &fault);
}

/* By the target's columns: a wider type counts, another key counts. */
static void counts_the_bytes_of_the_targets_key(void **state)
{
    struct fixture *f = *state;
    struct desired d;
    struct fault fault = FAULT_INIT;
    struct column_override o = {.name = "id", .target_type = "VARCHAR(125)"};

    orders(f);
    ASSERT_OK(build(f, &d, &fault), &fault);
    assert_int_equal(d.notes.n, 0);
    VEC_PUSH(f->arena, &f->sync.overrides, o);
    ASSERT_OK(build(f, &d, &fault), &fault);
    assert_int_equal(d.notes.n, 1);
    assert_true(strstr(d.notes.v[0], "may take 131") != NULL); /* 125 + 2, 4 */
    f->sync.overrides.v[0].target_type = "LARGEINT";
    ASSERT_OK(build(f, &d, &fault), &fault);
    assert_int_equal(d.notes.n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(renames_columns),
        TEST(swaps_names),
        TEST(refuses_two_columns_of_one_name),
        TEST(refuses_names_of_the_target),
        TEST(offers_another_name),
        TEST(distributes_by_the_key),
        TEST(refuses_other_distributions),
        TEST(partitions_by_the_key),
        TEST(limits_buckets_of_partitions),
        TEST(counts_the_bytes_of_the_targets_key),
    };

    return cmocka_run_group_tests_name("desired_target", tests, NULL, NULL);
}

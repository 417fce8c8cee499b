/* Names in spec.columns that the table lacks or that contradict each other. */
#include "unit.h"

#include <string.h>

static bool build(struct fixture *f, bool first_run, struct desired *out_desired,
                  struct fault *fault)
{
    struct desired_input input = fixture_input(f);

    input.first_run = first_run;
    return desired_build(&input, f->arena, out_desired, fault);
}

static bool has_note(const struct desired *d, const char *part)
{
    for (size_t i = 0; i < d->notes.n; i++) {
        if (strstr(d->notes.v[i], part) != NULL) {
            return true;
        }
    }
    return false;
}

static void add(struct fixture *f, struct strlist *list, const char *name)
{
    VEC_PUSH(f->arena, list, name);
}

static void add_override(struct fixture *f, struct column_override override)
{
    VEC_PUSH(f->arena, &f->sync.overrides, override);
}

static void customers(struct fixture *f)
{
    fixture_column(f, "name", "varchar(40)", "");
    fixture_column(f, "id", "int", "PRI");
    fixture_column(f, "mail", "varchar(20)", "");
    fixture_column(f, "tenant", "smallint", "");
    fixture_column(f, "raw_blob", "blob", "");
}

static void knows_names_the_table_lacks(void **state)
{
    struct fixture *f = *state;
    struct desired d;
    struct fault fault = FAULT_INIT;

    customers(f);
    add(f, &f->sync.exclude, "raw_blib");
    add(f, &f->sync.include, "*");
    add(f, &f->sync.include, "nme");
    add_override(f, (struct column_override){.name = "teant", .target_name = "t"});
    ASSERT_REFUSED(build(f, true, &d, &fault), &fault, "InvalidColumns");
    ASSERT_CONTAINS(fault.text, "spec.columns.exclude names column 'raw_blib', which the "
                                "table does not have; it has raw_blob, name, id");
    ASSERT_CONTAINS(fault.text,
                    "spec.columns.include names column 'nme', which the table "
                    "does not have; it has name, id, mail");
    ASSERT_CONTAINS(fault.text, "spec.columns.overrides names column 'teant'");
    ASSERT_CONTAINS(fault.text, "it has tenant, name");
    ASSERT_OK(build(f, false, &d, &fault), &fault);
    assert_true(has_note(&d, "spec.columns.exclude names column 'raw_blib', which "
                             "shop.orders does not have"));
    assert_true(has_note(&d, "spec.columns.include names column 'nme'"));
    assert_true(has_note(&d, "spec.columns.overrides names column 'teant'"));
    assert_int_equal(d.notes.n, 4); /* and the BLOB */
}

static void says_nothing_of_columns_known_to_be_dropped(void **state)
{
    struct fixture *f = *state;
    struct desired_input input = fixture_input(f);
    struct desired d;
    struct fault fault = FAULT_INIT;

    fixture_column(f, "id", "int", "PRI");
    add(f, &f->sync.exclude, "gone");
    VEC_PUSH(f->arena, &input.kept_columns, "GONE");
    input.first_run = true;
    ASSERT_OK(desired_build(&input, f->arena, &d, &fault), &fault);
    assert_int_equal(d.notes.n, 0);
}

static void bounds_the_list_of_names(void **state)
{
    struct fixture *f = *state;
    struct desired d;
    struct fault fault = FAULT_INIT;

    fixture_column(f, "id", "int", "PRI");
    for (unsigned i = 0; i < 200; i++) {
        fixture_column(f, arena_printf(f->arena, "a_rather_long_name_%u", i), "int", "");
    }
    add(f, &f->sync.exclude, "a_rather_long_name_777");
    ASSERT_REFUSED(build(f, true, &d, &fault), &fault, "InvalidColumns");
    ASSERT_CONTAINS(fault.text, "it has a_rather_long_name_7");
    ASSERT_CONTAINS(fault.text, ", ...");
    assert_in_range(strlen(fault.text), 100, 600);
}

static void refuses_overrides_that_contradict(void **state)
{
    struct fixture *f = *state;
    struct desired d;
    struct fault fault = FAULT_INIT;

    customers(f);
    add(f, &f->sync.exclude, "mail");
    add_override(f, (struct column_override){.name = "MAIL", .target_name = "m"});
    ASSERT_REFUSED(build(f, false, &d, &fault), &fault, "InvalidColumns");
    ASSERT_CONTAINS(fault.text, "column 'mail', which is in spec.columns.exclude too");
    f->sync.exclude.n = 0;
    add(f, &f->sync.include, "name");
    ASSERT_REFUSED(build(f, false, &d, &fault), &fault, "InvalidColumns");
    ASSERT_CONTAINS(fault.text, "column 'mail', which is not in spec.columns.include");
    f->sync.include.n = 0;
    add_override(f, (struct column_override){.name = "mail", .target_type = "STRING"});
    ASSERT_REFUSED(build(f, false, &d, &fault), &fault, "InvalidColumns");
    ASSERT_CONTAINS(fault.text, "spec.columns.overrides names column 'mail' twice");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(knows_names_the_table_lacks),
        TEST(says_nothing_of_columns_known_to_be_dropped),
        TEST(bounds_the_list_of_names),
        TEST(refuses_overrides_that_contradict),
    };

    return cmocka_run_group_tests_name("desired_names", tests, NULL, NULL);
}

/* Which columns the CDC table holds and which are delivered: include, exclude, keys,
 * unsupported types. */
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

static void add_unique(struct fixture *f, const char *name, const char *first,
                       const char *second)
{
    struct mysql_key key = {.name = name};

    VEC_PUSH(f->arena, &key.columns, first);
    if (second != NULL) {
        VEC_PUSH(f->arena, &key.columns, second);
    }
    VEC_PUSH(f->arena, &f->table.unique_keys, key);
}

/* "id* name" against the CDC columns, "id*" being a key. */
static void assert_cdc(const struct desired *d, const char *expected)
{
    struct buf text = {0};

    buf_init(&text, 1000);
    for (size_t i = 0; i < d->cdc.n; i++) {
        const struct cdc_column *column = &d->cdc.v[i];
        assert_true(sv_eq(ident_name(column->name), sv_from(column->source->name)));
        assert_int_equal(column->key, i < d->cdc_key_count);
        buf_addf(&text, "%s%.*s%s", i == 0 ? "" : " ", SV_ARGS(ident_name(column->name)),
                 column->key ? "*" : "");
    }
    assert_string_equal(buf_z(&text), expected);
    buf_deinit(&text);
}

/* The same for the target: "mail* id", "name<-expr" for an expression. */
static void assert_target(const struct desired *d, const char *expected)
{
    struct buf text = {0};

    buf_init(&text, 1000);
    assert_int_equal(d->columns.n, d->rw_columns.n);
    assert_int_equal(d->columns.n, d->aliases.n);
    assert_int_equal(d->columns.n, d->sr_columns.n);
    for (size_t i = 0; i < d->columns.n; i++) {
        const struct column_map *map = &d->columns.v[i];
        assert_int_equal(map->key, i < d->key_count);
        assert_int_equal(d->rw_columns.v[i] == NULL, map->expr == SINK_CUSTOM);
        assert_true(sv_eq(ident_name(d->aliases.v[i]), ident_name(d->sr_columns.v[i])));
        assert_int_equal(ident_dialect(d->aliases.v[i]), SQL_RISINGWAVE);
        assert_int_equal(ident_dialect(d->sr_columns.v[i]), SQL_STARROCKS);
        buf_addf(&text, "%s%.*s%s%s", i == 0 ? "" : " ",
                 SV_ARGS(ident_name(d->sr_columns.v[i])), map->key ? "*" : "",
                 map->expr == SINK_CUSTOM ? "<-expr" : "");
    }
    assert_string_equal(buf_z(&text), expected);
    buf_deinit(&text);
}

static void customers(struct fixture *f)
{
    fixture_column(f, "name", "varchar(40)", "");
    fixture_column(f, "id", "int", "PRI");
    fixture_column(f, "mail", "varchar(20)", "");
    fixture_column(f, "tenant", "smallint", "");
    fixture_column(f, "raw_blob", "blob", "");
    add_unique(f, "uq_mail", "mail", NULL);
    add_unique(f, "uq_pair", "tenant", "name");
}

static void takes_all_unless_told(void **state)
{
    struct fixture *f = *state;
    struct desired d;
    struct fault fault = FAULT_INIT;

    customers(f);
    ASSERT_OK(build(f, true, &d, &fault), &fault);
    assert_cdc(&d, "id* name mail tenant raw_blob");
    assert_target(&d, "id* name mail tenant raw_blob");
    add(f, &f->sync.include, "*");
    add(f, &f->sync.exclude, "RAW_Blob");
    ASSERT_OK(build(f, true, &d, &fault), &fault);
    assert_cdc(&d, "id* name mail tenant");
    assert_target(&d, "id* name mail tenant");
}

static void takes_what_is_included_and_the_key(void **state)
{
    struct fixture *f = *state;
    struct desired d;
    struct fault fault = FAULT_INIT;

    customers(f);
    add(f, &f->sync.include, "tenant");
    add(f, &f->sync.include, "Mail");
    ASSERT_OK(build(f, true, &d, &fault), &fault);
    assert_cdc(&d, "id* mail tenant");
    assert_target(&d, "id* mail tenant");
    add(f, &f->sync.exclude, "mail");
    ASSERT_OK(build(f, true, &d, &fault), &fault);
    assert_target(&d, "id* tenant");
}

static void refuses_to_leave_a_key_out(void **state)
{
    struct fixture *f = *state;
    struct desired d;
    struct fault fault = FAULT_INIT;

    customers(f);
    add(f, &f->sync.exclude, "ID");
    ASSERT_REFUSED(build(f, false, &d, &fault), &fault, "InvalidColumns");
    ASSERT_CONTAINS(fault.text, "part of the target's key");
    ASSERT_CONTAINS(fault.text, "Key column(ID) doesn't exist.");
}

static void delivers_by_another_unique_key(void **state)
{
    struct fixture *f = *state;
    struct desired d;
    struct fault fault = FAULT_INIT;

    customers(f);
    add(f, &f->sync.primary_key, "MAIL");
    ASSERT_OK(build(f, true, &d, &fault), &fault);
    assert_cdc(&d, "id* name mail tenant raw_blob");
    assert_target(&d, "mail* name id tenant raw_blob");
    add(f, &f->sync.exclude, "id"); /* the CDC table keeps it */
    ASSERT_OK(build(f, true, &d, &fault), &fault);
    assert_cdc(&d, "id* name mail tenant raw_blob");
    assert_target(&d, "mail* name tenant raw_blob");
    f->sync.primary_key.v[0] = "name";
    add(f, &f->sync.primary_key, "tenant");
    ASSERT_OK(build(f, true, &d, &fault), &fault);
    assert_target(&d, "name* tenant* mail raw_blob");
}

static void orders_the_key_as_told(void **state)
{
    struct fixture *f = *state;
    struct desired d;
    struct fault fault = FAULT_INIT;

    fixture_column(f, "a", "int", "PRI");
    fixture_column(f, "b", "int", "PRI");
    add(f, &f->sync.primary_key, "b");
    add(f, &f->sync.primary_key, "a");
    ASSERT_OK(build(f, true, &d, &fault), &fault);
    assert_cdc(&d, "a* b*");
    assert_target(&d, "b* a*");
}

static void refuses_what_is_no_unique_key(void **state)
{
    struct fixture *f = *state;
    static const char *const bad[][3] = {{"name"},         {"tenant"},
                                         {"mail", "name"}, {"mail", "mail"},
                                         {"id", "mail"},   {"tenant", "name", "id"}};
    struct desired d;

    customers(f);
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct fault fault = FAULT_INIT;
        f->sync.primary_key = (struct strlist){0};
        for (size_t k = 0; k < 3 && bad[i][k] != NULL; k++) {
            add(f, &f->sync.primary_key, bad[i][k]);
        }
        ASSERT_REFUSED(build(f, false, &d, &fault), &fault, "InvalidColumns");
        ASSERT_CONTAINS(fault.text,
                        "PRIMARY (id), uq_mail (mail), uq_pair (tenant, name)");
    }
    f->sync.primary_key = (struct strlist){0};
    add(f, &f->sync.primary_key, "gone");
    struct fault fault = FAULT_INIT;
    ASSERT_REFUSED(build(f, false, &d, &fault), &fault, "InvalidColumns");
    ASSERT_CONTAINS(fault.text, "spec.primaryKey names column 'gone'");
}

/* The target's key is held to StarRocks' rules, the upstream one to RisingWave's. */
static void checks_each_key_by_its_own_rules(void **state)
{
    struct fixture *f = *state;
    struct desired d;
    struct fault fault = FAULT_INIT;

    fixture_column(f, "f", "double", "PRI");
    fixture_column(f, "mail", "varchar(20)", "");
    fixture_column(f, "doc", "json", "");
    fixture_column(f, "hash", "binary(16)", "");
    add_unique(f, "uq", "mail", NULL);
    add_unique(f, "uq_doc", "doc", NULL);
    ASSERT_REFUSED(build(f, true, &d, &fault), &fault, "UnsupportedKey");
    add(f, &f->sync.primary_key, "mail");
    ASSERT_OK(build(f, true, &d, &fault), &fault);
    assert_target(&d, "mail* f doc hash");
    f->sync.primary_key.v[0] = "doc";
    ASSERT_REFUSED(build(f, true, &d, &fault), &fault, "UnsupportedKey");
    f->sync.primary_key.v[0] = "mail";
    f->table.primary_key.v[0] = "hash";
    ASSERT_REFUSED(build(f, true, &d, &fault), &fault, "UnsupportedKey");
    ASSERT_CONTAINS(fault.text, "'hash' of type binary(16)");
    ASSERT_CONTAINS(fault.text, "cannot page through");
    f->table.columns.v[3] = column_of("hash", "decimal(30,2)");
    ASSERT_REFUSED(build(f, true, &d, &fault), &fault, "UnsupportedKey");
    ASSERT_CONTAINS(fault.text, "28 digits");
    f->table.columns.v[3] = column_of("hash", "decimal(28,2)");
    ASSERT_OK(build(f, true, &d, &fault), &fault);
    f->table.columns.v[3] = column_of("hash", "set('a')");
    ASSERT_REFUSED(build(f, true, &d, &fault), &fault, "UnsupportedType");
}

static void leaves_out_what_no_type_carries(void **state)
{
    struct fixture *f = *state;
    struct desired d;
    struct fault fault = FAULT_INIT;

    fixture_column(f, "id", "int", "PRI");
    fixture_column(f, "tags", "set('a','b')", "");
    fixture_column(f, "a=b", "int", "");
    fixture_column(f, "place", "point", "");
    ASSERT_REFUSED(build(f, true, &d, &fault), &fault, "UnsupportedType");
    f->sync.unsupported = UNSUPPORTED_SKIP;
    ASSERT_OK(build(f, true, &d, &fault), &fault);
    assert_cdc(&d, "id*");
    assert_target(&d, "id*");
    assert_int_equal(d.skipped.n, 3);
    assert_true(sv_starts(sv_from(d.skipped.v[0]), SV("tags: ")));
    ASSERT_CONTAINS(d.skipped.v[0], "set('a','b')");
    assert_true(sv_starts(sv_from(d.skipped.v[1]), SV("a=b: ")));
    assert_true(has_note(&d, "column 'place' is left out (spec.columns.unsupported is "
                             "Skip): "));
    f->table.columns.v[0] = column_of("id", "json"); /* a key is never left out */
    ASSERT_REFUSED(build(f, true, &d, &fault), &fault, "UnsupportedKey");
}

static void hands_the_options_to_the_type_table(void **state)
{
    struct fixture *f = *state;
    struct desired d;
    struct fault fault = FAULT_INIT;

    fixture_column(f, "id", "int", "PRI");
    fixture_column(f, "v", "varchar(10)", "");
    fixture_column(f, "wide", "decimal(65,30)", "");
    f->sync.bytes_per_character = 2;
    f->sync.unsupported = UNSUPPORTED_TO_STRING;
    ASSERT_OK(build(f, true, &d, &fault), &fault);
    assert_int_equal(d.columns.v[1].sr.length, 20);
    struct desired_input input = fixture_input(f);
    input.starrocks_version = "3.3.16";
    ASSERT_OK(desired_build(&input, f->arena, &d, &fault), &fault);
    assert_int_equal(d.columns.v[2].sr.kind, SR_VARCHAR);
    assert_int_equal(d.columns.v[2].expr, SINK_CAST_VARCHAR);
}

/* What an expression reads is in the CDC table, selected or not; what it replaces too. */
static void holds_what_expressions_read(void **state)
{
    struct fixture *f = *state;
    struct desired d;
    struct fault fault = FAULT_INIT;

    customers(f);
    add(f, &f->sync.include, "name");
    add_override(f, (struct column_override){.name = "name",
                                             .expression = "lower(mail) || tenant"});
    ASSERT_OK(build(f, true, &d, &fault), &fault);
    assert_cdc(&d, "id* name mail tenant");
    assert_target(&d, "id* name<-expr");
    assert_string_equal(d.columns.v[1].source->name, "name");
    f->sync.include.n = 0;
    add(f, &f->sync.exclude, "mail");
    ASSERT_OK(build(f, true, &d, &fault), &fault);
    assert_cdc(&d, "id* name mail tenant raw_blob");
    assert_target(&d, "id* name<-expr tenant raw_blob");
}

/* The value of a column of an impossible type can be made of others. */
static void replaces_what_no_type_carries(void **state)
{
    struct fixture *f = *state;
    struct desired d;
    struct fault fault = FAULT_INIT;

    fixture_column(f, "id", "int", "PRI");
    fixture_column(f, "tags", "set('a','b')", "");
    add_override(f, (struct column_override){.name = "tags", .expression = "'none'"});
    ASSERT_OK(build(f, true, &d, &fault), &fault);
    assert_cdc(&d, "id*");
    assert_target(&d, "id* tags<-expr");
    f->sync.overrides.v[0].expression = "lower(tags)";
    ASSERT_REFUSED(build(f, true, &d, &fault), &fault, "InvalidOverride");
    ASSERT_CONTAINS(fault.text, "RisingWave has no type for this column");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(takes_all_unless_told),
        TEST(takes_what_is_included_and_the_key),
        TEST(refuses_to_leave_a_key_out),
        TEST(delivers_by_another_unique_key),
        TEST(orders_the_key_as_told),
        TEST(refuses_what_is_no_unique_key),
        TEST(checks_each_key_by_its_own_rules),
        TEST(leaves_out_what_no_type_carries),
        TEST(hands_the_options_to_the_type_table),
        TEST(holds_what_expressions_read),
        TEST(replaces_what_no_type_carries),
    };

    return cmocka_run_group_tests_name("desired_choice", tests, NULL, NULL);
}

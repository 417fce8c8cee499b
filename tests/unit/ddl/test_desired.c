#include "unit.h"

#include <string.h>

static bool build(struct fixture *f, struct desired *out_desired, struct fault *fault)
{
    struct desired_input input = fixture_input(f);

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

static void puts_key_columns_first_in_key_order(void **state)
{
    struct fixture *f = *state;
    struct desired d;
    struct fault fault = FAULT_INIT;
    static const char *const order[] = {"b", "a", "v", "w"};

    fixture_column(f, "v", "int", "");
    fixture_column(f, "a", "int", "");
    fixture_column(f, "w", "int", "");
    fixture_column(f, "b", "int", "");
    VEC_PUSH(f->arena, &f->table.primary_key, "b");
    VEC_PUSH(f->arena, &f->table.primary_key, "A"); /* MySQL's case does not matter */
    ASSERT_OK(build(f, &d, &fault), &fault);
    assert_int_equal(d.key_count, 2);
    assert_int_equal(d.columns.n, COUNT_OF(order));
    for (size_t i = 0; i < COUNT_OF(order); i++) {
        assert_string_equal(d.columns.v[i].source->name, order[i]);
        assert_true(sv_eq(ident_name(d.rw_columns.v[i]), sv_from(order[i])));
        assert_true(sv_eq(ident_name(d.sr_columns.v[i]), sv_from(order[i])));
        assert_int_equal(d.columns.v[i].key, i < 2);
    }
}

static void refuses_tables_it_cannot_follow(void **state)
{
    struct fixture *f = *state;
    struct desired d;
    struct fault fault = FAULT_INIT;

    fixture_column(f, "id", "int", "");
    ASSERT_REFUSED(build(f, &d, &fault), &fault, "NoPrimaryKey");
    ASSERT_CONTAINS(fault.text, "ADD PRIMARY KEY");
    f->table.type = "VIEW";
    ASSERT_REFUSED(build(f, &d, &fault), &fault, "NotABaseTable");
    f->table.type = "BASE TABLE";
    VEC_PUSH(f->arena, &f->table.primary_key, "gone");
    assert_false(build(f, &d, &fault));
    assert_int_equal(fault.class, FAULT_BUG);
}

/* verified.md 6: what streams, and what loses changes without a word. */
static void knows_which_upstream_names_stream(void **state)
{
    struct fixture *f = *state;
    static const char *const good[] = {"orders", "hy-phen", "dot.ted",
                                       "UPper",  "_x",      "1st"};
    static const char *const bad[] = {"sp ace", "dol$lar", "表格", "qu'ote", "dq\"",
                                      "bq`",    "a#b",     "a@b",  "é"};
    struct desired d;
    struct fault fault = FAULT_INIT;

    fixture_column(f, "id", "int", "PRI");
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        f->table.name = good[i];
        ASSERT_OK(build(f, &d, &fault), &fault);
    }
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        f->table.name = bad[i];
        ASSERT_REFUSED(build(f, &d, &fault), &fault, "UnsupportedName");
        ASSERT_CONTAINS(fault.text, "MySQL table name");
        f->table.name = "orders";
        f->table.database = bad[i];
        ASSERT_REFUSED(build(f, &d, &fault), &fault, "UnsupportedName");
        ASSERT_CONTAINS(fault.text, "MySQL database name");
        f->table.database = "shop";
    }
    f->table.database = "my.shop";
    ASSERT_REFUSED(build(f, &d, &fault), &fault, "UnsupportedName");
    ASSERT_CONTAINS(fault.text, "before the first dot");
}

static void tells_all_bad_columns_at_once(void **state)
{
    struct fixture *f = *state;
    struct desired d;
    struct fault fault = FAULT_INIT;
    char names[10][8];

    fixture_column(f, "id", "json", "PRI");
    fixture_column(f, "tags", "set('a','b')", "");
    fixture_column(f, "a=b", "int", "");
    fixture_column(f, "fine", "int", "");
    ASSERT_REFUSED(build(f, &d, &fault), &fault, "UnsupportedKey");
    ASSERT_CONTAINS(fault.text, "shop.orders: ");
    ASSERT_CONTAINS(fault.text, "'id' of type json");
    ASSERT_CONTAINS(fault.text, "'tags' of type set('a','b')");
    ASSERT_CONTAINS(fault.text, "'a=b'");
    for (unsigned i = 0; i < COUNT_OF(names); i++) {
        names[i][0] = (char)('a' + i);
        names[i][1] = '\0';
        fixture_column(f, names[i], "point", "");
    }
    ASSERT_REFUSED(build(f, &d, &fault), &fault, "UnsupportedKey");
    ASSERT_CONTAINS(fault.text, "and 5 more");
}

static void refuses_names_the_sink_cannot_carry(void **state)
{
    struct fixture *f = *state;
    struct desired d;
    struct fault fault = FAULT_INIT;
    static const char *const targets[] = {"a\"b", "a\\b", "a`b"};

    fixture_column(f, " id", "int", "PRI");
    ASSERT_REFUSED(build(f, &d, &fault), &fault, "UnsupportedName");
    ASSERT_CONTAINS(fault.text, "begins or ends with a blank");
    f->table.columns.v[0].name = "id";
    f->table.primary_key.v[0] = "id";
    fixture_column(f, " v", "int", "");
    ASSERT_OK(build(f, &d, &fault), &fault);
    for (size_t i = 0; i < COUNT_OF(targets); i++) {
        f->sync.target_table = targets[i];
        ASSERT_REFUSED(build(f, &d, &fault), &fault, "UnsupportedName");
    }
    f->sync.target_table = "ok";
    f->sync.target_database = "9";
    ASSERT_REFUSED(build(f, &d, &fault), &fault, "UnsupportedName");
}

static void treats_a_full_counter_as_large_keys(void **state)
{
    struct fixture *f = *state;
    struct desired d;
    struct fault fault = FAULT_INIT;

    struct mysql_column *id = fixture_column(f, "id", "bigint unsigned", "PRI");
    id->key_max = 5;
    f->table.auto_increment = -1;
    ASSERT_OK(build(f, &d, &fault), &fault);
    assert_int_equal(d.columns.v[0].expr,
                     SINK_CAST_BIGINT); /* another column's counter */
    id->extra = "auto_increment";
    ASSERT_OK(build(f, &d, &fault), &fault);
    assert_int_equal(d.columns.v[0].expr, SINK_CAST_VARCHAR);
    assert_ptr_equal(d.columns.v[0].source, id);
}

static void warns_of_long_keys(void **state)
{
    struct fixture *f = *state;
    struct desired d;
    struct fault fault = FAULT_INIT;

    fixture_column(f, "a", "varchar(30)", "PRI"); /* 120 + 2 */
    fixture_column(f, "b", "smallint", "PRI");    /* 2 */
    fixture_column(f, "c", "date", "PRI");        /* 4 */
    ASSERT_OK(build(f, &d, &fault), &fault);
    assert_false(has_note(&d, "128"));
    fixture_column(f, "d", "tinyint", "PRI");
    ASSERT_OK(build(f, &d, &fault), &fault);
    assert_true(has_note(&d, "may take 130"));
    f->table.columns.v[0] = column_of("a", "enum('x','yy')");
    f->table.columns.v[0].char_max_length = 2;
    ASSERT_OK(build(f, &d, &fault), &fault);
    assert_false(has_note(&d, "128"));
}

static void warns_of_unproven_key_names(void **state)
{
    struct fixture *f = *state;
    struct desired d;
    struct fault fault = FAULT_INIT;

    fixture_column(f, "we-ird", "int", "PRI");
    fixture_column(f, "we-ird too", "int", "");
    ASSERT_OK(build(f, &d, &fault), &fault);
    assert_int_equal(d.notes.n, 1);
    assert_true(has_note(&d, "'we-ird'"));
}

static void warns_of_names_outside_ascii(void **state)
{
    struct fixture *f = *state;
    struct desired d;
    struct fault fault = FAULT_INIT;

    fixture_column(f, "id", "int", "PRI");
    fixture_column(f, "列", "int", "");
    ASSERT_OK(build(f, &d, &fault), &fault);
    assert_int_equal(d.notes.n, 1);
    assert_true(has_note(&d, "column '列': a name outside ASCII"));
    f->sync.target_table = "表";
    ASSERT_OK(build(f, &d, &fault), &fault);
    assert_true(has_note(&d, "target table: a name outside ASCII"));
}

static void hashes_the_definition(void **state)
{
    struct fixture *f = *state;
    struct desired a, b;
    struct fault fault = FAULT_INIT;

    fixture_column(f, "id", "int", "PRI");
    fixture_column(f, "v", "varchar(5)", "");
    ASSERT_OK(build(f, &a, &fault), &fault);
    assert_int_equal(strlen(a.hash), 12);
    f->table.columns.v[1].comment = "x";
    ASSERT_OK(build(f, &b, &fault), &fault);
    assert_string_equal(a.hash, b.hash);
    f->table.columns.v[1].column_type = "varchar(6)";
    ASSERT_OK(build(f, &b, &fault), &fault);
    assert_string_not_equal(a.hash, b.hash);
    assert_string_equal(desired_sink_hash(&a, 1, f->arena),
                        desired_sink_hash(&b, 1, f->arena));
}

/* One thing is changed at a time; both hashes tell what concerns them. */
static void hashes_all_that_objects_depend_on(void **state)
{
    struct fixture *f = *state;
    struct tablesync *sync = &f->sync;
    struct column_override override = {.name = "v"};
    struct fault fault = FAULT_INIT;
    enum {
        PROPERTY,
        BUCKETS,
        PARTITION,
        RENAMED,
        EXPRESSION,
        WIDER,
        EXCLUDED,
        TARGET,
        PARTIAL,
        CHANGES
    };
    static const bool changes_sink[CHANGES] = {[RENAMED] = true,
                                               [EXPRESSION] = true,
                                               [EXCLUDED] = true,
                                               [TARGET] = true,
                                               [PARTIAL] = true};
    const struct tablesync plain = *sync;
    struct desired before;

    fixture_column(f, "id", "int", "PRI");
    fixture_column(f, "v", "varchar(5)", "");
    ASSERT_OK(build(f, &before, &fault), &fault);
    const char *sink = desired_sink_hash(&before, 1, f->arena);
    for (int change = 0; change < CHANGES; change++) {
        struct desired after;
        *sync = plain;
        override = (struct column_override){.name = "v"};
        if (change == PROPERTY) {
            struct property property = {"compression", "ZSTD"};
            VEC_PUSH(f->arena, &sync->properties, property);
        }
        sync->buckets = change == BUCKETS ? 4 : 0;
        sync->partition_by = change == PARTITION ? "id" : "";
        override.target_name = change == RENAMED ? "w" : NULL;
        override.expression = change == EXPRESSION ? "v" : NULL;
        override.target_type = change == WIDER        ? "VARCHAR(40)"
                               : change == EXPRESSION ? "VARCHAR(20)"
                                                      : NULL;
        if (change == RENAMED || change == EXPRESSION || change == WIDER) {
            VEC_PUSH(f->arena, &sync->overrides, override);
        }
        if (change == EXCLUDED) {
            VEC_PUSH(f->arena, &sync->exclude, "v");
        }
        sync->target_table = change == TARGET ? "other" : plain.target_table;
        sync->partial_update = change == PARTIAL;
        ASSERT_OK(build(f, &after, &fault), &fault);
        assert_int_equal(strcmp(before.hash, after.hash) != 0, change != PARTIAL);
        assert_int_equal(strcmp(sink, desired_sink_hash(&after, 1, f->arena)) != 0,
                         changes_sink[change]);
    }
    assert_string_not_equal(desired_sink_hash(&before, 2, f->arena),
                            desired_sink_hash(&before, 3, f->arena));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(puts_key_columns_first_in_key_order),
        TEST(refuses_tables_it_cannot_follow),
        TEST(knows_which_upstream_names_stream),
        TEST(tells_all_bad_columns_at_once),
        TEST(refuses_names_the_sink_cannot_carry),
        TEST(treats_a_full_counter_as_large_keys),
        TEST(warns_of_long_keys),
        TEST(warns_of_unproven_key_names),
        TEST(warns_of_names_outside_ascii),
        TEST(hashes_the_definition),
        TEST(hashes_all_that_objects_depend_on),
    };

    return cmocka_run_group_tests_name("desired", tests, NULL, NULL);
}

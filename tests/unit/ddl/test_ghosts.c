/* The statements that find and delete what a sink did not delete. */
#include "scene.h"

#include "ddl/ghosts.h"

#include <string.h>

static const char *query_of(struct scene *s, const struct strlist *columns,
                            int64_t offset)
{
    struct ghosts_query query = {0};
    struct fault fault = FAULT_INIT;

    ASSERT_OK(scene_plan(s, &fault), &fault);
    ASSERT_OK(ghosts_query(s->plan.definition, "t_v2", "__internal_k_v1_26_sink_10",
                           columns, offset, s->f->arena, &query, &fault),
              &fault);
    assert_int_equal(query.width, s->d.key_count);
    return rendered(query.stmt, s->f->arena);
}

static void asks_for_keys_that_are_gone(void **state)
{
    struct scene s = {0};
    const char *columns[] = {"t_v1_id", "t_v1_note"};
    const struct strlist list = {.v = columns, .n = COUNT_OF(columns)};

    scene_open(&s, state);
    assert_string_equal(
        query_of(&s, &list, 20000),
        "SELECT DISTINCT l.\"t_v1_id\"::VARCHAR AS \"k1\" FROM "
        "\"tablesync\".\"__internal_k_v1_26_sink_10\" AS l LEFT JOIN (SELECT "
        "(\"id\"::BIGINT)::VARCHAR AS \"k1\" FROM \"tablesync\".\"t_v2\") AS c ON "
        "c.\"k1\" = l.\"t_v1_id\"::VARCHAR WHERE l.kv_log_store_row_op IN (2, 4) AND "
        "c.\"k1\" IS NULL ORDER BY 1 LIMIT 10000 OFFSET 20000");
}

static void compares_every_key_column(void **state)
{
    struct scene s = {0};
    const char *columns[] = {"x \"1", "p_at", "p_note"};
    struct strlist list = {.v = columns, .n = COUNT_OF(columns)};
    struct ghosts_query query = {0};
    struct fault fault = FAULT_INIT;

    scene_open(&s, state);
    fixture_column(s.f, "at", "timestamp", "PRI");
    ASSERT_OK(scene_plan(&s, &fault), &fault);
    assert_int_equal(s.d.key_count, 2);
    /* A name that cannot be quoted is refused, not sent. */
    assert_false(ghosts_query(s.plan.definition, "t", "log", &list, 0, s.f->arena, &query,
                              &fault));
    columns[0] = "p_id";
    const char *sql = query_of(&s, &list, 0);
    ASSERT_CONTAINS(sql, "SELECT DISTINCT l.\"p_id\"::VARCHAR AS \"k1\", "
                         "l.\"p_at\"::VARCHAR AS \"k2\" FROM");
    ASSERT_CONTAINS(sql, "(\"at\" AT TIME ZONE 'UTC')::VARCHAR AS \"k2\"");
    ASSERT_CONTAINS(sql, " ON c.\"k1\" = l.\"p_id\"::VARCHAR AND c.\"k2\" = "
                         "l.\"p_at\"::VARCHAR WHERE");
    ASSERT_CONTAINS(sql, "ORDER BY 1, 2 LIMIT");
    list.n = 1; /* less than the key */
    assert_false(ghosts_query(s.plan.definition, "t", "log", &list, 0, s.f->arena, &query,
                              &fault));
    assert_int_equal(fault.class, FAULT_REFUSED);
    ASSERT_CONTAINS(fault.text, "less than the key of 2");
}

/* A table with one key column of a type; out_sql: NULL when the cell is refused. */
static const char *deletion(struct fixture *f, const char *type, const char *cell,
                            struct fault *fault)
{
    struct desired_input in = fixture_input(f);
    struct desired d;
    struct ghost_keys keys = {.width = 1};
    const struct stmt *s = NULL;

    memset(&f->table.columns, 0, sizeof(f->table.columns));
    memset(&f->table.primary_key, 0, sizeof(f->table.primary_key));
    fixture_column(f, "id", type, "PRI");
    ASSERT_OK(desired_build(&in, f->arena, &d, fault), fault);
    VEC_PUSH(f->arena, &keys.cells, cell);
    if (!ghosts_delete(&d, &keys, 0, 1, f->arena, &s, fault)) {
        assert_int_equal(fault->class, FAULT_REFUSED);
        return NULL;
    }
    assert_string_equal(stmt_redacted(s, f->arena),
                        "DELETE FROM `ods`.`orders` WHERE `id` IN (1 row)");
    return rendered(s, f->arena);
}

static void writes_values_by_type(void **state)
{
    static const struct {
        const char *type, *cell, *literal; /* NULL: refused */
    } cases[] = {
        {"int(11)", "-7", "-7"},
        {"bigint(20)", "9223372036854775807", "9223372036854775807"},
        {"int(11)", "1 OR 1=1", NULL},
        {"int(11)", "", NULL},
        {"int(11)", "-", NULL},
        {"int(11)", "1.5", NULL},
        {"int(11)", NULL, NULL},
        {"bigint(20) unsigned", "18446744073709551615", "'18446744073709551615'"},
        {"decimal(10,2)", "-1.50", "'-1.50'"},
        {"bit(1)", "true", "TRUE"},
        {"bit(1)", "f", "FALSE"},
        {"bit(1)", "1); DROP TABLE x", NULL},
        {"date", "2024-02-29", "'2024-02-29'"},
        {"date", "tomorrow", NULL},
        {"datetime(3)", "2024-02-29 01:02:03.004", "'2024-02-29 01:02:03.004'"},
        {"datetime(3)", "now()", NULL},
        {"varchar(20)", "it's \\ \"列\"", "'it\\'s \\\\ \\\"列\\\"'"},
        {"varchar(20)", "", "''"},
        {"varchar(20)", "\xff", NULL},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct fault fault = FAULT_INIT;
        const char *sql = deletion(f, cases[i].type, cases[i].cell, &fault);

        if (cases[i].literal == NULL) {
            assert_null(sql);
        } else {
            assert_non_null(sql);
            assert_string_equal(sql, arena_printf(f->arena,
                                                  "DELETE FROM `ods`.`orders` WHERE `id` "
                                                  "IN (%s)",
                                                  cases[i].literal));
        }
    }
}

/* Of a key that was made text once, and stays so: what the plan says counts. */
static void deletes_a_part_of_the_keys(void **state)
{
    struct scene s = {0};
    struct ghost_keys keys = {.width = 1};
    struct fault fault = FAULT_INIT;
    const struct stmt *stmt = NULL;

    scene_open(&s, state);
    s.f->table.columns.v[0].key_max = -1;
    scene_converge(&s);
    s.f->table.columns.v[0].key_max = 5;
    ASSERT_OK(scene_plan(&s, &fault), &fault);
    for (int i = 1; i <= 4; i++) {
        VEC_PUSH(s.f->arena, &keys.cells,
                 (const char *)arena_printf(s.f->arena, "%d", i));
    }
    ASSERT_OK(ghosts_delete(s.plan.definition, &keys, 1, 2, s.f->arena, &stmt, &fault),
              &fault);
    assert_string_equal(rendered(stmt, s.f->arena),
                        "DELETE FROM `ods`.`orders` WHERE `id` IN ('2', '3')");
    assert_string_equal(stmt_redacted(stmt, s.f->arena),
                        "DELETE FROM `ods`.`orders` WHERE `id` IN (2 rows)");
}

static void deletes_by_composite_key(void **state)
{
    struct fixture *f = *state;
    struct desired_input in = fixture_input(f);
    struct desired d;
    const char *cells[] = {"1", "x", "2", "y'"};
    struct ghost_keys keys = {.width = 2};
    struct fault fault = FAULT_INIT;
    const struct stmt *stmt = NULL;

    fixture_column(f, "a", "int(11)", "PRI");
    fixture_column(f, "b", "varchar(5)", "PRI");
    ASSERT_OK(desired_build(&in, f->arena, &d, &fault), &fault);
    for (size_t i = 0; i < COUNT_OF(cells); i++) {
        VEC_PUSH(f->arena, &keys.cells, cells[i]);
    }
    ASSERT_OK(ghosts_delete(&d, &keys, 0, 2, f->arena, &stmt, &fault), &fault);
    assert_string_equal(rendered(stmt, f->arena),
                        "DELETE FROM `ods`.`orders` WHERE (`a` = 1 AND `b` = 'x') OR "
                        "(`a` = 2 AND `b` = 'y\\'')");
    assert_string_equal(stmt_redacted(stmt, f->arena),
                        "DELETE FROM `ods`.`orders` WHERE 2 rows");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(asks_for_keys_that_are_gone), TEST(compares_every_key_column),
        TEST(writes_values_by_type),       TEST(deletes_a_part_of_the_keys),
        TEST(deletes_by_composite_key),
    };

    return cmocka_run_group_tests_name("ghosts", tests, NULL, NULL);
}

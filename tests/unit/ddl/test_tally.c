/* Counting both sides: what is asked, and what follows from the numbers. */
#include "unit.h"

#include "ddl/tally.h"

#include "base/buf.h"

#include <string.h>

static struct arena *arena;

static int make_arena(void **state)
{
    (void)state;
    arena = arena_new(ARENA_CEILING_BYTES);
    return 0;
}

static int free_arena(void **state)
{
    (void)state;
    arena_freep(&arena);
    return 0;
}

static const char *asked(enum mysql_flavor flavor, const char *version, const char *table)
{
    const struct mysql_server server = {.flavor = flavor, .version = version};
    struct tally_query query = {0};
    struct fault fault = FAULT_INIT;

    ASSERT_OK(tally_ask_mysql(&server, "shop", table, arena, &query, &fault), &fault);
    assert_string_equal(query.table, table);
    assert_int_equal(query.limit_ms, TALLY_LIMIT_MS);
    return stmt_redacted(query.stmt, arena);
}

static void each_server_is_asked_in_its_way(void **state)
{
    struct tally_query query = {0};
    struct fault fault = FAULT_INIT;

    (void)state;
    assert_string_equal(
        asked(MYSQL_ORACLE, "8.0.39", "orders"),
        "SELECT /*+ MAX_EXECUTION_TIME(30000) */ COUNT(*) AS n FROM `shop`.`orders`");
    assert_string_equal(asked(MYSQL_MARIADB, "10.11.6-MariaDB", "a-b c"),
                        "SET STATEMENT max_statement_time = 30 FOR SELECT COUNT(*) AS n "
                        "FROM `shop`.`a-b c`");
    assert_string_equal(asked(MYSQL_MARIADB, "10.0.38-MariaDB", "orders"),
                        "SELECT COUNT(*) AS n FROM `shop`.`orders`");
    ASSERT_OK(tally_ask_starrocks("ods", "orders", arena, &query, &fault), &fault);
    assert_string_equal(stmt_redacted(query.stmt, arena),
                        "SELECT COUNT(*) AS n FROM `ods`.`orders`");
    assert_false(tally_ask_starrocks("ods", "or`ders", arena, &query, &fault));
}

static void versions_are_numbers(void **state)
{
    (void)state;
    assert_int_equal(mysql_version_number("8.0.39"), 80039);
    assert_int_equal(mysql_version_number("10.11.6-MariaDB"), 101106);
    assert_int_equal(mysql_version_number("5.6.24-log"), 50624);
    assert_int_equal(mysql_version_number("9"), 90000);
    assert_int_equal(mysql_version_number(""), 0);
    assert_int_equal(mysql_version_number(NULL), 0);
}

struct seen {
    int64_t source, target;
    bool arrived;
};

/* One row of the table: looks until a verdict. */
static void looks_come_to_a_verdict(void **state)
{
    static const struct {
        const char *story;
        struct seen looks[TALLY_LOOKS_MAX];
        int64_t tolerance;
        enum tally_verdict verdict;
        int64_t after; /* looks */
    } rows[] = {
        {"equal at once", {{7, 7, true}}, 0, TALLY_MATCH, 1},
        {"equal, whatever waits", {{7, 7, false}}, 0, TALLY_MATCH, 1},
        {"both empty", {{0, 0, true}}, 0, TALLY_MATCH, 1},
        {"fewer by what is allowed", {{7, 5, true}}, 2, TALLY_WITHIN, 1},
        {"more by what is allowed", {{5, 7, true}}, 2, TALLY_WITHIN, 1},
        {"more than is allowed", {{7, 4, true}, {7, 4, true}}, 2, TALLY_MISMATCH, 2},
        {"equal beats allowed", {{7, 7, true}}, 5, TALLY_MATCH, 1},
        {"on its way", {{7, 5, true}, {7, 7, true}}, 0, TALLY_MATCH, 2},
        {"a ghost", {{7, 8, true}, {7, 8, true}}, 0, TALLY_MISMATCH, 2},
        {"missing", {{7, 0, true}, {7, 0, true}}, 0, TALLY_MISMATCH, 2},
        {"still, and rows wait: later",
         {{7, 5, false}, {7, 5, false}, {7, 5, true}},
         0,
         TALLY_MISMATCH,
         3},
        {"rows waited and came",
         {{7, 5, false}, {7, 5, false}, {7, 5, false}, {7, 7, true}},
         0,
         TALLY_MATCH,
         4},
        {"they wait for ever",
         {{7, 5, false}, {7, 5, false}, {7, 5, false}, {7, 5, false}, {7, 5, false}},
         0,
         TALLY_INCONCLUSIVE,
         5},
        {"StarRocks catches up, slowly",
         {{9, 1, true}, {9, 3, true}, {9, 5, true}, {9, 7, true}, {9, 8, true}},
         0,
         TALLY_INCONCLUSIVE,
         5},
        {"both move",
         {{7, 6, true}, {8, 7, true}, {9, 8, true}, {10, 9, true}, {11, 10, true}},
         0,
         TALLY_INCONCLUSIVE,
         5},
        {"they move, then stand still",
         {{7, 6, true}, {8, 9, true}, {8, 9, true}},
         0,
         TALLY_MISMATCH,
         3},
        {"the same difference is not the same numbers",
         {{7, 8, true}, {8, 9, true}, {8, 8, true}},
         0,
         TALLY_MATCH,
         3},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct tally tally = {0};
        enum tally_verdict verdict = TALLY_AGAIN;

        for (size_t at = 0; verdict == TALLY_AGAIN && at < TALLY_LOOKS_MAX; at++) {
            const struct seen *s = &rows[i].looks[at];
            verdict =
                tally_look(&tally, s->source, s->target, s->arrived, rows[i].tolerance);
        }
        if (verdict != rows[i].verdict || tally.looks != rows[i].after) {
            fail_msg("%s: verdict %d after %lld looks", rows[i].story, (int)verdict,
                     (long long)tally.looks);
        }
    }
}

static void says_what_moved(void **state)
{
    struct tally tally = {0};

    (void)state;
    (void)tally_look(&tally, 7, 5, true, 0);
    assert_false(tally.source_moves || tally.target_moves);
    (void)tally_look(&tally, 8, 5, true, 0);
    assert_true(tally.source_moves && !tally.target_moves);
    (void)tally_look(&tally, 8, 6, true, 0);
    assert_true(tally.source_moves && tally.target_moves);
    assert_int_equal(tally.still, 0);
    assert_int_equal(tally.source * 10 + tally.target, 86);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_server_is_asked_in_its_way),
        cmocka_unit_test(versions_are_numbers),
        cmocka_unit_test(looks_come_to_a_verdict),
        cmocka_unit_test(says_what_moved),
    };
    return cmocka_run_group_tests_name("ddl/tally", tests, make_arena, free_arena);
}

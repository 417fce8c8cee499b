/* What MySQL tells nobody (TRUNCATE, exchanged tables) and what the pipeline would lose:
 * found, said, and led out of. */
#include "living.h"

static bool is_replaced(struct sim *sim)
{
    return strcmp(shop_reason(sim, LIVING, "SchemaInSync"), "TableReplaced") == 0;
}

static void be_mariadb(struct sim *sim)
{
    struct mysql_server *server = &shop_mysql(sim)->server;

    server->flavor = MYSQL_MARIADB;
    server->version = "10.11.6-MariaDB";
    server->server_uuid = NULL;
}

static struct sim *living_on(bool mariadb, uint64_t seed)
{
    const struct sim_options options = {.seed = seed};
    struct sim *sim = shop_open(&options);

    if (mariadb) {
        be_mariadb(sim);
    }
    living_grow(sim);
    return sim;
}

/* Nothing is done but saying it, again and again; then the re-sync loads what is there.
 */
static void lead_out(struct sim *sim, const char *mode)
{
    check_run_until(sim, is_replaced, 5 * MINUTE_MS);
    living_check_reason(sim, "Stalled", "TableReplaced");
    sim_run_for(sim, 25 * MINUTE_MS);
    living_check_reason(sim, "Stalled", "TableReplaced");
    assert_int_equal(sim->counts.applies, 0);
    check_quiet_looks(sim, 1);
    living_resync(sim, "lead-out", mode);
    check_run_until(sim, living_is_handled, 10 * MINUTE_MS);
    check_quiet_looks(sim, 1);
}

static void truncate(struct sim *sim, int64_t rows_then)
{
    fake_mysql_truncate(sim->db, living_table(sim));
    fake_mysql_write(sim->db, shop_mysql(sim), "shop", LIVING, rows_then);
}

static void a_truncated_table_is_noticed(void **state)
{
    static const char *const modes[] = {"Truncate", "Recreate"};

    (void)state;
    for (int i = 0; i < 8; i++) {
        struct sim *sim = living_on(i % 2 == 0, 81);

        truncate(sim, i / 2 % 2 == 0 ? 0 : 6);
        lead_out(sim, modes[i / 4]);
        check_world(sim);
        check_audit(sim);
        shop_close(sim);
    }
}

/* InPlace brings what is there and leaves what is there no more, as it says. */
static void in_place_leaves_the_truncated_rows(void **state)
{
    struct sim *sim = living_open(82);
    struct fake_difference d = {0};

    (void)state;
    truncate(sim, 6);
    lead_out(sim, "InPlace");
    assert_true(
        fake_rows_differ(&living_table(sim)->data, &living_target(sim)->data, &d));
    assert_int_equal(d.missing + d.stale, 0);
    assert_int_equal(d.ghosts, 14);
    living_resync(sim, "once-more", "Truncate");
    check_run_until(sim, living_is_handled, 10 * MINUTE_MS);
    living_check_settled(sim);
    shop_close(sim);
}

/* Also if the controller was not there to see the counter fall. */
static void a_truncation_is_noticed_after_a_restart(void **state)
{
    struct sim *sim = living_on(false, 83);

    (void)state;
    truncate(sim, 6);
    sim_restart(sim);
    lead_out(sim, "Truncate");
    check_world(sim);
    shop_close(sim);
}

/* --- online schema changes --- */

static void exchange(struct sim *sim, const char *shadow, int64_t rows)
{
    sim_run_for(sim, 5000); /* the shadow table is newer */
    fake_mysql_add_table(sim->db, shop_mysql(sim), "shop", shadow, rows);
    fake_mysql_add_column(sim->db, fake_mysql_find(shop_mysql(sim), "shop", shadow),
                          living_column("qty", "int"));
    fake_mysql_swap(sim->db, living_table(sim),
                    fake_mysql_find(shop_mysql(sim), "shop", shadow));
}

static void exchanged_tables_are_noticed(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        struct sim *sim = living_on(i % 2 == 0, 84);

        exchange(sim, "_users_new", i / 2 == 0 ? 20 : 31);
        lead_out(sim, "Truncate");
        check_world(sim);
        check_audit(sim);
        shop_close(sim);
    }
}

/* The old table is gone at once: the numbers of rows tell. */
static void an_exchange_without_a_trace_is_noticed_by_counting(void **state)
{
    struct sim *sim = living_open(85);

    (void)state;
    exchange(sim, "_users_new", 12);
    fake_mysql_drop_table(shop_mysql(sim),
                          fake_mysql_find(shop_mysql(sim), "shop", "_users_new"));
    lead_out(sim, "Recreate");
    check_world(sim);
    shop_close(sim);
}

/* A copy beside it looks like an exchange after a rebuild; a person knows better. */
static void a_retry_lets_the_rows_decide(void **state)
{
    struct sim *sim = living_on(true, 86);

    (void)state;
    exchange(sim, "_users_copy", 20);
    fake_mysql_swap(sim->db, living_table(sim),
                    fake_mysql_find(shop_mysql(sim), "shop", "_users_copy"));
    check_run_until(sim, is_replaced, 5 * MINUTE_MS);
    fake_kube_annotate(sim->kube, SHOP, LIVING, TSYNC_ANNOTATION_RETRY, "now");
    check_run_until(sim, living_is_ready, MINUTE_MS);
    living_check_settled(sim);
    assert_int_equal(sim->counts.applies, 0);
    shop_close(sim);
}

/* ALTER, OPTIMIZE: a new CREATE_TIME and the same rows, while some are on their way. */
static void a_rebuild_of_a_quiet_table_is_no_news(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct sim *sim = living_on(i == 0, 87);

        for (int times = 0; times < 3; times++) {
            fake_mysql_rebuild(sim->db, living_table(sim));
            fake_mysql_delete(sim->db, living_table(sim), 1 + times);
            sim_run_for(sim, 3 * MINUTE_MS);
            assert_true(living_is_ready(sim));
        }
        living_check_settled(sim);
        assert_int_equal(sim->counts.applies, 0);
        shop_close(sim);
    }
}

/* --- what is lost on the way --- */

static void add_loss(struct sim *sim, const char *column, enum loss_kind kind,
                     int64_t rows)
{
    struct fake_loss loss = {.column = column, .kind = kind, .rows = rows};

    VEC_PUSH(sim->arena, &living_table(sim)->losses, loss);
}

static struct sim *with_times(const char *policy)
{
    const struct sim_options options = {.seed = 88};
    struct sim *sim = shop_open(&options);

    fake_mysql_add_column(sim->db, living_table(sim), living_column("t", "time"));
    add_loss(sim, "t", LOSS_TIME_RANGE, 3);
    shop_add(sim, (struct shop_sync){.name = LIVING});
    living_edit(sim, "dataLoss", policy);
    return sim;
}

static void loss_is_said_before_it_happens(void **state)
{
    struct sim *sim = with_times("\"Warn\"");

    (void)state;
    check_run_until(sim, living_is_ready, 5 * MINUTE_MS);
    living_check_reason(sim, "DataLoss", "ValuesAffected");
    if (strstr(shop_message(sim, LIVING, "DataLoss"), "3 rows 't' (time)") == NULL) {
        check_fail(sim, "%s", shop_message(sim, LIVING, "DataLoss"));
    }
    living_check_settled(sim);
    shop_close(sim);
}

static void loss_may_be_refused(void **state)
{
    struct sim *sim = with_times("\"Fail\"");

    (void)state;
    check_run_until(sim, living_is_stalled, 5 * MINUTE_MS);
    living_check_reason(sim, "DataLoss", "RefusedByPolicy");
    sim_run_for(sim, 30 * MINUTE_MS);
    assert_int_equal(sim->counts.applies, 0);
    living_edit(sim, "columns.exclude", "[\"t\"]");
    check_run_until(sim, living_is_ready, 5 * MINUTE_MS);
    living_check_settled(sim);
    shop_close(sim);
}

/* A column with losses comes later. */
static void loss_is_refused_in_a_new_column(void **state)
{
    struct sim *sim = living_open(89);

    (void)state;
    living_edit(sim, "dataLoss", "\"Fail\"");
    sim_run_for(sim, 5000);
    add_loss(sim, "t", LOSS_TIME_RANGE, 1);
    living_add(sim, "t", "time");
    sim->counts.applies = 0;
    check_run_until(sim, living_is_stalled, 5 * MINUTE_MS);
    living_check_reason(sim, "DataLoss", "RefusedByPolicy");
    sim_run_for(sim, 10 * MINUTE_MS);
    assert_int_equal(sim->counts.applies, 0);
    living_edit(sim, "dataLoss", "\"Warn\"");
    check_run_until(sim, living_has_new_sink, 10 * MINUTE_MS);
    living_check_settled(sim);
    shop_close(sim);
}

int run_replaced_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_truncated_table_is_noticed),
        cmocka_unit_test(in_place_leaves_the_truncated_rows),
        cmocka_unit_test(a_truncation_is_noticed_after_a_restart),
        cmocka_unit_test(exchanged_tables_are_noticed),
        cmocka_unit_test(an_exchange_without_a_trace_is_noticed_by_counting),
        cmocka_unit_test(a_retry_lets_the_rows_decide),
        cmocka_unit_test(a_rebuild_of_a_quiet_table_is_no_news),
        cmocka_unit_test(loss_is_said_before_it_happens),
        cmocka_unit_test(loss_may_be_refused),
        cmocka_unit_test(loss_is_refused_in_a_new_column),
    };

    return cmocka_run_group_tests_name("replaced", tests, NULL, NULL);
}

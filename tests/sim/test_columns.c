/* Changes of columns that need more than one look: renames, drops, several at once, jobs
 * that fail, changes that are undone. */
#include "living.h"

static bool has_alter_failed(struct sim *sim)
{
    return strcmp(shop_reason(sim, LIVING, "TargetTableReady"), "AlterFailed") == 0;
}

static struct sim *under(const char *policy, uint64_t seed)
{
    struct sim *sim = living_open(seed);

    living_policy(sim, policy);
    sim_run_for(sim, 5000);
    sim_count_anew(sim);
    return sim;
}

static void settle(struct sim *sim)
{
    sim_run_for(sim, 4 * MINUTE_MS);
    living_check_settled(sim);
    check_audit(sim);
}

static void rename_qty(struct sim *sim)
{
    fake_mysql_rename_column(sim->db, living_table(sim), "qty", "quantity");
}

/* An override says where the values go: before the rename or after it. */
static void a_rename_is_followed_if_told(void **state)
{
    (void)state;
    for (int told_before = 0; told_before < 2; told_before++) {
        struct sim *sim = under("Evolve", 31);

        living_churn_for(sim, MINUTE_MS);
        if (!told_before) {
            rename_qty(sim);
            check_run_until(sim, living_is_stalled, 5 * MINUTE_MS);
            living_check_reason(sim, "SchemaInSync", "ChangeUnsupported");
        } else {
            rename_qty(sim);
        }
        living_edit(sim, "columns.overrides",
                    "[{\"name\":\"quantity\",\"targetName\":\"qty\"}]");
        check_run_until(sim, living_has_new_sink, 10 * MINUTE_MS);
        settle(sim);
        assert_non_null(living_target_column(sim, "qty"));
        assert_null(living_target_column(sim, "quantity"));
        shop_close(sim);
    }
}

/* It goes on being delivered; and a later column of its type is no rename of it. */
static void a_dropped_column_is_kept(void **state)
{
    struct sim *sim = under("AddOnly", 32);
    size_t reads = living_sink(sim)->reads.n;

    (void)state;
    fake_mysql_drop_column(sim->db, living_table(sim), "qty");
    settle(sim);
    assert_int_equal(sim->counts.applies, 0);
    living_add(sim, "weight", "int");
    settle(sim);
    assert_int_equal(living_sink(sim)->reads.n, reads + 1);
    assert_int_equal(living_target(sim)->table.columns.n, 8);
    living_check_reason(sim, "SchemaInSync", "UnloadedColumns");
    shop_close(sim);
}

/* It comes back: the very column that was kept. */
static void a_dropped_column_may_come_back(void **state)
{
    struct sim *sim = under("AddOnly", 33);

    (void)state;
    fake_mysql_drop_column(sim->db, living_table(sim), "qty");
    settle(sim);
    living_add(sim, "qty", "int");
    settle(sim);
    assert_int_equal(sim->counts.applies, 0);
    shop_close(sim);
}

static void what_was_ignored_can_be_had_later(void **state)
{
    struct sim *sim = under("Ignore", 34);

    (void)state;
    living_add(sim, "remark", "varchar(9)");
    settle(sim);
    living_check_reason(sim, "SchemaInSync", "IgnoredColumns");
    assert_int_equal(sim->counts.applies, 0);
    living_policy(sim, "AddOnly");
    check_run_until(sim, living_has_new_sink, 10 * MINUTE_MS);
    settle(sim);
    assert_non_null(living_target_column(sim, "remark"));
    shop_close(sim);
}

/* Loaded anew are all columns, in every mode. */
static void a_resync_brings_what_was_ignored(void **state)
{
    static const char *const modes[] = {"InPlace", "Truncate", "Recreate"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(modes); i++) {
        struct sim *sim = under("Ignore", 40);

        living_add(sim, "remark", "varchar(9)");
        living_modify(sim, "name", "varchar(200)");
        settle(sim);
        living_churn_for(sim, MINUTE_MS);
        living_resync(sim, "all", modes[i]);
        check_run_until(sim, living_is_handled, 10 * MINUTE_MS);
        living_calm(sim);
        settle(sim);
        living_check_reason(sim, "SchemaInSync", "Match");
        assert_non_null(living_target_column(sim, "remark"));
        shop_close(sim);
    }
}

static void an_undone_change_stalls_no_more(void **state)
{
    struct sim *sim = under("Fail", 35);

    (void)state;
    living_add(sim, "remark", "varchar(9)");
    check_run_until(sim, living_is_stalled, 5 * MINUTE_MS);
    fake_mysql_drop_column(sim->db, living_table(sim), "remark");
    fake_kube_annotate(sim->kube, SHOP, LIVING, TSYNC_ANNOTATION_RETRY, "now");
    check_run_until(sim, living_is_ready, 10000);
    settle(sim);
    assert_int_equal(sim->counts.applies, 0);
    shop_close(sim);
}

/* Where all is loaded anew, a dropped column cannot be kept: then somebody is asked. */
static void carry_on(struct sim *sim)
{
    for (int i = 0; i < 15; i++) {
        if (strcmp(shop_condition(sim, LIVING, "PlanApproved"), "False") == 0) {
            living_approve(sim);
        }
        sim_run_for(sim, MINUTE_MS);
    }
}

/* Each arrives somewhere in the swap of the one before. */
static void changes_come_one_upon_the_other(void **state)
{
    (void)state;
    for (int64_t pause_ms = 1000; pause_ms < MINUTE_MS; pause_ms += 2500 * SIM_SLOWER) {
        struct sim *sim = under("Evolve", 36);

        living_churn_for(sim, 4 * MINUTE_MS);
        living_add(sim, "a", "int");
        sim_run_for(sim, pause_ms);
        living_modify(sim, "name", "varchar(200)");
        sim_run_for(sim, pause_ms);
        living_modify(sim, "qty", "bigint");
        sim_run_for(sim, pause_ms);
        fake_mysql_drop_column(sim->db, living_table(sim), "amount");
        living_add(sim, "b", "varchar(5)");
        sim_run_for(sim, pause_ms);
        living_modify(sim, "qty", "datetime");
        carry_on(sim);
        living_calm(sim);
        settle(sim);
        assert_non_null(living_target_column(sim, "a"));
        assert_non_null(living_target_column(sim, "b"));
        assert_non_null(living_target_column(sim, "qty__v2"));
        shop_close(sim);
    }
}

/* StarRocks accepts the change and gives it up in the background. */
static void a_cancelled_change_is_told_and_can_be_retried(void **state)
{
    struct sim *sim = under("AddOnly", 37);

    (void)state;
    shop_sr(sim)->fails_alters = "the tablet has too many versions";
    living_modify(sim, "name", "varchar(200)");
    check_run_until(sim, has_alter_failed, 10 * MINUTE_MS);
    if (strstr(shop_message(sim, LIVING, "Stalled"), "too many versions") == NULL) {
        check_fail(sim, "%s", shop_message(sim, LIVING, "Stalled"));
    }
    sim_run_for(sim, 60 * MINUTE_MS);
    assert_in_range(sim->counts.applies, 1, 10); /* it is not hammered */
    shop_sr(sim)->fails_alters = NULL;
    fake_kube_annotate(sim->kube, SHOP, LIVING, TSYNC_ANNOTATION_RETRY, "now");
    check_run_until(sim, living_is_ready, 5 * MINUTE_MS);
    settle(sim);
    assert_string_equal(living_target_column(sim, "name")->type, "varchar(800)");
    shop_close(sim);
}

/* A job of somebody else runs at the table: it is waited for. */
static void a_running_change_is_waited_for(void **state)
{
    struct sim *sim = under("AddOnly", 38);
    struct fake_sr_table *target = living_target(sim);

    (void)state;
    target->altered_ms = sim->clock.now_ms + 5 * MINUTE_MS;
    memcpy(&target->wanted, &target->table.columns, sizeof(target->wanted));
    living_add(sim, "remark", "int");
    living_modify(sim, "name", "varchar(200)");
    sim_run_for(sim, 4 * MINUTE_MS);
    living_check_reason(sim, "TargetTableReady", "AlterInProgress");
    assert_int_equal(sim->counts.applies, 0);
    check_run_until(sim, living_has_new_sink, 10 * MINUTE_MS);
    settle(sim);
    shop_close(sim);
}

/* Every event about it once, however long it takes and whoever carries it on. */
static void a_change_is_told_once(void **state)
{
    struct sim *sim = under("AddOnly", 39);

    (void)state;
    living_add(sim, "remark", "int");
    check_run_until(sim, living_has_new_sink, 10 * MINUTE_MS);
    settle(sim);
    assert_int_equal(fake_kube_events_of(sim->kube, LIVING, "SchemaChangeDetected"), 1);
    assert_int_equal(fake_kube_events_of(sim->kube, LIVING, "ColumnNotLoaded"), 1);
    living_resync(sim, "load-it", "InPlace");
    check_run_until(sim, living_is_handled, 10 * MINUTE_MS);
    settle(sim);
    living_check_reason(sim, "SchemaInSync", "Match");
    shop_close(sim);
}

int run_column_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rename_is_followed_if_told),
        cmocka_unit_test(a_dropped_column_is_kept),
        cmocka_unit_test(a_dropped_column_may_come_back),
        cmocka_unit_test(what_was_ignored_can_be_had_later),
        cmocka_unit_test(a_resync_brings_what_was_ignored),
        cmocka_unit_test(an_undone_change_stalls_no_more),
        cmocka_unit_test(changes_come_one_upon_the_other),
        cmocka_unit_test(a_cancelled_change_is_told_and_can_be_retried),
        cmocka_unit_test(a_running_change_is_waited_for),
        cmocka_unit_test(a_change_is_told_once),
    };

    return cmocka_run_group_tests_name("columns", tests, NULL, NULL);
}

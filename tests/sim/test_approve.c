/* Plans that wait for approval: nothing runs before it, exactly the plan after it. */
#include "living.h"

static bool waits(struct sim *sim)
{
    return strcmp(shop_condition(sim, LIVING, "PlanApproved"), "False") == 0 &&
           living_is_stalled(sim);
}

static bool is_outdated(struct sim *sim)
{
    return strcmp(shop_reason(sim, LIVING, "PlanApproved"), "PlanOutdated") == 0;
}

static const char *plan_field(struct sim *sim, const char *path)
{
    const char *text = json_path_string(shop_find(sim, LIVING),
                                        arena_printf(sim->arena, "status.plan.%s", path));

    return text == NULL ? "" : arena_strdup(sim->arena, text);
}

static const char *approval(struct sim *sim)
{
    return json_get_string(json_path(shop_find(sim, LIVING), "metadata.annotations"),
                           TSYNC_ANNOTATION_APPROVE);
}

/* Looks go on, and none of them does anything. */
static void check_waiting(struct sim *sim, const char *reason)
{
    int64_t sent = sim->applies_ever;

    check_run_until(sim, waits, 5 * MINUTE_MS);
    living_check_reason(sim, "PlanApproved", reason);
    living_check_reason(sim, "Stalled", reason);
    living_check_reason(sim, "Ready", reason);
    check_quiet_looks(sim, 1);
    sim_run_for(sim, 30 * MINUTE_MS);
    if (sim->applies_ever != sent) {
        check_fail(sim, "%lld statements run without approval",
                   (long long)(sim->applies_ever - sent));
    }
    if (strstr(shop_message(sim, LIVING, "PlanApproved"), plan_field(sim, "hash")) ==
        NULL) {
        check_fail(sim, "the message does not name the plan of status: %s",
                   shop_message(sim, LIVING, "PlanApproved"));
    }
}

static void check_carried(struct sim *sim)
{
    living_approve(sim);
    check_run_until(sim, living_is_ready, 10 * MINUTE_MS);
    living_check_settled(sim);
    assert_null(approval(sim)); /* the annotation was taken */
    assert_string_equal(plan_field(sim, "hash"), "");
    check_audit(sim);
}

static struct sim *manual(uint64_t seed)
{
    struct sim *sim = living_open(seed);

    living_edit(sim, "plan.mode", "\"Manual\"");
    sim_run_for(sim, 5000);
    assert_true(living_is_ready(sim));
    return sim;
}

static void the_first_plan_waits_in_manual_mode(void **state)
{
    const struct sim_options options = {.seed = 71};
    struct sim *sim = shop_open(&options);

    (void)state;
    shop_add(sim, (struct shop_sync){.name = LIVING});
    living_edit(sim, "plan.mode", "\"Manual\"");
    check_waiting(sim, "WaitingForApproval");
    assert_int_equal(
        json_size(json_path(shop_find(sim, LIVING), "status.plan.statements")), 6);
    check_carried(sim);
    assert_int_equal(sim->applies_ever, 6);
    shop_close(sim);
}

static void a_change_waits_in_manual_mode(void **state)
{
    struct sim *sim = manual(72);

    (void)state;
    living_add(sim, "remark", "varchar(20)");
    living_churn_for(sim, MINUTE_MS);
    check_waiting(sim, "WaitingForApproval");
    check_world(sim); /* rows go on flowing in the old shape */
    check_carried(sim);
    assert_non_null(living_target_column(sim, "remark"));
    shop_close(sim);
}

static void a_resync_waits_in_manual_mode(void **state)
{
    static const char *const modes[] = {"InPlace", "Truncate", "Recreate"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(modes); i++) {
        struct sim *sim = manual(73);

        living_resync(sim, "once", modes[i]);
        check_waiting(sim, "WaitingForApproval");
        living_churn_for(sim, MINUTE_MS);
        living_approve(sim);
        check_run_until(sim, living_is_handled, 10 * MINUTE_MS);
        living_calm(sim);
        living_check_settled(sim);
        assert_int_equal(shop_rw(sim)->tables_made, 2);
        check_audit(sim);
        shop_close(sim);
    }
}

static void lost_objects_wait_in_manual_mode(void **state)
{
    struct sim *sim = manual(74);

    (void)state;
    fake_rw_drop_cascade(shop_rw(sim), living_stream(sim));
    check_waiting(sim, "WaitingForApproval");
    check_carried(sim);
    shop_close(sim);
}

static void settings_are_not_asked_for(void **state)
{
    struct sim *sim = manual(75);

    (void)state;
    living_edit(sim, "sink.commitCheckpointInterval", "25");
    check_run_until(sim, living_is_ready, MINUTE_MS);
    assert_string_equal(living_sink(sim)->interval, "25");
    living_edit(sim, "state", "\"Paused\"");
    sim_run_for(sim, MINUTE_MS);
    assert_int_equal(living_sink(sim)->rate_limit, 0);
    shop_close(sim);
}

/* --- lossy changes wait in every mode --- */

static struct sim *dropped_column(uint64_t seed)
{
    struct sim *sim = living_open(seed);

    living_policy(sim, "Evolve");
    living_edit(sim, "schemaChange.dropColumn", "\"Drop\"");
    fake_mysql_drop_column(sim->db, living_table(sim), "qty");
    return sim;
}

static void dropping_a_column_waits(void **state)
{
    struct sim *sim = dropped_column(76);

    (void)state;
    check_waiting(sim, "DestructiveChange");
    check_carried(sim);
    assert_null(living_target_column(sim, "qty"));
    assert_int_equal(living_stream(sim)->columns.n, 6);
    assert_in_range(fake_kube_events_of(sim->kube, LIVING, "DataIsLost"), 1, 3);
    shop_close(sim);
}

/* What is no longer delivered turns NULL with the new sink. */
static void leaving_a_column_out_waits(void **state)
{
    struct sim *sim = living_open(77);

    (void)state;
    living_edit(sim, "columns.exclude", "[\"qty\"]");
    check_waiting(sim, "DestructiveChange");
    check_carried(sim);
    shop_close(sim);
}

static void taking_it_back_needs_no_approval(void **state)
{
    struct sim *sim = living_open(78);

    (void)state;
    living_edit(sim, "columns.exclude", "[\"qty\"]");
    check_waiting(sim, "DestructiveChange");
    living_edit(sim, "columns.exclude", "[]");
    check_run_until(sim, living_is_ready, MINUTE_MS);
    living_check_settled(sim);
    assert_string_equal(plan_field(sim, "hash"), "");
    assert_string_equal(shop_condition(sim, LIVING, "PlanApproved"), "True");
    shop_close(sim);
}

/* --- which approval counts --- */

static void an_outdated_approval_is_refused_by_name(void **state)
{
    struct sim *sim = dropped_column(79);
    const char *old = NULL;

    (void)state;
    check_waiting(sim, "DestructiveChange");
    old = plan_field(sim, "hash");
    living_add(sim, "remark", "varchar(9)"); /* now the plan is another one */
    sim_run_for(sim, 15 * MINUTE_MS);
    assert_string_not_equal(plan_field(sim, "hash"), old);
    fake_kube_annotate(sim->kube, SHOP, LIVING, TSYNC_ANNOTATION_APPROVE, old);
    check_run_until(sim, is_outdated, MINUTE_MS);
    check_waiting(sim, "PlanOutdated");
    if (strstr(shop_message(sim, LIVING, "PlanApproved"), old) == NULL) {
        check_fail(sim, "the outdated approval is not named");
    }
    check_carried(sim);
    shop_close(sim);
}

static void what_was_not_asked_cannot_be_approved(void **state)
{
    struct sim *sim = dropped_column(80);

    (void)state;
    fake_kube_annotate(sim->kube, SHOP, LIVING, TSYNC_ANNOTATION_APPROVE, "sha256:yes");
    check_run_until(sim, is_outdated, 5 * MINUTE_MS);
    check_waiting(sim, "PlanOutdated");
    check_carried(sim);
    shop_close(sim);
}

/* Approved is what was read: another drop on the way is another plan. */
static void an_approval_covers_nothing_else(void **state)
{
    struct sim *sim = dropped_column(81);

    (void)state;
    check_waiting(sim, "DestructiveChange");
    living_approve(sim);
    sim_run_for(sim, 3000); /* the new sink is being made */
    fake_mysql_drop_column(sim->db, living_table(sim), "amount");
    check_waiting(sim, "DestructiveChange");
    assert_non_null(living_target_column(sim, "amount"));
    check_carried(sim);
    assert_null(living_target_column(sim, "amount"));
    assert_null(living_target_column(sim, "qty"));
    shop_close(sim);
}

/* The second half runs in a new process, long after the annotation was removed. */
static void an_approval_outlives_the_controller(void **state)
{
    struct sim *sim = dropped_column(82);

    (void)state;
    check_waiting(sim, "DestructiveChange");
    living_approve(sim);
    for (int i = 0; i < 20; i++) {
        sim_run_for(sim, 1500);
        sim_restart(sim);
    }
    check_run_until(sim, living_is_ready, 10 * MINUTE_MS);
    living_check_settled(sim);
    assert_null(living_target_column(sim, "qty"));
    check_audit(sim);
    shop_close(sim);
}

int run_approval_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_plan_waits_in_manual_mode),
        cmocka_unit_test(a_change_waits_in_manual_mode),
        cmocka_unit_test(a_resync_waits_in_manual_mode),
        cmocka_unit_test(lost_objects_wait_in_manual_mode),
        cmocka_unit_test(settings_are_not_asked_for),
        cmocka_unit_test(dropping_a_column_waits),
        cmocka_unit_test(leaving_a_column_out_waits),
        cmocka_unit_test(taking_it_back_needs_no_approval),
        cmocka_unit_test(an_outdated_approval_is_refused_by_name),
        cmocka_unit_test(what_was_not_asked_cannot_be_approved),
        cmocka_unit_test(an_approval_covers_nothing_else),
        cmocka_unit_test(an_approval_outlives_the_controller),
    };

    return cmocka_run_group_tests_name("approval", tests, NULL, NULL);
}

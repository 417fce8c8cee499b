/* The election's algorithm, path by path, on a clock that only the test turns: losing the
 * Lease, giving it back, and what others ask. */
#include "lease_scene.h"

#define HOUR_MS 3600000

/* --- losing --- */

static void test_a_leader_that_cannot_renew_loses_in_time(void **state)
{
    struct lease_scene *s = *state;
    struct fault fault = FAULT_INIT;
    int64_t began_ms = s->clock.now_ms, wait_ms = 0;

    wait_ms = lease_turn(s, s->a);
    s->unreachable = true;
    s->lasts_ms = 500;
    while (wait_ms > 0) {
        assert_true(leader_state(s->a) == LEADER_LEADING);
        s->clock.now_ms += wait_ms;
        wait_ms = lease_turn(s, s->a);
    }
    assert_in_range(s->clock.now_ms - began_ms, RENEW_MS, RENEW_MS + 1000);
    assert_int_equal(leader_state(s->a), LEADER_LOST);
    assert_false(lease_may_write(s->a));
    assert_false(leader_fault(s->a, &fault));
    assert_string_equal(fault.reason, "LeaderElectionLost");
    assert_contains(fault.text, "leader election lost");
    /* It does not try again, whatever comes. */
    s->unreachable = false;
    s->gets = s->puts = s->posts = 0;
    assert_int_equal(lease_turn(s, s->a), 0);
    leader_resign(s->a, &s->root);
    assert_int_equal(s->gets + s->puts + s->posts, 0);
    assert_int_equal(leader_state(s->a), LEADER_LOST);
}

static void test_a_leader_that_finds_another_loses_at_once(void **state)
{
    static const char *const holders[] = {"other_9", ""};
    struct lease_scene *s = *state;
    struct leader *const leaders[] = {s->a, s->b};
    struct fault fault = FAULT_INIT;

    for (size_t i = 0; i < COUNT_OF(holders); i++) {
        json_free(s->lease);
        s->lease = NULL;
        (void)lease_turn(s, leaders[i]);
        assert_int_equal(leader_state(leaders[i]), LEADER_LEADING);
        lease_edit(s, "holderIdentity", holders[i]);
        s->clock.now_ms += RETRY_MS;
        assert_int_equal(lease_turn(s, leaders[i]), 0);
        assert_int_equal(leader_state(leaders[i]), LEADER_LOST);
        assert_false(lease_may_write(leaders[i]));
        assert_string_equal(lease_said(s).holder, holders[i]);
        assert_false(leader_fault(leaders[i], &fault));
        assert_contains(fault.text,
                        holders[i][0] == '\0' ? "(nobody)" : "held by 'other_9'");
    }
}

static void test_who_was_stopped_writes_nothing_and_never_again(void **state)
{
    struct lease_scene *s = *state;

    (void)lease_turn(s, s->a);
    s->clock.now_ms += RENEW_MS; /* SIGSTOP, SIGCONT */
    assert_false(lease_may_write(s->a));
    assert_int_equal(leader_state(s->a), LEADER_LOST);
    /* Nobody took it: even so a write was refused, and what it was part of is undone. */
    s->gets = s->puts = 0;
    assert_int_equal(lease_turn(s, s->a), 0);
    assert_int_equal(s->gets + s->puts, 0);
    assert_false(lease_may_write(s->a));
}

static void test_a_thread_that_was_stopped_does_not_renew_either(void **state)
{
    struct lease_scene *s = *state;

    (void)lease_turn(s, s->a);
    s->gets = s->puts = 0;
    s->clock.now_ms += RENEW_MS;
    assert_int_equal(lease_turn(s, s->a), 0);
    assert_int_equal(s->gets + s->puts, 0);
    assert_int_equal(leader_state(s->a), LEADER_LOST);
}

static void test_an_answer_that_comes_too_late_is_a_loss(void **state)
{
    struct lease_scene *s = *state;

    (void)lease_turn(s, s->a);
    s->clock.now_ms += RENEW_MS - 1000;
    s->pause_ms = 2000;
    assert_int_equal(lease_turn(s, s->a), 0);
    assert_int_equal(leader_state(s->a), LEADER_LOST);
    assert_false(lease_may_write(s->a));
}

static void test_a_victory_that_comes_too_late_is_none(void **state)
{
    struct lease_scene *s = *state;

    s->pause_ms = RENEW_MS;
    (void)lease_turn(s, s->a);
    assert_int_equal(leader_state(s->a), LEADER_CANDIDATE);
    assert_false(lease_may_write(s->a));
    /* It is written nevertheless, so the next try renews it. */
    s->pause_ms = 0;
    (void)lease_turn(s, s->a);
    assert_int_equal(leader_state(s->a), LEADER_LEADING);
    assert_int_equal(lease_said(s).transitions, 0);
}

/* --- giving it back --- */

static void test_a_leader_gives_it_back(void **state)
{
    struct lease_scene *s = *state;

    (void)lease_turn(s, s->a);
    (void)lease_turn(s, s->b); /* has seen it held */
    s->clock.now_ms += 1000;
    leader_resign(s->a, &s->root);
    assert_int_equal(leader_state(s->a), LEADER_RESIGNED);
    assert_false(lease_may_write(s->a));
    assert_string_equal(lease_said(s).holder, "");
    assert_int_equal(lease_said(s).duration_s, 1);
    assert_int_equal(lease_said(s).transitions, 0);
    assert_int_equal(lease_turn(s, s->b), RETRY_MS);
    assert_int_equal(leader_state(s->b), LEADER_LEADING);
    assert_int_equal(lease_said(s).transitions, 1);
    assert_int_equal(lease_turn(s, s->a), 0);
}

static void test_giving_back_survives_an_edit(void **state)
{
    struct lease_scene *s = *state;

    (void)lease_turn(s, s->a);
    lease_edit(s, "strategy", "OldestEmulationVersion");
    leader_resign(s->a, &s->root);
    assert_string_equal(lease_said(s).holder, "");
    assert_string_equal(json_path_string(s->lease, "spec.strategy"),
                        "OldestEmulationVersion");
}

static void test_what_is_anothers_is_not_given_back(void **state)
{
    struct lease_scene *s = *state;

    (void)lease_turn(s, s->a);
    lease_edit(s, "holderIdentity", "other_9");
    leader_resign(s->a, &s->root);
    assert_string_equal(lease_said(s).holder, "other_9");
}

static void test_a_candidate_has_nothing_to_give_back(void **state)
{
    struct lease_scene *s = *state;

    (void)lease_turn(s, s->a);
    (void)lease_turn(s, s->b);
    s->puts = 0;
    leader_resign(s->b, &s->root);
    assert_int_equal(s->puts, 0);
    assert_string_equal(lease_said(s).holder, "a_1");
    assert_int_equal(lease_turn(s, s->b), 0);
}

/* --- what others ask --- */

static void test_the_metric_and_the_health_follow(void **state)
{
    struct lease_scene *s = *state;

    assert_string_equal(leader_numbers(s->a).lease, "tablesync-controller");
    assert_false(leader_numbers(s->a).leading);
    s->clock.now_ms += HOUR_MS;
    assert_true(leader_healthy(s->a)); /* a candidate may wait for ever */
    (void)lease_turn(s, s->a);
    assert_true(leader_numbers(s->a).leading);
    assert_int_equal(leader_numbers(s->a).slow_paths, 0);
    s->clock.now_ms += LEASE_MS + 20000; /* its thread hangs */
    assert_true(leader_healthy(s->a));
    s->clock.now_ms += 1;
    assert_false(leader_healthy(s->a));
}

static void test_answers_that_are_no_lease_are_faults(void **state)
{
    static const char *const bodies[] = {"[]", "{}", "nonsense",
                                         "{\"metadata\":{\"name\":5},\"spec\":7}"};
    struct lease_scene *s = *state;

    for (size_t i = 0; i < COUNT_OF(bodies); i++) {
        lease_other_renews(s, "other_9", 1, 1000 + (int64_t)i);
        s->strange = bodies[i];
        for (int n = 0; n < 3; n++) {
            s->clock.now_ms += RETRY_MS;
            assert_true(lease_turn(s, s->b) >= RETRY_MS);
            assert_int_equal(leader_state(s->b), LEADER_CANDIDATE);
        }
    }
}

static void test_durations_that_cannot_work_are_refused(void **state)
{
    static const struct {
        int64_t lease_ms, renew_ms, retry_ms;
        const char *says;
    } rows[] = {{30000, 20000, 4000, NULL},
                {15000, 10000, 2000, NULL},
                {0, 20000, 4000, "longer than 0"},
                {30000, 0, 4000, "longer than 0"},
                {30000, 20000, 0, "longer than 0"},
                {2500, 2000, 500, "whole seconds"},
                {20000, 20000, 4000,
                 "(20000 ms) must be longer than "
                 "--leader-election-renew-deadline (20000 ms)"},
                {30000, 4800, 4000, "1.2 times --leader-election-retry-period (4000 ms)"},
                {30000, 4801, 4000, NULL}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct leader_options o = {
            "ops", "x", "a_1", rows[i].lease_ms, rows[i].renew_ms, rows[i].retry_ms};
        struct fault fault = FAULT_INIT;

        assert_int_equal(leader_check(&o, &fault), rows[i].says == NULL);
        if (rows[i].says != NULL) {
            assert_int_equal(fault.class, FAULT_SPEC);
            assert_contains(fault.text, rows[i].says);
        }
    }
}

static void test_names_that_cannot_be_are_refused(void **state)
{
    static const struct {
        const char *namespace, *name, *identity, *says;
    } rows[] = {{"ops", "", "a", "--leader-election-id is ''"},
                {"ops", "a\"b", "a", "--leader-election-id"},
                {"ops", "-a", "a", "--leader-election-id"},
                {"ops", "Upper", "a", "--leader-election-id"},
                {"", "x", "a", "--leader-election-namespace"},
                {"o/p", "x", "a", "--leader-election-namespace"},
                {"ops", "x", "", "--instance"},
                {"ops", "x.y-1", "a", NULL}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct leader_options o = {rows[i].namespace, rows[i].name, rows[i].identity,
                                   LEASE_MS,          RENEW_MS,     RETRY_MS};
        struct fault fault = FAULT_INIT;

        assert_int_equal(leader_check(&o, &fault), rows[i].says == NULL);
        if (rows[i].says != NULL) {
            assert_contains(fault.text, rows[i].says);
        }
    }
}

/* --- the thread, on the system's clock --- */

static void test_the_thread_wins_renews_and_gives_back(void **state)
{
    struct lease_scene *s = *state;
    const struct leader_options quick = {"ops", "x", "c_3", 1000, 900, 20};
    struct fault fault = FAULT_INIT;
    struct cancel stop;
    struct leader *c = leader_new(&quick, &s->base, clock_boot(), NULL, 3);

    assert_ok(cancel_init_root(&stop, clock_boot(), &fault), fault);
    assert_ok(leader_start(c, &stop, &fault), fault);
    assert_true(leader_wait(c, &stop));
    assert_int_equal(leader_state(c), LEADER_LEADING);
    leader_stop(c);
    assert_string_equal(lease_said(s).holder, "");
    assert_false(cancel_fired(&stop));
    leader_free(c);
    cancel_deinit(&stop);
}

static void test_the_thread_stops_the_process_on_loss(void **state)
{
    struct lease_scene *s = *state;
    const struct leader_options quick = {"ops", "x", "c_3", 1000, 300, 20};
    struct fault fault = FAULT_INIT;
    struct cancel stop, patience;
    struct leader *c = leader_new(&quick, &s->base, clock_boot(), NULL, 3);

    assert_ok(cancel_init_root(&stop, clock_boot(), &fault), fault);
    assert_ok(leader_start(c, &stop, &fault), fault);
    assert_true(leader_wait(c, &stop));
    s->status = 503;
    cancel_init_child(&patience, &stop, 10000);
    (void)cancel_sleep(&patience, 10000);
    assert_true(cancel_fired(&stop));
    assert_int_equal(leader_state(c), LEADER_LOST);
    s->status = 0;
    leader_stop(c);
    assert_string_equal(lease_said(s).holder, "c_3"); /* not its to give back */
    leader_free(c);
    cancel_deinit(&stop);
}

static void test_a_stop_ends_the_wait_of_a_candidate(void **state)
{
    struct lease_scene *s = *state;
    const struct leader_options quick = {"ops", "x", "c_3", 60000, 900, 20};
    struct fault fault = FAULT_INIT;
    struct cancel stop;
    struct leader *c = leader_new(&quick, &s->base, clock_boot(), NULL, 3);

    lease_other_renews(s, "other_9", 60, 1000);
    assert_ok(cancel_init_root(&stop, clock_boot(), &fault), fault);
    assert_ok(leader_start(c, &stop, &fault), fault);
    cancel_fire(&stop);
    assert_false(leader_wait(c, &stop));
    leader_stop(c);
    assert_string_equal(lease_said(s).holder, "other_9");
    leader_free(c);
    cancel_deinit(&stop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LEASE_TEST(test_a_leader_that_cannot_renew_loses_in_time),
        LEASE_TEST(test_a_leader_that_finds_another_loses_at_once),
        LEASE_TEST(test_who_was_stopped_writes_nothing_and_never_again),
        LEASE_TEST(test_a_thread_that_was_stopped_does_not_renew_either),
        LEASE_TEST(test_an_answer_that_comes_too_late_is_a_loss),
        LEASE_TEST(test_a_victory_that_comes_too_late_is_none),
        LEASE_TEST(test_a_leader_gives_it_back),
        LEASE_TEST(test_giving_back_survives_an_edit),
        LEASE_TEST(test_what_is_anothers_is_not_given_back),
        LEASE_TEST(test_a_candidate_has_nothing_to_give_back),
        LEASE_TEST(test_the_metric_and_the_health_follow),
        LEASE_TEST(test_answers_that_are_no_lease_are_faults),
        LEASE_TEST(test_durations_that_cannot_work_are_refused),
        LEASE_TEST(test_names_that_cannot_be_are_refused),
        LEASE_TEST(test_the_thread_wins_renews_and_gives_back),
        LEASE_TEST(test_the_thread_stops_the_process_on_loss),
        LEASE_TEST(test_a_stop_ends_the_wait_of_a_candidate),
    };

    return cmocka_run_group_tests_name("loop/leader_loss", tests, NULL, NULL);
}

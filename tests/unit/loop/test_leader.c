/* The election's algorithm, path by path, on a clock that only the test turns: acquiring
 * and renewing. */
#include "lease_scene.h"

#define HOUR_MS 3600000

/* --- acquiring --- */

static void test_a_free_lease_is_created(void **state)
{
    struct lease_scene *s = *state;
    struct lease_record r;

    assert_false(lease_may_write(s->a));
    assert_int_equal(lease_turn(s, s->a), RETRY_MS);
    assert_int_equal(leader_state(s->a), LEADER_LEADING);
    assert_true(lease_may_write(s->a));
    r = lease_said(s);
    assert_string_equal(r.holder, "a_1");
    assert_int_equal(r.duration_s, 30);
    assert_int_equal(r.transitions, 0);
    assert_string_equal(r.acquired, r.renewed);
    assert_int_equal(clock_parse_rfc3339(r.renewed), clock_wall_ms(&s->clock.base));
    assert_int_equal(s->gets, 1);
    assert_int_equal(s->posts, 1);
}

static void test_a_held_lease_is_left_alone_while_it_is_renewed(void **state)
{
    struct lease_scene *s = *state;

    (void)lease_turn(s, s->a);
    for (int i = 0; i < 40; i++) {
        (void)lease_turn(s, s->b);
        s->clock.now_ms += RETRY_MS;
        (void)lease_turn(s, s->a);
        assert_int_equal(leader_state(s->b), LEADER_CANDIDATE);
        assert_false(lease_may_write(s->b));
        assert_true(lease_may_write(s->a));
    }
    assert_string_equal(lease_said(s).holder, "a_1");
    assert_int_equal(lease_said(s).transitions, 0);
}

static void test_a_lease_that_ran_out_is_taken_over(void **state)
{
    struct lease_scene *s = *state;
    struct lease_record before;
    int64_t waited_ms = 0;

    (void)lease_turn(s, s->a);
    before = lease_said(s);
    waited_ms = lease_until_leads(s, s->b); /* a has died */
    assert_true(waited_ms >= LEASE_MS);
    assert_true(waited_ms <= LEASE_MS + RETRY_MS * 22 / 10);
    assert_string_equal(lease_said(s).holder, "b_2");
    assert_int_equal(lease_said(s).transitions, 1);
    assert_string_not_equal(lease_said(s).acquired, before.acquired);
    assert_string_equal(lease_said(s).acquired, lease_said(s).renewed);
    /* Long before that, the first has stopped writing. */
    assert_false(lease_may_write(s->a));
}

static void test_clocks_of_others_do_not_matter(void **state)
{
    static const int64_t skews_ms[] = {-HOUR_MS, 0, HOUR_MS};
    struct lease_scene *s = *state;

    for (size_t i = 0; i < COUNT_OF(skews_ms); i++) {
        /* Renewed all the time by a clock that is wrong: never taken. */
        for (int n = 0; n < 20; n++) {
            lease_other_renews(s, "other_9", 15,
                               clock_wall_ms(&s->clock.base) + skews_ms[i]);
            (void)lease_turn(s, s->b);
            assert_int_equal(leader_state(s->b), LEADER_CANDIDATE);
            s->clock.now_ms += 14000;
        }
    }
    /* Not renewed any more: taken after the duration that its holder named. */
    lease_other_renews(s, "other_9", 15, clock_wall_ms(&s->clock.base) + HOUR_MS);
    assert_in_range(lease_until_leads(s, s->b), 15000, 15000 + RETRY_MS * 22 / 10);
}

static void test_an_edit_that_renews_nothing_gives_no_time(void **state)
{
    struct lease_scene *s = *state;

    lease_other_renews(s, "other_9", 15, 1000);
    (void)lease_turn(s, s->b);
    s->clock.now_ms += 10000;
    lease_edit(s, "strategy", "OldestEmulationVersion"); /* a new resourceVersion */
    (void)lease_turn(s, s->b);
    s->clock.now_ms += 5000;
    assert_int_equal(lease_turn(s, s->b), RETRY_MS);
    assert_int_equal(leader_state(s->b), LEADER_LEADING);
}

static void test_a_released_lease_is_free_at_once(void **state)
{
    struct lease_scene *s = *state;

    lease_other_renews(s, "", 1, clock_wall_ms(&s->clock.base));
    lease_edit_int(s, "leaseTransitions", 6);
    assert_int_equal(lease_turn(s, s->b), RETRY_MS);
    assert_int_equal(leader_state(s->b), LEADER_LEADING);
    assert_int_equal(lease_said(s).transitions, 7);
    assert_int_equal(lease_said(s).duration_s, 30);
}

static void test_a_holder_without_a_duration_has_ours(void **state)
{
    struct lease_scene *s = *state;

    lease_other_renews(s, "other_9", 0, 1000);
    assert_true(lease_until_leads(s, s->b) >= LEASE_MS);
}

static void test_of_two_at_once_one_wins(void **state)
{
    struct lease_scene *s = *state;

    lease_other_renews(s, "", 1, 1000);
    (void)lease_turn(s, s->a);
    s->gets = s->puts = 0;
    (void)lease_turn(s, s->b);
    assert_int_equal(leader_state(s->a), LEADER_LEADING);
    assert_int_equal(leader_state(s->b), LEADER_CANDIDATE);
    assert_int_equal(s->puts, 0);
}

static void test_a_write_whose_answer_was_lost_counts_once_it_is_read(void **state)
{
    struct lease_scene *s = *state;

    s->deaf = true;
    (void)lease_turn(s, s->a);
    assert_int_equal(leader_state(s->a), LEADER_CANDIDATE);
    assert_false(lease_may_write(s->a));
    assert_string_equal(lease_said(s).holder, "a_1");
    s->deaf = false;
    s->clock.now_ms += RETRY_MS;
    (void)lease_turn(s, s->a);
    assert_int_equal(leader_state(s->a), LEADER_LEADING);
    assert_int_equal(lease_said(s).transitions, 0);
}

static void test_faults_are_tried_again_after_a_while(void **state)
{
    struct lease_scene *s = *state;
    int64_t least_ms = INT64_MAX, most_ms = 0;

    s->status = 503;
    for (int i = 0; i < 200; i++) {
        int64_t wait_ms = lease_turn(s, s->b);

        least_ms = wait_ms < least_ms ? wait_ms : least_ms;
        most_ms = wait_ms > most_ms ? wait_ms : most_ms;
    }
    /* Spread, so that candidates do not come together. */
    assert_in_range(least_ms, RETRY_MS, RETRY_MS * 11 / 10);
    assert_in_range(most_ms, RETRY_MS * 21 / 10, RETRY_MS * 22 / 10);
    assert_int_equal(leader_state(s->b), LEADER_CANDIDATE);
    s->status = 0;
    (void)lease_turn(s, s->b);
    assert_int_equal(leader_state(s->b), LEADER_LEADING);
}

/* --- renewing --- */

static void test_renewing_is_one_request(void **state)
{
    struct lease_scene *s = *state;
    struct lease_record first;

    (void)lease_turn(s, s->a);
    first = lease_said(s);
    s->gets = s->puts = s->posts = 0;
    for (int i = 0; i < 10; i++) {
        s->clock.now_ms += RETRY_MS;
        assert_int_equal(lease_turn(s, s->a), RETRY_MS);
    }
    assert_int_equal(s->puts, 10);
    assert_int_equal(s->gets + s->posts, 0);
    assert_string_equal(lease_said(s).acquired, first.acquired);
    assert_string_not_equal(lease_said(s).renewed, first.renewed);
    assert_int_equal(lease_said(s).transitions, 0);
}

static void test_the_fence_counts_from_when_a_request_was_sent(void **state)
{
    struct lease_scene *s = *state;

    s->lasts_ms = 3000; /* GET and POST */
    (void)lease_turn(s, s->a);
    assert_int_equal(leader_state(s->a), LEADER_LEADING);
    s->clock.now_ms += RENEW_MS - 3000 - 1;
    assert_true(lease_may_write(s->a));
    s->clock.now_ms += 1;
    assert_false(lease_may_write(s->a));
}

static void test_a_conflict_is_read_and_written_anew(void **state)
{
    struct lease_scene *s = *state;

    (void)lease_turn(s, s->a);
    lease_edit(s, "strategy", "OldestEmulationVersion");
    s->gets = s->puts = 0;
    s->clock.now_ms += RETRY_MS;
    assert_int_equal(lease_turn(s, s->a), RETRY_MS);
    assert_int_equal(s->puts, 2);
    assert_int_equal(s->gets, 1);
    assert_string_equal(json_path_string(s->lease, "spec.strategy"),
                        "OldestEmulationVersion");
    s->clock.now_ms += RENEW_MS - 1;
    assert_true(lease_may_write(s->a));
    assert_int_equal(leader_numbers(s->a).slow_paths, 1);
}

static void test_a_deleted_lease_is_made_anew_by_its_leader(void **state)
{
    struct lease_scene *s = *state;

    (void)lease_turn(s, s->a);
    json_free(s->lease);
    s->lease = NULL;
    s->clock.now_ms += RETRY_MS;
    assert_int_equal(lease_turn(s, s->a), RETRY_MS);
    assert_string_equal(lease_said(s).holder, "a_1");
    assert_int_equal(leader_state(s->a), LEADER_LEADING);
}

static void test_too_many_requests_do_not_cost_the_leadership(void **state)
{
    struct lease_scene *s = *state;
    int64_t turns = 0;

    (void)lease_turn(s, s->a);
    s->status = 429;
    s->retry_after_s = 60; /* longer than it can wait */
    s->clock.now_ms += RETRY_MS;
    for (int64_t spent_ms = RETRY_MS; spent_ms < RENEW_MS - RETRY_MS; turns++) {
        int64_t wait_ms = lease_turn(s, s->a);

        assert_in_range(wait_ms, 1, RETRY_MS);
        s->clock.now_ms += wait_ms;
        spent_ms += wait_ms;
        assert_true(lease_may_write(s->a));
    }
    assert_true(turns >= 2);
    assert_true(s->puts >= turns); /* they were sent, not held back */
    s->status = s->retry_after_s = 0;
    assert_int_equal(lease_turn(s, s->a), RETRY_MS);
    assert_int_equal(leader_state(s->a), LEADER_LEADING);
    s->clock.now_ms += RENEW_MS - 1;
    assert_true(lease_may_write(s->a));
}

static void test_each_request_has_a_deadline_of_its_own(void **state)
{
    struct lease_scene *s = *state;

    (void)lease_turn(s, s->a);
    assert_int_equal(s->limit_ms, RENEW_MS / 2);
    /* Close to the end not beyond it. */
    s->unreachable = true;
    s->clock.now_ms += RENEW_MS - 1500;
    s->lasts_ms = HOUR_MS;
    assert_int_equal(lease_turn(s, s->a), 0);
    assert_true(s->limit_ms <= 1500);
    assert_int_equal(leader_state(s->a), LEADER_LOST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LEASE_TEST(test_a_free_lease_is_created),
        LEASE_TEST(test_a_held_lease_is_left_alone_while_it_is_renewed),
        LEASE_TEST(test_a_lease_that_ran_out_is_taken_over),
        LEASE_TEST(test_clocks_of_others_do_not_matter),
        LEASE_TEST(test_an_edit_that_renews_nothing_gives_no_time),
        LEASE_TEST(test_a_released_lease_is_free_at_once),
        LEASE_TEST(test_a_holder_without_a_duration_has_ours),
        LEASE_TEST(test_of_two_at_once_one_wins),
        LEASE_TEST(test_a_write_whose_answer_was_lost_counts_once_it_is_read),
        LEASE_TEST(test_faults_are_tried_again_after_a_while),
        LEASE_TEST(test_renewing_is_one_request),
        LEASE_TEST(test_the_fence_counts_from_when_a_request_was_sent),
        LEASE_TEST(test_a_conflict_is_read_and_written_anew),
        LEASE_TEST(test_a_deleted_lease_is_made_anew_by_its_leader),
        LEASE_TEST(test_too_many_requests_do_not_cost_the_leadership),
        LEASE_TEST(test_each_request_has_a_deadline_of_its_own),
    };

    return cmocka_run_group_tests_name("loop/leader", tests, NULL, NULL);
}

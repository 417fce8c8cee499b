/* What is remembered between two attempts, and what is forgotten. */
#include "loop_unit.h"

#include "loop/memo.h"

#include <stdio.h>

static void the_last_first_statement_is_known(void **state)
{
    struct memo *memo = memo_new(1);

    (void)state;
    assert_false(memo_accepted(memo, "a", "1"));
    memo_accept(memo, "a", "1");
    assert_true(memo_accepted(memo, "a", "1"));
    assert_false(memo_accepted(memo, "b", "1"));
    memo_accept(memo, "a", "2");
    assert_false(memo_accepted(memo, "a", "1"));
    assert_true(memo_accepted(memo, "a", "2"));
    memo_accept(memo, "a", NULL);
    assert_false(memo_accepted(memo, "a", "2"));
    memo_accept(memo, "a", "3");
    memo_forget(memo, "a");
    assert_false(memo_accepted(memo, "a", "3"));
    memo_free(memo);
}

static void a_pause_begins_once_for_each_sink(void **state)
{
    struct memo *memo = memo_new(1);

    (void)state;
    assert_int_equal(memo_paused_since(memo, "a", "k_v2", 100), 100);
    assert_int_equal(memo_paused_since(memo, "a", "k_v2", 900), 100);
    assert_int_equal(memo_paused_since(memo, "b", "k_v2", 950), 950);
    assert_int_equal(memo_paused_since(memo, "a", "k_v3", 1000), 1000);
    memo_not_paused(memo, "a"); /* somebody resumed it: what it sent since is unknown */
    assert_int_equal(memo_paused_since(memo, "a", "k_v3", 2000), 2000);
    memo_not_paused(memo, "never seen");
    memo_free(memo);
}

static void a_sentence_is_news_once(void **state)
{
    struct memo *memo = memo_new(1);

    (void)state;
    assert_true(memo_is_news(memo, "a", MEMO_NOTES, "column x"));
    assert_true(memo_is_news(memo, "a", MEMO_NOTES, "column"));
    assert_false(memo_is_news(memo, "a", MEMO_NOTES, "column x"));
    assert_false(memo_is_news(memo, "a", MEMO_NOTES, "column"));
    assert_true(memo_is_news(memo, "a", MEMO_CHANGES, "column x"));
    assert_true(memo_is_news(memo, "b", MEMO_NOTES, "column x"));
    memo_forget_news(memo, "a", MEMO_NOTES);
    assert_true(memo_is_news(memo, "a", MEMO_NOTES, "column x"));
    assert_false(memo_is_news(memo, "a", MEMO_CHANGES, "column x"));
    memo_forget_news(memo, "never seen", MEMO_NOTES);
    memo_free(memo);
}

/* However much is told, the newest stays known and memory is bounded. */
static void many_sentences_do_not_pile_up(void **state)
{
    struct memo *memo = memo_new(1);
    char text[1000];

    (void)state;
    for (int i = 0; i < 2000; i++) {
        (void)snprintf(text, sizeof(text), "%0900d", i);
        assert_true(memo_is_news(memo, "a", MEMO_NOTES, text));
        assert_false(memo_is_news(memo, "a", MEMO_NOTES, text));
    }
    memo_free(memo);
}

static void a_drift_is_corrected_three_times_in_ten_minutes(void **state)
{
    struct memo *memo = memo_new(1);

    (void)state;
    assert_true(memo_may_correct(memo, "a", "1", 1000));
    assert_true(memo_may_correct(memo, "a", "1", 1000)); /* asking is free */
    memo_corrected(memo, "a", "1", 1000);
    memo_corrected(memo, "a", "1", 2000);
    assert_true(memo_may_correct(memo, "a", "1", 300000));
    memo_corrected(memo, "a", "1", 300000);
    assert_false(memo_may_correct(memo, "a", "1", 300001));
    assert_false(memo_may_correct(memo, "a", "1", 600999));
    assert_true(memo_may_correct(memo, "b", "1", 600999)); /* another resource */
    assert_true(memo_may_correct(memo, "a", "1", 601000)); /* the first is too long ago */
    memo_corrected(memo, "a", "1", 601000);
    assert_false(memo_may_correct(memo, "a", "1", 601001));
    assert_true(memo_may_correct(memo, "a", "2", 601002)); /* another difference */
    memo_corrected(memo, "a", "2", 601002);
    assert_true(memo_may_correct(memo, "a", "1", 601003));
    memo_free(memo);
}

static void an_alteration_is_known_by_what_it_was(void **state)
{
    struct memo *memo = memo_new(1);

    (void)state;
    assert_int_equal(memo_altered_at(memo, "shop/rw s.a", "1").monotonic_ms, 0);
    assert_int_equal(memo_catches_up_since(memo, "shop/rw s.a").wall_ms, 0);
    memo_altered(memo, "shop/rw s.a", "1", (struct memo_time){1000, 7000});
    assert_int_equal(memo_altered_at(memo, "shop/rw s.a", "1").monotonic_ms, 1000);
    assert_int_equal(memo_altered_at(memo, "shop/rw s.a", "2").monotonic_ms, 0);
    assert_int_equal(memo_altered_at(memo, "shop/rw s.b", "1").monotonic_ms, 0);
    assert_int_equal(memo_catches_up_since(memo, "shop/rw s.a").wall_ms, 7000);
    memo_caught_up(memo, "shop/rw s.a");
    assert_int_equal(memo_catches_up_since(memo, "shop/rw s.a").wall_ms, 0);
    assert_int_equal(memo_altered_at(memo, "shop/rw s.a", "1").monotonic_ms, 1000);
    memo_altered(memo, "shop/rw s.a", "2", (struct memo_time){2000, 5000});
    assert_int_equal(memo_altered_at(memo, "shop/rw s.a", "1").monotonic_ms, 0);
    assert_int_equal(memo_catches_up_since(memo, "shop/rw s.a").wall_ms, 5000);
    memo_free(memo);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_first_statement_is_known),
        cmocka_unit_test(a_pause_begins_once_for_each_sink),
        cmocka_unit_test(a_sentence_is_news_once),
        cmocka_unit_test(many_sentences_do_not_pile_up),
        cmocka_unit_test(an_alteration_is_known_by_what_it_was),
        cmocka_unit_test(a_drift_is_corrected_three_times_in_ten_minutes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Writing and reading back, retention. */
#include "unit.h"

#include <pthread.h>

static void check_details(struct audit *a, struct arena *arena, int64_t run)
{
    struct audit_details d = {0};
    struct fault f = FAULT_INIT;

    assert_ok(audit_query_details(a, &(struct audit_filter){0}, arena, &d, &f), f);
    assert_int_equal(d.steps.n, 2);
    assert_int_equal(d.steps.v[0].run, run);
    assert_int_equal(d.steps.v[0].seq, 1);
    assert_int_equal(d.steps.v[0].started_ms, 1000010);
    assert_int_equal(d.steps.v[0].duration_ms, 12);
    assert_string_equal(d.steps.v[0].target, "RisingWave");
    assert_string_equal(d.steps.v[0].statement, "CREATE SOURCE x");
    assert_string_equal(d.steps.v[0].result, "Succeeded");
    assert_string_equal(d.steps.v[0].code, "");
    assert_int_equal(d.steps.v[1].seq, 2);
    assert_string_equal(d.steps.v[1].code, "1064");
    assert_string_equal(d.steps.v[1].message, "syntax");
    assert_int_equal(d.lines.n, 1);
    assert_int_equal(d.lines.v[0].run, run);
    assert_int_equal(d.lines.v[0].at_ms, 1000010);
    assert_string_equal(d.lines.v[0].level, "error");
    assert_string_equal(d.lines.v[0].message, "it failed");
}

static void a_run_is_told_whole(void **state)
{
    (void)state;
    AUTO(audit_closep) struct audit *a = open_at(":memory:", (struct audit_options){0});
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);
    struct fault f = FAULT_INIT;
    int64_t step[2] = {0};

    int64_t run = begin_run(a, "shop", "orders");
    unit_now_ms += 10;
    assert_ok(audit_step_intent(a, run, "RisingWave", "CREATE SOURCE x", &step[0], &f),
              f);
    assert_ok(audit_step_result(a, step[0], "Succeeded", NULL, NULL, 12, &f), f);
    assert_ok(audit_step_intent(a, run, "StarRocks", "CREATE TABLE y", &step[1], &f), f);
    assert_ok(audit_step_result(a, step[1], "Failed", "1064", "syntax", 3, &f), f);
    assert_ok(audit_log(a, run, "error", "it failed", &f), f);
    unit_now_ms += 10;
    assert_ok(audit_run_end(a, run, "Failed", "Refused", "the server said no", &f), f);

    struct audit_runs runs = {0};
    const struct audit_filter all = {0};
    assert_ok(audit_query_runs(a, &all, arena, &runs, &f), f);
    assert_int_equal(runs.runs.n, 1);
    const struct audit_run *r = &runs.runs.v[0];
    assert_int_equal(r->id, run);
    assert_string_equal(r->run_id, "abc123");
    assert_string_equal(r->kind, "TableSync");
    assert_string_equal(r->uid, "u-1");
    assert_string_equal(r->namespace, "shop");
    assert_string_equal(r->name, "orders");
    assert_string_equal(r->trigger, "Spec");
    assert_string_equal(r->plan_hash, "p0");
    assert_string_equal(r->result, "Failed");
    assert_string_equal(r->error_class, "Refused");
    assert_string_equal(r->message, "the server said no");
    assert_int_equal(r->generation, 3);
    assert_int_equal(r->started_ms, 1000000);
    assert_int_equal(r->finished_ms, 1000020);
    assert_int_equal(r->steps, 2);

    check_details(a, arena, run);
}

static void an_open_run_shows_its_intent(void **state)
{
    (void)state;
    AUTO(audit_closep) struct audit *a = open_at(":memory:", (struct audit_options){0});
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);
    struct fault f = FAULT_INIT;
    struct audit_runs runs = {0};
    struct audit_details d = {0};
    const struct audit_filter all = {0};
    const struct audit_run_start nothing = {0};
    int64_t run = 0;
    int64_t step = 0;

    assert_ok(audit_run_begin(a, &nothing, &run, &f), f);
    assert_ok(audit_step_intent(a, run, "MySQL", "SELECT 1", &step, &f), f);
    assert_ok(audit_query_runs(a, &all, arena, &runs, &f), f);
    assert_ok(audit_query_details(a, &all, arena, &d, &f), f);
    assert_string_equal(runs.runs.v[0].result, "");
    assert_string_equal(runs.runs.v[0].plan_hash, "");
    assert_int_equal(runs.runs.v[0].finished_ms, 0);
    assert_string_equal(d.steps.v[0].statement, "SELECT 1");
    assert_string_equal(d.steps.v[0].result, "");
}

static void what_is_closed_stays_closed(void **state)
{
    (void)state;
    AUTO(audit_closep) struct audit *a = open_at(":memory:", (struct audit_options){0});
    struct fault f = FAULT_INIT;
    int64_t step = 0;
    int64_t other = 77;
    int64_t run = begin_run(a, "n", "o");

    assert_ok(audit_step_intent(a, run, "MySQL", "x", &step, &f), f);
    assert_ok(audit_step_result(a, step, "Succeeded", NULL, NULL, 1, &f), f);
    assert_false(audit_step_result(a, step, "Failed", NULL, NULL, 1, &f));
    assert_int_equal(f.class, FAULT_BUG);
    assert_contains(f.text, "step 1 does not exist or is closed");
    end_run(a, run);
    assert_false(audit_run_end(a, run, "Failed", NULL, NULL, &f));
    assert_contains(f.text, "run 1 does not exist or is closed");
    assert_false(audit_step_intent(a, run, "MySQL", "late", &other, &f));
    assert_false(audit_step_intent(a, 999, "MySQL", "x", &other, &f));
    assert_contains(f.text, "run 999 does not exist");
    assert_false(audit_log(a, 999, "info", "x", &f));
    assert_int_equal(f.class, FAULT_BUG);
    assert_int_equal(other, 77);
    assert_ok(audit_log(a, run, "info", "afterwards", &f), f);
}

static void long_texts_are_cut_and_say_so(void **state)
{
    (void)state;
    AUTO(audit_closep) struct audit *a = open_at(":memory:", (struct audit_options){0});
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);
    struct fault f = FAULT_INIT;
    struct audit_details d = {0};
    const struct audit_filter all = {0};
    static char text[AUDIT_TEXT_MAX + 2];
    int64_t step = 0;
    int64_t run = begin_run(a, "n", "o");

    memset(text, 'x', AUDIT_TEXT_MAX);
    assert_ok(audit_step_intent(a, run, "MySQL", text, &step, &f), f);
    for (size_t i = 0; i + 2 <= sizeof(text) - 1; i += 2) {
        memcpy(text + i, "\xC3\xA9", 2);
    }
    text[AUDIT_TEXT_MAX] = 'z';
    assert_ok(audit_step_result(a, step, "Failed", NULL, text, 1, &f), f);
    assert_ok(audit_log(a, run, "info", text, &f), f);
    assert_ok(audit_run_end(a, run, "Failed", NULL, text, &f), f);
    assert_ok(audit_query_details(a, &all, arena, &d, &f), f);
    assert_int_equal(strlen(d.steps.v[0].statement), AUDIT_TEXT_MAX);
    assert_true(sv_ends(sv_from(d.steps.v[0].message), SV("\xA9... (cut, 16385 bytes)")));
    assert_true(sv_is_utf8(sv_from(d.steps.v[0].message)));
    assert_true(strlen(d.steps.v[0].message) <= AUDIT_TEXT_MAX);
    assert_contains(d.lines.v[0].message, "(cut, 16385 bytes)");
    struct audit_runs runs = {0};
    assert_ok(audit_query_runs(a, &all, arena, &runs, &f), f);
    assert_contains(runs.runs.v[0].message, "(cut, 16385 bytes)");
}

static void hostile_texts_are_only_texts(void **state)
{
    (void)state;
    AUTO(audit_closep) struct audit *a = open_at(":memory:", (struct audit_options){0});
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);
    struct fault f = FAULT_INIT;
    static const char evil[] = "'); DROP TABLE task_runs; --\xFF\xE4\xB8\xAD";
    struct audit_runs runs = {0};
    const struct audit_filter filter = {.name = evil};

    end_run(a, begin_run(a, evil, evil));
    end_run(a, begin_run(a, evil, "x"));
    assert_ok(audit_query_runs(a, &filter, arena, &runs, &f), f);
    assert_int_equal(runs.runs.n, 1);
    assert_string_equal(runs.runs.v[0].namespace, evil);
}

static void filters_choose(void **state)
{
    (void)state;
    AUTO(audit_closep) struct audit *a = open_at(":memory:", (struct audit_options){0});
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);
    struct fault f = FAULT_INIT;
    struct audit_runs runs = {0};
    struct audit_details d = {0};
    int64_t ids[120];
    int64_t step = 0;

    for (size_t i = 0; i < COUNT_OF(ids); i++) {
        ids[i] =
            begin_run(a, i % 2 == 0 ? "even" : "odd", i % 3 == 0 ? "three" : "other");
        assert_ok(audit_step_intent(a, ids[i], "MySQL", "s", &step, &f), f);
        assert_ok(audit_log(a, ids[i], "info", "l", &f), f);
        end_run(a, ids[i]);
    }
    assert_ok(audit_query_runs(a, &(struct audit_filter){0}, arena, &runs, &f), f);
    assert_int_equal(runs.runs.n, 50);
    assert_int_equal(runs.runs.v[0].id, ids[119]); /* newest first */
    assert_int_equal(runs.runs.v[49].id, ids[70]);
    const struct audit_filter odd_threes = {
        .namespace = "odd", .name = "three", .limit = 1000};
    assert_ok(audit_query_runs(a, &odd_threes, arena, &runs, &f), f);
    assert_int_equal(runs.runs.n, 20);
    assert_int_equal(runs.runs.v[0].id, ids[117]);
    const struct audit_filter one = {.run = ids[7]};
    assert_ok(audit_query_runs(a, &one, arena, &runs, &f), f);
    assert_int_equal(runs.runs.n, 1);
    assert_ok(audit_query_details(a, &one, arena, &d, &f), f);
    assert_int_equal(d.steps.n, 1);
    assert_int_equal(d.steps.v[0].run, ids[7]);
    assert_int_equal(d.lines.n, 1);
    const struct audit_filter two = {.limit = 2};
    assert_ok(audit_query_details(a, &two, arena, &d, &f), f);
    assert_int_equal(d.steps.n, 2);
    assert_int_equal(d.steps.v[0].run, ids[118]); /* oldest first */
    assert_int_equal(d.lines.v[1].run, ids[119]);
    const struct audit_filter nobody = {.namespace = "nobody"};
    assert_ok(audit_query_runs(a, &nobody, arena, &runs, &f), f);
    assert_int_equal(runs.runs.n, 0);
}

static void an_endless_answer_is_refused(void **state)
{
    (void)state;
    AUTO(audit_closep) struct audit *a = open_at(":memory:", (struct audit_options){0});
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);
    struct fault f = FAULT_INIT;
    struct audit_details d = {0};
    static char text[AUDIT_TEXT_MAX + 1];
    int64_t run = begin_run(a, "n", "o");

    memset(text, 'x', AUDIT_TEXT_MAX);
    for (int i = 0; i < 4200; i++) {
        assert_ok(audit_log(a, run, "info", text, &f), f);
    }
    assert_false(audit_query_details(a, &(struct audit_filter){0}, arena, &d, &f));
    assert_string_equal(f.reason, "AnswerTooLarge");
    assert_int_equal(d.lines.n, 0);
}

static size_t count_runs(struct audit *a, const char *name)
{
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);
    struct fault f = FAULT_INIT;
    struct audit_runs runs = {0};
    const struct audit_filter filter = {.name = name, .limit = 10000};

    assert_ok(audit_query_runs(a, &filter, arena, &runs, &f), f);
    return runs.runs.n;
}

static void retention_by_age(void **state)
{
    (void)state;
    AUTO(audit_closep)
    struct audit *a = open_at(":memory:", (struct audit_options){.keep_ms = 1000});
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);
    struct fault f = FAULT_INIT;
    struct audit_details d = {0};
    int64_t deleted = -1;
    int64_t step = 0;

    /* More than one batch. */
    for (int i = 0; i < 1200; i++) {
        int64_t run = begin_run(a, "n", "old");
        assert_ok(audit_step_intent(a, run, "MySQL", "s", &step, &f), f);
        assert_ok(audit_log(a, run, "info", "l", &f), f);
        end_run(a, run);
    }
    (void)begin_run(a, "n", "open");
    unit_now_ms += 1000;
    assert_ok(audit_prune(a, &deleted, &f), f);
    assert_int_equal(deleted, 0);
    unit_now_ms += 1;
    end_run(a, begin_run(a, "n", "young"));
    assert_ok(audit_prune(a, &deleted, &f), f);
    assert_int_equal(deleted, 1200);
    assert_int_equal(count_runs(a, "old"), 0);
    assert_int_equal(count_runs(a, "open"), 1);
    assert_int_equal(count_runs(a, "young"), 1);
    const struct audit_filter all = {.limit = 5000};
    assert_ok(audit_query_details(a, &all, arena, &d, &f), f);
    assert_int_equal(d.steps.n + d.lines.n, 0);
    assert_int_equal(begin_run(a, "n", "next"), 1203); /* a number is given once */
}

static void retention_by_object(void **state)
{
    (void)state;
    AUTO(audit_closep)
    struct audit *a =
        open_at(":memory:", (struct audit_options){.keep_runs_per_object = 3});
    struct fault f = FAULT_INIT;
    int64_t deleted = -1;
    int64_t open = begin_run(a, "n", "a");

    for (int i = 0; i < 10; i++) {
        end_run(a, begin_run(a, "n", "a"));
    }
    end_run(a, begin_run(a, "other", "a"));
    end_run(a, begin_run(a, "n", "b"));
    assert_ok(audit_prune(a, &deleted, &f), f);
    assert_int_equal(deleted, 7);
    assert_int_equal(count_runs(a, "a"),
                     3 + 1 + 1); /* newest, the open one, the other's */
    assert_int_equal(count_runs(a, "b"), 1);
    end_run(a, open);
    assert_ok(audit_prune(a, &deleted, &f), f);
    assert_int_equal(deleted, 1);
}

static void nothing_is_pruned_by_default(void **state)
{
    (void)state;
    AUTO(audit_closep) struct audit *a = open_at(":memory:", (struct audit_options){0});
    struct fault f = FAULT_INIT;
    int64_t deleted = -1;

    for (int i = 0; i < 5; i++) {
        end_run(a, begin_run(a, "n", "a"));
    }
    unit_now_ms += INT64_C(1000000000000);
    assert_ok(audit_prune(a, &deleted, &f), f);
    assert_int_equal(deleted, 0);
    assert_int_equal(count_runs(a, "a"), 5);
}

enum { THREADS = 4, RUNS = 40 };

static void *write_runs(void *audit)
{
    struct audit *a = audit;
    struct fault f = FAULT_INIT;

    for (int i = 0; i < RUNS; i++) {
        const struct audit_run_start start = {
            .namespace = "n", .name = "t", .run_id = "r"};
        int64_t run = 0;
        int64_t step = 0;
        int64_t deleted = 0;
        if (!audit_run_begin(a, &start, &run, &f) ||
            !audit_step_intent(a, run, "MySQL", "s", &step, &f) ||
            !audit_step_result(a, step, "Succeeded", NULL, NULL, 1, &f) ||
            !audit_run_end(a, run, "Succeeded", NULL, NULL, &f) ||
            !audit_prune(a, &deleted, &f)) {
            return a;
        }
    }
    return NULL;
}

static void threads_share_one_audit(void **state)
{
    (void)state;
    AUTO(audit_closep) struct audit *a = open_at(unit_path, (struct audit_options){0});
    pthread_t threads[THREADS];

    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, write_runs, a), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        void *failed = NULL;
        assert_int_equal(pthread_join(threads[i], &failed), 0);
        assert_null(failed);
    }
    assert_int_equal(count_runs(a, "t"), THREADS * RUNS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_run_is_told_whole, fresh_folder),
        cmocka_unit_test_setup(an_open_run_shows_its_intent, fresh_folder),
        cmocka_unit_test_setup(what_is_closed_stays_closed, fresh_folder),
        cmocka_unit_test_setup(long_texts_are_cut_and_say_so, fresh_folder),
        cmocka_unit_test_setup(hostile_texts_are_only_texts, fresh_folder),
        cmocka_unit_test_setup(filters_choose, fresh_folder),
        cmocka_unit_test_setup(an_endless_answer_is_refused, fresh_folder),
        cmocka_unit_test_setup(retention_by_age, fresh_folder),
        cmocka_unit_test_setup(retention_by_object, fresh_folder),
        cmocka_unit_test_setup(nothing_is_pruned_by_default, fresh_folder),
        cmocka_unit_test_setup(threads_share_one_audit, fresh_folder),
    };
    return cmocka_run_group_tests_name("audit/record", tests, make_folder, drop_folder);
}

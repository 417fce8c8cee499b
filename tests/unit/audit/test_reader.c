/* Readers: beside a writer, after one, and without leaving a trace. */
#include "unit.h"

#include "audit/lite.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>

static const struct audit_options read_only = {.read_only = true};

static void a_reader_closes_nothing(void **state)
{
    (void)state;
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);

    in_a_killed_process(half_a_step);
    AUTO(audit_closep) struct audit *a = open_at(unit_path, read_only);
    struct audit_runs runs = runs_of(a, arena);
    assert_int_equal(runs.runs.n, 2);
    assert_string_equal(runs.runs.v[1].result, "");
}

static void a_reader_makes_no_files(void **state)
{
    (void)state;
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);
    struct fault f = FAULT_INIT;

    assert_false(opens(unit_path, true, &f));
    assert_int_equal(f.class, FAULT_UNAVAILABLE);
    assert_contains(f.text, unit_path);
    assert_contains(f.text, "No such file or directory");
    assert_int_equal(count_files(), 0);
    struct audit *a = open_at(unit_path, (struct audit_options){0});
    end_run(a, begin_run(a, "n", "o"));
    audit_close(a);
    assert_int_equal(count_files(), 1);
    struct audit *reader = open_at(unit_path, read_only);
    assert_int_equal(runs_of(reader, arena).runs.n, 1);
    assert_int_equal(count_files(), 1);
    audit_close(reader);
    assert_int_equal(count_files(), 1);
}

static void a_reader_cannot_write(void **state)
{
    (void)state;
    struct fault f = FAULT_INIT;
    int64_t id = 77;

    struct audit *writer = open_at(unit_path, (struct audit_options){0});
    AUTO(audit_closep) struct audit *reader = open_at(unit_path, read_only);
    assert_false(audit_run_begin(reader, &(struct audit_run_start){0}, &id, &f));
    assert_int_equal(f.class, FAULT_UNAVAILABLE);
    assert_contains(f.text, "readonly");
    assert_int_equal(id, 77);
    audit_close(writer);
}

static void write_until_told(int stop_fd, int ready_fd)
{
    struct audit *a = open_at(unit_path, (struct audit_options){0});
    struct fault f = FAULT_INIT;
    int64_t deleted = 0;
    char byte = 0;

    for (int i = 0;; i++) {
        end_run(a, begin_run(a, "n", "o"));
        if (i == 10) {
            assert_int_equal(write(ready_fd, "r", 1), 1);
        }
        if (i % 50 == 0) {
            assert_ok(audit_prune(a, &deleted, &f), f);
        }
        if (read(stop_fd, &byte, 1) == 1) {
            audit_close(a);
            _exit(0);
        }
    }
}

static void readers_work_while_another_process_writes(void **state)
{
    (void)state;
    int stop[2];
    int ready[2];
    char byte = 0;
    size_t last = 0;
    size_t grew = 0;

    assert_int_equal(pipe2(stop, O_NONBLOCK), 0);
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* a failed test leaves nobody behind */
        write_until_told(stop[0], ready[1]);
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    while (grew < 5) {
        AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);
        AUTO(audit_closep) struct audit *reader = open_at(unit_path, read_only);
        size_t n = runs_of(reader, arena).runs.n;
        assert_true(n >= 10 && n >= last);
        grew += n > last;
        last = n;
    }
    assert_int_equal(write(stop[1], "s", 1), 1);
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    for (int i = 0; i < 2; i++) {
        (void)close(stop[i]);
        (void)close(ready[i]);
    }
}

static void an_open_reader_sees_later_runs(void **state)
{
    (void)state;
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);

    AUTO(audit_closep)
    struct audit *writer = open_at(unit_path, (struct audit_options){0});
    AUTO(audit_closep) struct audit *reader = open_at(unit_path, read_only);
    assert_int_equal(runs_of(reader, arena).runs.n, 0);
    end_run(writer, begin_run(writer, "n", "o"));
    assert_int_equal(runs_of(reader, arena).runs.n, 1);
}

static void pages_lead_back_to_the_first_run(void **state)
{
    (void)state;
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);
    AUTO(audit_closep) struct audit *a = open_at(unit_path, (struct audit_options){0});
    struct audit_filter filter = {.namespace = "n", .limit = 2};
    struct fault f = FAULT_INIT;
    int64_t expected = 0;

    for (int i = 0; i < 5; i++) {
        expected = begin_run(a, "n", "o");
    }
    for (int page = 0; page < 3; page++) {
        struct audit_runs runs = {0};

        assert_ok(audit_query_runs(a, &filter, arena, &runs, &f), f);
        assert_int_equal(runs.runs.n, page < 2 ? 2 : 1);
        for (size_t i = 0; i < runs.runs.n; i++) {
            assert_int_equal(runs.runs.v[i].id, expected--);
            filter.before = runs.runs.v[i].id;
        }
    }
    assert_int_equal(expected, 0);
}

static void a_page_has_a_ceiling_of_its_own(void **state)
{
    (void)state;
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);
    AUTO(audit_closep) struct audit *a = open_at(unit_path, (struct audit_options){0});
    struct audit_filter filter = {.limit = 10, .bytes_max = 4096};
    struct audit_details details = {0};
    struct fault f = FAULT_INIT;
    int64_t run = begin_run(a, "n", "o");

    for (int i = 0; i < 100; i++) {
        assert_ok(audit_log(a, run, "info", "a line like all the others of this run", &f),
                  f);
    }
    assert_false(audit_query_details(a, &filter, arena, &details, &f));
    assert_int_equal(f.class, FAULT_SPEC);
    assert_string_equal(f.reason, "AnswerTooLarge");
    assert_contains(f.text, "4 KiB");
    filter.bytes_max = 0;
    assert_ok(audit_query_details(a, &filter, arena, &details, &f), f);
    assert_int_equal(details.lines.n, 100);
}

static void a_reader_waits_for_no_record(void **state)
{
    (void)state;
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);
    AUTO(audit_closep) struct audit *a = open_at(unit_path, (struct audit_options){0});
    struct audit *reader = NULL;
    struct audit_details details = {0};
    struct fault f = FAULT_INIT;
    int64_t run = begin_run(a, "n", "o");

    assert_ok(audit_log(a, run, "info", "seen", &f), f);
    assert_int_equal(pthread_mutex_lock(&a->lock), 0); /* as while a record is made */
    assert_ok(audit_open_reader(a, &reader, &f), f);
    assert_ok(audit_query_details(reader, &(struct audit_filter){0}, arena, &details, &f),
              f);
    assert_int_equal(runs_of(reader, arena).runs.n, 1);
    assert_int_equal(pthread_mutex_unlock(&a->lock), 0);
    assert_int_equal(details.lines.n, 1);
    assert_ok(audit_log(a, run, "info", "while it is open", &f), f);
    audit_close(reader);
    assert_ok(audit_log(a, run, "info", "after it", &f), f);
}

static void an_audit_that_waits_cannot_be_read(void **state)
{
    (void)state;
    AUTO(audit_closep)
    struct audit *a =
        open_at(unit_path, (struct audit_options){.tolerant = true, .later = true});
    AUTO(audit_closep) struct audit *reader = NULL;
    struct fault f = FAULT_INIT;

    assert_false(audit_open_reader(a, &reader, &f));
    assert_int_equal(f.class, FAULT_UNAVAILABLE);
    assert_string_equal(f.reason, "AuditWaits");
    assert_contains(f.text, "Lease");
    audit_begin(a);
    assert_ok(audit_open_reader(a, &reader, &f), f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_reader_closes_nothing, fresh_folder),
        cmocka_unit_test_setup(a_reader_makes_no_files, fresh_folder),
        cmocka_unit_test_setup(a_reader_cannot_write, fresh_folder),
        cmocka_unit_test_setup(readers_work_while_another_process_writes, fresh_folder),
        cmocka_unit_test_setup(an_open_reader_sees_later_runs, fresh_folder),
        cmocka_unit_test_setup(pages_lead_back_to_the_first_run, fresh_folder),
        cmocka_unit_test_setup(a_page_has_a_ceiling_of_its_own, fresh_folder),
        cmocka_unit_test_setup(a_reader_waits_for_no_record, fresh_folder),
        cmocka_unit_test_setup(an_audit_that_waits_cannot_be_read, fresh_folder),
    };
    return cmocka_run_group_tests_name("audit/reader", tests, make_folder, drop_folder);
}

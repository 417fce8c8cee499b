/* Readers: beside a writer, after one, and without leaving a trace. */
#include "unit.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_reader_closes_nothing, fresh_folder),
        cmocka_unit_test_setup(a_reader_makes_no_files, fresh_folder),
        cmocka_unit_test_setup(a_reader_cannot_write, fresh_folder),
        cmocka_unit_test_setup(readers_work_while_another_process_writes, fresh_folder),
        cmocka_unit_test_setup(an_open_reader_sees_later_runs, fresh_folder),
    };
    return cmocka_run_group_tests_name("audit/reader", tests, make_folder, drop_folder);
}

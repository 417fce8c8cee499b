/* The file: opening, crashes, damage, versions, readers beside a writer. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

static void with_sqlite(const char *sql)
{
    sqlite3 *db = NULL;

    assert_int_equal(sqlite3_open(unit_path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void makes_a_private_file(void **state)
{
    (void)state;
    struct stat info;

    mode_t old = umask(0);
    AUTO(audit_closep) struct audit *a = open_at(unit_path, (struct audit_options){0});
    end_run(a, begin_run(a, "n", "o"));
    (void)umask(old);
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < COUNT_OF(suffixes); i++) {
        char name[100];
        (void)snprintf(name, sizeof(name), "%s%s", unit_path, suffixes[i]);
        assert_int_equal(stat(name, &info), 0);
        assert_int_equal(info.st_mode & 0777, 0600);
    }
}

static void narrows_an_open_file(void **state)
{
    (void)state;
    struct stat info;

    audit_close(open_at(unit_path, (struct audit_options){0}));
    assert_int_equal(chmod(unit_path, 0644), 0);
    audit_close(open_at(unit_path, (struct audit_options){0}));
    assert_int_equal(stat(unit_path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
}

static void keeps_what_was_written(void **state)
{
    (void)state;
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);

    struct audit *a = open_at(unit_path, (struct audit_options){0});
    end_run(a, begin_run(a, "n", "o"));
    audit_close(a);
    AUTO(audit_closep)
    struct audit *again = open_at(unit_path, (struct audit_options){0});
    struct audit_runs runs = runs_of(again, arena);
    assert_int_equal(runs.runs.n, 1);
    assert_string_equal(runs.runs.v[0].result, "Succeeded");
}

static void a_crash_is_told(void **state)
{
    (void)state;
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);
    struct fault f = FAULT_INIT;
    struct audit_details d = {0};

    in_a_killed_process(half_a_step);
    unit_now_ms = 2000000;
    AUTO(audit_closep) struct audit *a = open_at(unit_path, (struct audit_options){0});
    struct audit_runs runs = runs_of(a, arena);
    assert_int_equal(runs.runs.n, 2);
    assert_string_equal(runs.runs.v[0].result, "Succeeded");
    assert_int_equal(runs.runs.v[0].finished_ms, 1000000);
    assert_string_equal(runs.runs.v[1].result, "Interrupted");
    assert_int_equal(runs.runs.v[1].finished_ms, 2000000);
    assert_contains(runs.runs.v[1].message,
                    "the controller stopped while this run was open");
    assert_ok(audit_query_details(a, &(struct audit_filter){0}, arena, &d, &f), f);
    assert_int_equal(d.steps.n, 1);
    assert_string_equal(d.steps.v[0].result, "Interrupted");
    assert_string_equal(d.steps.v[0].statement, "CREATE SINK k");
    assert_contains(d.steps.v[0].message,
                    "before the result of this statement was known");
}

static void a_second_writer_is_refused(void **state)
{
    (void)state;
    struct fault f = FAULT_INIT;

    struct audit *first = open_at(unit_path, (struct audit_options){0});
    (void)begin_run(first, "n", "open");
    pid_t child = fork();
    if (child == 0) {
        bool refused = !opens(unit_path, false, &f) &&
                       strcmp(f.reason, "AuditBusy") == 0 &&
                       strstr(f.text, unit_path) != NULL;
        _exit(refused ? 0 : 1);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    audit_close(first);
    assert_ok(opens(unit_path, false, &f), f);
}

static void assert_unopenable(bool as_reader, const char *reason, const char *says)
{
    struct fault f = FAULT_INIT;

    assert_false(opens(unit_path, as_reader, &f));
    assert_int_equal(f.class, FAULT_UNAVAILABLE);
    assert_string_equal(f.reason, reason);
    assert_contains(f.text, says);
    assert_contains(f.text, unit_path);
}

static void damage_is_recognised(void **state)
{
    (void)state;
    struct fault f = FAULT_INIT;
    int64_t step = 0;
    char noise[4096];

    memset(noise, 'n', sizeof(noise));
    int fd = open(unit_path, O_RDWR | O_CREAT, 0600);
    assert_int_equal(write(fd, noise, sizeof(noise)), sizeof(noise));
    (void)close(fd);
    assert_unopenable(false, "AuditCorrupt", "is damaged");
    assert_unopenable(true, "AuditCorrupt", "file is not a database");
    (void)empty_folder();

    struct audit *a = open_at(unit_path, (struct audit_options){0});
    for (int i = 0; i < 200; i++) {
        int64_t run = begin_run(a, "n", "o");
        assert_ok(audit_step_intent(a, run, "MySQL", "some statement", &step, &f), f);
    }
    audit_close(a);
    /* The header stays, the pages behind it do not. */
    fd = open(unit_path, O_RDWR);
    for (off_t page = 2; page < 8; page++) {
        assert_int_equal(pwrite(fd, noise, sizeof(noise), page * 4096), sizeof(noise));
    }
    (void)close(fd);
    assert_unopenable(false, "AuditCorrupt", "begins a new one");
}

static void versions_are_checked(void **state)
{
    (void)state;

    audit_close(open_at(unit_path, (struct audit_options){0}));
    with_sqlite("PRAGMA user_version = 99");
    assert_unopenable(false, "AuditTooNew", "has version 99");
    assert_unopenable(true, "AuditTooNew", "has version 99");
    with_sqlite("PRAGMA user_version = 0");
    assert_unopenable(true, "AuditTooOld", "start the controller once");
    /* Migrating it anew fails on the tables that are there, and leaves the file as it
     * was. */
    struct fault f = FAULT_INIT;
    assert_false(opens(unit_path, false, &f));
    assert_contains(f.text, "migrating the audit to version 1");
    with_sqlite("PRAGMA user_version = 2");
    assert_ok(opens(unit_path, false, &f), f);
    (void)empty_folder();
    with_sqlite("CREATE TABLE precious (x)");
    assert_unopenable(false, "AuditForeign", "another program");
    with_sqlite("INSERT INTO precious VALUES (1)");
}

static void missing_folders_are_named(void **state)
{
    (void)state;
    struct fault f = FAULT_INIT;

    assert_false(opens("/nonexistent/audit.db", false, &f));
    assert_int_equal(f.class, FAULT_UNAVAILABLE);
    assert_string_equal(f.text,
                        "the audit database '/nonexistent/audit.db' cannot be opened "
                        "for writing: No such file or directory");
    assert_false(opens(unit_folder, false, &f));
    assert_contains(f.text, "Is a directory");
    assert_false(opens("", false, &f));
    assert_contains(f.text, "no file is named");
    assert_false(opens(NULL, true, &f));
}

/* Root may write anywhere, so the child becomes somebody else first. */
static void a_read_only_folder_is_a_fault(void **state)
{
    (void)state;

    assert_int_equal(chmod(unit_folder, 0555), 0);
    pid_t child = fork();
    if (child == 0) {
        struct fault f = FAULT_INIT;
        bool ready = geteuid() != 0 || setresuid(65534, 65534, 65534) == 0;
        bool refused = !opens(unit_path, false, &f) && f.class == FAULT_UNAVAILABLE &&
                       strstr(f.text, "Permission denied") != NULL &&
                       strstr(f.text, unit_path) != NULL;
        _exit(ready && refused ? 0 : 1);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(chmod(unit_folder, 0700), 0);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* No byte more may be written to any file: what a full disk looks like. */
static void a_full_disk_is_a_fault_and_passes(void **state)
{
    (void)state;
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);
    struct fault f = FAULT_INIT;
    struct rlimit old;
    int64_t id = 0;
    bool good = true;

    AUTO(audit_closep) struct audit *a = open_at(unit_path, (struct audit_options){0});
    end_run(a, begin_run(a, "n", "before"));
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &(struct rlimit){4096, old.rlim_max}), 0);
    good = audit_run_begin(a, &(struct audit_run_start){.name = "full"}, &id, &f);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_false(good);
    assert_int_equal(f.class, FAULT_UNAVAILABLE);
    assert_contains(f.text, unit_path);
    end_run(a, begin_run(a, "n", "after"));
    assert_int_equal(runs_of(a, arena).runs.n, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(makes_a_private_file, fresh_folder),
        cmocka_unit_test_setup(narrows_an_open_file, fresh_folder),
        cmocka_unit_test_setup(keeps_what_was_written, fresh_folder),
        cmocka_unit_test_setup(a_crash_is_told, fresh_folder),
        cmocka_unit_test_setup(a_second_writer_is_refused, fresh_folder),
        cmocka_unit_test_setup(damage_is_recognised, fresh_folder),
        cmocka_unit_test_setup(versions_are_checked, fresh_folder),
        cmocka_unit_test_setup(missing_folders_are_named, fresh_folder),
        cmocka_unit_test_setup(a_read_only_folder_is_a_fault, fresh_folder),
        cmocka_unit_test_setup(a_full_disk_is_a_fault_and_passes, fresh_folder),
    };
    return cmocka_run_group_tests_name("audit/audit", tests, make_folder, drop_folder);
}

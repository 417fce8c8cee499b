/* A tolerant audit: whatever happens to its file, records are made or counted, damage is
 * set aside, and it recovers by itself. */
#include "unit.h"

#include "audit/care.h"
#include "audit/vault.h"

#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

#define RETRY_MAX_MS CARE_RETRY_MAX_MS

static const struct audit_options tolerant = {.tolerant = true};

static void with_sqlite(const char *sql)
{
    sqlite3 *db = NULL;

    assert_int_equal(sqlite3_open(unit_path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static struct audit_state state_of(struct audit *a)
{
    struct audit_state state;

    audit_state(a, &state);
    return state;
}

static bool try_run(struct audit *a, int64_t *out_id)
{
    struct fault f = FAULT_INIT;
    const struct audit_run_start start = {
        .kind = "TableSync", .namespace = "n", .name = "o"};
    bool good = audit_run_begin(a, &start, out_id, &f);

    if (!good) {
        assert_int_equal(f.class, FAULT_UNAVAILABLE);
    }
    return good;
}

static bool records(struct audit *a)
{
    int64_t id = 0;

    if (!try_run(a, &id)) {
        return false;
    }
    end_run(a, id);
    return true;
}

/* The next piece of news, which must be this change and contain the text. */
static void assert_news(struct audit *a, enum audit_change change, const char *part)
{
    struct audit_news news = {0};

    assert_true(audit_take_news(a, AUDIT_TO_LOG, &news));
    assert_int_equal(news.change, change);
    assert_contains(news.text, part);
}

static void assert_no_news(struct audit *a)
{
    struct audit_news news = {0};

    assert_false(audit_take_news(a, AUDIT_TO_LOG, &news));
}

static void tend_later(struct audit *a)
{
    unit_now_ms += RETRY_MAX_MS;
    audit_tend(a);
}

static void limit_files(rlim_t bytes, struct rlimit *out_old)
{
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, out_old), 0);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &(struct rlimit){bytes, out_old->rlim_max}),
                     0);
}

static void write_noise(const char *path, off_t at, size_t bytes)
{
    char noise[4096];
    int fd = open(path, O_RDWR | O_CREAT, 0600);

    memset(noise, 'n', sizeof(noise));
    for (size_t done = 0; done < bytes; done += sizeof(noise)) {
        assert_int_equal(pwrite(fd, noise, sizeof(noise), at + (off_t)done),
                         sizeof(noise));
    }
    (void)close(fd);
}

/* How many files the folder has whose name contains the part and ends like that; the last
 * one's path. */
static int files_with(const char *part, const char *end, char *out_path, size_t size)
{
    DIR *folder = opendir(unit_folder);
    int count = 0;

    for (struct dirent *e = readdir(folder); e != NULL; e = readdir(folder)) {
        if (strstr(e->d_name, part) != NULL &&
            sv_ends(sv_from(e->d_name), sv_from(end))) {
            count++;
            (void)snprintf(out_path, size, "%s/%s", unit_folder, e->d_name);
        }
    }
    (void)closedir(folder);
    return count;
}

/* Databases that were set aside; their names end in a time. */
static int aside(void)
{
    char path[400];

    return files_with(".corrupt-", "Z", path, sizeof(path)) +
           files_with(".corrupt-", "-2", path, sizeof(path));
}

static void fill(struct audit *a, int runs)
{
    struct fault f = FAULT_INIT;
    int64_t step = 0;

    for (int i = 0; i < runs; i++) {
        int64_t run = begin_run(a, "n", "o");
        assert_ok(audit_step_intent(a, run, "MySQL", "some statement", &step, &f), f);
        assert_ok(audit_step_result(a, step, "Succeeded", NULL, NULL, 1, &f), f);
        end_run(a, run);
    }
}

/* --- a disk that is full --- */

static void a_full_disk_is_told_counted_and_over(void **state)
{
    (void)state;
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);
    AUTO(audit_closep) struct audit *a = open_at(unit_path, tolerant);
    struct audit_details details = {0};
    struct fault f = FAULT_INIT;
    struct rlimit old;
    bool good = false;

    assert_true(records(a));
    assert_no_news(a);
    limit_files(4096, &old);
    for (int i = 0; i < 5; i++) {
        good = records(a) || good;
        unit_now_ms += 1000;
    }
    tend_later(a);
    good = records(a) || good;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_false(good);
    assert_true(state_of(a).degraded);
    assert_int_equal(state_of(a).missed, 6);
    assert_int_equal(state_of(a).since_ms, 1000000);
    assert_contains(state_of(a).last.text, unit_path);
    assert_news(a, AUDIT_DEGRADED, "reconciling goes on");
    assert_no_news(a);

    assert_false(records(a)); /* never by itself: no worker pays for the attempt */
    tend_later(a);
    assert_false(state_of(a).degraded);
    assert_news(
        a, AUDIT_RECOVERED,
        "7 records were missed between 1970-01-01T00:16:40Z and 1970-01-01T00:17:15Z");
    assert_true(records(a));
    struct audit_runs runs = runs_of(a, arena);
    assert_int_equal(runs.runs.n, 3);
    assert_string_equal(runs.runs.v[1].kind, "Audit");
    assert_contains(runs.runs.v[1].message, "7 records were missed");
    assert_ok(audit_query_details(a, &(struct audit_filter){.run = runs.runs.v[1].id},
                                  arena, &details, &f),
              f);
    assert_int_equal(details.lines.n, 1);
    assert_contains(details.lines.v[0].message, "7 records were missed");
}

/* What was begun before and could not be ended does not stay open for ever. */
static void what_could_not_be_ended_is_closed(void **state)
{
    (void)state;
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);
    AUTO(audit_closep) struct audit *a = open_at(unit_path, tolerant);
    struct audit_details details = {0};
    struct fault f = FAULT_INIT;
    struct rlimit old;
    int64_t step = 0, going_on_step = 0;
    int64_t missed = begin_run(a, "n", "missed"),
            going_on = begin_run(a, "n", "going-on");
    bool good = false;

    assert_ok(audit_step_intent(a, missed, "StarRocks", "DROP TABLE t", &step, &f), f);
    assert_ok(audit_step_intent(a, going_on, "StarRocks", "SELECT", &going_on_step, &f),
              f);
    limit_files(4096, &old);
    good = audit_step_result(a, step, "Succeeded", NULL, NULL, 1, &f) ||
           audit_run_end(a, missed, "Succeeded", NULL, NULL, &f);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_false(good);
    tend_later(a);
    assert_ok(audit_step_result(a, going_on_step, "Succeeded", NULL, NULL, 1, &f), f);
    end_run(a, going_on);
    struct audit_runs runs = runs_of(a, arena);
    assert_int_equal(runs.runs.n, 3);
    assert_string_equal(runs.runs.v[2].result, "Interrupted");
    assert_contains(runs.runs.v[2].message, "the end was not recorded");
    assert_string_equal(runs.runs.v[1].result, "Succeeded");
    assert_ok(audit_query_details(a, &(struct audit_filter){.run = missed}, arena,
                                  &details, &f),
              f);
    assert_string_equal(details.steps.v[0].result, "Interrupted");
    assert_contains(details.steps.v[0].message, "the result was not recorded");
}

/* --- a file that cannot be opened --- */

static void assert_starts_degraded(const char *path, const char *says)
{
    AUTO(audit_closep) struct audit *a = open_at(path, tolerant);
    struct audit_news news = {0};

    assert_true(state_of(a).degraded);
    assert_contains(state_of(a).last.text, says);
    assert_news(a, AUDIT_DEGRADED, says);
    assert_true(audit_take_news(a, AUDIT_TO_EVENT, &news));
    assert_contains(news.text, says);
    assert_false(records(a));
    tend_later(a);
    assert_true(state_of(a).degraded);
    assert_no_news(a);
}

static void starts_without_a_folder(void **state)
{
    (void)state;
    char folder[100], path[120];

    (void)snprintf(folder, sizeof(folder), "%s/not-yet", unit_folder);
    (void)snprintf(path, sizeof(path), "%s/audit.db", folder);
    assert_starts_degraded(path, "No such file or directory");
    assert_starts_degraded(unit_folder, "Is a directory");
    AUTO(audit_closep) struct audit *a = open_at(path, tolerant);
    assert_false(records(a));
    assert_int_equal(mkdir(folder, 0700), 0);
    tend_later(a);
    assert_true(records(a));
    audit_close(TAKE(a));
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < COUNT_OF(suffixes); i++) {
        char name[130];
        (void)snprintf(name, sizeof(name), "%s%s", path, suffixes[i]);
        (void)unlink(name);
    }
    assert_int_equal(rmdir(folder), 0);
}

/* Root may write anywhere, so the child becomes somebody else first. */
/* The folder may not be written to: somebody who is not root opens the file all the same,
 * records nothing, and is told why. Afterwards it may be again. */
static void opens_degraded_as_nobody(const char *why)
{
    int status = 0;

    assert_int_equal(chmod(unit_folder, 0555), 0);
    pid_t child = fork();
    if (child == 0) {
        bool ready = geteuid() != 0 || setresuid(65534, 65534, 65534) == 0;
        struct audit *a = open_at(unit_path, tolerant);

        _exit(ready && state_of(a).degraded && !records(a) &&
                      strstr(state_of(a).last.text, why) != NULL
                  ? 0
                  : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(chmod(unit_folder, 0700), 0);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void starts_in_a_read_only_folder(void **state)
{
    (void)state;

    audit_close(open_at(unit_path, tolerant));
    assert_int_equal(chmod(unit_path, 0444), 0);
    opens_degraded_as_nobody("Permission denied");
}

/* A rollback in the night goes on without an audit; the newer file is left as it is. */
static void a_newer_file_is_neither_used_nor_moved(void **state)
{
    (void)state;

    audit_close(open_at(unit_path, tolerant));
    with_sqlite("PRAGMA user_version = 99");
    assert_starts_degraded(unit_path, "has version 99");
    assert_int_equal(aside(), 0);
    with_sqlite("PRAGMA user_version = 2");
    (void)empty_folder();
    with_sqlite("CREATE TABLE precious (x)");
    assert_starts_degraded(unit_path, "another program");
    assert_int_equal(aside(), 0);
    with_sqlite("INSERT INTO precious VALUES (1)");
}

/* It waits for the other controller to end, and closes what that one left open. */
static void another_controller_s_file_is_waited_for(void **state)
{
    (void)state;
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);
    struct audit *first = open_at(unit_path, tolerant);
    AUTO(audit_closep) struct audit *second = open_at(unit_path, tolerant);

    (void)begin_run(first, "n", "open");
    assert_contains(state_of(second).last.text, "in use by another controller");
    tend_later(second);
    assert_true(state_of(second).degraded);
    audit_close(first);
    tend_later(second);
    assert_false(state_of(second).degraded);
    assert_string_equal(runs_of(second, arena).runs.v[1].result, "Interrupted");
}

/* Somebody holds SQLite's own lock: one record waits, a second at most, and then none. */
static void a_locked_database_holds_up_nobody(void **state)
{
    (void)state;
    AUTO(audit_closep) struct audit *a = open_at(unit_path, tolerant);
    sqlite3 *other = NULL;
    int64_t began_ms = clock_monotonic_ms(clock_system());

    assert_int_equal(sqlite3_open(unit_path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    for (int i = 0; i < 100; i++) {
        assert_false(records(a));
    }
    tend_later(a);
    assert_true(clock_monotonic_ms(clock_system()) - began_ms < 3 * LITE_WRITER_BUSY_MS);
    assert_contains(state_of(a).last.text, "locked");
    assert_int_equal(sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(other), SQLITE_OK);
    tend_later(a);
    assert_int_equal(state_of(a).missed, 0);
    assert_true(records(a));
}

/* --- a disk that does not answer --- */

struct hang {
    struct audit *audit;
    pthread_barrier_t in, out;
};

static void *hang_in_the_disk(void *argument)
{
    struct hang *hang = argument;
    struct fault f = FAULT_INIT;
    AUTO(lite_leavep) struct audit *held = NULL;

    assert_true(lite_enter(hang->audit, LITE_RECORD, &held, &f));
    (void)pthread_barrier_wait(&hang->in);
    (void)pthread_barrier_wait(&hang->out);
    return NULL;
}

static void a_slow_disk_holds_up_one_worker(void **state)
{
    (void)state;
    AUTO(audit_closep) struct audit *a = open_at(unit_path, tolerant);
    struct hang hang = {.audit = a};
    int64_t began_ms = clock_monotonic_ms(clock_system());
    pthread_t thread;

    assert_int_equal(pthread_barrier_init(&hang.in, NULL, 2), 0);
    assert_int_equal(pthread_barrier_init(&hang.out, NULL, 2), 0);
    assert_int_equal(pthread_create(&thread, NULL, hang_in_the_disk, &hang), 0);
    (void)pthread_barrier_wait(&hang.in);
    for (int i = 0; i < 20; i++) {
        assert_false(records(a));
    }
    audit_tend(a);
    assert_true(clock_monotonic_ms(clock_system()) - began_ms < 3 * LITE_LOCK_MS / 2);
    assert_true(state_of(a).degraded);
    assert_int_equal(state_of(a).missed, 20);
    assert_news(a, AUDIT_DEGRADED, "does not answer");
    (void)pthread_barrier_wait(&hang.out);
    assert_int_equal(pthread_join(thread, NULL), 0);
    audit_tend(a); /* at once: the lock could be had */
    assert_news(a, AUDIT_RECOVERED, "20 records were missed");
    assert_true(records(a));
    (void)pthread_barrier_destroy(&hang.in);
    (void)pthread_barrier_destroy(&hang.out);
}

/* --- damage --- */

static void assert_set_aside_at_the_start(const char *says)
{
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);
    struct stat before, after;
    char path[400];

    assert_int_equal(stat(unit_path, &before), 0);
    AUTO(audit_closep) struct audit *a = open_at(unit_path, tolerant);
    assert_false(state_of(a).degraded);
    assert_news(a, AUDIT_SET_ASIDE, says);
    assert_no_news(a);
    assert_int_equal(files_with(".corrupt-", "Z", path, sizeof(path)), 1);
    assert_contains(path, ".corrupt-1970-01-01T00:16:40Z");
    /* The very file, with every byte of it. */
    assert_int_equal(stat(path, &after), 0);
    assert_int_equal(after.st_ino, before.st_ino);
    assert_int_equal(after.st_size, before.st_size);
    assert_true(records(a));
    struct audit_runs runs = runs_of(a, arena);
    assert_int_equal(runs.runs.n, 2);
    assert_contains(runs.runs.v[1].message, path);
}

static void garbage_is_set_aside(void **state)
{
    (void)state;

    write_noise(unit_path, 0, 40960);
    assert_set_aside_at_the_start("file is not a database");
    (void)empty_folder();
    /* The header alone. */
    struct audit *a = open_at(unit_path, tolerant);
    fill(a, 300);
    audit_close(a);
    write_noise(unit_path, 0, 1);
    assert_set_aside_at_the_start("file is not a database");
    (void)empty_folder();
    /* The middle alone. */
    a = open_at(unit_path, tolerant);
    fill(a, 300);
    audit_close(a);
    write_noise(unit_path, 2 * 4096, (size_t)6 * 4096);
    assert_set_aside_at_the_start("is damaged");
    (void)empty_folder();
    /* The end is missing. */
    a = open_at(unit_path, tolerant);
    fill(a, 300);
    audit_close(a);
    assert_int_equal(truncate(unit_path, 3 * 4096), 0);
    assert_set_aside_at_the_start("is damaged");
}

/* Most of it is in the file itself, the end is in the WAL. */
static void fill_and_go_on(struct audit *a)
{
    struct fault f = FAULT_INIT;
    int64_t deleted = 0;

    fill(a, 300);
    assert_ok(audit_prune(a, &deleted, &f), f);
    half_a_step(a);
}

static void the_wal_goes_along(void **state)
{
    (void)state;
    char path[400];

    in_a_killed_process(fill_and_go_on); /* leaves a -wal and a -shm */
    write_noise(unit_path, 2 * 4096, (size_t)6 * 4096);
    AUTO(audit_closep) struct audit *a = open_at(unit_path, tolerant);
    assert_int_equal(aside(), 1);
    assert_int_equal(files_with(".corrupt-", "-wal", path, sizeof(path)), 1);
    assert_int_equal(files_with(".corrupt-", "-shm", path, sizeof(path)), 1);
    assert_true(records(a));
}

/* Found while running: the record that met it is missed, the next one is made. */
static void damage_under_way_is_set_aside(void **state)
{
    (void)state;
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);
    struct fault f = FAULT_INIT;
    int64_t step = 0;

    struct audit *before = open_at(unit_path, tolerant);
    fill(before, 300);
    audit_close(before);
    AUTO(audit_closep) struct audit *a = open_at(unit_path, tolerant);
    int64_t open_run = begin_run(a, "n", "under-way");
    assert_ok(audit_step_intent(a, open_run, "MySQL", "SELECT 1", &step, &f), f);
    /* Another connection's change makes it read the pages again. */
    with_sqlite("UPDATE task_runs SET plan_hash = 'x'; PRAGMA wal_checkpoint(TRUNCATE)");
    write_noise(unit_path, 4096, (size_t)20 * 4096);
    assert_false(records(a));
    assert_news(a, AUDIT_SET_ASIDE, "malformed");
    assert_int_equal(aside(), 1);
    assert_false(state_of(a).degraded);
    /* What stands in the old file is not found in the new one, under no number. */
    assert_false(audit_step_result(a, step, "Succeeded", NULL, NULL, 1, &f));
    assert_string_equal(f.reason, "AuditDegraded");
    assert_false(audit_log(a, open_run, "info", "x", &f));
    assert_false(audit_run_end(a, open_run, "Succeeded", NULL, NULL, &f));
    int64_t next = begin_run(a, "n", "next");
    assert_true(next > open_run);
    int64_t next_step = 0;
    assert_ok(audit_step_intent(a, next, "MySQL", "SELECT 1", &next_step, &f), f);
    assert_true(next_step > step);
    assert_int_equal(runs_of(a, arena).runs.n, 2);
}

/* A disk that damages every file is not filled with them. */
static void damage_again_waits(void **state)
{
    (void)state;

    write_noise(unit_path, 0, 8192);
    AUTO(audit_closep) struct audit *a = open_at(unit_path, tolerant);
    assert_int_equal(aside(), 1);
    assert_true(records(a));
    with_sqlite("PRAGMA wal_checkpoint(TRUNCATE)");
    write_noise(unit_path, 0, (size_t)20 * 4096);
    for (int i = 0; i < 5; i++) {
        (void)records(a);
        tend_later(a);
    }
    assert_int_equal(aside(), 1);
    assert_true(state_of(a).degraded);
    unit_now_ms += CARE_SET_ASIDE_MS;
    tend_later(a);
    assert_true(aside() >= 2);
    assert_true(records(a));
}

static void a_damaged_file_that_cannot_be_moved(void **state)
{
    (void)state;
    write_noise(unit_path, 0, 8192);
    assert_int_equal(chmod(unit_path, 0666), 0);
    if (geteuid() == 0) {
        assert_int_equal(chown(unit_path, 65534, 65534), 0);
    }
    opens_degraded_as_nobody("set aside");
    /* With the folder writable again it is as ever. */
    AUTO(audit_closep) struct audit *a = open_at(unit_path, tolerant);
    assert_true(records(a));
    assert_int_equal(aside(), 1);
}

/* --- a file that somebody takes away --- */

static void a_removed_file_is_noticed(void **state)
{
    (void)state;
    AUTO(audit_closep) struct audit *a = open_at(unit_path, tolerant);
    int64_t run = begin_run(a, "n", "before");

    assert_int_equal(unlink(unit_path), 0);
    audit_tend(a);
    assert_news(a, AUDIT_REPLACED, unit_path);
    assert_false(state_of(a).degraded);
    assert_int_equal(access(unit_path, F_OK), 0);
    assert_true(begin_run(a, "n", "after") > run);
    audit_tend(a);
    assert_no_news(a);
}

/* A follower leaves the file to the leader, and is not degraded for that. */
static void what_is_to_be_opened_later_is_not_touched(void **state)
{
    (void)state;
    AUTO(audit_closep)
    struct audit *a =
        open_at(unit_path, (struct audit_options){.tolerant = true, .later = true});
    struct audit *leader = open_at(unit_path, tolerant);

    assert_false(records(a));
    tend_later(a);
    assert_false(state_of(a).degraded);
    assert_true(state_of(a).waits);
    assert_no_news(a);
    assert_true(records(leader));
    audit_close(leader);
    audit_begin(a);
    assert_false(state_of(a).waits);
    assert_true(records(a));
    audit_begin(a); /* once */
    assert_true(records(a));
    assert_no_news(a);
}

/* A writer that is not tolerant says what is wrong, as ever, and touches nothing. */
static void without_tolerance_nothing_is_moved(void **state)
{
    (void)state;
    struct fault f = FAULT_INIT;

    write_noise(unit_path, 0, 8192);
    assert_false(opens(unit_path, false, &f));
    assert_string_equal(f.reason, "AuditCorrupt");
    assert_int_equal(aside(), 0);
}

/* Nobody listened for long: the latest is what counts, and nothing grows. */
static void news_are_bounded(void **state)
{
    (void)state;
    AUTO(audit_closep) struct audit *a = open_at(unit_path, tolerant);
    struct audit_news news = {0};
    int count = 0;

    for (int i = 0; i < 100; i++) {
        assert_int_equal(unlink(unit_path), 0);
        audit_tend(a);
    }
    while (audit_take_news(a, AUDIT_TO_EVENT, &news)) {
        count++;
    }
    assert_int_equal(count, CARE_NEWS_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_full_disk_is_told_counted_and_over, fresh_folder),
        cmocka_unit_test_setup(what_could_not_be_ended_is_closed, fresh_folder),
        cmocka_unit_test_setup(starts_without_a_folder, fresh_folder),
        cmocka_unit_test_setup(starts_in_a_read_only_folder, fresh_folder),
        cmocka_unit_test_setup(a_newer_file_is_neither_used_nor_moved, fresh_folder),
        cmocka_unit_test_setup(another_controller_s_file_is_waited_for, fresh_folder),
        cmocka_unit_test_setup(a_locked_database_holds_up_nobody, fresh_folder),
        cmocka_unit_test_setup(a_slow_disk_holds_up_one_worker, fresh_folder),
        cmocka_unit_test_setup(garbage_is_set_aside, fresh_folder),
        cmocka_unit_test_setup(the_wal_goes_along, fresh_folder),
        cmocka_unit_test_setup(damage_under_way_is_set_aside, fresh_folder),
        cmocka_unit_test_setup(damage_again_waits, fresh_folder),
        cmocka_unit_test_setup(a_damaged_file_that_cannot_be_moved, fresh_folder),
        cmocka_unit_test_setup(a_removed_file_is_noticed, fresh_folder),
        cmocka_unit_test_setup(without_tolerance_nothing_is_moved, fresh_folder),
        cmocka_unit_test_setup(what_is_to_be_opened_later_is_not_touched, fresh_folder),
        cmocka_unit_test_setup(news_are_bounded, fresh_folder),
    };
    return cmocka_run_group_tests_name("audit/care", tests, make_folder, drop_folder);
}

/* Each death is real: a child process dies, and its parent reads what it left behind. */
#include "base/crash.h"

#include "base/attr.h"
#include "base/clock.h"
#include "unit.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROGRAM 7
#define HOUR_MS INT64_C(3600000)

static const struct crash_subject WORK = {.id = 1, .state = 10};

struct scene {
    char folder[64], path[96];
};

static int set_up(void **state)
{
    struct scene *s = calloc(1, sizeof(*s));

    (void)snprintf(s->folder, sizeof(s->folder), "/tmp/crash-XXXXXX");
    assert_non_null(s);
    assert_non_null(mkdtemp(s->folder));
    (void)snprintf(s->path, sizeof(s->path), "%s/crashes", s->folder);
    *state = s;
    return 0;
}

static int tear_down(void **state)
{
    struct scene *s = *state;

    (void)unlink(s->path);
    assert_int_equal(rmdir(s->folder), 0);
    free(s);
    return 0;
}

static struct crash_log *open_log(const struct scene *s, uint64_t program)
{
    struct crash_log *log = NULL;
    struct fault fault = FAULT_INIT;

    assert_ok(crash_log_open(s->path, program, &log, &fault), fault);
    return log;
}

static int64_t now_ms(void)
{
    return clock_wall_ms(clock_system());
}

static unsigned count(const struct scene *s, struct crash_subject subject, int64_t at_ms)
{
    AUTO(crash_log_closep) struct crash_log *log = open_log(s, PROGRAM);

    return crash_count(log, subject, at_ms);
}

static void access_nothing(void)
{
    /* A page that nobody may touch: what a wild pointer meets. */
    volatile char *page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    page[0] = 1;
}

/* Deeper than any stack is, though not for ever. */
static int dig(volatile char *above, int depth)
{
    volatile char here[4096];

    here[0] = above[0];
    return depth == 0 ? 0 : dig(here, depth - 1) + here[0];
}

static void overflow(void)
{
    volatile char top[1] = {0};

    (void)dig(top, 1000000);
}

static void fail_a_check(void)
{
    must(!"a mistake");
}

static void be_killed(void)
{
    (void)kill(getpid(), SIGKILL);
}

/* A child at work on `subject` dies by `death`; returns the signal that it died of. */
static int die(const struct scene *s, struct crash_subject subject, void (*death)(void))
{
    int status = 0;
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        /* cmocka and the sanitizers would tell of the death, which is wanted here. */
        const int fatal[] = {SIGSEGV, SIGBUS, SIGABRT};
        for (size_t i = 0; i < COUNT_OF(fatal); i++) {
            (void)signal(fatal[i], SIG_DFL);
        }
        if (freopen("/dev/null", "w", stderr) == NULL) {
            _exit(1);
        }
        (void)open_log(s, PROGRAM);
        (void)crash_enter(subject);
        death();
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void each_kind_of_crash_is_counted(void **state)
{
    const struct scene *s = *state;

    assert_int_equal(die(s, WORK, access_nothing), SIGSEGV);
    assert_int_equal(count(s, WORK, now_ms()), 1);
    assert_int_equal(die(s, WORK, fail_a_check), SIGABRT);
    assert_int_equal(count(s, WORK, now_ms()), 2);
    assert_int_equal(die(s, WORK, overflow), SIGSEGV);
    assert_int_equal(count(s, WORK, now_ms()), 3);
}

static void a_kill_from_outside_is_nobodys_mistake(void **state)
{
    const struct scene *s = *state;

    assert_int_equal(die(s, WORK, be_killed), SIGKILL);
    assert_int_equal(count(s, WORK, now_ms()), 0);
}

static void idle_threads_accuse_nobody(void **state)
{
    const struct scene *s = *state;

    assert_int_equal(die(s, (struct crash_subject){.id = 0}, access_nothing), SIGSEGV);
    assert_int_equal(count(s, WORK, now_ms()), 0);
    assert_int_equal(count(s, (struct crash_subject){.id = 0}, now_ms()), 0);
}

static void another_state_counts_anew(void **state)
{
    const struct scene *s = *state;
    const struct crash_subject changed = {.id = WORK.id, .state = 11};

    assert_int_equal(die(s, WORK, access_nothing), SIGSEGV);
    assert_int_equal(die(s, WORK, access_nothing), SIGSEGV);
    assert_int_equal(count(s, changed, now_ms()), 0);
    assert_int_equal(die(s, changed, access_nothing), SIGSEGV);
    assert_int_equal(count(s, changed, now_ms()), 1);
    assert_int_equal(count(s, WORK, now_ms()), 0);
}

static void records_grow_old(void **state)
{
    const struct scene *s = *state;

    assert_int_equal(die(s, WORK, access_nothing), SIGSEGV);
    assert_int_equal(count(s, WORK, now_ms() + 23 * HOUR_MS), 1);
    assert_int_equal(count(s, WORK, now_ms() + 25 * HOUR_MS), 0);
}

static void what_is_forgotten_counts_anew(void **state)
{
    const struct scene *s = *state;
    const struct crash_subject other = {.id = 2, .state = 10};

    assert_int_equal(die(s, WORK, access_nothing), SIGSEGV);
    assert_int_equal(die(s, other, access_nothing), SIGSEGV);
    struct crash_log *log = open_log(s, PROGRAM);
    crash_forget(log, WORK.id);
    crash_forget(log, 0);
    crash_log_close(log);
    assert_int_equal(count(s, WORK, now_ms()), 0);
    assert_int_equal(count(s, other, now_ms()), 1);
    assert_int_equal(die(s, WORK, access_nothing), SIGSEGV);
    assert_int_equal(count(s, WORK, now_ms()), 1);
}

static void another_program_begins_anew(void **state)
{
    const struct scene *s = *state;

    assert_int_equal(die(s, WORK, access_nothing), SIGSEGV);
    crash_log_close(open_log(s, PROGRAM + 1));
    assert_int_equal(count(s, WORK, now_ms()), 0);
}

/* More subjects than there is room for: the newest are known. */
static void the_oldest_makes_room(void **state)
{
    const struct scene *s = *state;

    for (uint64_t id = 1; id <= 70; id++) {
        assert_int_equal(die(s, (struct crash_subject){id, 1}, access_nothing), SIGSEGV);
    }
    assert_int_equal(count(s, (struct crash_subject){70, 1}, now_ms()), 1);
    assert_int_equal(count(s, (struct crash_subject){1, 1}, now_ms()), 0);
}

static void work_nests(void **state)
{
    const struct scene *s = *state;
    AUTO(crash_log_closep) struct crash_log *log = open_log(s, PROGRAM);
    struct crash_subject none = crash_enter(WORK);
    struct crash_subject outer = crash_enter((struct crash_subject){.id = 5});

    assert_int_equal(none.id, 0);
    assert_int_equal(outer.id, WORK.id);
    assert_int_equal(outer.state, WORK.state);
    crash_leave(outer);
    assert_int_equal(crash_enter(none).id, WORK.id);
    crash_leave(none);
}

static void a_file_that_cannot_be_is_told(void **state)
{
    struct crash_log *log = NULL;
    struct fault fault = FAULT_INIT;

    (void)state;
    assert_false(crash_log_open("/nowhere/at/all", PROGRAM, &log, &fault));
    assert_non_null(strstr(fault.text, "/nowhere/at/all"));
    assert_null(log);
    assert_int_equal(crash_count(NULL, WORK, now_ms()), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_kind_of_crash_is_counted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_kill_from_outside_is_nobodys_mistake, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(idle_threads_accuse_nobody, set_up, tear_down),
        cmocka_unit_test_setup_teardown(another_state_counts_anew, set_up, tear_down),
        cmocka_unit_test_setup_teardown(records_grow_old, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_forgotten_counts_anew, set_up, tear_down),
        cmocka_unit_test_setup_teardown(another_program_begins_anew, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_oldest_makes_room, set_up, tear_down),
        cmocka_unit_test_setup_teardown(work_nests, set_up, tear_down),
        cmocka_unit_test(a_file_that_cannot_be_is_told),
    };
    return cmocka_run_group_tests_name("base/crash", tests, NULL, NULL);
}

/* What the audit's tests share: cmocka, a folder of their own, a clock that is set by
 * hand. */
#ifndef UNIT_H
#define UNIT_H

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include "audit/query.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define assert_contains(text, part)                                                      \
    do {                                                                                 \
        const char *in_ = (text);                                                        \
        if (strstr(in_, (part)) == NULL) {                                               \
            fail_msg("'%s' does not contain '%s'", in_, (part));                         \
        }                                                                                \
    } while (0)

#define assert_ok(call, fault)                                                           \
    do {                                                                                 \
        if (!(call)) {                                                                   \
            fail_msg("%s: %s", #call, (fault).text);                                     \
        }                                                                                \
    } while (0)

static char unit_folder[] = "/tmp/tablesync-audit-XXXXXX";
static char unit_path[64];
static int64_t unit_now_ms = 1000000;

static inline int64_t unit_now(const struct clock *self)
{
    (void)self;
    return unit_now_ms;
}

static const struct clock unit_clock = {unit_now, unit_now};

static inline int make_folder(void **state)
{
    (void)state;
    return mkdtemp(unit_folder) == NULL ||
           snprintf(unit_path, sizeof(unit_path), "%s/a?b%%.db", unit_folder) < 0;
}

/* Every test starts with an empty folder. Returns how many files there were. */
static inline int empty_folder(void)
{
    DIR *folder = opendir(unit_folder);
    int count = 0;

    assert_non_null(folder);
    for (struct dirent *e = readdir(folder); e != NULL; e = readdir(folder)) {
        count += unlinkat(dirfd(folder), e->d_name, 0) == 0;
    }
    (void)closedir(folder);
    return count;
}

static inline int count_files(void)
{
    DIR *folder = opendir(unit_folder);
    int count = -2; /* . and .. */

    assert_non_null(folder);
    while (readdir(folder) != NULL) {
        count++;
    }
    (void)closedir(folder);
    return count;
}

static inline int fresh_folder(void **state)
{
    (void)state;
    (void)empty_folder();
    unit_now_ms = 1000000;
    return 0;
}

static inline int drop_folder(void **state)
{
    (void)state;
    (void)empty_folder();
    return rmdir(unit_folder);
}

static inline struct audit *open_at(const char *path, struct audit_options options)
{
    struct audit *a = NULL;
    struct fault f = FAULT_INIT;

    options.path = path;
    assert_ok(audit_open(&options, &unit_clock, &a, &f), f);
    return a;
}

static inline int64_t begin_run(struct audit *a, const char *namespace, const char *name)
{
    struct fault f = FAULT_INIT;
    int64_t id = 0;
    const struct audit_run_start start = {.kind = "TableSync",
                                          .uid = "u-1",
                                          .namespace = namespace,
                                          .name = name,
                                          .generation = 3,
                                          .trigger = "Spec",
                                          .plan_hash = "p0",
                                          .run_id = "abc123"};

    assert_ok(audit_run_begin(a, &start, &id, &f), f);
    return id;
}

static inline void end_run(struct audit *a, int64_t run)
{
    struct fault f = FAULT_INIT;

    assert_ok(audit_run_end(a, run, "Succeeded", NULL, NULL, &f), f);
}

static inline bool opens(const char *path, bool read_only, struct fault *fault)
{
    const struct audit_options options = {.path = path, .read_only = read_only};
    AUTO(audit_closep) struct audit *a = NULL;

    return audit_open(&options, &unit_clock, &a, fault);
}

static inline struct audit_runs runs_of(struct audit *a, struct arena *arena)
{
    struct audit_runs runs = {0};
    struct fault f = FAULT_INIT;

    assert_ok(
        audit_query_runs(a, &(struct audit_filter){.limit = 10000}, arena, &runs, &f), f);
    return runs;
}

/* A process that opens the audit, does something and is killed without a chance to tidy
 * up. */
static inline void in_a_killed_process(void (*act)(struct audit *a))
{
    pid_t child = fork();

    if (child == 0) {
        struct audit *a = open_at(unit_path, (struct audit_options){0});
        act(a);
        (void)kill(getpid(), SIGKILL);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static inline void half_a_step(struct audit *a)
{
    struct fault f = FAULT_INIT;
    int64_t step = 0;
    int64_t run = begin_run(a, "n", "crashed");

    assert_ok(audit_step_intent(a, run, "RisingWave", "CREATE SINK k", &step, &f), f);
    end_run(a, begin_run(a, "n", "done"));
}

#endif

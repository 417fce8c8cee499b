/*
 * Histories by lot (history.h): one million steps, the seeds that are kept, and the
 * promise that a seed is all it takes to see one again.
 *
 * SIM_STEPS=n runs so many instead; see million.h for how to replay one.
 */
#include "history.h"
#include "million.h"
#include "shop.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define STEPS_SLOWLY "20000" /* under a sanitizer */

static void kept_seeds_end_well(void **state)
{
    static const struct {
        uint64_t seed;
        const char *story;
    } kept[] = {
#define SEED(seed_, story_) {seed_, story_},
#include "seeds.def"
#undef SEED
    };

    (void)state;
    for (size_t i = 0; i<COUNT_OF(kept); i += SIM_SLOWER> 1 ? COUNT_OF(kept) : 1) {
        struct history_counts counts = {0};

        history_run(kept[i].seed, &counts);
        assert_true(counts.steps > 0);
    }
}

static void a_seed_is_one_history(void **state)
{
    struct history_counts once = {0}, again = {0}, other = {0};

    (void)state;
    history_run(3, &once);
    history_run(3, &again);
    history_run(4, &other);
    assert_int_equal(once.steps, again.steps);
    assert_true(once.digest == again.digest);
    assert_true(once.digest != other.digest);
}

/* In a process of its own, which is not a test's: it starts some more. */
static void a_million_steps_are_safe(void **state)
{
    const char *asked = getenv("SIM_STEPS");
    const char *steps =
        asked != NULL ? asked : (SIM_SLOWER > 1 ? STEPS_SLOWLY : MILLION_STEPS);
    int status = 0;
    pid_t pid = 0;

    (void)state;
    (void)fflush(NULL);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        (void)execl("/proc/self/exe", "sim", "million", "--steps", steps, (char *)NULL);
        _exit(127);
    }
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    assert_int_equal(status, 0);
}

int run_history_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kept_seeds_end_well),
        cmocka_unit_test(a_seed_is_one_history),
        cmocka_unit_test(a_million_steps_are_safe),
    };

    return cmocka_run_group_tests_name("histories", tests, NULL, NULL);
}

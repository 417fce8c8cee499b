#include "shop.h"

#include <stdio.h>
#include <stdlib.h>

#define TRIALS_MAX 4000 /* more calls than any story makes */

static const char *mode_name(enum sim_mode mode)
{
    switch (mode) {
    case SIM_FAIL:
        return "fail";
    case SIM_LOSE:
        return "lose the answer of";
    case SIM_CRASH_BEFORE:
        return "crash before";
    case SIM_CRASH_AFTER:
        return "crash after";
    case SIM_PAUSE:
        return "pause the leader at";
    case SIM_NO_FAULTS:
    case SIM_RANDOM:
        break;
    }
    return "?";
}

/* False when the story ended before call `at` was made. */
static bool run_one(const struct trial *trial, enum sim_mode mode, int64_t at)
{
    const struct sim_options options = {.seed = (uint64_t)at};
    struct sim *sim = shop_open(&options);
    bool hit = false;

    (void)snprintf(sim->label, sizeof(sim->label), "%s, %s call %lld: ", trial->name,
                   mode_name(mode), (long long)at);
    trial->prepare(sim);
    sim_plan(sim, mode, at, 1);
    if (trial->begin != NULL) {
        trial->begin(sim);
    }
    check_run_until(sim, trial->done, 30 * MINUTE_MS);
    hit = sim->faults.hits > 0;
    sim_plan(sim, SIM_NO_FAULTS, 0, 0);
    trial->verify(sim);
    check_sane(sim);
    check_audit(sim);
    shop_close(sim);
    return hit;
}

static int64_t stride_of(const struct trial *trial)
{
    const char *asked = getenv("SIM_STRIDE");
    int64_t stride = (trial->stride > 0 ? trial->stride : 1) * SIM_SLOWER;

    if (asked != NULL) {
        assert_true(sv_int64(sv_from(asked), &stride) && stride > 0);
    }
    return stride;
}

void run_trials(const struct trial *trial, enum sim_mode mode)
{
    int64_t stride = stride_of(trial), at = 1 + (int64_t)mode % stride;

    while (run_one(trial, mode, at)) {
        at += stride;
        assert_true(at < TRIALS_MAX);
    }
    assert_true(stride > 1 || at > 2); /* the story does make calls */
}

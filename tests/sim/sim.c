#include "sim.h"

#include "base/heap.h"

#include <stdio.h>

#define MOMENT_MS 250
#define KEYS_AT_ONCE_MAX 2000 /* attempts without a tick of the clock: the loop spins */

static int64_t monotonic_ms(const struct clock *clock)
{
    return ((const struct sim_clock *)(const void *)clock)->now_ms;
}

static int64_t wall_ms(const struct clock *clock)
{
    return SIM_EPOCH_MS + monotonic_ms(clock) - SIM_START_MS;
}

int64_t sim_wall_ms(const struct sim *sim)
{
    return clock_wall_ms(&sim->clock.base);
}

void sim_violation(struct sim *sim, const char *format, ...)
{
    va_list args;

    sim->violations++;
    if (sim->violations > 1) {
        return;
    }
    va_start(args, format);
    (void)vsnprintf(sim->first_violation, sizeof(sim->first_violation), format, args);
    va_end(args);
}

/* --- calls --- */

static void count(struct sim *sim, enum sim_call_kind kind)
{
    static const int64_t lasts_ms[] = {
#define CALL(kind, ms, server, pattern) [SIM_CALL_##kind] = (ms),
#include "calls.def"
#undef CALL
    };
    bool opens = kind == SIM_CALL_MYSQL_LOGIN || kind == SIM_CALL_RISINGWAVE_LOGIN ||
                 kind == SIM_CALL_STARROCKS_LOGIN;
    bool reads = kind == SIM_CALL_MYSQL_READ || kind == SIM_CALL_RISINGWAVE_READ ||
                 kind == SIM_CALL_STARROCKS_READ;
    bool applies = kind == SIM_CALL_RISINGWAVE_APPLY || kind == SIM_CALL_STARROCKS_APPLY;

    sim->counts.opens += opens ? 1 : 0;
    sim->counts.reads += reads ? 1 : 0;
    sim->counts.applies += applies ? 1 : 0;
    sim->applies_ever += applies ? 1 : 0;
    if (!sim->options.still) {
        sim->clock.now_ms += lasts_ms[kind];
    }
    if (sim->faults.slow_ms > 0) {
        sim->clock.now_ms += (int64_t)rng_below(&sim->rng, (uint64_t)sim->faults.slow_ms);
    }
}

/* FNV-1a over what happened and when. */
static void note(struct sim *sim, uint64_t what)
{
    sim->history =
        (sim->history ^ (what << 48) ^ (uint64_t)sim->clock.now_ms) * 1099511628211U;
}

static enum sim_verdict roll(struct sim *sim)
{
    uint64_t what = rng_below(&sim->rng, 20);

    sim->pause_due = sim->pause_due || rng_below(&sim->rng, 1000) < sim->faults.pauses;
    if (rng_below(&sim->rng, 1000) >= sim->faults.permille) {
        return SIM_PASS;
    }
    sim->faults.hits++;
    if (what < 2 && sim->heir.loop == NULL) {
        sim_crash(sim);
    }
    return what % 2 == 0 ? SIM_BREAK : SIM_LOST;
}

static enum sim_verdict verdict_of(struct sim *sim)
{
    struct sim_faults *f = &sim->faults;

    f->calls++;
    if (f->mode == SIM_RANDOM) {
        return roll(sim);
    }
    if (f->mode == SIM_NO_FAULTS || f->calls < f->at || f->calls >= f->at + f->count) {
        return SIM_PASS;
    }
    f->hits++;
    if (f->mode == SIM_PAUSE) {
        sim->pause_due = true;
        return SIM_PASS;
    }
    if (f->mode == SIM_CRASH_BEFORE || f->mode == SIM_CRASH_AFTER) {
        sim_crash(sim);
    }
    return f->mode == SIM_FAIL || f->mode == SIM_CRASH_BEFORE ? SIM_BREAK : SIM_LOST;
}

enum sim_verdict sim_call(struct sim *sim, enum sim_call_kind kind)
{
    enum sim_verdict verdict = SIM_BREAK;

    if (sim->crashed) {
        return SIM_BREAK; /* a dead process calls nobody */
    }
    count(sim, kind);
    if (sim->on_moment != NULL) {
        sim->on_moment(sim);
    }
    verdict = verdict_of(sim);
    note(sim, (uint64_t)kind << 8 | verdict);
    return verdict;
}

bool sim_broken(const struct sim *sim, const char *what, struct fault *fault)
{
    if (sim->crashed) {
        return fault_set(fault, FAULT_CANCELLED, NULL, "%s: the controller is dead",
                         what);
    }
    return fault_set(fault, FAULT_UNAVAILABLE, "Unreachable", "%s: connection reset",
                     what);
}

void sim_plan(struct sim *sim, enum sim_mode mode, int64_t at, int64_t count_)
{
    sim->faults = (struct sim_faults){.mode = mode, .at = at, .count = count_};
}

void sim_count_anew(struct sim *sim)
{
    memset(&sim->counts, 0, sizeof(sim->counts));
}

struct sim *sim_new(const struct sim_options *options)
{
    struct sim *sim = HEAP_NEW(struct sim);

    sim->options = *options;
    sim->clock =
        (struct sim_clock){.base = {monotonic_ms, wall_ms}, .now_ms = SIM_START_MS};
    sim->arena = arena_new((size_t)1024 * 1024 * 1024);
    rng_init(&sim->rng, options->seed);
    if (getenv("SIM_LOG") != NULL) {
        sim->lg = lg_new(2, LG_DEBUG, &sim->clock.base);
    }
    sim->kube = fake_kube_new(sim);
    sim->db = fake_db_new(sim);
    sim_life_begin(sim);
    return sim;
}

void sim_free(struct sim *sim)
{
    if (sim == NULL) {
        return;
    }
    sim_life_end(sim);
    fake_kube_free(sim->kube);
    lg_free(sim->lg);
    arena_free(sim->arena);
    heap_free(sim);
}

static void note_key(struct sim *sim, const char *key)
{
    if (sim->clock.now_ms != sim->last_key_ms) {
        sim->last_key_ms = sim->clock.now_ms;
        sim->keys_at_once = 0;
    }
    if (++sim->keys_at_once == KEYS_AT_ONCE_MAX) {
        sim_violation(sim, "the loop spins on %s", key);
        sim->clock.now_ms += 1000;
    }
}

static void work(struct sim *sim, char *key)
{
    note_key(sim, key);
    sim->counts.reconciles++;
    sim->began_ms = sim->clock.now_ms;
    loop_reconcile(sim->loop, key);
    queue_done(sim->loop->queue, key);
    if (sim->heir.loop != NULL) {
        sim_bury(sim);
    } else if (sim->crashed) {
        sim_restart(sim);
    }
}

static void stepped(struct sim *sim)
{
    sim->steps++;
    if (sim->on_step != NULL) {
        sim->on_step(sim);
    }
}

bool sim_step(struct sim *sim, int64_t until_ms)
{
    int64_t next_ms = fake_kube_deliver(sim->kube), ready_ms = 0;
    char *key = queue_try_take(sim->loop->queue);

    if (key != NULL) {
        work(sim, key);
        stepped(sim);
        return true;
    }
    ready_ms = queue_next_ms(sim->loop->queue);
    next_ms = ready_ms < next_ms ? ready_ms : next_ms;
    if (sim->on_moment != NULL && next_ms > sim->clock.now_ms + MOMENT_MS) {
        next_ms = sim->clock.now_ms + MOMENT_MS;
    }
    if (next_ms > until_ms) {
        return false;
    }
    if (next_ms > sim->clock.now_ms) {
        sim->clock.now_ms = next_ms;
        if (sim->on_moment != NULL) {
            sim->on_moment(sim);
        }
    }
    stepped(sim);
    return true;
}

void sim_run_for(struct sim *sim, int64_t duration_ms)
{
    int64_t until_ms = sim->clock.now_ms + duration_ms;

    while (sim->clock.now_ms < until_ms && sim_step(sim, until_ms)) {
    }
    if (sim->clock.now_ms < until_ms) {
        sim->clock.now_ms = until_ms;
    }
}

bool sim_run_until(struct sim *sim, bool (*done)(struct sim *sim), int64_t duration_ms)
{
    int64_t until_ms = sim->clock.now_ms + duration_ms;

    while (!done(sim)) {
        if (sim->clock.now_ms >= until_ms || !sim_step(sim, until_ms)) {
            sim->clock.now_ms =
                sim->clock.now_ms < until_ms ? until_ms : sim->clock.now_ms;
            return done(sim);
        }
    }
    return true;
}

#include "sim.h"

#include "base/heap.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

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

/* --- the audit file, which outlives a crash as it was at that moment --- */

static void copy_file(const char *from, const char *to)
{
    char block[65536];
    int in = open(from, O_RDONLY | O_CLOEXEC);
    int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ssize_t n = 0;

    must(out >= 0);
    while (in >= 0 && (n = read(in, block, sizeof(block))) > 0) {
        must(write(out, block, (size_t)n) == n);
    }
    if (in >= 0) {
        (void)close(in);
    }
    (void)close(out);
}

static void copy_audit(const char *from, const char *to)
{
    static const char *const parts[] = {"", "-wal"};
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);

    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        copy_file(arena_printf(arena, "%s%s", from, parts[i]),
                  arena_printf(arena, "%s%s", to, parts[i]));
    }
}

static const char *frozen_path(struct sim *sim, struct arena *arena)
{
    return arena_printf(arena, "%s.crashed", sim->audit_path);
}

static void remove_audit(struct sim *sim)
{
    static const char *const parts[] = {"",         "-wal",         "-shm",
                                        ".crashed", ".crashed-wal", ".crashed-shm"};

    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        (void)unlink(arena_printf(sim->arena, "%s%s", sim->audit_path, parts[i]));
    }
}

static void open_audit(struct sim *sim)
{
    struct audit_options options = {.path = sim->audit_path};
    struct fault fault = FAULT_INIT;

    if (sim->options.no_audit) {
        return;
    }
    if (!audit_open(&options, &sim->clock.base, &sim->audit, &fault)) {
        sim_violation(sim, "audit: %s", fault.text);
        sim->audit = NULL;
    }
}

static char directory[64]; /* of all audit files of this process */

/* Also what a failed test left. */
static void remove_directory(void)
{
    DIR *listing = opendir(directory);

    for (struct dirent *e = listing == NULL ? NULL : readdir(listing); e != NULL;
         e = readdir(listing)) {
        (void)unlinkat(dirfd(listing), e->d_name, 0);
    }
    if (listing != NULL) {
        (void)closedir(listing);
    }
    (void)rmdir(directory);
}

/* Memory beats a disk here: nothing of it is meant to last. */
static char *new_audit_path(struct arena *arena)
{
    static const char *const places[] = {"/dev/shm/tablesync-sim-XXXXXX",
                                         "/tmp/tablesync-sim-XXXXXX"};
    static int64_t files;

    for (size_t i = 0; i < COUNT_OF(places) && files == 0; i++) {
        (void)snprintf(directory, sizeof(directory), "%s", places[i]);
        if (mkdtemp(directory) != NULL) {
            must(atexit(remove_directory) == 0);
            files++;
        }
    }
    must(files > 0);
    return arena_printf(arena, "%s/audit-%lld.db", directory, (long long)files++);
}

/* --- calls --- */

static void crash(struct sim *sim)
{
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);

    sim->crashed = true;
    if (sim->audit != NULL) {
        copy_audit(sim->audit_path, frozen_path(sim, arena));
    }
}

static void count(struct sim *sim, enum sim_call_kind kind)
{
    static const int64_t lasts_ms[] = {[SIM_CALL_API] = 3,
                                       [SIM_CALL_OPEN] = 6,
                                       [SIM_CALL_READ] = 4,
                                       [SIM_CALL_APPLY] = 40};

    sim->counts.opens += kind == SIM_CALL_OPEN ? 1 : 0;
    sim->counts.reads += kind == SIM_CALL_READ ? 1 : 0;
    sim->counts.applies += kind == SIM_CALL_APPLY ? 1 : 0;
    sim->applies_ever += kind == SIM_CALL_APPLY ? 1 : 0;
    if (!sim->options.still) {
        sim->clock.now_ms += lasts_ms[kind];
    }
}

static enum sim_verdict roll(struct sim *sim)
{
    uint64_t what = rng_below(&sim->rng, 20);

    if (rng_below(&sim->rng, 1000) >= sim->faults.permille) {
        return SIM_PASS;
    }
    sim->faults.hits++;
    if (what < 2) {
        crash(sim);
    }
    return what % 2 == 0 ? SIM_BREAK : SIM_LOST;
}

enum sim_verdict sim_call(struct sim *sim, enum sim_call_kind kind)
{
    struct sim_faults *f = &sim->faults;

    if (sim->crashed) {
        return SIM_BREAK; /* a dead process calls nobody */
    }
    count(sim, kind);
    if (sim->on_moment != NULL) {
        sim->on_moment(sim);
    }
    f->calls++;
    if (f->mode == SIM_RANDOM) {
        return roll(sim);
    }
    if (f->mode == SIM_NO_FAULTS || f->calls < f->at || f->calls >= f->at + f->count) {
        return SIM_PASS;
    }
    f->hits++;
    if (f->mode == SIM_CRASH_BEFORE || f->mode == SIM_CRASH_AFTER) {
        crash(sim);
    }
    return f->mode == SIM_FAIL || f->mode == SIM_CRASH_BEFORE ? SIM_BREAK : SIM_LOST;
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

/* --- the controller's life --- */

static void start(struct sim *sim)
{
    const struct loop_ports ports = {.kube = &sim->kube->base,
                                     .databases = &sim->db->base,
                                     .clock = &sim->clock.base,
                                     .audit = sim->audit,
                                     .lg = sim->lg,
                                     .seed = sim->options.seed +
                                             (uint64_t)sim->counts.restarts};
    const struct loop_options options = {.instance = "tablesync-0",
                                         .resync_ms = 60000,
                                         .poll_ms = 2000,
                                         .attempt_ms = 15 * 60 * 1000};
    struct fault fault = FAULT_INIT;

    sim->stop = HEAP_NEW(struct cancel);
    must(cancel_init_root(sim->stop, &sim->clock.base, &fault));
    sim->loop = loop_new(&ports, &options, sim->stop);
    fake_kube_list(sim->kube);
}

static void stop(struct sim *sim)
{
    cancel_fire(sim->stop);
    loop_free(sim->loop);
    sim->loop = NULL;
    audit_close(sim->audit);
    sim->audit = NULL;
    cancel_deinit(sim->stop);
    heap_free(sim->stop);
    if (sim->db->open_sessions != 0) {
        sim_violation(sim, "%lld sessions were left open",
                      (long long)sim->db->open_sessions);
        sim->db->open_sessions = 0;
    }
}

void sim_restart(struct sim *sim)
{
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);
    bool died = sim->crashed && !sim->options.no_audit;

    sim->crashed = true; /* whatever closing does, it does not reach the world */
    stop(sim);
    if (died) {
        const char *shm = arena_printf(arena, "%s-shm", sim->audit_path);

        copy_audit(frozen_path(sim, arena), sim->audit_path);
        (void)unlink(shm);
    }
    sim->crashed = false;
    sim->counts.restarts++;
    sim->clock.now_ms += sim->options.still ? 0 : 3000;
    open_audit(sim);
    start(sim);
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
    sim->audit_path = new_audit_path(sim->arena);
    open_audit(sim);
    start(sim);
    return sim;
}

void sim_free(struct sim *sim)
{
    if (sim == NULL) {
        return;
    }
    stop(sim);
    remove_audit(sim);
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

bool sim_step(struct sim *sim, int64_t until_ms)
{
    int64_t next_ms = fake_kube_deliver(sim->kube), ready_ms = 0;
    char *key = queue_try_take(sim->loop->queue);

    if (key != NULL) {
        note_key(sim, key);
        sim->counts.reconciles++;
        loop_reconcile(sim->loop, key);
        queue_done(sim->loop->queue, key);
        if (sim->crashed) {
            sim_restart(sim);
        }
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

/*
 * The lives of controllers: start, stop, crash, and the change of leaders.
 *
 * A leader that is paused is one whose call does not return for a while. Meanwhile
 * another one gets the lease: empty memory, the same servers, the same audit file, a
 * fence that is up. It drives the same clock, inside that call. Then the first one wakes
 * with its fence down, ends its attempt, even begins another, and dies; whatever it
 * writes is a violation (sim_wrote). No crash happens meanwhile, for the two share the
 * audit's file.
 */
#include "sim.h"

#include "base/heap.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAUSE_MS 60000       /* at most; the lease is gone by then */
#define KEYS_AFTER_THE_END 2 /* what a leader begins before it knows that it is none */

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

void sim_crash(struct sim *sim)
{
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);

    sim->crashed = true;
    if (sim->audit != NULL) {
        copy_audit(sim->audit_path, frozen_path(sim, arena));
    }
}

/* --- fences --- */

static bool may_write(const struct fence *self, struct fault *fault)
{
    const struct sim_fence *fence = (const struct sim_fence *)(const void *)self;

    return !fence->down ||
           fault_set(fault, FAULT_CANCELLED, "NotLeader", "another one is the leader");
}

void sim_wrote(struct sim *sim, const char *what)
{
    if (sim->fence->down) {
        sim_violation(sim, "a leader that is none any more wrote: %s", what);
    }
}

/* --- processes --- */

static void start(struct sim *sim)
{
    struct loop_ports ports = {
        .kube = &sim->kube->base,
        .databases = &sim->db->base,
        .clock = &sim->clock.base,
        .audit = sim->audit,
        .lg = sim->lg,
        .seed =
            sim->options.seed + (uint64_t)(sim->counts.restarts + sim->counts.takeovers)};
    const struct loop_options options = {.instance = "tablesync-0",
                                         .resync_ms = 60000,
                                         .poll_ms = 2000,
                                         .attempt_ms = 15 * 60 * 1000};
    struct fault fault = FAULT_INIT;

    sim->fence = ARENA_NEW(sim->arena, struct sim_fence);
    sim->fence->base.may_write = may_write;
    ports.fence = &sim->fence->base;
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

/* A controller that was never here: in another pod, with a file of its own. */
static void begin(struct sim *sim)
{
    sim->audit_path = new_audit_path(sim->arena);
    sim->applies_ever = 0;
    open_audit(sim);
    start(sim);
}

void sim_life_begin(struct sim *sim)
{
    begin(sim);
}

void sim_life_end(struct sim *sim)
{
    stop(sim);
    remove_audit(sim);
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

static void say_farewell(struct sim *sim)
{
    if (sim->on_end != NULL && !sim->options.no_audit) {
        sim->on_end(sim);
    }
}

void sim_hand_over(struct sim *sim)
{
    sim->fence->down = true;
    say_farewell(sim);
    stop(sim);
    remove_audit(sim);
    sim->counts.takeovers++;
    begin(sim);
}

/* --- two of them --- */

static struct sim_process put_aside(struct sim *sim)
{
    struct sim_process p = {.loop = sim->loop,
                            .audit = sim->audit,
                            .audit_path = sim->audit_path,
                            .stop = sim->stop,
                            .fence = sim->fence,
                            .open_sessions = sim->db->open_sessions,
                            .applies = sim->applies_ever};

    sim->audit = NULL;
    sim->db->open_sessions = 0;
    return p;
}

static void take_back(struct sim *sim, const struct sim_process *p)
{
    sim->loop = p->loop;
    sim->audit = p->audit;
    sim->audit_path = p->audit_path;
    sim->stop = p->stop;
    sim->fence = p->fence;
    sim->db->open_sessions = p->open_sessions;
    sim->applies_ever = p->applies;
}

static void pause_leader(struct sim *sim)
{
    struct sim_process leader = put_aside(sim);
    int64_t began_ms = sim->began_ms;
    int64_t until_ms = sim->clock.now_ms + 1000 + (int64_t)rng_below(&sim->rng, PAUSE_MS);

    sim->paused = true;
    leader.fence->down = true;
    sim->counts.takeovers++;
    begin(sim);
    while (sim->clock.now_ms < until_ms && sim_step(sim, until_ms)) {
    }
    sim->heir = put_aside(sim);
    take_back(sim, &leader);
    sim->began_ms = began_ms;
    sim->paused = false;
}

void sim_answered(struct sim *sim)
{
    if (sim->pause_due && !sim->paused && !sim->crashed && sim->heir.loop == NULL) {
        sim->pause_due = false;
        pause_leader(sim);
    }
}

void sim_bury(struct sim *sim)
{
    const struct sim_process heir = sim->heir;

    for (int i = 0; i < KEYS_AFTER_THE_END; i++) {
        char *key = queue_try_take(sim->loop->queue);

        if (key != NULL) {
            loop_reconcile(sim->loop, key);
            queue_done(sim->loop->queue, key);
        }
    }
    say_farewell(sim);
    sim->crashed = true;
    stop(sim);
    remove_audit(sim);
    sim->crashed = false;
    sim->heir = (struct sim_process){0};
    take_back(sim, &heir);
}

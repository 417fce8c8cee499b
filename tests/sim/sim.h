/*
 * sim: the whole operator in one process, in virtual time and without a thread.
 *
 * The loop runs over fake ports: an API server (fake_kube.h) and three kinds of databases
 * (fake_db.h) in memory, and a clock that moves only when a call takes time or when
 * nothing is ready. Every call that leaves the process passes sim_call(), which counts it
 * and may break it: before or after its effect, once, for a while, at random, or by a
 * crash of the controller. Whatever must never happen is told to sim_violation(), and the
 * tests ask.
 *
 * One seed, one history: nothing here depends on real time, addresses or threads.
 */
#ifndef SIM_H
#define SIM_H

#include "audit/audit.h"
#include "base/attr.h"
#include "fake_db.h"
#include "fake_kube.h"
#include "loop/loop.h"
#include "sim_call.h"

#define SIM_EPOCH_MS INT64_C(1790000000000) /* wall clock at virtual 0 */
#define SIM_START_MS INT64_C(1000000)
/* A sanitizer makes everything many times slower: what is tried again and again is then
 * tried on fewer examples. */
#if defined(__SANITIZE_THREAD__) /* and there is but one thread in it */
#define SIM_SLOWER 24
#elif defined(__SANITIZE_ADDRESS__)
#define SIM_SLOWER 6
#else
#define SIM_SLOWER 1
#endif

struct sim_clock {
    struct clock base;
    int64_t now_ms;
};

enum sim_mode {
    SIM_NO_FAULTS = 0,
    SIM_FAIL,         /* calls `at` .. `at + count - 1` fail without effect */
    SIM_LOSE,         /* they take effect, and the answer is lost */
    SIM_CRASH_BEFORE, /* the controller dies as it makes call `at` */
    SIM_CRASH_AFTER,  /* ... when the call has taken effect */
    SIM_RANDOM        /* `permille` of all calls: any of the above */
};

struct sim_faults {
    enum sim_mode mode;
    int64_t at, count;
    uint64_t permille;
    int64_t calls; /* made so far while this plan was in force */
    int64_t hits;
};

struct sim_counts {
    int64_t api_reads, api_writes, event_writes; /* events are api_writes, too */
    int64_t opens, reads, applies;
    int64_t reconciles, restarts;
};

struct sim_options {
    uint64_t seed;
    bool scatter; /* watch events come late, twice and out of order */
    bool still;   /* calls take no time at all */
    bool no_audit;
};

struct sim {
    struct sim_options options;
    struct sim_clock clock;
    struct sim_faults faults;
    struct sim_counts counts;
    struct arena *arena; /* lives as long as the sim: names and objects of the fakes */
    struct rng rng;
    struct fake_kube *kube;
    struct fake_db *db;
    struct audit *audit;
    const char *audit_path;
    struct cancel *stop;
    struct loop *loop;
    int64_t applies_ever; /* sim_count_anew() leaves it alone */
    /* Told when a status newly claims that a TableSync is Ready; NULL: nobody asks. */
    void (*on_ready)(struct sim *sim, const struct json *object);
    /* Told at every external call, before it takes effect, and four times in each second
     * in which none is made: where a test lets MySQL's rows change. NULL: nobody. */
    void (*on_moment)(struct sim *sim);
    bool crashed;
    int64_t last_key_ms, keys_at_once; /* finds a loop that spins */
    struct lg *lg;                     /* SIM_LOG=1: the controller's log on stderr */
    char label[64];                    /* which trial this is, for messages */
    int64_t violations;
    char first_violation[1024];
};

struct sim *sim_new(const struct sim_options *options);
void sim_free(struct sim *sim);

/* Something that must never happen did. The first one is kept for the test's message. */
void sim_violation(struct sim *sim, const char *format, ...) PRINTF_LIKE(2, 3);

int64_t sim_wall_ms(const struct sim *sim);

/* --- driving --- */
/* Takes the next ready key, or moves the clock to the next thing that is due, but never
 * beyond until_ms. False when nothing is due before. Restarts after a crash. */
bool sim_step(struct sim *sim, int64_t until_ms);
void sim_run_for(struct sim *sim, int64_t duration_ms);
/* Until `done` says so; false when duration_ms have passed first. */
bool sim_run_until(struct sim *sim, bool (*done)(struct sim *sim), int64_t duration_ms);
/* A new controller process: empty memory, the stores filled by a list. */
void sim_restart(struct sim *sim);
/* Sets the plan and its counter to zero. */
void sim_plan(struct sim *sim, enum sim_mode mode, int64_t at, int64_t count);
/* Forgets what was counted. */
void sim_count_anew(struct sim *sim);

#endif

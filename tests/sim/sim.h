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
 * A leader may be paused in the middle of an attempt, as by SIGSTOP: another controller
 * takes over and works while the first one's call does not return (sim_life.c).
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
    SIM_PAUSE,        /* it is paused with the answer of call `at`; another takes over */
    SIM_RANDOM        /* `permille` of all calls: any of the above */
};

struct sim_faults {
    enum sim_mode mode;
    int64_t at, count;
    uint64_t permille, pauses; /* of 1000 calls: broken; the leader's last as such */
    int64_t slow_ms;           /* at most so much longer does a call to a server take */
    int64_t calls;             /* made so far while this plan was in force */
    int64_t hits;
};

struct sim_counts {
    int64_t api_reads, api_writes, event_writes; /* events are api_writes, too */
    int64_t opens, reads, applies;
    int64_t reconciles, restarts, takeovers;
};

struct sim_options {
    uint64_t seed;
    bool scatter; /* watch events come late, twice and out of order */
    bool still;   /* calls take no time at all */
    bool no_audit;
};

/* What a controller asks before it writes. */
struct sim_fence {
    struct fence base;
    bool down;
};

/* A controller process that is not the one at work. */
struct sim_process {
    struct loop *loop; /* NULL: none */
    struct audit *audit;
    const char *audit_path;
    struct cancel *stop;
    struct sim_fence *fence;
    int64_t open_sessions, applies;
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
    struct sim_fence *fence;
    struct sim_process heir; /* works from the end of this attempt on */
    bool paused;             /* a leader is: this is the other one's time */
    bool pause_due;          /* at the end of this call */
    int64_t steps;           /* sim_step() that found something to do */
    int64_t applies_ever;    /* by this controller; sim_count_anew() leaves it alone */
    int64_t began_ms;        /* the attempt that runs, or ran last */
    uint64_t history;        /* a digest of all calls: equal for equal seeds */
    /* Told when a status newly claims that a TableSync is Ready; NULL: nobody asks. */
    void (*on_ready)(struct sim *sim, const struct json *object);
    /* Told at every external call, before it takes effect, and four times in each second
     * in which none is made: where a test lets MySQL's rows change. NULL: nobody. */
    void (*on_moment)(struct sim *sim);
    /* Told after every step; and before and after a statement that a server carries out,
     * with its tag. NULL: nobody. `watcher` is theirs. */
    void (*on_step)(struct sim *sim);
    void (*on_statement)(struct sim *sim, const struct plan_step *step, const char *tag,
                         bool done);
    /* Told of every status that is written. NULL: nobody. */
    void (*on_status)(struct sim *sim, const struct json *before,
                      const struct json *after);
    void *watcher;
    /* Told of a leader that is one no more, before its audit is closed. */
    void (*on_end)(struct sim *sim);
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
/* The same in peace: the leader stops and lets go, and writes nothing after that. */
void sim_hand_over(struct sim *sim);
/* Sets the plan and its counter to zero. */
void sim_plan(struct sim *sim, enum sim_mode mode, int64_t at, int64_t count);
/* Forgets what was counted. */
void sim_count_anew(struct sim *sim);

/* --- shared by sim*.c --- */
void sim_life_begin(struct sim *sim);
void sim_life_end(struct sim *sim);
/* Its state as a dead process left it, for the one that comes after a crash. */
void sim_crash(struct sim *sim);
/* Ends the leader that was paused, once its attempt has returned. */
void sim_bury(struct sim *sim);

#endif

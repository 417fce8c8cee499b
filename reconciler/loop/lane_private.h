/* lane_private: what the lane's files share; nobody else includes it. */
#ifndef LOOP_LANE_PRIVATE_H
#define LOOP_LANE_PRIVATE_H

#include "loop/lanes.h"
#include "loop/parking.h"

#include <pthread.h>
#include <string.h>

#define LANE_IDLE_MAX LANE_LIMIT
#define LANE_READS_MAX ((size_t)2 * LANE_LIMIT)
/* A call that has been outstanding for so long makes its server suspect. */
#define LANE_SUSPECT_MS 500
#define LANE_HUNG_MAX 64
/* ... and when it was never answered, for so long, and no other was meanwhile, the server
 * is taken for dead. */
#define LANE_DEAD_MS 1000

/* A call to a server that is under way; on the stack of who makes it. */
struct call {
    struct lane *lane;
    const char *key;
    int64_t began_ms;
    bool statement; /* DDL may take its time: that says nothing about the server */
    struct call *next, *before;
};

/* A session as its lane sees it: what the attempt calls goes through it (circuit_call.c).
 * The first member is what the attempt takes for the session. */
struct door {
    union {
        struct source_db source;
        struct stream_db stream;
        struct target_db target;
    } outer;
    union {
        struct source_db *source;
        struct stream_db *stream;
        struct target_db *target;
    } inner;
    struct lane *lane;
    const char *key; /* of the attempt that has it; NULL: a command, or it is idle */
    int64_t epoch;
    bool urgent;    /* ... and the attempt is for a fresh change */
    bool committed; /* its attempt is not parked any more */
    bool probes;    /* it finds out whether the server is back */
    bool idled;     /* it was idle, and the server has answered nothing since */
    bool stale;     /* ... and no more: the connection was lost meanwhile */
    struct door *next;
};

struct lanes {
    struct db_factory *factory;
    const struct clock *clock;
    struct lanes_hooks hooks;
    pthread_mutex_t lock;
    struct map *by_key;
    pthread_mutex_t calls_lock;
    struct call *calls;
};

struct lane {
    struct lanes *all;
    const struct clock *clock;
    struct db_factory *factory;
    _Atomic int64_t references;
    pthread_mutex_t lock;
    pthread_cond_t changed; /* an observation arrived, a turn is free */
    char *key;              /* "namespace/name" of the connection */
    char *fingerprint;
    int64_t epoch; /* rises with each new fingerprint */
    struct session idle[LANE_IDLE_MAX];
    size_t idle_count;
    struct map *observations; /* "kind:scope" -> struct observation */
    int64_t forgotten_ms;     /* observations begun before this are out of date */
    const char *reading[LANE_READS_MAX]; /* what is being read; NULL: free */
    int64_t read_from_ms[LANE_READS_MAX];
    struct parking readers;  /* who waits for one of them */
    bool ddl_busy, ddl_next; /* ddl_next: somebody waits for the turn in place */
    struct parking ddl;      /* who waits for it */
    int64_t backends;        /* learned; 0: unknown */

    /* --- circuit.c --- */
    struct door *out;      /* sessions that attempts have */
    size_t entering;       /* ... and those that log in to get one */
    struct parking entry;  /* who waits for room */
    int64_t answered_ms;   /* when the server last answered a call */
    bool proven;           /* a login worked, and none has failed since */
    bool trusted;          /* a call was answered, and none has failed since */
    bool trying;           /* somebody logs in to a server that is not proven */
    bool down_by_call;     /* not a login failed, but a call was never answered */
    int64_t down_until_ms; /* nobody asks the server before */
    unsigned down_count;   /* failures in a row; 0: it is not down */
    int64_t down_ms;       /* when it last failed; 0: never */
    struct fault down;     /* ... and how */
};

/* For what is over in a moment somebody may wait in place, and no longer than that. */
#define LANE_READ_WAIT_MS 250
#define LANE_DDL_WAIT_MS 1000
/* While waiting look up at least this often: the stop signal is an eventfd and cannot
 * wake a condition variable. */
#define LANE_WAIT_SLICE_MS 50
/* Parked keys are called; should nobody do that, they look again by themselves. */
#define LANE_PARKED_AGAIN_MS 30000
/* Waits a slice for another thread's signal, and is over at until_ms (lane_wait_until()).
 * False: it is over, or the cancel ended. The lane's lock is held. */
bool lane_wait_slice(struct lane *lane, int64_t until_ms, struct cancel *cancel);
int64_t lane_wait_until(int64_t wait_ms); /* of the system's clock, whatever the lane's */
/* Asks the hooks, so no lock may be held. */
bool lane_urgent(const struct lane *lane, const char *key);
/* Sets the fault that lane_is_parked() knows; always false. */
bool lane_parked(const struct lane *lane, const char *what, struct fault *fault);

/* --- what is to be told once nothing is locked any more --- */
struct news {
    struct parked *calls; /* their turn has come: at once */
    struct parked *sent;  /* sent away to hear how things are: spread */
    const char *again;    /* who was parked now; looks again by itself after: */
    int64_t again_ms;
    bool again_urgent;
    bool rose;
    int64_t fell_ms; /* the pause; 0: it did not fall */
};
void lane_tell(struct lane *lane, struct news *news);
/* Takes one who waits and has it called, after those that were before. */
void news_call(struct news *news, struct parked *one);

/* --- lane_session.c --- */
void lane_close_idle(struct session *session);
/* Takes the idle sessions out of the lane. The lock is held. */
size_t lane_take_idle(struct lane *lane, struct session out_idle[LANE_IDLE_MAX]);

#endif

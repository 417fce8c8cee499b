#include "loop/workers.h"

#include "base/heap.h"
#include "loop/lanes.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* A worker that has not turned for this long is stuck beyond every deadline it has. */
#define STUCK_MS INT64_C(1800000)
#define SYNC_POLL_MS 50

/* So many more may be at work while others do nothing but wait for a silent server. */
#define HELD_MAX WORKERS_MAX
#define THREADS_MAX (WORKERS_MAX + HELD_MAX + 1) /* one of them stands ready */

/* More ready than that end: the allocator keeps freed memory apart for every thread, and
 * a burst would otherwise leave that of sixty until the end. */
#define READY_MAX 2

/* Servers fall silent, and nobody is told: who stands ready looks up now and then. */
#define TURN_POLL_MS 100

/* A release touches 36 KiB of it (Rss in smaps, while 500 resources are created and a
 * stream is made and changed); sanitizers put red zones around everything. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define STACK_BYTES ((size_t)4 * 1024 * 1024)
#else
#define STACK_BYTES ((size_t)512 * 1024)
#endif

struct worker {
    struct workers *all;
    pthread_t thread;
    _Atomic int64_t busy_since_ms; /* 0: idle */
    enum {
        PLACE_EMPTY,
        PLACE_TAKEN,
        PLACE_LEFT, /* the thread has ended or is about to: it wants to be joined */
    } place;
};

struct workers {
    struct loop *loop;
    size_t limit; /* at work at once, beside those that are held by silent servers */
    pthread_mutex_t lock;
    pthread_cond_t turn;
    size_t at_work; /* with a key, or asking the queue for one */
    size_t ready;   /* asking the queue, or waiting to be let */
    bool closed;
    struct worker each[THREADS_MAX];
};

bool workers_synced(const struct loop *loop)
{
    return kube_store_synced(loop->syncs) && kube_store_synced(loop->conns);
}

bool workers_wait_synced(struct loop *loop)
{
    while (!cancel_fired(loop->stop) && !workers_synced(loop)) {
        (void)cancel_sleep(loop->stop, SYNC_POLL_MS);
    }
    return !cancel_fired(loop->stop);
}

static void wait_for_turn(struct workers *all)
{
    struct timespec until;

    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += TURN_POLL_MS * INT64_C(1000000);
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    (void)pthread_cond_timedwait(&all->turn, &all->lock, &until);
}

/* Waits until there are not too many at work; false: it is over. */
static bool begin_turn(struct workers *all)
{
    bool closed = false, begun = false;

    while (!begun && !closed) {
        size_t held = lanes_held(all->loop->lanes);
        bool urgent = queue_urgent_waits(all->loop->queue);

        held = held < HELD_MAX ? held : HELD_MAX;
        (void)pthread_mutex_lock(&all->lock);
        closed = all->closed;
        if (all->at_work + (urgent || all->limit == 1 ? 0 : 1) < all->limit + held) {
            all->at_work++;
            begun = true;
        } else if (!closed) {
            wait_for_turn(all);
        }
        (void)pthread_mutex_unlock(&all->lock);
    }
    return !closed;
}

/* false: there are others enough, this thread ends. */
static bool end_turn(struct worker *worker)
{
    struct workers *all = worker->all;
    bool stays = false;

    (void)pthread_mutex_lock(&all->lock);
    all->at_work--;
    stays = all->ready < READY_MAX;
    all->ready += stays ? 1 : 0;
    worker->place = stays ? PLACE_TAKEN : PLACE_LEFT;
    (void)pthread_cond_signal(&all->turn);
    (void)pthread_mutex_unlock(&all->lock);
    return stays;
}

static void *worker_thread(void *argument);

/* A place without a thread; NULL: all are taken. The lock is held. */
static struct worker *find_place(struct workers *all)
{
    for (size_t i = 0; i < THREADS_MAX; i++) {
        struct worker *worker = &all->each[i];

        if (worker->place == PLACE_LEFT) {
            (void)pthread_join(worker->thread, NULL); /* it waits for nobody */
            worker->place = PLACE_EMPTY;
        }
        if (worker->place == PLACE_EMPTY) {
            return worker;
        }
    }
    return NULL;
}

/* The lock is held. */
static bool start_one(struct workers *all)
{
    struct worker *worker = NULL;
    pthread_attr_t attributes;
    bool started = false;

    if (all->closed || (worker = find_place(all)) == NULL) {
        return false;
    }
    worker->all = all;
    must(pthread_attr_init(&attributes) == 0);
    must(pthread_attr_setstacksize(&attributes, STACK_BYTES) == 0);
    started = pthread_create(&worker->thread, &attributes, worker_thread, worker) == 0;
    (void)pthread_attr_destroy(&attributes);
    worker->place = started ? PLACE_TAKEN : PLACE_EMPTY;
    all->ready += started ? 1 : 0;
    return started;
}

/* Who took a key sees to it that somebody stands ready for the next one. */
static void hand_over(struct workers *all)
{
    (void)pthread_mutex_lock(&all->lock);
    if (--all->ready == 0) {
        /* No thread left: it goes on with those there are. */
        (void)start_one(all);
    }
    (void)pthread_mutex_unlock(&all->lock);
}

/* For top -H and debuggers: which thread is at work on what. */
static void call_thread(const char *what)
{
    const char *slash = strrchr(what, '/');
    char name[16]; /* as much as Linux keeps */

    (void)snprintf(name, sizeof(name), "%s", slash == NULL ? what : slash + 1);
    (void)pthread_setname_np(pthread_self(), name);
}

static void work(struct worker *worker, char *key)
{
    struct loop *loop = worker->all->loop;

    enum metric active = sv_starts(sv_from(key), SV(LOOP_KEY_CONN))
                             ? METRIC_CONN_ACTIVE_WORKERS
                             : METRIC_ACTIVE_WORKERS;

    worker->busy_since_ms = clock_monotonic_ms(loop->ports.clock);
    metrics_add(loop->metrics, active, 1);
    call_thread(key);
    loop_reconcile(loop, key);
    call_thread("worker");
    metrics_add(loop->metrics, active, -1);
    worker->busy_since_ms = 0;
    queue_done(loop->queue, key);
}

static void *worker_thread(void *argument)
{
    struct worker *worker = argument;
    struct workers *all = worker->all;

    call_thread("worker");
    if (!workers_wait_synced(all->loop)) {
        return NULL;
    }
    while (begin_turn(all)) {
        char *key = queue_take(all->loop->queue);

        if (key == NULL) {
            break;
        }
        hand_over(all);
        work(worker, key);
        if (!end_turn(worker)) {
            break;
        }
    }
    return NULL;
}

struct workers *workers_new(struct loop *loop, int count)
{
    struct workers *all = HEAP_NEW(struct workers);
    pthread_condattr_t attributes;

    all->loop = loop;
    all->limit = (size_t)(count > WORKERS_MAX ? WORKERS_MAX : count);
    must(pthread_mutex_init(&all->lock, NULL) == 0);
    must(pthread_condattr_init(&attributes) == 0);
    must(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0);
    must(pthread_cond_init(&all->turn, &attributes) == 0);
    (void)pthread_condattr_destroy(&attributes);
    metrics_set(loop->metrics, METRIC_MAX_CONCURRENT, (int64_t)all->limit);
    metrics_set(loop->metrics, METRIC_CONN_MAX_CONCURRENT, (int64_t)all->limit);
    return all;
}

bool workers_start(struct workers *all, struct fault *fault)
{
    bool started = false;

    (void)pthread_mutex_lock(&all->lock);
    started = start_one(all);
    (void)pthread_mutex_unlock(&all->lock);
    return started || fault_set(fault, FAULT_UNAVAILABLE, NULL, "cannot start threads");
}

void workers_stop(struct workers *all)
{
    bool taken[THREADS_MAX];

    if (all == NULL) {
        return;
    }
    queue_close(all->loop->queue);
    (void)pthread_mutex_lock(&all->lock);
    all->closed = true; /* from here on no thread is started */
    for (size_t i = 0; i < THREADS_MAX; i++) {
        taken[i] = all->each[i].place != PLACE_EMPTY;
    }
    (void)pthread_cond_broadcast(&all->turn);
    (void)pthread_mutex_unlock(&all->lock);
    for (size_t i = 0; i < THREADS_MAX; i++) {
        if (taken[i]) {
            (void)pthread_join(all->each[i].thread, NULL);
        }
    }
    (void)pthread_cond_destroy(&all->turn);
    (void)pthread_mutex_destroy(&all->lock);
    heap_free(all);
}

bool workers_stuck(struct workers *all)
{
    int64_t now_ms = clock_monotonic_ms(all->loop->ports.clock);

    for (size_t i = 0; i < THREADS_MAX; i++) {
        int64_t since_ms = all->each[i].busy_since_ms;

        if (since_ms != 0 && now_ms - since_ms > STUCK_MS) {
            return true;
        }
    }
    return false;
}

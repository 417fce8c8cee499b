#include "loop/workers.h"

#include "base/heap.h"

#include <pthread.h>

/* A worker that has not turned for this long is stuck beyond every deadline it has. */
#define STUCK_MS INT64_C(1800000)
#define SYNC_POLL_MS 50

struct worker {
    struct workers *all;
    pthread_t thread;
    _Atomic int64_t busy_since_ms; /* 0: idle */
    bool started;
};

struct workers {
    struct loop *loop;
    int count;
    struct worker each[WORKERS_MAX];
};

static void work(struct worker *worker)
{
    struct loop *loop = worker->all->loop;
    char *key = NULL;

    while ((key = queue_take(loop->queue)) != NULL) {
        worker->busy_since_ms = clock_monotonic_ms(loop->ports.clock);
        metrics_add(loop->metrics, METRIC_ACTIVE_WORKERS, 1);
        loop_reconcile(loop, key);
        metrics_add(loop->metrics, METRIC_ACTIVE_WORKERS, -1);
        worker->busy_since_ms = 0;
        queue_done(loop->queue, key);
    }
}

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

static void *worker_thread(void *argument)
{
    struct worker *worker = argument;

    if (workers_wait_synced(worker->all->loop)) {
        work(worker);
    }
    return NULL;
}

struct workers *workers_new(struct loop *loop, int count)
{
    struct workers *workers = HEAP_NEW(struct workers);

    workers->loop = loop;
    workers->count = count > WORKERS_MAX ? WORKERS_MAX : count;
    metrics_set(loop->metrics, METRIC_MAX_CONCURRENT, workers->count);
    return workers;
}

bool workers_start(struct workers *workers, struct fault *fault)
{
    for (int i = 0; i < workers->count; i++) {
        struct worker *worker = &workers->each[i];

        worker->all = workers;
        worker->started =
            pthread_create(&worker->thread, NULL, worker_thread, worker) == 0;
        if (!worker->started) {
            return fault_set(fault, FAULT_UNAVAILABLE, NULL, "cannot start threads");
        }
    }
    return true;
}

void workers_stop(struct workers *workers)
{
    if (workers == NULL) {
        return;
    }
    queue_close(workers->loop->queue);
    for (int i = 0; i < workers->count; i++) {
        if (workers->each[i].started) {
            (void)pthread_join(workers->each[i].thread, NULL);
        }
    }
    heap_free(workers);
}

bool workers_stuck(const struct workers *workers)
{
    int64_t now_ms = clock_monotonic_ms(workers->loop->ports.clock);

    for (int i = 0; i < workers->count; i++) {
        int64_t since_ms = workers->each[i].busy_since_ms;

        if (since_ms != 0 && now_ms - since_ms > STUCK_MS) {
            return true;
        }
    }
    return false;
}

/* A stop signal that comes while a call is under way, as at the controller's shutdown. */
#ifndef DRIVERS_DRIVER_ALARM_H
#define DRIVERS_DRIVER_ALARM_H

#include "base/cancel.h"

#include <pthread.h>

struct alarm {
    struct cancel *root;
    int64_t after_ms;
    struct cancel done; /* fired when the call came back by itself */
    pthread_t thread;
    bool started;
};

static inline void *alarm_run(void *argument)
{
    struct alarm *alarm = argument;

    if (cancel_sleep(&alarm->done, alarm->after_ms)) {
        cancel_fire(alarm->root);
    }
    return NULL;
}

static inline void alarm_start(struct alarm *alarm, struct cancel *root, int64_t after_ms)
{
    struct fault fault = FAULT_INIT;

    *alarm = (struct alarm){.root = root, .after_ms = after_ms};
    if (after_ms > 0) {
        must(cancel_init_root(&alarm->done, clock_system(), &fault));
        must(pthread_create(&alarm->thread, NULL, alarm_run, alarm) == 0);
        alarm->started = true;
    }
}

static inline void alarm_stop(struct alarm *alarm)
{
    if (alarm->started) {
        cancel_fire(&alarm->done);
        must(pthread_join(alarm->thread, NULL) == 0);
        cancel_deinit(&alarm->done);
    }
}

#endif

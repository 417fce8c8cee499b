/* metrics_private: what metrics.c (counting), metrics_print.c (the text format) and
 * metrics_process.c (the operating system's numbers) share. */
#ifndef LOOP_METRICS_PRIVATE_H
#define LOOP_METRICS_PRIVATE_H

#include "loop/metrics.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

struct metrics {
    const struct clock *clock;
    int64_t started_wall_ms;
    _Atomic int64_t values[METRIC_MAX];
    pthread_mutex_t lock;             /* guards the families */
    struct map *families[METRIC_MAX]; /* labels -> series; NULL: none yet */
};

/* Samples of a row whose labels have a *. */
void metrics_print_family(struct metrics *metrics, enum metric family, struct buf *out);

#endif

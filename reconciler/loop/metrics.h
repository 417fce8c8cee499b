/*
 * metrics: counters and gauges, with controller-runtime's names where it has one, written
 * in Prometheus' text format. Thread-safe (atomics).
 */
#ifndef LOOP_METRICS_H
#define LOOP_METRICS_H

#include "base/buf.h"
#include "base/clock.h"

#include <stdint.h>

/* METRIC(id, type, name with labels, help) */
enum metric {
    METRIC_NONE = 0,
#define METRIC(id, type, name, labels, help) METRIC_##id,
#include "loop/metrics.def"
#undef METRIC
    METRIC_MAX
};

struct metrics;

struct metrics *metrics_new(const struct clock *clock);
void metrics_free(struct metrics *metrics);
void metrics_add(struct metrics *metrics, enum metric metric, int64_t value);
void metrics_set(struct metrics *metrics, enum metric metric, int64_t value);
int64_t metrics_get(const struct metrics *metrics, enum metric metric);
/* One reconcile's duration into the histogram controller_runtime_reconcile_time_seconds.
 */
void metrics_reconcile_time(struct metrics *metrics, int64_t duration_ms);
void metrics_print(const struct metrics *metrics, struct buf *out);

#endif

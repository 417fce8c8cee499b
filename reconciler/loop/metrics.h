/*
 * metrics: counters, gauges and histograms, with controller-runtime's and client-go's
 * names where they have one, written in Prometheus' text format. Thread-safe: single
 * series are atomics; families with labels that are found at run time have one lock.
 *
 * Two controllers exist for whoever reads them, "tablesync" and "databaseconnection".
 * They share one queue and its workers, which stand under name="tablesync".
 *
 * A family has at most METRICS_SERIES_MAX series: what comes later goes into one whose
 * labels all say "other", so no label of ours can fill a scraper's memory.
 */
#ifndef LOOP_METRICS_H
#define LOOP_METRICS_H

#include "base/buf.h"
#include "base/clock.h"

#include <stdint.h>

#define METRICS_SERIES_MAX 512
#define METRICS_LABELS_MAX 1024 /* bytes of one series' labels */

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

/* Labels of a series: `a="x",b="y"`, values escaped as the format wants it, in the order
 * of the row in metrics.def. */
struct metrics_labels {
    char text[METRICS_LABELS_MAX];
    size_t n;
};
struct metrics_labels metrics_label(const char *key, const char *value);
void metrics_label_add(struct metrics_labels *labels, const char *key, const char *value);
/* namespace and name of "namespace/name". */
struct metrics_labels metrics_key_labels(const char *key);

/* A counter of a family whose row has labels with *. */
void metrics_count(struct metrics *metrics, enum metric family,
                   const struct metrics_labels *labels, int64_t value);
/* One observation of a histogram: milliseconds or bytes, as its name says. */
void metrics_observe(struct metrics *metrics, enum metric family,
                     const struct metrics_labels *labels, int64_t value);

/* --- writing --- */
/*
 * Writes the samples of a row, with metrics_sample(); false: they are the ones that were
 * counted here.
 */
typedef bool metrics_more(void *context, enum metric metric, struct buf *out);
/* All rows of metrics.def; `more` may be NULL. */
void metrics_print(struct metrics *metrics, metrics_more *more, void *context,
                   struct buf *out);
/* labels NULL: none. Whole numbers are written whole. */
void metrics_sample(struct buf *out, enum metric metric,
                    const struct metrics_labels *labels, double value);
/* process_* and tablesync_memory_*: those that metrics_print() does not know by itself.
 */
bool metrics_process(const struct metrics *metrics, enum metric metric, struct buf *out);

/* Upper bounds of a histogram's buckets, in the unit that is counted; `unit`: how many of
 * it are one second or byte. */
struct metrics_buckets {
    const int64_t *bounds;
    size_t count;
    double unit;
};
const struct metrics_buckets *metrics_buckets(enum metric histogram);
/* A histogram counted elsewhere: counts[i] fell below bounds[i] and not below the one
 * before, counts[count] above all; `sum` in seconds or bytes. */
void metrics_histogram(struct buf *out, enum metric histogram,
                       const struct metrics_labels *labels,
                       const struct metrics_buckets *buckets, const int64_t *counts,
                       double sum);

#endif

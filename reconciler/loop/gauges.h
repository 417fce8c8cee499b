/*
 * gauges: what the last attempt at each TableSync found, for /metrics: a small row for
 * each resource, written at the end of an attempt and freed when the resource is gone, so
 * that a scrape reads no object and asks no server.
 *
 * Sums are over all resources. Series of single resources are bounded: the first `limit`
 * in the order of namespace and name have them, the others are counted.
 *
 * Thread-safe behind one private lock.
 */
#ifndef LOOP_GAUGES_H
#define LOOP_GAUGES_H

#include "loop/metrics.h"
#include "model/status.h"

#include <stdbool.h>

struct gauges;

enum gauge_truth { GAUGE_UNSET = 0, GAUGE_TRUE, GAUGE_FALSE, GAUGE_UNKNOWN };

struct gauges_row {
    enum phase phase;
    enum gauge_truth ready, stalled, in_sync;
    const char *sink;      /* a reason of SinkReady, static; NULL: none yet */
    int64_t lag_s;         /* -1 unknown */
    int64_t undelivered;   /* -1 unknown */
    int64_t snapshot_rows; /* -1 unknown */
    int64_t difference;    /* between the rows of both sides; -1 unknown */
    int64_t position_ms;   /* Unix ms of what RisingWave read last of MySQL's binary log,
                              a change or a heartbeat; 0 unknown */
    int64_t retention_s;   /* how long MySQL keeps that log; 0: for ever or unknown */
};

struct gauges *gauges_new(void);
void gauges_free(struct gauges *gauges);
/* key: "namespace/name". */
void gauges_set(struct gauges *gauges, const char *key, const struct gauges_row *row);
void gauges_remove(struct gauges *gauges, const char *key);
/* The row as it was set last; false: there is none. */
bool gauges_get(struct gauges *gauges, const char *key, struct gauges_row *out_row);

struct gauges_sums {
    int64_t resources, ready, stalled, drifted, lag_max_s;
};
struct gauges_sums gauges_sums(struct gauges *gauges);
/*
 * The shortest time, of all resources, until MySQL may delete what RisingWave has not
 * read yet; 0: it may have. Goes down while nobody reads. -1: known of none.
 */
int64_t gauges_runway_s(struct gauges *gauges, int64_t now_ms);
/* Writes the samples of a row of metrics.def; false: it is none of this file's. */
bool gauges_print(struct gauges *gauges, int64_t limit, enum metric metric,
                  struct buf *out);

#endif

/*
 * introspect: what the process tells about itself: the gauges of /metrics that are
 * counted when somebody asks.
 */
#ifndef LOOP_INTROSPECT_H
#define LOOP_INTROSPECT_H

#include "loop/loop.h"

/* Appends /metrics. */
void introspect_metrics(struct loop *loop, struct buf *out);

#endif

/*
 * wake: what lanes tell the queue. Who was parked comes back; a connection is looked at
 * when the pause of its breaker is over, and its users when its server is back.
 */
#ifndef LOOP_WAKE_H
#define LOOP_WAKE_H

#include "loop/loop.h"

/* From now on; the loop's lanes and queue exist. */
void wake_listen(struct loop *loop);

#endif

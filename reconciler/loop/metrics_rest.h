/*
 * metrics_rest: a transport around another one that counts what goes through it, as
 * client-go's metrics do: requests by code, method and host, how long they took and how
 * many bytes they carried. Watches are counted as requests and have no duration.
 */
#ifndef LOOP_METRICS_REST_H
#define LOOP_METRICS_REST_H

#include "kube/transport.h"
#include "loop/metrics.h"

/*
 * `host` as in the server's URL, "10.0.0.1:6443". Free it with kube_transport_free(),
 * after its last call; `inner` is not freed. All arguments but host outlive it.
 */
struct kube_transport *metrics_rest_new(struct kube_transport *inner, const char *host,
                                        struct metrics *metrics,
                                        const struct clock *clock);

#endif

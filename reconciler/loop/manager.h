/*
 * manager: the threads around the loop. Reflectors fill the stores, workers take keys, a
 * housekeeper prunes the audit, HTTP answers probes.
 *
 * With an election (leader.h) a follower has full caches and answers HTTP, and nothing
 * else: no worker, no housekeeper, no write. Who wins starts the rest. Who loses stops at
 * once and does not come back.
 *
 * Everything ends when `stop` fires, in this order: no more keys are taken, running
 * attempts end at their next wait, threads are joined, sessions are closed; the caller
 * closes the audit, and only then is the Lease given back.
 */
#ifndef LOOP_MANAGER_H
#define LOOP_MANAGER_H

#include "base/footprint.h"
#include "loop/leader.h"
#include "loop/loop.h"

struct manager_options {
    struct loop_options loop;
    const char *watched;         /* loop.namespaces as they were given; NULL: all */
    int workers;                 /* 4 */
    const char *metrics_address; /* ":8080", "0" = off */
    const char *probe_address;   /* ":8081" */
    const char *debug_address;   /* a loopback address, "0" = off */
    const char *api_host;        /* the API server's, for metrics: "10.0.0.1:443" */
    int64_t per_resource;        /* TableSyncs with series of their own in /metrics */
    /* Of /metrics: PEM files for TLS (NULL: plain), and whether bearer tokens are asked
     * for and reviewed by the API server. */
    const char *metrics_cert_file, *metrics_key_file;
    bool metrics_review;
    /* NULL: no election, this is the only one. The loop's ports carry its fence. Whoever
     * made it stops it afterwards: leader_stop() gives the Lease back. */
    struct leader *leader;
    const struct footprint *footprint; /* trimmed now and then; NULL: never */
};

/*
 * Runs until `stop` fires, which the leader does as well when it loses its Lease. Only
 * what prevents the start is a fault (an address in use, no threads); anything later is
 * retried for ever.
 */
MUST_CHECK bool manager_run(const struct loop_ports *ports,
                            const struct manager_options *options, struct cancel *stop,
                            struct fault *fault);

#endif

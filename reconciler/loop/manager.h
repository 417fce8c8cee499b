/*
 * manager: the threads around the loop. Reflectors fill the stores, workers take keys, a
 * housekeeper prunes the audit, HTTP answers probes; everything ends when `stop` fires,
 * in this order: no more keys are taken, running attempts end at their next wait, threads
 * are joined, sessions are closed.
 */
#ifndef LOOP_MANAGER_H
#define LOOP_MANAGER_H

#include "loop/loop.h"

struct manager_options {
    struct loop_options loop;
    int workers;                 /* 4 */
    const char *metrics_address; /* ":8080", "0" = off */
    const char *probe_address;   /* ":8081" */
    /* Of /metrics: PEM files for TLS (NULL: plain), and whether bearer tokens are asked
     * for and reviewed by the API server. */
    const char *metrics_cert_file, *metrics_key_file;
    bool metrics_review;
};

/*
 * Runs until `stop` fires. Only what prevents the start is a fault (an address in use, no
 * threads); anything later is retried for ever.
 */
MUST_CHECK bool manager_run(const struct loop_ports *ports,
                            const struct manager_options *options, struct cancel *stop,
                            struct fault *fault);

#endif

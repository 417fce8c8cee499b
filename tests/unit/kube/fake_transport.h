/*
 * fake_transport: replays a script of exchanges and keeps what was asked.
 *
 * Each request must fit the next row: its method and, when given, a part of its path and
 * of its body. After the last row the fake fires `cancel`, which ends whatever runs on
 * it.
 */
#ifndef FAKE_TRANSPORT_H
#define FAKE_TRANSPORT_H

#include "kube/transport.h"
#include "kube_unit.h"

struct fake_row {
    const char *method; /* GET, or WATCH for a streamed GET */
    const char *path;   /* a part of the path; NULL: any */
    int status;         /* 0: the server is not reached */
    int retry_after_s;
    const char *body; /* NULL: none */
    const char
        *broken; /* stream: the fault's reason after the bytes; NULL: orderly end */
    size_t chunk_bytes; /* stream: how the bytes are cut; 0: whole */
    int64_t lasts_ms;   /* the clock goes on by this much */
};

struct fake_request {
    char *method;
    char *path;
    char *content_type;
    char *body;
    int64_t at_ms;
};

struct fake_transport;

struct fake_transport *fake_transport_new(struct test_clock *clock,
                                          struct cancel *cancel);
void fake_transport_free(struct fake_transport *fake);
struct kube_transport *fake_transport_port(struct fake_transport *fake);
void fake_transport_add(struct fake_transport *fake, struct fake_row row);
/* The nth request that was made, from 0; fails the test when there were fewer. */
const struct fake_request *fake_transport_request(struct fake_transport *fake, size_t n);
size_t fake_transport_count(struct fake_transport *fake);

#endif

/*
 * lease: the coordination.k8s.io/v1 Lease that replicas elect their leader with: what it
 * says, and reading and writing it. When to do which is loop/leader.h's business.
 *
 * Fields and their meaning are client-go's (v0.36 tools/leaderelection/resourcelock/
 * leaselock.go), so that candidates of other programs on the same Lease understand ours.
 * A write keeps whatever else the object holds: labels, `strategy`, `preferredHolder`.
 */
#ifndef KUBE_LEASE_H
#define KUBE_LEASE_H

#include "kube/api.h"

#define LEASE_TEXT_MAX 320 /* a holder; what is longer is cut */

extern const struct kube_resource lease_resource;

/* By value: it outlives the object that it was read from. */
struct lease_record {
    char holder[LEASE_TEXT_MAX]; /* "": nobody */
    int64_t duration_s;          /* 0: not there */
    int64_t transitions;
    /* RFC 3339 with microseconds, as text: nobody here computes with another's clock. */
    char acquired[CLOCK_RFC3339_SIZE], renewed[CLOCK_RFC3339_SIZE];
};

void lease_read(const struct json *object, struct lease_record *out_record);
bool lease_same(const struct lease_record *a, const struct lease_record *b);

/* As kube_get(): *out_object is NULL unless KUBE_OK. */
MUST_CHECK bool lease_get(struct kube_api *api, const char *namespace, const char *name,
                          struct cancel *cancel, enum kube_outcome *out_outcome,
                          struct json **out_object, struct fault *fault);
/* KUBE_EXISTS: somebody else was faster. KUBE_NOT_FOUND: the namespace is missing. */
MUST_CHECK bool lease_create(struct kube_api *api, const char *namespace,
                             const char *name, const struct lease_record *record,
                             struct cancel *cancel, enum kube_outcome *out_outcome,
                             struct json **out_object, struct fault *fault);
/*
 * Replaces `object`, as it was last read, by one with this record. Its resourceVersion
 * guards: KUBE_CONFLICT when anybody wrote meanwhile, KUBE_NOT_FOUND when it is gone.
 */
MUST_CHECK bool lease_update(struct kube_api *api, const struct json *object,
                             const struct lease_record *record, struct cancel *cancel,
                             enum kube_outcome *out_outcome, struct json **out_object,
                             struct fault *fault);

#endif

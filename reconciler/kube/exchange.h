/*
 * exchange: one request through an api and what came of it. Private to the room: api.c,
 * patch.c, events.c and reflector.c speak through it, so that deadline, Retry-After,
 * classification and the check for a JSON object live in one place.
 */
#ifndef KUBE_EXCHANGE_H
#define KUBE_EXCHANGE_H

#include "kube/errors.h"

struct exchange {
    const char *method;
    const char *path; /* with its query */
    const char *content_type;
    const struct json *body; /* NULL: none */
    struct errors_call call; /* for sentences and classification */
    struct buf
        *out_message; /* the server's words for an outcome other than OK; may be NULL */
    size_t response_max_bytes; /* 0 = KUBE_BODY_MAX */
    /* What is answered is the whole object: of its metadata only what a store keeps is
     * wanted (slim.h), which is a fraction of its nodes. */
    bool slims;
};

#define EXCHANGE_MERGE_PATCH "application/merge-patch+json"
#define EXCHANGE_JSON_PATCH "application/json-patch+json"
#define EXCHANGE_APPLY_PATCH "application/apply-patch+yaml"
#define EXCHANGE_JSON "application/json"

/* *out_object is NULL unless KUBE_OK; the caller frees it. */
MUST_CHECK bool exchange_run(struct kube_api *api, const struct exchange *exchange,
                             struct cancel *cancel, enum kube_outcome *out_outcome,
                             struct json **out_object, struct fault *fault);

/* What errors_classify() said about Retry-After: calls of this kind wait so long; others,
 * a Lease's renewal above all, do not. */
void exchange_pause(struct kube_api *api, const struct errors_call *call, int seconds);
/* How long calls of this kind still have to wait; 0: not at all. */
int64_t exchange_pause_ms(struct kube_api *api, const struct errors_call *call);

/* false (FAULT_UNAVAILABLE) while the server asks this kind of call to wait. */
MUST_CHECK bool exchange_allowed(struct kube_api *api, const struct errors_call *call,
                                 struct fault *fault);

#endif

/*
 * errors: what an answer of the API server means, by one table: HTTP code and
 * Status.reason give an outcome the controller switches on, or a fault class and a
 * sentence.
 *
 * Codes and reasons: Kubernetes API conventions ("Response Status Kind") and
 * apimachinery v0.36 pkg/apis/meta/v1/types.go. Bodies are judged by `reason` and
 * `details`, never by the wording of `message`.
 */
#ifndef KUBE_ERRORS_H
#define KUBE_ERRORS_H

#include "kube/api.h"

#define ERRORS_RETRY_AFTER_MAX_S 60

/* What was asked; for the sentence only. */
struct errors_call {
    const char *verb; /* the RBAC verb: get, list, watch, create, patch */
    const struct kube_resource *resource;
    const char *namespace;   /* NULL: all */
    const char *name;        /* NULL: the collection */
    const char *subresource; /* NULL: none */
    bool json_patch;         /* a 422 without field causes is a failed `test` */
};

struct errors_answer {
    int status;
    int retry_after_s; /* of the header; the Status body's own is taken when larger */
    struct sv body;
};

/*
 * true: *out_outcome is set (KUBE_OK for every 2xx); for other outcomes the server's
 * sentence is appended to out_message unless that is NULL. false: a fault.
 * *out_retry_after_s: how long the server asks to be left alone, capped; 0 when it does
 * not.
 */
MUST_CHECK bool errors_classify(const struct errors_call *call,
                                const struct errors_answer *answer,
                                enum kube_outcome *out_outcome, struct buf *out_message,
                                int *out_retry_after_s, struct fault *fault);

/* "get tablesyncs.tablesync.dev shop/orders" */
void errors_describe(const struct errors_call *call, struct buf *out);

#endif

/*
 * errors: what an answer of the API server means, by one table (errors.def): HTTP code,
 * Status.reason and causes give an outcome the controller switches on, or a fault class
 * and a sentence. The same table holds what can be wrong with a success and how an
 * exchange can break off.
 *
 * Codes and reasons: Kubernetes API conventions ("Response Status Kind") and
 * apimachinery v0.36 pkg/apis/meta/v1/types.go. Bodies are judged by `reason` and
 * `details`, never by the wording of `message`.
 */
#ifndef KUBE_ERRORS_H
#define KUBE_ERRORS_H

#include "kube/api.h"

#define ERRORS_RETRY_AFTER_MAX_S 60

/* What was asked. */
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

/* How an exchange breaks off. */
enum errors_break {
#define BREAK(name, reason, sentence) ERRORS_BREAK_##name,
#include "kube/errors.def"
    ERRORS_BREAK_MAX
};

/*
 * true: *out_outcome is set (KUBE_OK for every 2xx); for other outcomes the server's
 * sentence is appended to out_message unless that is NULL. false: a fault.
 * *out_retry_after_s: how long the server asks this call to wait, capped; 0 when it does
 * not.
 */
MUST_CHECK bool errors_classify(const struct errors_call *call,
                                const struct errors_answer *answer,
                                enum kube_outcome *out_outcome, struct buf *out_message,
                                int *out_retry_after_s, struct fault *fault);

/*
 * Whether `root`, the parsed body of a success (NULL: it does not parse), is what was
 * asked for: an object of the call's kind, for a list the kind with "List". false: a
 * fault that describes the call.
 */
MUST_CHECK bool errors_check_body(const struct errors_call *call, struct sv body,
                                  const struct json *root, struct fault *fault);

/* Whether a watch that got this answer, or (in_stream) this Status as an ERROR event, may
 * go on from the version it had; else a list comes first. */
bool errors_keeps_version(const struct errors_answer *answer, bool in_stream);

/* The condition reason and the sentence of a break. */
const char *errors_break_reason(enum errors_break kind);
const char *errors_break_text(enum errors_break kind);

/* "get tablesyncs.tablesync.dev shop/orders" */
void errors_describe(const struct errors_call *call, struct buf *out);

#endif

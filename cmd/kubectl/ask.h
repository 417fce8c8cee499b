/*
 * kubectl_ask: the running controller, asked on its debug listener. That listens on its
 * Pod's loopback address alone, so the way there is a forwarded port (forward.h): who may
 * go it is the API server's decision.
 */
#ifndef CMD_KUBECTL_ASK_H
#define CMD_KUBECTL_ASK_H

#include "audit/query.h"
#include "cmd/forward.h"
#include "cmd/kubectl/kubectl.h"

struct asked { /* the controller that leads */
    struct kubectl *k;
    struct json *pod;
    const char *name;             /* of the Pod */
    int debug_port, metrics_port; /* in the Pod; 0: off, or not by plain HTTP */
    struct forward forward;
    struct kube_transport *debug, *metrics;
};

/*
 * Finds the Pod: the one that the Lease names, else the only one that runs with the label
 * app.kubernetes.io/name=tablesync. Nothing is forwarded yet. Faults say what to do.
 */
MUST_CHECK bool asked_find(struct kubectl *k, struct asked *out_asked,
                           struct fault *fault);
/* Forwards the debug port and, if it can be had, with `metrics` that of the metrics. */
MUST_CHECK bool asked_open(struct asked *asked, bool metrics, struct fault *fault);
/* GET of a path, "/debug/state" say. FAULT_SPEC "AnswerTooLarge": a page was too large.
 */
MUST_CHECK bool asked_get(struct asked *asked, const char *path, struct buf *out_body,
                          struct fault *fault);
MUST_CHECK bool asked_metrics(struct asked *asked, struct buf *out_body,
                              struct fault *fault);
void asked_close(struct asked *asked); /* for AUTO(); fine when empty */

/*
 * Runs, or with `logs` what they did, as audit/show.h has them: from --audit-db, else of
 * the running controller, page by page. `asked` is opened if it is empty, and may be used
 * on. The caller frees *out_history.
 */
MUST_CHECK bool asked_history(struct kubectl *k, struct asked *asked,
                              const struct audit_filter *filter, bool logs,
                              struct json **out_history, struct fault *fault);

#endif

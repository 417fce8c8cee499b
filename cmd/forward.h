/*
 * forward: a Pod's port on 127.0.0.1, by `kubectl port-forward`: the API server asks
 * whether the caller may (create on pods/portforward), and nothing else is opened.
 */
#ifndef CMD_FORWARD_H
#define CMD_FORWARD_H

#include "cmd/child.h"
#include "cmd/options.h"

#define FORWARD_PORTS_MAX 2

struct forward {
    struct child child;
    int ports[FORWARD_PORTS_MAX]; /* local ones, in the order asked for */
};

/*
 * kubectl gets --kubeconfig and --context as we have them. Faults: FAULT_DENIED when the
 * caller may not, FAULT_UNAVAILABLE when there is no kubectl or no such Pod; with
 * kubectl's own words.
 */
MUST_CHECK bool forward_open(const struct options *options, const char *namespace,
                             const char *pod, const int *remote_ports, size_t count,
                             struct cancel *cancel, struct forward *out_forward,
                             struct fault *fault);
/* What kubectl had to say since: why a connection broke off, for one. */
const char *forward_complaint(struct forward *forward, struct cancel *cancel);
void forward_close(struct forward *forward); /* for AUTO(); fine when empty */

/* "kubectl" and the flags that lead to the same cluster: at most FORWARD_WORDS_MAX. */
#define FORWARD_WORDS_MAX 5
size_t forward_kubectl(const struct options *options, const char **out_words);

#endif

/* election: the flags of the leader election, and what they make. */
#ifndef CMD_ELECTION_H
#define CMD_ELECTION_H

#include "cmd/cluster.h"
#include "loop/leader.h"

struct election {
    struct kube_transport *transport;
    struct leader *leader; /* NULL: no election */
};

/* Does nothing without --leader-elect. `instance` names this one among the candidates. */
MUST_CHECK bool election_open(const struct options *options,
                              const struct cluster *cluster, const char *instance,
                              struct lg *lg, struct election *out_election,
                              struct fault *fault);
void election_close(struct election *election); /* for AUTO(); fine when empty */

#endif

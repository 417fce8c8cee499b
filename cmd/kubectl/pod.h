/* kubectl_pod: which Pod is the controller's, and where in it it listens. */
#ifndef CMD_KUBECTL_POD_H
#define CMD_KUBECTL_POD_H

#include "cmd/kubectl/kubectl.h"

/* The caller frees *out_pod. */
MUST_CHECK bool pod_find(struct kubectl *k, struct json **out_pod, struct fault *fault);
/*
 * What the container's command line or environment gives for a flag: "localhost:6060" of
 * --debug-bind-address. NULL: neither does.
 */
const char *pod_flag(const struct json *pod, const char *flag, const char *variable);
/* The port of "host:port"; 0: none. */
int pod_port(const char *address);

#endif

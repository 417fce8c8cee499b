/* kubectl_report: parts of a support bundle. */
#ifndef CMD_KUBECTL_REPORT_H
#define CMD_KUBECTL_REPORT_H

#include "cmd/kubectl/kubectl.h"

/* Of a Pod what tells how the controller runs: image, arguments, names of variables,
 * state. Values of variables may be secrets, and are left out. The caller frees it. */
struct json *report_pod(const struct json *pod);
/* Sets "kubernetes": what /version says; nothing when it does not answer. */
void report_version(struct kubectl *k, struct json *report);
/* Of the Events under `key` those on TableSyncs, DatabaseConnections and our Pods. */
void report_only_ours(struct json *report, const char *key);
/* A copy in which what looks like a credential is hidden; the caller frees it. */
struct json *report_redacted(const struct json *node);

#endif

/* plan_offline: a plan from files alone: no cluster, no server. */
#ifndef CMD_PLAN_OFFLINE_H
#define CMD_PLAN_OFFLINE_H

#include "cmd/documents.h"

/*
 * Every TableSync of the documents against the described MySQL table and empty servers.
 * Connections missing from the documents are assumed with their defaults.
 */
MUST_CHECK bool plan_offline(struct documents *documents, const char *schema_path,
                             bool json, struct fault *fault);

#endif

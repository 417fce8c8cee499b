/*
 * show: what was read from the audit as JSON, the same in `tablesync runs -o json` and on
 * the debug listener.
 */
#ifndef AUDIT_SHOW_H
#define AUDIT_SHOW_H

#include "audit/query.h"
#include "base/json.h"

/* [{"id", "runID", "kind", "namespace", "name", ...}]; the caller frees it. */
struct json *audit_show_runs(const struct audit_runs *runs);
/* {"steps": [], "logs": []}; the caller frees it. */
struct json *audit_show_details(const struct audit_details *details);

#endif

/* history: task runs and what they did, read from the audit's file, as people read them.
 */
#ifndef CMD_HISTORY_H
#define CMD_HISTORY_H

#include "audit/query.h"
#include "base/json.h"

/* Runs, or with `logs` their details, as audit/show.h has them; the caller frees it. */
MUST_CHECK bool history_read(const char *path, const struct audit_filter *filter,
                             bool logs, struct json **out_history, struct fault *fault);
void history_print_runs(const struct json *runs);
void history_print_logs(const struct json *details);

#endif

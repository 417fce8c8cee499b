/*
 * check_look: what `tablesync check` finds, as one JSON document that both forms of its
 * output are printed from:
 * {"ok", "connections": [{"namespace", "name", "type", "address", "tls", "reachable",
 * "login", "version", "facts": {}, "findings": [], "error"}], "tableSyncs":
 * [{"namespace", "name", "source", "target", "findings": [], "table": {}, "notes": [],
 * "plan": {}, "error"}]}. A finding is {"level", "system", "reason", "message"}; an error
 * is
 * {"reason", "message"}.
 */
#ifndef CMD_CHECK_LOOK_H
#define CMD_CHECK_LOOK_H

#include "base/json.h"
#include "cmd/workbench.h"

/* One connection of the loop's store. False when something is missing. */
bool check_connection(struct workbench *bench, const struct json *object,
                      struct json *out);
/* One TableSync of the loop's store, its decoded spec in `sync`. False when something is
 * missing or stands in its way. */
bool check_sync(struct workbench *bench, const char *key, const struct tablesync *sync,
                struct json *out);
/* {"reason", "message"} under "error". */
void check_set_error(struct json *out, const struct fault *fault);

#endif

/*
 * discover_find: which connections `tablesync discover` works with: those that flags
 * name, else the only one of its type in the file or, after that, in the namespace.
 */
#ifndef CMD_DISCOVER_FIND_H
#define CMD_DISCOVER_FIND_H

#include "base/json.h"
#include "cmd/workbench.h"
#include "model/spec.h"

struct found_connections {
    struct dbconn source;
    struct json *source_object; /* owned */
    /* name NULL: none or several, see `which` */
    struct dbconn rw, target;
    const char *rw_problem, *target_problem; /* why there is none; NULL: there is one */
};

/*
 * Faults: FAULT_SPEC when the MySQL connection, or one that a flag names, does not exist
 * or is of another type; the API server's own.
 */
MUST_CHECK bool discover_find(struct workbench *bench, const char *namespace,
                              struct arena *arena, struct found_connections *out_found,
                              struct fault *fault);
void discover_found_deinit(struct found_connections *found);

#endif

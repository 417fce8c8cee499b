/* cmd: the commands and what they share. Only this room prints. */
#ifndef CMD_CMD_H
#define CMD_CMD_H

#include "base/json.h"
#include "cmd/options.h"

/* Exit codes, documented in README. */
enum exit_code {
    EXIT_OK = 0,
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,
    EXIT_NOT_LEADER = 3, /* the election was lost: start again, as a follower */
    /* Of kubectl tablesync. */
    EXIT_NOT_FOUND = 4,   /* what was named does not exist */
    EXIT_DENIED = 5,      /* the API server does not let the caller */
    EXIT_UNREACHABLE = 6, /* nobody there to ask: API server, controller, kubectl */
    EXIT_CHANGED = 7      /* it was changed meanwhile: nothing was written */
};

struct documents;

typedef int command_run(const struct options *options);

int command_controller(const struct options *options);
int command_plan(const struct options *options);
int command_check(const struct options *options);
int command_discover(const struct options *options);
int command_ready(const struct options *options);
int command_types(const struct options *options);
int command_runs(const struct options *options);
int command_logs(const struct options *options);
int command_version(const struct options *options);
/* `plan` for the TableSyncs of `documents`, inside with_libraries(); says why not. */
int command_plan_of(const struct options *options, struct documents *documents,
                    struct fault *fault);
/* `kubectl tablesync`, also as `tablesync kubectl`: the words behind it. */
int command_kubectl(int argc, char *const *argv);
/* What kubectl's completion runs as kubectl_complete-tablesync: the words so far. */
int command_kubectl_complete(int argc, char *const *argv);

/* "tablesync: <sentence>" on standard error; returns the exit code that fits the class.
 */
int command_failed(const struct fault *fault);
const char *command_version_text(void);
/* Indented JSON and a newline on standard output. EXIT_FAILED when it is too large. */
int command_print_json(const struct json *root);

#endif

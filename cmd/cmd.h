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
    EXIT_NOT_LEADER = 3 /* the election was lost: start again, as a follower */
};

typedef int command_run(const struct options *options);

int command_controller(const struct options *options);
int command_plan(const struct options *options);
int command_check(const struct options *options);
int command_discover(const struct options *options);
int command_types(const struct options *options);
int command_runs(const struct options *options);
int command_logs(const struct options *options);
int command_version(const struct options *options);

/* "tablesync: <sentence>" on standard error; returns the exit code that fits the class.
 */
int command_failed(const struct fault *fault);
const char *command_version_text(void);
/* Indented JSON and a newline on standard output. EXIT_FAILED when it is too large. */
int command_print_json(const struct json *root);

#endif
